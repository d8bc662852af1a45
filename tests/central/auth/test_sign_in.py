"""Signing in at the server: what opens it, and everything that does not."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from central.auth import accounts
from central.auth.limits import TRIES, WINDOW_MS
from central.auth.signatures import CHALLENGE_MS
from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.signin.messages import (
    ACCESS_S,
    PASSWORD_PATH,
    REFRESH_S,
    RESET_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
)
from operator_tui.sync.protocol import ENROL_PATH
from tests.central.auth.people import PASSWORD, Seat, hire, person
from tests.central.desks import Office


@pytest.fixture
def seat(office: Office) -> Seat:
    return hire(office, "petrova")


@pytest.mark.function("K-3.1")
def test_a_password_and_a_device_make_a_session(seat: Seat) -> None:
    granted = seat.sign_in()
    assert granted.operator.name == "Петрова petrova"
    assert (granted.operator.role, granted.operator.extension) == (Role.OPERATOR_1, "2001")
    assert (granted.access_s, granted.refresh_s) == (600, 43200)
    desk = seat.desk(granted.access)
    answer = desk.send(desk.new_card())
    assert (answer.status, answer.states) == (200, ["applied"])


def test_the_login_is_read_as_people_type_it(seat: Seat) -> None:
    assert seat.try_sign_in(login=" Petrova ").status_code == 200


@pytest.mark.parametrize("password", ["неверный пароль", "", PASSWORD + " ", "я" * 5000])
def test_a_wrong_password(seat: Seat, password: str) -> None:
    answer = seat.try_sign_in(password)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_wrong")


def test_an_unknown_name_looks_like_a_wrong_password(seat: Seat) -> None:
    assert seat.try_sign_in(login="nobody").json() == seat.try_sign_in("неверный пароль").json()


def test_after_five_wrong_ones_even_the_right_one_waits(seat: Seat, office: Office) -> None:
    for _ in range(TRIES):
        assert seat.try_sign_in("неверный пароль").status_code == 401
    answer = seat.try_sign_in()
    assert (answer.status_code, answer.json()) == (429, {"code": "sign_in_later", "params": {"minutes": 15}})
    assert Seat(office, "petrova").try_sign_in().status_code == 200, "another workstation of his is not locked out"
    office.clock.advance(WINDOW_MS / 1000)
    assert seat.try_sign_in().status_code == 200


def test_a_right_one_forgets_the_wrong_ones(seat: Seat) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            assert seat.try_sign_in("неверный пароль").status_code == 401
        assert seat.try_sign_in().status_code == 200


def test_a_copied_device_code_without_its_key(seat: Seat) -> None:
    seat.key = SigningKey.generate()
    answer = seat.try_sign_in()
    assert (answer.status_code, answer.json()["code"]) == (401, "device_signature")


def test_a_challenge_serves_once_one_device_and_a_minute(seat: Seat, office: Office) -> None:
    nonce = seat.nonce()
    assert seat.try_sign_in(nonce=nonce).status_code == 200
    assert seat.try_sign_in(nonce=nonce).json()["code"] == "device_signature"
    foreign = hire(office, "sidorova").nonce()
    assert seat.try_sign_in(nonce=foreign).json()["code"] == "device_signature"
    late = seat.nonce()
    office.clock.advance(CHALLENGE_MS / 1000)
    assert seat.try_sign_in(nonce=late).json()["code"] == "device_signature"


def test_at_anothers_device_nobody_signs_in(seat: Seat, office: Office) -> None:
    hire(office, "sidorova")
    answer = seat.try_sign_in(login="sidorova")
    assert (answer.status_code, answer.json()["code"]) == (403, "device_other")


@pytest.mark.parametrize("more", [{"role": "adm"}, {"operator": {"role": "adm"}}])
def test_a_forged_role_changes_nothing(seat: Seat, more: dict[str, object]) -> None:
    granted = seat.try_sign_in(**more).json()
    assert granted["operator"]["role"] == "o1"
    desk = seat.desk(granted["access"])
    boss = msgspec.structs.replace(seat.identity.operator, role=Role.ADMINISTRATOR)
    desk.identity = msgspec.structs.replace(desk.identity, operator=boss)
    made = desk.new_card()
    assert desk.send(made).states == ["applied"]
    card = desk.card_id(made)
    void = desk.operation("card.move", {"act": "void", "reason": "я администратор"}, card=card, b={"status": card})
    outcome = desk.send(void).outcomes[0]
    assert (outcome.s, outcome.w) == ("rejected", "right_missing")


def test_an_access_token_lives_ten_minutes(seat: Seat, office: Office) -> None:
    granted = seat.sign_in()
    desk = seat.desk(granted.access)
    office.clock.advance(ACCESS_S - 1)
    assert desk.send().status == 200
    office.clock.advance(1)
    refused = desk.send()
    assert (refused.status, refused.refusal["code"]) == (401, "token_expired")
    assert seat.desk(seat.refresh(granted.refresh).access).send().status == 200


def test_a_refresh_token_lives_a_shift(seat: Seat, office: Office) -> None:
    granted = seat.sign_in()
    office.clock.advance(REFRESH_S)
    assert seat.try_refresh(granted.refresh).json()["code"] == "token_expired"


def test_an_answer_lost_on_the_way_may_be_asked_for_again(seat: Seat) -> None:
    granted = seat.sign_in()
    lost = seat.refresh(granted.refresh)
    second = seat.refresh(granted.refresh)
    assert seat.desk(lost.access).send().status == 401
    assert seat.desk(second.access).send().status == 200


def test_a_replayed_refresh_token_ends_the_session(seat: Seat) -> None:
    granted = seat.sign_in()
    fresh = seat.refresh(granted.refresh)
    assert seat.desk(fresh.access).send().status == 200
    answer = seat.try_refresh(granted.refresh)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_replayed")
    assert seat.desk(fresh.access).send().status == 401
    assert seat.try_refresh(fresh.refresh).json()["code"] == "token_invalid"


def test_a_stolen_refresh_token_needs_the_key_of_its_device(seat: Seat, office: Office) -> None:
    granted = seat.sign_in()
    thief = hire(office, "thief")
    assert thief.try_refresh(granted.refresh).json()["code"] == "device_other"
    seat.key, own = thief.key, seat.key
    assert seat.try_refresh(granted.refresh).json()["code"] == "device_signature"
    seat.key = own
    assert seat.try_refresh(granted.refresh).status_code == 200


def test_anothers_token_is_not_this_devices(seat: Seat, office: Office) -> None:
    other = hire(office, "sidorova").sign_in()
    refused = seat.desk(other.access).send()
    assert (refused.status, refused.refusal["code"]) == (403, "device_other")


def test_signing_out_ends_both_tokens(seat: Seat) -> None:
    granted = seat.sign_in()
    assert seat.post(SIGN_OUT_PATH, granted.access).status_code == 200
    assert seat.desk(granted.access).send().status == 401
    assert seat.try_refresh(granted.refresh).json()["code"] == "token_invalid"


def test_a_blocked_person_is_out_at_once(seat: Seat, office: Office) -> None:
    granted = seat.sign_in()
    accounts.change(office.database, "petrova", office.clock.now_ms(), blocked=True)
    assert seat.desk(granted.access).send().status == 401
    assert seat.try_refresh(granted.refresh).status_code == 401
    assert seat.try_sign_in().json()["code"] == "account_blocked"
    assert seat.try_sign_in("неверный пароль").json()["code"] == "sign_in_wrong", "only he himself is told"
    accounts.change(office.database, "petrova", office.clock.now_ms(), blocked=False)
    assert seat.try_sign_in().status_code == 200


def test_a_change_of_role_holds_from_the_next_request(seat: Seat, office: Office) -> None:
    granted = seat.sign_in()
    accounts.change(office.database, "petrova", office.clock.now_ms(), values={"role": "o2", "extension": "3001"})
    renewed = seat.refresh(granted.refresh).operator
    assert (renewed.role, renewed.extension) == (Role.OPERATOR_2, "3001")


def test_a_persons_device_is_opened_by_no_token_of_its_own(office: Office) -> None:
    desk = office.desk("Иванова Вера")
    assert desk.send().status == 200
    number = desk.identity.operator.user
    office.database.write(
        lambda connection: connection.execute(
            sa.insert(t.account).values(operator=number, login="ivanova", changed_at=0)
        )
    )
    assert desk.send().refusal["code"] == "token_invalid"


def test_the_first_password_comes_with_the_code(office: Office) -> None:
    accounts.add(office.database, "novikova", person("novikova"), office.clock.now_ms())
    code = accounts.enrolment_code(office.database, "novikova", office.clock.now_ms())
    key = bytes(SigningKey.generate().verify_key).hex()
    weak = office.client.post(ENROL_PATH, json={"v": 1, "code": code, "key": key, "password": "12"})
    assert weak.json() == {"code": "password_weak", "params": {"length": 8}}, "and the code is still good"
    Seat(office, "novikova", password="мой первый пароль").sign_in("мой первый пароль")


def test_a_second_workstation_wants_the_password_there_is(office: Office, seat: Seat) -> None:
    code = accounts.enrolment_code(office.database, "petrova", office.clock.now_ms())
    key = bytes(SigningKey.generate().verify_key).hex()
    body = {"v": 1, "code": code, "key": key, "password": "неверный пароль"}
    assert office.client.post(ENROL_PATH, json=body).json()["code"] == "sign_in_wrong"
    again = office.client.post(ENROL_PATH, json={**body, "password": PASSWORD})
    assert again.json()["code"] == "enrolment_code", "a code is no help in guessing"
    second = Seat(office, "petrova")
    assert second.identity.operator.user == seat.identity.operator.user


def test_another_password(seat: Seat) -> None:
    token = seat.sign_in().access
    assert seat.post(PASSWORD_PATH, token, old="не тот", new="новый пароль").json()["code"] == "sign_in_wrong"
    assert seat.post(PASSWORD_PATH, token, old=PASSWORD, new="коротк").json()["code"] == "password_weak"
    assert seat.post(PASSWORD_PATH, token, old=PASSWORD, new="новый пароль").status_code == 200
    assert seat.try_sign_in().status_code == 401
    seat.sign_in("новый пароль")


def test_a_desk_left_open_is_no_place_to_guess_at(seat: Seat, office: Office) -> None:
    token = seat.sign_in().access
    for _ in range(TRIES):
        assert seat.post(PASSWORD_PATH, token, old="не тот", new="новый пароль").json()["code"] == "sign_in_wrong"
    assert seat.post(PASSWORD_PATH, token, old=PASSWORD, new="новый пароль").json()["code"] == "sign_in_later"
    office.clock.advance(WINDOW_MS / 1000)
    token = seat.sign_in().access
    for new in ("новый пароль", PASSWORD) * TRIES:
        old = PASSWORD if new != PASSWORD else "новый пароль"
        assert seat.post(PASSWORD_PATH, token, old=old, new=new).status_code == 200


def test_who_forgot_his_password_and_tried_does_not_wait_after_the_reset(seat: Seat, office: Office) -> None:
    for _ in range(TRIES):
        assert seat.try_sign_in("неверный пароль").status_code == 401
    code = accounts.reset_code(office.database, "petrova", office.clock.now_ms())
    key, box = bytes(seat.key.verify_key).hex(), bytes(PrivateKey.generate().public_key).hex()
    new = "новый пароль 2"
    done = seat.post(RESET_PATH, d=seat.device, code=code, password=new, key=key, box=box)
    assert done.status_code == 200, done.text
    assert seat.try_sign_in(new).status_code == 200


def test_without_a_provider_a_code_alone_brings_nothing(office: Office, seat: Seat) -> None:
    code = accounts.enrolment_code(office.database, "petrova", office.clock.now_ms())
    body = {"v": 1, "code": code, "key": bytes(SigningKey.generate().verify_key).hex()}
    refused = office.client.post(ENROL_PATH, json={**body, "oidc": True})
    assert refused.json()["code"] == "oidc_off"
    assert office.client.post(ENROL_PATH, json={**body, "password": PASSWORD}).status_code == 200, "the code stays"


def test_the_server_keeps_no_password_and_no_token(seat: Seat, office: Office) -> None:
    granted = seat.sign_in()
    kept = "".join(repr(office.rows(table)) for table in t.metadata.sorted_tables)
    for secret in (PASSWORD, granted.access, granted.refresh, bytes(seat.key).hex()):
        assert secret not in kept


def test_the_last_administrator_stays(office: Office) -> None:
    hire(office, "boss", Role.ADMINISTRATOR)
    now_ms = office.clock.now_ms()
    with pytest.raises(Refusal) as refused:
        accounts.change(office.database, "boss", now_ms, blocked=True)
    assert refused.value.code is Code.LAST_ADMINISTRATOR
    with pytest.raises(Refusal):
        accounts.change(office.database, "boss", now_ms, values={"role": "o1"})
    hire(office, "deputy", Role.ADMINISTRATOR)
    assert accounts.change(office.database, "boss", now_ms, blocked=True).blocked


def test_two_persons_have_not_one_name(office: Office, seat: Seat) -> None:
    with pytest.raises(Refusal) as refused:
        accounts.add(office.database, "PETROVA", person("x"), office.clock.now_ms())
    assert (refused.value.code, refused.value.params) == (Code.LOGIN_TAKEN, {"login": "petrova"})


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v":1}', b'{"v":1,"d":5}', b"[" * 3000, b"x" * 20_000], ids=range(6))
def test_bad_requests(office: Office, body: bytes) -> None:
    answer = office.client.post(SIGN_IN_PATH, content=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["code"] == "bad_request"

"""Signing in at the server: what opens it, and everything that does not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import sqlalchemy as sa
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.signing import SigningKey

from central.auth import accounts
from central.auth.limits import TRIES, WINDOW_MS
from central.auth.signatures import CHALLENGE_MS
from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.signin.messages import (
    ACCESS_S,
    CHALLENGE_PATH,
    ESCROW_PATH,
    PASSWORD_PATH,
    REFRESH_S,
    RESET_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    challenge_text,
)
from operator_tui.sync.protocol import ENROL_PATH
from tests.central.auth.people import PASSWORD, JoiningSeat, Seat, hire, person
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


def test_who_may_join_a_machine_gets_no_more_guesses_by_joining_again(office: Office) -> None:
    """Each device has its own code, but guesses are counted for the machine."""
    hire(office, "boss")
    thief = JoiningSeat(office, "thief")
    for _ in range(2):
        thief.join()
        wrong = [thief.try_sign_in("неверный пароль", login="boss").json()["code"] for _ in range(TRIES)]
    assert wrong == ["sign_in_later"] * TRIES
    office.clock.advance(WINDOW_MS / 1000)
    joined = [thief.try_join().status_code for _ in range(TRIES + 1)]
    assert joined == [200] * TRIES + [429], "and a place is not taken again and again"


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


def test_who_is_not_signed_in_takes_away_nobodys_challenge_and_fills_no_table(seat: Seat, office: Office) -> None:
    nonce = seat.nonce()
    for device in (seat.device, "zzzzzz"):
        for _ in range(20):
            assert office.client.post(CHALLENGE_PATH, json={"v": 1, "d": device}).status_code == 200
    assert office.rows(t.challenge) == []
    forged = seat.key.sign(challenge_text(nonce, seat.device, "sidorova")).signature.hex()
    assert seat.try_sign_in(nonce=nonce, sig=forged).json()["code"] == "device_signature"
    assert office.rows(t.challenge) == [], "what nobody signed is not kept"
    assert seat.try_sign_in(nonce=nonce).status_code == 200
    assert len(office.rows(t.challenge)) == 1
    head, _, tail = nonce.partition(nonce[12])
    for made_up in (head + ("A" if nonce[12] != "A" else "B") + tail, "AA==", "", "не код", nonce[:-4]):
        assert seat.try_sign_in(nonce=made_up or "-").json()["code"] == "device_signature"
    office.clock.advance(CHALLENGE_MS / 1000)
    assert seat.try_sign_in().status_code == 200
    assert len(office.rows(t.challenge)) == 1, "what is too old anyway is forgotten"


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


@pytest.mark.parametrize("how", ["changed", "reset"])
def test_another_password_ends_the_sessions_at_other_places_and_says_why(seat: Seat, office: Office, how: str) -> None:
    other = Seat(office, "petrova")
    there, here = other.sign_in(), seat.sign_in()
    colleague = hire(office, "sidorova")
    hers = colleague.sign_in()
    if how == "changed":
        assert seat.post(PASSWORD_PATH, here.access, old=PASSWORD, new="новый пароль").status_code == 200
    else:
        code = accounts.reset_code(office.database, "petrova", office.clock.now_ms())
        key, box = bytes(seat.key.verify_key).hex(), bytes(PrivateKey.generate().public_key).hex()
        asked = {"d": seat.device, "code": code, "password": "новый пароль", "key": key, "box": box}
        assert seat.post(RESET_PATH, **asked).status_code == 200
        here = seat.sign_in("новый пароль")
    assert other.desk(there.access).send().refusal["code"] == "token_invalid"
    told = other.try_refresh(there.refresh)
    assert (told.status_code, told.json()["code"]) == (401, "password_changed")
    assert colleague.try_refresh(there.refresh).json()["code"] == "device_other", "nobody else is told"
    assert seat.desk(here.access).send().status == 200, "who has changed it goes on"
    assert seat.try_refresh(here.refresh).status_code == 200
    assert colleague.desk(hers.access).send().status == 200
    other.sign_in("новый пароль")


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
    with pytest.raises(Refusal) as refused:
        accounts.change(office.database, "boss", now_ms, values={"role": "o1"})
    assert refused.value.code is Code.LAST_ADMINISTRATOR
    hire(office, "deputy", Role.ADMINISTRATOR)
    assert accounts.change(office.database, "boss", now_ms, blocked=True).blocked


def test_two_administrators_who_block_each_other_at_once_leave_one(office: Office) -> None:
    for name in ("boss", "deputy"):
        accounts.add(office.database, name, person(name, Role.ADMINISTRATOR), office.clock.now_ms())
    for _ in range(5):
        begin = threading.Barrier(2)

        def block(login: str, begin: threading.Barrier = begin) -> str:
            begin.wait()
            try:
                accounts.change(office.database, login, office.clock.now_ms(), blocked=True)
            except Refusal as refusal:
                return refusal.code.value
            return "blocked"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(block, ("boss", "deputy"))) == ["blocked", "last_administrator"]
        for name in ("boss", "deputy"):
            accounts.change(office.database, name, office.clock.now_ms(), blocked=False)


def test_an_organisation_keeps_who_looks_after_it(office: Office) -> None:
    """The insurer's administrator may go while the fund has one; the fund's may not be left to the insurers'."""
    now_ms = office.clock.now_ms()
    for name, organisation in (("fund", "26/tf"), ("insurer", "26/smo-26001"), ("far", "27/tf")):
        who = person(name, Role.ADMINISTRATOR, organisation)
        accounts.add(office.database, name, who, now_ms)
    for values, code in (
        ({"organisation": "26/smo-26001"}, Code.LAST_ADMINISTRATOR),
        ({"organisation": "27/tf"}, Code.FIELD_INVALID),  # nobody leaves his region
        ({"role": "o2"}, Code.LAST_ADMINISTRATOR),
    ):
        with pytest.raises(Refusal) as refused:
            accounts.change(office.database, "fund", now_ms, values=values)
        assert refused.value.code is code
    assert accounts.change(office.database, "insurer", now_ms, blocked=True).blocked


def test_a_stolen_token_puts_no_other_key_in_place_of_the_journals(seat: Seat, office: Office) -> None:
    """Or a forgotten password would cost the journal."""
    granted = seat.sign_in()
    box = SealedBox(PublicKey(bytes.fromhex(granted.recovery)))
    own, other = bytes(range(32)), bytes(32)
    assert seat.post(ESCROW_PATH, granted.access, sealed=box.encrypt(own).hex()).status_code == 200
    thiefs = seat.post(ESCROW_PATH, granted.access, sealed=box.encrypt(other).hex())
    assert thiefs.json() == {"code": "field_invalid", "params": {"field": "sealed"}}
    assert seat.post(ESCROW_PATH, granted.access, sealed=box.encrypt(own).hex()).status_code == 200, "the same again"


def test_two_persons_have_not_one_name(office: Office, seat: Seat) -> None:
    with pytest.raises(Refusal) as refused:
        accounts.add(office.database, "PETROVA", person("x"), office.clock.now_ms())
    assert (refused.value.code, refused.value.params) == (Code.LOGIN_TAKEN, {"login": "petrova"})


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v":1}', b'{"v":1,"d":5}', b"[" * 3000, b"x" * 20_000], ids=range(6))
def test_bad_requests(office: Office, body: bytes) -> None:
    answer = office.client.post(SIGN_IN_PATH, content=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["code"] == "bad_request"

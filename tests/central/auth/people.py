"""Persons with accounts and the workstations they sign in at, over the real addresses."""

from __future__ import annotations

from typing import Any

import msgspec
from httpx import Response
from nacl.signing import SigningKey

from central.auth import accounts
from operator_tui.appeals.people import Operator, Role
from operator_tui.signin.messages import (
    CHALLENGE_DIGITS,
    CHALLENGE_PATH,
    JOIN_PATH,
    REFRESH_PATH,
    SIGN_IN_PATH,
    Granted,
    challenge_text,
    join_text,
    refresh_text,
)
from operator_tui.sync.protocol import ENROL_PATH, EnrolAnswer
from tests.central.desks import Desk, Office

PASSWORD = "верный пароль 1"


def person(login: str, role: Role = Role.OPERATOR_1, organisation: str = "26/tf") -> Operator:
    return Operator(user=0, name=f"Петрова {login}", role=role, extension="2001", organisation=organisation)


class Seat:
    """One person's enrolled workstation."""

    def __init__(self, office: Office, login: str, *, password: str = PASSWORD) -> None:
        self.office = office
        self.login = login
        self.key = SigningKey.generate()
        code = accounts.enrolment_code(office.database, login, office.clock.now_ms())
        answer = self.post(ENROL_PATH, code=code, key=bytes(self.key.verify_key).hex(), password=password)
        assert answer.status_code == 200, answer.text
        self.identity = msgspec.json.decode(answer.content, type=EnrolAnswer)

    @property
    def device(self) -> str:
        return self.identity.device

    def post(self, path: str, token: str = "", **body: Any) -> Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer: Response = self.office.client.post(path, json={"v": 1, **body}, headers=headers)
        return answer

    def nonce(self) -> str:
        return str(self.post(CHALLENGE_PATH, d=self.device).json()["nonce"])

    def signed(self, nonce: str, login: str = "") -> str:
        return self.key.sign(challenge_text(nonce, self.device, login or self.login)).signature.hex()

    def try_sign_in(self, password: str = PASSWORD, **changed: Any) -> Response:
        login = changed.get("login", self.login)
        nonce = changed.pop("nonce", None) or self.nonce()
        body = {
            "d": self.device,
            "login": login,
            "password": password,
            "nonce": nonce,
            "sig": self.signed(nonce, login),
        }
        return self.post(SIGN_IN_PATH, **{**body, **changed})

    def sign_in(self, password: str = PASSWORD) -> Granted:
        answer = self.try_sign_in(password)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Granted)

    def try_refresh(self, token: str, **changed: Any) -> Response:
        signature = self.key.sign(refresh_text(token, self.device)).signature.hex()
        return self.post(REFRESH_PATH, **{"d": self.device, "refresh": token, "sig": signature, **changed})

    def refresh(self, token: str) -> Granted:
        answer = self.try_refresh(token)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=Granted)

    def desk(self, token: str) -> Desk:
        """This seat as a desk that sends operations with a token."""
        return Desk(self.office.client, self.office.clock, msgspec.structs.replace(self.identity, token=token))


class JoiningSeat(Seat):
    """A person who sits down, with his password, at a machine that is enrolled."""

    def __init__(self, office: Office, login: str) -> None:
        accounts.add(office.database, login, person(login), office.clock.now_ms(), password=PASSWORD)
        self.office, self.login = office, login
        self.machine = SigningKey.generate()
        code = accounts.enrolment_code(office.database, login, office.clock.now_ms())
        key = bytes(SigningKey.generate().verify_key).hex()
        assert self.post(ENROL_PATH, code=code, key=key, password=PASSWORD, workstation=self._public).status_code == 200

    @property
    def _public(self) -> str:
        return bytes(self.machine.verify_key).hex()

    def try_join(self) -> Response:
        self.key = SigningKey.generate()
        own, machine = bytes(self.key.verify_key).hex(), self._public
        nonce = str(self.post(CHALLENGE_PATH, d=machine[:CHALLENGE_DIGITS]).json()["nonce"])
        signature = self.machine.sign(join_text(nonce, machine, self.login, own)).signature.hex()
        asked = {"w": machine, "login": self.login, "password": PASSWORD, "key": own, "nonce": nonce, "sig": signature}
        return self.post(JOIN_PATH, **asked)

    def join(self) -> None:
        answer = self.try_join()
        assert answer.status_code == 200, answer.text
        self.identity = msgspec.json.decode(answer.content, type=EnrolAnswer)


def hire(office: Office, login: str, role: Role = Role.OPERATOR_1, organisation: str = "26/tf") -> Seat:
    """An account with PASSWORD, and its workstation."""
    accounts.add(office.database, login, person(login, role, organisation), office.clock.now_ms(), password=PASSWORD)
    return Seat(office, login)

"""Operators, one-time enrolment codes and devices.

A device is one journal: a user at a workstation. It comes to be by a code that works once and for 15 minutes, and
is known from then on by a token of 32 random bytes; of both the server keeps SHA-256 only.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from central import audit
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Operator, Role
from operator_tui.sync.protocol import EnrolAnswer

CODE_LIFE_MS = 15 * 60 * 1000
# Letters and digits that are not taken for one another when read aloud (Crockford's base 32, lower case).
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DEVICE_LENGTH = 6
_CODE_LENGTH = 12  # 60 bits: not to be guessed in 15 minutes
_TOKEN_BYTES = 32
COLLECTOR = "Федеральный сборщик"


@dataclass(frozen=True)
class Device:
    """A device that proved its token, and the operator it belongs to."""

    id: str
    operator: Operator

    @property
    def region(self) -> str:
        """His organisation's: it leads what is stored of him."""
        return region_of(self.operator.organisation)

    @property
    def reads_only(self) -> bool:
        """Whether it is a federal collector: it belongs to a region itself, and to none of its organisations."""
        return self.operator.organisation == self.region


def epoch(connection: sa.Connection) -> str:
    """The database's lineage: 64 bits in hex."""
    return str(connection.execute(sa.select(t.server.c.v).where(t.server.c.k == "epoch")).scalar_one())


def enrolment_code(database: Database, operator: Operator, now_ms: int) -> str:
    """A one-time code for a device of this operator: ``k7q2-mxb3-fz0a``.

    An operator of the same organisation, extension and name is the same one; ``operator.user`` is not looked at,
    the server gives the number.
    """
    return _give_code(database, now_ms, lambda connection: operator_number(connection, operator))


def enrolment_code_for(database: Database, number: int, now_ms: int, *, by: int | None = None) -> str:
    """The same for the operator of a number; ``by`` is the administrator who asked for it."""
    return _give_code(database, now_ms, lambda _: number, by)


def collector_code(database: Database, region: str, now_ms: int) -> str:
    """The same for a federal collector of the region. Refusal(REGION_UNKNOWN) for one that nobody works in."""

    def find(connection: sa.Connection) -> int:
        known = sa.select(t.operator.c.number).where(
            t.operator.c.region == region, t.operator.c.organisation != t.operator.c.region
        )
        if connection.execute(known.limit(1)).first() is None:
            raise Refusal(Code.REGION_UNKNOWN, region=region)
        # Whatever a role may, it may not: it is turned away before anybody asks for its role.
        return operator_number(connection, Operator(0, COLLECTOR, Role.TRAINEE, "-", region))

    return _give_code(database, now_ms, find)


def collectors(database: Database) -> list[tuple[str, str, int, bool]]:
    """Device, region, when it was enrolled (UTC ms) and whether it was revoked, of every collector there was."""
    chosen = (
        sa.select(t.device.c.id, t.operator.c.region, t.device.c.last_seen, t.device.c.revoked)
        .join_from(t.device, t.operator, t.operator.c.number == t.device.c.operator)
        .where(t.operator.c.organisation == t.operator.c.region)
        .order_by(t.operator.c.region, t.device.c.number)
    )
    with database.read() as connection:
        return [(row.id, row.region, row.last_seen, row.revoked) for row in connection.execute(chosen)]


def one_time_code() -> str:
    """``k7q2mxb3fz0a``: 60 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))


def told(code: str) -> str:
    """The code in groups of four, as it is read aloud."""
    return "-".join(code[start : start + 4] for start in range(0, _CODE_LENGTH, 4))


def typed(code: str) -> str:
    """The code of what a person typed."""
    return "".join(filter(str.isalnum, code.lower()))


def _give_code(database: Database, now_ms: int, find: Callable[[sa.Connection], int], by: int | None = None) -> str:
    code = one_time_code()

    def work(connection: sa.Connection) -> None:
        number = find(connection)
        operator = _operator(connection, number)
        connection.execute(sa.delete(t.enrolment).where(t.enrolment.c.expires_at < now_ms - CODE_LIFE_MS))
        connection.execute(
            sa.insert(t.enrolment).values(code_hash=digest(code), operator=number, expires_at=now_ms + CODE_LIFE_MS)
        )
        region = region_of(operator.organisation)
        audit.record(
            database, connection, region=region, at=now_ms, actor=by, action="enrolment.made", object=str(number)
        )

    database.write(work)
    return told(code)


def enrol(database: Database, code: str, now_ms: int, *, collectors_only: bool = False) -> EnrolAnswer:
    """A new device for a code. Refusal(ENROLMENT_CODE) when it is wrong, used or too old: which, is not told;
    PERSON_NEEDED, with the code unused, when ``collectors_only`` and it is another's."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)

    def work(connection: sa.Connection) -> EnrolAnswer:
        answer = new_device(database, connection, take_code(connection, code, now_ms), token, now_ms)
        if collectors_only and not Device(answer.device, answer.operator).reads_only:
            raise Refusal(Code.PERSON_NEEDED)
        return answer

    return database.write(work)


def take_code(connection: sa.Connection, code: str, now_ms: int) -> int:
    """Use the code up; the operator's number. Refusal(ENROLMENT_CODE)."""
    found = connection.execute(
        sa.update(t.enrolment)
        .where(
            t.enrolment.c.code_hash == digest(typed(code)),
            t.enrolment.c.used_at.is_(None),
            t.enrolment.c.expires_at > now_ms,
        )
        .values(used_at=now_ms)
        .returning(t.enrolment.c.operator)
    ).scalar_one_or_none()
    if found is None:
        raise Refusal(Code.ENROLMENT_CODE)
    return int(found)


def new_device(database: Database, connection: sa.Connection, owner: int, token: str, now_ms: int) -> EnrolAnswer:
    """A device of that operator, in the caller's transaction and as its last step. Refusal(TOKEN_INVALID) when he is
    here no more: his region went to another server."""
    chosen = sa.select(t.operator).where(t.operator.c.number == owner)
    if (row := connection.execute(chosen).one_or_none()) is None:
        raise Refusal(Code.TOKEN_INVALID)
    operator = as_operator(row)
    number = next_number(connection, "device")
    device = free_device_code(connection)
    connection.execute(
        sa.insert(t.device).values(id=device, number=number, operator=owner, token_hash=digest(token), last_seen=now_ms)
    )
    audit.record(
        database,
        connection,
        region=region_of(operator.organisation),
        at=now_ms,
        actor=owner,
        device=device,
        action="device.enrolled",
        object=device,
    )
    return EnrolAnswer(device=device, number=number, token=token, epoch=epoch(connection), operator=operator)


def _operator(connection: sa.Connection, number: int) -> Operator:
    return as_operator(connection.execute(sa.select(t.operator).where(t.operator.c.number == number)).one())


def as_operator(row: sa.Row[Any]) -> Operator:
    return Operator(
        user=row.number,
        name=row.name,
        role=Role(row.role),
        extension=row.extension,
        organisation=row.organisation,
        zone=row.zone,
        # A person's account names them; an operator without an account belongs to none.
        groups=tuple(msgspec.json.decode(getattr(row, "groups", None) or "[]", type=list[str])),
    )


def operator_number(connection: sa.Connection, operator: Operator) -> int:
    """The number of the operator, a new one for a new operator; role and zone follow what is given now."""
    same = sa.and_(
        t.operator.c.organisation == operator.organisation,
        t.operator.c.extension == operator.extension,
        t.operator.c.name == operator.name,
    )
    changed = connection.execute(
        sa.update(t.operator)
        .where(same)
        .values(role=operator.role.value, zone=operator.zone)
        .returning(t.operator.c.number)
    ).scalar_one_or_none()
    if changed is not None:
        return int(changed)
    number = next_number(connection, "operator")
    connection.execute(
        sa.insert(t.operator).values(
            number=number,
            region=region_of(operator.organisation),
            name=operator.name,
            role=operator.role.value,
            extension=operator.extension,
            organisation=operator.organisation,
            zone=operator.zone,
        )
    )
    return number


def next_number(connection: sa.Connection, name: str) -> int:
    return int(
        connection.execute(
            sa.update(t.counter)
            .where(t.counter.c.name == name)
            .values(value=t.counter.c.value + 1)
            .returning(t.counter.c.value)
        ).scalar_one()
    )


def free_device_code(connection: sa.Connection) -> str:
    while True:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_DEVICE_LENGTH))
        if connection.execute(sa.select(t.device.c.id).where(t.device.c.id == code)).one_or_none() is None:
            return code


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

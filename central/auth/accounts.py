"""People who sign in: made, changed, blocked and given codes by an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from central import audit
from central.auth import limits
from central.auth.passwords import password_fits, password_hash
from central.devices import (
    CODE_LIFE_MS,
    as_operator,
    digest,
    enrolment_code_for,
    next_number,
    one_time_code,
    told,
    typed,
)
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.organisations import demand_organisation, fund_of
from operator_tui.appeals.people import Operator, Role
from operator_tui.signin.people import Person
from operator_tui.signin.voice import voice_code

PASSWORD = "password"  # what ended a session
_CHANGEABLE = frozenset({"name", "role", "extension", "organisation", "zone"})
_LONGEST = 200  # letters of each: together they stand in an index, which holds some 2,700 bytes (PostgreSQL)


def login_of(text: str) -> str:
    """The form a login is kept and looked for in. Refusal(FIELD_INVALID)."""
    login = text.strip().casefold()
    if not login or len(login) > 64 or any(letter.isspace() or not letter.isprintable() for letter in login):
        raise Refusal(Code.FIELD_INVALID, field="login")
    return login


def add(
    database: Database,
    login: str,
    operator: Operator,
    now_ms: int,
    *,
    password: str = "",
    groups: list[str] | None = None,
    sip_secret: str = "",
    by: int | None = None,
) -> Person:
    """A new person; without a password he chooses his first one with his enrolment code.
    Refusals: LOGIN_TAKEN, PASSWORD_WEAK, FIELD_INVALID."""
    login = login_of(login)
    if operator.role is Role.TRAINEE:
        raise Refusal(Code.FIELD_INVALID, field="role")  # trainees are never at this server (DESIGN rule 9)
    demand_organisation(operator.organisation)
    _demand_zone(operator.zone)
    _demand_short({"name": operator.name, "extension": operator.extension})
    kept = password_hash(password, login) if password else None

    def work(connection: sa.Connection) -> Person:
        if _row(connection, login) is not None:
            raise Refusal(Code.LOGIN_TAKEN, login=login)
        number = next_number(connection, "operator")
        values = {name: getattr(operator, name) for name in _CHANGEABLE} | {"role": operator.role.value}
        connection.execute(
            sa.insert(t.operator).values(number=number, region=region_of(operator.organisation), **values)
        )
        connection.execute(
            sa.insert(t.account).values(
                operator=number,
                login=login,
                password_hash=kept,
                groups=_groups(groups or []),
                sip_secret=sip_secret or None,
                changed_at=now_ms,
            )
        )
        person = _person(connection, login)
        _record(database, connection, person, now_ms, "person.added", by)
        return person

    try:
        return database.write(work)
    except sa.exc.IntegrityError:
        # The same name at the same extension of an organisation, or two administrators at once.
        raise Refusal(Code.LOGIN_TAKEN, login=login) from None


def change(
    database: Database,
    login: str,
    now_ms: int,
    *,
    values: dict[str, str] | None = None,
    groups: list[str] | None = None,
    blocked: bool | None = None,
    sip_secret: str | None = None,
    by: int | None = None,
) -> Person:
    """Change a person; what is None stays. Blocking ends his sessions at once.
    Refusals: ACCOUNT_UNKNOWN, LAST_ADMINISTRATOR, LOGIN_TAKEN, FIELD_INVALID."""
    login = login_of(login)
    wanted = dict(values or {})
    if wanted.keys() - _CHANGEABLE or not all(wanted.values()):
        raise Refusal(Code.FIELD_INVALID, field="person")
    if "role" in wanted and wanted["role"] not in {role.value for role in Role if role is not Role.TRAINEE}:
        raise Refusal(Code.FIELD_INVALID, field="role")
    if "zone" in wanted:
        _demand_zone(wanted["zone"])
    if "organisation" in wanted:
        demand_organisation(wanted["organisation"])
    _demand_short(wanted)

    def work(connection: sa.Connection) -> Person:
        before = _person(connection, login)
        # What his devices sent lies in his region's partitions, and another region may be another server.
        if region_of(wanted.get("organisation", before.operator.organisation)) != region_of(
            before.operator.organisation
        ):
            raise Refusal(Code.FIELD_INVALID, field="organisation")
        number = before.operator.user
        if _rules(before):
            _lock_administrators(database, connection)
        if wanted:
            connection.execute(sa.update(t.operator).where(t.operator.c.number == number).values(**wanted))
        more: dict[str, Any] = {"changed_at": now_ms}
        if groups is not None:
            more["groups"] = _groups(groups)
        if blocked is not None:
            more["blocked"] = blocked
        if sip_secret is not None:
            more["sip_secret"] = sip_secret or None
        connection.execute(sa.update(t.account).where(t.account.c.operator == number).values(**more))
        if blocked:
            end_sessions(connection, number, now_ms)
        after = _person(connection, login)
        if _rules(before) and not _administrators(connection, before.operator.organisation):
            raise Refusal(Code.LAST_ADMINISTRATOR)
        _record(database, connection, after, now_ms, "person.changed", by)
        return after

    try:
        return database.write(work)
    except sa.exc.IntegrityError:
        raise Refusal(Code.LOGIN_TAKEN, login=login) from None


def people(database: Database) -> list[Person]:
    """Everybody, by name."""
    with database.read() as connection:
        return [_as_person(row) for row in connection.execute(_select().order_by(t.operator.c.name))]


def enrolment_code(database: Database, login: str, now_ms: int, *, by: int | None = None) -> str:
    """A one-time code for one more workstation of his: 15 minutes. Refusal(ACCOUNT_UNKNOWN)."""
    with database.read() as connection:
        number = _person(connection, login_of(login)).operator.user
    return enrolment_code_for(database, number, now_ms, by=by)


def reset_code(database: Database, login: str, now_ms: int, *, by: int | None = None) -> str:
    """A one-time code for a forgotten password: 15 minutes. Refusal(ACCOUNT_UNKNOWN)."""
    code = one_time_code()

    def work(connection: sa.Connection) -> None:
        person = _person(connection, login_of(login))
        connection.execute(sa.delete(t.reset).where(t.reset.c.expires_at < now_ms - CODE_LIFE_MS))
        connection.execute(
            sa.insert(t.reset).values(
                code_hash=digest(typed(code)), operator=person.operator.user, expires_at=now_ms + CODE_LIFE_MS
            )
        )
        _record(database, connection, person, now_ms, "reset.made", by)

    database.write(work)
    return told(code)


def codes_by_voice(database: Database, login: str, now_ms: int, *, by: int | None = None) -> dict[str, str]:
    """The eight-hour code of each workstation of his, by the device's code. Refusal(ACCOUNT_UNKNOWN)."""

    def work(connection: sa.Connection) -> dict[str, str]:
        person = _person(connection, login_of(login))
        rows = connection.execute(
            sa.select(t.device_key.c.device, t.device_key.c.voice_key)
            .join(t.device, t.device.c.id == t.device_key.c.device)
            .where(t.device.c.operator == person.operator.user, t.device.c.revoked.is_(False))
        ).all()
        _record(database, connection, person, now_ms, "voice_code.told", by)
        return {row.device: voice_code(row.voice_key, now_ms) for row in rows}

    return database.write(work)


def change_password(database: Database, number: int, old: str, new: str, now_ms: int, *, at: str) -> None:
    """Another password, given at the device ``at``: his sessions at all others end, for somebody may sit there who
    knows the old one. Refusals: SIGN_IN_WRONG, SIGN_IN_LATER, PASSWORD_WEAK. At a desk left open nobody guesses more
    often than at a sign-in."""
    guess = f"password/{number}"
    limits.count(database, guess, now_ms)
    with database.read() as connection:
        row = connection.execute(sa.select(t.account).where(t.account.c.operator == number)).one_or_none()
    if row is None or not password_fits(row.password_hash, old):
        raise Refusal(Code.SIGN_IN_WRONG)
    database.write(lambda connection: limits.forget(connection, guess))
    kept = password_hash(new, row.login)

    def work(connection: sa.Connection) -> None:
        set_password(connection, number, kept, now_ms)
        end_sessions(connection, number, now_ms, by=PASSWORD, but=at)
        _record(database, connection, _person(connection, row.login), now_ms, "password.changed", number)

    database.write(work)


def set_password(connection: sa.Connection, number: int, kept: str, now_ms: int) -> None:
    """Put a new hash in place."""
    connection.execute(
        sa.update(t.account).where(t.account.c.operator == number).values(password_hash=kept, changed_at=now_ms)
    )


def end_sessions(connection: sa.Connection, number: int, now_ms: int, *, by: str | None = None, but: str = "") -> None:
    """All sessions of an operator end, except at the device ``but``; ``by`` PASSWORD is what their desks are told."""
    mine = sa.select(t.device.c.id).where(t.device.c.operator == number, t.device.c.id != but)
    connection.execute(
        sa.update(t.session)
        .where(t.session.c.device.in_(mine), t.session.c.ended_at.is_(None))
        .values(ended_at=now_ms, ended_by=by)
    )


def _select() -> sa.Select[Any]:
    columns = (t.account.c.login, t.account.c.password_hash, t.account.c.groups, t.account.c.blocked)
    return sa.select(t.operator, *columns).join_from(t.operator, t.account)


def _row(connection: sa.Connection, login: str) -> sa.Row[Any] | None:
    return connection.execute(_select().where(t.account.c.login == login)).one_or_none()


def _person(connection: sa.Connection, login: str) -> Person:
    row = _row(connection, login)
    if row is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN)
    return _as_person(row)


def _as_person(row: sa.Row[Any]) -> Person:
    return Person(
        login=row.login,
        operator=as_operator(row),
        groups=msgspec.json.decode(row.groups, type=list[str]),
        blocked=row.blocked,
        has_password=row.password_hash is not None,
    )


def _demand_zone(zone: str) -> None:
    # Every date of his is counted in it: a slip of the pen would leave him a desk that does not start.
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise Refusal(Code.FIELD_INVALID, field="zone") from None


def _demand_short(values: Mapping[str, str]) -> None:
    for field, value in values.items():
        if len(value) > _LONGEST:
            raise Refusal(Code.FIELD_INVALID, field=field)


def _groups(names: list[str]) -> str:
    return msgspec.json.encode(sorted({name.strip() for name in names if name.strip()})).decode()


def _rules(person: Person) -> bool:
    return person.operator.role is Role.ADMINISTRATOR and not person.blocked


def _lock_administrators(database: Database, connection: sa.Connection) -> None:
    """One after the other: two of them who block each other in the same moment would each count the other."""
    connection.execute(database.lock(sa.select(t.counter).where(t.counter.c.name == "operator")))


def _administrators(connection: sa.Connection, organisation: str) -> int:
    """Those who look after the people of that organisation: its own, and the fund's."""
    active = sa.and_(
        t.operator.c.role == Role.ADMINISTRATOR.value,
        t.account.c.blocked.is_(False),
        t.operator.c.organisation.in_({organisation, fund_of(organisation)}),
    )
    chosen = sa.select(sa.func.count()).select_from(t.operator.join(t.account)).where(active)
    return int(connection.execute(chosen).scalar_one())


def _record(
    database: Database, connection: sa.Connection, person: Person, now_ms: int, action: str, by: int | None
) -> None:
    audit.record(
        database,
        connection,
        region=region_of(person.operator.organisation),
        at=now_ms,
        actor=by,
        action=action,
        object=str(person.operator.user),
    )

"""Night messages become appeals: «Отсроченный ответ» of the duty group, with the message as a file and no operator.

Each exactly once, whatever is killed between two steps:

1. the sound is sealed for the fund, beside it in the spool, whole or not at all;
2. the sealed file goes into the server's store, under its digest;
3. the operation that makes the appeal is written down with its number, once for each message (``voice_message``);
4. it is pushed; the server takes a number once and answers as before when it comes again;
5. the message is put away; when a copy of the database holds the appeal, and the store its file, the plain sound is
   deleted. The sealed file stays beside the PBX for thirty days more: a copy of the database holds no files, and what
   the store has lost meanwhile is put back from here.

A message that was put away and that the database does not know (it was restored from an older copy) is taken again.
One that the server refuses, or the disk does not give, holds up no other. Keys are kept with their organisation:
another one's PBX of the same region may have made the same.
The collector is a device of its own, so its operations count as any desk's do.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from central.apply import REJECTED, push
from central.devices import Device, as_operator, new_device, operator_number
from central.files import Files
from central.keys import FUND, public_keys
from central.log import log
from central.moving import demand_still
from central.reference import references
from central.spool import TAKEN, Message, alone, forget, forget_plain, kept_sealed, messages, put_away
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.calendar import OfficeHours, WorkingCalendar
from operator_tui.appeals.card import Source
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.deadlines import DEFAULT_DAYS, answer_deadline
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.number import number_to_tell
from operator_tui.appeals.operations import Kind, Operation
from operator_tui.appeals.papers import Paper
from operator_tui.appeals.people import Operator, Role
from operator_tui.secrets.address import FileKind, fund_address
from operator_tui.secrets.sealed import seal_file
from operator_tui.sync.protocol import plain_operation

NAME = "Голосовая почта"
UNKNOWN_NUMBER = "номер не определён"
_LEAST_MS = 1000  # shorter is somebody who hung up at the tone
_CHUNK = 1 << 20
_SEALED_KEPT_MS = 30 * 86_400_000


@dataclass(frozen=True)
class Office:
    """Whose messages they are: organisation (``26/tf``), IANA zone, the calendar and hours by which the answer is due;
    ``group`` is the duty group for as long as the administrator has chosen none in the list «Нерабочее время»."""

    organisation: str
    group: str
    zone: str
    calendar: WorkingCalendar
    hours: OfficeHours

    def due_ms(self, from_ms: int) -> int:
        """The end of the next working day (UTC ms): of this one, while its hours have not begun."""
        local = datetime.fromtimestamp(from_ms / 1000, UTC).astimezone(ZoneInfo(self.zone))
        begun = local.hour * 60 + local.minute >= self.hours.opens
        day = self.calendar.on_or_after(local.date() + timedelta(days=int(begun)))
        clock = time(*divmod(self.hours.closes, 60))
        return round(datetime.combine(day, clock, ZoneInfo(self.zone)).timestamp() * 1000)


class Collector:
    """One spool folder and one organisation; one process at a time."""

    def __init__(self, database: Database, spool: Path, office: Office, catalogue: Catalogue, clock: Clock) -> None:
        """Refusals: FIELD_INVALID for a group that is none, SERVER_KEYS_AWAY before the server's first start."""
        if office.group and office.group not in catalogue.groups:
            raise Refusal(Code.FIELD_INVALID, field="group")
        self._fund = bytes.fromhex(public_keys(database).get(FUND, ""))
        if not self._fund:
            raise Refusal(Code.SERVER_KEYS_AWAY, path="")
        self._database = database
        self._spool = spool
        self._office = office
        self._catalogue = catalogue
        self._clock = clock
        self._region = region_of(office.organisation)
        self._stamp = ""
        self._group = office.group
        self._refused: Refusal | None = None
        self._unreadable: dict[str, str] = {}  # of this run: the PBX's key, and what the system says of it
        self._healed = False

    def collect(self) -> int:
        """Make appeals of all that is complete; how many. Refusals: FILE_UNREADABLE (the spool), FILE_STORE_FULL; and
        TALK_UNREADABLE, or the server's reason for an appeal it does not take: all others are taken first, and that
        message stays where it is."""
        self._refused, self._unreadable = None, {}
        with alone(self._spool):
            device, number = self._device()
            self._group = self._duty_group()
            self._heal()
            self._push_written(device, last_too=True)
            taken = 0
            for message in self._complete():
                with self._noted(message.wav):
                    taken += self._take(message, device, number)
            self._forget_durable(device)
        if self._refused is not None:
            raise self._refused
        if self._unreadable:
            key, reason = min(self._unreadable.items())
            raise Refusal(Code.TALK_UNREADABLE, count=len(self._unreadable), talk=key, reason=reason)
        return taken

    def _duty_group(self) -> str:
        """What the administrator has chosen at a desk goes before what the command was started with."""
        code = self._office.organisation.partition("/")[2].removeprefix("smo-")
        with self._database.read() as connection:
            now = references(self._database, self._catalogue).now(connection, self._region).reference
        listed = now.open("night").get(code, {}).get("group", "")
        chosen = now.writer("night", code) or not self._office.group
        group = listed if listed and chosen else self._office.group
        if not group:
            raise Refusal(Code.FIELD_INVALID, field="group")
        return group

    def _complete(self) -> list[Message]:
        known = self._known()
        put_away_before = [one for one in self._listed(self._spool / TAKEN) if one.key not in known]
        return sorted([*put_away_before, *self._listed(self._spool)], key=lambda one: (one.came_ms, one.key))

    def _listed(self, folder: Path) -> list[Message]:
        try:
            return messages(folder, unreadable=self._note)
        except OSError as error:
            raise Refusal(Code.FILE_UNREADABLE, file=str(folder), reason=error.strerror or "") from None

    @contextmanager
    def _noted(self, file: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._note(file, error)

    def _note(self, file: Path, error: OSError) -> None:
        self._unreadable[file.stem] = error.strerror or type(error).__name__
        log("voice message unreadable")

    def _take(self, message: Message, device: Device, number: int) -> int:
        if message.ms < _LEAST_MS:
            forget(message)
            log("voice message without a word")
            return 0
        fresh = message.key not in self._known()
        if fresh:
            sealed = self._sealed(message)
            name = self._stored(sealed)
            self._write(message, name, device, number)
        if not self._push_written(device).isdisjoint({message.key}):
            return 0
        if message.wav.parent == self._spool:
            put_away(message)
        return int(fresh)

    # the sound

    def _sealed(self, message: Message) -> Path:
        sealed = message.wav.with_suffix(".sealed")
        if not sealed.exists():
            address = fund_address(self._fund, FileKind.VOICE_MAIL, self._office.organisation)
            with message.wav.open("rb") as sound:
                seal_file(sound, sealed, address)
        return sealed

    def _stored(self, sealed: Path) -> str:
        """Put it into the server's store; its digest there."""
        with sealed.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
            files, size = Files(self._region), sealed.stat().st_size
            at = files.begin(name, size).offset
            while at < size:
                file.seek(at)
                at = files.append(name, at, file.read(_CHUNK)).offset
        return name

    # the operation

    def _known(self) -> set[str]:
        """Keys of this organisation's messages; those written by a release before stand without it."""
        return {_bare(key) for key in self._written(t.voice_message.c.n > 0)}

    def _written(self, which: sa.ColumnElement[bool]) -> list[str]:
        where = f"voicemail/{self._office.organisation}"
        own = sa.select(t.server.c.v).where(t.server.c.k == where).scalar_subquery()
        with self._database.read() as connection:
            asked = sa.select(t.voice_message.c.key).where(t.voice_message.c.device == own, which)
            return list(connection.execute(asked).scalars())

    def _write(self, message: Message, name: str, device: Device, number: int) -> None:
        now_ms = self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            demand_still(connection, [self._region])
            last = connection.execute(
                self._database.lock(sa.select(t.device.c.last_n).where(t.device.c.id == device.id))
            ).scalar_one()
            written = connection.execute(
                sa.select(sa.func.max(t.voice_message.c.n)).where(t.voice_message.c.device == device.id)
            ).scalar_one()
            n = max(last, written or 0) + 1
            body = msgspec.json.encode(self._operation(message, name, n, number, now_ms)).decode()
            connection.execute(
                sa.insert(t.voice_message).values(
                    device=device.id, n=n, region=self._region, key=self._keyed(message), body=body, at=now_ms
                )
            )

        self._database.write(work)

    def _operation(self, message: Message, name: str, n: int, number: int, now_ms: int) -> Operation:
        office = self._office
        came = datetime.fromtimestamp(message.came_ms / 1000, UTC).astimezone(ZoneInfo(office.zone))
        with message.wav.open("rb") as sound:
            digest, size = hashlib.file_digest(sound, "sha256").hexdigest(), message.wav.stat().st_size
        paper = Paper(
            name=f"{came:%d.%m.%Y %H:%M}.wav", sha256=digest, size=size, kind="voice",
            number=message.key.partition("-")[0], date=came.date().isoformat(), sealed=name,
        )  # fmt: skip
        due = office.due_ms(message.came_ms)
        if due <= now_ms:  # nobody has collected for days
            due = office.due_ms(now_ms)
        length = f"{message.ms // 60_000}:{message.ms // 1000 % 60:02}"
        x = {
            "number": number_to_tell(number, n),
            "zone": office.zone,
            "catalogue": self._catalogue.version,
            "deadline": answer_deadline(DEFAULT_DAYS, now_ms, office.zone),
            "source": Source.CALL.value,
            "text": f"Сообщение голосовой почты {came:%d.%m.%Y %H:%M}, длительность {length}.",
            "promise_due": due,
            "promise_phone": message.caller or UNKNOWN_NUMBER,
            "group": self._group,
            "files": [msgspec.to_builtins(paper)],
        }
        if message.caller:
            x["phone"] = message.caller
        self._stamp = next_stamp(self._stamp, now_ms)
        return Operation(n=n, k=Kind.CARD_NEW.value, at=self._stamp, z=office.zone, x=x)

    def _keyed(self, message: Message) -> str:
        return f"{self._office.organisation.partition('/')[2]}/{message.key}"

    def _push_written(self, device: Device, *, last_too: bool = False) -> set[str]:
        """Push what was written down and the server has not answered, in order; the keys of what it refused.
        ``last_too``: also the last that it answered: a kill may have come before its refusal was looked at. What is
        refused then is written down anew by this very run."""
        with self._database.read() as connection:
            last = connection.execute(sa.select(t.device.c.last_n).where(t.device.c.id == device.id)).scalar_one()
            rows = connection.execute(
                sa.select(t.voice_message.c.key, t.voice_message.c.body)
                .where(t.voice_message.c.device == device.id, t.voice_message.c.n > last - int(last_too))
                .order_by(t.voice_message.c.n)
            ).all()
            waiting = [(_bare(row.key), msgspec.json.decode(row.body, type=Operation)) for row in rows]
        refused = set()
        for key, operation in waiting:
            pushed = push(self._database, device, [plain_operation(operation)], self._clock.now_ms(), self._catalogue)
            (outcome,) = pushed.outcomes
            if outcome.s == REJECTED:
                # Its number is used up; the message is met again and written down anew.
                self._database.write(
                    lambda connection, n=operation.n: connection.execute(  # type: ignore[misc]  # n is bound here
                        sa.delete(t.voice_message).where(
                            t.voice_message.c.device == device.id, t.voice_message.c.n == n
                        )
                    )
                )
                if not last_too:
                    self._refused = self._refused or Refusal.from_wire({"code": outcome.w, "params": outcome.p})
                refused.add(key)
                continue
            if operation.n > last:
                log("voice message", device=device.id)
        return refused

    def _forget_durable(self, device: Device) -> None:
        with self._database.read() as connection:
            durable = connection.execute(sa.select(t.device.c.durable_n).where(t.device.c.id == device.id)).scalar_one()
        held = {_bare(key) for key in self._written(t.voice_message.c.n <= durable)}
        for message in self._listed(self._spool / TAKEN):
            if message.key in held:
                with self._noted(message.wav):
                    self._stored(self._sealed(message))
                    forget_plain(message)

    def _heal(self) -> None:
        """Once for each start: sealed files of the last weeks are in the store too; older ones are here no more."""
        if self._healed:
            return
        for sealed in kept_sealed(self._spool):
            with self._noted(sealed):
                self._stored(sealed)
                if self._clock.now_ms() - 1000 * sealed.stat().st_mtime > _SEALED_KEPT_MS:
                    sealed.unlink()
        self._healed = not self._unreadable

    # who it is

    def _device(self) -> tuple[Device, int]:
        """The collector's device and its number, made at its first run; nobody knows its token."""
        office, where = self._office, f"voicemail/{self._office.organisation}"

        def work(connection: sa.Connection) -> str:
            known = connection.execute(sa.select(t.server.c.v).where(t.server.c.k == where)).scalar_one_or_none()
            if known is not None:
                return str(known)
            who = Operator(
                user=0, name=NAME, role=Role.OPERATOR_2, extension="-", organisation=office.organisation,
                zone=office.zone,
            )  # fmt: skip
            owner, token = operator_number(connection, who), secrets.token_urlsafe(32)
            made = new_device(self._database, connection, owner, token, self._clock.now_ms()).device
            connection.execute(sa.insert(t.server).values(k=where, v=made))
            return made

        code = self._database.write(work)
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(t.operator, t.device.c.number.label("device_number"))
                .join_from(t.device, t.operator, t.operator.c.number == t.device.c.operator)
                .where(t.device.c.id == code)
            ).one()
        return Device(code, as_operator(row)), int(row.device_number)


def _bare(key: str) -> str:
    """The PBX's own key of what is written down with its organisation."""
    return key.rpartition("/")[2]

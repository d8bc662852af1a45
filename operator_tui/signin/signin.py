"""Who sits at this desk: what is his, his session with the server, the lock, and out again.

All methods belong to the event loop; what blocks runs on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.device import DeviceIdentity
from operator_tui.signin.ask import Answer
from operator_tui.signin.door import Door
from operator_tui.signin.files import KEY_PATHS, FileKeyAnswer, FileKeyRequest, Purpose
from operator_tui.signin.messages import MIN_PIN, OWN_SEATS_PATH, PASSWORD_PATH, Done, OwnSeatsRequest, PasswordRequest
from operator_tui.signin.people import SeatOfPerson, SeatsAnswer
from operator_tui.signin.seat import JOURNAL_KEY
from operator_tui.sync.protocol import PROTOCOL_VERSION

if TYPE_CHECKING:
    from operator_tui.secrets import Secrets
    from operator_tui.secrets.address import FileKind
    from operator_tui.signin.handed import Handed, HandedFiles
    from operator_tui.sync.settings import CentralSettings


class SignIn(Door):
    """The one who signs in at this profile's desk, and how he comes in (Door)."""

    @property
    def journal_file(self) -> Path:
        """The journal of who sits here: each person of a workstation has his own."""
        return self._seat.journal_file

    @property
    def secrets(self) -> Secrets:
        """The open secrets. Refusal(VAULT_LOCKED) before somebody has signed in."""
        return self._seat.secrets

    @property
    def fund(self) -> bytes:
        """The public key that recordings and attachments are encrypted for; empty before the server has said it."""
        return bytes.fromhex(self._seat.place.fund)

    @property
    def identity(self) -> DeviceIdentity:
        """Who the journal belongs to, as the server last said."""
        place = self._seat.place
        return DeviceIdentity(place.device, place.number, "", place.epoch, place.operator)

    # staying in

    async def token(self) -> str:
        """An access token that is good for a while. Refusals: SIGN_IN_NEEDED, PASSWORD_CHANGED, SERVER_AWAY,
        ACCOUNT_BLOCKED, DEVICE_REVOKED."""
        return await self._session.token()

    def spoiled(self) -> None:
        """The server did not take the token: the next one is a new one."""
        self._session.forget()

    async def ask(self, path: str, message: Any, type_: type[Answer]) -> Answer:
        """Any question of the one who is signed in."""
        return await self._session.ask(path, message, type_)

    async def keep_journal_key(self) -> None:
        """Give the server the journal key, sealed to its recovery key, if it has none yet."""
        await self._session.keep_journal_key()

    async def change_password(self, old: str, new: str) -> None:
        """At the server, then here; his sessions at other places end. Refusals: SIGN_IN_WRONG, PASSWORD_WEAK, and
        those of the link."""
        await self.ask(PASSWORD_PATH, PasswordRequest(PROTOCOL_VERSION, old, new), Done)
        await asyncio.to_thread(self._seat.change_password, new)
        await self._hold()

    async def change_pin(self, pin: str) -> None:
        """Another PIN for this place. Refusal(PIN_NEEDED)."""
        if len(pin) < MIN_PIN:
            raise Refusal(Code.PIN_NEEDED, length=MIN_PIN)
        await asyncio.to_thread(self._seat.change_password, pin)
        await self._hold()

    async def file_key(self, kind: FileKind, box: bytes, purpose: Purpose, card: str = "") -> bytes:
        """The key of a sealed file (``box_of`` it), for a purpose that is logged. Refusals: RIGHT_MISSING, FILE_OTHER,
        FIELD_INVALID for no seal of ours."""
        asked = FileKeyRequest(PROTOCOL_VERSION, box.hex(), purpose, card)
        answer = await self.ask(KEY_PATHS[kind.value], asked, FileKeyAnswer)
        return bytes.fromhex(answer.key)

    async def elsewhere(self) -> list[SeatOfPerson]:
        """His other workstations where something may still be unsent, or where a session goes on."""
        answer = await self.ask(OWN_SEATS_PATH, OwnSeatsRequest(PROTOCOL_VERSION), SeatsAnswer)
        here = (await asyncio.to_thread(lambda: self._seat.place)).device
        others = (seat for seat in answer.seats if seat.device != here and not seat.revoked)
        return [seat for seat in others if seat.open or seat.unsent != 0]

    # the lock

    async def lock(self) -> None:
        """Until it is unlocked, a desk started anew asks for the password too."""
        await asyncio.to_thread(self._seat.let_go)

    async def unlock(self, password: str) -> bool:
        """Whether it is his password. Refusal(UNLOCK_LATER) with the seconds to wait after too many that were not."""
        try:
            async with self._tries(self._seat).one():
                await asyncio.to_thread(self._seat.demand_fits, password)
        except Refusal as refusal:
            if refusal.code is Code.SIGN_IN_WRONG:
                return False
            raise
        await self._hold()
        return True

    @property
    def tries_left(self) -> int:
        """How many passwords may be tried here before one has to wait."""
        return self._tries(self._seat).left

    async def sign_in_again(self, password: str) -> None:
        """A new session with a password just given, when the old one is over; a server that is away stays away.
        Refusal(PASSWORD_CHANGED): this password opens this place alone."""
        try:
            await self.token()
        except Refusal as refusal:
            if refusal.code is Code.PASSWORD_CHANGED:
                raise
            if refusal.code is Code.SIGN_IN_NEEDED:
                place = await asyncio.to_thread(lambda: self._seat.place)
                with contextlib.suppress(Refusal):
                    await self._session.open(place.login, password)

    # going out

    async def sign_out(self) -> None:
        """«Выход»: the session ends at the server if it can be told, here in any case."""
        await self._session.end()
        await asyncio.to_thread(self._seat.leave)

    async def has_session(self) -> bool:
        """Whether the server has granted one here: without it nothing can be sent."""
        return bool(await asyncio.to_thread(lambda: self._seat.refresh))

    async def until_ms(self) -> int:
        """When a sender that stays now would give up (UTC ms)."""
        from operator_tui.signin.handed import until_ms

        signed_in_ms = await asyncio.to_thread(lambda: self._seat.used_ns // 1_000_000)
        return until_ms(signed_in_ms, self._clock.now_ms(), self._settings.shift_hours)

    async def hand_over(self, journal: Path, central: CentralSettings, files: HandedFiles) -> Handed:
        """«Выход» with unsent work: what a sender needs to go on in this session, which is over here.

        Refusals: SIGN_IN_NEEDED without a session, those of the secrets; then nothing has changed.
        """

        until = await self.until_ms()

        def work() -> Handed:
            from operator_tui.signin.handed import Handed

            seat = self._seat
            if not seat.refresh:
                raise Refusal(Code.SIGN_IN_NEEDED)
            key = seat.secrets.key(JOURNAL_KEY, create=False)
            handed = Handed(
                str(journal), key, seat.device_key, seat.refresh, seat.place, central, files, until,
                logs=str(self._logs), sealed=str(self._left),
            )  # fmt: skip
            seat.leave()
            return handed

        handed = await asyncio.to_thread(work)
        self._session.forget()
        return handed

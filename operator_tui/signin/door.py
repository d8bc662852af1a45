"""How one comes to sit at this desk: by a code, by name and password with the server or without it, or by a provider.

All methods belong to the event loop; what blocks runs on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.calendar import WorkingCalendar
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile
from operator_tui.signin import ending, joining, offline, provider
from operator_tui.signin.farewell import Unsent
from operator_tui.signin.messages import MIN_PIN
from operator_tui.signin.seat import JOURNAL_KEY, NameTag, Place, Seat
from operator_tui.signin.seats import Seats
from operator_tui.signin.session import Session
from operator_tui.signin.settings import SignInSettings
from operator_tui.signin.tries import Tries
from operator_tui.sync.protocol import EnrolAnswer

if TYPE_CHECKING:
    from pathlib import Path

    from nacl.signing import SigningKey

    from operator_tui.signin.messages import OidcBegun
    from operator_tui.signin.provider import DeviceFlow
    from operator_tui.sync.link import Link

_log = logging.getLogger(__name__)
# A server that does not answer in this time is away for signing in: the caller does not wait.
_SIGN_IN_S = 10.0


class Door:
    """The seats of this profile's workstation, one of which is somebody's now."""

    def __init__(
        self,
        profile: Profile,
        settings: SignInSettings,
        clock: Clock,
        connect: Callable[[], Awaitable[Link]],
        calendar: WorkingCalendar | None = None,
    ) -> None:
        """``connect`` gives the link to the server; it is called when the server is needed. ``calendar`` says which
        days are worked."""
        self._settings = settings
        self._clock = clock
        self._connect = connect
        self._calendar = calendar or WorkingCalendar()
        self._seats = Seats(profile)
        self._seat = self._seats.last()
        self._left = profile.data / "sealed"
        self._logs = profile.logs
        self._flow: OidcBegun | None = None
        # What is unsent here, for a seat that is at its end; it also closes the journal. Whoever has it sets this.
        self.export: Callable[[], Awaitable[Unsent]] | None = None
        # How much waits to be sent, for the server to tell who sits at another place; whoever has the journal sets it.
        self.unsent: Callable[[], int | None] = lambda: None
        self._session = Session(
            connect, clock, lambda: self._seat, unsent=lambda: self.unsent(), revoked=self._end_seat
        )

    @property
    def tag(self) -> NameTag | None:
        """Who sits here, or sat here last; None before enrolment."""
        return self._seat.tag

    async def resume(self) -> bool:
        """A desk that was killed or ended without «Выход» goes on in the same shift. The server is not asked."""
        return await asyncio.to_thread(self._seat.open_for_shift)

    async def enrol(self, code: str, password: str, *, oidc: bool = False) -> None:
        """This workstation becomes a person's, by a one-time code; then he is signed in. With ``oidc`` the password is
        his PIN of this place, and ``begin_oidc`` comes next.

        Refusals: ENROLMENT_CODE, SIGN_IN_WRONG, PASSWORD_WEAK, PIN_NEEDED, ACCOUNT_BLOCKED, and those of the link.
        """
        from nacl.signing import SigningKey

        if oidc and len(password) < MIN_PIN:
            raise Refusal(Code.PIN_NEEDED, length=MIN_PIN)
        key, machine = SigningKey.generate(), await asyncio.to_thread(self._seats.workstation_key)
        answer = await joining.enrol(await self._connect(), code, key, machine, password, oidc=oidc)
        await self._sit_down(answer, key, password, oidc=oidc)

    async def sign_in(self, login: str, password: str, voice: str = "") -> bool:
        """Open the secrets and a session; True when the server was there.

        A person who has no seat at this workstation yet gets one, if the server knows him. Without the server: at most
        ``offline_hours`` after its last word, or eight hours with the code ``voice``. Refusals: SIGN_IN_WRONG,
        UNLOCK_LATER, PASSWORD_ELSEWHERE, DEVICE_OTHER, DEVICE_REVOKED, OFFLINE_TOO_LONG, OFFLINE_CLOCK, VOICE_CODE,
        SEAT_NEEDS_SERVER, those of the server, SERVER_UNTRUSTED: with a server that is not ours nobody goes on
        unknowing.
        """
        if self._seat.tag is None:
            raise Refusal(Code.NOT_ENROLLED)
        login = login.strip().casefold()
        seat = await asyncio.to_thread(self._seats.of, login)
        if seat.tag is None:
            await self._join(login, password)
            return True
        async with self._opened(seat, password):
            there = await self._at_server_or_without(self._told_elsewhere(login, password), password, voice)
            await self._hold()
        return there

    async def sign_in_anew(self, login: str, former: str, password: str) -> None:
        """After PASSWORD_ELSEWHERE: this place opens with the ``former`` password, and with the server's from now on.
        Refusals: those of ``sign_in``, SERVER_AWAY."""
        login = login.strip().casefold()
        seat = await asyncio.to_thread(self._seats.of, login)
        if seat.tag is None:
            raise Refusal(Code.DEVICE_OTHER)
        async with self._opened(seat, former):
            await self._session.open(login, password)
            await asyncio.to_thread(seat.change_password, password)
            await self._hold()

    async def reset(self, code: str, password: str) -> None:
        """A forgotten password: a new one by the administrator's code, and the same journal with all that is unsent.

        Refusals: RESET_CODE, PASSWORD_WEAK, DEVICE_OTHER, and those of the link.
        """
        if self._seat.tag is None:
            raise Refusal(Code.NOT_ENROLLED)
        restored = await joining.reset(await self._connect(), self._seat.tag.device, code, password)
        answer = restored.answer
        place = Place(answer.device, answer.number, answer.epoch, answer.login, answer.operator, self._clock.now_ms())
        voice = bytes.fromhex(answer.voice)
        await asyncio.to_thread(
            self._seat.restore, place, restored.key, voice, restored.journal_key, answer.sip, password
        )
        await asyncio.to_thread(self._tries(self._seat).forget)
        await self._session.open(answer.login, password)
        await self._hold()

    async def _join(self, login: str, password: str) -> None:
        from nacl.signing import SigningKey

        key, machine = SigningKey.generate(), await asyncio.to_thread(self._seats.workstation_key)
        answer = await joining.join(await self._connect(), login, key, machine, password)
        await self._sit_down(answer, key, password)

    async def _sit_down(self, answer: EnrolAnswer, key: SigningKey, password: str, *, oidc: bool = False) -> None:
        """A new seat of its own, then a session."""
        self._session.forget()
        self._seat = await asyncio.to_thread(self._seats.of, answer.login)
        await asyncio.to_thread(self._seat.enrol, answer, key, password, self._clock.now_ms(), oidc=oidc)
        if oidc:
            return
        await self._session.open(answer.login, password)
        await self._arrived()

    async def _arrived(self) -> None:
        """The journal has its key before it exists, and the server that key, sealed: a password forgotten on the first
        evening loses nothing."""
        await self._hold()
        await asyncio.to_thread(self._seat.secrets.key, JOURNAL_KEY)
        with contextlib.suppress(Refusal):  # the line broke: again when the journal is open
            await self._session.keep_journal_key()

    @contextlib.asynccontextmanager
    async def _opened(self, seat: Seat, password: str) -> AsyncIterator[None]:
        """Open that seat as one try of its password; shut again when he does not come in."""
        async with self._tries(seat).one():
            self._seat = seat
            await asyncio.to_thread(seat.open, password)
            try:
                yield
            except BaseException:
                self._session.forget()
                await asyncio.to_thread(seat.close)
                raise

    def _tries(self, seat: Seat) -> Tries:
        return Tries(seat.tries_file, self._clock)

    async def _told_elsewhere(self, login: str, password: str) -> None:
        """A session at the server. A password that opens the vault and not the server was changed elsewhere."""
        try:
            await self._session.open(login, password)
        except Refusal as refusal:
            if refusal.code is Code.SIGN_IN_WRONG and self._seat.secrets_are_in_vault:
                raise Refusal(Code.PASSWORD_ELSEWHERE) from None
            raise

    async def _at_server_or_without(self, at_server: Awaitable[Any], password: str, voice: str) -> bool:
        """Whether the server was there; without it he is in by the rules of ``offline``."""
        try:
            await asyncio.wait_for(at_server, _SIGN_IN_S)
        except TimeoutError:
            pass
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                await self._end_seat()
            if refusal.code is not Code.SERVER_AWAY:
                raise
        else:
            return True
        hours, now_ms = self._settings.offline_hours, self._clock.now_ms()
        await asyncio.to_thread(
            offline.admit, self._seat, password, voice, now_ms=now_ms, hours=hours, calendar=self._calendar
        )
        return False

    async def _hold(self) -> None:
        await asyncio.to_thread(self._seat.hold_for_shift, round(self._settings.shift_hours * 3600))

    # the provider

    async def begin_oidc(self, login: str, pin: str, voice: str = "") -> DeviceFlow | None:
        """Open this place with its PIN, then ask the provider to name its owner. None when the server is away and he
        is in without it, by the same rule as ``sign_in``, or when his session still goes on.

        Refusals: SIGN_IN_WRONG for another PIN, UNLOCK_LATER, DEVICE_OTHER for who has no place here, OIDC_OFF,
        OIDC_AWAY, and those of ``sign_in``.
        """
        login = login.strip().casefold()
        seat = await asyncio.to_thread(self._seats.of, login)
        if seat.tag is None:
            raise Refusal(Code.DEVICE_OTHER)
        self._flow = None
        async with self._opened(seat, pin):
            await asyncio.to_thread(seat.demand_verified, pin)
            await self._at_server_or_without(self._begin_at_server(), pin, voice)
            if self._flow is not None:
                return await provider.shown(self._flow)
            await self._hold()
        return None

    async def _begin_at_server(self) -> None:
        try:
            await self._session.token()
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                raise
            self._flow = await provider.begin(await self._connect(), self._seat)

    async def finish_oidc(self, pin: str) -> None:
        """Wait until he has said yes at the provider's page; then he is in. May be cancelled.

        Refusals: OIDC_REFUSED, OIDC_STRANGER, OIDC_AWAY, TOKEN_EXPIRED when he took too long, ACCOUNT_BLOCKED, and
        those of the link.
        """
        flow, self._flow = self._flow, None
        if flow is None:
            raise Refusal(Code.TOKEN_EXPIRED)
        try:
            place = await asyncio.to_thread(lambda: self._seat.place)
            await self._session.take(await provider.wait_for_yes(self._connect, self._seat, flow), place)
        except BaseException:
            await asyncio.to_thread(self._seat.close)
            raise
        await asyncio.to_thread(self._seat.remember, pin)
        await self._arrived()

    # the end of a place

    async def deliver(self) -> int:
        """Send what ended places of this machine had left unsent; how much is still here."""
        return await ending.deliver(self._connect, self._left)

    async def copy_unsent(self, folder: Path, unsent: Unsent) -> None:
        """Put what is unsent sealed into another folder. Refusals: those of the disk."""
        await ending.copy(self._seat, folder, unsent)

    async def _end_seat(self) -> None:
        """Revoked: what is unsent is sealed for the server and on disk, then the keys are destroyed (design 3)."""
        device = await ending.end(self._seat, self._left, self.export)
        if not device:
            return
        self._seat = await asyncio.to_thread(self._seats.last)
        self._session.forget()
        _log.warning("seat destroyed", extra={"device": device})
        with contextlib.suppress(Refusal):
            await self.deliver()

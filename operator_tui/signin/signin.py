"""Who sits at this desk: enrolled, signed in at the server or without it, locked, and out again.

The access token lives in this object alone. All methods belong to the event loop; what blocks runs on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from operator_tui.appeals.calendar import WorkingCalendar
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.device import DeviceIdentity
from operator_tui.profiles import Profile
from operator_tui.signin import joining, provider
from operator_tui.signin.ask import ask
from operator_tui.signin.farewell import Unsent, keep, packed, waiting
from operator_tui.signin.files import ATTACHMENT_KEY_PATH, RECORDING_KEY_PATH, FileKeyAnswer, FileKeyRequest, Purpose
from operator_tui.signin.messages import (
    CHALLENGE_PATH,
    ESCROW_PATH,
    MIN_PIN,
    OWN_SEATS_PATH,
    PASSWORD_PATH,
    REFRESH_PATH,
    RESET_PATH,
    SEALED_WORK_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    ChallengeAnswer,
    ChallengeRequest,
    Done,
    EscrowRequest,
    Granted,
    OidcBegun,
    OwnSeatsRequest,
    PasswordRequest,
    RefreshRequest,
    ResetAnswer,
    ResetRequest,
    SignInRequest,
    SignOutRequest,
    challenge_text,
    refresh_text,
)
from operator_tui.signin.offline import demand_recent
from operator_tui.signin.people import SeatOfPerson, SeatsAnswer
from operator_tui.signin.provider import DeviceFlow
from operator_tui.signin.seat import JOURNAL_KEY, NameTag, Place
from operator_tui.signin.seats import Seats
from operator_tui.signin.settings import SignInSettings
from operator_tui.signin.voice import STEP_MS, voice_code_window
from operator_tui.sync.protocol import PROTOCOL_VERSION, EnrolAnswer

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from operator_tui.secrets import Secrets
    from operator_tui.secrets.address import FileKind
    from operator_tui.sync.link import Link

_log = logging.getLogger(__name__)
# A server that does not answer in this time is away for signing in: the caller does not wait.
_SIGN_IN_S = 10.0
_GOODBYE_S = 1.0
_EARLY_S = 30.0  # a token that ends within this is renewed first
_SESSION_OVER = frozenset({Code.TOKEN_INVALID, Code.TOKEN_EXPIRED, Code.TOKEN_REPLAYED, Code.DEVICE_OTHER})


class SignIn:
    """The one who signs in at this profile's desk."""

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
        self._seats = Seats(profile)
        self._seat = self._seats.last()
        self._access = ""
        self._access_end = 0.0
        self._recovery = b""
        self._sealed = False
        self._renewing = asyncio.Lock()
        self._calendar = calendar or WorkingCalendar()
        self._left = profile.data / "sealed"
        self._flow: OidcBegun | None = None
        # What is unsent here, for a seat that is at its end; it also closes the journal. Whoever has it sets this.
        self.export: Callable[[], Awaitable[Unsent]] | None = None
        # How much waits to be sent, for the server to tell who sits at another place; whoever has the journal sets it.
        self.unsent: Callable[[], int | None] = lambda: None

    @property
    def tag(self) -> NameTag | None:
        """Who sits here, or sat here last; None before enrolment."""
        return self._seat.tag

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

    # coming in

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
        PASSWORD_ELSEWHERE, DEVICE_OTHER, DEVICE_REVOKED, OFFLINE_TOO_LONG, OFFLINE_CLOCK, VOICE_CODE,
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
        self._seat = seat
        await asyncio.to_thread(self._seat.open, password)
        try:
            there = await self._sign_in_anywhere(login, password, voice)
            await self._hold()
        except BaseException:
            self._forget_access()
            await asyncio.to_thread(self._seat.close)
            raise
        return there

    async def _join(self, login: str, password: str) -> None:
        from nacl.signing import SigningKey

        key, machine = SigningKey.generate(), await asyncio.to_thread(self._seats.workstation_key)
        answer = await joining.join(await self._connect(), login, key, machine, password)
        await self._sit_down(answer, key, password)

    async def _sit_down(self, answer: EnrolAnswer, key: SigningKey, password: str, *, oidc: bool = False) -> None:
        """A new seat of its own, then a session."""
        self._forget_access()
        self._seat = await asyncio.to_thread(self._seats.of, answer.login)
        await asyncio.to_thread(self._seat.enrol, answer, key, password, self._clock.now_ms(), oidc=oidc)
        if oidc:
            return
        await self._sign_in_at_server(answer.login, password)
        await self._arrived()

    async def _arrived(self) -> None:
        """The journal has its key before it exists, and the server that key, sealed: a password forgotten on the first
        evening loses nothing."""
        await self._hold()
        await asyncio.to_thread(self.secrets.key, JOURNAL_KEY)
        with contextlib.suppress(Refusal):  # the line broke: again when the journal is open
            await self.keep_journal_key()

    # the provider

    async def begin_oidc(self, login: str, pin: str, voice: str = "") -> DeviceFlow | None:
        """Open this place with its PIN, then ask the provider to name its owner. None when the server is away and he
        is in without it, by the same rule as ``sign_in``, or when his session still goes on.

        Refusals: SIGN_IN_WRONG for another PIN, DEVICE_OTHER for who has no place here, OIDC_OFF, OIDC_AWAY, and those
        of ``sign_in``.
        """
        login = login.strip().casefold()
        seat = await asyncio.to_thread(self._seats.of, login)
        if seat.tag is None:
            raise Refusal(Code.DEVICE_OTHER)
        self._seat = seat
        await asyncio.to_thread(seat.open, pin)
        try:
            await asyncio.to_thread(seat.demand_verified, pin)
            flow = await self._begin_anywhere(pin, voice)
            if flow is None:
                await self._hold()
        except BaseException:
            self._forget_access()
            await asyncio.to_thread(seat.close)
            raise
        return flow

    async def _begin_anywhere(self, pin: str, voice: str) -> DeviceFlow | None:
        try:
            return await asyncio.wait_for(self._begin_at_server(), _SIGN_IN_S)
        except TimeoutError:
            pass
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                await self._end_seat()
            if refusal.code is not Code.SERVER_AWAY:
                raise
        await asyncio.to_thread(self._demand_offline, pin, voice)
        return None

    async def _begin_at_server(self) -> DeviceFlow | None:
        try:
            await self.token()
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                raise
        else:
            return None
        self._flow = await provider.begin(await self._connect(), self._seat)
        return await provider.shown(self._flow)

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
            await self._take(await provider.wait_for_yes(self._connect, self._seat, flow), place)
        except BaseException:
            await asyncio.to_thread(self._seat.close)
            raise
        await asyncio.to_thread(self._seat.remember, pin)
        await self._arrived()

    async def change_pin(self, pin: str) -> None:
        """Another PIN for this place. Refusal(PIN_NEEDED)."""
        if len(pin) < MIN_PIN:
            raise Refusal(Code.PIN_NEEDED, length=MIN_PIN)
        await asyncio.to_thread(self._seat.change_password, pin)
        await self._hold()

    # the end of a place

    async def _end_seat(self) -> None:
        """Revoked: what is unsent is sealed for the server and on disk, then the keys are destroyed (design 3)."""
        if not self._seat.is_open:
            return  # somebody else was told the same a moment ago
        place = await asyncio.to_thread(lambda: self._seat.place)
        if not place.recovery or self.export is None:
            return  # nothing to seal it with, or nobody to ask for it: then nothing is destroyed
        unsent = await self.export()
        await asyncio.to_thread(
            keep, self._left, place.device, packed(unsent), bytes.fromhex(place.recovery), self._seat.sign
        )
        await asyncio.to_thread(self._seat.destroy)
        self._seat = await asyncio.to_thread(self._seats.last)
        self._forget_access()
        _log.warning("seat destroyed", extra={"device": place.device})
        with contextlib.suppress(Refusal):
            await self.deliver()

    async def deliver(self) -> int:
        """Send what ended places of this machine had left unsent; how much is still here."""
        for file, message in await asyncio.to_thread(waiting, self._left):
            await ask(await self._connect(), SEALED_WORK_PATH, message, Done)
            await asyncio.to_thread(file.unlink)
        return len(await asyncio.to_thread(waiting, self._left))

    async def elsewhere(self) -> list[SeatOfPerson]:
        """His other workstations where something may still be unsent, or where a session goes on."""
        answer: SeatsAnswer = await self.ask(OWN_SEATS_PATH, OwnSeatsRequest(PROTOCOL_VERSION), SeatsAnswer)
        here = (await asyncio.to_thread(lambda: self._seat.place)).device
        others = (seat for seat in answer.seats if seat.device != here and not seat.revoked)
        return [seat for seat in others if seat.open or seat.unsent != 0]

    async def reset(self, code: str, password: str) -> None:
        """A forgotten password: a new one by the administrator's code, and the same journal with all that is unsent.

        Refusals: RESET_CODE, PASSWORD_WEAK, DEVICE_OTHER, and those of the link.
        """
        from nacl.public import PrivateKey, SealedBox
        from nacl.signing import SigningKey

        tag = self._seat.tag
        if tag is None:
            raise Refusal(Code.NOT_ENROLLED)
        key, box = SigningKey.generate(), PrivateKey.generate()
        asked = ResetRequest(
            PROTOCOL_VERSION, tag.device, code, password, bytes(key.verify_key).hex(), bytes(box.public_key).hex()
        )
        answer = await ask(await self._connect(), RESET_PATH, asked, ResetAnswer)
        journal_key = SealedBox(box).decrypt(bytes.fromhex(answer.journal)) if answer.journal else b""
        place = Place(answer.device, answer.number, answer.epoch, answer.login, answer.operator, self._clock.now_ms())
        voice = bytes.fromhex(answer.voice)
        await asyncio.to_thread(self._seat.restore, place, key, voice, journal_key, answer.sip, password)
        await self._sign_in_at_server(answer.login, password)
        await self._hold()

    async def _sign_in_anywhere(self, login: str, password: str, voice: str) -> bool:
        try:
            await asyncio.wait_for(self._sign_in_at_server(login, password), _SIGN_IN_S)
        except TimeoutError:
            pass
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                await self._end_seat()
            if refusal.code is Code.SIGN_IN_WRONG and self._seat.secrets_are_in_vault:
                raise Refusal(Code.PASSWORD_ELSEWHERE) from None
            if refusal.code is not Code.SERVER_AWAY:
                raise
        else:
            return True
        await asyncio.to_thread(self._demand_offline, password, voice)
        return False

    def _demand_offline(self, password: str, voice: str) -> None:
        self._seat.demand_verified(password)
        place, now_ms = self._seat.place, self._clock.now_ms()
        if voice:
            window = voice_code_window(self._seat.voice_key, voice, now_ms)
            if window is None:
                raise Refusal(Code.VOICE_CODE)
            if window > place.voice_window:  # the same code again adds nothing to its eight hours
                place = msgspec.structs.replace(place, allowed_until_ms=now_ms + STEP_MS, voice_window=window)
                self._seat.keep_place(place)
        demand_recent(
            place.contact_ms,
            now_ms,
            hours=self._settings.offline_hours,
            zone=place.operator.zone,
            calendar=self._calendar,
            allowed_until_ms=place.allowed_until_ms,
        )

    async def _sign_in_at_server(self, login: str, password: str) -> None:
        link, place = await self._connect(), await asyncio.to_thread(lambda: self._seat.place)
        device = place.device
        challenge = await ask(link, CHALLENGE_PATH, ChallengeRequest(PROTOCOL_VERSION, device), ChallengeAnswer)
        text = challenge_text(challenge.nonce, device, login)
        signature = await asyncio.to_thread(self._seat.sign, text)
        asked = SignInRequest(PROTOCOL_VERSION, device, login, password, challenge.nonce, signature)
        await self._take(await ask(link, SIGN_IN_PATH, asked, Granted), place)
        await asyncio.to_thread(self._seat.remember, password)

    async def _hold(self) -> None:
        await asyncio.to_thread(self._seat.hold_for_shift, round(self._settings.shift_hours * 3600))

    # staying in

    async def token(self) -> str:
        """An access token that is good for a while. Refusals: SIGN_IN_NEEDED, SERVER_AWAY, ACCOUNT_BLOCKED."""
        async with self._renewing:
            if not self._access or self._clock.monotonic() > self._access_end - _EARLY_S:
                await self._renew()
            return self._access

    def spoiled(self) -> None:
        """The server did not take the token: the next one is a new one."""
        self._forget_access()

    async def _renew(self) -> None:
        place, refresh = await asyncio.to_thread(lambda: (self._seat.place, self._seat.refresh))
        if not refresh:
            raise Refusal(Code.SIGN_IN_NEEDED)
        signature = await asyncio.to_thread(self._seat.sign, refresh_text(refresh, place.device))
        asked = RefreshRequest(PROTOCOL_VERSION, place.device, refresh, signature, self.unsent())
        try:
            granted = await ask(await self._connect(), REFRESH_PATH, asked, Granted)
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                await self._end_seat()
            if refusal.code in _SESSION_OVER:
                raise Refusal(Code.SIGN_IN_NEEDED) from refusal
            raise
        await self._take(granted, place)

    async def _take(self, granted: Granted, place: Place) -> None:
        """A session: its refresh token on disk before anything is sent with it, or a crash would cost it."""
        fresh = msgspec.structs.replace(
            place,
            operator=granted.operator,
            epoch=place.epoch or granted.epoch,
            contact_ms=self._clock.now_ms(),
            allowed_until_ms=0,
            recovery=granted.recovery,
            fund=granted.fund,
        )
        await asyncio.to_thread(self._seat.keep_refresh, granted.refresh, fresh)
        self._access = granted.access
        self._access_end = self._clock.monotonic() + granted.access_s
        self._recovery, self._sealed = bytes.fromhex(granted.recovery), granted.sealed

    async def keep_journal_key(self) -> None:
        """Give the server the journal key, sealed to its recovery key, if it has none yet."""
        from nacl.public import PublicKey, SealedBox

        token = await self.token()
        key = await asyncio.to_thread(self.secrets.get, JOURNAL_KEY)
        if self._sealed or not self._recovery or key is None:
            return
        sealed = SealedBox(PublicKey(self._recovery)).encrypt(key).hex()
        await ask(await self._connect(), ESCROW_PATH, EscrowRequest(PROTOCOL_VERSION, sealed), Done, token)
        self._sealed = True

    async def change_password(self, old: str, new: str) -> None:
        """At the server, then here. Refusals: SIGN_IN_WRONG, PASSWORD_WEAK, and those of the link."""
        token = await self.token()
        await ask(await self._connect(), PASSWORD_PATH, PasswordRequest(PROTOCOL_VERSION, old, new), Done, token)
        await asyncio.to_thread(self._seat.change_password, new)
        await self._hold()

    async def file_key(self, kind: FileKind, box: bytes, purpose: Purpose, card: str = "") -> bytes:
        """The key of a sealed file (``box_of`` it), for a purpose that is logged. Refusals: RIGHT_MISSING, FILE_OTHER,
        FIELD_INVALID for no seal of ours."""
        path = RECORDING_KEY_PATH if kind.value == "recording" else ATTACHMENT_KEY_PATH
        asked = FileKeyRequest(PROTOCOL_VERSION, box.hex(), purpose, card)
        answer: FileKeyAnswer = await self.ask(path, asked, FileKeyAnswer)
        return bytes.fromhex(answer.key)

    async def ask(self, path: str, message: Any, type_: type[Any]) -> Any:
        """Any question of the one who is signed in."""
        return await ask(await self._connect(), path, message, type_, await self.token())

    # the lock

    async def lock(self) -> None:
        """Until it is unlocked, a desk started anew asks for the password too."""
        await asyncio.to_thread(self._seat.let_go)

    async def unlock(self, password: str) -> bool:
        """Whether it is his password. A session that is over is opened again by the way."""
        if not await asyncio.to_thread(self._seat.fits, password):
            return False
        await self._hold()
        return True

    async def sign_in_again(self, password: str) -> None:
        """A new session with a password just given, when the old one is over; a server that is away stays away."""
        try:
            await self.token()
        except Refusal as refusal:
            if refusal.code is Code.SIGN_IN_NEEDED:
                place = await asyncio.to_thread(lambda: self._seat.place)
                with contextlib.suppress(Refusal):
                    await self._sign_in_at_server(place.login, password)

    # going out

    async def sign_out(self) -> None:
        """«Выход»: the session ends at the server if it can be told, here in any case."""
        access, self._access = self._access, ""
        if access:
            with contextlib.suppress(Refusal, TimeoutError):
                asked = SignOutRequest(PROTOCOL_VERSION, self.unsent())
                await asyncio.wait_for(ask(await self._connect(), SIGN_OUT_PATH, asked, Done, access), _GOODBYE_S)
        await asyncio.to_thread(self._seat.leave)

    def _forget_access(self) -> None:
        self._access, self._access_end = "", 0.0

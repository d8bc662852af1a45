"""What the server has granted to who sits here: a short access token, renewed by the refresh token of his seat.

The access token lives in this object alone. All methods belong to the event loop; what blocks runs on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.ask import Answer, ask
from operator_tui.signin.messages import (
    CHALLENGE_PATH,
    ESCROW_PATH,
    REFRESH_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    ChallengeAnswer,
    ChallengeRequest,
    Done,
    EscrowRequest,
    Granted,
    RefreshRequest,
    SignInRequest,
    SignOutRequest,
    challenge_text,
    refresh_text,
)
from operator_tui.signin.seat import JOURNAL_KEY, Place
from operator_tui.sync.protocol import PROTOCOL_VERSION

if TYPE_CHECKING:
    from operator_tui.secrets import Secrets
    from operator_tui.sync.link import Link

_GOODBYE_S = 1.0
_EARLY_S = 30.0  # a token that ends within this is renewed first
_OVER = frozenset({Code.TOKEN_INVALID, Code.TOKEN_EXPIRED, Code.TOKEN_REPLAYED, Code.DEVICE_OTHER})


class Sitting(Protocol):
    """What a session needs of a seat (Seat says what each is); all of it may block."""

    @property
    def place(self) -> Place: ...

    @property
    def refresh(self) -> str: ...

    @property
    def secrets(self) -> Secrets: ...

    def keep_refresh(self, token: str, place: Place) -> None: ...

    def remember(self, password: str) -> None: ...

    def sign(self, text: bytes) -> str: ...


class Session:
    """The session of one seat, ``seat()``, which may be another one the next time."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Link]],
        clock: Clock,
        seat: Callable[[], Sitting],
        *,
        unsent: Callable[[], int | None],
        revoked: Callable[[], Awaitable[None]],
    ) -> None:
        """``unsent`` is how much waits to be sent there; ``revoked`` is awaited when the server says that this place
        is no more, before the refusal comes out."""
        self._connect = connect
        self._clock = clock
        self._seat = seat
        self._unsent = unsent
        self._revoked = revoked
        self._access = ""
        self._access_end = 0.0
        self._recovery = b""
        self._sealed = False
        self._renewing = asyncio.Lock()

    async def open(self, login: str, password: str) -> None:
        """A new one. Refusals: those of signing in at the server, and of the link."""
        seat, link = self._seat(), await self._connect()
        place = await asyncio.to_thread(lambda: seat.place)
        device = place.device
        challenge = await ask(link, CHALLENGE_PATH, ChallengeRequest(PROTOCOL_VERSION, device), ChallengeAnswer)
        signature = await asyncio.to_thread(seat.sign, challenge_text(challenge.nonce, device, login))
        asked = SignInRequest(PROTOCOL_VERSION, device, login, password, challenge.nonce, signature)
        await self.take(await ask(link, SIGN_IN_PATH, asked, Granted), place)
        await asyncio.to_thread(seat.remember, password)

    async def take(self, granted: Granted, place: Place) -> None:
        """One that was granted: its refresh token on disk before anything is sent with it, or a crash would cost it."""
        fresh = msgspec.structs.replace(
            place,
            operator=granted.operator,
            epoch=place.epoch or granted.epoch,
            contact_ms=self._clock.now_ms(),
            allowed_until_ms=0,
            recovery=granted.recovery,
            fund=granted.fund,
        )
        await asyncio.to_thread(self._seat().keep_refresh, granted.refresh, fresh)
        self._access = granted.access
        self._access_end = self._clock.monotonic() + granted.access_s
        self._recovery, self._sealed = bytes.fromhex(granted.recovery), granted.sealed

    async def token(self) -> str:
        """An access token that is good for a while. Refusals: SIGN_IN_NEEDED, PASSWORD_CHANGED when another password
        has ended the session, SERVER_AWAY, ACCOUNT_BLOCKED, DEVICE_REVOKED."""
        async with self._renewing:
            if not self._access or self._clock.monotonic() > self._access_end - _EARLY_S:
                await self._renew()
            return self._access

    def forget(self) -> None:
        """The next token is a new one."""
        self._access, self._access_end = "", 0.0

    async def _renew(self) -> None:
        seat = self._seat()
        place, refresh = await asyncio.to_thread(lambda: (seat.place, seat.refresh))
        if not refresh:
            raise Refusal(Code.SIGN_IN_NEEDED)
        signature = await asyncio.to_thread(seat.sign, refresh_text(refresh, place.device))
        asked = RefreshRequest(PROTOCOL_VERSION, place.device, refresh, signature, self._unsent())
        try:
            granted = await ask(await self._connect(), REFRESH_PATH, asked, Granted)
        except Refusal as refusal:
            if refusal.code is Code.DEVICE_REVOKED:
                await self._revoked()
            if refusal.code in _OVER:
                raise Refusal(Code.SIGN_IN_NEEDED) from refusal
            raise
        await self.take(granted, place)

    async def ask(self, path: str, message: Any, type_: type[Answer]) -> Answer:
        """Any question of the one who is signed in."""
        return await ask(await self._connect(), path, message, type_, await self.token())

    async def keep_journal_key(self) -> None:
        """Give the server the journal key, sealed to its recovery key, if it has none yet."""
        from nacl.public import PublicKey, SealedBox

        await self.token()
        key = await asyncio.to_thread(self._seat().secrets.get, JOURNAL_KEY)
        if self._sealed or not self._recovery or key is None:
            return
        sealed = SealedBox(PublicKey(self._recovery)).encrypt(key).hex()
        await self.ask(ESCROW_PATH, EscrowRequest(PROTOCOL_VERSION, sealed), Done)
        self._sealed = True

    async def end(self) -> None:
        """«Выход»: told to the server if it can be told."""
        access, self._access = self._access, ""
        if access:
            with contextlib.suppress(Refusal, TimeoutError):
                asked = SignOutRequest(PROTOCOL_VERSION, self._unsent())
                await asyncio.wait_for(ask(await self._connect(), SIGN_OUT_PATH, asked, Done, access), _GOODBYE_S)

"""Questions to the server and its answers, as whoever sits here and in the newest form that both ends speak."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.sync.dictionary import CURRENT, current, dictionaries, dictionary_of
from operator_tui.sync.events import cursors_text
from operator_tui.sync.link import Link
from operator_tui.sync.packing import FrameReader, pack, unpack
from operator_tui.sync.protocol import MAX_ANSWER, SYNC_PATH, SYNC_VERSION, WITH_REFERENCE, SyncRequest, spoken_by_both
from operator_tui.sync.taking import Answer, Taking

Result = TypeVar("Result")


class Session(Protocol):
    """Where the tokens of somebody who is signed in come from."""

    async def token(self) -> str:
        """One that is good for a while. Refusal(SIGN_IN_NEEDED) when there is none to be had."""
        ...

    def spoiled(self) -> None:
        """The server did not take it."""
        ...


async def as_signed_in(session: Session, work: Callable[[str], Awaitable[Result]]) -> Result:
    """Run ``work(token)`` as who is signed in. Refusals: those of the session and of the work."""
    try:
        return await work(await session.token())
    except Refusal as refusal:
        if refusal.code not in (Code.TOKEN_EXPIRED, Code.TOKEN_INVALID):
            raise
    # Once more with a fresh one: a machine that slept has a token that is too old by the server's clock alone.
    session.spoiled()
    return await work(await session.token())


class Asking:
    """``quiet(sending)`` says whether events are to be left out of an answer, ``read`` hears that they were not."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        taking: Taking,
        *,
        run: Callable[..., Awaitable[Any]],
        clock: Clock,
        session: Session | None,
        quiet: Callable[[bool], bool],
        read: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._link = link
        self._taking = taking
        self._run = run
        self._clock = clock
        self._session = session
        self._quiet = quiet
        self._read = read
        self.dictionary = True
        self.version = SYNC_VERSION

    @property
    def by_person(self) -> bool:
        """Whether somebody is signed in here, rather than the device alone."""
        return self._session is not None

    async def exchange(self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], *, wait: float = 0.0) -> Answer:
        """Send operations and take what comes into the journal. Refusals: those of the link and of the server."""
        return await self.signed_in(device, lambda token: self._ask(device, batch, token, wait))

    async def whole(self, path: str, asked: msgspec.Struct) -> bytes:
        """A question that is answered by one message. Refusals: NOT_ENROLLED, those of the link and of the server."""
        body = msgspec.json.encode(asked)

        async def ask(token: str) -> bytes:
            async with self._link.post(path, body, token=token, packed=False) as chunks:
                return b"".join([chunk async for chunk in chunks])

        answered = await self.as_who_sits(ask)
        return unpack(answered, limit=MAX_ANSWER, dictionaries=dictionaries().values())

    def query(self, device: DeviceIdentity, cursors: dict[str, int]) -> dict[str, str]:
        """What an open stream is asked for with."""
        known = str(CURRENT) if self.dictionary else ""
        return {"c": cursors_text(cursors), "e": device.epoch, "z": known, "v": str(self.version)}

    async def as_who_sits(self, work: Callable[[str], Awaitable[Result]]) -> Result:
        """``signed_in`` for the journal's own device. Refusal(NOT_ENROLLED)."""
        device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        return await self.signed_in(device, work)

    async def signed_in(self, device: DeviceIdentity, work: Callable[[str], Awaitable[Result]]) -> Result:
        """Do it with the token of who is signed in, or of the device where nobody has to."""
        return await (work(device.token) if self._session is None else as_signed_in(self._session, work))

    async def _ask(self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], token: str, wait: float) -> Answer:
        cursors: dict[str, int] = await self._run(self._journal.cursors)
        request = SyncRequest(
            v=self.version, d=device.code, e=device.epoch, t=self._clock.now_ms(), c=cursors, o=list(batch), wait=wait,
            quiet=self._quiet(bool(batch)),
        )  # fmt: skip
        try:
            return await self._send(device, batch, token, request)
        except Refusal as refusal:
            # An older server: by what it knows from now on.
            if refusal.params.get("reason") == "dictionary" and self.dictionary:
                self.dictionary = False
            elif 0 < (version := spoken_by_both(refusal)) < self.version:
                self.version = version
            else:
                raise
        return await self._ask(device, batch, token, wait)

    async def _send(
        self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], token: str, request: SyncRequest
    ) -> Answer:
        answer = Answer(held=request.wait > 0, asked=request.c if request.v >= WITH_REFERENCE else None)
        reader = FrameReader(find=dictionary_of)
        body = pack(request, current() if self.dictionary else None)
        async with self._link.post(SYNC_PATH, body, token=token) as chunks:
            async for chunk in chunks:
                await self._taking.take(device, batch, reader.feed(chunk), answer, request.t)
        if answer.end is None:
            raise Refusal(Code.SERVER_AWAY)  # the line was cut inside the answer
        if not request.quiet:
            self._read()
        return answer

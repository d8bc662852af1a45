"""Opens and closes the desk's parts: journal, registry, answers, the embedded server and the sender.

Heavy libraries are imported here, on threads, after the first paint.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk import second_copy
from operator_tui.desk.keys import CENTRAL_KEY, JOURNAL_KEY, REGISTRY_KEY
from operator_tui.desk.state import Light, Topic
from operator_tui.i18n import tr
from operator_tui.journal.settings import JournalSettings
from operator_tui.registry.settings import RegistrySettings
from operator_tui.sync.settings import CentralSettings, FileSettings

if TYPE_CHECKING:
    from operator_tui.answers.answers import Answers
    from operator_tui.answers.themes import ThemeSearch
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal
    from operator_tui.registry.index import Registry
    from operator_tui.signin.farewell import Unsent
    from operator_tui.signin.handed import Handed
    from operator_tui.signin.signin import SignIn
    from operator_tui.sync.embedded import EmbeddedServer
    from operator_tui.sync.link import Link
    from operator_tui.sync.sender import Sender, SenderState

Result = TypeVar("Result")

RETRY_S = 5.0


class Parts:
    """The parts of one desk; what is not open yet is None."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.journal: Journal | None = None
        self.registry: Registry | None = None
        self.registry_opened = asyncio.Event()
        self._progress = ""
        self._said: Code | None = None
        self._answers: Answers | None = None
        self._themes: ThemeSearch | None = None
        self._server: EmbeddedServer | None = None
        self._link: Link | None = None
        self._sender: Sender | None = None
        self._signin: SignIn | None = None
        self._ended: Journal | None = None  # the journal of a place that was revoked while somebody sat at it

    # answers: small and pure, made at first use

    @property
    def answers(self) -> Answers:
        """The typical answers."""
        if self._answers is None:
            from operator_tui.answers.answers import answers_of

            self._answers = answers_of(self._desk.catalogue)
        return self._answers

    @property
    def themes(self) -> ThemeSearch:
        """The search over all themes."""
        if self._themes is None:
            from operator_tui.answers.themes import ThemeSearch

            self._themes = ThemeSearch(self._desk.catalogue.offered_themes)
        return self._themes

    def forget_reference(self) -> None:
        """The reference data are others: what was made of them is made anew."""
        self._answers = self._themes = None

    # who signs in

    @property
    def signin(self) -> SignIn | None:
        """Who signs in here; None where nobody has to (DESIGN rule 15)."""
        if self._signin is None and not self._desk.profile.synthetic:
            from operator_tui.signin.settings import SignInSettings
            from operator_tui.signin.signin import SignIn

            desk = self._desk
            self._signin = SignIn(desk.profile, desk.settings.get(SignInSettings), desk.clock, self._linked)
            self._signin.export = self._export_unsent
            self._signin.unsent = lambda: desk.state.lights.waiting if desk.state.ready else None
        return self._signin

    async def _linked(self) -> Link:
        await self._connect()
        assert self._link is not None
        return self._link

    async def sign_out(self) -> None:
        """«Выход»: whoever comes next needs the password."""
        if self._signin is not None:
            await self._signin.sign_out()

    async def hand_over(self) -> Handed | None:
        """«Выход» for who lets a sender go on in his session; None where that can not be, and nothing has changed."""
        if self._signin is None:
            return None
        desk, profile = self._desk, self._desk.profile
        from operator_tui.signin.handed import HandedFiles

        files = HandedFiles(
            desk.settings.get(FileSettings), desk.promises.zone, recordings=str(profile.recordings),
            papers=str(self.files_folder()), workstation=str(profile.data), engine=str(profile.phone_lock),
        )  # fmt: skip
        with contextlib.suppress(Refusal):
            return await self._signin.hand_over(self._journal_path(), desk.settings.get(CentralSettings), files)
        return None

    async def _export_unsent(self) -> Unsent:
        """What this place has not sent, for it is at its end: nothing is written to its journal any more."""
        from operator_tui.signin.farewell import Unsent

        if self.journal is not None:
            await self._desk.card.flush_draft()
            await self._desk.begun.flush()
        journal, self.journal = self.journal, None
        self._ended = journal

        def read() -> Unsent:
            if journal is None and not self._journal_path().exists():
                return Unsent([])
            opened = journal or self._open_journal()
            try:
                return second_copy.unsent(opened)
            finally:
                if journal is None:
                    opened.close()

        return await self._desk.run_journal(read)

    async def _deliver(self, signin: SignIn) -> None:
        # A server that is away gets it at the next start, as above.
        with contextlib.suppress(Refusal):
            await signin.deliver()

    async def _keep_journal_key(self, signin: SignIn) -> None:
        # A server that is away gets it at the next start: the sender says that it is away.
        with contextlib.suppress(Refusal):
            await signin.keep_journal_key()

    # journal

    async def open_journal(self, progress: Callable[[str], None]) -> None:
        """Open the journal; enrol this workstation first when it is new. Refusals come out: no journal, no desk."""
        progress(tr("Открывается журнал…"))
        self.journal = await self._desk.run_journal(self._open_journal)
        if self.journal.device is None:
            progress(tr("Рабочее место регистрируется на сервере…"))
            await self._enrol()
        device = self.journal.device
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        if self._signin is not None and device.code != self._signin.identity.code:
            # Enrolled anew by the administrator: what waits in this journal goes on under the new code.
            device = self._signin.identity
            await self._desk.run_journal(self.journal.enrol, device)
        elif self._signin is not None and device.operator != self._signin.identity.operator:
            # Another role or extension since the last time; the lineage the journal knows stays.
            device = replace(device, operator=self._signin.identity.operator)
            await self._desk.run_journal(self.journal.enrol, device)
        self._desk.reference.taken()
        self._desk.change(Topic.PHONE, operator=device.operator)

    def _journal_path(self) -> Path:
        own = self._desk.settings.get(JournalSettings).file
        return Path(own) if own else self._signin.journal_file if self._signin else self._desk.profile.journal_file

    def _open_journal(self) -> Journal:
        from operator_tui.journal.journal import Journal

        file = self._journal_path()
        if self._signin is not None:
            from operator_tui.signin import apart

            apart.end(file)  # the sender of the last «Выход» gives it back
        # A journal that exists is not opened by a key made now: that its key is gone must be said, not hidden.
        key = self._desk.keys.key(JOURNAL_KEY, create=not file.exists())
        return Journal.open(file, key, catalogue=self._desk.catalogue, clock=self._desk.clock)

    # registry

    async def open_registry(self, progress: Callable[[str], None]) -> None:
        """Open the registry; the demonstration makes its own first. Without one the desk works by hand."""
        desk = self._desk
        try:
            self.registry = await desk.run_registry(self._open_registry, progress)
        except Refusal as refusal:
            desk.light(registry=Light.AWAY if refusal.code is Code.REGISTRY_MISSING else Light.TROUBLE)
            raise
        finally:
            self.registry_opened.set()
        if desk.state.notice.text == self._progress:
            desk.notice("")
        self.registry.on_view = desk.insured.viewed
        desk.light(registry=Light.ON, registry_day=self.registry.as_of.strftime("%d.%m.%Y"))
        await desk.card.recall_person()

    def _open_registry(self, progress: Callable[[str], None]) -> Registry:
        from operator_tui.registry.index import Registry

        profile = self._desk.profile
        settings = self._desk.settings.get(RegistrySettings)
        file, key = self.registry_path, self._desk.keys.key(REGISTRY_KEY)
        try:
            return Registry.open(file, key, settings.deadline_ms)
        except Refusal as refusal:
            # There is none yet, or the profile's own is of another version of the program: made-up people again.
            another = refusal.code is Code.FILE_UNREADABLE and not settings.file
            if not profile.synthetic or not (another or refusal.code is Code.REGISTRY_MISSING):
                raise
        from operator_tui.registry.load import make_demo_registry

        loop_progress = partial(self._say_progress, progress)
        make_demo_registry(file, key, people=settings.demo_people, progress=loop_progress)
        return Registry.open(file, key, settings.deadline_ms)

    @property
    def registry_path(self) -> Path:
        """Where this desk's registry is, or will be."""
        own = self._desk.settings.get(RegistrySettings).file
        return Path(own) if own else self._desk.profile.registry_file

    def _say_progress(self, progress: Callable[[str], None], done: float) -> None:
        self._progress = tr("Готовится учебный реестр: {percent} %").format(percent=round(100 * done))
        self._loop.call_soon_threadsafe(progress, self._progress)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return self._desk.loop

    # central server

    async def open_server(self) -> None:
        """Start the embedded server where none is configured, then send for as long as the desk lives."""
        from operator_tui.sync.sender import Sender

        journal = self.journal
        assert journal is not None  # open_journal comes first
        while not await self._connected():  # noqa: ASYNC110  # a try costs a process: there is nothing to wait for
            await asyncio.sleep(RETRY_S)
        link = self._link
        assert link is not None
        settings = self._desk.settings.get(CentralSettings)
        self._sender = Sender(
            journal, link, run=self._desk.run_journal, clock=self._desk.clock, poll_s=settings.poll_s,
            session=self._signin, on_state=self._sent, on_cards=self._received,
            on_presence=self._desk.colleagues.heard, on_reference=self._desk.reference.taken,
        )  # fmt: skip
        if self._signin is not None:
            self._desk.background(self._keep_journal_key(self._signin))
            self._desk.background(self._deliver(self._signin))
            self._desk.background(self._desk.seat.look_elsewhere())
        self._desk.background(second_copy.follow(self._desk, self._signin))
        self._desk.background(self._desk.updates.follow())
        self._desk.background(self._desk.files.follow(journal, link))
        self._desk.colleagues.attach(self._sender.presence)
        await self._sender.run()

    async def _connected(self) -> bool:
        """Whether there is a server to talk to; one that does not start is tried again, and the desk works on."""
        try:
            await self._connect()
        except Refusal as refusal:
            self._desk.light(server=Light.AWAY)
            self._desk.refused(refusal)
        return self._link is not None

    async def _connect(self) -> None:
        if self._link is not None:
            return
        from operator_tui.sync.link import Link

        settings = self._desk.settings.get(CentralSettings)
        profile = self._desk.profile
        if settings.url:
            self._link = Link(settings)
            return
        if not profile.synthetic:
            raise Refusal(Code.SETTING_WRONG, place=str(profile.settings_file), key="central.url", expected="https://…")
        from operator_tui.sync.embedded import EmbeddedServer

        key = await self._desk.run_journal(self._desk.keys.key, CENTRAL_KEY)
        self._server = await EmbeddedServer.start(profile, key)
        self._link = Link(settings, socket=profile.central_socket)

    async def _enrol(self) -> None:
        if self._signin is not None:
            assert self.journal is not None
            await self._desk.run_journal(self.journal.enrol, self._signin.identity)
            return
        from operator_tui.sync.enrol import enrol

        await self._connect()
        link, journal = self._link, self.journal
        assert link is not None
        assert journal is not None
        settings = self._desk.settings.get(CentralSettings)
        code = self._server.enrolment_code if self._server is not None else settings.enrolment
        if not code:
            raise Refusal(Code.NOT_ENROLLED)
        identity = await enrol(link, code)
        await self._desk.run_journal(journal.enrol, identity)

    def _sent(self, state: SenderState) -> None:
        self._desk.light(server=Light(state.light.value), unsent=state.unsent)
        if state.light.value == Light.ON.value:
            self._desk.history.heal()
        # A server that is merely away is the light's matter; one that wants somebody to act is said in words.
        # Said once, not at every try: it must not push away what the operator is being told meanwhile.
        trouble = state.refusal if state.light.value == Light.TROUBLE.value else None
        if trouble is not None and trouble.code != self._said:
            self._desk.refused(trouble)
        self._said = trouble.code if trouble is not None else None
        if self._ended is not None:
            self._desk.change(Topic.LIGHTS, revoked=True)
        if state.light.value == Light.ON.value and state.unsent == 0:
            self._desk.files.kick()

    def _received(self, cards: Sequence[str]) -> None:
        self._desk.background(self._desk.alarms.look())
        if cards:
            self._desk.background(self._desk.refresh_journal())
            self._desk.background(self._desk.announcing.heard(tuple(cards)))

    async def ask(self, path: str, body: bytes) -> bytes:
        """One question to the central server by whoever sits here, and its whole answer.

        Refusals: NOT_ENROLLED, SERVER_AWAY, and what the server refuses.
        """
        return await self.signed_in(lambda token: self._asked(path, body, token))

    async def signed_in(self, work: Callable[[str], Awaitable[Result]]) -> Result:
        """Run ``work(token)`` as whoever sits here. Refusals: NOT_ENROLLED, and those of the work."""
        try:
            return await work(await self.token())
        except Refusal as refusal:
            if self._signin is None or refusal.code not in (Code.TOKEN_EXPIRED, Code.TOKEN_INVALID):
                raise
        # Once more with a fresh one: a machine that slept has a token that is too old by the server's clock alone.
        self._signin.spoiled()
        return await work(await self.token())

    @property
    def link(self) -> Link:
        """The way to the server. Refusal(SERVER_AWAY) while there is none."""
        if self._link is None:
            raise Refusal(Code.SERVER_AWAY)
        return self._link

    async def token(self) -> str:
        """What shows the server who sits here. Refusal(NOT_ENROLLED)."""
        device = self.journal.device if self.journal is not None else None
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        return device.token if self._signin is None else await self._signin.token()

    async def _asked(self, path: str, body: bytes, token: str) -> bytes:
        async with self.link.post(path, body, token=token, packed=False) as chunks:
            return b"".join([chunk async for chunk in chunks])

    def kick(self) -> None:
        """There is something to send: try now."""
        if self._sender is not None:
            self._sender.kick()

    def send_soon(self) -> None:
        """Something was written that nobody waits for: it goes with what follows in the next moments."""
        if self._sender is not None:
            self._sender.kick_soon()

    def files_folder(self) -> Path:
        """Where the files of who sits here lie: in his own folder."""
        return (self._signin.journal_file if self._signin else self._desk.profile.journal_file).parent / "files"

    # end

    async def close(self) -> None:
        """Stop sending, stop the embedded server, close the files."""
        await self._desk.files.stop()
        if self._sender is not None:
            await self._sender.stop()
        if self._link is not None:
            await self._link.close()
        if self._server is not None:
            await self._server.stop()
        for journal in (self.journal, self._ended):
            if journal is not None:
                await self._desk.run_journal(journal.close)
        if self.registry is not None:
            await self._desk.run_registry(self.registry.close)

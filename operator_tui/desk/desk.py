"""One operator's desk: wires journal, registry, answers, telephone and sync, and tells the screen what changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import Theme
from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.commands import Situation
from operator_tui.desk.alarms import AlarmDesk
from operator_tui.desk.announcing import Announcements
from operator_tui.desk.appeals import AppealDesk
from operator_tui.desk.at_hand import CardDesk
from operator_tui.desk.begun import BegunDesk
from operator_tui.desk.colleagues import Colleagues
from operator_tui.desk.export import ExportDesk
from operator_tui.desk.files import FileDesk
from operator_tui.desk.history import HistoryDesk
from operator_tui.desk.insured import InsuredDesk
from operator_tui.desk.keys import DeskKeys
from operator_tui.desk.leaving import Leaving, LeavingDesk
from operator_tui.desk.line import PhoneDesk
from operator_tui.desk.papers import PaperDesk
from operator_tui.desk.parts import Parts
from operator_tui.desk.promises import PromiseDesk
from operator_tui.desk.quick import QuickDesk
from operator_tui.desk.reference import ReferenceDesk
from operator_tui.desk.scripts import ScriptDesk
from operator_tui.desk.seat import SeatDesk
from operator_tui.desk.state import DeskState, Notice, Topic
from operator_tui.desk.updates import RegistryUpdates
from operator_tui.i18n import tr
from operator_tui.profiles import Profile
from operator_tui.reference import packaged_catalogue
from operator_tui.settings import Settings

if TYPE_CHECKING:
    from operator_tui.answers.scripts import Script
    from operator_tui.journal.journal import Journal

log = logging.getLogger(__name__)
Result = TypeVar("Result")

# What the work in the background has for its own end; a desk is gone two seconds after its signal (DESIGN rule 12).
PARTING_S = 2.0


class Desk:
    """The face of everything below the screen. All methods belong to the event loop's thread.

    ``state`` is one value to paint; ``listen`` gives the screen the topics that changed.
    """

    def __init__(self, profile: Profile, settings: Settings, clock: Clock | None = None) -> None:
        self.profile = profile
        self.settings = settings
        self.clock = clock or SystemClock()
        self.catalogue = packaged_catalogue()
        self.state = DeskState()
        self.keys = DeskKeys(self)
        self.parts = Parts(self)
        self.phone = PhoneDesk(self)
        self.alarms = AlarmDesk(self)
        self.card = CardDesk(self)
        self.begun = BegunDesk(self)
        self.scripts = ScriptDesk(self)
        self.history = HistoryDesk(self)
        self.insured = InsuredDesk(self)
        self.updates = RegistryUpdates(self)
        self.appeals = AppealDesk(self)
        self.colleagues = Colleagues(self)
        self.promises = PromiseDesk(self)
        self.quick = QuickDesk(self)
        self.papers = PaperDesk(self)
        self.files = FileDesk(self)
        self.export = ExportDesk(self)
        self.reference = ReferenceDesk(self)
        self.seat = SeatDesk(self)
        self.leaving = LeavingDesk(self)
        self.announcing = Announcements(self)
        self._listeners: list[Callable[[Topic], None]] = [self.announcing.phone_changed]
        # One thread each: SQLite connections belong to one thread, and a search must not wait for a save.
        self._journal_thread = ThreadPoolExecutor(1, "journal")
        self._registry_thread = ThreadPoolExecutor(1, "registry")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self.loop: asyncio.AbstractEventLoop

    # telling the screen

    def listen(self, listener: Callable[[Topic], None]) -> None:
        """Call ``listener(topic)`` after each change of ``state``."""
        self._listeners.append(listener)

    def change(self, topic: Topic, **values: Any) -> None:
        """Put new values into ``state`` and tell the listeners; nothing happens when they are what they were."""
        new = replace(self.state, **values)
        if new == self.state and topic not in (Topic.JOURNAL, Topic.REFERENCE):
            return
        self.state = new
        for listener in self._listeners:
            listener(topic)
        about, card = self.state.notice.about, self.state.card
        if about and (card is None or card.draft != about):
            self.unsay()

    def light(self, **values: Any) -> None:
        """Change single lights."""
        self.change(Topic.LIGHTS, lights=replace(self.state.lights, **values))

    def notice(self, text: str, *, urgent: bool = False, about: str = "") -> None:
        """Say one line to the operator; ``about`` the card at hand, by its draft, when it names that card's person."""
        self.change(Topic.NOTICE, notice=Notice(text, urgent, about))

    def unsay(self) -> None:
        """Take away what names a person: nobody is there any more to whom it is read."""
        if self.state.notice.about:
            self.notice("")

    def refused(self, refusal: Refusal) -> None:
        """Say why something was refused, and what was noted of it on its way here."""
        from operator_tui.sentences import sentence

        self.notice(" ".join((sentence(refusal), *getattr(refusal, "__notes__", ()))), urgent=True)

    def situation(self, *, screen: str, row: bool = False) -> Situation:
        """The facts commands look at."""
        card = self.state.card
        return Situation(
            role=self.state.operator.role if self.state.operator else Situation.role,
            screen=screen,
            presence=self.state.presence.state.value,
            phone=self.state.phone_word(),
            card=card is not None,
            card_saved=card is not None and card.saved is not None,
            card_editable=card is not None and card.editable,
            person=card is not None and card.person is not None,
            theme=card is not None and bool(card.fields.get("theme")),
            waiting=any(call.rings_here for call in self.state.others),
            other=any(call.answered_ms is not None for call in self.state.others),
            talked=self.phone.talks.threatening() is not None,
            colleague=self.phone.following.asked_colleague() is not None,
            number=card is not None and bool(card.fields.get("phone")),
            returned=self.state.returned > 0 or bool(card is not None and card.saved and card.saved.rival),
            row=row,
        )

    # work on threads and in the background

    async def on_journal(self, work: Callable[[Journal], Result]) -> Result:
        """Run ``work(journal)`` on the journal's thread; the journal's own refusals come out."""
        journal = self.parts.journal
        if journal is None:
            raise Refusal(Code.NOT_ENROLLED)
        before = journal.appended
        try:
            return await asyncio.get_running_loop().run_in_executor(self._journal_thread, work, journal)
        finally:
            if journal.appended != before:
                self.parts.send_soon()

    async def run_journal(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Any function on the journal's thread: how the sender reaches the journal."""
        return await asyncio.get_running_loop().run_in_executor(self._journal_thread, lambda: function(*args, **kwargs))

    async def run_registry(self, function: Callable[..., Result], *args: Any) -> Result:
        """Any function on the registry's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._registry_thread, function, *args)

    def background(self, work: Awaitable[Any]) -> None:
        """Run on; a refusal becomes a notice, anything else a log entry and a plain sentence."""

        async def guarded() -> None:
            try:
                await work
            except Refusal as refusal:
                self.refused(refusal)
            except Exception:
                self.failed("background work failed")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if asyncio.iscoroutine(work):
            # A desk that stops may cancel it before its first step: what was handed in has not begun then.
            task.add_done_callback(lambda _: work.close())

    def failed(self, what: str) -> None:
        """In an ``except``: the traceback goes into the log, a plain sentence to the operator."""
        if not self._stopping:
            log.exception(what)
            self.notice(tr("Внутренняя ошибка записана в журнал программы. Введённое сохранено."), urgent=True)

    # start and end

    async def start(self, progress: Callable[[str], None]) -> None:
        """Open all parts; ``progress`` gets a line for each slow step. A Refusal only when there is no journal."""
        self.loop = asyncio.get_running_loop()
        await self.parts.open_journal(progress)
        progress("")
        # Who talks to somebody wants that call and its card back; everything else of the desk can wait for them.
        self.background(self.seat.take_the_telephone())
        await self.card.restore_draft()
        await self.begun.restored()
        await self.phone.looked()
        await self.refresh_journal()
        self.background(self.parts.open_registry(progress))
        self.background(self.parts.open_server())
        self.background(self.promises.warm())
        self.background(self.alarms.look())
        self.background(self.announcing.follow())
        self.change(Topic.LIGHTS, ready=True)

    async def stop(self, *, leave: bool = False, how: Leaving | None = None) -> None:
        """Keep the draft, stop the parts. ``leave`` is «Выход»: the engine ends too unless a call goes on; ``how`` says
        what becomes of what is unsent then."""
        self._stopping = True
        await self.card.flush_draft()
        await self.begun.flush()
        await self.insured.flush()
        await self.phone.detach(leave=leave)
        await self._end_tasks()
        if leave:
            await self.leaving.go(how)
        else:
            await self.parts.close()
        self._journal_thread.shutdown(wait=True)
        self._registry_thread.shutdown(wait=False, cancel_futures=True)

    async def _end_tasks(self) -> None:
        """End what runs in the background; a server or an engine on its way up is put away by its own task."""
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=PARTING_S)

    # the journal of appeals

    async def refresh_journal(self) -> None:
        """Read counts and unsent again, and tell the screen that rows may have changed."""
        counts, unsent, files, returned, drafts = await self.on_journal(
            lambda journal: (
                journal.counts(), journal.unsent(), journal.unsent_files(), journal.waiting(), journal.drafts()
            )
        )  # fmt: skip
        self._tell_returned(returned)
        at_hand = self.state.card.draft if self.state.card is not None else ""
        unfinished = sum(1 for draft in drafts if draft.id != at_hand)
        self.state = replace(self.state, counts=counts, returned=returned, unfinished=unfinished)
        self.light(unsent=unsent, files=files)
        self.change(Topic.JOURNAL)

    def _tell_returned(self, returned: int) -> None:
        if returned > self.state.returned:
            self.notice(
                tr("Вернулось записей: {count}. Нажмите ^K, чтобы посмотреть.").format(count=returned), urgent=True
            )

    async def active(self, limit: int = 200) -> list[Card]:
        """Active appeals for the home screen (K-3.2)."""
        return await self.on_journal(lambda journal: journal.active(limit=limit))

    async def find_appeals(self, text: str, limit: int) -> list[Card]:
        """Full-text search of the journal."""
        return await self.on_journal(lambda journal: journal.search(text, limit))

    # answers

    def search_themes(self, text: str) -> list[Theme]:
        """Themes for the theme line, best first."""
        return self.parts.themes.search(text)

    def search_scripts(self, text: str) -> list[Script]:
        """Any typical answer by keywords (K-5.1.5.3)."""
        return self.parts.answers.search(text)

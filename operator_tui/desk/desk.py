"""One operator's desk: wires journal, registry, answers, telephone and sync, and tells the screen what changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from operator_tui.appeals.card import WITHOUT_CALL, Card, Source, asked_with
from operator_tui.appeals.catalogue import AppealType, Theme
from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.rights import Right, demand
from operator_tui.commands import Situation
from operator_tui.desk import card as steps
from operator_tui.desk.appeals import AppealDesk
from operator_tui.desk.line import PhoneDesk
from operator_tui.desk.parts import Parts
from operator_tui.desk.people import PeopleDesk
from operator_tui.desk.state import CardAtHand, DeskState, Notice, Topic
from operator_tui.i18n import tr
from operator_tui.phone.line import CallState
from operator_tui.profiles import Profile
from operator_tui.reference import packaged_catalogue
from operator_tui.registry.people import Found, Person
from operator_tui.settings import Settings

if TYPE_CHECKING:
    from operator_tui.answers.scripts import Script
    from operator_tui.journal.journal import Journal

log = logging.getLogger(__name__)
Result = TypeVar("Result")

# What was typed is on disk within a second (DESIGN rule 1); the rest of the second is the disk's.
DRAFT_DELAY_S = 0.6


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
        self.parts = Parts(self)
        self.phone = PhoneDesk(self)
        self.appeals = AppealDesk(self)
        self.people = PeopleDesk(self)
        self._listeners: list[Callable[[Topic], None]] = []
        # One thread each: SQLite connections belong to one thread, and a search must not wait for a save.
        self._journal_thread = ThreadPoolExecutor(1, "journal")
        self._registry_thread = ThreadPoolExecutor(1, "registry")
        self._draft_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._search_number = 0
        self._stopping = False
        self.loop: asyncio.AbstractEventLoop

    # telling the screen

    def listen(self, listener: Callable[[Topic], None]) -> None:
        """Call ``listener(topic)`` after each change of ``state``."""
        self._listeners.append(listener)

    def change(self, topic: Topic, **values: Any) -> None:
        """Put new values into ``state`` and tell the listeners; nothing happens when they are what they were."""
        new = replace(self.state, **values)
        if new == self.state and topic is not Topic.JOURNAL:
            return
        self.state = new
        for listener in self._listeners:
            listener(topic)

    def light(self, **values: Any) -> None:
        """Change single lights."""
        self.change(Topic.LIGHTS, lights=replace(self.state.lights, **values))

    def notice(self, text: str, *, urgent: bool = False) -> None:
        """Say one line to the operator."""
        self.change(Topic.NOTICE, notice=Notice(text, urgent))

    def refused(self, refusal: Refusal) -> None:
        """Say why something was refused."""
        from operator_tui.sentences import sentence

        self.notice(sentence(refusal), urgent=True)

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
            waiting=any(call.state is CallState.RINGING for call in self.state.others),
            other=any(call.answered_ms is not None for call in self.state.others),
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
        return await asyncio.get_running_loop().run_in_executor(self._journal_thread, work, journal)

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
                if not self._stopping:
                    log.exception("background work failed")
                    self.notice(tr("Внутренняя ошибка записана в журнал программы. Введённое сохранено."), urgent=True)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # start and end

    async def admitted(self) -> bool:
        """Whether the journal may be opened without asking anybody: nobody signs in here, or his shift goes on."""
        signin = self.parts.signin
        return signin is None or await signin.resume()

    @property
    def has_password(self) -> bool:
        """Whether the lock asks for one."""
        return self.parts.signin is not None

    async def lock(self) -> None:
        """Until it is unlocked, a desk started anew asks for the password too."""
        if self.parts.signin is not None:
            await self.parts.signin.lock()

    async def unlock(self, password: str) -> bool:
        """Whether it is the password of who sits here; a session that is over is opened again with it."""
        signin = self.parts.signin
        if signin is None:
            return True
        if not await signin.unlock(password):
            return False
        self.background(signin.sign_in_again(password))
        return True

    async def start(self, progress: Callable[[str], None]) -> None:
        """Open all parts; ``progress`` gets a line for each slow step. A Refusal only when there is no journal."""
        self.loop = asyncio.get_running_loop()
        await self.parts.open_journal(progress)
        await self.refresh_journal()
        self.background(self.parts.open_registry(progress))
        self.background(self.parts.open_server())
        self.background(self.phone.attach())
        await self.restore_draft()
        self.change(Topic.LIGHTS, ready=True)

    async def stop(self, *, leave: bool = False) -> None:
        """Keep the draft, stop the parts. ``leave`` is «Выход»: the engine ends too unless a call goes on."""
        self._stopping = True
        await self.flush_draft()
        await self.phone.detach(leave=leave)
        for task in list(self._tasks):
            task.cancel()
        if leave:
            await self.parts.sign_out()
        await self.parts.close()
        self._journal_thread.shutdown(wait=True)
        self._registry_thread.shutdown(wait=False, cancel_futures=True)

    # the journal of appeals

    async def refresh_journal(self) -> None:
        """Read counts and unsent again, and tell the screen that rows may have changed."""
        counts, unsent, returned = await self.on_journal(
            lambda journal: (journal.counts(), journal.unsent(), journal.waiting())
        )
        self._tell_returned(returned)
        self.state = replace(self.state, counts=counts, returned=returned)
        self.light(unsent=unsent)
        self.change(Topic.JOURNAL)

    def _tell_returned(self, returned: int) -> None:
        if returned > self.state.returned:
            self.notice(
                tr("Вернулось записей: {count}. Нажмите ^K, чтобы посмотреть.").format(count=returned), urgent=True
            )

    async def active(self, limit: int = 200) -> list[Card]:
        """Active appeals for the home screen (K-3.2)."""
        return await self.on_journal(lambda journal: journal.active(limit=limit))

    async def find_appeals(self, text: str) -> list[Card]:
        """Full-text search of the journal."""
        return await self.on_journal(lambda journal: journal.search(text))

    # registry and answers

    async def search_people(self, text: str) -> Found | None:
        """People for the search line; None when a later key has made this search pointless."""
        registry = self.parts.registry
        if registry is None:
            raise Refusal(Code.REGISTRY_MISSING, path=self.profile.registry_file.name)
        self._search_number += 1
        number = self._search_number
        registry.interrupt()
        found = await self.run_registry(registry.search, text)
        return found if number == self._search_number else None

    def search_themes(self, text: str, type_: AppealType | None = None) -> list[Theme]:
        """Themes for the theme line, best first."""
        return self.parts.themes.search(text, type_)

    def scripts(self) -> list[Script]:
        """Typical answers for the theme at hand, recommended ones first; empty without a theme (K-5.1.5.1)."""
        card = self.state.card
        code = card.fields.get("theme") if card else None
        scripts = self.parts.answers.for_theme(str(code)) if code else []
        if card and card.script and all(script.id != card.script for script in scripts):
            chosen = self.parts.answers.script(card.script)  # found by keywords, not recommended for the theme
            scripts = [chosen, *scripts] if chosen else scripts
        return scripts

    def search_scripts(self, text: str) -> list[Script]:
        """Any typical answer by keywords (K-5.1.5.3)."""
        return self.parts.answers.search(text)

    def script_values(self) -> dict[str, str]:
        """What the placeholders of a script stand for now."""
        card = self.state.card
        fields = card.fields if card else {}
        operator = self.state.operator
        values = {
            "оператор": operator.name if operator else "",
            "смо": str(fields.get("insurer", "")),
            "мо": str(fields.get("clinic", "")),
            "номер_звонка": str(fields.get("phone", "")),
            "номер_обращения": str(fields.get("number", "")),
            "имя_отчество": " ".join(filter(None, (str(fields.get(k, "")) for k in ("name", "patronymic")))),
        }
        return {key: value for key, value in values.items() if value}

    # the card at hand

    def put_card(self, card: CardAtHand | None, topic: Topic = Topic.CARD) -> None:
        """Show a card; what is not saved of it goes into its draft within a second."""
        self.change(topic, card=card)
        if card is not None and card.editable:
            self._schedule_draft()

    def _card(self) -> CardAtHand:
        if self.state.card is None:
            raise Refusal(Code.UNKNOWN_CARD)
        return self.state.card

    def open_card(self) -> Awaitable[None]:
        """«Добавить»: a new card, bound to the call that goes on if there is one.

        The card is there when this returns; what comes back still has to be awaited: it writes to the journal.
        """
        left = self._due_draft()
        call = self.state.call
        card = steps.opened(call if call is not None and not call.over else None)
        self.put_card(card)
        return self._record_opening(card, left)

    async def _record_opening(self, card: CardAtHand, left: Draft | None) -> None:
        if left is not None:
            await self.on_journal(lambda journal: journal.put_draft(left))
        await self.flush_draft()
        about = {"call": card.call} if card.call else {}
        await self.on_journal(lambda journal: journal.record(Kind.CARD_OPENED, about))
        if card.fields.get("phone"):
            await self.find_caller(str(card.fields["phone"]))

    async def find_caller(self, phone: str) -> None:
        """Candidates and history by the caller's number; nobody is bound without a key."""
        history = await self.on_journal(lambda journal: journal.history(phone=phone))
        people: list[Person] = []
        if self.parts.registry is not None:
            last_first = sorted(history, key=lambda past: past.created, reverse=True)
            bound = [enp for past in last_first if (enp := str(past.fields.get("enp", "")))]
            people = await self.run_registry(self.parts.registry.by_phone, phone, bound)
        if self.state.card is not None:
            self.change(Topic.CARD, card=replace(self.state.card, candidates=tuple(people), history=tuple(history)))

    async def edit(self, card_id: str) -> None:
        """«Редактирование»: a card of the journal on the work screen."""
        await self.flush_draft()
        card = await self.on_journal(lambda journal: journal.card(card_id))
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD, card=card_id)
        self.change(Topic.CARD, card=steps.reopened(card))
        await self._refresh_history()

    def type_field(self, field: str, value: str) -> None:
        """The operator wrote into a field of the form."""
        self.put_card(steps.typed(self._card(), field, value), Topic.TYPED)

    def choose_result(self, code: str) -> None:
        """Another result than the theme's own."""
        self.put_card(steps.typed(self._card(), "result", code))

    def choose_source(self, source: Source) -> None:
        """How the appeal came. Refusals: CARD_SAVED once it is registered, RIGHT_MISSING for ways without a call."""
        card = self._card()
        if card.saved is not None:
            raise Refusal(Code.CARD_SAVED)
        if source in WITHOUT_CALL and self.state.operator is not None:
            demand(self.state.operator.role, Right.CARD_WITHOUT_CALL)
        self.put_card(steps.filled_in(card, "source", source.value))

    def choose_operator(self, user: str) -> None:
        """Whom to hand the appeal on to, by the number of the user."""
        self.put_card(steps.filled_in(self._card(), "operator", user))

    def detach(self) -> None:
        """«Открепить»: a wrong person is taken off the card; what the registry had filled in goes, typing stays."""
        card = self._card()
        if card.person is None and not card.fields.get("enp"):
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Застрахованное лицо"))
        self.put_card(steps.unbound(card))

    async def attach(self, person: Person) -> None:
        """«прикрепить»: the person is the insured and the caller."""
        card = self._card()
        differing = steps.kept_values(card, person)
        self.put_card(steps.bound(card, person))
        if differing:
            from operator_tui.appeals.card import FIELD_TITLES

            names = ", ".join(FIELD_TITLES[field].lower() for field in differing)
            self.notice(tr("Введённое вами не заменено: {fields}.").format(fields=names))
        await self._refresh_history()

    def apply_person(self) -> None:
        """«Применить»: the bound person's own data replace what stands in the personal information."""
        card = self._card()
        if card.person is None:
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Застрахованное лицо"))
        self.put_card(steps.bound(replace(card, typed=frozenset()), card.person))

    async def _refresh_history(self) -> None:
        card = self._card()
        phone, enp = str(card.fields.get("phone", "")), str(card.fields.get("enp", ""))
        history = await self.on_journal(lambda journal: journal.history(phone=phone, enp=enp))
        own = card.saved.id if card.saved else ""
        if self.state.card is not None:
            earlier = tuple(other for other in history if other.id != own)
            self.change(Topic.CARD, card=replace(self.state.card, history=earlier))

    def choose_theme(self, theme: Theme) -> None:
        """The theme, its type, its default result and its first answer in one act."""
        card = steps.themed(self._card(), theme, self.catalogue)
        if not card.fields.get("comment"):
            scripts = self.parts.answers.for_theme(theme.code)
            if scripts:
                # The comment is offered from the answer used (functions.md 1.2); the operator may write his own.
                card = replace(card, fields={**card.fields, "comment": scripts[0].title})
        self.put_card(card)

    def show_script(self, script_id: str) -> None:
        """Which answer stands beside the card: that one counts as used when the card is saved."""
        card = self._card()
        if card.script != script_id:
            self.put_card(replace(card, script=script_id))

    def tick_earlier(self, card_id: str) -> None:
        """Tick or untick an earlier appeal, to be attached when the card is saved (K-5.1.7.4)."""
        card = self._card()
        links = list(card.fields.get("links", ()))
        links = [link for link in links if link != card_id] if card_id in links else [*links, card_id]
        self.put_card(replace(card, fields={**card.fields, "links": links}))

    async def save(self) -> Card:
        """«Сохранить»: the card is in the journal, «В работе» (K-5.1.6.3)."""
        return await self._write(lambda journal, draft: journal.save(draft))

    async def close(self) -> Card:
        """«Закрыть обращение» with the result and comment in the form: «На рассмотрении» (K-6.1.4)."""
        card = self._card()
        code = str(card.fields.get("result", ""))
        given = {field: card.fields.get(field) for field in ("result", "comment", *asked_with(code, self.catalogue))}
        return await self._write(lambda journal, draft: journal.save_and_close(draft, given), finished=True)

    async def _write(self, work: Callable[[Journal, Any], Card], *, finished: bool = False) -> Card:
        card = self._card()
        if not card.editable:
            raise Refusal(Code.LOCKED, card=card.saved.id if card.saved else "")
        self._cancel_draft_timer()
        if card.script and card.script not in card.fields.get("answers", ()):
            used = [*card.fields.get("answers", ()), card.script]
            card = replace(card, fields={**card.fields, "answers": used})
            self.state = replace(self.state, card=card)
            script = card.script
            await self.on_journal(
                lambda journal: journal.record(Kind.ANSWER_USED, {"script": script, "call": card.call})
            )
        draft = steps.to_draft(card, self.clock.now_ms())
        try:
            saved = await self.on_journal(lambda journal: work(journal, draft))
        except Refusal:
            self._schedule_draft()
            raise
        self.change(Topic.CARD, card=replace(steps.saved_as(card, saved), finished=finished))
        await self.refresh_journal()
        self.parts.kick()
        return saved

    async def leave_card(self) -> None:
        """Put the card away; what is unsaved stays in its draft."""
        await self.flush_draft()
        self.change(Topic.CARD, card=None)

    # drafts

    def _schedule_draft(self) -> None:
        if self._draft_timer is None:
            loop = asyncio.get_running_loop()
            self._draft_timer = loop.call_later(DRAFT_DELAY_S, lambda: self.background(self.flush_draft()))

    def _cancel_draft_timer(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.cancel()
            self._draft_timer = None

    def _due_draft(self) -> Draft | None:
        """The draft that waits for its second to pass, None when everything typed is on disk."""
        due = self._draft_timer is not None
        self._cancel_draft_timer()
        card = self.state.card
        return steps.to_draft(card, self.clock.now_ms()) if due and card is not None and card.editable else None

    async def flush_draft(self) -> None:
        """Put what was typed on disk now. Nothing to do when nothing was."""
        draft = self._due_draft()
        if draft is not None:
            await self.on_journal(lambda journal: journal.put_draft(draft))

    async def restore_draft(self) -> None:
        """The card that was open when the desk last went away, as it was left."""
        drafts = await self.on_journal(lambda journal: journal.drafts())
        if not drafts or self.state.card is not None:
            return
        draft = max(drafts, key=lambda kept: kept.updated_ms)
        saved = await self.on_journal(lambda journal: journal.card(draft.card)) if draft.card else None
        self.change(Topic.CARD, card=steps.from_draft(draft, saved))
        enp = str(draft.fields.get("enp", ""))
        if enp and self.parts.registry is not None:
            person = await self.run_registry(self.parts.registry.person, enp)
            if self.state.card is not None:
                self.change(Topic.CARD, card=replace(self.state.card, person=person))
        await self._refresh_history()
        self.notice(tr("Черновик восстановлен: продолжайте с того же места."))

"""The card at hand on one desk: opened, filled in, saved and closed, its draft always on disk within a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.begun import FormOf, Typed
from operator_tui.appeals.card import FIELD_TITLES, Card, asked_with
from operator_tui.appeals.catalogue import Theme
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.rights import Right, demand
from operator_tui.desk import card as steps
from operator_tui.desk.insured import bound_before
from operator_tui.desk.state import CardAtHand, Topic
from operator_tui.i18n import tr
from operator_tui.registry.people import Person

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal

# What was typed is on disk within a second (DESIGN rule 1); the rest of the second is the disk's.
DRAFT_DELAY_S = 0.6
# An «Enter» that came before the people of the caller's number waits for them as long as the keys behind it do
# (typeahead.PATIENCE_S).
PEOPLE_S = 1.0
_TOO_LATE = "too_late"  # the begun form of what was typed while its appeal was being closed


class CardDesk:
    """What the operator does with the card at hand; the state it changes is the desk's own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._draft_timer: asyncio.TimerHandle | None = None
        self._coming: object = None  # of the card that was asked for last
        self._looking = ("", asyncio.Event())  # the draft whose people are looked for by their number; set when known

    def put(self, card: CardAtHand | None, topic: Topic = Topic.CARD) -> None:
        """Show a card; what is not saved of it goes into its draft within a second."""
        self._desk.change(topic, card=card)
        if card is not None and card.editable:
            self._schedule_draft()

    def _at_hand(self) -> CardAtHand:
        if self._desk.state.card is None:
            raise Refusal(Code.UNKNOWN_CARD)
        return self._desk.state.card

    def still(self, asked: CardAtHand) -> CardAtHand:
        """The card at hand, if it is the one that was at hand when something was asked. Refusal(CARD_OTHER): a call
        that was taken meanwhile has brought its own, and what was meant for one must not go into another."""
        now = self._desk.state.card
        if now is None or not now.is_of(asked):
            raise Refusal(Code.CARD_OTHER)
        return now

    async def change(self, asked: CardAtHand, step: Callable[[CardAtHand], CardAtHand]) -> bool:
        """What was written in a window above that card. False where another card has come meanwhile: then it stands in
        that card's draft, and is said. Refusal(CARD_OTHER) where it was saved and put away."""
        desk, now = self._desk, self._desk.state.card
        if now is not None and now.is_of(asked):
            self.put(step(now))
            return True
        drafts = await desk.on_journal(lambda journal: journal.drafts())
        kept = next((one for one in drafts if one.id == asked.draft), None)
        if kept is None and asked.saved is None:
            raise Refusal(Code.CARD_OTHER)
        before = steps.from_draft(kept, asked.saved) if kept is not None else asked
        draft = steps.to_draft(step(before), desk.clock.now_ms())
        await desk.on_journal(lambda journal: journal.put_draft(draft))
        await desk.refresh_journal()
        desk.notice(tr("Карточка сменилась: введённое — в черновике прежней, ^Y её откроет."), urgent=True)
        return False

    def open(self, *, answered: bool = False) -> Awaitable[None]:
        """«Добавить»: a new card, bound to the call that goes on if there is one; ``answered`` by a key just now.

        The card is there when this returns; what comes back still has to be awaited: it writes to the journal.
        """
        self._coming = None
        left = self._due_draft()
        # On its way now: a letter that is still to come into the card left behind finds its draft as it was left.
        kept = asyncio.ensure_future(self._kept(left))
        call = self._desk.state.call
        card = steps.opened(call if call is not None and not call.over else None, self._desk.state.card)
        # Behind a key that answers «Enter» means who was read while it rang; behind a call taken by itself it may be
        # meant for the card that is gone.
        self._looking = (card.draft if answered and card.fields.get("phone") else "", asyncio.Event())
        self.put(card)
        return self._record_opening(card, kept)

    async def _kept(self, left: Draft | None) -> None:
        if left is not None:
            await self._desk.on_journal(lambda journal: journal.put_draft(left))

    async def _record_opening(self, card: CardAtHand, kept: asyncio.Future[None]) -> None:
        try:
            await kept
            await self.flush_draft()
            about = {"call": card.call} if card.call else {}
            await self._desk.on_journal(lambda journal: journal.record(Kind.CARD_OPENED, about))
            now = self._desk.state.card
            if card.fields.get("phone") and now is not None and now.draft == card.draft:
                await self.find_caller(str(card.fields["phone"]))
        finally:
            self._looked(card.draft)

    async def find_caller(self, phone: str) -> None:
        """Candidates and history by the caller's number; nobody is bound without a key."""
        shown = self._desk.state.card
        asked = shown.draft if shown is not None else ""
        history = await self._desk.on_journal(lambda journal: journal.history(phone=phone))
        people: list[Person] = []
        if self._desk.parts.registry is not None:
            people = await self._desk.run_registry(self._desk.parts.registry.by_phone, phone, bound_before(history))
        card = self._desk.state.card
        if card is not None and card.draft == asked:  # another caller's card may have come meanwhile
            self._desk.change(Topic.CARD, card=replace(card, candidates=tuple(people)))
            self._looked(asked)
            await self._desk.history.show()

    def _looked(self, draft: str) -> None:
        if self._looking[0] == draft:
            self._looking[1].set()

    def looks_for_people(self, card: CardAtHand) -> bool:
        """Whether the people of the number that came with that card are not known yet."""
        return self._looking[0] == card.draft and not self._looking[1].is_set()

    async def people_known(self, card: CardAtHand) -> bool:
        """Wait until the people of its number are among its candidates; never long. False where they are not."""
        draft, known = self._looking
        if draft == card.draft:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PEOPLE_S):
                    await known.wait()
        return known.is_set() and draft == card.draft

    async def edit(self, card_id: str) -> None:
        """«Редактирование»: a card of the journal on the work screen. One that was asked for meanwhile, or came with
        its call, goes before it: then that one stays."""
        self._coming = coming = object()
        card = await self._desk.on_journal(lambda journal: journal.card(card_id))
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD, card=card_id)
        await self._all_kept()
        if self._coming is not coming:
            return
        self._desk.announcing.seen(card_id)
        reopened = steps.reopened(card)
        self._desk.change(Topic.CARD, card=reopened)
        await self._desk.history.show()
        await self._desk.insured.offer_for(reopened)

    def type_field(self, field: str, value: str) -> None:
        """The operator wrote into a field of the form; of one that was closed meanwhile, see ``also_typed``."""
        card = self._at_hand()
        if card.saved is not None and not card.editable:
            self._keep_late(card.saved, steps.too_late(card, steps.typed(card, field, value)))
            return
        self.put(steps.typed(card, field, value), Topic.TYPED)
        if field == "phone":
            self._desk.history.number_typed(value)

    def choose_result(self, code: str) -> None:
        """Another result than the theme's own."""
        self.put(steps.typed(self._at_hand(), "result", code))

    def choose_source(self, source: str) -> None:
        """How the appeal came. Refusals: CARD_SAVED once it is registered, RIGHT_MISSING for ways without a call."""
        card = self._at_hand()
        if card.saved is not None:
            raise Refusal(Code.CARD_SAVED)
        way = self._desk.catalogue.ways.get(source)
        if way is not None and way.without_call and self._desk.state.operator is not None:
            demand(self._desk.state.operator.role, Right.CARD_WITHOUT_CALL)
        self.put(steps.filled_in(card, "source", str(source)))

    async def add_item(self, asked: CardAtHand, field: str, item: dict[str, Any]) -> bool:
        """One more entry in a list of that card (a file, an answer). As ``change``."""

        def added(card: CardAtHand) -> CardAtHand:
            return replace(card, fields={**card.fields, field: [*(card.fields.get(field) or ()), item]})

        return await self.change(asked, added)

    def choose_operator(self, user: str) -> None:
        """Whom to hand the appeal on to, by the number of the user."""
        self.put(steps.filled_in(self._at_hand(), "operator", user))

    def choose_organisation(self, name: str) -> None:
        """Which organisation the result concerns."""
        self.put(steps.filled_in(self._at_hand(), "organisation", name))

    def fill_comment(self, text: str) -> None:
        """A comment the program writes for the operator."""
        self.put(steps.filled_in(self._at_hand(), "comment", text))

    def detach(self) -> None:
        """«Открепить»: a wrong person is taken off the card; what the registry had filled in goes, typing stays."""
        card = self._at_hand()
        if card.person is None and not card.fields.get("enp"):
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Застрахованное лицо"))
        self.put(steps.unbound(card))

    async def attach(self, person: Person) -> None:
        """«прикрепить»: the person is the insured, and the caller too unless the card names a representative."""
        asked = self._at_hand()
        person = await self._desk.insured.living(person)
        card = self.still(asked)
        differing = steps.kept_values(card, person)
        self.put(steps.bound(card, person))
        if differing:
            names = ", ".join(tr(FIELD_TITLES[field]).lower() for field in differing)
            self._desk.notice(tr("Введённое вами не заменено: {fields}. ^T — Применить.").format(fields=names))
        elif card.represented:
            words = tr("Прикреплён застрахованный: {name}. Сведения обратившегося — ^T, «Применить».")
            self._desk.notice(words.format(name=person.full_name))
        await self._desk.history.show()

    def apply_person(self, person: Person) -> None:
        """«Применить»: the person's data are the caller's personal information; what was typed there is told."""
        before = self._at_hand()
        # Of a caller who is the insured himself «прикрепить» and «Применить» are one act.
        after = steps.applied(before if before.represented else steps.bound(before, person), person)
        self.put(after)
        if gone := steps.replaced(before, after):
            told = ", ".join(f"{tr(FIELD_TITLES[field]).lower()} «{value}»" for field, value in gone.items())
            self._desk.notice(tr("Заменено введённое вами: {fields}.").format(fields=told), urgent=True)

    async def represent(self, asked: CardAtHand, values: dict[str, str]) -> bool:
        """Who speaks for the insured, and the two consents: ``values`` by field, dates ISO. As ``change``."""
        return await self.change(asked, lambda card: steps.represented(card, values))

    async def type_all(self, asked: CardAtHand, values: Mapping[str, str]) -> bool:
        """Several fields that were written in a window. As ``change``."""
        return await self.change(asked, lambda card: steps.all_typed(card, values))

    def choose_theme(self, theme: Theme) -> None:
        """The theme, its type, its default result and its first answer in one act."""
        card = steps.themed(self._at_hand(), theme, self._desk.catalogue)
        if not card.fields.get("comment"):
            scripts = self._desk.parts.answers.for_theme(theme.code)
            if scripts:
                # The comment is offered from the answer used (functions.md 1.2); the operator may write his own.
                card = replace(card, fields={**card.fields, "comment": scripts[0].title})
        self.put(card)

    def tick_earlier(self, card_id: str) -> None:
        """Tick or untick an earlier appeal, to be attached when the card is saved (K-5.1.7.4)."""
        card = self._at_hand()
        links = list(card.fields.get("links", ()))
        links = [link for link in links if link != card_id] if card_id in links else [*links, card_id]
        self.put(replace(card, fields={**card.fields, "links": links}))

    async def save(self) -> Card:
        """«Сохранить»: the card is in the journal, «В работе» (K-5.1.6.3)."""
        return await self.write(lambda journal, draft: journal.save(draft))

    async def close(self) -> Card:
        """«Закрыть обращение» with the result and comment in the form: «На рассмотрении» (K-6.1.4)."""
        card = self._at_hand()
        code = str(card.fields.get("result", ""))
        asked = asked_with(code, self._desk.catalogue)
        given = {field: card.fields.get(field) for field in ("result", "comment", *asked)}
        if given.get("operator"):
            given["operator"] = self._desk.appeals.worker_number(str(given["operator"]))
            self._desk.appeals.demand_consent(card.fields, given["operator"])
        return await self.write(lambda journal, draft: journal.save_and_close(draft, given), finished=True)

    async def write(self, work: Callable[[Journal, Any], Card], *, finished: bool = False) -> Card:
        """Write the card at hand by ``work(journal, draft)``; refused, what was typed stays and goes into the draft."""
        card = self._at_hand()
        if not card.editable:
            raise Refusal(Code.LOCKED, card=card.saved.id if card.saved else "")
        self._cancel_draft_timer()
        if card.script and card.script not in card.fields.get("answers", ()):
            used = [*card.fields.get("answers", ()), card.script]
            card = replace(card, fields={**card.fields, "answers": used})
            self._desk.state = replace(self._desk.state, card=card)
            script = card.script
            await self._desk.on_journal(
                lambda journal: journal.record(Kind.ANSWER_USED, {"script": script, "call": card.call})
            )
        draft = steps.to_draft(card, self._desk.clock.now_ms())
        try:
            saved = await self._desk.on_journal(lambda journal: work(journal, draft))
        except Refusal:
            self._schedule_draft()
            raise
        self._desk.begun.became(card.draft, saved.id)
        shown = self._desk.state.card
        after, typed, late = None, False, dict[str, Typed]()
        if shown is not None and shown.draft == card.draft:  # a call taken meanwhile has brought its own card
            as_saved = replace(steps.saved_as(shown, saved), finished=finished)
            after = steps.typed_since(as_saved, card, shown)
            typed = after is not as_saved
            late = {} if after.editable else steps.too_late(card, shown)
            self._desk.change(Topic.CARD, card=after)
            if typed:
                self._schedule_draft()
            else:
                self._cancel_draft_timer()
        with contextlib.suppress(Refusal):  # the card is saved: a draft that stays is no reason to say it is not
            on_disk = await self._desk.on_journal(
                lambda journal: self._end_draft(journal, card, saved, after, typed=typed)
            )
            late = {**on_disk, **late}  # what stands in the form is the newer
        if late:
            self._keep_late(saved, late)
            await self._desk.begun.flush()
            with contextlib.suppress(Refusal):
                await self._desk.on_journal(lambda journal: journal.drop_draft(card.draft))
        await self._desk.refresh_journal()
        self._desk.parts.kick()
        return saved

    def _end_draft(
        self, journal: Journal, before: CardAtHand, saved: Card, after: CardAtHand | None, *, typed: bool
    ) -> dict[str, Typed]:
        """The draft of a card that was saved has come to disk once more, with what was typed while that took its time:
        it goes, and what was not saved stands in a draft of the saved card. On the journal's thread; ``after`` is that
        card in the form, ``typed`` into since, None where another one has come. Returns the words that a card which
        was closed takes no more: they have to be kept before the draft goes."""
        late = next((one for one in journal.drafts() if one.id == before.draft), None)
        form = steps.from_draft(late, saved) if late is not None else None
        if form is None:
            return {}
        if not form.editable:
            return steps.too_late(before, form)
        if after is None:
            as_saved = steps.saved_as(form, saved)
            after = steps.typed_since(as_saved, before, form)
            typed = after is not as_saved
        if typed:
            journal.put_draft(steps.to_draft(after, self._desk.clock.now_ms()))
        journal.drop_draft(before.draft)
        return {}

    def _keep_late(self, saved: Card, words: Mapping[str, Typed]) -> None:
        """Words for an appeal that takes none any more wait as a begun form does, to be read and copied."""
        of = FormOf(_TOO_LATE, saved.id)
        known = self._desk.begun.kept(of)
        lines = {**known.lines, **words} if known is not None else words
        self._desk.begun.keep(of, tr("Набрано при закрытии"), lines, self._desk.refused)

    def also_typed(self, closed: Card) -> str:
        """What is said behind the word that this appeal is closed: where the words are that came too late for it."""
        if self._desk.begun.kept(FormOf(_TOO_LATE, closed.id)) is None:
            return ""
        return " " + tr("Набранное за это время не вошло: оно в «Что ждёт» (в журнале ^Y).")

    def leave(self) -> Awaitable[None]:
        """Put away the card that is at hand when this is called; what is unsaved stays in its draft.

        Its draft is written first. A card that comes meanwhile, a caller's or one that was added, stays.
        """
        return self._left(self._desk.state.card)

    async def _left(self, left: CardAtHand | None) -> None:
        await self._all_kept()
        now = self._desk.state.card
        if now is not None and left is not None and now.same_as(left):
            self._desk.change(Topic.CARD, card=None)

    # drafts

    def _schedule_draft(self) -> None:
        if self._draft_timer is None:
            loop = asyncio.get_running_loop()
            self._draft_timer = loop.call_later(DRAFT_DELAY_S, lambda: self._desk.background(self.flush_draft()))

    def _cancel_draft_timer(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.cancel()
            self._draft_timer = None

    def _due_draft(self) -> Draft | None:
        """The draft that waits for its second to pass, None when everything typed is on disk."""
        due = self._draft_timer is not None
        self._cancel_draft_timer()
        card = self._desk.state.card
        return steps.to_draft(card, self._desk.clock.now_ms()) if due and card is not None and card.editable else None

    async def flush_draft(self) -> None:
        """Put what was typed on disk now. Nothing to do when nothing was."""
        draft = self._due_draft()
        if draft is not None:
            await self._desk.on_journal(lambda journal: journal.put_draft(draft))

    async def _all_kept(self) -> None:
        """What was typed is on disk, also what was typed while the disk was busy: the card may go now."""
        while self._draft_timer is not None:
            await self.flush_draft()

    async def restore_draft(self) -> None:
        """The card that was open when the desk last went away, as it was left; that of who is on the line, if any."""
        drafts = await self._desk.on_journal(lambda journal: journal.drafts())
        if not drafts or self._desk.state.card is not None:
            return
        call = self._desk.state.call
        of_call = [kept for kept in drafts if call is not None and kept.call == call.id]
        await self.bring(max(of_call or drafts, key=lambda kept: kept.updated_ms))
        self._desk.notice(tr("Черновик восстановлен: продолжайте с того же места."))

    async def bring(self, draft: Draft) -> None:
        """The card kept in that draft comes before the operator as it was left, with its history and its person; while
        it names nobody, with the people of its number. As ``edit`` it gives way to one asked for later."""
        self._coming = coming = object()
        saved = await self._desk.on_journal(lambda journal: journal.card(draft.card)) if draft.card else None
        await self._all_kept()
        if self._coming is not coming:
            return
        self._desk.change(Topic.CARD, card=steps.from_draft(draft, saved))
        if draft.fields.get("phone") and not (draft.fields.get("enp") or draft.fields.get("surname")):
            await self.find_caller(str(draft.fields["phone"]))
            return
        await self._desk.history.show()
        await self.recall_person()

    async def recall_person(self) -> None:
        """The registry is open: who was bound to the restored card is known again."""
        card, registry = self._desk.state.card, self._desk.parts.registry
        enp = str(card.fields.get("enp", "")) if card is not None and card.person is None else ""
        if not enp or registry is None:
            return
        person = await self._desk.run_registry(registry.person, enp)
        now = self._desk.state.card
        if person is not None and now is not None and now.fields.get("enp") == enp:
            self._desk.change(Topic.CARD, card=replace(now, person=person))

"""What commands do that belong to no single screen: the telephone, moves of an appeal, lists and questions above."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from operator_tui.appeal_acts import AppealActs
from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import STATUS_TITLES
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.begun_acts import BegunActs
from operator_tui.call_acts import CallActs
from operator_tui.desk.desk import Desk
from operator_tui.desk.shift import Waits
from operator_tui.i18n import tr
from operator_tui.journal.happened import Happened
from operator_tui.typeahead import KeysInOrder
from screens.ask import WORKER_OR_WORDS, AskScreen, by_words, offering
from screens.base import DeskScreen
from screens.directory import DirectoryScreen
from screens.help import HelpScreen
from screens.news import NewsScreen
from screens.password import PasswordScreen
from screens.returned import ReturnedScreen
from screens.shift import Handed, ShiftScreen, SoundCheckScreen
from screens.themes import THEMES
from screens.timeline import TimelineScreen
from screens.words import act_word, appeal_text, call_line, happened_cells, local_time
from widgets.lean import LeanInput, LeanTextArea
from widgets.rows import Row

_DAY = "%d.%m"  # as the calls of other days are told


class DeskActs(CallActs, AppealActs, BegunActs, KeysInOrder):
    """The acts of the desk, by the id of their command; a screen's own handlers come before these."""

    desk: Desk

    def action_command(self, command_id: str) -> None:
        """Run a command where it belongs, or say why it can not be run now; the application knows where that is."""
        raise NotImplementedError

    def acts(self) -> dict[str, Callable[[], Any]]:
        """What each command does here."""
        phone = self.desk.phone
        return {
            "phone.answer": phone.answer,
            "phone.hang_up": self._hang_up,
            "phone.hold": phone.toggle_hold,
            "phone.begin_work": self._begin_work,
            "phone.end_work": self._end_work,
            "phone.check": self._check_sound,
            "phone.waiting": self._what_waits,
            "phone.transfer": self._transfer,
            "phone.mute": phone.toggle_mute,
            "phone.directory": self._directory,
            "phone.record_pause": self._pause_record,
            "phone.call_back": phone.call_back,
            "phone.join": phone.join,
            "phone.swap": phone.swap,
            "phone.dial": self._dial,
            "phone.consult": lambda: self._ask_colleague(tr("Посоветоваться с коллегой"), phone.consult),
            "phone.help": phone.ask_administrator,
            "phone.dtmf": lambda: self._ask_number(tr("Тоновый набор"), phone.dtmf),
            "card.add": self._add_card,
            "appeal.timeline": lambda: self._timeline(tr("Просмотр: обращение {number}")),
            "appeal.history": lambda: self._timeline(tr("История обращения {number}")),
            "appeal.call_back": self._call_back,
            "people.open": lambda: self.switch_mode("people"),
            "reference.open": lambda: self.switch_mode("reference"),
            "desk.password": self._change_password,
            "review.open": lambda: self.switch_mode("review"),
            "appeal.withdraw": lambda: self._appeal(Act.WITHDRAW),
            "appeal.take": lambda: self._appeal(Act.TAKE),
            "appeal.resume": lambda: self._appeal(Act.RESUME),
            "appeal.reopen": lambda: self._appeal(Act.REOPEN),
            "appeal.reassign": self._reassign,
            "appeal.void": lambda: self._ask_appeal(Act.VOID, "reason", tr("Причина, затем Enter"), "void"),
            **self.appeal_acts(),
            **self.call_acts(),
            "journal.returned": lambda: self.push_screen(ReturnedScreen()),
            "journal.home": self._home,
            "desk.card": lambda: self.switch_mode("work"),
            "text.undo": self._undo_text,
            "desk.help": self._help,
            "desk.menu": self._help,
            "desk.repaint": lambda: self.refresh(layout=True),
            "desk.theme": self._next_theme,
        }

    def _undo_text(self) -> None:
        """What was typed last where the cursor stands is taken back; above a screen the field does it by itself."""
        if isinstance(self.focused, LeanInput | LeanTextArea):
            self.focused.action_undo()

    def _appeal_at_hand(self) -> str:
        screen = self.screen
        card_id = screen.current_appeal() if isinstance(screen, DeskScreen) else ""
        if not card_id:
            raise Refusal(Code.NO_ROW_CHOSEN)
        return card_id

    async def _timeline(self, title: str) -> None:
        """The appeal at hand and what happened to it; ``title`` by which of its two commands."""
        card, entries = await self.desk.appeals.timeline(self._appeal_at_hand())
        zone = self.desk.state.operator.zone if self.desk.state.operator else "Europe/Moscow"
        about = appeal_text(card, self.desk.catalogue, zone)
        names = self.desk.appeals.names()

        def cells(shown: Sequence[Happened]) -> list[tuple[str, str, str]]:
            return [happened_cells(entry, zone, names) for entry in shown]

        screen = TimelineScreen(title.format(number=card.value("number")), cells(entries), about)
        self.push_screen(screen)

        async def complete() -> None:
            """What only the centre knows is put in when it has answered: nobody waits for it."""
            if talks := await self.desk.appeals.talks(card, entries):
                screen.show_entries(cells(sorted([*entries, *talks], key=lambda entry: entry.at_ms)))

        self.desk.background(complete())

    async def _call_back(self) -> None:
        await self.desk.appeals.call_back(self._appeal_at_hand())
        self.switch_mode("work")

    async def _appeal(self, act: Act, **given: str) -> None:
        """An act on the appeal at hand: the open card, or the row under the cursor."""
        await self._move_appeal(self._appeal_at_hand(), act, **given)

    async def _move_appeal(self, card_id: str, act: Act, **given: str) -> None:
        card = await self.desk.appeals.move(card_id, act, **given)
        status = tr(STATUS_TITLES[card.status])
        self.desk.notice(
            tr("{act}: обращение {number}, статус «{status}».").format(
                act=act_word(act.value), number=card.value("number"), status=status
            )
        )

    def _ask_appeal(self, act: Act, field: str, hint: str, reasons: str = "") -> None:
        """Ask for one thing and do the act; ``reasons`` names those of the administration's that are offered."""
        card_id = self._appeal_at_hand()
        of = FormOf(act.value, card_id)

        def answered(text: str | None) -> None:
            if text and isinstance(self.screen, DeskScreen):
                move = lambda: self._move_appeal(card_id, act, **{field: text})  # noqa: E731  # too long for one line
                self.screen.guard(lambda: self.desk.begun.sent(of, move))

        find = offering(self.desk.reference.reasons(reasons)) if reasons else None
        self.push_screen(AskScreen(act_word(act.value), hint, find, of=of), answered)

    async def _reassign(self) -> None:
        """To another worker, from those who work here."""
        card_id, people = self._appeal_at_hand(), await self.desk.appeals.workers()

        def chosen(user: str | None) -> None:
            if user and isinstance(self.screen, DeskScreen):
                self.screen.guard(lambda: self._move_appeal(card_id, Act.REASSIGN, operator=user))

        known = by_words([Row(str(user), (str(user), words)) for user, words in people.items()])

        def find(text: str) -> Sequence[Row]:
            number = text.strip()
            stranger = [Row(number, (number, tr("на этом месте неизвестен")))] if number.isdigit() else []
            return known(text) or stranger

        self.push_screen(AskScreen(act_word(Act.REASSIGN.value), tr(WORKER_OR_WORDS), find), chosen)

    def _change_password(self) -> None:
        if not self.desk.seat.has_password:
            raise Refusal(Code.NOBODY_SIGNS_IN)

        def changed(done: bool | None) -> None:
            if done:
                self.desk.notice(tr("Сменён: с ним вы входите и открываете экран."))

        self.push_screen(PasswordScreen(self.desk.seat.change_password, pin=self.desk.seat.has_pin), changed)

    def _add_card(self) -> Awaitable[None]:
        self.switch_mode("work")  # at once: what is typed next belongs there
        self.desk.notice("")  # it was about another card
        return self.desk.card.open()

    def _home(self) -> Awaitable[None]:
        self.switch_mode("journal")
        return self.desk.card.flush_draft()

    async def _begin_work(self) -> None:
        """«Начало работы»: the line, then the microphone by ear, then what waits for the operator."""
        await self.desk.phone.begin_work()
        if self.desk.phone.sound_to_check:
            self.push_screen(SoundCheckScreen(), lambda _: self.desk.background(self._what_waits()))
        else:
            await self._what_waits(quietly=True)

    async def _what_waits(self, *, quietly: bool = False) -> None:
        """What waits for this operator; nothing is shown ``quietly``."""
        waiting = await self.desk.phone.shift.beginning()
        if not quietly or any(not one.known for one in waiting):
            self.push_screen(ShiftScreen(tr("Что ждёт"), waiting, ends=False), self._take_up)

    async def _end_work(self) -> None:
        """«Завершить»: what is unfinished is shown first; with nothing left it is done at once."""
        waiting = await self.desk.phone.shift.waiting()
        if not waiting:
            await self.desk.phone.finish()
            return
        self.push_screen(ShiftScreen(tr("Не закончено"), waiting, ends=True), self._take_up)

    async def _show_left(self) -> None:
        """The work has ended by itself, as it was chosen in the talk: what is unfinished is shown now."""
        waiting = await self.desk.phone.shift.waiting()

        def taken_up(chosen: Waits | Handed | str | None) -> None:
            if isinstance(chosen, Handed):
                self.hand_over(chosen.waits, self._show_left)
            elif chosen != ShiftScreen.END:
                self._take_up(chosen)

        if waiting:
            self.push_screen(ShiftScreen(tr("Не закончено"), waiting, ends=True), taken_up)

    def _take_up(self, chosen: Waits | Handed | str | None) -> None:
        if chosen == ShiftScreen.END:
            self.desk.background(self.desk.phone.finish())
        elif isinstance(chosen, Handed):
            self.hand_over(chosen.waits, self._end_work)
        elif isinstance(chosen, Waits) and chosen.news:
            self.desk.background(self._read_news(chosen.news))
        elif isinstance(chosen, Waits) and chosen.begun is not None:
            self.look_at_begun(chosen.begun, self._what_waits)
        elif isinstance(chosen, Waits) and (chosen.card or chosen.draft or chosen.call):
            self.switch_mode("work")
            self.desk.background(self.desk.phone.shift.open(chosen))

    async def _read_news(self, mark: str) -> None:
        """An announcement in full; what is left is listed again behind it."""
        news = next((one for one in await self.desk.phone.shift.unread() if one.mark == mark), None)

        async def done(read: bool) -> None:
            if read and news is not None:
                await self.desk.phone.shift.read(news)
            await self._what_waits(quietly=True)

        if news is not None:
            self.push_screen(NewsScreen(news), lambda read: self.desk.background(done(bool(read))))

    def _check_sound(self) -> None:
        self.push_screen(SoundCheckScreen())

    def _transfer(self) -> None:
        """«Перевести на другого специалиста»: by extension or from the directory (K-5.1.8)."""
        self._ask_colleague(tr("Перевести на другого специалиста"), self.desk.phone.transfer)

    def _pause_record(self) -> Awaitable[None] | None:
        """Recording goes on again; or it stops, and the reason is asked first."""
        call = self.desk.state.call
        if call is not None and call.recording == "paused":
            return self.desk.phone.resume_record()
        if call is None or not call.recording:
            raise Refusal(Code.RECORD_OFF)

        act = self.with_this_call(self.desk.phone.pause_record)

        def asked(reason: str | None) -> None:
            if reason:
                self.desk.background(act(reason))

        find = offering(self.desk.reference.reasons("pause"))
        self.push_screen(AskScreen(tr("Приостановить запись"), tr("Причина, затем Enter"), find), asked)
        return None

    def _directory(self) -> None:
        """The directory; Enter gives the caller to the colleague, or calls him when nobody is on the line."""
        before = self.desk.state.call
        talked = before is not None and before.answered_ms is not None

        async def to_colleague(number: str) -> None:
            call = self.desk.state.call
            if call is not None and call.answered_ms is not None:
                await self.desk.phone.transfer(number)
            elif talked:
                raise Refusal(Code.NO_SUCH_CALL)  # the caller to be given is gone: nobody is called in his place
            else:
                await self.desk.phone.dial(number)

        self._ask_colleague(tr("Телефонный справочник"), to_colleague)

    def _ask_colleague(self, title: str, act: Callable[[str], Awaitable[None]]) -> None:
        """Ask for a colleague, and do the act with his number."""
        act = self.with_this_call(act)

        def asked(number: str | None) -> None:
            if number:
                self.desk.background(act(number))

        own = self.desk.state.registration.extension
        colleagues = (one for one in self.desk.colleagues.everybody() if one.extension != own)
        everybody = (*colleagues, *self.desk.colleagues.outside())
        earlier, recommended = self.desk.phone.talks.earlier(), self.desk.scripts.recommended()
        self.push_screen(DirectoryScreen(title, everybody, earlier, recommended), asked)

    def _dial(self) -> None:
        """A number is typed, or one of the last calls taken: Enter alone dials the last one again."""
        act = self.with_this_call(self.desk.phone.dial)
        zone = self.desk.promises.zone
        last = {f"call {place}": call for place, call in enumerate(self.desk.phone.last_calls())}
        today = local_time(self.desk.clock.now_ms(), zone, _DAY)
        rows = []
        for key, call in last.items():
            day = local_time(call.started_ms, zone, _DAY)
            rows.append(
                Row(key, (local_time(call.started_ms, zone, "%H:%M"), call_line(call, "" if day == today else day)))
            )

        def find(text: str) -> list[Row]:
            typed, found = text.strip(), by_words(rows)(text)
            # What finds no call is dialled as it stands, and refused where it is no number.
            dialled = typed and (not found or any(letter.isdigit() for letter in typed))
            return [Row(typed, ("", typed)), *found] if dialled else list(found)

        def asked(chosen: str | None) -> None:
            if chosen and (number := last[chosen].number if chosen in last else chosen):
                self.desk.background(act(number))
            elif chosen:
                self.desk.notice(tr("Номер скрыт: перезвонить на него нельзя."), urgent=True)

        self.push_screen(AskScreen(tr("Позвонить"), tr("Номер, затем Enter; ниже — последние вызовы"), find), asked)

    def _ask_number(self, title: str, act: Callable[[str], Awaitable[None]]) -> None:
        """Ask for a number, and do the act with it."""
        act = self.with_this_call(act)

        def asked(number: str | None) -> None:
            if number:
                self.desk.background(act(number))

        self.push_screen(AskScreen(title, tr("Номер, затем Enter")), asked)

    def _help(self) -> None:
        if isinstance(self.screen, DeskScreen):
            self.push_screen(HelpScreen(self.screen.situation()), self._run_chosen)

    def _run_chosen(self, command_id: str | None) -> None:
        if command_id is not None:
            self.action_command(command_id)

    def _next_theme(self) -> None:
        names = [known.name for known in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]

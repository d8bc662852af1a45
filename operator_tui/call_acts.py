"""What the telephone's commands do beyond the call itself: the next state, threats and incidents, the alarm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from operator_tui.appeals.alarm import DANGER_TITLES, TOLD_TITLES, WHAT_TO_DO, Danger, Report, Told
from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.presence import State
from operator_tui.asking import Asking
from operator_tui.colleagues.directory import PSYCHOLOGIST
from operator_tui.desk.devices import AS_SET, WAY_TITLES
from operator_tui.desk.shift import Waits
from operator_tui.desk.states import END, READY
from operator_tui.i18n import mark, tr
from operator_tui.phone.line import Call
from operator_tui.reference import packaged_threat
from screens.ask import NUMBER_OR_WORD, AskScreen, numbered
from screens.directory import DirectoryScreen
from screens.threat import ThreatScreen
from screens.words import local_time

_MORE_REASONS = (
    mark("дописываю обращение"),
    mark("ищу ответ"),
    mark("программа или связь"),
    mark("тяжёлый разговор"),
)
_REJECT_REASONS = (
    mark("занят другим обращением"),
    mark("нет связи или звука"),
    mark("ошибочный или повторный вызов"),
    mark("хулиганский вызов"),
)
Chosen = Callable[[str], Awaitable[None]]


class CallActs(Asking):
    """The acts; mixed into the application, which has the screens."""

    def call_acts(self) -> dict[str, Callable[[], Any]]:
        """What each command of this room does."""
        return {
            "phone.ready": self._change_state,
            "phone.more": self._more_time,
            "phone.threat": self._threat,
            "phone.incident": self._incident,
            "phone.louder": lambda: self.desk.phone.change_volume(25),
            "phone.quieter": lambda: self.desk.phone.change_volume(-25),
            "phone.devices": self._devices,
            "phone.bind": self.desk.phone.talks.bind,
            "phone.elsewhere": self._other_telephone,
            "phone.alarm": self._alarm,
            "phone.reports": self._reports,
        }

    def _hang_up(self) -> Awaitable[None] | None:
        """The talk ends; of a call that only rings the reason is asked first, and it rings on meanwhile."""
        call = self.desk.state.call
        if call is None or not call.rings_here:
            return self.desk.phone.hang_up()
        self.desk.phone.demand_meant()

        self.desk.phone.talks.by_hand(call)

        async def rejected(reason: str) -> None:
            await self.desk.phone.reject(call.id, reason)

        reasons = [(reason, tr(reason)) for reason in _REJECT_REASONS]
        self._choose(tr("Отклонить вызов: почему"), reasons, rejected)
        return None

    def _devices(self) -> None:
        """Microphone, headphones or bell, then which device."""
        devices = self.desk.phone.devices

        async def way_chosen(way: str) -> None:
            names = [(name, name) for name in devices.names(way)]
            others = [("", tr("как в системе")), (AS_SET, tr("как в настройках"))]
            self._choose(tr(WAY_TITLES[way]), [*names, *others], partial(devices.choose, way))

        ways = [(way, f"{tr(title)}: {devices.used(way) or '—'}") for way, title in WAY_TITLES.items()]
        self._choose(tr("Устройства звука"), ways, way_chosen)

    # states

    def _end_work(self) -> Awaitable[None]:
        """«Завершить», with what is unfinished shown first."""
        raise NotImplementedError

    def _change_state(self) -> Awaitable[None] | None:
        """Ready after a call or a break; a kind of break when free; what comes next while somebody is on the line."""
        states = self.desk.phone.states
        at = self.desk.state.presence.state
        if at in (State.WRAP_UP, State.BREAK):
            return self._end_work() if self.desk.state.next_state == END else self.desk.phone.ready()
        breaks = [(one.code, self._break_words(one.title, one.minutes)) for one in states.kinds]
        if at is State.FREE:
            if len(breaks) == 1:
                return states.choose(breaks[0][0])
            self._choose(tr("Перерыв"), breaks, states.choose)
        else:
            after = [*breaks, (END, tr("завершить работу")), (READY, tr("готов к следующему вызову"))]
            self._choose(tr("После разговора"), after, states.choose)
        return None

    @staticmethod
    def _break_words(title: str, minutes: int) -> str:
        return tr("{title}, {minutes} мин").format(title=title, minutes=minutes) if minutes else title

    def _more_time(self) -> None:
        self._choose(
            tr("Ещё время: почему"), [(reason, tr(reason)) for reason in _MORE_REASONS], self.desk.phone.states.more
        )

    # threats and incidents

    def _threat(self) -> Awaitable[None]:
        """Of the call that is there when the key is pressed; whoever is on the line a moment later is another."""
        return self._threatened(self.desk.phone.talks.threatening(), self.with_this_call(self.desk.phone.consult))

    async def _threatened(self, call: Call | None, consult: Chosen) -> None:
        await self.desk.phone.talks.threat(call)
        outside = self.desk.colleagues.outside()
        helpers = sorted(outside, key=lambda one: one.organisation != PSYCHOLOGIST)

        def asked(number: str | None) -> None:
            if number:
                self._guard(lambda: consult(number))

        recorded = any(one.id == call.id and one.recording for one in self.desk.state.calls) if call else False
        self._app.push_screen(ThreatScreen(packaged_threat().splitlines(), helpers, recorded=recorded), asked)

    def _incident(self) -> None:
        async def told(text: str) -> None:
            await self.desk.alarms.report(Told.INCIDENT, text)
            self.desk.notice(tr("Администратору сообщено: {text}.").format(text=text))

        self._ask(tr("Нештатная ситуация"), tr("Что случилось, затем Enter"), told, FormOf("incident"))

    def _other_telephone(self) -> None:
        move = self.with_this_call(self.desk.phone.talks.move_to)
        self._ask(tr("Продолжить на телефоне"), tr("Номер телефона, затем Enter"), move)

    # the administrator

    def _alarm(self) -> None:
        """One switch: every desk shows what to do."""
        rows = [
            (kind.value, f"{tr(DANGER_TITLES[kind])}: {tr(WHAT_TO_DO[kind])}" if kind in WHAT_TO_DO else tr(title))
            for kind, title in DANGER_TITLES.items()
        ]

        async def chosen(kind: str) -> None:
            await self.desk.alarms.sound(Danger(kind))

        self._choose(tr("Тревога для всех рабочих мест"), rows, chosen)

    async def _reports(self) -> None:
        """What the desks have told; Enter calls the one who told it, or opens his appeal."""
        reports = await self.desk.alarms.reports()
        if not reports:
            self.desk.notice(tr("Донесений нет."))
            return
        by_id = {one.id: one for one in reports}
        zone = self.desk.promises.zone
        rows = [(one.id, f"{local_time(one.ms, zone)} {self.desk.alarms.words(one)}") for one in reports]

        async def chosen(key: str) -> None:
            await self._take_report(by_id[key])

        self._choose(tr("Донесения"), rows, chosen)

    async def _take_report(self, one: Report) -> None:
        if one.kind is Told.NO_CARD:
            await self.desk.phone.shift.open(Waits(tr(TOLD_TITLES[one.kind]), "", call=one.call, number=one.number))
            self._app.switch_mode("work")
        elif one.card:
            await self.desk.card.edit(one.card)
            self._app.switch_mode("work")
        elif one.extension:
            await self.desk.phone.dial(one.extension)

    # a shift's end

    def hand_over(self, waits: Waits, again: Callable[[], Awaitable[None]]) -> None:
        """To a colleague of the directory, with a note; then the list once more."""
        if not waits.card:
            self.desk.refused(Refusal(Code.NOTHING_TO_HAND))
            return
        own = self.desk.state.operator.user if self.desk.state.operator else 0
        colleagues = {one.extension: one for one in self.desk.colleagues.everybody() if one.user not in (0, own)}

        def to(number: str | None) -> None:
            one = colleagues.get(number or "")
            if one is None:
                self._guard(again)
                return

            of = FormOf("note", waits.card, str(one.user))

            async def hand(note: str) -> None:
                await self.desk.phone.shift.hand_over(waits, one.user, note)

            async def noted(note: str) -> None:
                await self.desk.begun.sent(of, lambda: hand(note))
                await again()

            def answered(note: str | None) -> None:
                if note:
                    self._guard(lambda: noted(note))

            title, hint = tr("Записка: {name}").format(name=one.name), tr("Что передать словами, затем Enter")
            self._app.push_screen(AskScreen(title, hint, of=of), answered)

        self._app.push_screen(DirectoryScreen(tr("Кому передать"), tuple(colleagues.values()), dials=False), to)

    # questions

    def with_this_call(self, act: Chosen) -> Chosen:
        """The act, if whom one talks to when it is chosen is whom one talked to when it was asked for."""
        before = self.desk.state.call

        async def chosen(what: str) -> None:
            now = self.desk.state.call
            if now is not None and now.answered_ms is not None and (before is None or now.id != before.id):
                raise Refusal(Code.CALL_OTHER)
            await act(what)

        return chosen

    def _ask(self, title: str, hint: str, act: Chosen, of: FormOf | None = None) -> None:
        """``of``: words that are kept until they are sent."""

        def answered(text: str | None) -> None:
            if text and of is not None:
                self._send(of, lambda: act(text))
            elif text:
                self._guard(lambda: act(text))

        self._app.push_screen(AskScreen(title, hint, of=of), answered)

    def _choose(self, title: str, options: Sequence[tuple[str, str]], act: Chosen) -> None:
        """One of them by number, by a beginning, or by the arrows."""

        def chosen(code: str | None) -> None:
            if code is not None:
                self._guard(lambda: act(code))

        self._app.push_screen(AskScreen(title, tr(NUMBER_OR_WORD), numbered(options)), chosen)

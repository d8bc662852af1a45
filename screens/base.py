"""What every screen of the desk has: header, telephone, notice, keys; and how a command finds its handler."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual import work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.worker import Worker, WorkerError

from operator_tui import commands
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.people import ROLE_TITLES, SHORT_ROLE_TITLES, short_name
from operator_tui.appeals.presence import TITLES as PRESENCE_TITLES
from operator_tui.appeals.presence import State
from operator_tui.desk.alarms import alarm_words
from operator_tui.desk.state import Light, Notice, Topic
from operator_tui.desk.talks import language_word
from operator_tui.i18n import mark, tr
from operator_tui.phone.line import CallState
from screens.state_words import behind_call, quiet_line, standing_marks, taken_by_itself
from screens.words import call_text, key_name, light_words, phone_words, queue_words, registry_word
from widgets.compositor import LeanCompositor
from widgets.header import Header
from widgets.key_bar import KeyBar
from widgets.notice import NoticeLine
from widgets.phone_bar import PhoneBar

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

log = logging.getLogger(__name__)
_WIDE = 110  # columns from which on every word of the header has room
INTERNAL = mark("Внутренняя ошибка записана в журнал программы. Введённое сохранено.")

# A screen's method; the screen is whatever class defines it.
Handler = TypeVar("Handler", bound=Callable[[Any], Awaitable[None] | None])


class HasDesk(Protocol):
    """The application, as far as a screen knows it. ``timer_step_s`` is what the line allows a running timer."""

    desk: Desk
    timer_step_s: float


def handles(command_id: str) -> Callable[[Handler], Handler]:
    """Marks a screen's method as what a command does there."""

    def mark(handler: Handler) -> Handler:
        handler.command_id = command_id  # type: ignore[attr-defined]  # a mark on a function
        return handler

    return mark


class DeskScreen(Screen[None]):
    """A screen of the desk. Subclasses give ``body`` and handlers marked with ``handles``."""

    name_in_commands: ClassVar[str] = ""
    # The screen itself says where the next thing is to be done; Textual's first widget would steal the focus back.
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LeanCompositor()
        self._acts: set[Worker[None]] = set()
        self._standing = asyncio.Event()
        self._refused: Notice | None = None  # why the last command here was refused

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield PhoneBar(id="phone")
        yield NoticeLine(id="notice")
        yield from self.body()
        yield KeyBar(id="keys")

    def body(self) -> Iterator[Any]:
        """What the screen shows between the notice and the keys."""
        raise NotImplementedError

    @property
    def desk(self) -> Desk:
        """The desk this screen shows."""
        return cast("HasDesk", self.app).desk

    def on_mount(self) -> None:
        self.set_interval(cast("HasDesk", self.app).timer_step_s, self._tick)
        self._standing.set()
        self.paint_all()

    def on_screen_resume(self) -> None:
        self.paint_all()

    def paint_all(self) -> None:
        """Paint everything from the desk's state; nothing before there is something to paint on."""
        for topic in Topic:
            self.show_change(topic)

    def show_change(self, topic: Topic) -> None:
        """The desk changed; a screen that is not composed yet paints itself when it is."""
        if self.is_mounted:
            self.desk_changed(topic)

    def desk_changed(self, topic: Topic) -> None:
        """The desk says that something changed: repaint what shows it."""
        if topic in (Topic.LIGHTS, Topic.PHONE, Topic.JOURNAL):
            self._paint_header()
        if topic is Topic.PHONE:
            self._paint_phone()
        if topic is Topic.NOTICE:
            self._paint_notice()
        if topic in (Topic.PHONE, Topic.CARD, Topic.TYPED, Topic.JOURNAL, Topic.LIGHTS):
            self._paint_keys()

    def _tick(self) -> None:
        """The timer moves only while there is a call: a quiet desk sends nothing."""
        state = self.desk.state
        timed = state.call is not None or state.presence.state in (State.WRAP_UP, State.BREAK)
        if timed and self.is_current and self.is_mounted:
            self._paint_phone()
        if self.desk.state.queue.waiting and self.is_current and self.is_mounted:
            self._paint_header()

    def _paint_header(self) -> None:
        state = self.desk.state
        header = self.query_one(Header)
        operator = state.operator
        if operator is not None:
            presence = state.presence
            word = tr(PRESENCE_TITLES[presence.state])
            if presence.state is State.OFFLINE and state.lights.phone is Light.OFF:
                word = tr("телефон выключен")
            who, role = (operator.name, short_name(operator.name)), tr(ROLE_TITLES[operator.role])
            number, brief = f"{tr('доб.')} {operator.extension}", tr(SHORT_ROLE_TITLES[operator.role])
            # What the operator is for the queue is never cut: words give way to shorter ones, the role goes last.
            ways = (
                (who[0], role, number),
                (who[1], role, number),
                (who[1], brief, number),
                (who[1], brief, operator.extension),
                (who[1], operator.extension),
            )
            header.who(_first_fitting(ways, f"{tr(presence.account)}: {word}", self._room), self._mark())
        else:
            header.who(tr("Рабочее место запускается"), self._mark())
        lights = state.lights
        trouble = Light.TROUBLE in (lights.phone, lights.server, lights.registry)
        words = [
            f"{tr('Телефон')}: {tr(light_words('phone', lights.phone))}",
            f"{tr('Сервер')}: {tr(light_words('server', lights.server))}",
        ]
        queue = queue_words(state.queue, self.desk.clock.now_ms())
        # On a narrow screen those who wait stand where the day of the registry stood.
        if queue and lights.registry is Light.ON and self.size.width < _WIDE:
            words.append(queue)
        else:
            words += filter(None, [f"{tr('Реестр')}: {registry_word(lights)}", queue])
        unsent = f"{tr('Не отправлено')}: {lights.unsent}"
        if lights.files:
            unsent = tr("Не отпр.: {count}, файлов {files}").format(count=lights.unsent, files=lights.files)
        if state.returned:
            unsent = f"{tr('Вернулось')}: {state.returned}"
        header.lights("  ".join(words), unsent, trouble=trouble)

    @property
    def _room(self) -> int:
        return self.size.width - len(self._mark())

    def _mark(self) -> str:
        profile = {"demo": tr(" ДЕМО"), "practice": tr(" УЧЕБНЫЙ РЕЖИМ")}.get(self.desk.profile.name, "")
        return standing_marks(self.desk.state, self.desk.clock.now_ms()) + profile

    def _paint_phone(self) -> None:
        state = self.desk.state
        bar = self.query_one(PhoneBar)
        call = state.call
        if call is None:
            # After a call or in a break the next step stands where F4 stood: no new call comes before it.
            ready = " " + tr("F12 Готов") if state.presence.state in (State.WRAP_UP, State.BREAK) else ""
            begin = commands.collect().get("phone.begin_work")
            if state.lights.phone is Light.OFF and begin is not None and begin.refusal(self.situation()) is None:
                ready = f" {key_name(begin.keys[0])} {tr(begin.title)}"
            kind = self.desk.phone.states.kind(state.presence.kind).title
            bar.call(quiet_line(state, self.desk.clock.now_ms(), kind), ready)
            return
        rings = any(one.rings_here for one in state.calls)
        held = call.state is CallState.HELD and not state.others
        command = commands.collect().get("phone.answer" if rings else "phone.hold" if held else "phone.hang_up")
        word = tr("Вернуться") if held and not rings else tr(command.short or command.title) if command else ""
        hint = f" {key_name(command.keys[0])} {word}" if command and command.keys else ""
        now_ms = self.desk.clock.now_ms()
        text = call_text(call, now_ms, state.others, state.heard)
        text += behind_call(state, self.desk.phone.states.word(state.next_state))
        if state.answers_ms is not None:
            number, language = phone_words(call.number), language_word(call.language)
            text = taken_by_itself(number, self.desk.reference.queue(call.queue), language, state.answers_ms - now_ms)
        bar.call(
            text,
            hint,
            ringing=rings,
            talking=call.state is CallState.TALKING,
        )

    def _paint_notice(self) -> None:
        notice = self.desk.state.notice
        if not notice.text and self.desk.state.alarm:
            notice = Notice(alarm_words(self.desk.state.alarm), urgent=True)  # it stands for as long as it holds
        self.query_one(NoticeLine).say(notice.text, urgent=notice.urgent)

    def _paint_keys(self) -> None:
        situation = self.situation()
        keys = [
            (key_name(command.keys[0]), tr(command.word(situation)))
            for command in commands.collect().values()
            if command.footer
            and command.keys
            and command.scope in ("desk", self.name_in_commands)
            and command.id != f"{self.name_in_commands}.open"  # one is there
            and command.refusal(situation) is None
        ]
        self.query_one(KeyBar).show(keys)

    def current_appeal(self) -> str:
        """The id of the appeal at hand, empty when there is none: the open card here, a row elsewhere."""
        card = self.desk.state.card
        return card.saved.id if card is not None and card.saved is not None else ""

    def situation(self) -> commands.Situation:
        """The facts commands look at, as they are on this screen."""
        return self.desk.situation(screen=self.name_in_commands)

    # commands

    def run_command(self, command_id: str) -> bool:
        """Run a command here. False when this screen has no handler for it."""
        handler = next(
            (
                method
                for _, method in inspect.getmembers(type(self), lambda member: hasattr(member, "command_id"))
                if method.command_id == command_id
            ),
            None,
        )
        if handler is None:
            return False
        self.guard(lambda: handler(self))
        return True

    def guard(self, act: Callable[[], Awaitable[None] | None], *, asked: bool = True) -> None:
        """Run an act; what is refused is said in a sentence, and nothing typed is lost. ``asked``: the operator did.

        What needs no waiting is done before the next key is looked at: letters typed right after F6 are the theme's.
        """
        if asked:
            if self._refused is not None and self.desk.state.notice is self._refused:
                self.desk.notice("")  # why the last key was refused is of no use to the next one
            self._refused = None
        with self._told():
            waiting = act()
            if waiting is not None:
                self._acts.add(self._finish(waiting))

    def refuse(self, refusal: Refusal) -> None:
        """Say why a key did nothing, until the next command."""
        self.desk.refused(refusal)
        self._refused = self.desk.state.notice

    async def acts_done(self) -> None:
        """Wait until this screen stands and what its commands have begun is done."""
        await self._standing.wait()
        acts = [act for act in self._acts if not act.is_finished]
        self._acts = set(acts)
        for act in acts:
            # Shielded: a key's patience may run out here, and what is being saved must not be cancelled with it.
            with suppress(WorkerError):
                await asyncio.shield(act.wait())

    @work(exit_on_error=False)
    async def _finish(self, waiting: Awaitable[None]) -> None:
        with self._told():
            await waiting

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            self.refuse(refusal)
        except Exception:
            log.exception("a command failed")
            self.desk.notice(tr(INTERNAL), urgent=True)


def _first_fitting(ways: Sequence[Sequence[str]], last: str, room: int) -> str:
    """The first of the ways that fits with ``last`` behind it, else the shortest."""
    lines = [" · ".join((*way, last)) for way in ways]
    return next((line for line in lines if len(line) <= room), lines[-1])

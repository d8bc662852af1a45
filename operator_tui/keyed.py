"""Keys and commands: every key of the registry, where its command is meant, and why it does nothing where it is not."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.widget import Widget

from operator_tui import commands
from operator_tui.i18n import tr
from operator_tui.windows import WindowedDesk
from screens.base import DeskScreen
from widgets.lean import LeanInput, LeanTextArea

# Screens whose keys work from everywhere: one key goes there and does it.
_REACHABLE = ("work", "journal")


def arrives_as(key: str) -> tuple[str, ...]:
    """The names under which a key of the registry may come: terminals of xterm's kind send Shift+F8 as F20."""
    number = key.removeprefix("shift+f")
    return (key, f"f{int(number) + 12}") if number != key and number.isdigit() else (key,)


def bindings() -> list[BindingType]:
    """A binding for each key of the registry. Priority: a command's key is not a text field's to take."""
    return [
        Binding(key, f"press({command.id!r})", command.title, show=False, priority=True, id=f"{command.id}.{key}")
        for command in commands.collect().values()
        for named in command.keys
        for key in arrives_as(named)
    ]


def edits(focused: Widget | None, keys: tuple[str, ...]) -> bool:
    """Whether one of these keys edits what is typed there: Ctrl+E is the end of a line. No key of the upper row does,
    whatever Textual's text area makes of F6 and F7."""
    if not isinstance(focused, LeanInput | LeanTextArea):
        return False
    return any(key.startswith("ctrl+") and key in focused._bindings.key_to_bindings for key in keys)


class KeyedDesk(WindowedDesk):
    """A desk on which every command is a key away."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()

    async def acts_done(self) -> None:
        screen = self.screen
        if isinstance(screen, DeskScreen):
            await screen.acts_done()
            # What was done may bring another screen, as an answered call its card: the next letters are meant for that.
            told = asyncio.Event()
            self.call_later(told.set)
            await told.wait()
            if self.screen is not screen:
                await self.acts_done()
        else:
            # A question that a key has opened takes the next letters, so it has to stand first.
            await screen._mounted_event.wait()

    def action_press(self, command_id: str) -> None:
        """A key of the registry. Two screens may give one key two meanings: each passes on what is not meant here.

        Above a list or a question only the telephone's keys act, so that a ringing call is never out of reach; those
        of them that edit are the text field's in which one types there.
        """
        command = commands.collect()[command_id]
        above = not isinstance(self.screen, DeskScreen)
        if above and edits(self.focused, command.keys):
            raise SkipAction
        below = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, DeskScreen)), None)
        meant = command_id.startswith("phone.") and command.scope in ("desk", getattr(below, "name_in_commands", ""))
        if above and not (meant and self.lay_aside(command_id)):
            raise SkipAction
        here = getattr(self.screen, "name_in_commands", "")
        if command.scope not in ("desk", here) and (
            command.scope not in _REACHABLE or commands.meant_in(command, here) is not None
        ):
            raise SkipAction
        self.action_command(command_id)
        if above:
            self.bring_back()

    def action_command(self, command_id: str) -> None:
        """Run a command of the registry where it belongs, or say why it can not be run now."""
        command = commands.collect()[command_id]
        screen = self.screen
        if not isinstance(screen, DeskScreen):
            return
        elsewhere = command.scope not in ("desk", screen.name_in_commands)
        refusal = None
        if not elsewhere:
            refusal = command.refusal(screen.situation())
        elif command.scope == "work":
            # Said where one stands: nobody is led to an empty card to read why.
            refusal = command.refusal(self.desk.situation(screen="work"))
        if refusal is not None:
            screen.refuse(refusal)
        elif elsewhere:
            self._elsewhere(command)
        elif not screen.run_command(command_id):
            self._run_here(command_id, screen)

    def _elsewhere(self, command: commands.Command) -> None:
        """A key of the other screen: go there and run it, so that no command is more than one key away."""
        self.switch_mode(command.scope)
        self.call_after_refresh(self.action_command, command.id)

    def _run_here(self, command_id: str, screen: DeskScreen) -> None:
        act = self.acts().get(command_id)
        if act is None:
            self.desk.notice(tr("Эта команда в этой версии ещё не готова."), urgent=True)
            return
        screen.guard(lambda: _only_awaitable(act()))


def _only_awaitable(result: Any) -> Any:
    """A handler's result when it has to be awaited, else None."""
    return result if hasattr(result, "__await__") and not hasattr(result, "node") else None

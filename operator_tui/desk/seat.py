"""Who sits at this desk: let in, locked, with another password, gone; and the people an administrator looks after."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import Topic

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.signin.admin import People
    from operator_tui.signin.signin import SignIn


class SeatDesk:
    """The seat of one desk. In the profiles ``demo`` and ``practice`` nobody signs in: there it asks nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.locked = False  # nobody sits here: no call is taken by itself

    @property
    def has_password(self) -> bool:
        """Whether the lock asks for one."""
        return self._desk.parts.signin is not None

    @property
    def _signin(self) -> SignIn:
        signin = self._desk.parts.signin
        if signin is None:
            raise Refusal(Code.NOBODY_SIGNS_IN)
        return signin

    async def admitted(self) -> bool:
        """Whether the journal may be opened without asking anybody: nobody signs in here, or his shift goes on."""
        return not self.has_password or await self._signin.resume()

    async def lock(self) -> None:
        """Until it is unlocked, a desk started anew asks for the password too."""
        self.locked = True
        if self.has_password:
            await self._signin.lock()

    async def unlock(self, password: str) -> bool:
        """Whether it is the password of who sits here; a session that is over is opened again with it.
        Refusal(UNLOCK_LATER) with the seconds to wait after too many that were not."""
        if not self.has_password:
            self.locked = False
            return True
        if not await self._signin.unlock(password):
            return False
        self.locked = False
        self._desk.background(self._signin.sign_in_again(password))
        return True

    @property
    def tries_left(self) -> int:
        """How many passwords may be tried before one has to wait."""
        return self._signin.tries_left

    @property
    def has_pin(self) -> bool:
        """Whether a PIN of this place is asked for, because the provider has the password."""
        tag = self._desk.parts.signin.tag if self._desk.parts.signin is not None else None
        return tag is not None and tag.oidc

    async def change_password(self, old: str, new: str) -> None:
        """One's own; of who signs in by the provider, the PIN of this place.

        Refusals: NOBODY_SIGNS_IN, SIGN_IN_WRONG, PASSWORD_WEAK, PIN_NEEDED, and those of the link.
        """
        if not self.has_pin:
            await self._signin.change_password(old, new)
            return
        if not await self._signin.unlock(old):
            raise Refusal(Code.SIGN_IN_WRONG)
        await self._signin.change_pin(new)

    async def look_elsewhere(self) -> None:
        """What waits unsent at his other workstations, for the journal's title. A server that is away tells nothing."""
        with contextlib.suppress(Refusal):
            self._desk.change(Topic.JOURNAL, elsewhere=tuple(await self._signin.elsewhere()))

    async def take_the_telephone(self) -> None:
        """Attach to the engine. One that still works under somebody else's inner number stops: its calls are not ours.

        While a call of his goes on it is left alone, and «Завершить» ends it.
        """
        phone, operator = self._desk.phone, self._desk.state.operator
        await phone.attach()
        if operator is not None and phone.works_as not in ("", operator.extension) and not phone.in_talk:
            await phone.end_work()

    @property
    def people(self) -> People:
        """What an administrator does with people. Refusal(NOBODY_SIGNS_IN)."""
        from operator_tui.signin.admin import People

        return People(self._signin)

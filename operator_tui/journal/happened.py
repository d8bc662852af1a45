"""One entry of a card's history, as the screen is given it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.errors import Refusal

# The kind of a talk as the centre tells it (appeals/talks.py); the values are those of a Talk.
TALK = "talk"


class Happened(msgspec.Struct, frozen=True):
    """One entry of a card's history.

    ``at_ms`` UTC milliseconds; ``by`` the user; ``kind`` the operation's kind; ``act`` the move, if it was one;
    ``status`` the new status, if it changed; ``values`` what was written; ``lost`` values that gave way to a later
    writer; ``rival`` values put beside another's. ``pending`` means the server has not answered yet, ``refused``
    carries its reason.
    """

    op: str
    at_ms: int
    by: int
    kind: str
    act: str = ""
    status: str = ""
    values: Mapping[str, Any] = {}
    lost: Mapping[str, Any] = {}
    rival: Mapping[str, Any] = {}
    pending: bool = False
    refused: Refusal | None = None

"""The device: one journal of one operator, as the central server has enrolled it."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.people import Operator


class DeviceIdentity(msgspec.Struct, frozen=True):
    """Who this journal is to the server. Kept inside the encrypted journal, never in a file of its own.

    ``code`` is the first part of every operation id; ``number`` the first part of every number to tell; ``token``
    opens the server's door; ``epoch`` names the lineage of the server's database (design 1.1).
    """

    code: str
    number: int
    token: str
    epoch: str
    operator: Operator

"""Where the packages of the regions lie, and how one is made of a list."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import records
from operator_tui.registry.faults import Faults
from operator_tui.registry.packages import DELTA, WHOLE, Package, add
from operator_tui.registry.records import Change, Source

FOLDER_VARIABLE = "OPERATOR_TUI_PACKAGES"


def folder_of(region: str) -> Path:
    """The folder of a region's packages. Refusals: REGISTRY_NOT_HERE where none is set, BAD_REQUEST for no region."""
    root = os.environ.get(FOLDER_VARIABLE, "")
    if not root:
        raise Refusal(Code.REGISTRY_NOT_HERE)
    if not region.isdecimal() or len(region) != 2:
        raise Refusal(Code.BAD_REQUEST, reason="region")
    return Path(root) / region


def share(region: str, source: Source, as_of: date, *, delta: bool) -> Package:
    """Make a package of a list. Refusals: REGISTRY_FAULTS with the first wrong row (nothing is shared then), those of
    ``packages.add``.
    """
    folder, faults = folder_of(region), Faults(source.file)
    # The list is looked through before anything is written: a package with faults would be refused by every desk.
    if delta:
        found = list(records.changes(source, faults))
        faults.refuse()
        return add(folder, DELTA, found, as_of)
    for _ in records.people(source, faults):
        pass
    faults.refuse()
    whole = (Change(person.enp, person) for person in records.people(source, Faults(source.file)))
    return add(folder, WHOLE, whole, as_of)

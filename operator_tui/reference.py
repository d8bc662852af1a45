"""Reads the packaged reference data (assets/reference): version zero of every list, which works without any server."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from operator_tui.appeals.catalogue import Catalogue, parse_catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.quick import QuickClass, quick_of

# The file of each list, where it is not the list's own name.
_FILES = {"groups": "level2_groups", "directory": "colleagues"}
_LISTS = (
    "themes", "results", "groups", "fields", "reasons", "terms", "calendar", "breaks", "organisations", "directory",
    "quick", "types", "ways", "outside", "queues", "night", "news",
)  # fmt: skip


@cache
def packaged_catalogue() -> Catalogue:
    """The reference data of this release. Raises ValueError for data that contradicts itself."""
    return parse_catalogue(**{name: _text(f"{_FILES.get(name, name)}.csv") for name in _LISTS})


@cache
def packaged_quick() -> dict[str, QuickClass]:
    """The quick classes of this release by code, in the order of the data."""
    return quick_of(packaged_catalogue())


def packaged_colleagues() -> str:
    """The example of a telephone directory, as CSV; everybody in it is made up."""
    return _text("colleagues.csv")


def packaged_breaks() -> str:
    """The kinds of break of this release, as CSV."""
    return resources.files("assets").joinpath("reference", "breaks.csv").read_text(encoding="utf-8")


def packaged_outside() -> str:
    """Whom callers may be given to outside the centre, as CSV; the numbers of the centre's own are made up."""
    return resources.files("assets").joinpath("reference", "outside.csv").read_text(encoding="utf-8")


def packaged_threat() -> str:
    """What to say to one who threatens or insults, line by line."""
    return resources.files("assets").joinpath("reference", "threat.txt").read_text(encoding="utf-8")


def text_of(file: str) -> str:
    """A file of the administration's. Refusal(FILE_UNREADABLE)."""
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(Code.FILE_UNREADABLE, file=file, reason=getattr(error, "strerror", "") or "UTF-8") from None


def packaged_scripts() -> str:
    """The approved typical answers as they are written: Markdown of assets/reference/scripts.md."""
    return _text("scripts.md")


def _text(name: str) -> str:
    return resources.files("assets").joinpath("reference", name).read_text(encoding="utf-8")

"""Reads the packaged reference data (assets/reference) into the rules' catalogue, once a process."""

from __future__ import annotations

from functools import cache
from importlib import resources

from operator_tui.appeals.catalogue import Catalogue, parse_catalogue
from operator_tui.appeals.quick import QuickClass, parse_quick


@cache
def packaged_catalogue() -> Catalogue:
    """Themes, results and level-2 groups of this release. Raises ValueError for data that contradicts itself."""
    folder = resources.files("assets").joinpath("reference")

    def text(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8")

    return parse_catalogue(
        themes=text("themes.csv"),
        results=text("results.csv"),
        groups=text("level2_groups.csv"),
        fields=text("fields.csv"),
    )


@cache
def packaged_quick() -> dict[str, QuickClass]:
    """The quick classes of this release by code, in the order of the data."""
    text = resources.files("assets").joinpath("reference", "quick.csv").read_text(encoding="utf-8")
    return parse_quick(text, packaged_catalogue())


def packaged_colleagues() -> str:
    """The example of a telephone directory, as CSV; everybody in it is made up."""
    return resources.files("assets").joinpath("reference", "colleagues.csv").read_text(encoding="utf-8")


def packaged_scripts() -> str:
    """The approved typical answers as they are written: Markdown of assets/reference/scripts.md."""
    return resources.files("assets").joinpath("reference", "scripts.md").read_text(encoding="utf-8")

"""Titles of the codes a registry keeps as they came (assets/reference/codes.csv): lists named as in that file."""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib import resources


@cache
def _titles() -> dict[tuple[str, str], str]:
    text = resources.files("assets").joinpath("reference", "codes.csv").read_text(encoding="utf-8")
    return {(row["list"], row["code"]): row["title"] for row in csv.DictReader(io.StringIO(text), delimiter=";")}


def title(of: str, code: str) -> str:
    """What the code means, e.g. ``title("policy_status", "НСД")``; the code itself when the list does not know it."""
    return _titles().get((of, code), code) if code else ""

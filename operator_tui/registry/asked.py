"""A search put to the centre: the messages of ``POST /v1/insured``, shared by the desk that asks and the server."""

from __future__ import annotations

import msgspec

from operator_tui.registry.people import Found
from operator_tui.registry.query import Query, parse_fields, parse_line

INSURED_PATH = "/v1/insured"
VERSION = 1


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One search: the line as typed, or the manual's four fields."""

    v: int
    line: str = ""
    surname: str = ""
    name: str = ""
    patronymic: str = ""
    birth_date: str = ""

    def query(self) -> Query:
        """Refusal(SEARCH_EMPTY) when nothing was asked."""
        if self.line.strip():
            return parse_line(self.line)
        return parse_fields(self.surname, self.name, self.patronymic, self.birth_date)


class Answer(msgspec.Struct, frozen=True):
    """What was found (at most ten people), the day the data are of, and how many people the region has."""

    found: Found
    as_of: str
    size: int

"""A search put to the centre: the messages of ``POST /v1/insured``, shared by the desk that asks and the server."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.people import Found
from operator_tui.registry.query import Query, parse_fields, parse_line

INSURED_PATH = "/v1/insured"
VERSION = 1
_LONGEST_ID = 64


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One search: the line as typed, or the manual's four fields; and what it serves, for the centre's audit: the id of
    the call, that of the appeal, or neither."""

    v: int
    line: str = ""
    surname: str = ""
    name: str = ""
    patronymic: str = ""
    birth_date: str = ""
    call: str = ""
    card: str = ""

    def query(self) -> Query:
        """Refusals: SEARCH_EMPTY when nothing was asked, BAD_REQUEST for what is no id."""
        for name, id_ in (("call", self.call), ("card", self.card)):
            if len(id_) > _LONGEST_ID or not (id_.isascii() and id_.isprintable()):
                raise Refusal(Code.BAD_REQUEST, reason=name)
        if self.line.strip():
            return parse_line(self.line)
        return parse_fields(self.surname, self.name, self.patronymic, self.birth_date)


class Answer(msgspec.Struct, frozen=True):
    """What was found (at most ten people), the day the data are of, and how many people the region has."""

    found: Found
    as_of: str
    size: int

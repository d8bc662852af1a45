"""People of the registry as they leave it: at most ten for a search (a rule of privacy, K-5.1.3.3).

What is searched is a column of its own. The rest of a person (several policies and attachments, previous names, other
telephones, the representative, the link of a merged person) is read only for those who are shown: it travels as one
text, ``more``, and is taken apart when it is asked for. Codes stay as they came; ``codes.title`` names them.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

MOST_SHOWN = 10

# The columns of a list of people (CSV), in the order in which this program writes them.
COLUMNS = (
    "enp", "snils", "surname", "name", "patronymic", "birth_date", "sex", "phone",
    "insurer", "clinic", "district", "address", "policy_status",
)  # fmt: skip
# Columns that are kept together as ``more``. In one cell ``~`` stands between repetitions and ``^`` between their
# parts, as in HL7 v2 (chapter 2.5.4), the federal exchange's own format until 2022.
MORE = (
    "phone2", "phone3", "previous", "policies", "attachments", "representative", "merged_with", "death_date", "iin",
)  # fmt: skip
_PARTS, _REPEATS, _CELLS = "^", "~", "\x1f"


class Previous(msgspec.Struct, frozen=True):
    """A name the person had before; an empty first name or patronymic is the present one."""

    surname: str = ""
    name: str = ""
    patronymic: str = ""
    until: str = ""


class Policy(msgspec.Struct, frozen=True):
    """One policy. Codes of policy_type and policy_status (codes.csv); an empty number is the ЕНП."""

    type: str = ""
    series: str = ""
    number: str = ""
    since: str = ""
    until: str = ""
    status: str = ""
    insurer: str = ""


class Attachment(msgspec.Struct, frozen=True):
    """One attachment to a clinic. Codes of area_type, attach_method and attach_status (codes.csv)."""

    area: str = ""
    method: str = ""
    status: str = ""
    since: str = ""
    until: str = ""
    clinic: str = ""
    doctor_snils: str = ""


class Representative(msgspec.Struct, frozen=True):
    """Who may speak for the person. ``consent``: 1 given, 0 refused, empty unknown."""

    full_name: str = ""
    phone: str = ""
    relation: str = ""
    consent: str = ""
    consent_date: str = ""


Part = TypeVar("Part", Previous, Policy, Attachment, Representative)


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """One insured person. Dates are ISO (YYYY-MM-DD), telephones E.164; what the registry lacks is empty."""

    enp: str
    surname: str
    name: str
    patronymic: str = ""
    birth_date: str = ""
    sex: str = ""  # m | f
    snils: str = ""
    phone: str = ""
    insurer: str = ""
    clinic: str = ""
    district: str = ""
    address: str = ""
    policy_status: str = ""
    more: str = ""

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.surname, self.name, self.patronymic)))

    @property
    def phones(self) -> tuple[str, ...]:
        """All telephones, the main one first."""
        return tuple(filter(None, (self.phone, self.cell("phone2"), self.cell("phone3"))))

    @property
    def previous(self) -> tuple[Previous, ...]:
        return _parts(self.cell("previous"), Previous)

    @property
    def policies(self) -> tuple[Policy, ...]:
        return _parts(self.cell("policies"), Policy)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return _parts(self.cell("attachments"), Attachment)

    @property
    def representative(self) -> Representative | None:
        return next(iter(_parts(self.cell("representative"), Representative)), None)

    @property
    def merged_with(self) -> str:
        """The ЕНП of the person who lives on, when two records were found to be one person."""
        return self.cell("merged_with")

    @property
    def death_date(self) -> str:
        return self.cell("death_date")

    @property
    def warning(self) -> str:
        """A Russian sentence when birth date or sex differ from those inside the ЕНП; never a reason to refuse."""
        from operator_tui.registry.identifiers import check_enp

        return check_enp(self.enp, self.birth_date, self.sex).warning

    def cell(self, name: str) -> str:
        """One column of MORE as it is written in a list."""
        if not self.more:
            return ""
        cells = self.more.split(_CELLS)
        place = MORE.index(name)
        return cells[place] if place < len(cells) else ""


def more_of(cells: list[str]) -> str:
    """The text of ``Person.more`` for the cells of MORE, in that order."""
    return _CELLS.join(cells).rstrip(_CELLS)


def cell_of(*parts: Part) -> str:
    """The cell of a list that holds these."""
    return _REPEATS.join(_PARTS.join(msgspec.structs.astuple(part)).rstrip(_PARTS) for part in parts)


def _parts(cell: str, kind: type[Part]) -> tuple[Part, ...]:
    width = len(kind.__struct_fields__)
    return tuple(kind(*text.split(_PARTS)[:width]) for text in cell.split(_REPEATS) if text)


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person found. ``repaired``: only with a slip of the finger put right, so «возможно»; ``former``: the previous
    surname by which he was found, empty when by the present one; ``read``: Latin letters were read as Russian ones (the
    wrong keyboard layout, a foreign spelling).
    """

    person: Person
    repaired: bool = False
    former: str = ""
    read: bool = False


class Found(msgspec.Struct, frozen=True):
    """The answer to one search.

    ``more``: people beyond the hits exist; ``ms`` the time it took; ``repaired``: what was typed found nobody as it
    stood; ``partial``: the search was stopped (by the next key or the deadline) and shows what it had; ``cut``: the
    text was longer than what is read; ``note``: one Russian sentence for the operator, may be empty.
    """

    hits: tuple[Hit, ...] = ()
    more: bool = False
    ms: float = 0.0
    repaired: bool = False
    partial: bool = False
    note: str = ""
    cut: bool = False

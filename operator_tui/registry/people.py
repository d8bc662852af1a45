"""People of the registry as they leave it: at most ten for a search (a rule of privacy, K-5.1.3.3)."""

from __future__ import annotations

import msgspec

MOST_SHOWN = 10

# The columns of a list of people (CSV), in the order in which this program writes them.
COLUMNS = (
    "enp", "snils", "surname", "name", "patronymic", "birth_date", "sex", "phone",
    "insurer", "clinic", "district", "address", "policy_status",
)  # fmt: skip


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

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.surname, self.name, self.patronymic)))


class Hit(msgspec.Struct, frozen=True):
    """A person found. ``repaired``: only after reading the query otherwise (a slip, another layout), so «возможно»."""

    person: Person
    repaired: bool = False


class Found(msgspec.Struct, frozen=True):
    """The answer to one search.

    ``more``: people beyond the hits exist; ``ms`` the time it took; ``repaired``: what was typed found nobody as it
    stood; ``partial``: the search was stopped (by the next key or the deadline) and shows what it had;
    ``note``: one Russian sentence for the operator, may be empty.
    """

    hits: tuple[Hit, ...] = ()
    more: bool = False
    ms: float = 0.0
    repaired: bool = False
    partial: bool = False
    note: str = ""

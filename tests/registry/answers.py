"""What a search answered, as the tests of searching look at it."""

from __future__ import annotations

from operator_tui.registry.names import display_name
from operator_tui.registry.people import Found, Person


def enps(found: Found) -> list[str]:
    return [hit.person.enp for hit in found.hits]


def shown(person: Person) -> str:
    """His surname as an operator types it."""
    return display_name(person.surname).lower()

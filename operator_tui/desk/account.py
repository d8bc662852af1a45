"""What the engine needs to begin work: the line of whoever sits here, its secret, and callers for a simulated one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from operator_tui.phone.line import Caller, LineConfig
from operator_tui.phone.settings import PhoneSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.registry.index import Registry


async def phone_account(desk: Desk) -> tuple[LineConfig, str, list[Caller]]:
    """The line, its secret, and the callers of a simulated one."""
    settings = desk.settings.get(PhoneSettings)
    operator = desk.state.operator
    config = settings.config(operator.extension if operator else "")
    registry = desk.parts.registry
    if config.line == "simulated":
        return config, "", await desk.run_registry(_callers, registry) if registry is not None else []
    secret = await desk.run_journal(desk.keys.sip_secret)
    row = desk.catalogue.reference.open("directory").get(config.extension, {})
    at_pbx = config.record_at_pbx or row.get("record") == "pbx"
    return replace(config, record_at_pbx=at_pbx), secret, []


def _callers(registry: Registry) -> list[Caller]:
    """People the registry knows, so that a known caller can be practised: the first few of each letter; on its thread.
    Nobody looks at them, so no view is recorded."""
    on_view, registry.on_view = registry.on_view, None
    found = [registry.search(letter) for letter in "абвгдеиклмнопрст"]
    registry.on_view = on_view
    people = [hit.person for one in found for hit in one.hits if hit.person.phone]
    return [Caller(person.phone) for person in people]

"""The administrator's announcements: rows of the list ``news``, for a role, on a day, read or not. Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from operator_tui.appeals.people import Role
from operator_tui.appeals.reference import Reference


class News(msgspec.Struct, frozen=True):
    """One announcement. ``mark`` names it as it stands now: who has read it before it was changed reads it again;
    ``begins`` is an ISO date."""

    code: str
    mark: str
    title: str
    text: str
    begins: str


def news_of(reference: Reference, role: Role, today: str) -> list[News]:
    """What a role is to know on a day (ISO), the newest first."""
    found = [
        News(code, f"{code}@{reference.writer('news', code)}", row["title"], row["text"], row["begins"])
        for code, row in reference.open("news").items()
        if row["begins"] <= today <= (row.get("ends") or today)
        and (not row.get("roles") or role.value in row["roles"].split())
    ]
    return sorted(found, key=lambda one: (one.begins, one.code), reverse=True)


def unread(news: list[News], read: Collection[str]) -> list[News]:
    """Those whose ``mark`` is not among what was read."""
    return [one for one in news if one.mark not in read]

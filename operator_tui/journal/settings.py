"""What may be set about the journal: section ``[journal]`` of the settings file."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("journal")
class JournalSettings(msgspec.Struct, frozen=True):
    """``file``: the journal's file, empty for the profile's own; ``second_copy`` a folder on another disk that takes
    what is unsent, sealed for the server, empty for none."""

    file: str = ""
    second_copy: str = ""


@section("centre")
class CentreSettings(msgspec.Struct, frozen=True):
    """How the centre works: ``country`` of its calendar (RU, KZ), ``calendar`` a file of its own days
    (``date;day`` with work or off), ``hours`` of a working day, ``promise_days`` working days a promise has."""

    country: str = "RU"
    calendar: str = ""
    hours: str = "09:00-18:00"
    promise_days: int = 1


@section("papers")
class PaperSettings(msgspec.Struct, frozen=True):
    """Documents: ``inbox`` a folder of new scans, ``outbox`` a folder that takes what is printed when there is no
    ``printer`` (a queue of CUPS), ``scan`` a command that looks for viruses (the file is its last argument; it says no
    by any exit code but 0), ``max_mb`` the largest file, ``templates`` a folder of own letters (docx), ``viewer`` a
    command that shows a file (its path is the last argument)."""

    inbox: str = ""
    outbox: str = ""
    printer: str = ""
    scan: str = ""
    max_mb: int = 20
    templates: str = ""
    viewer: str = ""

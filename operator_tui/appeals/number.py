"""The number to tell: digits only, final at once also off line, with a check digit so that it can be dictated."""

from __future__ import annotations

from stdnum import luhn


def number_to_tell(device: int, counter: int) -> str:
    """``12-00041-7``: the device's number, its operation counter (five digits or more), a Luhn check digit."""
    digits = f"{device}{counter:05d}"
    return f"{device}-{counter:05d}-{luhn.calc_check_digit(digits)}"


# The field that holds the fund's number: the server gives it, no desk writes it.
REGISTER = "register"


def register_number(stream: str, place: int) -> str:
    """``26-41`` of the fund of region 26, ``26001-41`` of an insurer: ``place`` is that of the event that made the
    appeal in its organisation's stream, which has no gap and gives none twice."""
    region, _, organisation = stream.partition("/")
    return f"{organisation.rpartition('-')[2] if '-' in organisation else region}-{place}"


def told_right(number: str) -> bool:
    """Whether a dictated number is whole; blanks and hyphens do not matter."""
    digits = "".join(filter(str.isdigit, number))
    return len(digits) >= 7 and bool(luhn.is_valid(digits))

"""The number to tell: digits only, final at once also off line, with a check digit so that it can be dictated."""

from __future__ import annotations

from stdnum import luhn


def number_to_tell(device: int, counter: int) -> str:
    """``12-00041-7``: the device's number, its operation counter (five digits or more), a Luhn check digit."""
    digits = f"{device}{counter:05d}"
    return f"{device}-{counter:05d}-{luhn.calc_check_digit(digits)}"


def told_right(number: str) -> bool:
    """Whether a dictated number is whole; blanks and hyphens do not matter."""
    digits = "".join(filter(str.isdigit, number))
    return len(digits) >= 7 and bool(luhn.is_valid(digits))

"""The number to tell: digits only, final at once also off line, with a check digit so that it can be dictated."""

from __future__ import annotations

from stdnum import luhn

_DIGITS = 5  # of a counter that fits them; some three months of one device


def number_to_tell(device: int, counter: int) -> str:
    """``12-00041-0``: the device's number, its operation counter, a Luhn check digit.

    A longer counter says so by a nought in front for each digit more (``012-100041-8``): no device's number begins with
    one, so the digits alone, as they are dictated, are those of one device and one counter.
    """
    longer = "0" * (len(str(counter)) - _DIGITS)
    told = f"{longer}{device}-{counter:0{_DIGITS}d}"
    return f"{told}-{luhn.calc_check_digit(told.replace('-', ''))}"


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

"""Numbers of people and places: ЕНП, СНИЛС, telephone, ИИН of Kazakhstan, codes of МКБ-10, СМО, МО, ОКАТО, ОКТМО.

Every ``check_*`` takes the value as it is typed (blanks and hyphens are dropped) and answers a ``Check``; none
raises, none opens a file or a network. Rules and their sources: domain facts, section 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from operator import mul

import msgspec

_SEPARATORS = re.compile(r"[\s\-‐‑‒–—−]+")

# Short numbers that a desk may dial or see: emergency services, their mobile forms, hot lines (domain facts 1.5).
_EMERGENCY = frozenset({"101", "102", "103", "104", "112", "122"})
_EXTENSION = re.compile(r"\d{2,6}")

_ENP_DIGITS = 16
_SNILS_DIGITS = 11
_SNILS_WEIGHTS = range(9, 0, -1)
_SNILS_UNCHECKED_UPTO = 1_001_998  # numbers up to 001-001-998 were issued without a check number


class Check(msgspec.Struct, frozen=True):
    """The verdict on one value.

    ``value`` is the form to store (digits, E.164, upper-case code), empty when invalid; ``reason`` is one Russian
    sentence why; ``warning`` may stand beside a valid value.
    """

    valid: bool
    value: str
    reason: str
    warning: str = ""


class EnpFacts(msgspec.Struct, frozen=True):
    """What an ЕНП says about its owner. ``birth_date`` is None when the digits name no day of the calendar."""

    territory: str
    birth_date: date | None
    sex: str  # m | f
    serial: str


def plain(typed: str) -> str:
    """The value without blanks and hyphens."""
    return _SEPARATORS.sub("", typed)


def luhn_digit(digits: str) -> str:
    """The check digit that Luhn's rule puts behind ``digits`` (ISO/IEC 7812-1, annex B)."""
    from stdnum import luhn

    return str(luhn.calc_check_digit(digits))


def check_enp(typed: str, birth_date: str = "", sex: str = "") -> Check:
    """Единый номер полиса: 16 digits, Luhn over the first 15; zeros alone pass Luhn and are refused apart.

    ``birth_date`` (ISO) and ``sex`` (m or f) of the card may be given: a mismatch is only a warning, since a number
    may stay when the date is put right. So is a birth date that is no day of the calendar.
    """
    digits = plain(typed)
    if not _ascii_digits(digits) or len(digits) != _ENP_DIGITS:
        return _no("Неверный ЕНП: нужно ровно 16 цифр.")
    if not int(digits):
        return _no("Неверный ЕНП: одни нули.")
    if luhn_digit(digits[:-1]) != digits[-1]:
        return _no("Неверный ЕНП: контрольная цифра не сходится.")
    facts = enp_facts(digits)
    if facts.birth_date is None:
        warning = "Внимание: в номере нет настоящей даты рождения."
    elif (birth_date and facts.birth_date.isoformat() != birth_date) or (sex and facts.sex != sex):
        warning = "Внимание: дата рождения или пол внутри номера не совпадают с карточкой."
    else:
        warning = ""
    born = f", рождён {facts.birth_date:%d.%m.%Y}" if facts.birth_date else ""
    words = f"ЕНП верный: территория {facts.territory}{born}, пол {'м' if facts.sex == 'm' else 'ж'}."
    return Check(valid=True, value=digits, reason=words, warning=warning)


def enp_facts(digits: str) -> EnpFacts:
    """Decode the 16 digits of an ЕНП: digits 3-10 are 9 minus month, year reversed, day.

    Month +20 for births up to 1950, +40 for 1951-2000, +0 after; day +50 for men.
    """
    month_year_day = "".join(str(9 - int(digit)) for digit in digits[2:10])
    month, year, day = int(month_year_day[:2]), int(month_year_day[5:1:-1]), int(month_year_day[6:])
    sex = "m" if day > 50 else "f"
    try:
        born = date(year, month - _month_shift(year), day - 50 if sex == "m" else day)
    except ValueError:
        born = None
    return EnpFacts(territory=digits[:2], birth_date=born, sex=sex, serial=digits[10:15])


def make_enp(territory: int, birth_date: date, sex: str, serial: int) -> str:
    """Compose an ЕНП, for the generator and for tests."""
    month = birth_date.month + _month_shift(birth_date.year)
    day = birth_date.day + (50 if sex == "m" else 0)
    hidden = f"{month:02d}{str(birth_date.year)[::-1]}{day:02d}".translate(_NINE_MINUS)
    body = f"{territory:02d}{hidden}{serial:05d}"
    return body + luhn_tail(body)


def luhn_tail(body: str) -> str:
    """As ``luhn_digit`` for a body of odd length, by table: millions are made and checked when a list is loaded."""
    return str(-(sum(map(int, body[1::2])) + sum(map(int, body[0::2].translate(_DOUBLED)))) % 10)


def enp_fits(typed: str) -> bool:
    """Whether it is a valid ЕНП of 16 digits without separators: ``check_enp`` without its words, 50 times as fast."""
    if len(typed) != _ENP_DIGITS:
        return False
    sums = _luhn_sums()
    try:
        total = sums[typed[:4]] + sums[typed[4:8]] + sums[typed[8:12]] + sums[typed[12:]]
    except KeyError:
        return False
    return total % 10 == 0 and typed != "0" * _ENP_DIGITS


@cache
def _luhn_sums() -> dict[str, int]:
    """What each four digits add to Luhn's sum when the first of them is doubled."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    return {f"{n:04d}": doubled[n // 1000] + n // 100 % 10 + doubled[n // 10 % 10] + n % 10 for n in range(10_000)}


def snils_fits(typed: str) -> bool:
    """Whether it is a valid СНИЛС of eleven digits without separators: ``check_snils`` without its words."""
    if len(typed) != _SNILS_DIGITS or typed <= "00100199899":
        return False
    sums = _snils_sums()
    try:
        total = sums[0][typed[:3]] + sums[1][typed[3:6]] + sums[2][typed[6:9]]
    except KeyError:
        return False
    return typed[9:] == f"{total % 101 % 100:02d}"


@cache
def _snils_sums() -> tuple[dict[str, int], ...]:
    return tuple(
        {f"{n:03d}": n // 100 * top + n // 10 % 10 * (top - 1) + n % 10 * (top - 2) for n in range(1000)}
        for top in (9, 6, 3)
    )


_NINE_MINUS = str.maketrans("0123456789", "9876543210")
_DOUBLED = str.maketrans("0123456789", "0246813579")


def _month_shift(year: int) -> int:
    if year <= 1950:
        return 20
    return 40 if year <= 2000 else 0


def check_snils(typed: str) -> Check:
    """СНИЛС: nine digits with weights 9..1, modulo 101, 100 counts as 00 (not checked up to 001-001-998)."""
    digits = plain(typed)
    if not _ascii_digits(digits) or len(digits) != _SNILS_DIGITS:
        return _no("Неверный СНИЛС: нужно ровно 11 цифр.")
    if not int(digits):
        return _no("Неверный СНИЛС: одни нули.")
    if int(digits[:9]) > _SNILS_UNCHECKED_UPTO and snils_tail(digits[:9]) != digits[9:]:
        return _no("Неверный СНИЛС: контрольное число не сходится.")
    return Check(valid=True, value=digits, reason="СНИЛС верный.")


def snils_tail(nine: str) -> str:
    """The two control digits of a СНИЛС."""
    return f"{sum(map(mul, map(int, nine), _SNILS_WEIGHTS)) % 101 % 100:02d}"


def check_iin(typed: str) -> Check:
    """ИИН of Kazakhstan: YYMMDD, century and sex, serial, check digit (weights 1..11, then 3..11,1,2, modulo 11)."""
    digits = plain(typed)
    if not _ascii_digits(digits) or len(digits) != 12:
        return _no("Неверный ИИН: нужно ровно 12 цифр.")
    if not int(digits):
        return _no("Неверный ИИН: одни нули.")
    century = {"1": 1800, "2": 1800, "3": 1900, "4": 1900, "5": 2000, "6": 2000}.get(digits[6])
    try:
        date((century or 2000) + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return _no("Неверный ИИН: первые шесть цифр не дата рождения.")
    numbers = [int(digit) for digit in digits[:11]]
    control = sum(number * (place + 1) for place, number in enumerate(numbers)) % 11
    if control == 10:
        control = sum(number * ((place + 2) % 11 + 1) for place, number in enumerate(numbers)) % 11
    if control != int(digits[11]):
        return _no("Неверный ИИН: контрольная цифра не сходится.")
    return Check(valid=True, value=digits, reason="ИИН верный.")


def to_e164(typed: str) -> str:
    """The number in E.164, e.g. ``+78652012345``; empty when it is no public telephone number.

    Ten digits, or eleven that start with 8, are Russian. Kazakhstan shares +7 (6xx and 7xx), and its local numbers
    may start with 0.
    """
    cleaned = re.sub(r"[^\d+]", "", typed)
    international = cleaned.startswith("+")
    digits = cleaned.removeprefix("+")
    if not _ascii_digits(digits):
        return ""
    if not international:
        if len(digits) == 10:
            digits = "7" + digits
        elif len(digits) == 11 and digits[0] == "8":
            digits = "7" + digits[1:]
        elif len(digits) < 10:
            return ""
    if digits[0] == "7":
        # The codes of zone 7 begin with 3-9 and all its numbers have ten digits. The library knows neither every
        # village nor the reserved numbers of made-up people, and its import takes longer than the ring may wait.
        return "+" + digits if len(digits) == 11 and digits[1] in "3456789" else ""
    return _foreign(digits)


def _foreign(digits: str) -> str:
    import phonenumbers

    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def check_phone(typed: str) -> Check:
    """A telephone: a public number in E.164, or a short emergency number as it is, or an internal extension."""
    if re.search(r"[^\d\s()+\-‐‑‒–—−./]", typed):
        return _no("Не телефон: в номере есть посторонние знаки.")
    short = plain(typed)
    if short in _EMERGENCY:
        return Check(valid=True, value=short, reason="Короткий номер экстренной службы.")
    if number := to_e164(typed):
        return Check(valid=True, value=number, reason=f"Телефон верный: {number}.")
    if _EXTENSION.fullmatch(short) and not short.startswith("0"):
        return Check(valid=True, value=short, reason="Короткий или внутренний номер.")
    if short.startswith("0"):
        return _no("Не телефон: номер не может начинаться с нуля.")
    return _no("Не телефон: нужно 10 цифр или 11 с восьмёркой либо +7 и 10 цифр.")


_MKB_SLIPS = str.maketrans("АВСЕНКМОРТХИавсенкмортхи", "ABCEHKMOPTXIabcehkmoptxi")


def check_mkb(typed: str) -> Check:
    """The form of a code of МКБ-10: a Latin letter, two digits, and one or two digits after a point."""
    code = plain(typed)
    if re.fullmatch(r"[A-Za-z]\d\d(\.\d{1,2})?", code, flags=re.ASCII):
        return Check(valid=True, value=code.upper(), reason="Код МКБ-10 записан верно.")
    if re.search("[А-Яа-яЁё]", code):
        meant = code.translate(_MKB_SLIPS).upper().replace(",", ".")
        hint = f" Возможно, {meant}." if re.fullmatch(r"[A-Z]\d\d(\.\d{1,2})?", meant) else ""
        return _no(f"Неверный код МКБ-10: нужна латинская буква, набрана кириллическая.{hint}")
    if "," in code:
        return _no(f"Неверный код МКБ-10: вместо запятой нужна точка. Возможно, {code.replace(',', '.').upper()}.")
    return _no("Неверный код МКБ-10: латинская буква, две цифры, точка и одна-две цифры.")


def check_digits_code(typed: str, lengths: tuple[int, ...], title: str) -> Check:
    """A code of digits alone, of one of the given lengths."""
    code = plain(typed)
    if _ascii_digits(code) and len(code) in lengths and int(code):
        return Check(valid=True, value=code, reason=f"{title}: записан верно.")
    return _no(f"{title}: нужно {' или '.join(map(str, lengths))} цифр.")


def check_temporary_certificate(typed: str) -> Check:
    """Temporary certificate: exactly nine digits, no series."""
    return check_digits_code(typed, (9,), "Временное свидетельство")


def check_smo(typed: str) -> Check:
    """Code of an insurer (F002): five digits, the first two its territory."""
    return check_digits_code(typed, (5,), "Код СМО")


def check_mo(typed: str) -> Check:
    """Code of a clinic (F003, F032): six digits, the first two its territory."""
    return check_digits_code(typed, (6,), "Код МО")


def check_okato(typed: str) -> Check:
    """ОКАТО of a territory or place."""
    return check_digits_code(typed, (2, 5, 8, 11), "ОКАТО")


def check_oktmo(typed: str) -> Check:
    """ОКТМО of a municipality or place."""
    return check_digits_code(typed, (8, 11), "ОКТМО")


# What ``operator-tui check`` offers.
CHECKS: dict[str, Callable[[str], Check]] = {
    "enp": check_enp,
    "snils": check_snils,
    "iin": check_iin,
    "phone": check_phone,
    "mkb": check_mkb,
}


def _ascii_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _no(reason: str) -> Check:
    return Check(valid=False, value="", reason=reason)

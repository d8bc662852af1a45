"""What each list of the reference data holds, and what a change of it may be. Both ends import it.

The desk makes its forms of this, the server refuses by it what no form would make.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import FieldKind
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference import OFF, Reference, Row, key_of
from operator_tui.appeals.routing import LANGUAGE_WORDS, LANGUAGES, NIGHT_MODES, ORDERS, RECORDED, demand_queues
from operator_tui.appeals.words import mark

MOST_ROWS = 50  # in one change: a card behind it waits a second of a line of 64 kbit/s at most
_MOST_KEY = 200
_MOST_TEXT = 4000
_KEY = re.compile(r"[^\x00-\x1f]{1,200}")
_CODE = re.compile(r"[^\s\x00-\x1f:|;+]{1,40}")


class Holds(StrEnum):
    """What a column holds."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    DIGITS = "digits"  # a telephone's number, not to be counted with
    DAY = "day"  # a local date, ISO
    CHOICE = "choice"
    FLAG = "flag"  # 1 or 0
    ANSWERS = "answers"  # codes of typical answers, which are written elsewhere


class Column(msgspec.Struct, frozen=True):
    """One column. ``options`` are the values it may have; ``of`` the list whose open rows it may name; ``apart`` what
    stands between several values, empty where there is one."""

    name: str
    title: str
    holds: Holds = Holds.TEXT
    required: bool = False
    options: tuple[str, ...] = ()
    of: str = ""
    apart: str = ""

    def values(self, text: str) -> list[str]:
        """Its single values."""
        if not self.apart:
            return [text] if text else []
        return [part for part in (text.split() if self.apart == " " else text.split(self.apart)) if part]

    def demand(self, text: str, reference: Reference) -> None:
        """Refusals: FIELD_REQUIRED, FIELD_INVALID with the column's title."""
        if not text and self.required:
            raise Refusal(Code.FIELD_REQUIRED, field=self.title)
        if len(text) > _MOST_TEXT or any(not self._fits(value, reference) for value in self.values(text)):
            raise Refusal(Code.FIELD_INVALID, field=self.title)

    def _fits(self, value: str, reference: Reference) -> bool:
        if self.options:
            return value in self.options
        if self.of:
            return value in reference.open(self.of)
        match self.holds:
            case Holds.CODE | Holds.ANSWERS:
                return bool(_CODE.fullmatch(value))
            case Holds.NUMBER:
                return value.isascii() and value.isdigit() and len(value) <= 5
            case Holds.DIGITS:
                return value.isascii() and value.isdigit() and len(value) <= 15
            case Holds.FLAG:
                return value in ("0", "1")
            case Holds.DAY:
                return _is_day(value)
            case _:
                return "\0" not in value


class ListForm(msgspec.Struct, frozen=True):
    """One list. ``keys`` name the columns a row is known by; ``shown`` those of its line in the list of rows."""

    name: str
    title: str
    keys: tuple[str, ...]
    shown: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def demand(self, key: str, row: Mapping[str, str], reference: Reference) -> None:
        """Refusal for a row that is none of this list. Columns that this release does not know are let through."""
        for column in self.columns:
            column.demand(row.get(column.name, ""), reference)
        if key != key_of(row, self.keys):
            raise Refusal(Code.FIELD_INVALID, field=self.column(self.keys[0]).title)


_TYPES = tuple(type_.value for type_ in AppealType)
_STATUSES = ("На рассмотрении", "Отсроченный ответ", "В работе")
# What a result may ask for: fields of the card, and «оператор, себе по умолчанию».
_WANTED = (
    "comment", "measures", "operator", "operator=self", "new_date", "organisation", "sum", "letter", "expert_act",
    "territory", "call_log", "linked_appeal",
)  # fmt: skip
_ROLES = tuple(role.value for role in Role if role is not Role.TRAINEE)
REASON_USES = ("void", "return", "pause")
TERMS = ("register", "forward", "answer", "extension")

_title = mark("Название")
_code = Column("code", mark("Код"), Holds.CODE, required=True)

LISTS: dict[str, ListForm] = {
    form.name: form
    for form in (
        ListForm(
            "results",
            mark("Результаты обращения"),
            ("code",),
            ("code", "title"),
            (
                _code,
                Column("title", _title, required=True),
                Column("types", mark("Типы обращений"), required=True, options=_TYPES, apart="|"),
                Column("required_fields", mark("Требует поля"), options=_WANTED, apart="+"),
                Column("next_status", mark("Статус после"), required=True, options=_STATUSES),
                Column("final", mark("Окончательный (1/0)"), Holds.FLAG, required=True),
                Column("needs_admin", mark("Утверждает администратор (1/0)"), Holds.FLAG, required=True),
                Column("justified", mark("Обоснованность"), options=("да", "частично", "нет")),
                Column("origin", mark("Основание")),
            ),
        ),
        ListForm(
            "reasons",
            mark("Причины"),
            ("code",),
            ("code", "title", "use"),
            (
                _code,
                Column("use", mark("Где применяется"), required=True, options=REASON_USES),
                Column("title", _title, required=True),
            ),
        ),
        ListForm(
            "terms",
            mark("Сроки"),
            ("code",),
            ("title", "days"),
            (
                Column("code", mark("Код"), required=True, options=TERMS),
                Column("title", _title, required=True),
                Column("days", mark("Дней (календарных)"), Holds.NUMBER, required=True),
            ),
        ),
        ListForm(
            "calendar",
            mark("Рабочий календарь: свои дни"),
            ("date",),
            ("date", "day", "note"),
            (
                Column("date", mark("Дата"), Holds.DAY, required=True),
                Column("day", mark("День"), required=True, options=("work", "off")),
                Column("note", mark("Примечание")),
            ),
        ),
        ListForm(
            "breaks",
            mark("Перерывы"),
            ("code",),
            ("title", "minutes"),
            (
                _code,
                Column("title", _title, required=True),
                Column("minutes", mark("Минут"), Holds.NUMBER, required=True),
            ),
        ),
        ListForm(
            "organisations",
            mark("Организации"),
            ("code",),
            ("code", "short", "kind"),
            (
                _code,
                Column("kind", mark("Вид"), required=True, options=("fund", "insurer", "clinic", "authority")),
                Column("title", mark("Полное название"), required=True),
                Column("short", mark("Краткое название"), required=True),
                Column("address", mark("Адрес")),
                Column("phone", mark("Телефон")),
                Column("begins", mark("Действует с"), Holds.DAY),
                Column("ends", mark("Действует по"), Holds.DAY),
            ),
        ),
        ListForm(
            "groups",
            mark("Группы 2 уровня"),
            ("code",),
            ("code", "title"),
            (
                _code,
                Column("title", _title, required=True),
                Column("owner", mark("Чья группа"), required=True, options=("fund", "insurer", "other")),
            ),
        ),
        ListForm(
            "directory",
            mark("Телефонный справочник"),
            ("extension",),
            ("extension", "name", "organisation"),
            (
                Column("extension", mark("Внутренний номер"), Holds.DIGITS, required=True),
                Column("name", mark("ФИО"), required=True),
                Column("role", mark("Роль"), required=True, options=_ROLES),
                Column("organisation", mark("Организация")),
                Column("skills", mark("Чем занимается")),
                Column("user", mark("Номер работника"), Holds.NUMBER),
                Column("groups", mark("Группы 2 уровня"), of="groups", apart=" "),
                Column("languages", mark("Языки"), options=tuple(LANGUAGE_WORDS), apart=" "),
                Column("themes", mark("Какие темы знает"), of="groups", apart=" "),
                Column("record", mark("Где записывается разговор"), options=RECORDED),
            ),
        ),
        ListForm(
            "queues",
            mark("Очереди вызовов"),
            ("code",),
            ("code", "title", "language"),
            (
                Column("code", mark("Код (как на АТС)"), Holds.CODE, required=True),
                Column("title", _title, required=True),
                Column("language", mark("Язык"), options=tuple(LANGUAGES.values())),
                Column("theme", mark("Тема"), of="groups"),
                Column("key", mark("Цифра темы в приветствии"), Holds.DIGITS),
                Column("number", mark("Набранный номер"), Holds.DIGITS),
                Column("order", mark("Порядок"), required=True, options=ORDERS),
                Column("weight", mark("Важность"), Holds.NUMBER),
                Column("widen_s", mark("Остальным через, с (0 - никогда)"), Holds.NUMBER),
            ),
        ),
        ListForm(
            "night",
            mark("Нерабочее время"),
            ("organisation",),
            ("organisation", "group", "mode"),
            (
                Column("organisation", mark("Организация"), required=True, of="organisations"),
                Column("group", mark("Дежурная группа"), required=True, of="groups"),
                Column("mode", mark("Приём вызовов"), required=True, options=NIGHT_MODES),
            ),
        ),
        ListForm(
            "news",
            mark("Объявления"),
            ("code",),
            ("begins", "title"),
            (
                _code,
                Column("title", _title, required=True),
                Column("text", mark("Текст"), required=True),
                Column("begins", mark("Показывать с"), Holds.DAY, required=True),
                Column("ends", mark("Показывать по"), Holds.DAY),
                Column("roles", mark("Кому (роли; пусто - всем)"), options=_ROLES, apart=" "),
            ),
        ),
        ListForm(
            "outside",
            mark("Номера вне центра"),
            ("number",),
            ("number", "name", "purpose"),
            (
                Column("number", mark("Номер"), Holds.DIGITS, required=True),
                Column("name", mark("Название"), required=True),
                Column("purpose", mark("Для чего"), required=True),
            ),
        ),
        ListForm(
            "types",
            mark("Типы обращений"),
            ("code",),
            ("code", "level1_closes"),
            (
                Column("code", mark("Тип обращения"), required=True, options=_TYPES),
                Column("level1_closes", mark("Закрывает 1 уровень (1/0)"), Holds.FLAG, required=True),
            ),
        ),
        ListForm(
            "ways",
            mark("Способы поступления"),
            ("code",),
            ("code", "written"),
            (
                Column("code", mark("Способ поступления"), required=True),
                Column("written", mark("Письменно (1/0)"), Holds.FLAG, required=True),
                Column("without_call", mark("Без звонка, 2 уровень (1/0)"), Holds.FLAG, required=True),
            ),
        ),
        ListForm(
            "fields",
            mark("Поля по типам"),
            ("version", "types", "themes", "field"),
            ("title", "themes", "kind"),
            (
                Column("version", mark("Версия"), Holds.NUMBER, required=True),
                Column("types", mark("Типы обращений"), required=True, options=_TYPES, apart="|"),
                Column("themes", mark("Тематики (начала кодов)"), Holds.CODE, apart="|"),
                Column("field", mark("Имя поля (латиницей)"), Holds.CODE, required=True),
                Column("title", _title, required=True),
                Column("kind", mark("Что вводится"), required=True, options=tuple(kind.value for kind in FieldKind)),
                Column("required", mark("Обязательно при закрытии"), options=("close",)),
                Column("options", mark("Варианты"), apart="|"),
            ),
        ),
        ListForm(
            "themes",
            mark("Тематики"),
            ("code",),
            ("code", "title"),
            (
                Column("type", mark("Тип обращения"), required=True, options=_TYPES),
                _code,
                Column("title", _title, required=True),
                Column("keywords", mark("Ключевые слова"), apart=" "),
                Column("level2_group", mark("Группа 2 уровня"), of="groups"),
                Column("deadline_days", mark("Срок ответа, дней"), Holds.NUMBER),
                Column("pg_row", mark("Строка формы ПГ")),
                Column("scripts", mark("Типовые ответы"), Holds.ANSWERS, apart=" "),
                Column("default_result", mark("Результат по умолчанию"), of="results"),
            ),
        ),
        ListForm(
            "quick",
            mark("Быстрые классы"),
            ("code",),
            ("title", "theme"),
            (
                _code,
                Column("title", _title, required=True),
                Column("theme", mark("Тематика"), required=True, of="themes"),
                Column("result", mark("Результат"), required=True, of="results"),
                Column("words", mark("Что сказать"), required=True),
            ),
        ),
        ListForm(
            "answers",
            mark("Типовые ответы"),
            ("id", "language"),
            ("id", "title", "language"),
            (
                Column("id", mark("Код"), Holds.CODE, required=True),
                Column("language", mark("Язык"), required=True, options=("ru", "kk")),
                Column("title", _title, required=True),
                Column("themes", mark("Тематики"), of="themes", apart=" "),
                Column("ask", mark("Спросить"), apart="|"),
                Column("say", mark("Сказать"), required=True, apart="|"),
                Column("next", mark("Дальше")),
                Column("basis", mark("Основание")),
                Column("found", mark("Основание проверено (1/0)"), Holds.FLAG),
                Column("until", mark("Годен до"), Holds.DAY),
            ),
        ),
    )
}


def decide_change(reference: Reference, x: Mapping[str, Any], seen: Mapping[str, str]) -> None:
    """Whether rows may take the place of those they name. ``seen`` says of each row which operation had written what
    the administrator saw.

    Refusals: FIELD_REQUIRED, FIELD_INVALID, REFERENCE_STALE (list, key), REFERENCE_NEEDED (list).
    """
    form = LISTS.get(str(x.get("list")))
    if form is None:
        raise Refusal(Code.FIELD_INVALID, field="list")
    rows = _rows_of(x)
    for key in rows:
        if seen.get(key, "") != reference.writer(form.name, key):
            raise Refusal(Code.REFERENCE_STALE, list=form.title, key=key)
    for key, row in rows.items():
        form.demand(key, row, reference)
    if form.name == "fields":
        _demand_next_form(reference, rows)
    after = reference.changed([(form.name, rows, "")])
    if form.name == "results":
        _demand_final(form, after)
    if form.name == "queues":
        demand_queues(after, form.column("code").title, form.column("key").title, form.column("number").title)
    if form.name == "terms" and any(row.get(OFF) or not 1 <= int(row["days"]) <= 365 for row in rows.values()):
        raise Refusal(Code.FIELD_INVALID, field=form.column("days").title)


def _rows_of(x: Mapping[str, Any]) -> dict[str, Row]:
    rows = x.get("rows")
    if not isinstance(rows, dict) or not rows:
        raise Refusal(Code.FIELD_REQUIRED, field="rows")
    if len(rows) > MOST_ROWS and x.get("list") != "fields":
        raise Refusal(Code.FIELD_INVALID, field="rows")
    for key, row in rows.items():
        if not _KEY.fullmatch(key) or not isinstance(row, dict):
            raise Refusal(Code.FIELD_INVALID, field="rows")
        if not all(isinstance(value, str) and len(column) <= _MOST_KEY for column, value in row.items()):
            raise Refusal(Code.FIELD_INVALID, field="rows")
    return rows


def latest_form(reference: Reference) -> int:
    """The newest version of the fields by type."""
    return max((int(row["version"]) for row in reference.all("fields").values()), default=0)


def _demand_next_form(reference: Reference, rows: Mapping[str, Row]) -> None:
    """A version that was ever given to a card is never edited: all rows together are the next one."""
    if {row["version"] for row in rows.values()} != {str(latest_form(reference) + 1)}:
        raise Refusal(Code.REFERENCE_STALE, list=LISTS["fields"].title, key="")


def _demand_final(form: ListForm, after: Reference) -> None:
    """An appeal of any type can be ended."""
    for type_ in _TYPES:
        if not any(row["final"] == "1" and type_ in row["types"].split("|") for row in after.open("results").values()):
            raise Refusal(Code.REFERENCE_NEEDED, list=form.title, type=type_)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False

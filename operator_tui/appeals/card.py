"""The appeal's card: its fields, how each behaves when two people write it, and what is required of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum, auto
from typing import Any

import msgspec

from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.words import mark


class Status(StrEnum):
    """Where an appeal is in its life (functions.md 1.2). The titles are the manual's words (K-6.0.1)."""

    IN_WORK = "work"
    DEFERRED = "deferred"
    IN_REVIEW = "review"
    CLOSED = "closed"
    VOID = "void"


STATUS_TITLES = {
    Status.IN_WORK: mark("В работе"),
    Status.DEFERRED: mark("Отсроченный ответ"),
    Status.IN_REVIEW: mark("На рассмотрении"),
    Status.CLOSED: mark("Закрыто"),
    Status.VOID: mark("Аннулировано"),
}


class Source(StrEnum):
    """How an appeal came (K-4.3, K-5.2.0.3)."""

    CALL = "Телефон контакт-центра"
    HOT_LINE = "Горячая линия"
    HAND = "Добавлено вручную"  # an ordinary telephone, the number typed
    LETTER = "Письменное обращение"
    EMAIL = "Электронная почта"
    VISIT = "Личный приём"
    PORTAL = "Портал"
    CHAT = "Чат-бот"
    SMS = "СМС"


# The ways this program itself speaks of; a centre adds its own (the reference list ``ways``).
WITHOUT_CALL = frozenset({Source.LETTER, Source.EMAIL, Source.VISIT, Source.PORTAL, Source.CHAT, Source.SMS})
# In writing; the others are oral (form ПГ counts them apart).
WRITTEN = frozenset({Source.LETTER, Source.EMAIL, Source.PORTAL, Source.CHAT, Source.SMS})
OPEN_STATUSES = frozenset({Status.IN_WORK, Status.DEFERRED, Status.IN_REVIEW})


class Merge(Enum):
    """What happens to a field that two people wrote without seeing one another (design 1.6)."""

    CREATE_ONLY = auto()  # the second write is refused
    LAST_WRITER = auto()  # the higher stamp wins, the loser is kept in the history
    KEEP_BOTH = auto()  # both values stand side by side until one is chosen
    APPEND = auto()  # a list that only grows
    GUARDED = auto()  # compare and set: the second write is refused as stale


FIELDS: dict[str, Merge] = {
    "number": Merge.CREATE_ONLY,
    "call": Merge.CREATE_ONLY,
    "source": Merge.CREATE_ONLY,
    "written": Merge.CREATE_ONLY,  # 1 or 0: whether a way of the centre's own is in writing
    "catalogue": Merge.CREATE_ONLY,
    "zone": Merge.CREATE_ONLY,
    "type": Merge.LAST_WRITER,
    "theme": Merge.LAST_WRITER,
    "phone": Merge.LAST_WRITER,
    "surname": Merge.LAST_WRITER,
    "name": Merge.LAST_WRITER,
    "patronymic": Merge.LAST_WRITER,
    "birth_date": Merge.LAST_WRITER,
    "address": Merge.LAST_WRITER,
    "enp": Merge.LAST_WRITER,
    "insurer": Merge.LAST_WRITER,
    "clinic": Merge.LAST_WRITER,
    "language": Merge.LAST_WRITER,
    "quick": Merge.LAST_WRITER,
    "text": Merge.KEEP_BOTH,
    "comment": Merge.KEEP_BOTH,
    "answers": Merge.APPEND,
    "links": Merge.APPEND,
    "calls": Merge.APPEND,  # {"call", "number"} of further calls about it
    "detached": Merge.APPEND,  # {"enp", "name"} of who was bound by mistake
    "result": Merge.GUARDED,
    "measures": Merge.LAST_WRITER,
    "organisation": Merge.LAST_WRITER,
    "sum": Merge.LAST_WRITER,
    "expert_act": Merge.LAST_WRITER,
    "letter": Merge.LAST_WRITER,
    "territory": Merge.LAST_WRITER,
    "call_log": Merge.LAST_WRITER,
    "linked_appeal": Merge.LAST_WRITER,
    # the insured, where he is not the caller, and the two consents (appeals/consent.py)
    "representative": Merge.LAST_WRITER,
    "insured_name": Merge.LAST_WRITER,
    "insured_birth": Merge.LAST_WRITER,
    "power_kind": Merge.LAST_WRITER,
    "power_date": Merge.LAST_WRITER,
    "power_withdrawn": Merge.LAST_WRITER,
    "escort_kind": Merge.LAST_WRITER,
    "escort_date": Merge.LAST_WRITER,
    "escort_withdrawn": Merge.LAST_WRITER,
    # in writing
    "form": Merge.CREATE_ONLY,
    "received": Merge.LAST_WRITER,
    "in_number": Merge.LAST_WRITER,
    "in_date": Merge.LAST_WRITER,
    "files": Merge.APPEND,  # {"name", "sha256", "size", "kind", "number", "date"}
    "replies": Merge.APPEND,  # {"kind": "intermediate" | "final", "number", "date", "file"}
    "attempts": Merge.APPEND,  # appeals/promises.py Attempt
    # written by moves alone
    "closed_by": Merge.GUARDED,
    "group": Merge.GUARDED,
    "promise_due": Merge.GUARDED,
    "promise_phone": Merge.GUARDED,
    "promise_ask": Merge.GUARDED,
    "promise_hours": Merge.GUARDED,
    "promises": Merge.GUARDED,  # {"due", "at", "by", "kept"}, oldest first
    "extended": Merge.GUARDED,  # the term before it was extended
    "owed": Merge.GUARDED,  # appeals/owed.py
    "told": Merge.GUARDED,  # {"what", "way", "on", "by", "result"}, oldest first
    "told_way": Merge.GUARDED,
    "told_on": Merge.GUARDED,
    "told_what": Merge.GUARDED,
    "told_result": Merge.GUARDED,
    "correction": Merge.GUARDED,
    "corrected": Merge.GUARDED,  # {"field", "old", "new", "reason", "by"}, oldest first
    "new_date": Merge.GUARDED,
    "remark": Merge.GUARDED,
    "reason": Merge.GUARDED,
}
# Written by moves of the life-cycle alone (appeals/decide.py), never by an edit.
GUARDED_FIELDS = frozenset(field for field, merge in FIELDS.items() if merge is Merge.GUARDED)

# Words of the manual for the fields, as the card shows them.
FIELD_TITLES = {
    "number": mark("Номер обращения"),
    "register": mark("Номер в реестре фонда"),
    "source": mark("Способ поступления"),
    "type": mark("Тип обращения"),
    "theme": mark("Тематика обращения"),
    "phone": mark("Телефон"),
    "surname": mark("Фамилия"),
    "name": mark("Имя"),
    "patronymic": mark("Отчество"),
    "birth_date": mark("Дата рождения"),
    "address": mark("Адрес"),
    "enp": mark("ЕНП"),
    "insurer": mark("Страховая компания"),
    "clinic": mark("Медицинская организация"),
    "text": mark("Содержание обращения"),
    "language": mark("Язык обращения"),
    "comment": mark("Комментарий"),
    "result": mark("Результат обращения"),
    "operator": mark("Оператор"),
    "new_date": mark("Новая дата рассмотрения"),
    "measures": mark("Принятые меры"),
    "organisation": mark("Организация"),
    "sum": mark("Возвращённая сумма"),
    "expert_act": mark("Акт экспертизы"),
    "letter": mark("Исходящее письмо"),
    "territory": mark("Территория"),
    "call_log": mark("Попытки связаться"),
    "linked_appeal": mark("Прежнее обращение"),
    "calls": mark("Другие вызовы"),
    "quick": mark("Быстрый класс"),
    "status": mark("Статус"),
    "representative": mark("Кем приходится"),
    "insured_name": mark("Застрахованное лицо"),
    "insured_birth": mark("Дата рождения застрахованного"),
    "power_kind": mark("Полномочие представителя"),
    "power_date": mark("Полномочие от"),
    "power_withdrawn": mark("Полномочие отозвано"),
    "escort_kind": mark("Согласие на сопровождение"),
    "escort_date": mark("Согласие от"),
    "escort_withdrawn": mark("Согласие отозвано"),
    "received": mark("Поступило"),
    "in_number": mark("Входящий номер"),
    "in_date": mark("Дата документа"),
    "group": mark("Группа"),
    "promise_due": mark("Перезвонить до"),
    "promise_phone": mark("Телефон для ответа"),
    "promise_ask": mark("Кого спросить"),
    "promise_hours": mark("Удобные часы"),
    "extended": mark("Прежний срок"),
    "owed": mark("Сообщить заявителю"),
    "told_way": mark("Способ уведомления"),
    "told_on": mark("Дата уведомления"),
    "told_result": mark("Итог уведомления"),
    "correction": mark("Просят исправить"),
    "value": mark("Новое значение"),
    "field": mark("Поле"),
    "user": mark("Работник"),
    "substitute": mark("Заместитель"),
    "since": mark("С"),
    "until": mark("По"),
    "hours": mark("Часы работы"),
    "calendar": mark("Рабочий календарь"),
    "remark": mark("Замечание"),
    "reason": mark("Причина"),
}


LANGUAGES = ("русский", "казахский", "другой")


class Card(msgspec.Struct, frozen=True):
    """One appeal as both ends know it.

    ``stamps`` says for each field who wrote it, or put a value beside it, last: ``(operation id, hybrid clock
    stamp)``; ``rival`` holds the other values of a keep-both field, the oldest first; ``review`` is ``final`` or
    ``extension`` while the appeal is in review;
    ``shared`` says which organisations but its home are told of it, and how much (appeals/organisations.py);
    ``deadline`` is a local date of the organisation (ISO). Fields this program does not know are kept as they came.
    """

    id: str
    stream: str
    rev: int
    status: Status
    author: int
    worker: int | None
    fields: dict[str, Any]
    stamps: dict[str, tuple[str, str]]
    created: str
    deadline: str = ""
    review: str = ""
    rival: dict[str, list[Any]] = {}
    shared: dict[str, str] = {}

    def value(self, field: str) -> Any:
        """The field's value, an empty text when it was never filled."""
        return self.fields.get(field, "")


def is_written(fields: Mapping[str, Any]) -> bool:
    """Whether an appeal came in writing: 59-ФЗ and the form ПГ tell these from the spoken ones."""
    told = fields.get("written")
    return bool(told) if told is not None else fields.get("source") in WRITTEN


def full_name(fields: Mapping[str, Any]) -> str:
    """Surname, name and patronymic in one line, as far as they are known."""
    return " ".join(filter(None, (str(fields.get(key, "")) for key in ("surname", "name", "patronymic"))))


def missing_to_save(fields: Mapping[str, Any]) -> list[str]:
    """Fields that must be filled before «Сохранить»: the main ones of K-5.1.4.1. Empty when it may be saved.

    A promise is saved with a number alone: the caller was gone before he said what it is about.
    """
    missing = [field for field in ("type", "theme") if not fields.get(field)]
    if missing and fields.get("promise_due"):
        return [] if fields.get("promise_phone") or fields.get("phone") else ["phone"]
    return missing


def missing_to_close(fields: Mapping[str, Any], given: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
    """Fields that must be filled before «Закрыть обращение» with the result in ``given`` (K-6.1.2 to K-6.1.7).

    What an edit may have written counts; whom to hand it to and a new date must be said with the act itself.
    """
    missing = [field for field in ("type", "theme") if not fields.get(field)]
    code = given.get("result")
    if not code:
        return [*missing, "result"]
    wanted: Iterable[str] = ("comment", *sorted(catalogue.result(str(code)).required - {"comment"}))
    said = {**{field: value for field, value in fields.items() if field not in _SAID_WITH_ACT}, **_filled(given)}
    if given.get("group"):
        said["operator"] = given["group"]  # to a group until one of it takes it
    if fields.get("attempts"):
        said["call_log"] = fields["attempts"]
    # What could not be asked any more is not asked for: nobody was reached, the appeal was withdrawn.
    clarified = [] if code in _WITHOUT_FACTS else catalogue.forms.missing(fields)
    return missing + clarified + [field for field in wanted if not said.get(field)]


_WITHOUT_FACTS = frozenset({"R04", "R05", "R19", "R20", "R21", "R23", "R24", "R26"})
_SAID_WITH_ACT = frozenset({"operator", "new_date"})


def asked_with(code: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The fields of «Принятые меры» that a result wants beside the comment, in the order they are asked for.

    A result that hands on to oneself by default offers the operator's field too.
    """
    if code not in catalogue.results:
        return ()
    result = catalogue.result(code)
    wanted = set(result.required - {"comment"}) | ({"operator"} if result.hands_on else set())
    return tuple(sorted(wanted, key=lambda field: (_ASKED.index(field) if field in _ASKED else len(_ASKED), field)))


_ASKED = ("operator", "organisation", "new_date", "measures", "sum", "letter")


def _filled(given: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in given.items() if value}

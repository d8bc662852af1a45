"""The lists of the reference data: which columns each has. The desk makes its forms of this."""

from __future__ import annotations

from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.forms import FieldKind
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference_columns import Column, Holds, ListForm
from operator_tui.appeals.routing import LANGUAGE_WORDS, LANGUAGES, NIGHT_MODES, ORDERS, RECORDED
from operator_tui.appeals.words import mark

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

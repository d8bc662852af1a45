"""What an operator does with appeals: commands and keys. Titles are the customer's words (K-5.1, K-6)."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _card_open(situation: Situation) -> Refusal | None:
    return None if situation.card else Refusal(Code.NO_CARD_OPEN)


def _card_writable(situation: Situation) -> Refusal | None:
    if refusal := _card_open(situation):
        return refusal
    return None if situation.card_editable else Refusal(Code.CARD_READ_ONLY)


def _card_unsaved(situation: Situation) -> Refusal | None:
    if refusal := _card_open(situation):
        return refusal
    return Refusal(Code.CARD_SAVED) if situation.card_saved else None


def _anything_returned(situation: Situation) -> Refusal | None:
    return None if situation.returned else Refusal(Code.NOTHING_RETURNED)


def _appeal_at_hand(situation: Situation) -> Refusal | None:
    if situation.screen == "work":
        return _card_open(situation) or (None if situation.card_saved else Refusal(Code.CARD_UNSAVED))
    return _row_chosen(situation)


def _row_chosen(situation: Situation) -> Refusal | None:
    return None if situation.row else Refusal(Code.NO_ROW_CHOSEN)


register(
    Command(
        "journal.home",
        mark("Журнал"),
        mark("Вернуться к журналу активных обращений; введённое в карточку останется в черновике."),
        ("ctrl+f",),
        scope="work",
        footer=True,
        rank=44,
    ),
    Command(
        "journal.returned",
        mark("Вернулось"),
        mark("Показать записи, которые сервер не принял, и расхождения: решить, чей текст остаётся."),
        ("ctrl+k",),
        footer=True,
        rank=12,
        available=_anything_returned,
    ),
    Command(
        "journal.search",
        mark("Поиск по журналу"),
        mark("Найти обращение по номеру, ФИО, телефону или словам из него."),
        ("ctrl+f",),
        scope="journal",
        footer=True,
        short=mark("Поиск"),
        rank=35,
    ),
    Command(
        "card.add",
        mark("Добавить"),
        mark("Открыть новую регистрационную карту; номер звонящего будет уже в ней."),
        ("insert", "ctrl+n"),
        footer=True,
        rank=40,
    ),
    Command(
        "card.edit",
        mark("Редактирование"),
        mark("Открыть выбранное обращение и вести его дальше (Enter на строке)."),
        ("ctrl+g",),
        scope="journal",
        footer=True,
        short=mark("Открыть"),
        rank=42,
        available=_row_chosen,
    ),
    Command(
        "card.save",
        mark("Сохранить"),
        mark("Сохранить обращение в журнале; карточка остаётся открытой."),
        # Ctrl+S alone would not do: with software flow control on a serial line it never arrives.
        ("ctrl+s", "ctrl+w"),
        scope="work",
        footer=True,
        rank=70,
        available=_card_writable,
    ),
    Command(
        "card.close",
        mark("Закрыть обращение"),
        mark("Сохранить обращение и закрыть его с выбранным результатом."),
        ("f9",),
        scope="work",
        footer=True,
        rank=35,
        short=mark("Закрыть"),
        available=_card_writable,
    ),
    Command(
        "card.missing",
        mark("Что не заполнено"),
        mark("Назвать обязательные поля, которых не хватает, и перейти к первому из них."),
        ("ctrl+x",),
        scope="work",
        rank=86,
        available=_card_writable,
    ),
    Command(
        "card.operator",
        mark("Выбрать оператора"),
        mark("Выбрать из списка, кому передать обращение; если результат просит организацию — какую."),
        ("ctrl+d",),
        scope="work",
        rank=87,
        available=_card_writable,
    ),
    *(
        Command(f"card.quick{code}", title, help_text, (key,), scope="work", rank=rank, available=_card_unsaved)
        for code, title, help_text, key, rank in (
            ("", mark("Быстрый класс"), mark("Звонок без вопроса: выбрать класс и закрыть."), "ctrl+p", 88),
            (
                "_wrong_number",
                mark("Ошибка номером"),
                mark("Звонок без вопроса: ошиблись номером. Закроется с концом звонка, второе нажатие — сразу."),
                "alt+e",
                201,
            ),
            (
                "_silence",
                mark("Тишина"),
                mark("Звонок без вопроса: в трубке тишина. Закроется с концом звонка, второе нажатие — сразу."),
                "alt+t",
                202,
            ),
            (
                "_prank",
                mark("Розыгрыш"),
                mark("Звонок без вопроса: розыгрыш, хулиганство. Закроется с концом звонка, второе нажатие — сразу."),
                "alt+h",
                203,
            ),
            (
                "_off_topic",
                mark("Не по профилю"),
                mark("Звонок без вопроса: не по профилю. Закроется с концом звонка, второе нажатие — сразу."),
                "alt+n",
                204,
            ),
            (
                "_talk",
                mark("Просто поговорить"),
                mark("Звонок без вопроса: просто поговорить. Закроется с концом звонка, второе нажатие — сразу."),
                "alt+p",
                205,
            ),
        )
    ),
    Command(
        "card.history",
        mark("Прежние обращения"),
        mark("Перейти к прежним обращениям этого человека; пробел отмечает, что прикрепить."),
        ("ctrl+y",),
        scope="work",
        rank=90,
        available=_card_open,
    ),
)

register(
    Command(
        "appeal.files",
        mark("Файлы и записи"),
        mark("Файлы обращения и записи разговоров: как передаются; Enter — открыть или прослушать, назвав цель."),
        ("shift+f11",),
        rank=119,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.withdraw",
        mark("Отозвать"),
        mark("Взять обратно своё закрытие, пока администратор не решил."),
        ("alt+z",),
        rank=120,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.take",
        mark("Взять"),
        mark("Взять себе обращение, у которого ещё нет работника."),
        ("alt+g",),
        rank=121,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.resume",
        mark("В работу"),
        mark("Связались с обратившимся: вернуть отсроченный ответ в работу."),
        ("alt+w",),
        rank=122,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.reassign",
        mark("Передать другому"),
        mark("Передать обращение другому работнику (администратор)."),
        ("alt+y",),
        rank=130,
        right=Right.APPROVE,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.reopen",
        mark("Открыть снова"),
        mark("Вернуть закрытое обращение в работу (администратор)."),
        ("alt+o",),
        rank=131,
        right=Right.APPROVE,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.void",
        mark("Аннулировать"),
        mark("Аннулировать обращение с указанием причины (администратор)."),
        ("alt+x",),
        rank=132,
        right=Right.APPROVE,
        available=_appeal_at_hand,
    ),
    Command(
        "review.open",
        mark("Рассмотрение"),
        mark("Очередь администратора: утвердить результаты и сроки или вернуть."),
        ("alt+u",),
        rank=46,
        footer=True,
        right=Right.APPROVE,
    ),
    Command(
        "review.approve",
        mark("Утвердить"),
        mark("Утвердить результат или новый срок выбранного обращения."),
        ("f5",),
        scope="review",
        rank=30,
        footer=True,
        right=Right.APPROVE,
        available=_appeal_at_hand,
    ),
    Command(
        "review.return",
        mark("Вернуть с замечанием"),
        mark("Вернуть обращение работнику с замечанием; для продления: отказать в нём."),
        ("f6",),
        scope="review",
        rank=31,
        footer=True,
        short=mark("Вернуть"),
        right=Right.APPROVE,
        available=_appeal_at_hand,
    ),
    Command(
        "review.sift",
        mark("Отбор"),
        mark("Показать часть очереди: по результату, тематике или работнику."),
        ("ctrl+g",),
        scope="review",
        rank=32,
        footer=True,
        right=Right.APPROVE,
    ),
    Command(
        "review.approve_all",
        mark("Утвердить отбор"),
        mark("Посмотреть выборку и утвердить все обращения отбора."),
        ("f9",),
        scope="review",
        rank=33,
        footer=True,
        right=Right.APPROVE,
    ),
)

register(
    Command(
        "journal.sift",
        mark("Отбор журнала"),
        mark("Показать часть журнала: мои, по сроку, по статусу или отбор, сохранённый под именем."),
        ("ctrl+p",),
        scope="journal",
        footer=True,
        rank=73,
        short=mark("Отбор"),
    ),
    Command(
        "journal.keep_sieve",
        mark("Сохранить отбор"),
        mark("Сохранить показанный отбор вместе со словами поиска под именем."),
        ("ctrl+s",),
        scope="journal",
        rank=37,
    ),
    Command(
        "appeal.timeline",
        mark("Просмотр"),
        mark("Показать обращение целиком, под ним его историю."),
        ("alt+q",),
        rank=110,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.history",
        mark("История обращения"),
        mark("Всё, что с обращением было, по порядку: изменения, звонки, файлы, ответы."),
        ("shift+f1",),
        rank=110,
        available=_appeal_at_hand,
    ),
    Command(
        "appeal.call_back",
        mark("Перезвонить"),
        mark("Позвонить по номеру обращения; его карточка откроется."),
        ("alt+k",),
        rank=111,
        available=_appeal_at_hand,
    ),
    Command(
        "card.summary",
        mark("Итак"),
        mark("Показать, что сказать в конце: тема, номер, срок, телефон."),
        ("alt+a",),
        scope="work",
        rank=112,
        available=_card_open,
    ),
    Command(
        "card.detach",
        mark("Открепить"),
        mark("Открепить ошибочно прикреплённого человека; введённое вами останется."),
        ("alt+f",),
        scope="work",
        rank=113,
        available=_card_writable,
    ),
    Command(
        "card.source",
        mark("Способ поступления"),
        mark("Выбрать, как поступило обращение: письмо, почта, личный приём, «Горячая линия» и другие."),
        ("ctrl+v",),
        scope="work",
        rank=114,
        available=_card_unsaved,
    ),
)

register(
    Command(
        "appeal.more",
        mark("Дела обращения"),
        mark("Отсроченный ответ, группа, представитель и согласия, файлы, ответы и письма — одним списком."),
        ("ctrl+z",),
        rank=115,
    ),
    Command(
        "promises.open",
        mark("Перезвоним до…"),
        mark("Показать обещанные звонки: свои, группы и тех, кого замещаете."),
        ("alt+p",),
        scope="journal",
        rank=46,
        footer=True,
        short=mark("Обещания"),
    ),
)

register(
    Command(
        "journal.export",
        mark("Выгрузить"),
        mark("Записать показанный отбор в файл CSV или XLSX с указанием цели."),
        ("alt+e",),
        scope="journal",
        rank=140,
        right=Right.EXPORT,
    ),
    Command(
        "journal.counts",
        mark("Сводка"),
        mark("Посчитать показанный отбор по типам, тематикам, клиникам, страховым, строкам формы."),
        ("alt+n",),
        scope="journal",
        rank=141,
    ),
)

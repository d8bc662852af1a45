"""Sentences for refusals: what happened, what was kept, what to do. The only place where a code becomes words."""

from __future__ import annotations

import errno
import os

from operator_tui.appeals.card import FIELD_TITLES
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import ROLE_TITLES, Role
from operator_tui.appeals.rights import RIGHTS, Right
from operator_tui.i18n import mark, tr
from operator_tui.sentences import appeals, central, journal, registry, settings, sign_in, telephone

_SENTENCES: dict[Code, str] = {
    **appeals.SENTENCES,
    **journal.SENTENCES,
    **settings.SENTENCES,
    **central.SENTENCES,
    **sign_in.SENTENCES,
    **telephone.SENTENCES,
    **registry.SENTENCES,
}


_RIGHT_OF = mark("Для вашей роли это действие закрыто, ничего не изменено. Оно для ролей: {roles}.")
_CLOSING = mark("Ваша роль это обращение с таким результатом не закрывает. Выберите передачу: ^R. Закрывают: {roles}.")


# What the operating system says of a file, where it is the reason of a refusal.
_SYSTEM_REASONS = {
    os.strerror(number): words
    for number, words in (
        (errno.ENOENT, mark("нет такого файла или папки")),
        (errno.EACCES, mark("нет прав")),
        (errno.EPERM, mark("нет прав")),
        (errno.EISDIR, mark("это папка")),
        (errno.ENOTDIR, mark("на пути к нему не папка")),
        (errno.ENOSPC, mark("на диске нет места")),
        (errno.EDQUOT, mark("место, отведённое на диске, закончилось")),
        (errno.EROFS, mark("диск только для чтения")),
        (errno.EIO, mark("диск не отвечает")),
        (errno.ETIMEDOUT, mark("папка не отвечает")),
    )
}

# What a PBX says when it refuses a call or a transfer (RFC 3261, 21.4 to 21.6), as the operator has to understand it.
_SIP_REASONS = {
    "403": mark("не разрешено"),
    "404": mark("такого номера нет"),
    "410": mark("такого номера нет"),
    "302": mark("просят звонить по другому номеру"),
    "500": mark("АТС сейчас не может"),
    "502": mark("АТС сейчас не может"),
    "408": mark("не отвечает"),
    "480": mark("не на месте"),
    "484": mark("номер неполный"),
    "486": mark("занято"),
    "488": mark("телефон не подходит"),
    "503": mark("АТС сейчас не может"),
    "600": mark("занято"),
    "603": mark("отказано"),
}


class _Forgiving(dict[str, object]):
    """A sentence must come out even when the refusal lacks a parameter."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentence(refusal: Refusal, *, at_command_line: bool = False) -> str:
    """The refusal as a sentence in the operator's language; ``at_command_line`` nothing stands on a screen."""
    params = dict(refusal.params)
    if refusal.code is Code.FIELD_INVALID and params.get("field") in appeals.WANTED:
        named = str(params["field"])
        return tr(appeals.WRONG).format(field=tr(FIELD_TITLES[named]), wanted=tr(appeals.WANTED[named]))
    if params.get("field") in FIELD_TITLES:
        params["field"] = tr(FIELD_TITLES[params["field"]])
    if params.get("reason") in _SYSTEM_REASONS:
        params["reason"] = tr(_SYSTEM_REASONS[params["reason"]])
    if refusal.code in (Code.TRANSFER_FAILED, Code.DIAL_FAILED) and params.get("reason") in _SIP_REASONS:
        params["reason"] = tr(_SIP_REASONS[params["reason"]])
    if refusal.code is Code.RIGHT_MISSING and params.get("right") in set(Right):
        words = _CLOSING if params["right"] == Right.CLOSE_ANY_TYPE else _RIGHT_OF
        return tr(words).format(roles=_holders(Right(params["right"])))
    if refusal.code is Code.SERVER_AWAY and "region" in params:  # it is there, and moves a region (sync/link.py)
        return tr(_SENTENCES[Code.REGION_MOVES]).format_map(_Forgiving(params))
    elsewhere = journal.AT_COMMAND_LINE if at_command_line else {}
    return tr(elsewhere.get(refusal.code, _SENTENCES[refusal.code])).format_map(_Forgiving(params))


def _holders(right: Right) -> str:
    """Who may, by the one table of rights, in the order of the customer's roles."""
    return "; ".join(tr(ROLE_TITLES[role]) for role in Role if role in RIGHTS[right])


def untold() -> list[Code]:
    """Codes that have no sentence yet: a test holds this empty."""
    return [code for code in Code if code not in _SENTENCES]

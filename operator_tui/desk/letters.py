"""Letters to the citizen, made from templates (docx) that people of the centre write in their own word processor."""

from __future__ import annotations

import io
from datetime import date
from enum import StrEnum
from importlib import resources
from pathlib import Path

from operator_tui.appeals.card import Card, full_name
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.papers import ReplyKind
from operator_tui.i18n import mark


class Letter(StrEnum):
    """The letters there are; the value is the template's name."""

    ANSWER = "answer"
    INTERMEDIATE = "intermediate"
    FORWARDING = "forwarding"
    EXTENSION = "extension"


LETTER_TITLES = {
    Letter.ANSWER: mark("Ответ на обращение"),
    Letter.INTERMEDIATE: mark("Промежуточный ответ"),
    Letter.FORWARDING: mark("Уведомление о переадресации"),
    Letter.EXTENSION: mark("Уведомление о продлении срока"),
}
REPLY_OF = {
    Letter.ANSWER: ReplyKind.FINAL,
    Letter.INTERMEDIATE: ReplyKind.INTERMEDIATE,
    Letter.FORWARDING: ReplyKind.INTERMEDIATE,
    Letter.EXTENSION: ReplyKind.INTERMEDIATE,
}


def letter_words(
    card: Card, catalogue: Catalogue, *, zone: str, by: str, number: str, on: str, text: str
) -> dict[str, str]:
    """What the places of a template stand for; ``on`` is the outgoing date (ISO), ``text`` the answer itself."""
    theme = catalogue.themes.get(str(card.value("theme")))
    result = catalogue.results.get(str(card.value("result")))
    name = full_name(card.fields)
    first = " ".join(str(card.value(key)) for key in ("name", "patronymic") if card.value(key))
    return {
        "кому": name,
        "адрес": str(card.value("address")),
        "обращение": f"Здравствуйте, {first}" if first else "Здравствуйте",
        "номер": str(card.value("in_number") or card.value("number")),
        "зарегистрировано": _day(local_date(stamp_ms(card.created), zone).isoformat()),
        "тематика": theme.title if theme else "",
        "результат": result.title if result else "",
        "организация": str(card.value("organisation")),
        "срок": _day(card.deadline),
        "ответ": text,
        "исходящий_номер": number,
        "исходящая_дата": _day(on),
        "исполнитель": by,
    }


def render(letter: Letter, words: dict[str, str], folder: str = "") -> bytes:
    """The letter as docx; a template of the same name in ``folder`` goes before the packaged one.

    Refusal(LETTER_FAILED) names the template and what is wrong with it.
    """
    from zipfile import BadZipFile

    from docx.opc.exceptions import OpcError
    from docxtpl import DocxTemplate
    from jinja2 import Environment, StrictUndefined, TemplateError

    own = Path(folder) / f"{letter.value}.docx" if folder else None
    try:
        if own is not None and own.is_file():
            source = own.read_bytes()
        else:
            source = resources.files("assets").joinpath("letters", f"{letter.value}.docx").read_bytes()
        template = DocxTemplate(io.BytesIO(source))
        # A place that is not known must be seen before the letter goes out, not after.
        template.render(words, Environment(undefined=StrictUndefined, autoescape=True), autoescape=True)
        out = io.BytesIO()
        template.save(out)
    except TemplateError as error:
        raise Refusal(Code.LETTER_FAILED, file=f"{letter.value}.docx", reason=str(error.message)) from None
    except (OSError, ValueError, KeyError, BadZipFile, OpcError) as error:
        raise Refusal(Code.LETTER_FAILED, file=f"{letter.value}.docx", reason=type(error).__name__) from None
    return out.getvalue()


def _day(iso: str) -> str:
    try:
        return date.fromisoformat(iso).strftime("%d.%m.%Y")
    except ValueError:
        return iso

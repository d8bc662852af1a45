"""How an insured person is told on the screen: in one row, in one line, and whole."""

from __future__ import annotations

from datetime import date

from operator_tui.i18n import tr
from operator_tui.registry.codes import title
from operator_tui.registry.people import Attachment, Hit, Person, Policy
from screens.words import day

OLD_DATA_DAYS = 7  # deltas come daily: a week without one is worth a word


def hit_cells(hit: Hit) -> tuple[str, str]:
    """A person found: full name, then birth date and what the operator must not overlook."""
    return hit.person.full_name, " · ".join((day(hit.person.birth_date), *_signs(hit.person, hit.former)))


def person_cells(person: Person) -> tuple[str, str]:
    """The same for a person who was not searched for."""
    return hit_cells(Hit(person))


def _signs(person: Person, former: str) -> list[str]:
    signs = [tr("прежде {surname}").format(surname=former)] if former else []
    if person.merged_with:
        signs.append(tr("объединён"))
    if person.death_date:
        signs.append(tr("умер"))
    if person.warning:
        signs.append(tr("ЕНП не сходится"))
    return signs


def details(person: Person) -> str:
    """One line about the person under the cursor."""
    warning = tr("дата рождения или пол не те, что в ЕНП") if person.warning else ""
    merged = tr("объединён с ЕНП {enp}").format(enp=person.merged_with) if person.merged_with else ""
    return " · ".join(
        filter(None, (merged, warning, person.policy_status, person.insurer, person.clinic, person.address))
    )


def facts(person: Person) -> list[tuple[str, str]]:
    """(label, text) of everything the registry has of a person; one entry for each policy, attachment and name."""
    told: list[tuple[str, str]] = [
        (tr("ФИО"), person.full_name),
        (tr("Дата рожд."), day(person.birth_date)),
        (tr("Пол"), {"m": tr("мужской"), "f": tr("женский")}.get(person.sex, "")),
        (tr("ЕНП"), person.enp),
        (tr("Внимание"), person.warning.removeprefix("Внимание: ")),
        (tr("Объединён"), tr("действует запись с ЕНП {enp}").format(enp=person.merged_with) * bool(person.merged_with)),
        (tr("Дата смерти"), day(person.death_date)),
        (tr("СНИЛС"), person.snils),
        (tr("ИИН"), person.cell("iin")),
        (tr("Телефоны"), ", ".join(person.phones)),
        (tr("Страховая"), " · ".join(filter(None, (person.insurer, person.policy_status)))),
        (tr("Поликлин."), person.clinic),
        (tr("Адрес"), person.address),
    ]
    for old in person.previous:
        words = " ".join(filter(None, (old.surname, old.name, old.patronymic)))
        told.append((tr("Прежде"), _until(words, old.until)))
    told += [(tr("Полис"), _policy(policy)) for policy in person.policies]
    told += [(tr("Прикрепл."), _attachment(attachment)) for attachment in person.attachments]
    if speaker := person.representative:
        consent = {"1": tr("согласие есть"), "0": tr("согласия нет")}.get(speaker.consent, "")
        words = ", ".join(filter(None, (speaker.full_name, speaker.relation, speaker.phone, consent)))
        told.append((tr("Представ."), _until(words, "", speaker.consent_date)))
    return [(label, text) for label, text in told if text]


def _policy(policy: Policy) -> str:
    number = " ".join(filter(None, (policy.series, policy.number)))
    words = (title("policy_type", policy.type), number, title("policy_status", policy.status), policy.insurer)
    return _until(" · ".join(filter(None, words)), policy.until, policy.since)


def _attachment(attachment: Attachment) -> str:
    words = (
        attachment.clinic, title("area_type", attachment.area), title("attach_method", attachment.method),
        title("attach_status", attachment.status),
    )  # fmt: skip
    return _until(" · ".join(filter(None, words)), attachment.until, attachment.since)


def _until(words: str, until: str, since: str = "") -> str:
    span = " ".join(
        filter(
            None,
            (
                tr("с {day}").format(day=day(since)) if since else "",
                tr("по {day}").format(day=day(until)) if until else "",
            ),
        )
    )
    return f"{words} ({span})" if span else words


def age_words(data: str, today: date) -> str:
    """The day of the data (YYYY-MM-DD), and how many days ago that was once it is long; empty without a day."""
    if not data:
        return ""
    days = (today - date.fromisoformat(data)).days
    words = tr("данные на {day}").format(day=day(data))
    return tr("{words}, {days} дн. назад").format(words=words, days=days) if days >= OLD_DATA_DAYS else words


def is_old(data: str, today: date) -> bool:
    """Whether the data are so old that the centre should rather be asked."""
    return bool(data) and (today - date.fromisoformat(data)).days >= OLD_DATA_DAYS

"""Command line of the typical answers: ``operator-tui answers search|check``."""

from __future__ import annotations

import sys
from datetime import date

import click

_MOST = 10


@click.group("answers", help="Типовые сценарии ответов: search, check.")
def answers() -> None:
    """The group alone does nothing."""


@answers.command("search", help="Найти сценарии и тематики по ключевым словам.")
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Ответ одной строкой JSON.")
def search(query: str, as_json: bool) -> None:
    """Scripts and themes found, at most ten of each; nothing found is exit 0."""
    import time

    import msgspec

    from operator_tui.answers.answers import packaged_answers
    from operator_tui.answers.themes import ThemeSearch
    from operator_tui.reference import packaged_catalogue

    scripts = packaged_answers()
    themes = ThemeSearch(packaged_catalogue().themes.values())
    started = time.perf_counter()
    found = scripts.search(query)[:_MOST]
    named = themes.search(query)[:_MOST]
    elapsed = round((time.perf_counter() - started) * 1000, 3)
    if as_json:
        answer = {
            "query": query,
            "scripts": [{"id": script.id, "title": script.title, "language": script.language} for script in found],
            "themes": [{"code": theme.code, "type": theme.type, "title": theme.title} for theme in named],
            "ms": elapsed,
        }
        click.echo(msgspec.json.encode(answer).decode())
        return
    for script in found:
        click.echo(f"{script.id}  {script.title}")
    for theme in named:
        click.echo(f"{theme.code}  {theme.type}: {theme.title}")
    if not found and not named:
        click.echo("Ничего не найдено.")


@answers.command("check", help="Проверить, что сценарии и тематики согласованы. Выход 1, если нет.")
def check() -> None:
    """Say every contradiction and every text past its date."""
    from operator_tui.answers.answers import packaged_answers

    scripts = packaged_answers()
    findings = scripts.check(date.today())  # noqa: DTZ011 - a date of review, in local time
    for finding in findings:
        click.echo(finding.text)
    wrong = sum(finding.contradiction for finding in findings)
    click.echo(f"Сценариев: {len(scripts.all())}, противоречий: {wrong}.")
    sys.exit(1 if wrong else 0)

"""Trains the dictionary that requests are packed with: `python -m bench.train_dictionary FILE`.

Samples are messages of made-up people about the themes, results and answers of the reference data, so that the
dictionary holds nothing of anybody. A new one needs a new id in operator_tui/sync/dictionary.py.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import click
import msgspec
import zstandard

from operator_tui.appeals.catalogue import AppealType, Theme
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.number import number_to_tell
from operator_tui.appeals.operations import Change, Event, Kind, Operation, Outcome
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.dictionary import CURRENT
from operator_tui.sync.protocol import End, Head, Results, StreamEnd, SyncRequest, plain_operation

_SIZE = 32_768
_SAMPLES = 6000
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ZONES = ("Europe/Moscow", "Europe/Moscow", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg")
_WORDS = (
    "звонит", "спрашивает", "не может получить", "полис", "прикрепиться к поликлинике", "отказали в записи", "к врачу",
    "по телефону", "направление", "госпитализация", "застрахованный", "просит разъяснить", "порядок", "срок ожидания",
    "оплатили", "лекарство", "обследование", "сменить страховую", "дан ответ", "разъяснено", "перезвонить после обеда",
)  # fmt: skip


class _Office:
    """Made-up calls."""

    def __init__(self) -> None:
        self.dice = random.Random(26)
        catalogue = packaged_catalogue()
        self.version = catalogue.version
        self.themes: list[Theme] = [theme for type_ in AppealType for theme in catalogue.themes_of(type_)]
        self.surnames, self.names, self.patronymics = map(_column, ("surnames", "first", "patronymics"))
        self.stamp = ""

    def operation(self, n: int, device: str) -> Operation:
        dice = self.dice
        self.stamp = next_stamp(self.stamp, 1_790_000_000_000 + dice.randrange(10_000_000_000))
        common: dict[str, Any] = {"n": n, "at": self.stamp, "z": dice.choice(_ZONES)}
        card = f"{device}:{dice.randrange(1, 5000)}"
        choice = dice.random()
        if choice < 0.5:
            return Operation(**common, k=Kind.CARD_NEW.value, x=self.card(n))
        if choice < 0.65:
            changed = {key: self.card(n)[key] for key in dice.sample(["phone", "text", "comment", "address"], 2)}
            return Operation(**common, k=Kind.CARD_SET.value, c=card, b=dict.fromkeys(changed, card), x=changed)
        if choice < 0.8:
            said = {"act": Act.CLOSE.value, "result": dice.choice(["R01", "R02", "R03"]), "comment": self.words(4)}
            return Operation(**common, k=Kind.CARD_MOVE.value, c=card, b={"status": card}, x=said)
        kind = dice.choice([Kind.CALL_OFFERED, Kind.CALL_ANSWERED, Kind.CALL_ENDED, Kind.SHIFT_BEGUN])
        return Operation(**common, k=kind.value, x={"call": f"{dice.randrange(10**10)}", "by": "caller"})

    def card(self, n: int) -> dict[str, Any]:
        dice = self.dice
        theme = dice.choice(self.themes)
        name = {
            "surname": dice.choice(self.surnames),
            "name": dice.choice(self.names),
            "patronymic": dice.choice(self.patronymics),
        }
        return {
            "number": number_to_tell(dice.randrange(1, 4000), n),
            "zone": dice.choice(_ZONES),
            "catalogue": self.version,
            "deadline": f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
            "type": theme.type.value,
            "theme": theme.code,
            **name,
            "birth_date": f"{dice.randrange(1930, 2010)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}",
            "enp": f"26{dice.randrange(10**14):014}",
            "phone": f"+7 8652 0{dice.randrange(10**5):05}",
            "address": f"Ставропольский край, г. Ставрополь, ул. Ленина, д. {dice.randrange(1, 200)}",
            "source": "phone",
            "text": self.words(8),
            "comment": self.words(4),
            "call": f"{dice.randrange(10**10)}",
        }

    def words(self, count: int) -> str:
        return " ".join(self.dice.choice(_WORDS) for _ in range(count))

    def code(self) -> str:
        return "".join(self.dice.choice(_ALPHABET) for _ in range(6))


def _column(name: str) -> list[str]:
    text = resources.files("assets").joinpath("reference", f"names_{name}.csv").read_text(encoding="utf-8")
    column = {"surnames": "female", "first": "name", "patronymics": "female"}[name]
    return [row[column] for row in csv.DictReader(text.splitlines(), delimiter=";")]


def samples() -> Iterator[bytes]:
    """Requests and the frames that answer them."""
    office = _Office()
    for _ in range(_SAMPLES):
        device, epoch, n = office.code(), f"{office.dice.randrange(1 << 64):016x}", office.dice.randrange(1, 5000)
        operation = office.operation(n, device)
        q = office.dice.randrange(1, 1_000_000)
        cursors = {"26/tf": q}
        now = 1_790_000_000_000 + office.dice.randrange(10_000_000_000)
        yield msgspec.json.encode(SyncRequest(1, device, epoch, now, cursors, [plain_operation(operation)]))
        change = Change(create=operation.k == Kind.CARD_NEW, set=operation.x, status="work")
        card = operation.c or f"{device}:{n}"
        stream_end = StreamEnd(q, f"{office.dice.randrange(1 << 256):064x}")
        frames = [
            Head(epoch, now, n + 1),
            Results([Outcome(n, "applied", q=q)]),
            Event("26/tf", q, operation.k, f"{device}:{n}", 7, operation.at, card, msgspec.to_builtins(change)),
            End({"26/tf": stream_end}),
        ]
        yield b"\n".join(map(msgspec.json.encode, frames))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def main(file: Path) -> None:
    """Write the dictionary and tell its size."""
    found = zstandard.train_dictionary(_SIZE, list(samples()), dict_id=CURRENT, level=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(found.as_bytes())
    print(f"id {found.dict_id()}\tbytes {len(found)}")


if __name__ == "__main__":
    main()

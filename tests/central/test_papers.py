"""The papers of an appeal go where it goes: whoever has it whole reads them, and nobody reads others by its number."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from central.files import FOLDER_VARIABLE, Files
from central.keys import FUND, public_keys
from central.store import tables as t
from operator_tui.appeals.people import Role
from operator_tui.secrets import sealed
from operator_tui.secrets.address import FileKind, fund_address
from operator_tui.signin.files import KEY_PATHS
from tests.central.desks import Desk, Office

CENTRE, FIRST, SECOND = "26/tf", "26/smo-26001", "26/smo-26002"
PLAIN = b"a scanned complaint"
ROLES = {CENTRE: Role.OPERATOR_2, FIRST: Role.INSURER_2, SECOND: Role.INSURER_2}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
    return tmp_path


class Paper:
    """A paper that a desk of an organisation has sealed and sent."""

    def __init__(self, office: Office, folder: Path, organisation: str, kind: FileKind = FileKind.ATTACHMENT) -> None:
        self._kind = kind
        file = folder / "sealed"
        fund = bytes.fromhex(public_keys(office.database)[FUND])
        sealed.seal_file(io.BytesIO(PLAIN), file, fund_address(fund, kind, organisation))
        self._content = file.read_bytes()
        self.name = hashlib.sha256(self._content).hexdigest()
        Files("26").begin(self.name, len(self._content))
        Files("26").append(self.name, 0, self._content)

    @property
    def entry(self) -> dict[str, Any]:
        """As it stands on a card."""
        about = {"name": "a.pdf", "sha256": "a" * 64, "size": len(PLAIN), "kind": "pdf", "number": "1"}
        return {**about, "date": "2020-02-29", "sealed": self.name}

    def read(self, desk: Desk, card: str) -> str:
        """What becomes of a desk that wants to read it: ``read``, or the refusal's code."""
        body = {"v": 1, "sealed": sealed.box_in(self._content).hex(), "purpose": "appeal", "card": card}
        token = {"Authorization": f"Bearer {desk.identity.token}"}
        answer = desk.client.post(KEY_PATHS[self._kind.value], json=body, headers=token)
        if answer.status_code != 200:
            return str(answer.json()["code"])
        assert sealed.opened_with_key(self._content, bytes.fromhex(answer.json()["key"])) == PLAIN
        return "read"


def move(office: Office, desk: Desk, card: str, act: str, **x: Any) -> None:
    seen = {"status": str(office.card(card)["stamps"]["status"][0])}
    assert desk.send(desk.operation("card.move", {"act": act, **x}, card=card, b=seen)).states == ["applied"]


@pytest.mark.function("K-6.0.3")
@pytest.mark.parametrize("kind", [FileKind.ATTACHMENT, FileKind.VOICE_MAIL])
@pytest.mark.parametrize(("here", "there"), [(CENTRE, FIRST), (FIRST, CENTRE)])
def test_what_is_sent_on_is_read_with_its_papers(
    office: Office, folder: Path, here: str, there: str, kind: FileKind
) -> None:
    sender, receiver = office.desk("Петрова", ROLES[here], here), office.desk("Смирнов", ROLES[there], there)
    stranger = office.desk("Чужая", Role.INSURER_2, SECOND)
    paper, other = Paper(office, folder, here, kind), Paper(office, folder, here, kind)
    new = sender.new_card(files=[paper.entry])
    assert sender.send(new).states == ["applied"]
    card = sender.card_id(new)
    assert (paper.read(sender, card), paper.read(receiver, card)) == ("read", "file_other")
    move(office, sender, card, "send", to=there)
    assert paper.read(receiver, card) == "read"
    assert paper.read(receiver, "") == "file_other", "which appeal it is read for is said"
    assert other.read(receiver, card) == "file_other", "and it is one of its papers"
    assert paper.read(stranger, card) == "file_other"
    actions = [row.action for row in office.rows(t.audit) if row.action.startswith(kind.value)]
    assert actions.count(f"{kind.value}.opened") == 2
    assert actions.count(f"{kind.value}.refused") == 4


@pytest.mark.function("K-6.0.4")
def test_what_an_insurer_closes_is_judged_with_its_papers(office: Office, folder: Path) -> None:
    insurer, boss = office.desk("Смирнов", Role.INSURER_2, FIRST), office.desk("Главная", Role.ADMINISTRATOR)
    stranger = office.desk("Чужая", Role.INSURER_2, SECOND)
    paper = Paper(office, folder, FIRST)
    new = insurer.new_card(files=[paper.entry])
    insurer.send(new)
    card = insurer.card_id(new)
    assert paper.read(boss, card) == "file_other", "it is the insurer's until it is closed"
    move(office, insurer, card, "close", result="R01", comment="Разъяснено")
    assert (paper.read(boss, card), paper.read(stranger, card)) == ("read", "file_other")


def test_a_stub_reads_nothing_of_what_was_added_elsewhere(office: Office, folder: Path) -> None:
    sender, receiver = office.desk("Петрова", Role.OPERATOR_2), office.desk("Смирнов", Role.INSURER_2, FIRST)
    new = sender.new_card()
    sender.send(new)
    card, paper = sender.card_id(new), Paper(office, folder, FIRST)
    move(office, sender, card, "send", to=FIRST)
    added = receiver.operation("card.set", {"files": [paper.entry]}, card=card)
    assert receiver.send(added).states == ["applied"]
    assert (paper.read(receiver, card), paper.read(sender, card)) == ("read", "file_other")


def test_a_paper_that_is_not_here_yet_is_told_to_its_own_alone(office: Office, folder: Path) -> None:
    sender, receiver = office.desk("Петрова", Role.OPERATOR_2), office.desk("Смирнов", Role.INSURER_2, FIRST)
    paper = Paper(office, folder, CENTRE)
    new = sender.new_card(files=[{**paper.entry, "sealed": ""}, {**paper.entry, "sealed": "b" * 64}])
    assert sender.send(new).states == ["applied"]
    card = sender.card_id(new)
    move(office, sender, card, "send", to=FIRST)
    assert (paper.read(sender, card), paper.read(receiver, card)) == ("read", "file_other")

"""Files on this desk: limits, the look for viruses, encrypted bytes, and what is printed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.attachments import Attachments, new_scans, print_out
from operator_tui.secrets.address import FileKind, fund_address, label, unwrap
from operator_tui.secrets.sealed import box_of, open_with_key

KEY = bytes(range(32))
PDF = b"%PDF-1.7\n" + b"page " * 40_000


def attachments(folder: Path, **more: object) -> Attachments:
    return Attachments(folder / "files", KEY, **more)  # type: ignore[arg-type]  # the keywords of the class


def refusal(act: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()  # type: ignore[operator]  # a lambda
    return caught.value


@pytest.mark.function("K-5.2.1.2")
def test_a_file_comes_back_as_it_was_and_is_nowhere_in_plain(tmp_path: Path) -> None:
    source = tmp_path / "жалоба.pdf"
    source.write_bytes(PDF)
    kept = attachments(tmp_path)
    paper = kept.take(source, number="12/3", day="2026-09-20")
    assert (paper.name, paper.size, paper.kind, paper.number) == ("жалоба.pdf", len(PDF), "pdf", "12/3")
    assert kept.read(paper) == PDF
    (file,) = (tmp_path / "files").iterdir()
    assert b"page page" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert source.exists()
    assert refusal(lambda: Attachments(tmp_path / "files", b"x" * 32).read(paper)).code is Code.FILE_SEAL


def test_a_file_for_the_fund_is_read_by_who_attached_it_and_by_the_fund(tmp_path: Path) -> None:
    fund, folder = PrivateKey.generate(), tmp_path / "files"
    before = attachments(tmp_path).keep(PDF, "a.pdf", number="1", day="2026-09-20")
    kept = attachments(tmp_path, address=fund_address(bytes(fund.public_key), FileKind.ATTACHMENT, "26/tf"))
    assert kept.read(before) == PDF, "what was kept before the fund was known"
    paper = kept.keep(PDF, "a.pdf", number="1", day="2026-09-20")
    file = folder / f"{paper.sha256}.sealed"
    key = unwrap(box_of(file), bytes(fund), label(FileKind.ATTACHMENT, "26/tf"))
    assert b"".join(open_with_key(file, key)) == PDF
    assert kept.read(paper) == PDF
    assert all(key not in one.read_bytes() for one in folder.iterdir())
    once = {one: one.read_bytes() for one in folder.iterdir()}
    kept.keep(PDF, "b.pdf", number="2", day="2026-09-21")
    assert {one: one.read_bytes() for one in folder.iterdir()} == once, "a key that fits is not written over"
    assert refusal(lambda: Attachments(folder, b"x" * 32).read(paper)).code is Code.FILE_SEAL
    file.with_suffix(".key").unlink()
    assert refusal(lambda: kept.read(paper)).code is Code.FILE_SEAL
    assert kept.read(kept.keep(PDF, "a.pdf", number="1", day="2026-09-20")) == PDF, "attached anew"


def test_a_file_of_nothing_a_huge_one_and_a_program_are_refused(tmp_path: Path) -> None:
    kept = attachments(tmp_path, max_mb=1)
    empty, huge, program = (tmp_path / name for name in ("пусто.pdf", "много.pdf", "письмо.pdf"))
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(2 << 30)  # 2 GB of holes: refused by its size, never read
    program.write_bytes(b"\x7fELF" + b"\0" * 100)
    found = [
        refusal(lambda path=path: kept.take(path, number="1", day="2026-09-20")) for path in (empty, huge, program)
    ]
    assert [one.code for one in found] == [Code.FILE_EMPTY, Code.FILE_LARGE, Code.FILE_KIND]
    assert found[1].params == {"file": "много.pdf", "limit": 1}
    gone = refusal(lambda: kept.take(tmp_path / "нет.pdf", number="1", day="2026-09-20"))
    assert gone.code is Code.FILE_UNREADABLE
    assert not (tmp_path / "files").exists()


def test_the_scanners_word_counts(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("привет", encoding="utf-8")
    assert attachments(tmp_path, scan="true").take(source, number="1", day="2026-09-20").kind == "txt"
    said_no = attachments(tmp_path, scan="false")
    assert refusal(lambda: said_no.take(source, number="1", day="2026-09-20")).code is Code.FILE_SUSPECT
    nobody = attachments(tmp_path, scan="/нет/такого")
    assert refusal(lambda: nobody.take(source, number="1", day="2026-09-20")).code is Code.SCAN_FAILED


def test_a_damaged_file_and_one_of_another_desk_are_said(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(PDF)
    kept = attachments(tmp_path)
    paper = kept.take(source, number="1", day="2026-09-20")
    (file,) = (tmp_path / "files").iterdir()
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(bytes(content))
    assert refusal(lambda: kept.read(paper)).code is Code.FILE_SEAL
    file.unlink()
    assert refusal(lambda: kept.read(paper)).code is Code.FILE_NOT_HERE


def test_new_scans_are_listed_oldest_first(tmp_path: Path) -> None:
    assert refusal(lambda: new_scans("")).code is Code.FOLDER_UNSET
    assert refusal(lambda: new_scans(str(tmp_path / "нет"))).code is Code.FILE_UNREADABLE
    for age, name in enumerate(("в.pdf", "б.pdf", "а.pdf")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_000 + age, 1_000 + age))
    (tmp_path / ".part").touch()
    (tmp_path / "folder").mkdir()
    assert [path.name for path in new_scans(str(tmp_path))] == ["в.pdf", "б.pdf", "а.pdf"]


def test_what_is_printed_without_a_printer_lies_in_the_outbox(tmp_path: Path) -> None:
    outbox = tmp_path / "out"
    first = print_out(b"one", "12.txt", printer="", outbox=str(outbox))
    second = print_out(b"two", "../12.txt", printer="", outbox=str(outbox))
    assert [Path(one).read_bytes() for one in (first, second)] == [b"one", b"two"]
    assert {Path(one).parent for one in (first, second)} == {outbox}
    assert stat.S_IMODE(Path(first).stat().st_mode) == 0o600
    assert refusal(lambda: print_out(b"x", "x", printer="", outbox="")).code is Code.FOLDER_UNSET


def test_cups_is_asked_and_its_refusal_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "lp"
    command.write_text(f'#!/bin/sh\ncat > {tmp_path}/printed\necho "$@" > {tmp_path}/asked\n', encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert print_out(b"page", "a.txt", printer="office", outbox="") == "office"
    assert (tmp_path / "printed").read_bytes() == b"page"
    assert (tmp_path / "asked").read_text(encoding="utf-8").split()[:2] == ["-d", "office"]
    command.write_text("#!/bin/sh\ncat > /dev/null\necho 'lp: no such printer' >&2\nexit 1\n", encoding="utf-8")
    found = refusal(lambda: print_out(b"page", "a.txt", printer="office", outbox=""))
    assert (found.code, found.params["reason"]) == (Code.PRINT_FAILED, "lp: no such printer")
    command.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(lambda: print_out(b"page", "a.txt", printer="office", outbox="")).code is Code.PRINT_FAILED

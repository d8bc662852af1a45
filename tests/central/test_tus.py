"""Uploads by tus 1.0: they go on where they broke off, whoever sends them, and hold up nothing."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from central.files import FOLDER_VARIABLE, Files
from operator_tui.appeals.errors import Refusal
from tests.central.desks import Desk, Office

CONTENT = random.Random(4).randbytes(700_001)
NAME = hashlib.sha256(CONTENT).hexdigest()
AT = f"/v1/files/{NAME}"
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = 256 * 1024


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
    return tmp_path / "files"


@pytest.fixture(params=["sqlite"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Files know no database: one engine is enough."""
    from central.store.database import Database
    from tests.central.conftest import KEY

    return lambda: Database.sqlite(tmp_path / "central.db", KEY)


def ask(desk: Desk, method: str, path: str = AT, content: bytes = b"", **headers: str) -> Response:
    token = {"Authorization": f"Bearer {desk.identity.token}"}
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    answer: Response = desk.client.request(method, path, content=content, headers={**TUS, **token, **sent})
    return answer


def begin(desk: Desk, name: str = NAME, length: int = len(CONTENT)) -> Response:
    said = base64.b64encode(name.encode()).decode()
    return ask(desk, "POST", "/v1/files", upload_length=str(length), upload_metadata=f"filename eA==,sha256 {said}")


def put(desk: Desk, offset: int, content: bytes, path: str = AT, **headers: str) -> Response:
    kind = {"content_type": "application/offset+octet-stream"}
    return ask(desk, "PATCH", path, content, **{**kind, "upload_offset": str(offset), **headers})


def reason(answer: Response) -> str:
    return str(answer.json()["params"]["reason"])


def test_an_upload_goes_on_where_it_broke_off_also_from_another_desk(office: Office, folder: Path) -> None:
    first, second = office.desk("Первая"), office.desk("Вторая")
    made = begin(first)
    assert (made.status_code, made.headers["location"], made.headers["upload-offset"]) == (201, AT, "0")
    assert put(first, 0, CONTENT[:CHUNK]).headers["upload-offset"] == str(CHUNK)
    asked = ask(second, "HEAD")
    assert (asked.status_code, asked.headers["upload-offset"]) == (200, str(CHUNK))
    offset = CHUNK
    while offset < len(CONTENT):
        offset = int(put(second, offset, CONTENT[offset : offset + CHUNK]).headers["upload-offset"])
    assert ask(first, "GET").content == CONTENT
    assert [file.name for file in (folder / "26").iterdir()] == [NAME], "one file, nothing beside it"
    again = begin(first)
    assert (again.status_code, again.headers["upload-offset"]) == (201, str(len(CONTENT))), "stored once, sent once"
    assert put(second, offset - CHUNK, CONTENT[-CHUNK:]).status_code == 204, "the answer to the last bytes was lost"


def test_reading_goes_on_too(office: Office) -> None:
    desk = office.desk("Первая")
    begin(desk)
    put(desk, 0, CONTENT)
    tag = ask(desk, "GET").headers["etag"]
    rest = ask(desk, "GET", range="bytes=700000-", if_range=tag)
    assert (rest.status_code, rest.content, rest.headers["content-range"]) == (
        206,
        CONTENT[700_000:],
        f"bytes 700000-700000/{len(CONTENT)}",
    )
    assert ask(desk, "GET", range="bytes=5-", if_range='"other"').content == CONTENT


def test_bytes_that_are_not_what_was_said_are_not_kept(office: Office) -> None:
    desk = office.desk("Первая")
    begin(desk)
    wrong = "sha1 " + base64.b64encode(hashlib.sha1(b"other", usedforsecurity=False).digest()).decode()
    assert put(desk, 0, CONTENT[:100], upload_checksum=wrong).status_code == 460
    right = "sha1 " + base64.b64encode(hashlib.sha1(CONTENT[:100], usedforsecurity=False).digest()).decode()
    assert put(desk, 0, CONTENT[:100], upload_checksum=right).status_code == 204
    assert put(desk, 100, bytes(len(CONTENT) - 100)).status_code == 460, "the whole is not what its name says"
    assert ask(desk, "HEAD").status_code == 404, "so it begins anew"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"tus_resumable": "0.2.2"}, 412),
        ("POST", {"upload_length": "5"}, 400),
        ("POST", {"upload_length": "-1", "upload_metadata": "sha256 eA=="}, 400),
        ("POST", {"upload_length": "5", "upload_metadata": "sha256 Li4vLi4v"}, 400),
        (
            "POST",
            {"upload_length": "9" * 15, "upload_metadata": "sha256 " + base64.b64encode(NAME.encode()).decode()},
            413,
        ),
        ("PATCH", {"upload_offset": "0"}, 415),
        ("PATCH", {"upload_offset": "x", "content_type": "application/offset+octet-stream"}, 400),
        ("PATCH", {"upload_offset": "0", "content_type": "application/offset+octet-stream"}, 404),
        ("HEAD", {}, 404),
        ("GET", {}, 404),
    ],
)
def test_what_is_no_upload_is_refused(office: Office, method: str, headers: dict[str, str], status: int) -> None:
    path = "/v1/files" if method == "POST" else AT
    assert ask(office.desk("Первая"), method, path, **headers).status_code == status


def test_a_gap_and_too_much_are_refused_and_another_region_sees_nothing(office: Office) -> None:
    desk, elsewhere = office.desk("Первая"), office.desk("Другая", organisation="77/tf")
    begin(desk)
    gap = put(desk, 7, b"x")
    assert (gap.status_code, reason(gap), gap.json()["params"]["offset"]) == (409, "offset", 0)
    assert put(desk, 0, CONTENT + b"x").status_code == 413
    put(desk, 0, CONTENT)
    assert ask(elsewhere, "GET").status_code == 404
    assert ask(elsewhere, "HEAD").status_code == 404
    assert desk.client.get(AT).status_code == 401


def test_a_card_does_not_wait_behind_a_file(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from central.files import Files

    desk, other = office.desk("Первая"), office.desk("Вторая")
    begin(desk)
    inside, go_on = threading.Event(), threading.Event()
    real = Files.append

    def slow(*given: Any) -> Any:
        inside.set()
        assert go_on.wait(120)
        return real(*given)

    monkeypatch.setattr(Files, "append", slow)
    uploads = [threading.Thread(target=put, args=(desk, 0, CONTENT[:CHUNK])) for _ in range(12)]
    for upload in uploads:
        upload.start()
    assert inside.wait(120)
    try:
        assert other.send(other.new_card()).states == ["applied"], "a dozen files wait for the disk, the card does not"
    finally:
        go_on.set()
        for upload in uploads:
            upload.join()


@pytest.mark.parametrize("left", [None, b"", b"0"])
def test_an_upload_whose_length_a_power_cut_took_goes_on(office: Office, folder: Path, left: bytes | None) -> None:
    desk = office.desk("Первая")
    begin(desk)
    put(desk, 0, CONTENT[:CHUNK])
    length = folder / "26" / f"{NAME}.length"
    length.unlink()
    if left is not None:
        length.write_bytes(left)
    assert begin(desk).headers["upload-offset"] == str(CHUNK)
    assert put(desk, CHUNK, CONTENT[CHUNK:]).headers["upload-offset"] == str(len(CONTENT))
    assert ask(desk, "GET").content == CONTENT


def test_all_bytes_are_written_though_the_disk_takes_them_in_pieces(tmp_path: Path, monkeypatch: Any) -> None:
    files = Files("26")
    files.begin(NAME, len(CONTENT))
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, at: real(file, bytes(content)[:100_000], at))
    assert files.append(NAME, 0, CONTENT).offset == len(CONTENT)
    assert files.open(NAME)[0].read_bytes() == CONTENT


def test_a_disk_that_fills_up_keeps_what_was_there_before(monkeypatch: Any) -> None:
    files = Files("26")
    files.begin(NAME, len(CONTENT))
    files.append(NAME, 0, CONTENT[:CHUNK])
    real, tries = os.pwrite, []

    def full(file: int, content: Any, at: int) -> int:
        tries.append(at)
        if len(tries) > 1:
            raise OSError(errno.ENOSPC, "full")
        return real(file, bytes(content)[:10], at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="full"):
            files.append(NAME, CHUNK, CONTENT[CHUNK:])
    assert files.standing(NAME).offset == CHUNK
    assert files.append(NAME, CHUNK, CONTENT[CHUNK:]).offset == len(CONTENT)


def test_bytes_for_a_part_that_is_gone_are_not_said_to_be_kept(folder: Path, monkeypatch: Any) -> None:
    """Another had the lock before, and threw the part away."""
    files = Files("26")
    files.begin(NAME, len(CONTENT))
    monkeypatch.setattr("fcntl.flock", lambda file, how: (folder / "26" / f"{NAME}.part").unlink())
    with pytest.raises(Refusal) as refused:
        files.append(NAME, 0, CONTENT[:CHUNK])
    assert refused.value.params["reason"] == "file_unknown"


def test_what_is_forgotten_leaves_nothing_and_is_not_looked_for_at_each_upload(folder: Path, monkeypatch: Any) -> None:
    looks: list[Path] = []
    real = os.scandir
    monkeypatch.setattr("central.files.os.scandir", lambda path: looks.append(path) or real(path))
    files = Files("26")
    files.begin(NAME, 5)
    os.utime(folder / "26" / f"{NAME}.part", (0, 0))
    for name in "123456789":
        files.begin(name * 64, 5)
    assert looks == [folder / "26"], "a folder of a year's recordings is not walked for each of them"
    monkeypatch.setattr("central.files._LOOK_S", 0.0)  # an hour later
    files.begin("0" * 64, 5)
    assert not list((folder / "26").glob(f"{NAME}*"))
    assert len(list((folder / "26").glob("*.part"))) == 10


def test_the_length_of_who_came_first_with_a_wrong_one_binds_nobody(office: Office) -> None:
    wrong, right = office.desk("Первая"), office.desk("Вторая")
    begin(wrong, length=5)
    assert begin(right).headers["upload-length"] == str(len(CONTENT)), "nothing was there yet"
    put(right, 0, CONTENT[:CHUNK])
    assert begin(wrong, length=len(CONTENT) + 9).headers["upload-offset"] == str(CHUNK), "it may be a beginning of that"
    assert begin(right).headers["upload-offset"] == str(CHUNK)
    assert begin(wrong, length=7).headers["upload-offset"] == "0", "and never of that"
    assert begin(right).headers["upload-length"] == str(len(CONTENT))
    assert put(right, 0, CONTENT).status_code == 204
    assert ask(wrong, "GET").content == CONTENT
    assert begin(wrong, length=5).headers["upload-offset"] == str(len(CONTENT)), "what is whole is whole"


def test_killed_before_the_digest_was_looked_at_it_is_looked_at_when_somebody_asks(
    office: Office, folder: Path
) -> None:
    """All bytes are there, under the name of a part: said to be whole, the desk would let its copy go."""
    desk = office.desk("Первая")
    begin(desk)
    part = folder / "26" / f"{NAME}.part"
    for how in ("POST", "HEAD"):
        (folder / "26" / NAME).unlink(missing_ok=True)
        begin(desk)
        part.write_bytes(CONTENT)
        told = begin(desk) if how == "POST" else ask(desk, "HEAD")
        assert told.headers["upload-offset"] == str(len(CONTENT))
        assert ask(desk, "GET").content == CONTENT, how
    (folder / "26" / NAME).unlink()
    begin(desk)
    part.write_bytes(b"x" * len(CONTENT))
    assert ask(desk, "HEAD").status_code == 404, "bytes that are not what was said are not kept"
    assert begin(desk).headers["upload-offset"] == "0"

"""Whether anybody works at a workstation, by the locks that desks, engines and senders really hold."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from operator_tui.journal.lock import JournalLock, lock_file
from operator_tui.profiles import Profile
from operator_tui.signin.apart import sender_lock
from operator_tui.signin.workstation import Workstation


@pytest.fixture
def journals(profile: Profile) -> list[Path]:
    """Of the first person of the workstation, and of another."""
    below = profile.data / "seats" / "0123456789ab"
    below.mkdir(parents=True)
    return [profile.journal_file, below / "journal.db"]


@pytest.mark.parametrize("who", [0, 1])
def test_a_desk_works_and_a_sender_does_not(profile: Profile, journals: list[Path], who: int) -> None:
    here = Workstation(profile.data, profile.phone_lock)
    assert here.idle
    desk = JournalLock.take(lock_file(journals[who]))
    assert not here.idle
    sender = JournalLock.take(sender_lock(journals[who]))
    assert here.idle
    sender.release()
    assert not here.idle
    desk.release()
    assert here.idle


def test_a_desk_that_was_killed_does_not_work(
    profile: Profile, journals: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Workstation(profile.data, profile.phone_lock)
    for pid in (str(2**22 + 1), str(os.getpid())):  # of nobody, and of another process since
        lock_file(journals[1]).write_text(pid)
        assert here.idle
    # While nobody's name is in it the lock is not touched: a desk that just starts must find it free.
    lock_file(journals[1]).write_text("")
    monkeypatch.setattr("operator_tui.signin.workstation.holder", _only_of(profile.phone_lock))
    assert here.idle


def _only_of(expected: Path) -> object:
    def holder(path: Path) -> int | None:
        assert path == expected
        return None

    return holder


def test_an_engine_in_a_talk_works(profile: Profile) -> None:
    here = Workstation(profile.data, profile.phone_lock)
    descriptor = os.open(profile.phone_lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert not here.idle
    os.close(descriptor)
    assert here.idle


def test_of_two_senders_one_sends_files(profile: Profile) -> None:
    first, second = (Workstation(profile.data, profile.phone_lock) for _ in range(2))
    assert first.take_lane()
    assert first.take_lane()
    assert not second.take_lane()
    second.release()
    assert not second.take_lane()
    first.release()
    assert second.take_lane()
    second.release()

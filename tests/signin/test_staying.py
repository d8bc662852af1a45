"""What the sender that stays after «Выход» does next: pure rules, and a shift played through with them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.staying import OVER, Look, Step, Why, first_opens_ms, next_step, opens_ms
from operator_tui.sync.settings import FileSettings

KINDS = ("attachment", "recording")
WHEN = st.sampled_from(["always", "idle", "night", "stay"])
# Whole minutes, as a settings file has them.
MINUTES = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
SETTINGS = st.builds(
    lambda papers, recordings, first, last: FileSettings(papers, recordings, f"{first:%H:%M}-{last:%H:%M}"),
    WHEN, WHEN, MINUTES, MINUTES,
)  # fmt: skip
NOW = st.integers(1_600_000_000_000, 2_000_000_000_000)
ZONES = st.sampled_from(["Europe/Moscow", "Asia/Kamchatka", "Europe/Kaliningrad", "Asia/Almaty"])
LOOKS = st.builds(
    Look,
    records=st.integers(0, 3),
    opens_ms=st.none() | st.integers(0, 20),
    idle=st.booleans(),
    refusal=st.none() | st.sampled_from(list(Code)),
    asked=st.booleans(),
    now_ms=st.integers(0, 20),
    until_ms=st.integers(0, 20),
)


@given(LOOKS)
def test_what_it_does_next(look: Look) -> None:
    step = next_step(look)
    assert (step is Why.ASKED) is look.asked, "who comes next is not kept waiting, whatever else there is"
    if step is Step.FILES:
        assert look.records == 0, "a card never waits behind a file"
        assert look.idle
        assert look.opens_ms is not None
        assert look.opens_ms <= look.now_ms < look.until_ms
    if isinstance(step, Step):
        assert look.records or look.opens_ms is not None, "no key is held with nothing to do"
        assert look.now_ms < look.until_ms
        assert look.refusal not in OVER
    if step is Why.SENT:
        assert look.records == 0
        assert look.opens_ms is None
    if look.records and look.refusal not in OVER and not look.asked and look.now_ms < look.until_ms:
        assert step is Step.RECORDS
    if step is Step.WAIT:
        assert look.opens_ms is not None
        assert look.opens_ms < look.until_ms, "what can not go any more is not waited for"


@pytest.mark.parametrize(
    ("records", "opens", "idle", "code", "now", "step"),
    [
        (0, None, True, None, 0, Why.SENT),
        (0, None, True, Code.SIGN_IN_NEEDED, 9, Why.SENT),
        (1, None, True, None, 4, Step.RECORDS),
        (1, None, True, Code.SERVER_AWAY, 4, Step.RECORDS),
        (1, None, True, Code.SERVER_UNTRUSTED, 4, Step.RECORDS),
        (1, None, True, Code.SIGN_IN_NEEDED, 4, Why.SESSION),
        (1, 0, True, Code.ACCOUNT_BLOCKED, 4, Why.SESSION),
        (0, 0, True, Code.DEVICE_REVOKED, 4, Why.SESSION),
        (1, None, True, Code.SERVER_AWAY, 5, Why.SHIFT),
        (1, 0, True, None, 4, Step.RECORDS),
        (0, 4, True, None, 4, Step.FILES),
        (0, 4, True, Code.SERVER_AWAY, 4, Step.FILES),
        (0, 4, True, Code.FILE_STORE_FULL, 4, Step.FILES),
        (0, 4, False, None, 4, Step.WAIT),
        (0, 3, True, None, 2, Step.WAIT),
        (0, 5, True, None, 4, Why.LATER),
        (0, 4, True, Code.FILE_STORE_AWAY, 4, Why.LATER),
        (0, 4, True, None, 5, Why.SHIFT),
    ],
)
def test_each_case(records: int, opens: int | None, idle: bool, code: Code | None, now: int, step: Step | Why) -> None:
    assert next_step(Look(records, opens, idle, code, False, now, 5)) is step
    assert next_step(Look(records, opens, idle, code, True, now, 5)) is Why.ASKED


@given(SETTINGS, st.sampled_from(KINDS), NOW, ZONES, st.floats(0, 1))
def test_a_file_may_go_from_the_moment_that_is_said_and_not_before(
    settings: FileSettings, kind: str, now: int, zone: str, share: float
) -> None:
    opens = opens_ms(settings, kind, now, zone)

    def goes(at_ms: int) -> bool:
        offset = datetime.fromtimestamp(now / 1000, UTC).astimezone(_zone(zone)).utcoffset() or timedelta()
        at = datetime.fromtimestamp(at_ms / 1000, UTC) + offset
        return settings.may_go(kind, idle=True, at=at.time())

    if opens is None:
        assert not goes(now)
        assert not goes(now + round(share * 86_400_000))
        return
    assert now <= opens < now + 86_400_000
    assert goes(opens)
    before = now + int(share * (opens - now))
    assert before == opens or not goes(before)


@given(SETTINGS, st.lists(st.sampled_from(KINDS)), NOW, ZONES)
def test_the_first_of_several(settings: FileSettings, kinds: list[str], now: int, zone: str) -> None:
    each = {opens_ms(settings, kind, now, zone) for kind in kinds} - {None}
    assert first_opens_ms(settings, kinds, now, zone) == min(each, default=None)


def test_a_setting_that_is_none_sends_nothing() -> None:
    wrong = FileSettings(papers="soon", recordings="night", night="late")
    for kind in KINDS:
        assert opens_ms(wrong, kind, 0, "Europe/Moscow") is None
        with pytest.raises(Refusal, match=Code.SETTING_WRONG.value):
            wrong.opens_in_s(kind, time(12))


@given(
    SETTINGS,
    st.integers(0, 3),
    st.lists(st.sampled_from(KINDS), max_size=3),
    st.lists(st.tuples(st.sampled_from(["", "away", "sits", "store"]), st.integers(1, 4 * 3600)), max_size=12),
    st.integers(0, 15),
    NOW,
    st.integers(1, 16),
)
def test_a_shift_played_through(
    settings: FileSettings,
    records: int,
    files: list[str],
    weather: list[tuple[str, int]],
    asked_after: int,
    now: int,
    hours: int,
) -> None:
    """Line, colleague and server come and go, the next sign-in asks at some time: nothing is lost, nothing goes out of
    turn, and it ends."""
    until, refusal, sent, steps = now + hours * 3_600_000, None, list[str](), 0
    waiting = list(files)
    while True:
        what, takes_s = weather[steps] if steps < len(weather) else ("", 600)
        opens = first_opens_ms(settings, waiting, now, "Europe/Moscow")
        look = Look(records, opens, what != "sits", refusal, steps >= asked_after > 0, now, until)
        step = next_step(look)
        steps += 1
        refusal = None
        match step:
            case Why():
                break
            case Step.RECORDS if what == "away":
                refusal = Code.SERVER_AWAY
            case Step.RECORDS:
                records = 0
            case Step.FILES if what in ("away", "store"):
                refusal = Code.SERVER_AWAY if what == "away" else Code.FILE_STORE_FULL
            case Step.FILES:
                one = next(kind for kind in waiting if opens_ms(settings, kind, now, "Europe/Moscow") == now)
                waiting.remove(one)
                sent.append(one)
        now += takes_s * 1000
        assert steps < 1000, "it ends"
    assert sorted(sent + waiting) == sorted(files), "each goes once, or waits"
    if step is Why.SENT:
        assert records == 0
        assert {opens_ms(settings, kind, now, "Europe/Moscow") for kind in waiting} <= {None}
    if records:
        assert not sent
        assert step in (Why.ASKED, Why.SHIFT)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)

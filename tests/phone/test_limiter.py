"""What comes to the ear: speech passes as it is, what is sudden and loud does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operator_tui.phone.limiter import CEILING, Limiter
from operator_tui.phone.tones import peak, tone

RATE = 8000
FRAME = RATE // 50 * 2


def frames(pcm: bytes) -> list[bytes]:
    return [pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME)]


def through(limiter: Limiter, pcm: bytes) -> list[float]:
    return [peak(limiter.limited(frame, RATE)) for frame in frames(pcm)]


def test_speech_passes_byte_for_byte() -> None:
    limiter, speech = Limiter(), tone(300, RATE, 2.0, loudness=0.2)
    assert b"".join(limiter.limited(frame, RATE) for frame in frames(speech)) == speech


def test_a_whistle_in_a_quiet_talk_is_turned_down_in_its_first_frame() -> None:
    limiter = Limiter()
    through(limiter, tone(300, RATE, 1.0, loudness=0.05))
    loud = through(limiter, tone(2100, RATE, 1.0, loudness=1.0))
    assert max(loud[:5]) < 0.35, "12 dB above the talk at most"
    assert max(loud) <= CEILING + 0.001


def test_who_speaks_up_is_let_through_after_a_moment() -> None:
    limiter = Limiter()
    through(limiter, tone(300, RATE, 1.0, loudness=0.1))
    louder = through(limiter, tone(300, RATE, 2.0, loudness=0.5))
    assert louder[40] > 0.48


def test_after_the_whistle_the_talk_comes_back() -> None:
    limiter = Limiter()
    through(limiter, tone(2100, RATE, 0.5, loudness=1.0))
    quiet = through(limiter, tone(300, RATE, 1.0, loudness=0.1))
    assert quiet[-10] > 0.095


@given(st.lists(st.binary(min_size=2, max_size=640).map(lambda raw: raw[: len(raw) // 2 * 2]), max_size=40))
def test_nothing_ever_passes_the_ceiling_and_no_sample_is_lost(pieces: list[bytes]) -> None:
    limiter = Limiter()
    for piece in pieces:
        made = limiter.limited(piece, RATE)
        assert len(made) == len(piece)
        assert peak(made) <= CEILING + 0.001

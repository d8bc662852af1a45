"""How loud the caller is in the operator's ear."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operator_tui.phone.limiter import CEILING
from operator_tui.phone.tones import FULL_SCALE, louder, peak, tone
from tests.phone.conftest import QUICK, Bench, until
from tests.phone.test_devices import CONFIG, Machine, machine

__all__ = ["machine"]

RATE = 8000


@given(st.lists(st.integers(-32768, 32767), max_size=50), st.floats(0.1, 8.0))
def test_louder_keeps_its_length_and_its_scale(samples: list[int], times: float) -> None:
    import array

    pcm = array.array("h", samples).tobytes()
    made = array.array("h", louder(pcm, times))
    assert len(made) == len(samples)
    assert all(-FULL_SCALE <= one <= FULL_SCALE for one in made) or times == 1.0
    assert all(
        abs(after - before * times) <= 1 or abs(after) == FULL_SCALE
        for before, after in zip(samples, made, strict=True)
    )


async def test_the_engine_takes_the_volume_and_says_what_it_is(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    for wanted, got in ((150, 150), (5, 25), (10_000, 400)):
        await desk.phone.set_volume(wanted)
        await until(lambda got=got: desk.snapshot.sound.volume == got)


def test_a_talk_is_louder_from_the_next_frame_on_but_never_too_loud(machine: Machine) -> None:
    from operator_tui.phone.portaudio import PyAudioCard

    card, quiet = PyAudioCard(CONFIG), tone(440, RATE, 1.0, 0.05)
    heard: list[bytes] = []
    streams = card.open_talk(RATE, lambda size: quiet[4000 : 4000 + size], lambda pcm: None, [0.0, 0.0])
    speaker = streams[0]
    heard.append(speaker.callback(b"", 160, {}, 0)[0])
    card.set_volume(200)
    heard.append(speaker.callback(b"", 160, {}, 0)[0])
    card.set_volume(400)
    for _ in range(200):
        heard.append(speaker.callback(b"", 160, {}, 0)[0])
    assert 1.9 < peak(heard[1]) / peak(heard[0]) < 2.1
    assert max(map(peak, heard)) <= CEILING
    card.close()

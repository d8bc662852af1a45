"""Colleagues' telephones on the PBX, in the test's own process (baresip-python): the desk's engine is another process.

@pytest.mark.needs("asterisk", "sound")
async def test_it(asterisk: Asterisk, phones: Phones) -> None:
    colleague = await phones.register("2003")
    call = await colleague.rings()               # the next incoming call
    await call.answer(tone=700)
    assert await call.until_hears(440)
    await call.hang_up()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from operator_tui.phone.tones import tone
from tests.peers.asterisk import Asterisk
from tests.peers.ports import free_block
from tests.peers.tones import holds

if TYPE_CHECKING:
    # Only for the types: pytest loads this file also where the sound requirements are not installed.
    import baresip

_PATIENCE = 60.0
_TICK = 0.01


class PhoneCall:
    """One call of a colleague's telephone."""

    def __init__(self, native: baresip.Call) -> None:
        self.native = native
        self._heard = bytearray()
        self._rate = 8000
        self._pump: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        return bool(self.native.state.value == "closed")

    async def answer(self, tone: float) -> None:
        await self.native.answer()
        await self.talk(tone)

    async def talk(self, tone: float) -> None:
        """Say the tone and keep what comes, from the moment the call is established."""
        async with asyncio.timeout(_PATIENCE):
            while self.native.state.value != "established":
                assert not self.over, self.native
                await asyncio.sleep(_TICK)
        self._pump = asyncio.create_task(self._run(tone))

    async def until_hears(self, hertz: float, seconds: float = _PATIENCE) -> bool:
        """Whether it hears half a second of that tone in time."""
        self._heard.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._hears(hertz):  # noqa: ASYNC110  # the sound is not an event
                    await asyncio.sleep(0.05)
                return True
        return False

    async def hang_up(self) -> None:
        await self.native.hangup()

    async def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump

    def _hears(self, hertz: float) -> bool:
        last = bytes(self._heard[-self._rate :])
        return len(last) >= self._rate and holds(last, self._rate, hertz)

    async def _run(self, hertz: float) -> None:
        from baresip import BaresipError

        voice, at = b"", 0
        while not self.over:
            with contextlib.suppress(BaresipError):
                info = self.native.audio.info()
                if info.rx_ready:
                    self._rate = info.rx_sample_rate
                    self._heard += self.native.audio.read(16384)
                if info.tx_ready and info.tx_buffered < info.tx_sample_rate * 2 * 60 // 1000:
                    voice = voice or tone(hertz, info.tx_sample_rate, 1.0)
                    size = info.tx_sample_rate // 50 * 2
                    self.native.audio.write((voice[at:] + voice)[:size])
                    at = (at + size) % len(voice)
            await asyncio.sleep(_TICK)


class Phone:
    """A registered telephone."""

    def __init__(self, agent: baresip.UserAgent, pbx: Asterisk) -> None:
        self._agent = agent
        self._pbx = pbx
        self._incoming: asyncio.Queue[baresip.Call] = asyncio.Queue()
        self.calls: list[PhoneCall] = []
        agent.on_incoming(self._incoming.put_nowait)

    async def rings(self, seconds: float = _PATIENCE) -> PhoneCall:
        """The next incoming call; TimeoutError when none comes."""
        return self._keep(await asyncio.wait_for(self._incoming.get(), seconds))

    async def dial(self, number: str, tone: float) -> PhoneCall:
        """Call a number and talk once it is answered."""
        call = self._keep(await self._agent.dial(f"sip:{number}@127.0.0.1:{self._pbx.port}"))
        await call.talk(tone)
        return call

    def _keep(self, native: baresip.Call) -> PhoneCall:
        call = PhoneCall(native)
        self.calls.append(call)
        return call


class Phones:
    """All telephones of one test."""

    def __init__(self, pbx: Asterisk) -> None:
        from baresip import Runtime

        self._pbx = pbx
        self._runtime = Runtime()
        self._phones: list[Phone] = []

    async def start(self) -> None:
        from baresip import Config

        rtp = free_block(60)
        text = f"sip_listen 127.0.0.1:{free_block(4)}\nrtp_ports {rtp}-{rtp + 59}\n"
        await self._runtime.start(Config(net_interface="127.0.0.1", max_concurrent_calls=12, extra_config_text=text))

    async def register(self, extension: str) -> Phone:
        from baresip import Account, UserAgent

        account = Account(
            extension,
            f"127.0.0.1:{self._pbx.port}",
            self._pbx.secret(extension),
            reg_interval=60,
            audio_codecs=("pcma",),
            extra_params=("video_codecs=",),
        )
        agent = await UserAgent.create(self._runtime, account)
        phone = Phone(agent, self._pbx)
        await agent.register()
        self._phones.append(phone)
        return phone

    async def close(self) -> None:
        for phone in self._phones:
            for call in phone.calls:
                await call.close()
        await self._runtime.close()


@pytest.fixture
async def phones(asterisk: Asterisk) -> AsyncIterator[Phones]:
    """Telephones of this test's Asterisk."""
    made = Phones(asterisk)
    await made.start()
    yield made
    await made.close()

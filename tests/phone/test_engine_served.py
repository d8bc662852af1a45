"""Whom the engine serves on its socket, what it says to others, and what of that stands in no log."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import wire
from operator_tui.phone.engine import Engine
from operator_tui.phone.line import LineConfig
from operator_tui.phone.remote import RemotePhone
from tests.phone.conftest import PATIENCE, Bench, Desk, profile_in, until

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_BODIES = st.one_of(
    st.binary(max_size=200),
    _JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {
            "id": st.integers(-(2**70), 2**70),
            "act": st.fixed_dictionaries(
                {"do": st.sampled_from(["answer", "dial", "hold", "beginwork", "shut", "", "hangup"])},
                optional={"call": _JSON, "number": _JSON, "on": _JSON, "config": _JSON, "secret": _JSON},
            ),
        }
    ).map(lambda value: json.dumps(value).encode()),
)


async def test_the_socket_is_the_owners_alone(bench: Bench) -> None:
    await bench.desk()
    assert stat.S_IMODE(bench.profile.phone_socket.stat().st_mode) == 0o600


async def test_a_stranger_is_not_served(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.desk()
    await bench.desks[0].close()
    monkeypatch.setattr("operator_tui.phone.process.peer", lambda _: (1, os.geteuid() + 1))
    reader, writer = await asyncio.open_unix_connection(str(bench.profile.phone_socket))
    assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
    writer.close()


async def test_an_engine_of_another_version_is_told(bench: Bench) -> None:
    await until(bench.profile.phone_socket.exists)
    with pytest.raises(Refusal) as newer:
        wire.snapshot_of(wire.Hello(2, "x", msgspec.Raw(b"{}")))
    assert newer.value.code is Code.PHONE_VERSION


def test_the_secret_stands_in_no_repr() -> None:
    act = wire.BeginWork(LineConfig(), "s3cret")
    assert "s3cret" not in repr(act) + repr(wire.Request(1, act))
    assert "s3cret" in wire.framed(wire.Request(1, act)).decode("utf-8", "replace")


@given(st.lists(_BODIES, max_size=5), st.binary(max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_garbage_never_ends_the_engine(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], tail: bytes
) -> None:
    async def torture() -> None:
        profile = profile_in(tmp_path_factory.mktemp("g"))
        engine = Engine(profile.phone_socket, poll_seconds=0.01)
        running = asyncio.create_task(engine.run())
        await until(profile.phone_socket.exists)
        bad = socket.socket(socket.AF_UNIX)
        bad.connect(str(profile.phone_socket))
        for body in bodies:
            bad.sendall(len(body).to_bytes(4, "big") + body)
        bad.sendall(tail)
        bad.close()
        desk = Desk(RemotePhone(profile, start_engine=False))
        assert (await desk.phone.attach()).v == 1
        await desk.close()
        engine.end()
        await asyncio.wait_for(running, PATIENCE)

    asyncio.run(torture())

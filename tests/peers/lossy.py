"""A bad line between a telephone and its PBX: loses and delays sound, as a user-space relay (no kernel module needed).

    relay = LossyRelay(asterisk.sip, loss=0.05, jitter_ms=60)
    config = asterisk.line("2001", server=relay.server)
    ...
    relay.kbit_s("near")     # what the telephone sends, with IP and UDP headers, since the first packet
    relay.close()

SIP over UDP passes through it whole, its SDP rewritten so that the sound passes too (RFC 4566 m=, RFC 3550 port and the
next for RTCP). Only sound is lost and delayed; the same seed loses the same packets.
"""

from __future__ import annotations

import heapq
import random
import re
import selectors
import socket
import threading
import time
from collections.abc import Callable
from itertools import count

from tests.peers.ports import free_block

_HEADERS = 28  # IPv4 and UDP
_AUDIO = re.compile(rb"m=audio (\d+) ")
_LENGTH = re.compile(rb"(?im)^(content-length|l)\s*:\s*\d+")
_CALL_ID = re.compile(rb"(?im)^(?:call-id|i)\s*:\s*(\S+)")


class _Leg:
    """The sound of one call: towards the telephone (near) and towards the PBX (far)."""

    def __init__(self) -> None:
        self.sockets: dict[tuple[str, int], socket.socket] = {}
        self.ports: dict[str, int] = {}
        self.to: dict[str, int] = {}
        for side in ("near", "far"):
            first = self.ports[side] = free_block(2)
            for step in (0, 1):
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                made.bind(("127.0.0.1", first + step))
                made.setblocking(False)
                self.sockets[side, step] = made


class LossyRelay:
    """``loss`` is a share, ``jitter_ms`` the most a packet is late."""

    def __init__(self, pbx: tuple[str, int], *, loss: float, jitter_ms: float, seed: int = 1411) -> None:
        self._pbx = pbx
        self._loss, self._jitter = loss, jitter_ms / 1000
        self._random = random.Random(seed)
        self._selector = selectors.DefaultSelector()
        self._legs: dict[bytes, _Leg] = {}
        self._telephone: tuple[str, int] | None = None
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._sockets: list[socket.socket] = []
        self._near, self._far = self._opened(self._from_telephone), self._opened(self._from_pbx)
        self.sent = {"near": 0, "far": 0}
        self.lost = {"near": 0, "far": 0}
        self._bytes = {"near": 0, "far": 0}
        self._first = {"near": 0.0, "far": 0.0}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def server(self) -> str:
        """The PBX as the telephone's settings name it."""
        return f"127.0.0.1:{self._near.getsockname()[1]}"

    def kbit_s(self, side: str) -> float:
        """What comes from that side, lost packets included."""
        return 8 * self._bytes[side] / 1000 / max(0.001, time.monotonic() - self._first[side])

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for one in self._sockets:
            one.close()
        for leg in self._legs.values():
            for one in leg.sockets.values():
                one.close()

    def _opened(self, take: Callable[[bytes, tuple[str, int]], None]) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        self._selector.register(made, selectors.EVENT_READ, take)
        self._sockets.append(made)
        return made

    def _run(self) -> None:
        while not self._over.is_set():
            wait = max(0.0, min(0.2, self._due[0][0] - time.monotonic())) if self._due else 0.2
            for key, _ in self._selector.select(wait):
                try:
                    packet, sender = key.fileobj.recvfrom(65535)  # type: ignore[union-attr]  # only sockets are here
                except OSError:
                    continue
                key.data(packet, sender)
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()

    # signalling

    def _from_telephone(self, packet: bytes, sender: tuple[str, int]) -> None:
        self._telephone = sender
        self._far.sendto(self._rewritten(packet, "near"), self._pbx)

    def _from_pbx(self, packet: bytes, _: tuple[str, int]) -> None:
        if self._telephone is not None:
            self._near.sendto(self._rewritten(packet, "far"), self._telephone)

    def _rewritten(self, packet: bytes, side: str) -> bytes:
        """With our own ports in its SDP: who gets it sends his sound to us."""
        head, blank, body = packet.partition(b"\r\n\r\n")
        found, call = _AUDIO.search(body), _CALL_ID.search(head)
        if found is None or call is None:
            return packet
        leg = self._legs.get(call[1]) or self._new_leg(call[1])
        leg.to[side] = int(found[1])
        other = "far" if side == "near" else "near"
        body = _AUDIO.sub(b"m=audio %d " % leg.ports[other], body)
        body = re.sub(rb"a=rtcp:\d+", b"a=rtcp:%d" % (leg.ports[other] + 1), body)
        head = _LENGTH.sub(b"Content-Length: %d" % len(body), head)
        return head + blank + body

    # sound

    def _new_leg(self, call: bytes) -> _Leg:
        leg = self._legs[call] = _Leg()
        for (side, step), one in leg.sockets.items():

            def take(packet: bytes, _: tuple[str, int], side: str = side, step: int = step) -> None:
                self._sound(leg, side, step, packet)

            self._selector.register(one, selectors.EVENT_READ, take)
        return leg

    def _sound(self, leg: _Leg, side: str, step: int, packet: bytes) -> None:
        """What came in on a side goes out on the other, to where that side wants its sound."""
        other = "far" if side == "near" else "near"
        if other not in leg.to:
            return
        late = 0.0
        if step == 0:
            self._first[side] = self._first[side] or time.monotonic()
            self._bytes[side] += len(packet) + _HEADERS
            self.sent[side] += 1
            if self._random.random() < self._loss:
                self.lost[side] += 1
                return
            late = self._random.uniform(0, self._jitter)
        target = ("127.0.0.1", leg.to[other] + step)
        out = leg.sockets[other, step]
        heapq.heappush(self._due, (time.monotonic() + late, next(self._order), lambda: out.sendto(packet, target)))

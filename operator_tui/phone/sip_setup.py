"""How the SIP stack is set up, and how a caller is read from SIP headers.

Every setting here was found the hard way (design/phone.md section 4). The stack ignores unknown keys silently, so
a typing error shows only in the tests against a real PBX.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from baresip import Account, Config
from sipmessage import Address

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import LineConfig
from operator_tui.phone.numbers import normalised

# A display name and what the PBX tells about the queue come only by headers that are asked for.
EXPOSED = ("From", "P-Asserted-Identity", "Call-Info", "Alert-Info", "X-Queue", "X-Queue-Entered", "X-Language",
           "X-Recording")  # fmt: skip
QUEUE_HEADER, RECORDING_HEADER = "X-Queue", "X-Recording"
# Each user of a terminal server has SIP ports and RTP ports of his own (DESIGN rule 12).
_SIP_FIRST, _SIP_USERS, _SIP_STEP = 15_000, 500, 10
_RTP_FIRST, _RTP_USERS, _RTP_STEP = 32_768, 150, 200
_SLOW_CODECS = ("opus/48000/1",)  # so the stack names it once stereo is off
_SLOW_BITRATE = 14_000  # with its headers about 20 kbit/s on the wire
_SLOW_PTIME = 60  # milliseconds of sound in a packet
_LOOPBACK = "127."
_DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclass(frozen=True)
class Setup:
    """What the stack is started with; ``host`` is the PBX as it stands in addresses."""

    host: str
    config: Config
    account: Account


def setup(config: LineConfig, secret: str) -> Setup:
    """Refusal(PHONE_SETUP, key=…) for settings no call could be made with."""
    if not config.server:
        raise Refusal(Code.PHONE_SETUP, key="phone.server")
    if not config.extension:
        raise Refusal(Code.PHONE_SETUP, key="phone.extension")
    if config.srtp and config.transport != "tls":
        raise Refusal(Code.PHONE_SETUP, key="phone.srtp")  # the keys would be on the wire for all to read
    local = config.net_interface or _loopback_towards(config)
    try:
        account = Account(
            config.extension,
            config.server,
            secret,
            reg_interval=config.register_seconds,
            transport=config.transport,  # type: ignore[arg-type]  # checked by Account itself
            audio_codecs=_SLOW_CODECS if config.slow_line else config.codecs,
            auth_user=config.auth_user or None,
            # Else every answered call sends a re-INVITE that drops a video stream nobody offered.
            extra_params=("video_codecs=", *_more(config)),
        )
        stack = Config(
            net_interface=local or None,
            expose_headers=EXPOSED,
            max_concurrent_calls=2,
            rtp_timeout=config.vanished_seconds,
            extra_config_text=_extra(config, local),
        )
    except ValueError as error:
        # The library's message may quote the secret; only the name of the field goes on.
        raise Refusal(Code.PHONE_SETUP, key=f"phone.{str(error).split()[0]}") from None
    return Setup(config.server, stack, account)


def _more(config: LineConfig) -> list[str]:
    more = []
    if config.srtp:
        more.append("mediaenc=srtp-mand")
    if config.slow_line:
        more.append(f"ptime={_SLOW_PTIME}")
    return more


def _extra(config: LineConfig, local: str) -> str:
    address = local if _is_address(local) else "0.0.0.0"
    lines = [
        f"sip_listen {address}:{_sip_port(config, address)}",
        f"rtp_ports {_rtp_ports(config)}",
        f"rtp_tos {config.rtp_tos}",
        # The stack verifies no certificate unless told to.
        "sip_verify_server yes",
        f"sip_cafile {config.ca_file}",
        # Else a fixed 100 ms; the older names of these keys are deprecated.
        "audio_jitter_buffer_type adaptive",
        "audio_jitter_buffer_ms 20-200",
    ]
    if config.only_pbx:
        # Else whoever reaches the port rings: requests come from the address of the registrar or are dropped.
        lines.append("filter_registrar udp,tcp,tls")
    if config.slow_line:
        # Forward error correction costs a little of the 16 kbit/s and mends single losses (RFC 6716 2.1.7).
        lines += [f"opus_bitrate {_SLOW_BITRATE}", "opus_inbandfec yes", "opus_packet_loss 5", "opus_stereo no",
                  "opus_sprop_stereo no", "opus_application voip"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _sip_port(config: LineConfig, address: str) -> int:
    """The port set, or the first free pair of the user's range: the stack takes the next port for TLS too."""
    if config.sip_port:
        return config.sip_port
    first = _SIP_FIRST + os.getuid() % _SIP_USERS * _SIP_STEP
    for port in range(first, first + _SIP_STEP * _SIP_USERS, _SIP_STEP):
        if _free(address, port) and _free(address, port + 1):
            return port
    raise Refusal(Code.PHONE_SETUP, key="phone.sip_port")


def _free(address: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
    return True


def _rtp_ports(config: LineConfig) -> str:
    if config.rtp_ports:
        return config.rtp_ports
    first = _RTP_FIRST + os.getuid() % _RTP_USERS * _RTP_STEP
    return f"{first}-{first + _RTP_STEP - 1}"


def _is_address(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except OSError:
        return False
    return True


def _loopback_towards(config: LineConfig) -> str:
    """The local address towards a PBX on this machine: the stack's own discovery leaves loopback out."""
    host, _, port = config.server.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, int(port) if port.isdigit() else _DEFAULT_PORT.get(config.transport, 5060)))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
    return address if address.startswith(_LOOPBACK) else ""


def caller(peer: str, headers: Mapping[str, str], country: str) -> tuple[str, str]:
    """``(number, display name)``: what the PBX asserts (RFC 3325) goes before what the caller says of himself."""
    found = [_address(headers.get(name, "")) for name in ("P-Asserted-Identity", "From")]
    found.append(_address(peer))
    number = next((user for user, _ in found if user), "")
    name = next((name for _, name in found if name), "")
    if normalised(name, country) == normalised(number, country):
        name = ""  # a gateway that knows no name repeats the number
    return normalised(number, country), name


def harmless(text: str) -> str:
    """What the other end says, for a screen: a terminal carries out what is not printable (escape sequences)."""
    return text if text.isprintable() else " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _address(text: str) -> tuple[str, str]:
    """``(user, display name)`` of a SIP or tel address; empty where there is none."""
    try:
        address = Address.parse(text.strip())
    except ValueError:
        # sipmessage takes no bare words before the brackets that are not tokens (RFC 3261 25.1); PBXs send them.
        name, bracket, rest = text.partition("<")
        if not bracket or not name.strip():
            return "", ""
        user, _ = _address(bracket + rest)
        return (user, harmless(name.strip().strip('"'))) if user else ("", "")
    return harmless(address.uri.user or ""), harmless(address.name or "")

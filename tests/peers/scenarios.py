"""What the other end of a call may do, as SIPp scenarios put together from steps (RFC 3261; one call each).

subscriber = kamailio.plays(scenario("busy", invited(), reply(486, "Busy Here"), RECV_ACK))
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

_TAG = "[pid]SIPp[call_number]"
_SDP = """\
v=0
o=- 1 @VERSION@ IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[local_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=@WAY@
"""
RECV_ACK = '<recv request="ACK"></recv>'


def scenario(name: str, *steps: str) -> str:
    """The whole file."""
    body = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name={quoteattr(name)}>\n{body}\n</scenario>\n'


def invited() -> str:
    """The call comes; who calls is kept for requests of our own."""
    caller = '<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>'
    called = '<ereg regexp="&lt;[^&gt;]*&gt;" search_in="hdr" header="To:" check_it="true" assign_to="called"/>'
    log = '<log message="[$caller] [$called]"/>'
    return f'<recv request="INVITE" rrs="true"><action>{caller}{called}{log}</action></recv>'


def received(request: str) -> str:
    return f'<recv request="{request}"></recv>'


def pause(seconds: float) -> str:
    return f'<pause milliseconds="{int(seconds * 1000)}"/>'


def reply(status: int, reason: str, *, sound: bool = False, headers: str = "", tagged: bool = False) -> str:
    """An answer to the last request; ``tagged`` when its To has our tag already (inside the dialog)."""
    lines = [
        f"SIP/2.0 {status} {reason}",
        "[last_Via:]",
        "[last_Record-Route:]",
        "[last_From:]",
        "[last_To:]" + ("" if tagged else f";tag={_TAG}"),
        "[last_Call-ID:]",
        "[last_CSeq:]",
        "Contact: <sip:peer@[local_ip]:[local_port]>",
        *filter(None, [headers]),
    ]
    repeated = ' retrans="500"' if status == 200 and sound else ""
    return _sent(lines, sound, repeated=repeated)


def reinvited(way: str, number: int) -> str:
    """We change the sound ourselves (``sendonly`` is hold, RFC 3264 8.4), and the other end agrees."""
    lines = _own("INVITE", number)
    ack = [line.replace("INVITE", "ACK") for line in lines]
    return "\n".join(
        [
            _sent(lines, sound=True, way=way, version=number, repeated=' retrans="500"'),
            '<recv response="100" optional="true"></recv>',
            '<recv response="200" rrs="true"></recv>',
            _sent(ack, sound=False),
        ]
    )


def _own(request: str, number: int) -> list[str]:
    """A request of our own inside the call."""
    return [
        f"{request} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "[routes]",
        f"From: [$called];tag={_TAG}",
        "To:[$caller]",
        "[last_Call-ID:]",
        f"CSeq: {number} {request}",
        "Max-Forwards: 70",
        "Contact: <sip:peer@[local_ip]:[local_port]>",
    ]


def _sent(lines: list[str], sound: bool, *, way: str = "sendrecv", version: int = 1, repeated: str = "") -> str:
    sdp = _SDP.replace("@WAY@", way).replace("@VERSION@", str(version)) if sound else ""
    kind = ["Content-Type: application/sdp"] if sound else []
    text = "\n".join([*lines, *kind, f"Content-Length: {'[len]' if sound else '0'}", "", sdp])
    return f"<send{repeated}><![CDATA[\n\n{text}\n]]></send>"

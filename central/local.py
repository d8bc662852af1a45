"""Whether an address is this machine itself: there alone may something go without TLS."""

from __future__ import annotations

from ipaddress import ip_address


def is_local(host: str) -> bool:
    """Of a name or an address, without its port."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

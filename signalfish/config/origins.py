"""
The origins whose web pages may connect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from signalfish.config.problems import ConfigError

ANY = "*"

_KEY = "security.cors_origins"
_OPAQUE = "null"  # what pages from files and sandboxed frames send
_MAX_PORT = 65535
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)|\[(?P<v6>[0-9a-f:.]+)\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
)


def allowed_origins(value: str | Sequence[str]) -> frozenset[str] | None:
    """
    The origins that a value of ``security.cors_origins`` lists; None for any.

    :raises ConfigError: for an entry that no browser would send as it is written.
    """
    entries = [entry.strip() for entry in (value.split(",") if isinstance(value, str) else value)]
    if entries == [ANY]:
        return None
    if not entries:
        raise ConfigError(f"{_KEY}: lists no origin; {ANY!r} allows all")
    for entry in entries:
        problem = _problem(entry)
        if problem is not None:
            raise ConfigError(f"{_KEY}: {entry!r} {problem}")
    return frozenset(entries)


def _problem(entry: str) -> str | None:
    if entry == _OPAQUE:
        return None
    if entry == ANY:
        return "cannot be listed together with others"
    found = _ORIGIN.fullmatch(entry)
    if found is None or not _is_canonical(found["v6"]):
        return (
            "is not an origin as browsers write it: http or https, a host in lower case, "
            "a port if it is not the default, and nothing else"
        )
    port = int(found["port"] or 0)
    if port > _MAX_PORT or port == _DEFAULT_PORTS[found["scheme"]]:
        return "names a port that browsers leave out" if port <= _MAX_PORT else "names no port"
    return None


def _is_canonical(address: str | None) -> bool:
    try:
        return address is None or str(ip_address(address)) == address
    except ValueError:
        return False

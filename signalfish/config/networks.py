"""
The networks in which reverse proxies are trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from signalfish.config.problems import ConfigError

UNIX = "unix"
"""
The entry for whatever connects on a Unix socket.
"""


def trusted_networks(entries: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """
    The networks among the entries of ``security.trusted_proxies``.

    :raises ConfigError: if an entry is neither a network nor :data:`UNIX`.
    """
    return tuple(_network(entry) for entry in entries if entry != UNIX)


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry)
    except ValueError as error:
        raise ConfigError(
            f"security.trusted_proxies: {entry!r} is neither an address, nor a network such as "
            f"10.0.0.0/8, nor {UNIX!r} ({error})"
        ) from None

"""
Where connections come from, as far as limits are concerned.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_IPV6_PREFIX = 64  # one customer usually has a whole /64


def parse(host: str) -> Address | None:
    """
    An address, or None if the text is none.

    IPv4 addresses that were mapped into IPv6 by a dual-stack socket are themselves.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def address_key(host: str) -> str:
    """
    What is counted as one address: an IPv4 address, the /64 of an IPv6 address, or the text itself.
    """
    address = parse(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))
    return host if address is None else str(address)

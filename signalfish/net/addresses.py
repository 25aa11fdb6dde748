"""
Where connections come from, as far as limits are concerned.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

_IPV6_PREFIX = 64  # one customer usually has a whole /64


def address_key(host: str) -> str:
    """
    What is counted as one address: an IPv4 address, the /64 of an IPv6 address, or the text itself.

    IPv4 addresses that were mapped into IPv6 by a dual-stack socket count as themselves.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))

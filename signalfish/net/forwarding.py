"""
Whose connection it is, where reverse proxies stand between clients and the server.

A proxy adds the address of whoever connected to it to the end of ``X-Forwarded-For`` or
``Forwarded`` (RFC 7239); what stands before that has been written by somebody else, and is believed
only as far as it comes from further proxies that are trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network

from twisted.logger import Logger

from signalfish.net.addresses import Address, address_key, parse

Network = IPv4Network | IPv6Network

LOCAL = "local"
"""
The address of whoever has none, such as the peer on a Unix socket.
"""

_log = Logger()

_STANDARD = "forwarded"
_CUSTOMARY = "x-forwarded-for"
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+"|[,;]|[^",;]+|"'
)  # quoted text, what separates, and the rest
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\S+)?|([0-9]+\.[0-9.]+)(?::\S+)?|([0-9A-Fa-f:.]+)")


class Proxies:
    """
    The reverse proxies that are believed.

    :param networks: where they are.
    :param local: whether that which connects on a Unix socket is one of them.
    """

    def __init__(self, networks: Iterable[Network] = (), *, local: bool = False) -> None:
        self._networks = tuple(networks)
        self._local = local
        self._has_warned = False

    def trusts(self, host: str) -> bool:
        """
        Whether a peer is one of the proxies.
        """
        address = parse(host)
        if address is None:
            return self._local and host == LOCAL
        return self._is_trusted(address)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """
        What counts as the address of the client of a request.

        :param peer: who has connected.
        :param headers: by their names in lower case; those of several lines joined by commas.
        """
        if not self.trusts(peer):
            self._warn(peer, headers)
            return address_key(peer)
        said = {
            self._last_untrusted(peer, chain)
            for chain in (_customary(headers), _standard(headers))
            if chain is not None
        }
        # A proxy that writes only one of the headers passes on what clients write into the other.
        return said.pop() if len(said) == 1 else address_key(peer)

    def _last_untrusted(self, peer: str, chain: Sequence[str]) -> str:
        host = peer
        for hop in reversed(chain):
            address = _address(hop)
            if address is None:  # somebody hides; the proxy that says so is all that is known
                break
            host = str(address)
            if not self._is_trusted(address):
                break
        return address_key(host)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def _warn(self, peer: str, headers: Mapping[str, str]) -> None:
        if self._has_warned or not (_CUSTOMARY in headers or _STANDARD in headers):
            return
        self._has_warned = True
        _log.warn(
            "Forwarding headers of {peer} are ignored, its own address counts; "
            "if it is a proxy of yours, list it in security.trusted_proxies",
            peer=peer,
        )


def _customary(headers: Mapping[str, str]) -> list[str] | None:
    text = headers.get(_CUSTOMARY)
    return None if text is None else [hop.strip() for hop in text.split(",")]


def _standard(headers: Mapping[str, str]) -> list[str] | None:
    """
    The ``for`` parameters, in order, quoted or not; an empty text where there is none.
    """
    text = headers.get(_STANDARD)
    if text is None:
        return None
    elements: list[list[str]] = [[""]]
    for piece in _TOKEN.findall(text):
        if piece == ",":
            elements.append([""])
        elif piece == ";":
            elements[-1].append("")
        elif piece == '"':  # a quotation that does not end hides what follows it
            return [""]
        else:
            elements[-1][-1] += piece
    return [_node(element) for element in elements if any(part.strip() for part in element)]


def _node(element: Sequence[str]) -> str:
    pairs = (part.strip().partition("=") for part in element)
    values = (value for name, _, value in pairs if name.lower() == "for")
    return next(values, "").removeprefix('"').removesuffix('"')


def _address(hop: str) -> Address | None:
    """
    The address in a hop, which may have a port; None if it is not one.
    """
    node = _NODE.fullmatch(hop)
    return None if node is None else parse(next(filter(None, node.groups())))

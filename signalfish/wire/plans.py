"""
What players who connect to each other are told, since protocol 3: plans, signals, results.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, Raw, Struct, UnsetType, field

from signalfish.wire.server import ServerMessage
from signalfish.wire.types import IceServer, Topology, Transport

FIRST_VERSION = 3
"""
The protocol version from which these messages exist.
"""


class DirectEndpoint(Struct, frozen=True, kw_only=True):
    """
    Where the host of a direct session listens.
    """

    host: str
    port: int


class SessionPeer(Struct, frozen=True, kw_only=True):
    """
    Somebody to connect to; `initiate` says who begins.
    """

    player_id: str
    player_name: str
    is_authority: bool
    initiate: bool


class SessionPlan(ServerMessage, frozen=True, kw_only=True):
    """
    Whom the receiver connects to, and how. It replaces every earlier plan.
    """

    first_version: ClassVar[int] = FIRST_VERSION

    generation: str
    topology: Topology
    transport: Transport
    host: str | UnsetType = UNSET
    direct_endpoint: DirectEndpoint | UnsetType = UNSET
    peers: tuple[SessionPeer, ...]
    ice_servers: tuple[IceServer, ...] | UnsetType = UNSET
    fallback: Transport = Transport.RELAY


class Signal(ServerMessage, frozen=True, kw_only=True):
    """
    Something another player says in order to connect; passed on byte for byte.
    """

    first_version: ClassVar[int] = FIRST_VERSION

    sender: str = field(name="from")
    generation: str
    signal: Raw


class PeerTransportStatus(ServerMessage, frozen=True, kw_only=True):
    """
    Whether another player's transport works.
    """

    first_version: ClassVar[int] = FIRST_VERSION

    peer_id: str
    transport: Transport
    connected: bool

"""
Shared types of the protocol: enumerations, scalars and connection info.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

U8 = Annotated[int, Meta(ge=0, le=0xFF)]
U16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]


class Encoding(StrEnum):
    """
    How a client wants game data; everything else is always JSON text.
    """

    JSON = "json"
    MESSAGE_PACK = "message_pack"
    RKYV = "rkyv"
    PROTOBUF = "protobuf"


class Form(NamedTuple):
    """
    What one connection understands: the protocol version and the game-data encoding.

    Two recipients with the same form receive the same bytes.
    """

    version: int
    encoding: Encoding

    @property
    def slot(self) -> int:
        """
        Where a message keeps its frame for this form: from 0 to :data:`SLOTS` - 1.
        """
        newer = self.version >= 3  # noqa: PLR2004 - the versions differ from here on
        return newer * len(_ENCODINGS) + _ENCODINGS.index(self.encoding)


_ENCODINGS = tuple(Encoding)
SLOTS = 2 * len(_ENCODINGS)
"""
How many forms differ.
"""


class LobbyState(StrEnum):
    """
    Where a room is between its creation and its game.
    """

    WAITING = "waiting"
    LOBBY = "lobby"
    FINALIZED = "finalized"


class Transport(StrEnum):
    """
    A way for two peers to exchange game data.
    """

    RELAY = "relay"
    DIRECT = "direct"
    WEBRTC = "webrtc"


class Topology(StrEnum):
    """
    Who exchanges game data with whom.
    """

    RELAY = "relay"
    HOST = "host"
    MESH = "mesh"


class Capabilities(NamedTuple):
    """
    What one client can do besides the relay, which everybody can.
    """

    transports: frozenset[Transport] = frozenset({Transport.RELAY})
    topologies: frozenset[Topology] = frozenset({Topology.RELAY})


RELAY_ONLY = Capabilities()


class IceServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A STUN or TURN server, as WebRTC implementations take it.
    """

    urls: tuple[str, ...]
    username: str | UnsetType = UNSET
    credential: str | UnsetType = UNSET

    def __repr__(self) -> str:
        """
        Show no credentials.
        """
        return f"IceServer(urls={self.urls!r})"


class DeliveryClass(StrEnum):
    """
    What may happen to game data that a slow recipient cannot take (protocol 3).
    """

    RELIABLE = "reliable"
    LATEST = "latest"
    VOLATILE = "volatile"


class RelayTransport(StrEnum):
    """
    Transport of a relay that players brought themselves; passed on, never used.
    """

    TCP = "tcp"
    UDP = "udp"
    WEBSOCKET = "websocket"
    AUTO = "auto"


class SpectatorReason(StrEnum):
    """
    Why the set of spectators changed.
    """

    JOINED = "joined"
    VOLUNTARY_LEAVE = "voluntary_leave"
    DISCONNECTED = "disconnected"
    REMOVED = "removed"
    ROOM_CLOSED = "room_closed"


class DirectInfo(Struct, tag_field="type", tag="direct"):
    """
    Reach this player at an address of its own.
    """

    host: str
    port: U16


class UnityRelayInfo(Struct, tag_field="type", tag="unity_relay"):
    """
    Reach this player through Unity's relay service.
    """

    allocation_id: str
    connection_data: str
    key: str


class RelayInfo(Struct, tag_field="type", tag="relay"):
    """
    Reach this player through a relay of its own choice.
    """

    host: str
    port: U16
    allocation_id: str
    token: str
    transport: RelayTransport | None = RelayTransport.AUTO
    client_id: U16 | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        """
        An explicit null is as good as no member, and is not sent on.
        """
        if self.transport is None:
            self.transport = RelayTransport.AUTO
        if self.client_id is None:
            self.client_id = UNSET


class WebRTCInfo(Struct, tag_field="type", tag="webrtc"):
    """
    Reach this player by WebRTC with these ICE candidates.
    """

    ice_candidates: list[str]
    sdp: str | None = None


class CustomInfo(Struct, tag_field="type", tag="custom"):
    """
    Whatever the game wants its players to know; passed on byte for byte.
    """

    data: Raw


ConnectionInfo = DirectInfo | UnityRelayInfo | RelayInfo | WebRTCInfo | CustomInfo


def rfc3339(seconds: float) -> str:
    """
    A wall-clock time as the protocol writes it, in UTC with microseconds (RFC 3339).

    :param seconds: seconds since the epoch.
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"

"""
Every message a client may send, as typed data.

Members that this release does not know are ignored; wrong types are refused by the decoder.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType, field

from signalfish.wire.types import (
    U8,
    U16,
    U32,
    DeliveryClass,
    Encoding,
    RelayTransport,
    Topology,
    Transport,
)
from signalfish.wire.versions import since


class Nothing(Struct):
    """
    The payload of a message without payload: absent, null or any object.
    """


class Credentials(Struct):
    """
    Payload of :class:`Authenticate`.
    """

    app_id: str
    connect_token: str | None = None
    sdk_version: str | None = None
    platform: str | None = None
    game_data_format: Encoding | None = None
    protocol_version: U16 | None = None
    supported_transports: list[Transport] | None = None
    supported_topologies: list[Topology] | None = None
    requested_capabilities: list[str] | None = None

    def __repr__(self) -> str:
        """
        Who it is; the token is nobody else's business.
        """
        return f"Credentials(app_id={self.app_id!r})"


class Authenticate(Struct, tag_field="type", tag=True):
    """
    Says who connects and what it understands; if sent, the first message.
    """

    data: Credentials


class RoomRequest(Struct):
    """
    Payload of :class:`JoinRoom`.
    """

    game_name: str
    player_name: str
    room_code: str | None = None
    max_players: U8 | None = None
    supports_authority: bool | None = None
    relay_transport: RelayTransport | None = None
    password: str | None = None
    join_only: bool | None = None


class JoinRoom(Struct, tag_field="type", tag=True):
    """
    Takes a seat in a room, which is created if need be.
    """

    data: RoomRequest


class LeaveRoom(Struct, tag_field="type", tag=True):
    """
    Gives the seat up for good.
    """

    data: Nothing | None = None


class Payload(Struct):
    """
    Payload of :class:`GameData`: one opaque JSON value, and how it may be delivered.
    """

    data: Raw
    delivery_class: Annotated[DeliveryClass | UnsetType, since(3)] = field(
        name="class", default=UNSET
    )
    key: Annotated[U32 | UnsetType, since(3)] = UNSET


class GameData(Struct, tag_field="type", tag=True):
    """
    A value for everybody else in the room.
    """

    data: Payload


class BinaryGameData(Struct):
    """
    A binary frame: an opaque value, in the sender's negotiated encoding.
    """

    payload: bytes


class AuthorityWish(Struct):
    """
    Payload of :class:`AuthorityRequest`.
    """

    become_authority: bool


class AuthorityRequest(Struct, tag_field="type", tag=True):
    """
    Claims or gives up the authority of the room.
    """

    data: AuthorityWish


class PlayerReady(Struct, tag_field="type", tag=True):
    """
    Toggles the sender's readiness.
    """

    data: Nothing | None = None


class StartGame(Struct, tag_field="type", tag=True):
    """
    Starts the game with the players who are there.
    """

    data: Nothing | None = None


class OwnConnection(Struct):
    """
    Payload of :class:`ProvideConnectionInfo`, kept raw so that its size can be measured.
    """

    connection_info: Raw


class ProvideConnectionInfo(Struct, tag_field="type", tag=True):
    """
    Tells how the sender can be reached; handed to the others when the game starts.
    """

    data: OwnConnection


class Ping(Struct, tag_field="type", tag=True):
    """
    Asks for a Pong.
    """

    data: Nothing | None = None


class Claim(Struct):
    """
    Payload of :class:`Reconnect`.
    """

    player_id: UUID
    room_id: UUID
    auth_token: str


class Reconnect(Struct, tag_field="type", tag=True):
    """
    Takes back the seat that another connection held.
    """

    data: Claim


class SpectatorRequest(Struct):
    """
    Payload of :class:`JoinAsSpectator`.
    """

    game_name: str
    room_code: str
    spectator_name: str
    password: str | None = None


class JoinAsSpectator(Struct, tag_field="type", tag=True):
    """
    Watches a room without a seat.
    """

    data: SpectatorRequest


class LeaveSpectator(Struct, tag_field="type", tag=True):
    """
    Stops watching.
    """

    data: Nothing | None = None


class Signalling(Struct):
    """
    Payload of :class:`Signal`; `signal` is opaque.
    """

    to: UUID
    generation: UUID
    signal: Raw


class Signal(Struct, tag_field="type", tag=True):
    """
    Something for one other player, in order to connect to it (protocol 3).
    """

    data: Signalling


class OwnTransport(Struct):
    """
    Payload of :class:`TransportStatus`.
    """

    transport: Transport
    connected: bool


class TransportStatus(Struct, tag_field="type", tag=True):
    """
    Tells whether one of the sender's transports works (protocol 3).
    """

    data: OwnTransport


TextMessage = (
    Authenticate
    | JoinRoom
    | LeaveRoom
    | GameData
    | AuthorityRequest
    | PlayerReady
    | StartGame
    | ProvideConnectionInfo
    | Ping
    | Reconnect
    | JoinAsSpectator
    | LeaveSpectator
    | Signal
    | TransportStatus
)

"""
What is asked of rooms with an id, and what comes of it under the same id, since protocol 3.
"""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta, Struct

from signalfish.wire.client import (
    BinaryGameData,
    JoinAsSpectator,
    JoinRoom,
    LeaveRoom,
    LeaveSpectator,
    Nothing,
    Reconnect,
    TextMessage,
)
from signalfish.wire.errors import ErrorCode
from signalfish.wire.plans import FIRST_VERSION
from signalfish.wire.server import Envelope, ServerMessage

_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"


class Target(Struct):
    """
    Payload of operations on one player.
    """

    player_id: UUID


class KickPlayer(Struct, tag_field="type", tag=True):
    """
    Sends a player away; it cannot come back to its seat.
    """

    data: Target


class BanPlayer(Struct, tag_field="type", tag=True):
    """
    Sends a player away for the life of the room.
    """

    data: Target


class UnbanPlayer(Struct, tag_field="type", tag=True):
    """
    Lets a banned player in again.
    """

    data: Target


class RegenerateRoomCode(Struct, tag_field="type", tag=True):
    """
    Gives the room another code; the old one is good for nothing at once.
    """

    data: Nothing | None = None


class Access(Struct):
    """
    Payload of :class:`SetRoomAccess`.
    """

    password: str | None = None


class SetRoomAccess(Struct, tag_field="type", tag=True):
    """
    Sets the password of the room, or takes it away.
    """

    data: Access


class TransferAuthority(Struct, tag_field="type", tag=True):
    """
    Gives the authority to another player.
    """

    data: Target


Moderation = (
    KickPlayer | BanPlayer | UnbanPlayer | RegenerateRoomCode | SetRoomAccess | TransferAuthority
)
Membership = JoinRoom | LeaveRoom | Reconnect | JoinAsSpectator | LeaveSpectator


class Operation(Struct):
    """
    Payload of :class:`RoomOperation`.
    """

    operation_id: Annotated[str, Meta(pattern=_ID)]
    operation: Membership | Moderation


class RoomOperation(Struct, tag_field="type", tag=True):
    """
    One operation, whose result comes under its id.
    """

    data: Operation


AnyText = TextMessage | RoomOperation
ClientMessage = AnyText | BinaryGameData


class RoomOperationResult(ServerMessage, frozen=True, kw_only=True):
    """
    What came of an operation; takes the place of the message that would have come without an id.
    """

    first_version: ClassVar[int] = FIRST_VERSION

    operation_id: str
    result: Envelope


class PlayerKicked(Struct, frozen=True, kw_only=True):
    """
    The player is gone.
    """

    player_id: str


class PlayerBanned(Struct, frozen=True, kw_only=True):
    """
    The player is gone, and cannot come back to the room.
    """

    player_id: str


class PlayerUnbanned(Struct, frozen=True, kw_only=True):
    """
    The player may join again.
    """

    player_id: str


class RoomCodeRegenerated(Struct, frozen=True, kw_only=True):
    """
    The room has this code now.
    """

    room_code: str


class RoomAccessUpdated(Struct, frozen=True, kw_only=True):
    """
    The room asks for a password now, or does not.
    """

    requires_password: bool


class AuthorityTransferred(Struct, frozen=True, kw_only=True):
    """
    The player has the authority now.
    """

    player_id: str


class OperationFailed(Struct, frozen=True, kw_only=True):
    """
    Nothing has been changed.
    """

    reason: str
    error_code: ErrorCode

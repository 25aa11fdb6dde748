"""
Who is in a room: seats of players, places of spectators, and claims to seats that were lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, define, field, frozen
from msgspec import UNSET, UnsetType

from signalfish.rooms.link import Link, Reply, to
from signalfish.rooms.owner import EVERYBODY, Owner
from signalfish.wire.gamedata import Origin
from signalfish.wire.names import fold
from signalfish.wire.types import RELAY_ONLY, Capabilities, ConnectionInfo, Transport

if TYPE_CHECKING:
    from signalfish.rooms.room import Room


@frozen
class Newcomer:
    """
    A connection that asks for a place.

    :ivar id: the player id of the connection.
    :ivar address: where it comes from; only ever compared.
    :ivar connected_at: the time of asking, as the protocol writes it.
    :ivar epoch: which membership of this player it would be, from 1.
    :ivar token: the reconnection token it is told if it gets a seat, if it can be told one.
    :ivar capabilities: what its client can do.
    :ivar supports_authority: whether the room has an authority, if this is its first player.
    :ivar reply: how it is told what came of its wish.
    :ivar fingerprint: of the certificate that its client must show to come back, if any.
    :ivar owner: among whose rooms it may have a place.
    """

    id: str
    name: str
    link: Link
    address: str
    connected_at: str
    epoch: int = 1
    token: str | None = field(default=None, repr=False)
    supports_authority: bool = True
    capabilities: Capabilities = RELAY_ONLY
    reply: Reply = Factory(lambda self: to(self.link), takes_self=True)
    fingerprint: str | None = None
    owner: Owner = EVERYBODY


@frozen
class Returner:
    """
    A connection that claims a seat.

    :ivar token: the token that replaces the one it came with, where tokens rotate.
    :ivar reply: how it is told what came of its wish.
    :ivar fingerprint: of the certificate that its client has shown, if any.
    :ivar owner: among whose rooms it may have a place.
    """

    link: Link
    address: str
    capabilities: Capabilities = RELAY_ONLY
    token: str | None = field(default=None, repr=False)
    reply: Reply = Factory(lambda self: to(self.link), takes_self=True)
    fingerprint: str | None = None
    owner: Owner = EVERYBODY


@define(eq=False)
class Seat:
    """
    One membership of one player: from joining, or coming back, to leaving or being lost.

    :ivar room: None once the membership is over.
    :ivar rank: place in the joining order; kept when the player comes back.
    :ivar seq: number of the last game data accepted from this membership.
    :ivar transport_reports: what it has said of its transports so far.
    :ivar peers: the links of everybody else, if known; emptied when the audience changes.
    """

    id: str
    name: str
    link: Link
    room: Room | None
    address: str
    connected_at: str
    rank: int
    epoch: int
    capabilities: Capabilities = RELAY_ONLY
    claim: Claim | None = None
    is_ready: bool = False
    connection_info: ConnectionInfo | UnsetType = UNSET
    seq: int = 0
    transport_reports: set[tuple[Transport, bool]] = Factory(set)
    peers: tuple[Link, ...] | None = None
    origin: Origin = Factory(lambda self: Origin(self.id, self.epoch, self.link), takes_self=True)
    folded: str = Factory(lambda self: fold(self.name), takes_self=True)


@define(eq=False)
class Watcher:
    """
    One spectator of one room.

    :ivar room: None once it watches no longer.
    """

    id: str
    name: str
    link: Link
    room: Room | None
    connected_at: str


@define(eq=False)
class Claim:
    """
    The right of a player to come back to a seat, proven by a token.

    :ivar seat: the latest membership.
    :ivar expires: until when it can be used, inclusive; None while the player is connected.
    :ivar reserved: whether the seat and the name are kept free meanwhile.
    :ivar missed_from: number of the first room event after the loss.
    :ivar taken_over_at: when it last ended a connection that looked alive.
    :ivar kicked: whether the seat was taken from the player.
    :ivar revoked: whether it is void: the player left, or the reservation was taken.
    :ivar fingerprint: of the certificate without which the token is worth nothing, if any.
    """

    token: str = field(repr=False)
    room: Room
    seat: Seat
    expires: float | None = None
    was_authority: bool = False
    reserved: bool = False
    missed_from: int = 0
    taken_over_at: float | None = None
    revoked: bool = False
    kicked: bool = False
    fingerprint: str | None = None

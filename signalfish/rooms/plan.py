"""
Session plans: who connects to whom, and how, once a game has started. Pure functions of the seats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from attrs import Factory, evolve, frozen
from msgspec import UNSET, UnsetType

from signalfish.rooms.ice import Ice
from signalfish.rooms.seat import Seat
from signalfish.wire.plans import (
    FIRST_VERSION,
    DirectEndpoint,
    SessionPeer,
    SessionPlan,
)
from signalfish.wire.types import (
    Capabilities,
    ConnectionInfo,
    DirectInfo,
    IceServer,
    Topology,
    Transport,
)

_RANKS = {Topology.RELAY: 0, Topology.HOST: 1, Topology.MESH: 2}
_MAX_HOST = 253
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@frozen
class Session:
    """
    What a room runs besides the relay.

    :ivar host: the id of the host, in a host session.
    """

    topology: Topology
    transport: Transport
    host: str | None = None


_LADDER = (
    Session(Topology.MESH, Transport.WEBRTC),
    Session(Topology.HOST, Transport.WEBRTC),
    Session(Topology.HOST, Transport.DIRECT),
)


@frozen
class Planner:
    """
    What is wanted, as far as clients can do it.

    :ivar new_id: makes random ids, for generations.
    :ivar unix_time: seconds since the epoch, for the credentials of TURN.
    :ivar default: the richest topology wanted; `topologies` has those of single games.
    :ivar transports: those that are enabled.
    :ivar pregather: whether players are told ICE servers before the game starts.
    :ivar refuses: whether a joiner who cannot run the session of a room is refused, instead of the
        session ending in the relay.
    """

    new_id: Callable[[], str]
    unix_time: Callable[[], float]
    default: Topology = Topology.MESH
    topologies: Mapping[str, Topology] = Factory(dict)
    transports: frozenset[Transport] = frozenset({Transport.DIRECT, Transport.WEBRTC})
    ice: Ice = Factory(Ice)
    pregather: bool = True
    refuses: bool = False

    def desired(self, game: str) -> Topology:
        """
        The richest topology that is wanted for a game.
        """
        return self.topologies.get(game, self.default)


def choose(
    desired: Topology,
    transports: Collection[Transport],
    seats: Collection[Seat],
    authority: str | None,
) -> Session | None:
    """
    The richest session that everybody can run; None for the relay.

    :param desired: the richest topology that is wanted.
    :param transports: those that are enabled.
    """
    for rung in _LADDER:
        if _RANKS[rung.topology] > _RANKS[desired] or rung.transport not in transports:
            continue
        if not all(can_run(seat, rung) for seat in seats):
            continue
        session = with_host(rung, seats, authority) if rung.topology is Topology.HOST else rung
        if session is not None:
            return session
    return None


def covers(session: Session, version: int, able: Capabilities) -> bool:
    """
    Whether a client that negotiated this can take part in a session.
    """
    return (
        version >= FIRST_VERSION
        and session.topology in able.topologies
        and session.transport in able.transports
    )


def can_run(seat: Seat, session: Session) -> bool:
    """
    Whether a player can take part in a session.
    """
    return covers(session, seat.link.form.version, seat.capabilities)


def with_host(session: Session, seats: Iterable[Seat], authority: str | None) -> Session | None:
    """
    A host session with a host who can be it: the present one, the authority, or the eldest.

    :return: None if nobody can be the host.
    """
    able = {seat.id: seat for seat in seats if _may_host(seat, session)}
    if not able:
        return None
    host = next((player for player in (session.host, authority) if player in able), None)
    if host is None:
        host = min(able.values(), key=lambda seat: (seat.connected_at, seat.id)).id
    return evolve(session, host=host)


def _may_host(seat: Seat, session: Session) -> bool:
    if not can_run(seat, session):
        return False
    return session.transport is not Transport.DIRECT or endpoint(seat.connection_info) is not None


def endpoint(info: ConnectionInfo | UnsetType) -> DirectEndpoint | None:
    """
    Where others can connect to a player, if it says so in a usable way. It is not probed.
    """
    if not isinstance(info, DirectInfo) or not info.port or not _is_reachable(info.host):
        return None
    return DirectEndpoint(host=info.host, port=info.port)


@frozen
class Publication:
    """
    A plan that is about to be published.

    :ivar session: None for the relay.
    :ivar generation: its id, the same for everybody.
    """

    session: Session | None
    seats: Collection[Seat]
    authority: str | None
    generation: str

    def told_to(self, recipient: Seat, ice_servers: tuple[IceServer, ...]) -> SessionPlan:
        """
        The plan as one player is told it.

        :param ice_servers: for this player, if it needs any.
        """
        session = self.session
        if session is None:
            relay = Transport.RELAY
            return SessionPlan(
                generation=self.generation, topology=Topology.RELAY, transport=relay, peers=()
            )
        able = [seat for seat in self.seats if can_run(seat, session)]
        takes_part = recipient in able
        host = next((seat for seat in able if seat.id == session.host), None)
        direct = endpoint(host.connection_info) if host is not None else None
        uses_ice = takes_part and session.transport is Transport.WEBRTC and ice_servers
        return SessionPlan(
            generation=self.generation,
            topology=session.topology,
            transport=session.transport,
            host=UNSET if host is None else host.id,
            direct_endpoint=direct if direct and session.transport is Transport.DIRECT else UNSET,
            peers=_peers(recipient, host, able, self.authority) if takes_part else (),
            ice_servers=ice_servers if uses_ice else UNSET,
        )


def _peers(
    recipient: Seat, host: Seat | None, able: list[Seat], authority: str | None
) -> tuple[SessionPeer, ...]:
    others = [seat for seat in able if seat is not recipient]
    if host is None:
        return tuple(
            _peer(seat, is_authority=seat.id == authority, initiate=recipient.id < seat.id)
            for seat in others
        )
    if recipient is host:
        return tuple(_peer(seat, is_authority=False, initiate=False) for seat in others)
    # Here the flag marks the host, whoever has the authority over the room.
    return (_peer(host, is_authority=True, initiate=True),)


def _peer(seat: Seat, *, is_authority: bool, initiate: bool) -> SessionPeer:
    return SessionPeer(
        player_id=seat.id, player_name=seat.name, is_authority=is_authority, initiate=initiate
    )


def _is_reachable(host: str) -> bool:
    if not 1 <= len(host) <= _MAX_HOST or "%" in host:
        return False
    address = _address(host)
    if address is not None:
        return not address.is_unspecified
    name = host.removesuffix(".")
    return _address(name) is None and all(map(_LABEL.fullmatch, name.split(".")))


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None

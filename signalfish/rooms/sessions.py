"""
When players are told whom to connect to: at the start, and whenever the plan no longer fits.

A session is chosen once, at the start, and never becomes richer. Every publication is a new
generation of the plan, the same for all players who understand plans.
"""

from __future__ import annotations

from signalfish.rooms import plan
from signalfish.rooms.room import Room
from signalfish.rooms.seat import Seat
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.outgoing import Notice
from signalfish.wire.plans import FIRST_VERSION, DirectEndpoint
from signalfish.wire.types import Capabilities, IceServer, LobbyState, Topology, Transport


def start(room: Room) -> None:
    """
    Choose the session of a game that starts, and publish the first plan.
    """
    room.session = plan.choose(
        room.planner.desired(room.game_name),
        room.planner.transports,
        room.seats.values(),
        room.authority,
    )
    publish(room)


def check_joiner(room: Room, version: int, able: Capabilities) -> None:
    """
    Refuse a joiner who cannot run the session of a room, where that is wanted.

    :raises Refusal: ROOM_SESSION_INCOMPATIBLE.
    """
    session = room.session
    if room.planner.refuses and session is not None and not plan.covers(session, version, able):
        text = "Room is running a session this connection's capabilities do not cover"
        raise Refusal(ErrorCode.ROOM_SESSION_INCOMPATIBLE, text)


def welcome(room: Room, seat: Seat) -> None:
    """
    Publish the plan anew because somebody came or came back; without anybody's peers left out.
    """
    if room.state is not LobbyState.FINALIZED:
        return
    session = room.session
    if session is not None and not plan.can_run(seat, session):
        room.session = None
    replan(room)


def depart(room: Room, seat: Seat) -> None:
    """
    Find another host if the one that a session had is gone.
    """
    session = room.session
    if not room.seats:
        room.session = None
    elif session is not None and session.host == seat.id:
        replan(room)


def relocate(room: Room, seat: Seat, before: DirectEndpoint | None) -> None:
    """
    Follow a host that listens somewhere else now, or nowhere.

    :param before: where it listened.
    """
    session = room.session
    is_direct_host = (
        session is not None and session.transport is Transport.DIRECT and session.host == seat.id
    )
    if is_direct_host and plan.endpoint(seat.connection_info) != before:
        replan(room)


def replan(room: Room) -> None:
    """
    Publish the plan anew, with another host if there must be one, or the relay if nobody can be.
    """
    session = room.session
    if session is not None and session.topology is Topology.HOST:
        room.session = plan.with_host(session, room.seats.values(), room.authority)
    publish(room)


def publish(room: Room) -> None:
    """
    Tell everybody who understands plans the current one, as a new generation.
    """
    seats, planner, unix_time = room.seats.values(), room.planner, room.planner.unix_time()
    publication = plan.Publication(room.session, seats, room.authority, planner.new_id())
    uses_ice = room.session is not None and room.session.transport is Transport.WEBRTC
    for seat in seats:
        if seat.link.form.version >= FIRST_VERSION:
            ice_servers = planner.ice.servers_for(seat.id, unix_time) if uses_ice else ()
            seat.link.deliver(Notice(publication.told_to(seat, ice_servers)))


def early_ice_servers(room: Room, seat: Seat) -> tuple[IceServer, ...]:
    """
    The ICE servers that a player may use before the game starts; none if it has no use for them.
    """
    desired = room.planner.desired(room.game_name)
    useful = (
        room.planner.pregather
        and Transport.WEBRTC in room.planner.transports
        and desired is not Topology.RELAY
        and room.state is not LobbyState.FINALIZED
        and plan.covers(
            plan.Session(desired, Transport.WEBRTC), seat.link.form.version, seat.capabilities
        )
    )
    return room.planner.ice.servers_for(seat.id, room.planner.unix_time()) if useful else ()

"""
What players say to each other, through the server, in order to connect without it.
"""

from __future__ import annotations

from signalfish.rooms.room import Room
from signalfish.rooms.seat import Seat
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.outgoing import Notice
from signalfish.wire.plans import FIRST_VERSION, PeerTransportStatus, Signal
from signalfish.wire.types import Transport


def relay(room: Room, seat: Seat, target: str, signal: Signal) -> None:
    """
    Pass a signal on to one other player. Whether it fits a plan is for the players to judge.

    :raises Refusal: if there is no such player here, or one of the two does not speak WebRTC.
    """
    if target == seat.id:
        raise Refusal(ErrorCode.SIGNAL_TARGET_NOT_FOUND, "Cannot signal yourself")
    peer = room.seats.get(target)
    if peer is None:
        raise _wrong_target(room, target)
    if not _speaks_webrtc(seat):
        text = "WebRTC transport was not negotiated for this connection"
        raise Refusal(ErrorCode.UNSUPPORTED_TRANSPORT, text)
    if not _speaks_webrtc(peer):
        text = "Signal target does not support WebRTC signaling"
        raise Refusal(ErrorCode.SIGNAL_TARGET_NOT_FOUND, text)
    peer.link.deliver(Notice(signal))


def report(room: Room, seat: Seat, transport: Transport, connected: bool) -> None:
    """
    Tell the other players, if it is news, whether a transport of one of them works.
    """
    understood = seat.link.form.version >= FIRST_VERSION
    if not understood or transport not in seat.capabilities.transports:
        return
    if (transport, connected) in seat.transport_reports:
        return
    seat.transport_reports.discard((transport, not connected))
    seat.transport_reports.add((transport, connected))
    status = PeerTransportStatus(peer_id=seat.id, transport=transport, connected=connected)
    notice = Notice(status)
    for other in room.seats.values():
        if other is not seat and other.link.form.version >= FIRST_VERSION:
            other.link.deliver(notice)


def _wrong_target(room: Room, target: str) -> Refusal:
    if target in room.players:
        text = "Cannot signal a peer in a different room"
        return Refusal(ErrorCode.CROSS_ROOM_SIGNAL, text)
    return Refusal(ErrorCode.SIGNAL_TARGET_NOT_FOUND, "Signal target is not in any room")


def _speaks_webrtc(seat: Seat) -> bool:
    understands = seat.link.form.version >= FIRST_VERSION
    return understands and Transport.WEBRTC in seat.capabilities.transports

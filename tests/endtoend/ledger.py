"""
Who sent which game data while who else was there, written down as the server accepts it.
"""

from collections import defaultdict
from typing import Any, NamedTuple

from attrs import define

from signalfish.rooms.seat import Seat
from signalfish.wire.client import BinaryGameData, GameData
from signalfish.wire.errors import Refusal
from tests.strict.client import Received, StrictClient
from tests.strict.lie import want

_FITTING = {
    None: {"unsupported_format"},
    "reliable": {"unsupported_format"},
    "latest": {"latest_superseded", "latest_dropped_full"},
    "volatile": {"volatile_dropped"},
}


class Content(NamedTuple):
    """
    What one piece of game data consists of.

    :ivar payload: of a binary frame; None for text.
    :ivar converts: whether it can be told to those who take JSON.
    """

    value: Any
    payload: bytes | None = None
    kind: str | None = None
    key: int | None = None
    converts: bool = True


class Item(NamedTuple):
    """
    One piece of game data, and which it is of its sender.
    """

    player: str
    epoch: int
    seq: int
    content: Content

    def fits(self, client: StrictClient) -> bool:
        """
        Whether a client can be told it.
        """
        content = self.content
        return content.payload is None or client.binary or content.converts

    def seen_by(self, client: StrictClient) -> Received:
        """
        What a client that is told it receives.
        """
        value, payload, kind, key, _ = self.content
        stamp = (self.epoch, self.seq) if client.version >= 3 else (None, None)
        if payload is not None and client.binary:
            return Received(self.player, *stamp, None, payload)
        if client.version < 3:
            kind = key = None
        return Received(self.player, *stamp, value, None, kind, key)


@define(eq=False)
class Membership:
    """
    The time that a player spends in a seat.

    :ivar epoch: its number among those of the player.
    :ivar sent: how much game data was accepted.
    """

    epoch: int
    sent: int = 0


class Ledger:
    """
    What each connection is owed, in the order in which it was accepted.

    :ivar owed: by link.
    """

    def __init__(self, service: Any) -> None:
        self.owed: dict[Any, list[Item]] = defaultdict(list)
        self._service = service
        self._memberships: dict[Seat, Membership] = {}
        self._epochs: dict[str, int] = defaultdict(int)
        self._missed: dict[str, tuple[Any, list[Item]]] = {}

    def place(self, link: Any) -> Any:
        """
        The seat of a connection, or what it has as a spectator, or None.
        """
        places = (
            place
            for room in self._service.rooms
            for place in (*room.seats.values(), *room.watchers.values())
        )
        return next((place for place in places if place.link is link), None)

    def accept(self, link: Any, content: Content) -> None:
        """
        A player's game data has been accepted: it is owed to everybody else in the room.
        """
        seat = self.place(link)
        membership = self._memberships[seat]
        membership.sent += 1
        item = Item(seat.id, membership.epoch, membership.sent, content)
        for place in (*seat.room.seats.values(), *seat.room.watchers.values()):
            if place is not seat:
                self.owed[place.link].append(item)
        for room, missed in self._missed.values():
            if room is seat.room:
                missed.append(item)

    def observe(self) -> None:
        """
        Something may have changed: see who has taken a seat.
        """
        for room in self._service.rooms:
            for seat in room.seats.values():
                if seat not in self._memberships:
                    self._epochs[seat.id] += 1
                    self._memberships[seat] = Membership(self._epochs[seat.id])
                    _, missed = self._missed.pop(seat.id, (None, []))
                    if seat.link.form.version < 3:
                        self.owed[seat.link] += missed

    def lost(self, seat: Seat, room: Any) -> None:
        """
        A player was lost: what it misses is kept if it may come back.
        """
        if seat.id in room.absent:
            self._missed[seat.id] = (room, [])

    def check(self, link: Any, client: StrictClient, *, complete: bool) -> None:
        """
        A client received, or knows to be lost, what it is owed, in this order and nothing else.

        :param complete: whether the client has got all that there is.
        """
        owed, received = self.owed[link], client.received
        lost = dict(client.accounts.lost)
        position = 0
        for number, item in enumerate(owed):
            if position < len(received) and received[position] == item.seen_by(client):
                want(item.fits(client), "told what cannot be told", item)
                position += 1
                continue
            reason = lost.pop((item.player, item.epoch, item.seq), None)
            if reason is not None:
                self._check_reason(client, item, reason, owed[number + 1 :])
            elif client.version >= 3 or item.fits(client):
                want(not complete, "never came", item, received, client.accounts.lost)
                break
        want(position == len(received), "came unexpectedly", received[position:], owed)
        want(not lost, "lost unexpectedly", lost, owed)

    def _check_reason(
        self, client: StrictClient, item: Item, reason: str, later: list[Item]
    ) -> None:
        content = item.content
        want(client.version >= 3, "loss in version 2", item)
        want(reason in _FITTING[content.kind], "reason", item, reason)
        if reason == "unsupported_format":
            want(not item.fits(client), "told not to fit, but it does", item)
        if reason == "latest_superseded":
            newer = [other for other in later if other[:2] == item[:2]]
            keys = [other.content.key for other in newer if other.content.kind == "latest"]
            want(content.key in keys, "superseded by nothing", item, newer)


class Observed:
    """
    A receiver that tells the ledger what is accepted.

    :ivar sent: the game data on its way, in order.
    """

    def __init__(self, inner: Any, link: Any, ledger: Ledger) -> None:
        self._inner = inner
        self._link = link
        self._ledger = ledger
        self.sent: list[Content] = []
        self.refused = inner.refused
        self.control_frame = inner.control_frame
        self.alive = inner.alive

    def received(self, message: Any) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.received`.
        """
        is_data = isinstance(message, (GameData, BinaryGameData))
        content = self.sent.pop(0) if is_data else None
        try:
            self._inner.received(message)
        except Refusal:
            self._ledger.observe()
            raise
        if content is not None:
            self._ledger.accept(self._link, content)
        self._ledger.observe()

    def closed(self) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.closed`.
        """
        seat = self._ledger.place(self._link)
        room = None if seat is None else seat.room
        self._inner.closed()
        if isinstance(seat, Seat):
            self._ledger.lost(seat, room)
        self._ledger.observe()

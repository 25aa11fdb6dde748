"""
Who takes part in random rooms, and what they may expect.
"""

from typing import Any

from attrs import define

from signalfish.rooms.seat import Seat, Watcher
from signalfish.wire.types import Capabilities, Transport
from tests.rooms.strict import Listener

WINDOW = 300.0
"""
Seconds in which a lost player may come back.
"""


class Client(Listener):
    """
    A client that checks everything, and what a server keeps of its connection.

    :ivar id: its player id.
    :ivar seat: its place, as the server knows it.
    :ivar epoch: of its latest membership.
    :ivar sent: how much game data it has sent in its membership.
    :ivar rank: its place in the order of all first joins.
    :ivar reports: what it has last said of its transports in its membership.
    :ivar ticket: its right to come back, if it was given a token.
    """

    def __init__(self, player: str, form: Any, able: Capabilities, address: str) -> None:
        super().__init__(form, player[:4], able)
        self.id = player
        self.address = address
        self.seat: Seat | Watcher | None = None
        self.epoch = 0
        self.sent = 0
        self.rank = 0
        self.ticket: Ticket | None = None
        self.reports: dict[Transport, bool] = {}


@define(eq=False)
class Ticket:
    """
    What a player needs to come back, and what it may expect then.

    :ivar holder: the connection in its seat; None while the player is absent.
    :ivar lost_at: when it was lost last.
    :ivar reserved: whether it was lost after the start.
    :ivar missed: the game data since then.
    :ivar dead: whether the player left, was replaced, lost its room, or was sent away.
    :ivar kicked_at: when it was sent away.
    """

    player: str
    room: str
    token: str
    name: str
    holder: Client | None
    rank: int
    address: str = ""
    epoch: int = 1
    lost_at: float = 0.0
    reserved: bool = False
    was_authority: bool = False
    missed: list[tuple[str, int, int]] | None = None
    taken_over_at: float | None = None
    dead: bool = False
    kicked_at: float | None = None

    def die(self) -> None:
        """
        It is worth nothing any more.
        """
        self.dead, self.holder = True, None

    def waits(self, now: float) -> bool:
        """
        Whether the player is absent and may still come back.
        """
        return self.holder is None and not self.dead and now <= self.lost_at + WINDOW

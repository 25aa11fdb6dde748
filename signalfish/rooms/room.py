"""
A room as plain data, and the ways to speak to those in it.

What happens in a room is elsewhere: :mod:`~signalfish.rooms.membership`,
:mod:`~signalfish.rooms.lobby`, :mod:`~signalfish.rooms.authority`,
:mod:`~signalfish.rooms.spectators`. Every change follows one order: validate, mutate, reply,
announce.
"""

from __future__ import annotations

from attrs import Factory, define, field

from signalfish.rooms.access import Lock
from signalfish.rooms.link import Link
from signalfish.rooms.owner import EVERYBODY, Owner
from signalfish.rooms.plan import Planner, Session
from signalfish.rooms.replay import Replay
from signalfish.rooms.rules import StartRule
from signalfish.rooms.seat import Claim, Seat, Watcher
from signalfish.wire.gamedata import BinaryData, TextData
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import AuthorityChanged, ServerMessage
from signalfish.wire.types import LobbyState

Truth = tuple[LobbyState, tuple[str, ...], bool]
"""
What members must know of the lobby: its state, who is ready, whether everybody is.
"""

NEW: Truth = (LobbyState.WAITING, (), False)


@define(eq=False)
class Room:
    """
    Players and spectators who share a code.

    :ivar start_rule: the configured rule; `rule` is the one in force, None in a room without a
        founder, which is every room nobody is seated in or can come back to.
    :ivar authority: the id of the player who has it.
    :ivar seats: connected players by id, in joining order.
    :ivar absent: claims of lost players that may still be used, by player id.
    :ivar session: what the players run besides the relay, once the game has started.
    :ivar bans: ids that may not come in, and the addresses they came from, if these may not either.
    :ivar told: the truth that members were last told; None once the game has started.
    :ivar players: the ids of all connected players of all rooms of this owner.
    :ivar owner: who alone finds the room.
    :ivar audience: everybody's link, players first; replaced, never changed.
    :ivar emptied: when the last player went.
    """

    id: str
    code: str
    game_name: str
    max_players: int
    relay_type: str
    start_rule: StartRule
    max_spectators: int
    replay: Replay
    planner: Planner
    active: float
    lock: Lock | None = None
    bans: dict[str, str | None] = Factory(dict)
    supports_authority: bool = True
    rule: StartRule | None = None
    state: LobbyState = LobbyState.WAITING
    authority: str | None = None
    seats: dict[str, Seat] = Factory(dict)
    absent: dict[str, Claim] = Factory(dict)
    watchers: dict[str, Watcher] = Factory(dict)
    players: set[str] = Factory(set)
    owner: Owner = EVERYBODY
    told: Truth | None = NEW
    session: Session | None = None
    emptied: float = 0.0
    audience: tuple[Link, ...] = ()
    next_rank: int = field(default=0, init=False)

    @property
    def taken(self) -> int:
        """
        How many seats a newcomer cannot have.
        """
        return len(self.seats) + sum(claim.reserved for claim in self.absent.values())

    def rank(self) -> int:
        """
        The next place in the joining order.
        """
        self.next_rank += 1
        return self.next_rank

    def seat(self, seat: Seat) -> None:
        """
        Put a player into its place in the joining order.
        """
        self.seats[seat.id] = seat
        self.players.add(seat.id)
        if seat.rank < self.next_rank:
            self.seats = dict(sorted(self.seats.items(), key=lambda item: item[1].rank))
        self.reassemble()

    def unseat(self, seat: Seat, now: float) -> None:
        """
        End a membership.
        """
        del self.seats[seat.id]
        self.players.discard(seat.id)
        seat.room = None
        self.active = now
        if not self.seats:
            self.emptied = now
        self.reassemble()

    def reassemble(self) -> None:
        """
        Rebuild the audience after somebody came or went.
        """
        players = [seat.link for seat in self.seats.values()]
        self.audience = (*players, *(watcher.link for watcher in self.watchers.values()))
        for seat in self.seats.values():
            seat.peers = None

    def peers(self, link: Link) -> tuple[Link, ...]:
        """
        The links of everybody else.
        """
        return tuple(other for other in self.audience if other is not link)

    def tell(self, message: ServerMessage) -> None:
        """
        Announce something to everybody.
        """
        self._announce(message, self.audience)

    def tell_others(self, link: Link, message: ServerMessage) -> None:
        """
        Announce something to everybody else.
        """
        self._announce(message, self.peers(link))

    def _announce(self, message: ServerMessage, audience: tuple[Link, ...]) -> None:
        if self.absent:
            self.replay.record(message)
        notice = Notice(message)
        for link in audience:
            link.deliver(notice)

    def tell_authority(self) -> None:
        """
        Announce who holds the authority now, to each in its own words.
        """
        others = AuthorityChanged(authority_player=self.authority, you_are_authority=False)
        holder = self.seats.get(self.authority) if self.authority else None
        if holder is None:
            self.tell(others)
            return
        own = AuthorityChanged(authority_player=self.authority, you_are_authority=True)
        holder.link.deliver(Notice(own))
        self.tell_others(holder.link, others)

    def relay(self, seat: Seat, data: TextData | BinaryData, size: int) -> None:
        """
        Pass game data of the given size in bytes to everybody else.
        """
        peers = seat.peers
        if peers is None:
            peers = seat.peers = self.peers(seat.link)
        for link in peers:
            link.deliver(data)
        if self.absent:
            self.replay.record_data(data, size)

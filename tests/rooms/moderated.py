"""
What those with the authority do to the others in random rooms.
"""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from signalfish import moderator
from signalfish.rooms.owner import EVERYBODY
from signalfish.wire import operations
from signalfish.wire.errors import CloseCode, ErrorCode
from tests.rooms.cast import Client, Ticket

picks = st.integers(0, 11)

_REQUESTS = {
    operations.KickPlayer: operations.PlayerKicked,
    operations.BanPlayer: operations.PlayerBanned,
    operations.UnbanPlayer: operations.PlayerUnbanned,
    operations.TransferAuthority: operations.AuthorityTransferred,
}


class Moderation:
    """
    Rules of a machine, whose clients, tickets, passwords and bans these change.
    """

    @precondition(lambda self: self.those("player"))
    @rule(
        pick=picks,
        other=picks,
        absent=st.booleans(),
        kind=st.sampled_from([*_REQUESTS, operations.KickPlayer, operations.BanPlayer]),
        forgive=st.booleans(),
    )
    def moderate(self, pick, other, absent, kind, forgive):
        """
        A player does something to another one, who may be absent, elsewhere or itself.
        """
        client = self.moderating(pick)
        present = [each.me for each in self.those("player")]
        lost = [ticket.player for ticket in self.tickets if ticket.waits(self.now)]
        banned = list(self.bans[client.room]) if kind is operations.UnbanPlayer else []
        some = banned or (absent and lost) or present
        target = some[other % len(some)]
        if kind is operations.TransferAuthority:
            for each in self.clients:
                each.transfers = True
        request = kind(data=operations.Target(player_id=UUID(target)))
        victim = next((each for each in self.seated(client.room) if each.me == target), None)
        expected = self.moderation_refusals(client, target, kind, present=victim is not None)
        result = self.perform(client, request, expected)
        if result is None:
            return
        client.want(result == _REQUESTS[kind](player_id=target), "result", result)
        if kind is operations.TransferAuthority:
            client.want(client.authority == target, "not transferred")
        elif kind is operations.UnbanPlayer:
            self.bans[client.room].pop(target, None)
            self.nobody_heard()
        else:
            self.check_removal(client, target, victim)
            if kind is operations.BanPlayer:
                self.note_ban(client.room, target, victim)
                if forgive:
                    self.unban(client, target)

    def unban(self, client, target):
        """
        The player with the authority lets another one in again.
        """
        self.begin()
        request = operations.UnbanPlayer(data=operations.Target(player_id=UUID(target)))
        result = self.perform(client, request, set())
        client.want(result == operations.PlayerUnbanned(player_id=target), "result", result)
        self.bans[client.room].pop(target, None)
        self.nobody_heard()

    def moderating(self, pick: int) -> Client:
        """
        A player, preferably one with the authority, whose turn it is.
        """
        self.begin()
        players = self.those("player")
        some = [client for client in players if client.authority == client.me]
        some = some if some and pick else players
        return some[pick % len(some)]

    def perform(self, client: Client, request: Any, expected: set[ErrorCode]) -> Any:
        """
        The result of a request, or None if it was refused; as expected.
        """
        seat = client.seat
        return self.attempt(
            client, expected, moderator.perform, request, seat.room, seat, self.service
        )

    def moderation_refusals(self, client, target, kind, *, present):
        """
        The codes with which a request must be refused.
        """
        if client.authority != client.me:
            return {ErrorCode.NOT_ROOM_AUTHORITY}
        if kind is operations.UnbanPlayer:
            return set()
        if target == client.me:
            return {ErrorCode.INVALID_INPUT}
        if kind is operations.TransferAuthority:
            return set() if present else {ErrorCode.TRANSFER_TARGET_NOT_FOUND}
        expected = present or self.ticket_of(target, client.room) is not None
        return set() if expected else {ErrorCode.KICK_TARGET_NOT_FOUND}

    def ticket_of(self, player: str, room: str) -> Ticket | None:
        """
        The ticket of a lost player who may come back to a room.
        """
        waiting = (ticket for ticket in self.tickets if ticket.waits(self.now))
        return next((t for t in waiting if (t.player, t.room) == (player, room)), None)

    def check_removal(self, client: Client, target: str, victim: Client | None) -> None:
        """
        The player is gone, and knows why.
        """
        ticket = self.ticket_of(target, client.room) if victim is None else victim.ticket
        if ticket is not None:
            ticket.die()
            ticket.kicked_at = self.now
        if victim is None:
            self.nobody_heard()
            return
        client.want(target not in client.roster, "still here")
        code, reason, farewell = victim.closed
        victim.want((code, reason) == (CloseCode.KICKED, "kicked"), "close", victim.closed)
        victim.want(farewell.data["error_code"] == "KICKED", "farewell", farewell)
        victim.want(not victim.turn, "told something when kicked")
        victim.want(victim.seat.room is None, "still seated")

    def note_ban(self, room: str, target: str, victim: Client | None) -> None:
        """
        The player is banned, and its address unless another member has the same one.
        """
        if victim is None:
            address = next(t.address for t in self.tickets if t.player == target)
        else:
            address = victim.address
        members = [client.address for client in self.seated(room)]
        members += [ticket.address for ticket in self.reserved(room)]
        self.bans[room][target] = None if address in members else address
        self.banned.append((room, address))

    def is_banned(self, client: Client, room: str) -> bool:
        """
        Whether a client may not come into a room.
        """
        bans = self.bans[room]
        return client.id in bans or client.address in bans.values()

    @precondition(lambda self: self.unwelcome_once() and not self.is_crowded())
    @rule(pick=picks, form=picks, name=st.sampled_from(["Gus", "Bea"]))
    def knock(self, pick, form, name):
        """
        Somebody wants to come in from where somebody was banned, be it still so or not.
        """
        room, address = self.unwelcome_once()[pick % len(self.unwelcome_once())]
        details = {"code": room.code, "size": 3, "password": self.passwords[room.id]}
        details |= {"token": True, "with_authority": True}
        self.join(form, address, 0, again=False, name=name, **details)

    def unwelcome_once(self):
        """
        Rooms, and the addresses of players who were banned from them.
        """
        rooms = {room.id: room for room in self.service.rooms}
        return [(rooms[room], address) for room, address in self.banned if room in rooms]

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks, password=st.sampled_from([None, None, "sesame"]))
    def set_access(self, pick, password):
        """
        A player gives the room a password, or takes it away.
        """
        client = self.moderating(pick)
        expected = self.unless_authority(client)
        request = operations.SetRoomAccess(data=operations.Access(password))
        result = self.perform(client, request, expected)
        if result is not None:
            self.passwords[client.room] = password
            locked = operations.RoomAccessUpdated(requires_password=password is not None)
            client.want(result == locked, "result", result)
            self.nobody_heard()

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks)
    def recode(self, pick):
        """
        A player gives the room another code.
        """
        client = self.moderating(pick)
        room, expected = client.seat.room, self.unless_authority(client)
        before = room.code
        result = self.perform(client, operations.RegenerateRoomCode(), expected)
        if result is not None:
            client.want(result.room_code == room.code != before, "result", result, before)
            client.want(self.service.rooms.find(EVERYBODY, "chess", room.code) is room, "new code")
            client.want(self.service.rooms.find(EVERYBODY, "chess", before) is None, "old code")
            self.nobody_heard()

    def unless_authority(self, client: Client) -> set[ErrorCode]:
        """
        The codes with which those without the authority are refused.
        """
        return set() if client.authority == client.me else {ErrorCode.NOT_ROOM_AUTHORITY}

"""
Rooms under random use, as seen by clients that check everything they are told.
"""

import json
import sys
from collections import defaultdict
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec import Raw
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms import authority, lobby, plan, sessions, signals, spectators
from signalfish.rooms.ice import Ice
from signalfish.rooms.owner import EVERYBODY
from signalfish.rooms.rules import StartRule
from signalfish.rooms.seat import Newcomer, Returner, Seat
from signalfish.wire.client import Claim, RoomRequest, SpectatorRequest
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.gamedata import TextData
from signalfish.wire.plans import Signal
from signalfish.wire.types import (
    RELAY_ONLY,
    Capabilities,
    DirectInfo,
    Topology,
    Transport,
)
from tests.fakes import V2, V3, room_service
from tests.rooms.cast import WINDOW, Client, Ticket
from tests.rooms.moderated import Moderation
from tests.rooms.scene import JOINED_AT
from tests.rooms.truth import agree, check_session, check_state
from tests.strategies import play

BUFFER = 4
MOST_PLACES = 7
MOST_IDLE = 2

ALL = Capabilities(frozenset(Transport), frozenset(Topology))
NO_MESH = Capabilities(ALL.transports, frozenset({Topology.RELAY, Topology.HOST}))
DIRECT = Capabilities(frozenset({Transport.RELAY, Transport.DIRECT}), ALL.topologies)
WEBRTC = Capabilities(frozenset({Transport.RELAY, Transport.WEBRTC}), ALL.topologies)

forms = st.integers(0, 11)  # of the kinds that a machine has
NAMES = ["Ann", "Bea", "Cem", "Dan", "Eva", "Fay"]
names = st.sampled_from([*NAMES, "ANN"])
codes = st.sampled_from(["AAAAAA"] * 6 + ["BBBBBB", None])
addresses = st.sampled_from(["here", "here", "there", "afar"])
passwords = st.sampled_from([None] * 7 + ["sesame"])
picks = st.integers(0, 11)


class Rooms(Moderation, RuleBasedStateMachine):
    """
    Clients who join, play, get lost, come back and watch, in at most a handful of rooms.
    """

    start_rule = StartRule.BY_PROTOCOL
    refuses = False
    kinds = ((V2, RELAY_ONLY), (V2, RELAY_ONLY), (V3, RELAY_ONLY), (V3, ALL))
    can_be_reached = False

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.service = room_service(
            self.clock,
            start_rule=self.start_rule,
            default_max_spectators=2,
            empty_room_timeout=200,
            inactive_room_timeout=3000,
            reconnection_window=WINDOW,
            event_buffer_size=BUFFER,
            planned={"ice": Ice(stun=("stun:stun.example",)), "refuses": self.refuses},
        )
        self.service.startService()
        self.clients: list[Client] = []
        self.tickets: list[Ticket] = []
        self.passwords: dict[str, str | None] = {}
        self.bans: dict[str, dict[str, str | None]] = defaultdict(dict)
        self.banned: list[tuple[str, str]] = []
        self.infos = 0
        self.joins = 0

    # Who is there.

    @property
    def now(self) -> float:
        """
        The time.
        """
        return self.clock.seconds()

    def those(self, place: str | None) -> list[Client]:
        """
        Connected clients in such a place.
        """
        return [c for c in self.clients if c.place == place and c.closed is None]

    def seated(self, room: str) -> list[Client]:
        """
        The players of a room.
        """
        return [client for client in self.those("player") if client.room == room]

    def reserved(self, room: str) -> list[Ticket]:
        """
        The tickets for which a seat of this room is reserved.
        """
        return [
            ticket
            for ticket in self.tickets
            if ticket.room == room and ticket.reserved and ticket.waits(self.now)
        ]

    def is_crowded(self) -> bool:
        """
        Whether there are enough clients with places.
        """
        return sum(client.place is not None for client in self.clients) >= MOST_PLACES

    def connect(self, number: int, address: str) -> Client:
        """
        A new connection, of one of the kinds that there are.
        """
        form, able = self.kinds[number % len(self.kinds)]
        idle = self.those(None)
        if len(idle) >= MOST_IDLE:
            self.cut(idle[0])
        client = Client(self.service.mint.uuid(), form, able, address)
        self.clients.append(client)
        return client

    def begin(self) -> None:
        """
        A turn begins.
        """
        for client in self.clients:
            client.begin_turn()

    def nobody_heard(self) -> None:
        """
        Nothing was told in this turn, except that rooms are as new because time has passed.
        """
        for client in self.clients:
            renewed = client.turn == ["LobbyStateChanged"] and not client.roster
            client.want(not client.turn or renewed, "told of something refused", client.turn)

    def refused(self, client: Client, expected: set[ErrorCode], refusal: Refusal) -> None:
        """
        A request was refused, as it had to be.
        """
        client.want(refusal.code in expected, "refused for another reason", refusal, expected)
        client.requests.drop()
        self.nobody_heard()

    def attempt(self, client: Client, expected: set[ErrorCode], act: Any, *args: Any) -> Any:
        """
        The result of an act, or None if it was refused; as expected.
        """
        try:
            result = act(*args)
        except Refusal as refusal:
            self.refused(client, expected, refusal)
            return None
        client.want(not expected, "should have been refused", expected)
        return result

    # Joining.

    @initialize(
        size=st.sampled_from([2, 3, 3, 4]),
        first=forms,
        others=st.lists(forms, max_size=3),
        spectator=st.booleans(),
    )
    def gather(self, size, first, others, spectator):
        """
        It begins with some players in one room.
        """
        request = {"code": "AAAAAA", "size": size, "password": None, "token": True}
        for name, form in zip(("Ann", "Bea", "Cem", "Dan"), [first, *others], strict=False):
            address = "afar" if name == "Bea" else "here"
            where = {"form": form, "address": address, "again": False, "pick": 0}
            self.join(**where, **request, name=name, with_authority=True)
        if spectator:
            self.watch(form=first, code="AAAAAA", password=None)

    @precondition(lambda self: not self.is_crowded())
    @rule(
        form=forms,
        address=addresses,
        name=names,
        code=codes,
        size=st.sampled_from([1, 2, 2, 3, 3, 4]),
        password=passwords,
        token=st.sampled_from([True, True, True, False]),
        with_authority=st.sampled_from([True, True, True, False]),
        again=st.booleans(),
        pick=picks,
    )
    def join(self, form, address, pick, again, **request):
        """
        A new connection, or one that has left, joins a room, which may not exist yet.
        """
        idle = self.those(None)
        client = idle[pick % len(idle)] if again and idle else self.connect(form, address)
        self.begin()
        client.requests.ask("JoinRoom")
        code, name, password = request["code"], request["name"], request["password"]
        room = self.service.rooms.find(EVERYBODY, "chess", code) if code else None
        expected, ended = self.join_refusals(client, room, name, password)
        wanted = RoomRequest("chess", name, code, request["size"], password=password)
        newcomer = Newcomer(
            id=client.id,
            name=name,
            link=client,
            address=client.address,
            connected_at=JOINED_AT,
            epoch=client.epoch + 1,
            token=self.service.mint.uuid() if request["token"] else None,
            supports_authority=request["with_authority"],
            capabilities=client.able,
        )
        seat = self.attempt(client, expected, self.service.join, wanted, newcomer)
        if seat is None:
            return
        if ended is not None:
            ended.die()
        if self.can_be_reached:
            seat.connection_info = DirectInfo(host="192.0.2.8", port=7777)
        client.seat, client.epoch, client.sent = seat, client.epoch + 1, 0
        client.reports = {}
        self.joins += 1
        client.rank = self.joins
        client.want(client.place == "player", "not told of its seat")
        if room is None:
            self.passwords[client.room] = password
            client.want(client.max_players == request["size"], "capacity")
        else:
            client.want(client.room == room.id, "another room")
        client.want((client.token is not None) is request["token"], "token")
        client.ticket = None
        if client.token is not None:
            client.ticket = Ticket(client.id, client.room, client.token, name, client, client.rank)
            self.tickets.append(client.ticket)

    @precondition(lambda self: not self.is_crowded())
    @rule(form=forms, number=st.integers(1, 3), token=st.sampled_from([True] * 5 + [False]))
    def fill(self, form, number, token):
        """
        Players with names of their own join the first room.
        """
        taken = {client.roster[client.me]["name"] for client in self.those("player")}
        for name in [name for name in NAMES if name not in taken][:number]:
            mine = {"name": name, "password": None, "size": 3, "code": "AAAAAA", "token": token}
            self.join(form, "there", 0, again=False, with_authority=True, **mine)

    def join_refusals(self, client, room, name, password):
        """
        The codes with which a join must be refused, and the reservation that it ends.
        """
        if room is None:
            return set(), None
        unwelcome = self.unwelcome(client, room, password)
        if unwelcome:
            return unwelcome, None
        taken = {other.roster[other.me]["name"].lower() for other in self.seated(room.id)}
        if name.lower() in taken:
            return {ErrorCode.INVALID_PLAYER_NAME}, None
        reserved = self.reserved(room.id)
        same = [ticket for ticket in reserved if ticket.name.lower() == name.lower()]
        if same and same[0].address != client.address:
            return {ErrorCode.INVALID_PLAYER_NAME}, None
        if len(taken) + len(reserved) - len(same) >= room.max_players:
            return {ErrorCode.ROOM_FULL}, None
        return set(), same[0] if same else None

    def unwelcome(self, client, room, password):
        """
        The codes with which somebody is refused, whatever its name and however full the room.
        """
        if self.passwords[room.id] != password:
            return {ErrorCode.PASSWORD_REQUIRED}
        if self.is_banned(client, room.id):
            return {ErrorCode.BANNED}
        runs = not self.refuses or self.can_run(client, room.id)
        return set() if runs else {ErrorCode.ROOM_SESSION_INCOMPATIBLE}

    def can_run(self, client, room):
        """
        Whether a client can take part in what the players of a room run, if they run anything.
        """
        plans = [other.plans.plan for other in self.seated(room) if other.plans.plan is not None]
        pairs = {(plan["topology"], plan["transport"]) for plan in plans} - {("relay", "relay")}
        return all(client.version >= 3 and client.plans.covers(*pair) for pair in pairs)

    @precondition(lambda self: not self.is_crowded())
    @rule(form=forms, code=codes.filter(bool), password=passwords)
    def watch(self, form, code, password):
        """
        A new connection watches a room.
        """
        client = self.connect(form, "here")
        self.begin()
        room = self.service.rooms.find(EVERYBODY, "chess", code)
        expected: set[ErrorCode] = set()
        if room is None:
            expected = {ErrorCode.ROOM_NOT_FOUND}
        elif self.passwords[room.id] != password:
            expected = {ErrorCode.PASSWORD_REQUIRED}
        elif self.is_banned(client, room.id):
            expected = {ErrorCode.BANNED}
        elif sum(other.room == room.id for other in self.those("spectator")) >= 2:
            expected = {ErrorCode.TOO_MANY_SPECTATORS}
        client.requests.ask("JoinAsSpectator")
        wanted = SpectatorRequest("chess", code, "Sam", password)
        newcomer = Newcomer(client.id, "Sam", client, client.address, JOINED_AT)
        client.seat = self.attempt(client, expected, self.service.spectate, wanted, newcomer)

    @precondition(lambda self: self.those("spectator"))
    @rule(pick=picks)
    def unwatch(self, pick):
        """
        A spectator stops to watch.
        """
        client = self.pick("spectator", pick)
        client.requests.ask("LeaveSpectator")
        spectators.leave(client.seat.room, client.seat)
        client.want(client.place is None, "not told that it stopped")

    def pick(self, place, pick):
        """
        Somebody in such a place, whose turn it is.
        """
        self.begin()
        some = self.those(place)
        return some[pick % len(some)]

    # Going and coming back.

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks)
    def leave(self, pick):
        """
        A player leaves for good.
        """
        client = self.pick("player", pick)
        client.requests.ask("LeaveRoom")
        self.service.leave(client.seat.room, client.seat)
        client.want(client.place is None, "not told that it left")
        if client.ticket is not None:
            client.ticket.die()

    @precondition(lambda self: self.clients)
    @rule(pick=picks, place=st.sampled_from(["player"] * 5 + ["spectator", None]))
    def lose(self, pick, place):
        """
        A connection is lost.
        """
        self.begin()
        some = self.those(place) or self.clients
        self.cut(some[pick % len(some)])

    @precondition(lambda self: any(client.ticket for client in self.those("player")))
    @rule(
        pick=picks,
        data=st.integers(0, 3),
        fill=st.sampled_from([0, 0, 1, 2]),
        start=st.booleans(),
        seconds=st.sampled_from([0, 0, 20, 300, 301]),
        form=forms,
    )
    def blink(self, form, pick, seconds, **meanwhile):
        """
        A player is lost; the others go on, for a while; then it tries to come back.
        """
        some = [client for client in self.those("player") if client.ticket]
        client = some[pick % len(some)]
        self.begin()
        self.cut(client)
        others = self.seated(client.room)
        if others and meanwhile["data"]:
            self.send_from(others[pick % len(others)], meanwhile["data"])
        if others and meanwhile["fill"] and not self.is_crowded():
            self.fill(form, meanwhile["fill"], token=True)
        if others and meanwhile["start"] and not others[0].started:
            self.make_ready(client.room, start=True)
        if seconds:
            self.wait(seconds, sweep=False)
        self.present(client.ticket, form, "there", None)

    def cut(self, client):
        """
        A connection ends, as the network side reports it.
        """
        self.clients.remove(client)
        place, ticket = client.seat, client.ticket
        if client.place == "player" and ticket is not None:
            ticket.holder = None
            ticket.lost_at = self.now
            ticket.address = client.address
            ticket.epoch = client.epoch
            ticket.reserved = client.started
            ticket.was_authority = client.authority == client.me
            ticket.missed = []
        client.gone()
        if place is None or place.room is None:
            return
        if isinstance(place, Seat):
            self.service.lose(place.room, place)
        else:
            spectators.lose(place.room, place)
        client.want(not client.turn, "told after its loss", client.turn)

    @precondition(lambda self: self.tickets)
    @rule(
        pick=st.integers(0, 3),
        whose=st.sampled_from(["lost"] * 4 + ["good", "any"]),
        form=forms,
        address=addresses,
        wrong=st.sampled_from([None] * 8 + ["token", "room"]),
    )
    def come_back(self, pick, whose, form, address, wrong):
        """
        A new connection presents a token, be the player lost, connected or long gone.
        """
        good = [ticket for ticket in self.tickets if ticket.holder or ticket.waits(self.now)]
        lost = [ticket for ticket in good if ticket.holder is None]
        tickets = {"lost": lost or good, "good": good, "any": []}[whose] or self.tickets
        self.present(tickets[-1 - pick % len(tickets)], form, address, wrong)

    def present(self, ticket, form, address, wrong):
        """
        A new connection presents a token, or something else in its place.
        """
        client = self.connect(form, address)
        old = ticket.holder
        self.begin()
        client.requests.ask("Reconnect")
        expected = self.return_refusals(ticket, wrong)
        room = self.room_of(ticket)
        vacant = room is not None and (room.authority in (None, ticket.player))
        mine = old is not None and old.authority == old.me
        unready = old is None and not ticket.reserved
        request = Claim(
            ticket.player,
            self.service.mint.uuid() if wrong == "room" else ticket.room,
            self.service.mint.uuid() if wrong == "token" else ticket.token,
        )
        client.presented = ticket.token
        token = self.service.mint.uuid() if client.form.version >= 3 else None
        returner = Returner(client, client.address, client.able, token)
        seat = self.attempt(client, expected, self.service.reconnect, request, returner)
        if seat is None:
            client.want(old is None or old.closed is None, "closed by a refused return")
            return
        client.id, client.seat, client.ticket = ticket.player, seat, ticket
        client.rank = ticket.rank
        client.want((client.me, client.room) == (ticket.player, ticket.room), "somebody else")
        had_authority = mine if old is not None else ticket.was_authority
        if had_authority and vacant:
            client.want(client.authority == client.me, "authority not restored")
        else:
            client.want(client.authority != client.me, "authority out of nothing")
        if unready:
            client.want(not client.roster[client.me]["is_ready"], "ready without cause")
        self.check_replay(client, [] if old is not None else ticket.missed)
        if old is not None:
            old.want(old.closed == (CloseCode.SUPERSEDED, "superseded", None), "not superseded")
            old.want(not old.turn, "told something when superseded", old.turn)
            ticket.taken_over_at = self.now
            ticket.epoch = old.epoch
        client.epoch, client.sent = ticket.epoch + 1, 0
        ticket.holder, ticket.missed, ticket.reserved = client, None, False
        ticket.token = client.token or ticket.token

    def room_of(self, ticket):
        """
        The room of a ticket, if it exists.
        """
        return next((room for room in self.service.rooms if room.id == ticket.room), None)

    def return_refusals(self, ticket, wrong):
        """
        The codes with which a return must be refused.
        """
        if ticket.kicked_at is not None:
            forgotten = self.now > ticket.kicked_at + WINDOW
            return {ErrorCode.KICKED, *[ErrorCode.RECONNECTION_FAILED] * forgotten}
        bad = ErrorCode.RECONNECTION_TOKEN_INVALID
        gone = {ErrorCode.RECONNECTION_FAILED, ErrorCode.RECONNECTION_EXPIRED}
        if ticket.dead:
            return {*gone, bad}
        if ticket.holder is None and not ticket.waits(self.now):
            return {*gone, bad} if wrong else gone
        return {bad} if wrong else self.valid_return_refusals(ticket)

    def valid_return_refusals(self, ticket):
        """
        The codes with which a return with the right token must be refused.
        """
        if ticket.holder is not None:
            last = ticket.taken_over_at
            chased = last is not None and self.now - last < 10
            return {ErrorCode.PLAYER_ALREADY_CONNECTED} if chased else set()
        if ticket.reserved:
            return set()
        others = self.seated(ticket.room)
        taken = [other.roster[other.me]["name"].lower() for other in others]
        taken += [other.name.lower() for other in self.reserved(ticket.room)]
        if len(taken) >= self.room_of(ticket).max_players:
            return {ErrorCode.ROOM_FULL}
        return {ErrorCode.RECONNECTION_FAILED} if ticket.name.lower() in taken else set()

    def check_replay(self, client, missed):
        """
        A player of version 2 gets the last game data that it missed, directly after the answer.
        """
        if client.form.version >= 3:
            missed = []
        client.want(client.values == missed[-BUFFER:], "replay", client.values, missed)
        expected = ["GameData"] * len(client.values)
        client.want(client.turn[1 : 1 + len(expected)] == expected, "replay order", client.turn)

    # Playing.

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks)
    def toggle(self, pick):
        """
        A player changes its readiness.
        """
        client = self.pick("player", pick)
        before = client.me in client.lobby[1]
        expected = {ErrorCode.INVALID_ROOM_STATE} if client.started else set()
        seat = client.seat
        self.attempt(client, expected, lobby.toggle_ready, seat.room, seat, self.now)
        if not expected:
            client.want((client.me in client.lobby[1]) is not before, "readiness not told")

    @precondition(lambda self: any(not client.started for client in self.those("player")))
    @rule(pick=picks, start=st.booleans())
    def everybody_ready(self, pick, start):
        """
        All players of a room become ready, one after another, and perhaps one of them starts.
        """
        waiting = [client for client in self.those("player") if not client.started]
        self.make_ready(waiting[pick % len(waiting)].room, start=start)

    def make_ready(self, room, *, start):
        """
        All players of a room become ready, and perhaps one of them starts.
        """
        for client in self.seated(room):
            if not client.started and client.me not in client.lobby[1]:
                self.begin()
                lobby.toggle_ready(client.seat.room, client.seat, self.now)
        for client in self.seated(room):
            if start and not client.started and client.authority in (None, client.me):
                self.begin()
                lobby.start(client.seat.room, client.seat, self.now)

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks)
    def start(self, pick):
        """
        A player starts the game, if it may.
        """
        client = self.pick("player", pick)
        seat = client.seat
        if client.started:
            try:
                lobby.start(seat.room, seat, self.now)
            except Refusal as refusal:
                self.refused(client, {ErrorCode.INVALID_ROOM_STATE}, refusal)
            self.nobody_heard()
            return
        expected = set()
        if client.authority not in (None, client.me):
            expected = {ErrorCode.GAME_START_FORBIDDEN}
        elif not client.lobby[2]:
            expected = {ErrorCode.GAME_START_NOT_READY}
        self.attempt(client, expected, lobby.start, seat.room, seat, self.now)
        if not expected:
            told = ["GameStarting", "SessionPlan"] if client.form.version >= 3 else ["GameStarting"]
            client.want(client.turn == told, "start", client.turn)

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks, claim=st.booleans())
    def ask_for_authority(self, pick, claim):
        """
        A player asks for the authority, or gives it up.
        """
        client = self.pick("player", pick)
        client.requests.ask("AuthorityRequest")
        expected = set()
        if not client.supports_authority:
            expected = {ErrorCode.AUTHORITY_NOT_SUPPORTED}
        elif claim and client.authority is not None:
            expected = {ErrorCode.AUTHORITY_CONFLICT}
        elif not claim and client.authority != client.me:
            expected = {ErrorCode.AUTHORITY_DENIED}
        seat = client.seat

        def act():
            authority.request(seat.room, seat, self.now, claim=claim)

        self.attempt(client, expected, act)
        if not expected:
            told = ["AuthorityResponse", "AuthorityChanged"]
            client.want(client.turn == told, "answer first", client.turn)

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks)
    def provide_info(self, pick):
        """
        A player tells how it can be reached.
        """
        self.infos += 1
        seat = self.pick("player", pick).seat
        before = plan.endpoint(seat.connection_info)
        seat.connection_info = DirectInfo(host="192.0.2.7", port=self.infos % 4)
        sessions.relocate(seat.room, seat, before)

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks, other=picks)
    def signal(self, pick, other):
        """
        A player sends a signal to another one, who gets it if both speak WebRTC.
        """
        client = self.pick("player", pick)
        everybody = self.those("player")
        target = everybody[other % len(everybody)]
        speak = [Transport.WEBRTC in each.able.transports for each in (client, target)]
        expected = set()
        if target is client:
            expected = {ErrorCode.SIGNAL_TARGET_NOT_FOUND}
        elif target.room != client.room:
            expected = {ErrorCode.CROSS_ROOM_SIGNAL}
        elif not speak[0]:
            expected = {ErrorCode.UNSUPPORTED_TRANSPORT}
        elif not speak[1]:
            expected = {ErrorCode.SIGNAL_TARGET_NOT_FOUND}
        message = Signal(sender=client.me, generation=client.me, signal=Raw(b"[1]"))

        def act():
            signals.relay(client.seat.room, client.seat, target.me, message)

        self.attempt(client, expected, act)
        if not expected:
            target.want(target.values == [(client.me, [1])], "signal", target.values)
            heard = [each for each in self.clients if each.turn]
            target.want(heard == [target], "signal to others", heard)

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks, transport=st.sampled_from(Transport), connected=st.booleans())
    def report(self, pick, transport, connected):
        """
        A player reports of a transport, which the others hear once.
        """
        client = self.pick("player", pick)
        known = client.reports.get(transport) == connected
        counts = client.form.version >= 3 and transport in client.able.transports and not known
        signals.report(client.seat.room, client.seat, transport, connected)
        if counts:
            client.reports[transport] = connected
        for other in self.clients:
            fellow = other.place == "player" and other.room == client.room and other is not client
            told = counts and fellow and other.form.version >= 3
            other.want(other.turn == ["PeerTransportStatus"] * told, "report", other.turn)

    @precondition(lambda self: self.those("player"))
    @rule(pick=picks, number=st.integers(1, 3))
    def send(self, pick, number):
        """
        A player sends game data, which everybody else gets, and the absent later.
        """
        self.send_from(self.pick("player", pick), number)

    def send_from(self, client, number):
        """
        One player sends game data.
        """
        self.begin()
        seat, room = client.seat, client.seat.room
        values = []
        for _ in range(number):
            client.sent += 1
            seat.seq += 1
            values.append((client.me, client.epoch, client.sent))
            raw = json.dumps(values[-1][1:]).encode()
            room.relay(seat, TextData(seat.origin, seat.seq, raw), len(raw))
        for other in self.clients:
            present = other.place is not None and other.room == client.room and other is not client
            other.want(other.values == (values if present else []), "lost", other.values, values)
        for ticket in self.tickets:
            if ticket.room == client.room and ticket.waits(self.now):
                ticket.missed += values

    # Time.

    @rule(
        seconds=st.sampled_from([1] * 5 + [11] * 4 + [61, 61, 150, 299, 302, 3100]),
        sweep=st.booleans(),
    )
    def wait(self, seconds, sweep):
        """
        Time passes, and the server sweeps, as it is configured to and perhaps once more.
        """
        self.begin()
        self.clock.advance(seconds)
        if sweep:
            self.service.sweep()
        self.bury()

    def bury(self):
        """
        Connections that the server has closed are over.
        """
        for client in list(self.clients):
            if client.closed is not None and client.closed.code is CloseCode.ROOM_INACTIVE:
                client.want(client.closed.reason == "room_inactive", "reason")
                client.want(client.closed.farewell.data["error_code"] == "ROOM_NOT_FOUND", "bye")
                client.want(client.seat.room is None, "still seated")
                if client.ticket is not None:
                    client.ticket.die()
                self.clients.remove(client)

    @precondition(lambda self: any(client.closed for client in self.clients))
    @rule()
    def close(self):
        """
        Connections that were superseded are over, which nobody hears.
        """
        self.begin()
        for client in [client for client in self.clients if client.closed is not None]:
            client.ticket = None
            self.cut(client)
        self.nobody_heard()

    # What is always true.

    @invariant()
    def everybody_knows_the_truth(self):
        """
        The pictures of all clients agree with the rooms.
        """
        rooms = {room.id: room for room in self.service.rooms}
        for client in self.clients:
            client.want(not client.requests, "no answer", client.requests)
            if client.place is None:
                client.want(client.seat is None or client.seat.room is None, "not told")
            else:
                client.want(client.room in rooms, "room is gone", client.room)
                client.want(client.seat.room is rooms[client.room], "seat")
                agree(client, rooms[client.room])

    @invariant()
    def rooms_are_consistent(self):
        """
        The audience is who is there, the authority is seated, and the state obeys the rule.
        """
        for room in self.service.rooms:
            seats, watchers = list(room.seats.values()), list(room.watchers.values())
            links = [place.link for place in [*seats, *watchers]]
            here = [c for c in self.clients if c.place is not None and c.room == room.id]
            assert list(room.audience) == links, room
            assert set(links) == set(here), room
            assert len(links) == len(here), room
            ranks = [seat.link.rank for seat in seats]
            assert ranks == sorted(set(ranks)), ranks
            assert room.authority is None or room.authority in room.seats, room.authority
            assert room.taken <= room.max_players, room
            assert (room.rule is None) is (not room.seats and not room.absent), room
            if not room.absent:
                assert not room.replay.data(0), room
            check_state(room)
            check_session(room, here)

    @invariant()
    def nothing_is_kept_for_nobody(self):
        """
        Exactly those who may come back are waited for; more only until the next sweep.
        """
        waiting = {ticket.player for ticket in self.tickets if ticket.waits(self.now)}
        absent = [player for room in self.service.rooms for player in room.absent]
        assert len(absent) == len(set(absent)), absent
        assert waiting <= set(absent), (waiting, absent)

    def teardown(self):
        """
        When everybody is gone and all windows are over, a sweep leaves nothing.
        """
        if sys.exc_info()[0] is not None:  # something else has failed before
            return
        for client in list(self.clients):
            self.begin()
            self.cut(client)
        self.clock.advance(WINDOW + 1)
        self.service.sweep()
        self.clock.advance(WINDOW + 1)
        self.service.sweep()
        assert len(self.service.rooms) == 0
        assert self.service.rooms.per_game() == {}
        assert len(self.service.claims) == 0
        assert self.service._memory.used == 0
        assert not self.service._memory._order
        self.service.stopService()
        assert not self.clock.getDelayedCalls()


class PlannedRooms(Rooms):
    """
    The same with players who can connect to each other.
    """

    kinds = ((V3, ALL), (V3, ALL), (V3, NO_MESH), (V3, DIRECT), (V3, WEBRTC), (V3, ALL))


class RefusingRooms(Rooms):
    """
    The same with rooms that refuse who cannot run what they run.
    """

    kinds = ((V3, ALL), (V3, ALL), (V3, ALL), (V3, NO_MESH), (V2, RELAY_ONLY), (V3, ALL))
    refuses = True


class DirectRooms(PlannedRooms):
    """
    The same with players who connect to the address of one of them.
    """

    kinds = ((V3, DIRECT),)
    can_be_reached = True


class ExplicitRooms(Rooms):
    """
    The same in rooms that somebody must start.
    """

    start_rule = StartRule.EXPLICIT


class RoomsTests(SynchronousTestCase):
    def test_by_protocol(self):
        """
        Nobody is ever told anything wrong in rooms whose rule goes by protocol.
        """
        play(Rooms, 250)

    def test_planned(self):
        """
        Nobody is ever told anything wrong in rooms whose players connect to each other.
        """
        play(PlannedRooms, 130)

    def test_refusing(self):
        """
        Nobody is ever told anything wrong in rooms whose sessions not everybody may join.
        """
        play(RefusingRooms, 100)

    def test_direct(self):
        """
        Nobody is ever told anything wrong in rooms whose players can be reached directly.
        """
        play(DirectRooms, 80)

    def test_explicit(self):
        """
        Nobody is ever told anything wrong in rooms that somebody must start.
        """
        play(ExplicitRooms, 100)

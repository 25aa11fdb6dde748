"""
The server under random use, as seen by clients that check every byte they are sent.
"""

import sys
from typing import Any

import msgpack
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from twisted.trial.unittest import SynchronousTestCase

from signalfish import handshake
from signalfish.entry import Entry
from signalfish.net.drain import Drain
from signalfish.net.limits import AddressBudgets, Budget, RateLimited
from signalfish.net.liveness import LivenessLimits
from signalfish.net.outbox import OutboxLimits
from signalfish.net.statistics import Statistics
from signalfish.rooms.ice import Ice
from signalfish.rooms.seat import Seat
from signalfish.session import Policy, Session
from signalfish.wire.names import Rules
from tests.endtoend.ledger import Content, Ledger, Observed
from tests.endtoend.peers import KINDS, Peer, Ticket
from tests.fakes import RULES, room_service
from tests.net.fakes import Server
from tests.strategies import play
from tests.strict.lie import want

MOST_PEERS = 6
MOST_IDLE = 2
PLENTY = 10**6
CAPACITY = 4
CONTROL_CAPACITY = 8
PATIENCE = 5.0
SOJOURN = 15.0
BACKLOG = 300

CLOSE_CODES = {None, 4000, 4002, 4005, 4007, 4008}

COMPATIBILITY = handshake.Compatibility({}, {}, {"_default": ("reconnection",)}, {})
POLICY = Policy(handshake.Offer(RULES, COMPATIBILITY, max_version=3))
BUDGET = Budget(
    creations=PLENTY, joins=PLENTY, signals=PLENTY, replies=PLENTY, messages_per_second=0
)
NAMES = ["Ann", "Bea", "Cem", "Dan", "Eva", "Fay"]
HOPELESS = [b"\xc1", b"", b"\xc4\x01a", b"\x81\x01\x02"]  # MessagePack that JSON cannot say

picks = st.integers(0, 11)
numbers = st.integers(0, 23)  # of those that a machine has
codes = st.sampled_from(["AAAAAA"] * 9 + ["BBBBBB"])
buffers = st.sampled_from([0, 0, 0, 300, 1 << 16])
names = st.integers(-20, 5)  # below zero: the first that is free
passwords = st.sampled_from([None] * 7 + ["sesame"])
contents = st.one_of(
    st.sampled_from([(None, None), ("reliable", None), ("volatile", None)]),
    st.sampled_from([("latest", 1), ("latest", 2)]),
    st.sampled_from(["converts", "hopeless"]),
)

LAG = {
    "stopped": picks,
    "what": st.lists(contents, min_size=2, max_size=5),
    "later": st.lists(contents, min_size=1, max_size=4),
    "seconds": st.sampled_from([0, 0, 0, 0.2, 1.1, 1.1, 6]),
    "meanwhile": st.sampled_from([None, "rejoin", "rejoin", "blink", "blink", "leave", "watch"]),
    "patient": st.booleans(),
}
"""
How somebody falls behind.
"""


class Wires(RuleBasedStateMachine):
    """
    Clients who join, play, read too slowly, get lost and come back, watch and moderate.
    """

    kinds = KINDS

    def __init__(self) -> None:
        super().__init__()
        outbox = OutboxLimits(CAPACITY, CONTROL_CAPACITY, PATIENCE, SOJOURN, BACKLOG)
        silent = LivenessLimits(0, 0, 0, 0)
        self.server = Server(outbox, silent, receiver=self.receive)
        self.clock = self.server.reactor
        self.service = room_service(
            self.clock,
            default_max_spectators=2,
            event_buffer_size=1000,
            empty_room_timeout=200,
            inactive_room_timeout=3000,
            planned={"ice": Ice(stun=("stun:stun.example",))},
        )
        self.server.factory.sojourn.startService()
        self.budgets = AddressBudgets(BUDGET, self.clock.seconds)
        self.ledger = Ledger(self.service)
        self.links: list[Any] = []
        self.peers: list[Peer] = []
        self.tickets: list[Ticket] = []
        self.sent = 0
        self.draining = False

    def receive(self, link: Any, address: str, path: str) -> Observed:
        """
        The conversation with a new client, as a server has it.
        """
        session = Session(link, address, self.service, POLICY, 3 if path == "/v3/ws" else 2)
        creates = session.would_create
        limited = RateLimited(session, link, address, self.budgets, creates)
        entry = Entry(limited, Rules(), self.service, creates, session.check_operations)
        self.links.append(link)
        return Observed(entry, link, self.ledger)

    # Who is there.

    def those(self, place: str | None) -> list[Peer]:
        """
        Clients that the server has in such a place.
        """
        return [peer for peer in self.peers if self.place(peer) == place]

    def place(self, peer: Peer) -> str | None:
        """
        What the server has a client for.
        """
        place = self.ledger.place(peer.link)
        return None if place is None else "player" if isinstance(place, Seat) else "spectator"

    def pick(self, place: str | None, pick: int) -> Peer | None:
        """
        Somebody in such a place, if there is anybody.
        """
        some = self.those(place)
        return some[pick % len(some)] if some else None

    def is_crowded(self) -> bool:
        """
        Whether there are enough clients with places, or nobody else may come.
        """
        return self.draining or len(self.peers) - len(self.those(None)) >= MOST_PEERS

    def connect(self, number: int) -> Peer:
        """
        A new connection, of one of the kinds that there are.
        """
        kind = self.kinds[number % len(self.kinds)]
        idle = self.those(None)
        if len(idle) >= MOST_IDLE:
            self.lose_peer(idle[0])
        client, receiver = self.server.open(f"/v{kind.version}/ws")
        peer = Peer(kind, client, receiver, self.links[-1])
        self.peers.append(peer)
        self.pump()
        return peer

    def pump(self) -> None:
        """
        Everything that can move moves; connections that have ended are forgotten.
        """
        while sum(peer.read() for peer in self.peers):
            self.clock.advance(0)
        self.clock.advance(0)
        for peer in [peer for peer in self.peers if peer.over]:
            self.forget(peer)

    def forget(self, peer: Peer) -> None:
        """
        A connection is over.
        """
        self.peers.remove(peer)
        self.server.clients.remove(peer._client)
        if peer.ticket is not None:
            self.tickets.append(peer.ticket)
        peer.cut()
        want(peer.close_code in CLOSE_CODES, "close code", peer.close_code)
        self.ledger.check(peer.link, peer.strict, complete=peer.got_everything)

    def lose_peer(self, peer: Peer) -> None:
        """
        A connection breaks.
        """
        peer.cut()
        self.forget(peer)
        self.pump()

    # Coming and going.

    @initialize(
        size=st.sampled_from([3, 4, 5]),
        players=st.lists(st.tuples(numbers, buffers), min_size=3, max_size=4),
        watching=st.none() | numbers,
        opening=st.fixed_dictionaries(LAG),
    )
    def gather(self, size, players, watching, opening):
        """
        It begins with some players in one room, of whom one falls behind.
        """
        for kind, buffer in players:
            self.come(kind, buffer, name=-1, size=size, correlated=False)
        if watching is not None:
            self.watch(watching, "AAAAAA", None, correlated=True)
        self.lag(**opening)

    @precondition(lambda self: not self.is_crowded())
    @rule(
        kind=numbers,
        buffer=buffers,
        code=codes,
        name=names,
        size=st.sampled_from([1, 2, 3, 4]),
        password=passwords,
        correlated=st.booleans(),
    )
    def come(self, kind, buffer, **asked):
        """
        A new client joins a room.
        """
        peer = self.connect(kind)
        peer.squeeze(buffer)
        self.join(peer, **asked)

    @precondition(lambda self: self.peers)
    @rule(
        pick=picks,
        name=names,
        correlated=st.booleans(),
        watching=st.booleans(),
        anybody=st.booleans(),
    )
    def join_again(self, pick, name, correlated, watching, anybody):
        """
        A client without a place, or with one, joins or watches the room.
        """
        peer = None if anybody else self.pick(None, pick)
        peer = peer or self.peers[pick % len(self.peers)]
        if watching:
            self.watch_as(peer, "AAAAAA", None, correlated=correlated)
        else:
            self.join(peer, name, correlated=correlated)

    def join(self, peer, name, *, correlated, code="AAAAAA", **details):
        """
        A client asks for a seat.
        """
        taken = {entry["name"] for other in self.peers for entry in other.strict.roster.values()}
        free = [each for each in NAMES if each not in taken]
        request = {
            "game_name": "chess",
            "player_name": free[0] if name < 0 and free else NAMES[name % len(NAMES)],
            "room_code": code,
            "max_players": details.get("size", 3),
            "password": details.get("password"),
        }
        self.ask(peer, "JoinRoom", request, correlated=correlated)

    def ask(self, peer, kind, data=None, *, correlated):
        """
        A client asks for something, with an id if it can and wants to.
        """
        act = peer.do if correlated and peer.strict.correlates else peer.say
        act(kind, data)
        self.pump()

    @precondition(lambda self: not self.is_crowded())
    @rule(kind=numbers, code=codes, password=passwords, correlated=st.booleans())
    def watch(self, kind, code, password, correlated):
        """
        A new client watches a room.
        """
        self.watch_as(self.connect(kind), code, password, correlated=correlated)

    def watch_as(self, peer, code, password, *, correlated):
        """
        A client asks to watch.
        """
        request = {
            "game_name": "chess",
            "room_code": code,
            "spectator_name": "Sam",
            "password": password,
        }
        self.ask(peer, "JoinAsSpectator", request, correlated=correlated)

    @precondition(lambda self: self.peers)
    @rule(
        pick=picks,
        kind=st.sampled_from(["LeaveRoom", "LeaveRoom", "LeaveSpectator"]),
        correlated=st.booleans(),
        back=st.sampled_from([None, "JoinRoom", "JoinAsSpectator"]),
        name=names,
    )
    def leave(self, pick, kind, correlated, back, name):
        """
        A client gives up its place, if it has one, and perhaps takes another one at once.
        """
        place = "player" if kind == "LeaveRoom" else "spectator"
        peer = self.pick(place, pick) or self.peers[pick % len(self.peers)]
        self.ask(peer, kind, correlated=correlated)
        if back == "JoinRoom":
            self.join(peer, name, correlated=correlated)
        elif back is not None:
            self.watch_as(peer, "AAAAAA", None, correlated=correlated)

    @rule(pick=picks, place=st.sampled_from(["player", "player", "spectator", None]))
    def lose(self, pick, place):
        """
        A connection is lost.
        """
        peer = self.pick(place, pick)
        if peer is not None:
            self.lose_peer(peer)

    @rule(pick=picks)
    def depart_at_once(self, pick):
        """
        A player sends something and is gone in the same moment.
        """
        peer = self.pick("player", pick)
        if peer is not None:
            self.send_some(peer, [("latest", 1), (None, None)], 0)
            self.lose_peer(peer)

    @precondition(lambda self: not self.draining and (self.tickets or self.those("player")))
    @rule(
        pick=picks,
        kind=numbers,
        buffer=buffers,
        over=st.booleans(),
        correlated=st.booleans(),
        wrong=st.sampled_from([False] * 6 + [True]),
    )
    def come_back(self, pick, kind, buffer, over, **how):
        """
        A new connection presents the token of a lost player, or of one who is still there.
        """
        present = [peer.ticket for peer in self.peers if peer.ticket is not None]
        tickets = present if over else self.tickets
        if not tickets:
            return
        ticket = tickets[-1 - pick % len(tickets)]
        peer = self.connect(kind)
        peer.squeeze(buffer)
        request = {
            "player_id": ticket.player,
            "room_id": ticket.room,
            "auth_token": "wrong" if how["wrong"] else ticket.token,
        }
        self.ask(peer, "Reconnect", request, correlated=how["correlated"])

    # Reading.

    @precondition(lambda self: self.peers)
    @rule(pick=picks)
    def stop(self, pick):
        """
        A client reads no more.
        """
        self.peers[pick % len(self.peers)].stop()

    @precondition(lambda self: self.peers)
    @rule(pick=picks, size=st.sampled_from([None, None, 50, 400]))
    def go_on(self, pick, size):
        """
        A client reads again, or a little.
        """
        self.peers[pick % len(self.peers)].go_on(size)
        self.pump()

    @rule(seconds=st.sampled_from([0.2, 1.1, 1.1, 4, 6, 11, 301]))
    def wait(self, seconds):
        """
        Time passes.
        """
        for _ in range(int(min(seconds, 20))):
            self.clock.advance(1)
        self.clock.advance(seconds - int(min(seconds, 20)))
        if seconds > 300:
            self.service.sweep()
        self.pump()

    # Playing.

    @rule(
        pick=picks,
        what=st.lists(contents, min_size=1, max_size=6),
        size=st.sampled_from([0, 0, 0, 200]),
    )
    def send(self, pick, what, size):
        """
        A player sends game data of all kinds.
        """
        peer = self.pick("player", pick)
        if peer is not None:
            self.send_some(peer, what, size)
            self.pump()

    @precondition(lambda self: self.peers)
    @rule(**LAG)
    def lag(self, stopped, what, later, patient, **between):
        """
        Somebody does not read while others send, somebody comes and goes, and others send again.
        """
        peer = self.pick("player", stopped) or self.peers[stopped % len(self.peers)]
        peer.squeeze(0)
        peer.stop()
        for sender in self.those("player"):
            self.send_some(sender, what, 0)
        if between["seconds"]:
            self.pump()
            self.clock.advance(between["seconds"])
        self.stir(peer, between["meanwhile"])
        for sender in self.those("player"):
            self.send_some(sender, later, 0)
        if not patient:
            peer.go_on()
        self.pump()

    def stir(self, peer, meanwhile):
        """
        A client, or another one, changes its place.
        """
        other = self.pick("player", self.sent)
        if meanwhile in ("rejoin", "watch"):
            self.ask(peer, "LeaveRoom", correlated=False)
        if meanwhile == "rejoin":
            self.join(peer, -1, correlated=False)
        elif meanwhile == "watch":
            self.watch_as(peer, "AAAAAA", None, correlated=False)
        elif meanwhile == "leave" and other is not None:
            self.ask(other, "LeaveRoom", correlated=True)
        elif meanwhile == "blink" and other is not None and not self.draining:
            self.lose_peer(other)
            for sender in self.those("player"):
                self.send_some(sender, [(None, None), "converts"], 0)
            self.come_back(0, self.sent, 0, over=False, correlated=True, wrong=False)

    def send_some(self, peer, what, size):
        """
        A client sends some game data.
        """
        strict = peer.strict
        for each in what:
            self.sent += 1
            value = [self.sent, "x" * size] if size else [self.sent]
            if isinstance(each, tuple):
                kind, key = each if strict.version >= 3 else (None, None)
                peer.send(Content(value, None, kind, key))
            elif strict.binary:
                converts = each == "converts"
                hopeless = HOPELESS[self.sent % len(HOPELESS)]
                payload = msgpack.packb(value) if converts else hopeless
                peer.send(Content(value, payload, converts=converts))

    @precondition(lambda self: self.peers)
    @rule(pick=picks, kind=st.sampled_from(["PlayerReady", "PlayerReady", "StartGame", "Ping"]))
    def play(self, pick, kind):
        """
        A client says something that has no members.
        """
        peer = self.pick("player", pick) or self.peers[pick % len(self.peers)]
        peer.say(kind)
        self.pump()

    @rule()
    def start(self):
        """
        All players of a room become ready, and all want to start.
        """
        for peer in self.those("player"):
            if not self.ledger.place(peer.link).is_ready:
                peer.say("PlayerReady")
                self.pump()
        for peer in self.those("player"):
            peer.say("StartGame")
            self.pump()

    @precondition(lambda self: self.peers)
    @rule(pick=picks, claim=st.booleans())
    def ask_for_authority(self, pick, claim):
        """
        A client asks for the authority, or gives it up.
        """
        self.peers[pick % len(self.peers)].say("AuthorityRequest", {"become_authority": claim})
        self.pump()

    @rule(pick=picks, other=picks)
    def signal(self, pick, other):
        """
        A player signals a peer of its plan.
        """
        peer = self.pick("player", pick)
        plan = peer.strict.plans.plan if peer else None
        if plan and plan["peers"]:
            to = plan["peers"][other % len(plan["peers"])]["player_id"]
            data = {"to": to, "generation": plan["generation"], "signal": {"Offer": "v=0"}}
            peer.say("Signal", data)
            self.pump()

    @precondition(lambda self: self.peers)
    @rule(pick=picks, connected=st.booleans(), transport=st.sampled_from(["webrtc", "relay"]))
    def report(self, pick, connected, transport):
        """
        A client reports whether a transport works.
        """
        peer = self.peers[pick % len(self.peers)]
        peer.say("TransportStatus", {"transport": transport, "connected": connected})
        self.pump()

    @rule(
        pick=picks,
        other=picks,
        kind=st.sampled_from(
            ["KickPlayer", "KickPlayer", "BanPlayer", "UnbanPlayer", "TransferAuthority"]
        ),
    )
    def moderate(self, pick, other, kind):
        """
        A player does something to another one, if it may.
        """
        able = [peer for peer in self.peers if peer.strict.correlates and peer.strict.roster]
        able = [peer for peer in able if peer.strict.me == peer.strict.authority] or able
        if able:
            peer = able[pick % len(able)]
            if pick:
                self.pass_authority_to(peer)
            roster = list(peer.strict.roster)
            target = roster[other % len(roster)]
            peer.do(kind, {"player_id": target}, target)
            self.pump()

    @precondition(lambda self: any(not peer.strict.correlates for peer in self.peers))
    @rule(pick=picks)
    def overreach(self, pick):
        """
        A client wants to leave with an id, which it has not negotiated: it stays.
        """
        some = [peer for peer in self.peers if not peer.strict.correlates]
        some[pick % len(some)].overreach()
        self.pump()

    def pass_authority_to(self, peer):
        """
        Who has the authority in a client's room gives it up, and the client asks for it.
        """
        for other in self.peers:
            if other.strict.place == "player" and other.strict.me == peer.strict.authority:
                other.say("AuthorityRequest", {"become_authority": False})
                self.pump()
        if peer.strict.authority is None:
            peer.say("AuthorityRequest", {"become_authority": True})
            self.pump()

    @rule(pick=picks, password=st.sampled_from(["sesame", None, None, None, "recode"]))
    def close_the_door(self, pick, password):
        """
        A player gives the room a password or another code, if it may.
        """
        able = [peer for peer in self.peers if peer.strict.correlates]
        if able and password == "recode":
            able[pick % len(able)].do("RegenerateRoomCode")
        elif able:
            able[pick % len(able)].do("SetRoomAccess", {"password": password})
        self.pump()

    @rule()
    def tell_statistics(self):
        """
        Clients are told how delivery goes.
        """
        Statistics(self.server.factory, 1).tell()
        self.pump()

    # The end.

    @precondition(lambda self: not self.draining and self.peers)
    @rule(really=st.sampled_from([False] * 9 + [True]))
    def drain(self, really):
        """
        The server is about to stop.
        """
        if really:
            self.draining = True
            Drain(self.server.factory, lambda: 1e9, 3.0, self.service.drain).run()
            self.pump()

    def teardown(self):
        """
        When everybody reads, everybody has got everything, and knows the truth.
        """
        if sys.exc_info()[0] is not None:  # something else has failed before
            return
        for peer in self.peers:
            peer.go_on()
        self.pump()
        self.clock.advance(1)
        self.pump()
        for peer in self.peers:
            want(not peer.strict.requests, "unanswered", peer.strict.requests)
            want(not peer._receiver.sent, "not read", peer._receiver.sent)
            self.ledger.check(peer.link, peer.strict, complete=True)
            agree(peer, self.ledger.place(peer.link))
        for peer in list(self.peers):
            peer.cut()
        want(not self.server.factory.connections, "connections are left")


def agree(peer: Peer, place: Any) -> None:
    """
    A client's picture is that of its room.
    """
    strict = peer.strict
    kind = None if place is None else "player" if isinstance(place, Seat) else "spectator"
    want(strict.place == kind, "place", strict.place, kind)
    if place is None:
        return
    room = place.room
    want(list(strict.watchers) == list(room.watchers), "spectators", strict.watchers)
    want(set(strict.roster) == set(room.seats), "roster", strict.roster, room.seats)
    want(strict.authority == room.authority, "authority", strict.authority, room.authority)
    if not strict.started:
        ready = [seat.id for seat in room.seats.values() if seat.is_ready]
        truth = (room.state.value, ready, bool(ready) and len(ready) == len(room.seats))
        want(strict.lobby == truth, "lobby", strict.lobby, truth)


class ModernWires(Wires):
    """
    The same with clients of protocol 3 who can do everything.
    """

    kinds = KINDS[3:6]


class WiresTests(SynchronousTestCase):
    """
    No client is ever sent anything wrong, and each gets all that it is owed.
    """

    def law(self, machine, examples):
        """
        Run a machine, the same way each time unless a number of examples is given.
        """
        play(machine, examples)
        self.assertEqual([], self.flushLoggedErrors())

    def test_all_kinds(self):
        """
        Clients of all kinds in the same rooms.
        """
        self.law(Wires, 130)

    def test_modern(self):
        """
        Clients who can connect to each other.
        """
        self.law(ModernWires, 60)

"""
Tests that what a whole server says, and is said to, is what the AsyncAPI document describes.
"""

import json
from collections import defaultdict
from uuid import uuid4

import msgpack
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Opcode

from signalfish import config
from signalfish.tap import assemble
from signalfish.wire.binding import SUBPROTOCOL
from tests.net.fakes import Client
from tests.wire.asyncapi import (
    BINARY,
    TO_CLIENT,
    TO_SERVER,
    document,
    in_version,
    messages,
    objections,
)
from tests.wire.declared import ANSWERS

GAME = "reef-racers"
ABLE = {
    "platform": "unity",
    "sdk_version": "2.4.0",
    "supported_transports": ["webrtc"],
    "supported_topologies": ["mesh"],
    "requested_capabilities": ["reconnection_token", "room_operation_ids"],
}
SEAT = {"type": "direct", "host": "192.0.2.77", "port": 40417}
CONVERTIBLE = msgpack.packb({"lap": 3})
INCONVERTIBLE = msgpack.packb(b"\x00")


class Player(Client):
    """
    A client of one protocol version; everything that goes either way is checked.

    :ivar room: what it was told when it took its seat.
    """

    def __init__(self, table, version, subprotocols=None, **credentials):
        super().__init__(table.reactor, table.parts.site)
        self.table = table
        self.version = version
        self.room = {}
        self.upgrade(f"/v{version}/ws", subprotocols)
        if credentials:
            self.ask("Authenticate", {"app_id": GAME, **credentials})

    def ask(self, kind, data=None):
        """
        Send a message, and give what has come since the last time.
        """
        message = {"type": kind} if data is None else {"type": kind, "data": data}
        self.table.check(message, TO_SERVER, self.version)
        self.say(kind, data)
        return self.listen()

    def operate(self, kind, data=None):
        """
        Ask for something of a room under an id, and give the result.
        """
        operation = {"type": kind} if data is None else {"type": kind, "data": data}
        heard = self.ask("RoomOperation", {"operation_id": str(uuid4()), "operation": operation})
        [told] = [message for message in heard if message["type"] == "RoomOperationResult"]
        result = told["data"]["result"]
        self.table.heard["results"].add(result["type"])
        return result

    def listen(self):
        """
        What has come since the last time, as it is if it is text.
        """
        heard = []
        for frame in self.frames():
            if frame.opcode is Opcode.TEXT:
                heard.append(json.loads(frame.data))
                self.table.check(heard[-1], TO_CLIENT, self.version)
            elif frame.opcode is Opcode.BINARY:
                self.table.check_binary(msgpack.unpackb(frame.data), self.version)
        return heard

    def join(self, name, **fields):
        """
        Take a seat.
        """
        request = {"game_name": GAME, "player_name": name, "max_players": 3, **fields}
        self.room = self.ask("JoinRoom", request)[0]["data"]

    def watch(self, code, **fields):
        """
        Begin to watch a room.
        """
        self.ask(
            "JoinAsSpectator",
            {"game_name": GAME, "room_code": code, "spectator_name": "Juno", **fields},
        )

    def binary(self, payload):
        """
        Send game data in MessagePack.
        """
        self.table.heard[TO_SERVER].add(BINARY)
        self.send(Opcode.BINARY, payload)


def claim(room, **other):
    """
    What it takes to get a seat back.
    """
    token = room["reconnection_token"]
    right = {"player_id": room["player_id"], "room_id": room["room_id"], "auth_token": token}
    return {**right, **other}


class TranscriptTests(SynchronousTestCase):
    """
    Games in which everybody who can be refused is refused once.
    """

    settings = {
        "session": {"default_topology": "mesh", "ice_servers": [{"urls": ["stun:stun.example"]}]},
        "security": {"transport": {"token_binding": {"enabled": True}}},
        "websocket": {"delivery_stats_interval_secs": 5},
    }

    def setUp(self):
        """
        A server without its ports, which runs.
        """
        self.reactor = MemoryReactorClock()
        self.parts = assemble(config.settings(self.settings), self.reactor)
        self.parts.service.startService()
        self.heard = defaultdict(set)

    def check(self, message, action, version):
        """
        A text message is as it is described.
        """
        self.heard[action].add(message["type"])
        self.assertEqual([], objections(message, action, version), message)

    def check_binary(self, message, version):
        """
        A binary message has the members that are described.
        """
        self.heard[TO_CLIENT].add(BINARY)
        components = in_version(document()["components"]["messages"], version)
        payload = components[messages(TO_CLIENT, version)[BINARY]]["payload"]
        self.assertEqual(payload["required"], list(message))
        self.assertEqual(list(payload["properties"]), list(message))

    def check_complete(self, version):
        """
        No message of the version was missing, in either direction.
        """
        for action in (TO_SERVER, TO_CLIENT):
            self.assertEqual(set(messages(action, version)), self.heard[action])

    def test_version_2(self):
        """
        Version 2.
        """
        ann, bob, *others = self.meet(2)
        self.play(ann, bob, *others)
        self.stop(ann, bob)
        self.check_complete(2)

    def test_version_3(self):
        """
        Version 3.
        """
        ann, bob, cy, *others = self.meet(3)
        self.exchange(ann, bob)
        self.play(ann, bob, cy, *others)
        self.moderate(ann, bob, cy)
        self.stop(bob, Player(self, 3))
        self.check_complete(3)
        self.assertEqual(ANSWERS, self.heard["results"])

    def meet(self, version):
        """
        Three players and a spectator, whose game has started.
        """
        Player(self, version, protocol_version=1)
        Player(self, version, [SUBPROTOCOL]).ask("Ping")  # without a proof
        ann, bob, cy = (
            Player(self, version, **ABLE, game_data_format=form)
            for form in ("json", "message_pack", "message_pack")
        )
        ann.join("Ann")
        code = ann.room["room_code"]
        bob.join("Bob", room_code=code)
        cy.join("Cy", room_code="NOROOM", join_only=True)
        cy.watch(code, password="not needed")
        cy.watch(code)
        cy.ask("LeaveSpectator")
        cy.join("Cy", room_code=code)
        for wanted in (True, False, True):
            ann.ask("AuthorityRequest", {"become_authority": wanted})
        ann.ask("ProvideConnectionInfo", {"connection_info": SEAT})
        watcher = Player(self, version)
        watcher.watch(code)
        players = ann, bob, cy, watcher
        for player in players[:-1]:
            player.ask("PlayerReady")
        ann.ask("StartGame")
        self.hear(*players)
        return players

    def play(self, ann, bob, cy, watcher):
        """
        They play until one of them is lost and comes back, and leave in the end.
        """
        ann.ask("Ping")
        ann.ask("GameData", {"data": [None, 1e2]})
        bob.binary(CONVERTIBLE)
        bob.binary(INCONVERTIBLE)
        self.hear(ann, bob, cy, watcher)
        cy.socket.cut()
        watcher.socket.cut()
        ann.ask("GameData", {"data": "missed"})
        back = Player(self, cy.version, **ABLE)
        back.ask("Reconnect", claim(cy.room, auth_token="wrong"))
        back.ask("Reconnect", claim(cy.room))
        self.hear(ann, bob, back)
        back.ask("LeaveRoom")
        self.hear(ann, bob)

    def stop(self, *players):
        """
        After a while the server stops.
        """
        self.reactor.advance(5)
        self.hear(*players)
        stopped = self.parts.service.stopService()
        self.hear(*players)
        self.reactor.advance(10)
        self.hear(*players)
        self.reactor.advance(1)
        self.successResultOf(stopped)

    def hear(self, *players):
        """
        Check what has come.
        """
        for player in players:
            player.listen()

    def exchange(self, ann, bob):
        """
        Game data of all classes, signals, transports.
        """
        ann.ask("GameData", {"data": 1, "class": "latest", "key": 7})
        ann.ask("GameData", {"data": 1, "class": "volatile"})
        signal = {"to": bob.room["player_id"], "generation": str(uuid4()), "signal": {"Offer": ""}}
        ann.ask("Signal", signal)
        ann.ask("Signal", {**signal, "to": ann.room["player_id"]})
        ann.ask("TransportStatus", {"transport": "webrtc", "connected": True})

    def moderate(self, ann, bob, cy):
        """
        Everything that can be asked for under an id, with every result that there is.
        """
        dee, eve = (Player(self, 3, **ABLE) for _ in range(2))
        code = ann.room["room_code"]
        join = {"game_name": GAME, "player_name": "Dee", "room_code": code, "join_only": True}
        watch = {"game_name": GAME, "room_code": code, "spectator_name": "Dee"}
        here, there = ({"player_id": player.room["player_id"]} for player in (bob, ann))
        dee.operate("JoinAsSpectator", {**watch, "password": "not needed"})
        dee.operate("JoinAsSpectator", watch)
        dee.operate("LeaveSpectator")
        dee.operate("LeaveRoom")
        ann.operate("TransferAuthority", here)
        bob.operate("SetRoomAccess", {"password": "blue lamp"})
        dee.operate("JoinRoom", join)
        bob.operate("SetRoomAccess", {})
        room = dee.operate("JoinRoom", join)["data"]
        dee.socket.cut()
        eve.operate("Reconnect", claim(room, auth_token="wrong"))
        eve.operate("Reconnect", claim(room))
        bob.operate("KickPlayer", {"player_id": room["player_id"]})
        bob.operate("RegenerateRoomCode")
        bob.operate("BanPlayer", there)
        bob.operate("UnbanPlayer", there)
        bob.operate("LeaveRoom")
        self.hear(ann, bob, cy, eve)

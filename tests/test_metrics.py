"""
Tests for signalfish.metrics.
"""

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.metrics import Metrics, _percentiles
from signalfish.net.factory import Traffic
from signalfish.net.throttle import Sockets
from signalfish.wire.errors import CloseCode
from tests.fakes import room_service
from tests.test_session import Client

COUNTERS = [
    "connections",
    "connections_disconnections",
    "sockets_accepted",
    "sockets_refused",
    "received_bytes",
    "messages_received",
    "messages_sent",
    "rooms_created",
    "rooms_joined",
    "rooms_deleted",
    "cleanup_empty_rooms",
    "cleanup_inactive_rooms",
    "players_joined",
    "players_left",
    "game_data_messages",
    "reconnection_tokens_issued",
    "reconnection_completions",
    "reconnection_validation_failures",
]
GAUGES = [
    "connections_active",
    "rooms_live",
    "players_active",
    "spectators_active",
    "reconnection_pending",
]


class MetricsTestCase(SynchronousTestCase):
    """
    The numbers of a server.
    """

    def setUp(self):
        """
        Nothing has happened yet.
        """
        self.clock = Clock()
        self.service = room_service(self.clock)
        self.traffic = Traffic()
        self.sockets = Sockets()
        self.metrics = Metrics(self.service, self.traffic, self.sockets, lambda: 1700000000.5)

    def samples(self):
        """
        The values that a scrape gives, by name and labels.
        """
        text = self.metrics.exposition().decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def play(self):
        """
        Two rooms with five players and a spectator come to be, and a player is lost.
        """
        clients = [Client(self.service) for _ in range(7)]
        clients[0].join("a", "ROOMAA")
        clients[1].join("b", "ROOMAA")
        clients[2].join("c", "ROOMAA")
        clients[3].join("d", "ROOMBB")
        clients[4].join("e", "ROOMBB")
        clients[5].watch("ROOMBB")
        clients[0].say("GameData", {"data": 1})
        clients[0].say("GameData", {"data": 2})
        clients[1].session.closed()
        return clients


class PrometheusTests(MetricsTestCase):
    """
    Metrics as Prometheus text.
    """

    def test_names(self):
        """
        All names are there from the beginning, with the value 0.
        """
        expected = {f"signal_fish_{name}_total" for name in COUNTERS}
        expected |= {f"signal_fish_{name}" for name in GAUGES}
        samples = self.samples()
        self.assertEqual(expected, {name for name, *_ in samples})
        self.assertEqual({0.0}, set(samples.values()))

    def test_format(self):
        """
        Each metric has a type and a help text.
        """
        text = self.metrics.exposition().decode()
        families = list(text_string_to_metric_families(text))
        self.assertEqual({"counter", "gauge"}, {family.type for family in families})
        for family in families:
            self.assertTrue(family.documentation.endswith("."), family)

    def test_rooms(self):
        """
        What happened in rooms is counted.
        """
        self.play()
        samples = self.samples()
        for name, value in {
            "rooms_live": 2,
            "rooms_created_total": 2,
            "rooms_joined_total": 3,
            "rooms_deleted_total": 0,
            "players_active": 4,
            "players_joined_total": 5,
            "players_left_total": 1,
            "spectators_active": 1,
            "game_data_messages_total": 2,
            "reconnection_tokens_issued_total": 5,
            "reconnection_pending": 1,
        }.items():
            self.assertEqual(value, samples[f"signal_fish_{name}",], name)

    def test_cleanup(self):
        """
        Rooms that were removed are counted by the reason.
        """
        clients = self.play()
        for client in clients[3:5]:
            client.say("LeaveRoom")
        self.clock.advance(3600)
        self.service.sweep()
        samples = self.samples()
        for name, value in {
            "rooms_live": 0,
            "rooms_deleted_total": 2,
            "cleanup_empty_rooms_total": 1,
            "cleanup_inactive_rooms_total": 1,
            "players_left_total": 5,
            "players_active": 0,
        }.items():
            self.assertEqual(value, samples[f"signal_fish_{name}",], name)

    def test_traffic(self):
        """
        What went over connections and sockets is counted.
        """
        self.traffic.connections, self.traffic.disconnections = 7, 3
        self.traffic.messages_received, self.traffic.messages_sent = 11, 13
        self.sockets.accepted, self.sockets.refused, self.sockets.bytes_received = 17, 19, 23
        samples = self.samples()
        for name, value in {
            "connections_total": 7,
            "connections_disconnections_total": 3,
            "connections_active": 4,
            "messages_received_total": 11,
            "messages_sent_total": 13,
            "sockets_accepted_total": 17,
            "sockets_refused_total": 19,
            "received_bytes_total": 23,
        }.items():
            self.assertEqual(value, samples[f"signal_fish_{name}",], name)

    def test_closes(self):
        """
        Closes are counted by their code.
        """
        self.traffic.closes = Counter({CloseCode.SLOW_CONSUMER: 2, 1002: 1, None: 3})
        samples = self.samples()
        for code, number in (("4002", 2), ("1002", 1), ("none", 3)):
            self.assertEqual(number, samples["signal_fish_websocket_closes_total", code])

    def test_own_registry(self):
        """
        Two servers in one process do not share their numbers.
        """
        other = Metrics(room_service(), Traffic(connections=5), Sockets(), lambda: 0.0)
        self.assertIn(b"signal_fish_connections_total 5.0", other.exposition())
        self.assertIn(b"signal_fish_connections_total 0.0", self.metrics.exposition())


class SnapshotTests(MetricsTestCase):
    """
    Metrics as JSON.
    """

    def test_empty(self):
        """
        A server where nothing has happened has numbers too.
        """
        snapshot = self.metrics.snapshot()
        self.assertEqual(snapshot, json.loads(json.dumps(snapshot)))
        self.assertEqual("2023-11-14T22:13:20.500000+00:00", snapshot["timestamp"])
        self.assertEqual(0, snapshot["activeRooms"])
        for name in ("roomsByGame", "playerPercentiles", "gamePercentiles"):
            self.assertEqual({}, snapshot[name])
        for part in snapshot["serverMetrics"].values():
            self.assertEqual({0}, set(part.values()))

    def test_rooms(self):
        """
        Rooms and players are counted, in all and by game.
        """
        self.play()
        snapshot = self.metrics.snapshot()
        self.assertEqual(2, snapshot["activeRooms"])
        self.assertEqual({"g": 2}, snapshot["roomsByGame"])
        self.assertEqual(["g"], list(snapshot["gamePercentiles"]))
        self.assertEqual(snapshot["playerPercentiles"], snapshot["gamePercentiles"]["g"])
        server = snapshot["serverMetrics"]
        self.assertEqual({"created": 2, "joined": 3, "deleted": 0}, server["rooms"])
        self.assertEqual({"joined": 5, "left": 1, "active": 4}, server["players"])
        self.assertEqual(2, server["messages"]["gameData"])

    def test_traffic(self):
        """
        Connections and messages are counted.
        """
        self.traffic.connections, self.traffic.disconnections = 7, 3
        self.traffic.messages_received, self.traffic.messages_sent = 11, 13
        server = self.metrics.snapshot()["serverMetrics"]
        connections = {"total": 7, "active": 4, "disconnections": 3}
        self.assertEqual(connections, server["connections"])
        self.assertEqual({"received": 11, "sent": 13, "gameData": 0}, server["messages"])


class PercentileTests(SynchronousTestCase):
    """
    Players per room.
    """

    def test_known(self):
        """
        Percentiles are those of the nearest rank.
        """
        expected = {"p50": 51, "p90": 91, "p99": 100, "p99_5": 101, "p99_9": 101, "p100": 101}
        self.assertEqual(expected, _percentiles(list(range(101, 0, -1))))

    def test_one(self):
        """
        With one room all percentiles are its number.
        """
        self.assertEqual({7.0}, set(_percentiles([7]).values()))

    @given(st.lists(st.integers(0, 100), min_size=1))
    def test_any(self, numbers):
        """
        Percentiles are numbers that occur, in growing order, up to the largest.
        """
        values = list(_percentiles(numbers).values())
        self.assertEqual(sorted(values), values)
        self.assertLessEqual(set(values), set(numbers))
        self.assertEqual(max(numbers), values[-1])

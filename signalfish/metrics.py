"""
Numbers for operators, collected when they are asked for: nothing here costs anything otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from math import floor
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from signalfish.net.factory import Traffic
from signalfish.net.throttle import Sockets
from signalfish.service import RoomService

_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "p99_5": 99.5, "p99_9": 99.9, "p100": 100}


class Metrics(Collector):
    """
    The metrics of one server, in a registry of its own.

    :param wall: seconds since the epoch.
    """

    def __init__(
        self,
        service: RoomService,
        traffic: Traffic,
        sockets: Sockets,
        wall: Callable[[], float],
    ) -> None:
        self._service = service
        self._traffic = traffic
        self._sockets = sockets
        self._wall = wall
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def exposition(self) -> bytes:
        """
        All metrics in the Prometheus text format 0.0.4.
        """
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """
        The metrics as they are now.
        """
        for name, value, text in self._counters():
            family = CounterMetricFamily(f"signal_fish_{name}", text)
            family.add_metric([], value)
            yield family
        for name, value, text in self._gauges():
            yield GaugeMetricFamily(f"signal_fish_{name}", text, value=value)
        closes = CounterMetricFamily(
            "signal_fish_websocket_closes", "Connections closed by the server.", labels=["code"]
        )
        for code, number in self._traffic.closes.items():
            closes.add_metric([str(int(code)) if code else "none"], number)
        yield closes

    def snapshot(self) -> dict[str, Any]:
        """
        The most important metrics as JSON data.
        """
        tally, traffic = self._service.tally, self._traffic
        players: defaultdict[str, list[int]] = defaultdict(list)
        for room in self._service.rooms:
            players[room.game_name].append(len(room.seats))
        everywhere = [number for numbers in players.values() for number in numbers]
        return {
            "timestamp": datetime.fromtimestamp(self._wall(), UTC).isoformat(),
            "activeRooms": len(self._service.rooms),
            "roomsByGame": self._service.rooms.per_game(),
            "playerPercentiles": _percentiles(everywhere),
            "gamePercentiles": {game: _percentiles(numbers) for game, numbers in players.items()},
            "serverMetrics": {
                "connections": {
                    "total": traffic.connections,
                    "active": traffic.active,
                    "disconnections": traffic.disconnections,
                },
                "rooms": {
                    "created": tally.rooms_created,
                    "joined": tally.rooms_joined,
                    "deleted": tally.rooms_deleted,
                },
                "players": {
                    "joined": tally.players_joined,
                    "left": tally.players_left,
                    "active": sum(everywhere),
                },
                "messages": {
                    "received": traffic.messages_received,
                    "sent": traffic.messages_sent,
                    "gameData": tally.game_data_messages,
                },
            },
        }

    def _counters(self) -> Iterable[tuple[str, int, str]]:
        tally, traffic, sockets = self._service.tally, self._traffic, self._sockets
        return (
            ("connections", traffic.connections, "WebSocket connections opened."),
            ("connections_disconnections", traffic.disconnections, "WebSocket connections ended."),
            ("sockets_accepted", sockets.accepted, "Raw connections accepted."),
            ("sockets_refused", sockets.refused, "Raw connections over a limit, dropped."),
            ("received_bytes", sockets.bytes_received, "Bytes received."),
            ("messages_received", traffic.messages_received, "Messages received."),
            ("messages_sent", traffic.messages_sent, "Messages sent."),
            ("rooms_created", tally.rooms_created, "Rooms created."),
            ("rooms_joined", tally.rooms_joined, "Joins of rooms that existed."),
            ("rooms_deleted", tally.rooms_deleted, "Rooms removed."),
            ("cleanup_empty_rooms", tally.empty_rooms_cleaned, "Rooms removed while empty."),
            ("cleanup_inactive_rooms", tally.inactive_rooms_cleaned, "Rooms removed as inactive."),
            ("players_joined", tally.players_joined, "Seats taken, returns included."),
            ("players_left", tally.players_left, "Seats left or lost."),
            ("game_data_messages", tally.game_data_messages, "Game data messages accepted."),
            ("reconnection_tokens_issued", tally.tokens_issued, "Reconnection tokens issued."),
            ("reconnection_completions", tally.reconnections, "Players who came back."),
            (
                "reconnection_validation_failures",
                tally.failed_reconnections,
                "Reconnections refused.",
            ),
        )

    def _gauges(self) -> Iterable[tuple[str, int, str]]:
        rooms = list(self._service.rooms)
        players = sum(len(room.seats) for room in rooms)
        spectators = sum(len(room.watchers) for room in rooms)
        return (
            ("connections_active", self._traffic.active, "WebSocket connections open."),
            ("rooms_live", len(rooms), "Rooms that exist."),
            ("players_active", players, "Players seated and connected."),
            ("spectators_active", spectators, "Spectators."),
            ("reconnection_pending", self._service.claims.waiting(), "Lost players remembered."),
        )


def _percentiles(numbers: list[int]) -> dict[str, float]:
    """
    Nearest-rank percentiles of players per room; empty if there is no room.
    """
    ordered = sorted(numbers)
    last = len(ordered) - 1
    if last < 0:
        return {}
    return {
        name: float(ordered[floor(percent * last / 100 + 0.5)])
        for name, percent in _PERCENTILES.items()
    }

"""
What is measured, and what is shown of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen


@frozen
class Column:
    """
    A figure, as a table shows it.

    :ivar key: its name in the results.
    :ivar layout: a format specification.
    :ivar compared: whether its ratio to that of the first server is shown, too.
    """

    key: str
    heading: str
    layout: str
    compared: bool = False


_CPU = Column("cpu_us", "CPU us", ",.1f", compared=True)
_SHARES = (
    Column("server_share", "server busy", ".0%"),
    Column("generator_share", "generator busy", ".0%"),
)
_LATENCY = (
    Column("p50_ms", "p50 ms", ",.2f", compared=True),
    Column("p99_ms", "p99 ms", ",.2f", compared=True),
    Column("p99_9_ms", "p99.9 ms", ",.2f"),
)
_OPEN_LOOP = (
    Column("rate", "deliveries/s", ",.0f"),
    _CPU,
    *_LATENCY,
    Column("late_ms", "late p99 ms", ",.2f"),
    *_SHARES,
)
_CLOSED_LOOP = (Column("rate", "deliveries/s", ",.0f", compared=True), _CPU, *_SHARES)
_STALLED = (
    *_LATENCY,
    Column("max_ms", "longest ms", ",.2f"),
    Column("evictions", "evicted", ",.0f"),
    *_SHARES,
)
_MEMORY = (
    Column("first_kib", "first, KiB each", ",.1f", compared=True),
    Column("all_kib", "all, KiB each", ",.1f", compared=True),
    Column("connection_kib", "KiB per connection", ",.1f", compared=True),
    Column("room_kib", "KiB per room", ",.1f", compared=True),
)


def _actions(what: str) -> tuple[Column, ...]:
    return (
        Column("rate", f"{what}/s", ",.0f", compared=True),
        _CPU,
        Column("joining_p50_ms", "p50 ms", ",.1f"),
        Column("joining_p99_ms", "p99 ms", ",.1f"),
        *_SHARES,
    )


@frozen
class Scenario:
    """
    One thing to measure.

    :ivar group: the name by which it is asked for.
    :ivar title: what happens, in a line.
    :ivar mode: see :mod:`benchmarks.generator`.
    :ivar options: likewise.
    :ivar x: where a plot of the group shows it, if it shows lines.
    :ivar axis: what ``x`` is.
    """

    group: str
    title: str
    mode: str
    options: Mapping[str, int]
    columns: tuple[Column, ...]
    x: float = 0
    axis: str = ""

    @property
    def offered(self) -> float:
        """
        Deliveries per second that the messages sent at a fixed rate are to cause; else 0.
        """
        options = self.options
        rooms, players = options["rooms"], options["players"]
        awake = players - options.get("stalled", 0)
        pairs = awake * (awake - 1) + (rooms - 1) * players * (players - 1)
        return pairs * options.get("rate", 0)


@frozen
class Scale:
    """
    How large, and how long.

    :ivar seconds: of the measured part, where that is a matter of time.
    :ivar warmup: seconds before it.
    :ivar window: messages of one sender that may be outstanding in a closed loop.
    :ivar joins: connections that join.
    :ivar crowds: rooms that are joined at once.
    :ivar returns: players that are lost and come back.
    :ivar settle: seconds in which the server can notice that they are lost.
    :ivar idle: connections that do nothing: at first, and in the end.
    """

    seconds: float = 5.0
    warmup: float = 1.0
    window: int = 8
    joins: int = 2000
    crowds: int = 10
    returns: int = 1000
    settle: float = 2.0
    idle: tuple[int, int] = (1000, 10000)

    @property
    def times(self) -> dict[str, int]:
        """
        The times, as options of the generator.
        """
        return {"warmup_ms": round(1000 * self.warmup), "measure_ms": round(1000 * self.seconds)}


QUICK = Scale(
    seconds=0.3,
    warmup=0.1,
    joins=32,
    crowds=2,
    returns=16,
    settle=0.5,
    idle=(16, 48),
)
"""
Everything in seconds; the figures mean nothing.
"""


@frozen
class Relay:
    """
    Players who play.

    :ivar rate: messages per second of each; 0 for as many as possible.
    :ivar payload: bytes of the value that is sent.
    """

    rooms: int = 4
    players: int = 16
    rate: int = 30
    payload: int = 64
    stalled: int = 0

    def scenario(self, group: str, scale: Scale, **more: object) -> Scenario:
        """
        Make a scenario of it.
        """
        options = {
            **scale.times,
            "rooms": self.rooms,
            "players": self.players,
            "rate": self.rate,
            "payload": self.payload,
            "stalled": self.stalled,
            "window": scale.window,
        }
        columns = _OPEN_LOOP if self.rate else _CLOSED_LOOP
        return Scenario(
            group,
            self.title,
            "relay",
            options,
            _STALLED if group == "stalled" else columns,
            **more,  # type: ignore[arg-type] # x and axis
        )

    @property
    def title(self) -> str:
        """
        What happens, in a line.
        """
        rate = f"{self.rate} messages/s each" if self.rate else "as fast as possible"
        stalled = f", {self.stalled} of them reads nothing" if self.stalled else ""
        return f"{self.rooms} x {self.players} players, {rate}, {self.payload} bytes{stalled}"


def _saturation(scale: Scale) -> list[Scenario]:
    return [
        Relay(rate=0).scenario("saturation", scale),
        Relay(100, 2, rate=0).scenario("saturation", scale),
    ]


def _latency(scale: Scale) -> list[Scenario]:
    return [Relay().scenario("latency", scale), Relay(100, 2, 60).scenario("latency", scale)]


def _sweep(scale: Scale) -> list[Scenario]:
    axis = "messages per second of each player"
    return [
        Relay(rate=rate).scenario("sweep", scale, x=rate, axis=axis)
        for rate in (30, 60, 120, 240, 480)
    ]


def _payloads(scale: Scale) -> list[Scenario]:
    return [
        Relay(payload=payload).scenario("payloads", scale, x=payload, axis="bytes")
        for payload in (64, 256, 1024, 4096, 8192)
    ]


def _stalled(scale: Scale) -> list[Scenario]:
    long = Scale(seconds=2 * scale.seconds, warmup=scale.warmup)
    return [Relay(1, 16, 60, stalled=stalled).scenario("stalled", long) for stalled in (0, 1)]


def _joins(scale: Scale) -> list[Scenario]:
    title = f"{scale.joins} clients connect and join rooms of 4, 32 at a time"
    options = {"rooms": scale.joins // 4, "players": 4, "concurrency": 32}
    return [Scenario("joins", title, "join", options, _actions("joins"))]


def _crowd(scale: Scale) -> list[Scenario]:
    title = f"16 connected clients join one room at once, {scale.crowds} times"
    options = {"rooms": scale.crowds, "players": 16}
    return [Scenario("crowd", title, "crowd", options, _actions("joins"))]


def _lobby(scale: Scale) -> list[Scenario]:
    title = "16 x 4 players join, get ready, start and leave, again and again"
    options = {**scale.times, "rooms": 16, "players": 4}
    return [Scenario("lobby", title, "lobby", options, _actions("cycles"))]


def _reconnect(scale: Scale) -> list[Scenario]:
    title = f"{scale.returns} lost players of running games of 4 come back, 32 at a time"
    options = {
        "rooms": scale.returns // 4,
        "players": 4,
        "concurrency": 32,
        "settle_ms": round(1000 * scale.settle),
    }
    columns = (Column("seconds", "seconds", ",.2f", compared=True), *_actions("returns"))
    return [Scenario("reconnect", title, "reconnect", options, columns)]


def _memory(scale: Scale) -> list[Scenario]:
    first, last = scale.idle
    title = f"{first} and then {last} idle players in rooms of 16, and {last} in rooms of 1"
    options = {"rooms": last // 16, "players": 16, "first": first // 16, "concurrency": 32}
    return [Scenario("memory", title, "idle", options, _MEMORY)]


GROUPS: Mapping[str, Callable[[Scale], list[Scenario]]] = {
    "saturation": _saturation,
    "latency": _latency,
    "sweep": _sweep,
    "payloads": _payloads,
    "joins": _joins,
    "crowd": _crowd,
    "lobby": _lobby,
    "reconnect": _reconnect,
    "stalled": _stalled,
    "memory": _memory,
}
"""
What can be asked for by name.
"""

REFERENCE = ("saturation", "latency", "joins", "crowd", "lobby", "reconnect", "stalled", "memory")
"""
What is measured if nothing is asked for.
"""

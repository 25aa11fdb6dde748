"""
One run of one scenario against one server.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import Factory, astuple, define, frozen

from benchmarks.figures import Histogram, per_connection_and_room, percentile
from benchmarks.generator import GeneratorError, Result, generate
from benchmarks.processes import busy
from benchmarks.scenarios import Scenario
from benchmarks.servers import Running, Server, ServerError

MAX_GENERATOR_SHARE = 0.8
"""
The share of its core beyond which the generator may be what is measured.
"""

MIN_SERVER_SHARE = 0.9
"""
The share of its core below which a server in a closed loop is not saturated.
"""

KEEPING_UP = 0.98
"""
The share of the offered deliveries below which a server has fallen behind.
"""

MAX_FOREIGN_SHARE = 0.1
"""
The share of either core that other processes may use.
"""

PATIENCE = 10.0
"""
Seconds without any progress after which a run is given up, or what is missing counts as lost.
"""

_SOURCES = 64  # addresses that the clients come from
_SHORT = 0.5  # seconds, too short for clock ticks to say who used the CPU
_SETTLING = 1.0  # seconds before memory is read


@frozen
class Clients:
    """
    A kind of clients.

    :ivar options: of the generator.
    """

    name: str
    options: Mapping[str, object]


CLIENTS = {
    "v2": Clients("v2", {"path": "/v2/ws"}),
    "v3": Clients("v3", {"path": "/v3/ws", "authenticate": 3}),
}
"""
Clients of protocol 2 that do not authenticate, and clients of protocol 3, which do.
"""


@frozen
class Placement:
    """
    The CPUs of the two sides; None for any.

    :ivar taskset: the path of the program that pins a process to a CPU.
    """

    server: int | None = None
    generator: int | None = None
    taskset: str = "taskset"

    def prefix(self, core: int | None) -> list[str]:
        """
        What to run a command with so that it uses this CPU.
        """
        return [] if core is None else [self.taskset, "-c", str(core)]


@define
class Run:
    """
    What a run has shown.

    :ivar figures: by name, those that there are.
    :ivar problems: what makes them invalid.
    :ivar remarks: what must be known to read them.
    :ivar is_disturbed: whether somebody else was busy, so that another attempt may be better.
    """

    figures: dict[str, float] = Factory(dict)
    problems: list[str] = Factory(list)
    remarks: list[str] = Factory(list)
    is_disturbed: bool = False


@frozen
class Usage:
    """
    CPU time in seconds, where it is known.

    :ivar server: of the server.
    :ivar server_core: of everybody on the server's core.
    :ivar generator_core: likewise.
    """

    server: float | None = None
    server_core: float | None = None
    generator_core: float | None = None

    @classmethod
    def now(cls, running: Running, placement: Placement) -> Usage:
        """
        What has been used so far.
        """
        cores = (placement.server, placement.generator)
        return cls(running.cpu_seconds(), *(None if core is None else busy(core) for core in cores))

    def since(self, before: Usage) -> Usage:
        """
        What has been used since then.
        """
        pairs = zip(astuple(self), astuple(before), strict=True)
        return Usage(*(None if None in (now, then) else now - then for now, then in pairs))


def supports(server: Server, clients: Clients, scenario: Scenario) -> bool:
    """
    Whether there is anything to measure.
    """
    if server.kind in ("naive", "bare"):
        return clients.name == "v2" and scenario.mode != "reconnect"
    # The public server gives no reconnection tokens to clients of protocol 2.
    return not (server.kind == "public" and clients.name == "v2" and scenario.mode == "reconnect")


def measure(scenario: Scenario, server: Server, clients: Clients, placement: Placement) -> Run:
    """
    Start the server, apply the load, stop the server. Failures are told as problems.
    """
    one = _memory if scenario.mode == "idle" else _load
    try:
        return one(scenario, server, clients, placement)
    except (GeneratorError, ServerError) as error:
        return Run(problems=[f"failed: {error}"])


def _load(scenario: Scenario, server: Server, clients: Clients, placement: Placement) -> Run:
    usage: dict[str, Usage] = {}
    with Running(server, placement.prefix(placement.server)) as running:

        def marked(mark: str) -> None:
            usage[mark] = Usage.now(running, placement)

        prefix = placement.prefix(placement.generator)
        result = generate(scenario.mode, _options(scenario, clients, running), prefix, marked)
    used = usage["end"].since(usage["begin"])
    figures = figures_of(scenario, result, used)
    problems, remarks = problems_of(result, figures), remarks_of(scenario, figures)
    return Run(figures, problems, remarks, bool(disturbances_of(figures)))


def _options(scenario: Scenario, clients: Clients, running: Running) -> dict[str, object]:
    where = {"host": running.host, "port": running.port}
    sources = {"sources": _SOURCES} if running.host.startswith("127.") else {}
    patience = {"patience_ms": round(1000 * PATIENCE)}
    return {**where, **sources, **patience, **clients.options, **scenario.options}


def figures_of(scenario: Scenario, result: Result, used: Usage) -> dict[str, float]:
    """
    The figures of a run that was not about memory.

    :param used: in the measured part.
    """
    seconds = max(result.seconds, 1e-9)
    figures = {
        "seconds": seconds,
        "rate": result.done / seconds,
        "generator_share": result.cpu / seconds,
        "missing": float(result.expected - result.received),
        "evictions": float(result.evictions),
        **_percentiles("", result.latency),
        **_percentiles("joining_", result.joining),
    }
    if result.latency:
        figures["max_ms"] = result.latency[-1][0] / 1000
    if scenario.offered:
        figures["offered"] = scenario.offered
    late = percentile(result.lateness, 99)
    if late is not None:
        figures["late_ms"] = late / 1000
    if used.server is not None:
        figures["server_share"] = used.server / seconds
        if result.done:
            figures["cpu_us"] = used.server / result.done * 1e6
        if used.server_core is not None:
            figures["server_foreign"] = (used.server_core - used.server) / seconds
    if used.generator_core is not None:
        figures["generator_foreign"] = (used.generator_core - result.cpu) / seconds
    return figures


def _percentiles(prefix: str, histogram: Histogram) -> dict[str, float]:
    found = {}
    for percent in (50, 99, 99.9):
        value = percentile(histogram, percent)
        if value is not None:
            found[f"{prefix}p{percent}_ms".replace(".", "_")] = value / 1000
    return found


def problems_of(result: Result, figures: Mapping[str, float]) -> list[str]:
    """
    Why a run is not valid: what was lost or came out of order, or a generator at its limit.
    """
    problems = []
    share = figures["generator_share"]
    if share > MAX_GENERATOR_SHARE:
        problems.append(f"the generator was busy for {share:.0%} of the time")
    problems += disturbances_of(figures)
    counts = {
        "deliveries missing": result.expected - result.received,
        "numbers left out": result.gaps,
        "deliveries repeated or late": result.repeats,
        "messages of nobody": result.foreign,
        "refusals": result.refusals,
        "connections lost": result.losses,
        "returns refused": result.failures,
    }
    problems += [f"{count} {what}" for what, count in counts.items() if count]
    if problems and result.complaint:
        problems.append(result.complaint)
    return problems


def disturbances_of(figures: Mapping[str, float]) -> list[str]:
    """
    Who else was busy, where that is not to be.
    """
    if figures["seconds"] < _SHORT:
        return []
    return [
        f"others used {figures[key]:.0%} of the CPU of the {side}"
        for side, key in (("server", "server_foreign"), ("generator", "generator_foreign"))
        if figures.get(key, 0) > MAX_FOREIGN_SHARE
    ]


def remarks_of(scenario: Scenario, figures: Mapping[str, float]) -> list[str]:
    """
    What a run does not show although one might think so.
    """
    remarks = []
    if figures["rate"] < KEEPING_UP * scenario.offered:
        remarks.append(f"fell behind: {figures['rate']:,.0f} of {scenario.offered:,.0f} a second")
    is_closed = scenario.mode == "relay" and not scenario.offered
    share = figures.get("server_share", 1)
    if is_closed and share < MIN_SERVER_SHARE:
        remarks.append(f"not saturated: the server was busy for {share:.0%} of the time")
    return remarks


def _memory(scenario: Scenario, server: Server, clients: Clients, placement: Placement) -> Run:
    if server.address is not None:
        return Run(problems=["failed: the memory of a server that runs elsewhere is not known"])
    players, first = scenario.options["players"], scenario.options["first"]
    in_rooms = _resident(scenario.options, server, clients, placement)
    connections = scenario.options["rooms"] * players
    alone = {**scenario.options, "rooms": connections, "players": 1, "first": 0}
    single = _resident(alone, server, clients, placement)
    figures = {
        "first_kib": in_rooms[0] / (first * players),
        "all_kib": in_rooms[-1] / connections,
    }
    each = per_connection_and_room(single[-1], in_rooms[-1], connections, players)
    figures["connection_kib"], figures["room_kib"] = each
    return Run(figures)


def _resident(
    options: Mapping[str, int], server: Server, clients: Clients, placement: Placement
) -> list[float]:
    """
    By how many KiB the server has grown, each time that the generator holds.
    """
    grown: list[float] = []
    with Running(server, placement.prefix(placement.server)) as running:
        time.sleep(_SETTLING)
        before = running.resident_bytes() or 0

        def marked(mark: str) -> None:
            time.sleep(_SETTLING)
            grown.append(((running.resident_bytes() or 0) - before) / 1024)

        where = {"host": running.host, "port": running.port, "sources": _SOURCES}
        prefix = placement.prefix(placement.generator)
        generate("idle", {**where, **clients.options, **options}, prefix, marked)
    return grown

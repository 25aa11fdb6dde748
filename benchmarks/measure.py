"""
One run of one scenario against one server.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import frozen

from benchmarks.figures import per_connection_and_room
from benchmarks.generator import GeneratorError, generate
from benchmarks.processes import busy
from benchmarks.running import Running
from benchmarks.scenarios import Scenario
from benchmarks.servers import Server, ServerError
from benchmarks.verdict import (
    Run,
    Usage,
    disturbances_of,
    figures_of,
    problems_of,
    remarks_of,
)

PATIENCE = 10.0
"""
Seconds without any progress after which a run is given up, or what is missing counts as lost.
"""

_SOURCES = 64  # addresses that the clients come from
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


def usage(running: Running, placement: Placement) -> Usage:
    """
    The CPU time used so far.
    """
    cores = (placement.server, placement.generator)
    return Usage(running.cpu_seconds(), *(None if core is None else busy(core) for core in cores))


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
    used: dict[str, Usage] = {}
    with Running(server, placement.prefix(placement.server)) as running:

        def marked(mark: str) -> None:
            used[mark] = usage(running, placement)

        prefix = placement.prefix(placement.generator)
        result = generate(scenario.mode, _options(scenario, clients, running), prefix, marked)
    figures = figures_of(scenario, result, used["end"].since(used["begin"]))
    problems, remarks = problems_of(result, figures), remarks_of(scenario, figures)
    return Run(figures, problems, remarks, bool(disturbances_of(figures)))


def _options(scenario: Scenario, clients: Clients, running: Running) -> dict[str, object]:
    where = {"host": running.host, "port": running.port}
    sources = {"sources": _SOURCES} if running.host.startswith("127.") else {}
    patience = {"patience_ms": round(1000 * PATIENCE)}
    return {**where, **sources, **patience, **clients.options, **scenario.options}


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

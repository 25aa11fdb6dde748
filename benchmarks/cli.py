"""
The command line.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve, frozen

from benchmarks import servers
from benchmarks.measure import CLIENTS, Clients, Placement, measure, supports
from benchmarks.native import CompilerError, program
from benchmarks.plot import as_svg
from benchmarks.report import Row, as_json, tables
from benchmarks.scenarios import GROUPS, QUICK, REFERENCE, Relay, Scale, Scenario
from benchmarks.verdict import Run

_EPILOG = """
A server is described by [NAME=] and one of
  signalfish            this checkout
  signalfish:PATH       another checkout, or what is installed for another Python (its program)
  public:PATH           the public server, which `cargo install` has put there
  naive                 benchmarks/naive.py
  bare                  a relay in C that shows what the generator can take
  ws://HOST:PORT        one that runs already; its CPU time and memory are not known
  COMMAND               any other, with {port} for the port
The first one is what the others are compared with. docs/performance.rst says more.
"""


@frozen
class Times:
    """
    How often to measure.

    :ivar repetitions: runs of each row.
    :ivar attempts: at each run, as long as others are busy.
    """

    repetitions: int
    attempts: int


def parser() -> argparse.ArgumentParser:
    """
    The parser of the command line.
    """
    result = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare Signal Fish servers: throughput, latency, joins, memory.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    names = ", ".join([*GROUPS, "relay"])
    add("scenarios", nargs="*", metavar="SCENARIO", help=f"any of {names}; the default is most")
    add("--server", action="append", metavar="[NAME=]DESCRIPTION", help="see below; repeatable")
    add("--clients", default="v2,v3", help="kinds of clients, any of %(default)s")
    add("--repetitions", type=_positive, default=3, help="runs of each (%(default)s)")
    add(
        "--attempts", type=_positive, default=3, help="at a run while others are busy (%(default)s)"
    )
    add("--seconds", type=float, help=f"measured part of a run ({Scale().seconds})")
    add("--window", type=_positive, help=f"outstanding messages of a sender ({Scale().window})")
    add("--quick", action="store_true", help="all of it small and short, to see that it works")
    add("--json", type=Path, metavar="FILE", help="write the results as JSON")
    add("--svg", type=Path, metavar="FILE", help="write the results as a picture")
    add("--server-core", type=int, default=0, help="the CPU of the server (%(default)s)")
    add("--generator-core", type=int, default=1, help="the CPU of the generator (%(default)s)")
    add("--no-pinning", action="store_true", help="let the system choose the CPUs")
    own = result.add_argument_group("the scenario `relay`")
    for name, default in (
        ("rooms", 4),
        ("players", 16),
        ("rate", 30),
        ("payload", 64),
        ("stalled", 0),
    ):
        own.add_argument(f"--{name}", type=int, default=default, help="(%(default)s)")
    return result


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Measure what the command line asks for.

    :raises SystemExit: if it is wrong, there is no C compiler, or a row is not valid.
    """
    options = parser().parse_args(arguments)
    try:
        program("load")
        described = options.server or ["signalfish"]
        compared = [servers.parse(text) for text in described]
        clients = [CLIENTS[name] for name in options.clients.split(",")]
        scenarios = list(chosen(options))
        placement = _placement(options)
    except (CompilerError, servers.ServerError) as error:
        raise SystemExit(f"benchmarks: {error}") from None
    except KeyError as error:
        raise SystemExit(f"benchmarks: there is no {error}") from None
    _raise_file_limit()
    if placement.generator is not None:
        os.sched_setaffinity(0, {placement.generator})  # never to disturb the server
    conditions = _conditions(compared, placement)
    print(_shown(conditions), flush=True)
    times = Times(options.repetitions, options.attempts)
    rows = list(run(scenarios, compared, clients, placement, times))
    conditions["load average at the end"] = _load_average()
    print(tables(rows))
    print(f"load average at the end: {_load_average()}")
    if options.json:
        options.json.write_text(as_json(rows, conditions))
    if options.svg:
        options.svg.write_text(as_svg(rows))
    if not all(row.is_valid for row in rows):
        raise SystemExit("benchmarks: some rows are not valid")


def chosen(options: argparse.Namespace) -> Iterator[Scenario]:
    """
    The scenarios that are asked for.

    :raises KeyError: if there is none of that name.
    """
    scale = QUICK if options.quick else Scale()
    if options.seconds:
        scale = evolve(scale, seconds=options.seconds)
    if options.window:
        scale = evolve(scale, window=options.window)
    for name in options.scenarios or REFERENCE:
        if name == "relay":
            own = ("rooms", "players", "rate", "payload", "stalled")
            yield Relay(*(getattr(options, each) for each in own)).scenario(name, scale)
        else:
            yield from GROUPS[name](scale)


def run(
    scenarios: Sequence[Scenario],
    compared: Sequence[servers.Server],
    clients: Sequence[Clients],
    placement: Placement,
    times: Times,
) -> Iterator[Row]:
    """
    Measure each scenario with all servers in turn, again and again, every other time backwards.
    """
    for scenario in scenarios:
        pairs = [
            (server, kind)
            for kind in clients
            for server in compared
            if supports(server, kind, scenario)
        ]
        runs: dict[tuple[str, str], list[Run]] = {
            (server.name, kind.name): [] for server, kind in pairs
        }
        for repetition in range(times.repetitions):
            for server, kind in reversed(pairs) if repetition % 2 else pairs:
                _progress(f"{scenario.title}: {server.name} {kind.name}, run {repetition + 1}")
                attempts = (
                    measure(scenario, server, kind, placement) for _ in range(times.attempts)
                )
                runs[server.name, kind.name].append(undisturbed(attempts))
        for server, kind in pairs:
            own = runs[server.name, kind.name]
            yield Row(
                scenario, server.name, kind.name, own, _base(runs, compared[0].name, kind, own)
            )
    _progress("")


def undisturbed(attempts: Iterator[Run]) -> Run:
    """
    The first run during which nobody else was busy, or the last one.
    """
    for run in attempts:
        if not run.is_disturbed:
            break
    return run


def _base(
    runs: dict[tuple[str, str], list[Run]], first: str, kind: Clients, own: list[Run]
) -> list[Run]:
    return runs.get((first, kind.name), [Run() for _ in own])


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _placement(options: argparse.Namespace) -> Placement:
    if options.no_pinning:
        return Placement()
    taskset = shutil.which("taskset")
    if taskset is None:
        raise servers.ServerError("no taskset to choose CPUs with; see --no-pinning")
    cores = options.server_core, options.generator_core
    if not set(cores) <= os.sched_getaffinity(0):
        raise servers.ServerError(f"CPUs {cores[0]} and {cores[1]}: not there; see --no-pinning")
    return Placement(*cores, taskset)


def _raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _conditions(compared: Sequence[servers.Server], placement: Placement) -> dict[str, object]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": f"{_processor()}, {os.cpu_count()} CPUs",
        "CPU of the server": "any" if placement.server is None else placement.server,
        "CPU of the generator": "any" if placement.generator is None else placement.generator,
        "open files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "load average at the start": _load_average(),
        "servers": {
            server.name: {
                "version": server.version(),
                "command": " ".join(server.command) or str(server.address),
                "settings": " ".join(f"{key}={value}" for key, value in server.settings.items()),
            }
            for server in compared
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _load_average() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _shown(conditions: dict[str, object], indent: str = "") -> str:
    lines = []
    for name, value in conditions.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", _shown(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {value}")
    return "\n".join(line for line in lines if line)

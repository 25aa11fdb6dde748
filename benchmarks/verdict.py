"""
What is concluded from a run: its figures, and whether they are valid.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, astuple, define, frozen

from benchmarks.figures import Histogram, percentile
from benchmarks.generator import Result
from benchmarks.scenarios import Scenario

MAX_GENERATOR_SHARE = 0.8
"""
The share of its core beyond which the generator may be what is measured, unless the server is
saturated.
"""

MIN_SERVER_SHARE = 0.9
"""
The share of its core below which a server is not saturated.
"""

KEEPING_UP = 0.98
"""
The share of the offered deliveries below which a server has fallen behind.
"""

MAX_FOREIGN_SHARE = 0.1
"""
The share of either core that other processes may use.
"""

_SHORT = 0.5  # seconds, too short for clock ticks to say who used the CPU


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

    def since(self, before: Usage) -> Usage:
        """
        What has been used since then.
        """
        pairs = zip(astuple(self), astuple(before), strict=True)
        return Usage(*(None if None in (now, then) else now - then for now, then in pairs))


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
    if share > MAX_GENERATOR_SHARE and figures.get("server_share", 0) < MIN_SERVER_SHARE:
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

"""
What is computed from what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from statistics import median

Histogram = Sequence[tuple[float, int]]
"""
Values in ascending order, each with how often it was seen.
"""

Figures = Mapping[str, float]
"""
The figures of one run, by name.
"""


def percentile(histogram: Histogram, percent: float) -> float | None:
    """
    The smallest value that this many percent of what was seen do not exceed; None of nothing.
    """
    total = sum(count for _, count in histogram)
    rank = max(1, ceil(total * percent / 100))
    seen = 0
    for value, count in histogram:
        seen += count
        if seen >= rank:
            return value
    return None


def medians(runs: Sequence[Figures]) -> dict[str, float]:
    """
    The median of each figure, over the runs that have it.
    """
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: median(run[name] for run in runs if name in run) for name in names}


def ratios(runs: Sequence[Figures | None], base: Sequence[Figures | None]) -> dict[str, float]:
    """
    By how much each figure exceeds that of the base: the median of the ratios within a repetition.

    :param runs: one element for each repetition, None where it failed.
    :param base: likewise, for what to compare with.
    """
    each = [
        {name: run[name] / other[name] for name in run if other.get(name)}
        for run, other in zip(runs, base, strict=True)
        if run is not None and other is not None
    ]
    return medians(each)


def per_connection_and_room(
    single: float, shared: float, connections: int, size: int
) -> tuple[float, float]:
    """
    How much memory a connection and a room take.

    :param single: what all connections take if each has a room for itself.
    :param shared: what they take in rooms of ``size``.
    :returns: the memory of one connection, and of one room, in the unit of the arguments.
    """
    # single = n c + n r, shared = n c + n r / size
    room = (single - shared) / connections * size / (size - 1)
    return single / connections - room, room

"""
What the kernel says about a process and its children.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

# Places in /proc/<pid>/stat, counted from the one after the name in parentheses.
_PARENT = 1
_CPU_TIMES = slice(11, 15)  # user and system time, own and of children that have ended
_RESIDENT = 21


def stat_fields(line: str) -> list[int]:
    """
    The numbers of a line of ``/proc/<pid>/stat`` after the state; the state itself counts as 0.
    """
    _, _, rest = line.rpartition(")")
    _, *numbers = rest.split()
    return [0, *map(int, numbers)]


def tree(pid: int) -> dict[int, list[int]]:
    """
    The fields of a process and of all its living descendants, by process id.
    """
    everything = {}
    for directory in _PROC.glob("[0-9]*"):
        try:
            everything[int(directory.name)] = stat_fields((directory / "stat").read_text())
        except (OSError, ValueError):  # it has ended meanwhile
            continue
    found = {pid}
    while True:
        children = {child for child, fields in everything.items() if fields[_PARENT] in found}
        if children <= found:
            return {pid: everything[pid] for pid in found if pid in everything}
        found |= children


def cpu_seconds(pid: int) -> float:
    """
    The CPU time of all threads of a process and its children.
    """
    return sum(sum(fields[_CPU_TIMES]) for fields in tree(pid).values()) / _TICKS


def busy_seconds(stat: str, core: int) -> float:
    """
    For how long a CPU has not been idle, or was not there to be used.

    :param stat: the contents of ``/proc/stat``.
    :raises KeyError: if there is no such CPU.
    """
    lines = {name: rest for name, _, rest in (line.partition(" ") for line in stat.splitlines())}
    user, nice, system, _idle, _waiting, *others = map(int, lines[f"cpu{core}"].split())
    interrupts_and_stolen = others[:3]
    return sum((user, nice, system, *interrupts_and_stolen)) / _TICKS


def busy(core: int) -> float:
    """
    See :func:`busy_seconds`, as of now.
    """
    return busy_seconds((_PROC / "stat").read_text(), core)


def resident_bytes(pid: int) -> int:
    """
    The resident memory of a process and its children; shared pages count for each of them.
    """
    return sum(fields[_RESIDENT] for fields in tree(pid).values()) * _PAGE

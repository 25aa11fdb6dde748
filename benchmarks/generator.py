"""
The load generator, ``native/load.c`` and its neighbours, as a process.

Its modes:

``relay``
    Players in rooms, whose games have started, send game data: with ``rate`` as many messages a
    second, each at its time whatever the server does, else as many as possible while ``window``
    messages of each sender are outstanding. ``stalled`` players of the first room read nothing.
``join``
    Clients connect and join, ``concurrency`` at a time, until all know of all others.
``crowd``
    The connected clients of a room join it all at once; one room after the other.
``lobby``
    In each of the rooms players join, get ready, start and leave, again and again.
``idle``
    Clients connect, join and do nothing; with ``first``, the clients of so many rooms do first.
``reconnect``
    All players of running games are cut off, and come back.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Timer
from typing import Any

import msgspec

from benchmarks.native import program


class GeneratorError(Exception):
    """
    The load could not be applied, or not to its end; says why.
    """


class Result(msgspec.Struct, frozen=True):
    """
    What the generator counted. Times are in seconds, those of histograms in microseconds.

    :ivar seconds: how long the measured part took.
    :ivar cpu: the generator's own CPU time in it.
    :ivar done: deliveries, joins, cycles or returns in it.
    :ivar sent: messages of all senders, also before and after the measured part.
    :ivar expected: deliveries that they were to cause.
    :ivar received: deliveries that there were, each once and in order.
    :ivar gaps: numbers that were missing when a later one of the same sender came.
    :ivar repeats: deliveries that came again, or too late.
    :ivar foreign: game data that nobody sent.
    :ivar refusals: errors that the server told.
    :ivar losses: connections that the server ended, apart from those of stalled clients.
    :ivar evictions: connections of stalled clients that the server ended.
    :ivar failures: refused reconnections.
    :ivar complaint: the first text of the server that was unexpected.
    :ivar latency: from the time at which a message was to be sent to its receipt.
    :ivar lateness: how much later than it was to be sent a message was sent.
    :ivar joining: from the beginning of a join, or return, to its answer.
    """

    seconds: float
    cpu: float
    done: int
    sent: int
    expected: int
    received: int
    gaps: int
    repeats: int
    foreign: int
    refusals: int
    losses: int
    evictions: int
    failures: int
    complaint: str
    latency: list[tuple[float, int]]
    lateness: list[tuple[float, int]]
    joining: list[tuple[float, int]]


class _Line(msgspec.Struct):
    mark: str = ""
    result: Result | None = None


_decoder = msgspec.json.Decoder(_Line)


def generate(
    mode: str,
    options: Mapping[str, Any],
    prefix: Sequence[str] = (),
    marked: Callable[[str], None] = lambda mark: None,
    timeout: float = 300,
) -> Result:
    """
    Run the generator to its end.

    :param options: see ``struct options`` in ``native/load.h``.
    :param prefix: what to run it with, such as ``taskset -c 1``.
    :param marked: called with each mark: ``begin`` and ``end`` of the measured part, and ``hold``,
        after which the generator waits until this returns.
    :param timeout: seconds after which it is killed.
    :raises GeneratorError: if it did not get to the end.
    """
    arguments = [f"{name}={value}" for name, value in options.items()]
    with subprocess.Popen(
        [*prefix, program("load"), mode, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        watchdog = Timer(timeout, process.kill)
        watchdog.start()
        try:
            result = _follow(process, marked)
            complaint = b"" if process.stderr is None else process.stderr.read()
        finally:
            watchdog.cancel()
            process.kill()
    if result is None:
        text = complaint.decode(errors="replace").strip().removeprefix("load: ")
        raise GeneratorError(text or f"the load generator was killed after {timeout} seconds")
    return result


def _follow(process: subprocess.Popen[bytes], marked: Callable[[str], None]) -> Result | None:
    assert process.stdin is not None  # noqa: S101 - for the type checker
    for text in process.stdout or ():
        line = _decoder.decode(text)
        if line.result is not None:
            return line.result
        marked(line.mark)
        if line.mark == "hold":
            with suppress(BrokenPipeError):
                process.stdin.write(b"\n")
                process.stdin.flush()
    return None

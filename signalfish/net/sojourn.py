"""
How long messages wait for slow clients, judged to a second.

A client whose queue moves, but so slowly that what it gets is long out of date, is given up.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from signalfish.periodic import Periodic

log = Logger()

Spans = tuple[tuple[int, int], ...]
"""
For each lane of a queue: the number of the oldest message that waits and must not be left out, and
the number that the next one will have. Both are the same if none waits.
"""


class Waiting(Protocol):
    """
    A queue that is not empty.
    """

    def spans(self) -> Spans:
        """
        See :data:`Spans`.
        """

    def give_up(self) -> None:
        """
        The client is too slow.
        """


class Sojourn(Periodic):
    """
    Looks at all queues that are not empty, every second while it runs.

    :param limit: seconds that a message may wait.
    """

    name = "sojourn"

    def __init__(self, clock: IReactorTime, limit: float) -> None:
        super().__init__(clock, 1, self.tick)
        self._limit = ceil(limit)
        self._second = 0
        self._waiting: dict[Waiting, list[deque[tuple[int, int]]]] = {}

    def watch(self, queue: Waiting) -> None:
        """
        Look at a queue, from here on.
        """
        self._waiting.setdefault(queue, [])

    def forget(self, queue: Waiting) -> None:
        """
        Look at a queue no longer.
        """
        self._waiting.pop(queue, None)

    def tick(self) -> None:
        """
        Give up those who have let something wait for too long.
        """
        self._second += 1
        for queue, lanes in tuple(self._waiting.items()):
            try:
                if self._is_overdue(lanes, queue.spans()):
                    queue.give_up()
            except Exception:  # noqa: BLE001 - a bug in one must not hide the others
                log.failure("Looking at a queue failed")

    def _is_overdue(self, lanes: list[deque[tuple[int, int]]], spans: Spans) -> bool:
        while len(lanes) < len(spans):
            lanes.append(deque())
        late = [self._is_late(marks, *span) for marks, span in zip(lanes, spans, strict=True)]
        return any(late)

    def _is_late(self, marks: deque[tuple[int, int]], oldest: int, following: int) -> bool:
        """
        Whether something in a lane waits for too long; notes how far the lane reaches at present.

        :param marks: seconds, and what number was the next then.
        """
        while marks and marks[0][1] <= oldest:
            marks.popleft()
        if oldest < following and (not marks or marks[-1][1] < following):
            marks.append((self._second, following))
        return bool(marks) and self._second - marks[0][0] >= self._limit

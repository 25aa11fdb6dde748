"""
One write for each connection in each turn of the reactor, however many messages that are.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

log = Logger()


class Batch(Protocol):
    """
    What a connection is to be sent at the end of a turn.
    """

    def flush_turn(self) -> None:
        """
        Send it.
        """

    def fail(self) -> None:
        """
        There was a bug in sending it.
        """


class Turns:
    """
    Has everything sent at the end of the turn in which it came up.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        """
        Send a batch at the end of this turn. To be called once in a turn.
        """
        if not self._batches:
            self._clock.callLater(0, self._flush)
        self._batches.append(batch)

    def _flush(self) -> None:
        batches, self._batches = self._batches, []
        for batch in batches:
            try:
                self._flush_one(batch)
            except Exception:  # noqa: BLE001 - the others must get what is theirs
                log.failure("A connection could not even be ended")

    def _flush_one(self, batch: Batch) -> None:
        try:
            batch.flush_turn()
        except Exception:  # noqa: BLE001 - our bug ends this connection only
            batch.fail()

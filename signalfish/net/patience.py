"""
How long a client may be too slow, and who waits for it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

_RECOVERY = 0.5  # seconds of having been stalled that are forgiven for each second of not being it


class Source(Protocol):
    """
    A connection whose messages wait for other clients.
    """

    def hold(self, patience: Patience) -> None:
        """
        Read no more from the client until it is let go. May be called again meanwhile.
        """

    def let_go(self, patience: Patience) -> None:
        """
        Read from the client again, as far as this recipient is concerned.
        """


class Patience:
    """
    The patience with one client.

    :param backlog: bytes of one sender that may wait for it, once it is stalled, before the sender
        is held.
    :param give_up: called when the patience is at its end.
    :ivar seconds: for how long it may be stalled.
    :ivar stalls: how often it was.
    """

    __slots__ = (
        "_backlog",
        "_changed",
        "_clock",
        "_give_up",
        "_owed",
        "_strain",
        "_verdict",
        "seconds",
        "stalls",
    )

    def __init__(
        self, clock: IReactorTime, seconds: float, backlog: int, give_up: Callable[[], None]
    ) -> None:
        self.seconds = seconds
        self.stalls = 0
        self._clock = clock
        self._backlog = backlog
        self._give_up = give_up
        self._owed: dict[Source, int] = {}
        self._strain = 0.0
        self._changed = 0.0
        self._verdict: IDelayedCall | None = None

    def try_on(self, source: Source | None, size: int) -> None:
        """
        The client is stalled, and one more message waits for it.

        :param source: whose message it is.
        :param size: its size in bytes.
        """
        if self._verdict is None:
            self._begin()
        if source is None:
            return
        owed = self._owed[source] = self._owed.get(source, 0) + size
        if owed > self._backlog:
            source.hold(self)

    def restore(self) -> None:
        """
        The client is not stalled, or nobody waits for it any more.
        """
        if self._verdict is None:
            return
        now = self._clock.seconds()
        self._strain += now - self._changed
        self._changed = now
        if self._verdict.active():
            self._verdict.cancel()
        self._verdict = None
        sources, self._owed = self._owed, {}
        for source in sources:
            source.let_go(self)

    def _begin(self) -> None:
        now = self._clock.seconds()
        self._strain = max(0.0, self._strain - (now - self._changed) * _RECOVERY)
        self._changed = now
        left = max(0.0, self.seconds - self._strain)
        self._verdict = self._clock.callLater(left, self._give_up)
        self.stalls += 1

"""
Game data that cannot be told to a client, gathered for a while so that it takes few reports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from signalfish.net.accounts import LeftOut
from signalfish.wire.accounts import GapReason

_INTERVAL = 1.0  # seconds between what was left out and its report, at most


class Gathering:
    """
    What has been left out and is not reported, one gap for each sender.

    :param report: called when it is time to report; takes what there is.
    """

    def __init__(self, clock: IReactorTime, report: Callable[[], None]) -> None:
        self._clock = clock
        self._report = report
        self._gaps: dict[str, LeftOut] = {}
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._gaps)

    def add(self, data: Any, reason: GapReason) -> None:
        """
        Leave out some more.
        """
        player = data.origin.player
        gap = self._gaps.get(player)
        if gap is not None and not gap.grows_by(data, reason):
            self._report()
            gap = None
        if self._timer is None:
            self._timer = self._clock.callLater(_INTERVAL, self._report)
        self._gaps[player] = (gap or LeftOut(data, data.seq, reason))._replace(last=data.seq)

    def has(self, player: str) -> bool:
        """
        Whether there is something of this sender.
        """
        return player in self._gaps

    def take(self) -> tuple[LeftOut, ...]:
        """
        All there is; from here on there is nothing.
        """
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        gaps = tuple(self._gaps.values())
        self._gaps.clear()
        return gaps

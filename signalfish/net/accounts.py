"""
The books of one connection: what it was sent, and what it could not be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from signalfish.wire.accounts import (
    ClassCounts,
    DeliveryReport,
    Gap,
    GapReason,
    LatestCounts,
    RelayStats,
    ReliableCounts,
    VolatileCounts,
)
from signalfish.wire.gamedata import BinaryData, TextData
from signalfish.wire.types import DeliveryClass

_COUNTS = {
    GapReason.LATEST_SUPERSEDED: "superseded",
    GapReason.LATEST_DROPPED_FULL: "dropped_full",
    GapReason.VOLATILE_DROPPED: "dropped",
    GapReason.UNSUPPORTED_FORMAT: "unsupported_format",
}


class LeftOut(NamedTuple):
    """
    A run of one sender's game data that is not sent.

    :ivar first: the first of it.
    :ivar last: the number of the last of it.
    """

    first: TextData | BinaryData
    last: int
    reason: GapReason

    def grows_by(self, data: TextData | BinaryData, reason: GapReason) -> bool:
        """
        Whether some game data that is left out for a reason continues the run.
        """
        first = self.first
        follows = (first.origin.player, first.origin.epoch, self.last + 1)
        same_kind = (first.kind, self.reason) == (data.kind, reason)
        return same_kind and follows == (data.origin.player, data.origin.epoch, data.seq)


class Accounts:
    """
    Counts game data by delivery class, for clients who check that nothing is missing.

    :ivar sent: messages of any kind that were sent.
    :ivar left: game data that was left out.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.left = 0
        self._reliable = ReliableCounts()
        self._latest = LatestCounts()
        self._volatile = VolatileCounts()

    def delivered(self, data: TextData | BinaryData) -> None:
        """
        Some game data was sent.
        """
        self.sent += 1
        self._of(data).delivered += 1

    def delivered_all(self, sent: Sequence[Any]) -> None:
        """
        Some messages were sent, game data and others.
        """
        self.sent += len(sent)
        kinds = [outgoing.kind for outgoing in sent]
        plain = kinds.count(None)
        self._reliable.delivered += plain
        if plain < len(kinds):
            self._reliable.delivered += kinds.count(DeliveryClass.RELIABLE)
            self._latest.delivered += kinds.count(DeliveryClass.LATEST)
            self._volatile.delivered += kinds.count(DeliveryClass.VOLATILE)

    def statistics(self, interval_ms: int, stalls: int) -> RelayStats:
        """
        The totals.

        :param interval_ms: how often the client is told.
        :param stalls: how often it fell behind so far that others were made to wait for it.
        """
        return RelayStats(
            interval_ms=interval_ms,
            sent_to_you=self.sent,
            dropped_for_you=self.left,
            backpressure_events=stalls,
        )

    def counts(self) -> DeliveryReport:
        """
        The counts, when there is nothing to explain.
        """
        return DeliveryReport(per_class=self._now())

    def left_out(self, gaps: Sequence[LeftOut]) -> DeliveryReport:
        """
        Some game data is not sent.

        :return: what the client must be told before it sees what comes after.
        """
        for gap in gaps:
            counts, name = self._of(gap.first), _COUNTS[gap.reason]
            number = gap.last - gap.first.seq + 1
            setattr(counts, name, getattr(counts, name) + number)
            self.left += number
        return DeliveryReport(per_class=self._now(), gaps=tuple(map(_told, gaps)))

    def _now(self) -> ClassCounts:
        return ClassCounts(self._reliable, self._latest, self._volatile)

    def _of(self, data: TextData | BinaryData) -> ReliableCounts | LatestCounts | VolatileCounts:
        if data.kind is DeliveryClass.LATEST:
            return self._latest
        return self._volatile if data.kind is DeliveryClass.VOLATILE else self._reliable


def _told(gap: LeftOut) -> Gap:
    return Gap(
        from_player=gap.first.origin.player,
        epoch=gap.first.origin.epoch,
        from_seq=gap.first.seq,
        to_seq=gap.last,
        reason=gap.reason,
    )

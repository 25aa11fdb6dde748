"""
How much game data a client was sent and what was left out, since protocol 3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType

from signalfish.wire.plans import FIRST_VERSION
from signalfish.wire.server import ServerMessage


class GapReason(StrEnum):
    """
    Why game data was left out.
    """

    LATEST_SUPERSEDED = "latest_superseded"
    LATEST_DROPPED_FULL = "latest_dropped_full"
    VOLATILE_DROPPED = "volatile_dropped"
    UNSUPPORTED_FORMAT = "unsupported_format"


class ReliableCounts(Struct, kw_only=True):
    """
    Game data that is never left out on purpose; all counts are of one connection, since its start.
    """

    delivered: int = 0
    abandoned: int = 0
    unsupported_format: int = 0


class LatestCounts(Struct, kw_only=True):
    """
    Game data of which only the newest of each key matters.
    """

    delivered: int = 0
    superseded: int = 0
    dropped_full: int = 0
    abandoned: int = 0
    unsupported_format: int = 0


class VolatileCounts(Struct, kw_only=True):
    """
    Game data that is worth nothing if it is late.
    """

    delivered: int = 0
    dropped: int = 0
    abandoned: int = 0
    unsupported_format: int = 0


class ClassCounts(Struct):
    """
    The counts of all delivery classes.
    """

    reliable: ReliableCounts
    latest: LatestCounts
    volatile: VolatileCounts


class Gap(Struct, frozen=True, kw_only=True):
    """
    A range of one sender's game data, both ends included, that the client does not get.
    """

    from_player: str
    epoch: int
    from_seq: int
    to_seq: int
    reason: GapReason


class DeliveryReport(ServerMessage, frozen=True, kw_only=True):
    """
    The counts so far, and the gaps since the last report.
    """

    first_version: ClassVar[int] = FIRST_VERSION

    per_class: ClassCounts
    gaps: tuple[Gap, ...] | UnsetType = UNSET


class RelayStats(ServerMessage, frozen=True, kw_only=True):
    """
    How delivery goes: totals of one connection, since its start.
    """

    first_version: ClassVar[int] = FIRST_VERSION

    interval_ms: int
    sent_to_you: int
    dropped_for_you: int
    backpressure_events: int

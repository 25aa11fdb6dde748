"""
What waits for one client, in the order in which it will be sent.

Pure objects without sockets or clocks; an outbox fills one while its transport is full.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Protocol

from attrs import define

from signalfish.net.accounts import Accounts, LeftOut
from signalfish.net.sojourn import Spans
from signalfish.wire.accounts import GapReason
from signalfish.wire.frames import text_frame
from signalfish.wire.gamedata import BinaryData, TextData
from signalfish.wire.outgoing import Notice, encode
from signalfish.wire.plans import FIRST_VERSION
from signalfish.wire.types import DeliveryClass

_SLACK = 64
MAX_GAPS = 256
"""
The most gaps that one report carries.
"""

MAX_WAITING_GAPS = 512
"""
The most gaps that wait to be reported. Clients give up beyond 1024 that they cannot yet fill in, of
which some may have been reported before.
"""

Data = TextData | BinaryData


class Queue(Protocol):
    """
    Frames that wait for one client.

    :ivar size: how many bytes wait.
    """

    size: int

    def __len__(self) -> int:
        """
        How many messages wait.
        """

    @property
    def is_full(self) -> bool:
        """
        Whether the client has fallen so far behind that others wait for it.
        """

    @property
    def is_accountable(self) -> bool:
        """
        Whether the client can still be told of everything that is left out.
        """

    def spans(self) -> Spans:
        """
        See :data:`signalfish.net.sojourn.Spans`.
        """

    def put(self, frame: bytes, outgoing: Any) -> None:
        """
        Let one more message wait, or leave it out if its class allows it and there is no room.
        """

    def pop(self) -> bytes | None:
        """
        The frame that is sent next; None if nothing waits.
        """

    def clear(self) -> None:
        """
        Forget everything.
        """


class Fifo:
    """
    The queue of a client of protocol 2: first in, first out, and nothing is left out.

    :param capacity: how many messages make it full.
    """

    __slots__ = ("_capacity", "_frames", "_sent", "size")

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self._capacity = capacity
        self._sent = 0
        self._frames: deque[bytes] | tuple[()] = ()  # most clients never need a deque

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_full(self) -> bool:
        """
        See :meth:`Queue.is_full`.
        """
        return len(self._frames) >= self._capacity

    @property
    def is_accountable(self) -> bool:
        """
        See :meth:`Queue.is_accountable`.
        """
        return True

    def spans(self) -> Spans:
        """
        See :meth:`Queue.spans`.
        """
        return ((self._sent, self._sent + len(self._frames)),)

    def put(self, frame: bytes, outgoing: Any) -> None:
        """
        See :meth:`Queue.put`.
        """
        if not self._frames:
            self._frames = deque()
        self._frames.append(frame)
        self.size += len(frame)

    def pop(self) -> bytes | None:
        """
        See :meth:`Queue.pop`.
        """
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self.size -= len(frame)
        self._sent += 1
        return frame

    def clear(self) -> None:
        """
        See :meth:`Queue.clear`.
        """
        self._frames = ()
        self.size = 0


@define(eq=False)
class _Slot:
    """
    One place in the data lane: a frame, or a gap where game data was, or nothing any more.

    :ivar number: how many places before it, ever, were for something that must not be left out.
    :ivar section: how many places before it, ever, were for notices.
    """

    number: int
    section: int
    frame: bytes = b""
    data: Data | None = None
    gap: _OpenGap | None = None


@define(eq=False)
class _OpenGap:
    """
    A gap that has not been reported yet, and may still grow.
    """

    data: Data
    last: int
    reason: GapReason
    section: int


class Lanes:
    """
    The queue of a client of protocol 3.

    Control messages overtake game data, unless news of a sender would overtake the sender's data;
    then everything after it waits behind the data too. Whatever is left out leaves a gap in its
    place, so that the client learns of a hole in a stream before it sees what comes after it.

    :param accounts: where to count.
    :param capacity: the most game data that waits, as far as its class allows leaving it out.
    :param control_capacity: how many control messages make it full.
    """

    def __init__(self, accounts: Accounts, capacity: int, control_capacity: int) -> None:
        self._accounts = accounts
        self._capacity = capacity
        self._control_capacity = control_capacity
        self._control_sent = 0
        self._following = 0
        self._section = 0
        self.clear()

    def __len__(self) -> int:
        return len(self._control) + self._live + self._folded

    @property
    def is_full(self) -> bool:
        """
        See :meth:`Queue.is_full`.
        """
        control = len(self._control) >= self._control_capacity
        return control or self._live + self._folded >= self._capacity

    @property
    def is_accountable(self) -> bool:
        """
        See :meth:`Queue.is_accountable`.
        """
        return len(self._gaps) <= MAX_WAITING_GAPS

    def spans(self) -> Spans:
        """
        See :meth:`Queue.spans`.
        """
        control = self._control_sent, self._control_sent + len(self._control)
        oldest = self._data[0].number if self._data else self._following
        return control, (oldest, self._following)

    def put(self, frame: bytes, outgoing: Any) -> None:
        """
        See :meth:`Queue.put`.
        """
        if outgoing is None:
            self._control.append(frame)
            self.size += len(frame)
        elif isinstance(outgoing, Notice):
            self._put_notice(frame, outgoing)
        elif outgoing.kind is DeliveryClass.LATEST:
            self._put_latest(frame, outgoing)
        elif outgoing.kind is DeliveryClass.VOLATILE and not self._has_room():
            self._put_volatile(frame, outgoing)
        else:
            self._append(frame, outgoing)

    def pop(self) -> bytes | None:
        """
        See :meth:`Queue.pop`.
        """
        if self._control:
            self._control_sent += 1
            return self._notice(self._control.popleft())
        while self._data:
            slot = self._data[0]
            if slot.gap is not None:
                return self._report()
            self._data.popleft()
            if slot.data is not None:
                self._settle(slot.data, slot)
                return self._without(slot.frame)
            if slot.frame:
                self._folded -= 1
                return self._notice(slot.frame)
        return None

    def clear(self) -> None:
        """
        See :meth:`Queue.clear`.
        """
        self.size = 0
        self._control: deque[bytes] = deque()
        self._data: deque[_Slot] = deque()
        self._live = 0
        self._folded = 0
        self._senders: Counter[str] = Counter()
        self._volatile: deque[_Slot] = deque()
        self._latest: dict[tuple[str, int, int | None], _Slot] = {}
        self._gaps: dict[tuple[str, int, int], _OpenGap] = {}

    def leave_out(self, data: Data, reason: GapReason) -> None:
        """
        Do not send some game data that would come next.
        """
        slot = self._place()
        self._senders[data.origin.player] += 1
        self._open_gap(slot, data, reason)

    def _put_notice(self, frame: bytes, notice: Notice) -> None:
        self.size += len(frame)
        waits = self._folded or notice.is_barrier or self._senders[notice.follows or ""]
        if waits and self._data and not notice.is_urgent:
            self._place(frame)
            self._following += 1
            self._section += 1
            self._folded += 1
        else:
            self._control.append(frame)

    def _put_latest(self, frame: bytes, data: TextData) -> None:
        older = self._latest.get(_key(data))
        if older is not None:
            self._drop(older, GapReason.LATEST_SUPERSEDED)
        elif not self._has_room() and not self._drop_volatile():
            self.leave_out(data, GapReason.LATEST_DROPPED_FULL)
            return
        self._latest[_key(data)] = self._append(frame, data)

    def _put_volatile(self, frame: bytes, data: TextData) -> None:
        if self._drop_volatile():
            self._append(frame, data)
        else:
            self.leave_out(data, GapReason.VOLATILE_DROPPED)

    def _append(self, frame: bytes, data: Data) -> _Slot:
        slot = self._place(frame, data)
        if data.kind is DeliveryClass.VOLATILE:
            self._volatile.append(slot)
        elif data.kind is not DeliveryClass.LATEST:
            self._following += 1
        self._live += 1
        self._senders[data.origin.player] += 1
        self.size += len(frame)
        return slot

    def _place(self, frame: bytes = b"", data: Data | None = None) -> _Slot:
        slot = _Slot(self._following, self._section, frame, data)
        self._data.append(slot)
        return slot

    def _has_room(self) -> bool:
        return self._live < self._capacity

    def _drop_volatile(self) -> bool:
        while self._volatile:
            slot = self._volatile.popleft()
            if slot.data is not None:
                self._drop(slot, GapReason.VOLATILE_DROPPED)
                return True
        return False

    def _drop(self, slot: _Slot, reason: GapReason) -> None:
        data = slot.data
        assert data is not None  # noqa: S101 - only game data is ever dropped
        self._live -= 1
        self._latest.pop(_key(data), None)
        self.size -= len(slot.frame)
        slot.frame, slot.data = b"", None
        self._open_gap(slot, data, reason)

    def _open_gap(self, slot: _Slot, data: Data, reason: GapReason) -> None:
        player, epoch = data.origin.player, data.origin.epoch
        before = self._gaps.pop((player, epoch, data.seq - 1), None)
        # A gap that grew across a notice would be told before it: in another room, if the notice
        # is a barrier, or without the report that an advice about it must follow.
        if before is not None and (before.reason, before.section) == (reason, slot.section):
            before.last = data.seq
            self._gaps[player, epoch, data.seq] = before
            self._senders[player] -= 1
            self._close_ranks()
            return
        if before is not None:
            self._gaps[player, epoch, data.seq - 1] = before
        slot.gap = _OpenGap(data, data.seq, reason, slot.section)
        self._gaps[player, epoch, data.seq] = slot.gap

    def _close_ranks(self) -> None:
        """
        Remove places in which nothing is left, once they are the larger part.
        """
        if len(self._data) > 2 * (self._live + self._folded + len(self._gaps)) + _SLACK:
            self._data = deque(slot for slot in self._data if slot.frame or slot.gap)

    def _report(self) -> bytes:
        gaps: list[LeftOut] = []
        while self._data and self._data[0].gap is not None and len(gaps) < MAX_GAPS:
            gap = self._data.popleft().gap
            assert gap is not None  # noqa: S101 - as just looked at
            origin = gap.data.origin
            del self._gaps[origin.player, origin.epoch, gap.last]
            self._senders[origin.player] -= 1
            gaps.append(LeftOut(gap.data, gap.last, gap.reason))
        message = self._accounts.left_out(gaps)
        return text_frame(encode(message, FIRST_VERSION))

    def _settle(self, data: Data, slot: _Slot) -> None:
        self._live -= 1
        self._senders[data.origin.player] -= 1
        if self._latest.get(_key(data)) is slot:
            del self._latest[_key(data)]
        slot.data = None
        if self._volatile and self._volatile[0] is slot:
            self._volatile.popleft()
        self._accounts.delivered(data)

    def _notice(self, frame: bytes) -> bytes:
        self._accounts.sent += 1
        return self._without(frame)

    def _without(self, frame: bytes) -> bytes:
        self.size -= len(frame)
        return frame


def _key(data: Data) -> tuple[str, int, int | None]:
    key = data.key if isinstance(data, TextData) else None
    return data.origin.player, data.origin.epoch, key

"""
Rate limits of one client's messages: a receiver around the conversation, which knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import NamedTuple, Protocol

from attrs import define, frozen

from signalfish.net.receiver import Receiver
from signalfish.rooms.link import Link
from signalfish.wire.client import (
    AuthorityRequest,
    JoinAsSpectator,
    JoinRoom,
    PlayerReady,
    ProvideConnectionInfo,
    Reconnect,
    RoomRequest,
    Signal,
    StartGame,
    TransportStatus,
)
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.operations import ClientMessage, RoomOperation, TransferAuthority
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Error

_ANNOUNCED = (
    PlayerReady,
    StartGame,
    AuthorityRequest,
    TransferAuthority,
    ProvideConnectionInfo,  # that of a host is told to everybody, in a new plan for each
)
_ANNOUNCEMENT_COST = 20  # messages for which one counts that is told to a whole room
_MALFORMED_LIMIT = 20
_MALFORMED_WINDOW = 10.0


@frozen
class Budget:
    """
    What one connection may do.

    :ivar window: seconds that a window lasts, from the first thing that is counted in it.
    :ivar creations: rooms created per window.
    :ivar joins: joins, spectator joins and reconnections per window.
    :ivar signals: signals and transport reports per window.
    :ivar signal_errors: refused signals per window that are told why.
    :ivar replies: refusals per window before the connection is closed.
    :ivar address_multiplier: how many times the budget of creations and joins one address has.
    :ivar messages_per_second: messages and control frames; beyond them the client is not read for
        a while. 0 for any number.
    :ivar burst: messages that may come at once.
    """

    window: float = 60.0
    creations: int = 5
    joins: int = 20
    signals: int = 600
    signal_errors: int = 60
    replies: int = 3000
    address_multiplier: int = 10
    messages_per_second: int = 1000
    burst: int = 2000


@define
class Window:
    """
    A count that starts anew when its time is over.
    """

    started: float = 0.0
    count: int = 0

    def used(self, now: float, length: float) -> int:
        """
        The count of the window that is open at this time.
        """
        if now - self.started >= length:
            self.count = 0
        return self.count

    def add(self, now: float) -> None:
        """
        Count one more; the first one opens the window.
        """
        if not self.count:
            self.started = now
        self.count += 1

    def rest(self, now: float, length: float) -> int:
        """
        Whole seconds until the window is over, at least 1.
        """
        return max(1, ceil(self.started + length - now))


@define
class _Attempts:
    creations: Window
    joins: Window

    @classmethod
    def none(cls) -> _Attempts:
        return cls(Window(), Window())

    def over(self, now: float, length: float) -> bool:
        return not self.creations.used(now, length) and not self.joins.used(now, length)


class AddressBudgets:
    """
    The attempts of all addresses, forgotten once their windows are over.
    """

    def __init__(self, budget: Budget, now: Callable[[], float]) -> None:
        self.budget = budget
        self.now = now
        self._attempts: dict[str, _Attempts] = {}
        self._pruned = now()

    def __len__(self) -> int:
        return len(self._attempts)

    def attempts(self, address: str) -> _Attempts:
        """
        The attempts of one address.
        """
        now = self.now()
        if now - self._pruned >= self.budget.window:
            self._pruned = now
            length = self.budget.window
            self._attempts = {
                key: kept for key, kept in self._attempts.items() if not kept.over(now, length)
            }
        return self._attempts.setdefault(address, _Attempts.none())


class _Limit(NamedTuple):
    what: str
    number: int
    code: ErrorCode = ErrorCode.RATE_LIMIT_EXCEEDED


class Reader(Link, Protocol):
    """
    A link that can be left unread for a while.
    """

    def rest(self, seconds: float) -> None:
        """
        Read nothing from the client for this time.
        """


class RateLimited:
    """
    A receiver that lets through what the budgets allow.

    :param creates: whether a request to join would create a room.
    """

    def __init__(
        self,
        inner: Receiver,
        link: Reader,
        address: str,
        budgets: AddressBudgets,
        creates: Callable[[RoomRequest], bool],
    ) -> None:
        self._inner = inner
        self._link = link
        self._address = address
        self._budgets = budgets
        self._budget = budgets.budget
        self._creates = creates
        self._own = _Attempts.none()
        self._signals = Window()
        self._signal_errors = Window()
        self._malformed = Window()
        self._replies = Window()
        self._tokens = float(self._budget.burst)
        self._refilled = budgets.now()
        self.alive = inner.alive
        self.closed = inner.closed

    def received(self, message: ClientMessage) -> None:
        """
        See :meth:`signalfish.net.receiver.Receiver.received`.
        """
        request = message.data.operation if isinstance(message, RoomOperation) else message
        kind = type(request)
        if kind in _ANNOUNCED:
            self._tokens -= _ANNOUNCEMENT_COST - 1
        self.control_frame()
        if isinstance(request, JoinRoom):
            self._charge(creates=self._creates(request.data))
        elif kind is Reconnect or kind is JoinAsSpectator:
            self._charge(creates=False)
        elif kind is Signal:
            self._signal(message)
            return
        elif kind is TransportStatus:
            self._report(message)
            return
        self._inner.received(message)

    def _signal(self, message: ClientMessage) -> None:
        now, budget = self._budgets.now(), self._budget
        code = ErrorCode.SIGNAL_RATE_LIMITED
        _check(_Limit("Signaling", budget.signals, code), self._signals, now, budget.window)
        try:
            self._inner.received(message)
        except Refusal:
            limit = _Limit("Signaling error", budget.signal_errors, code)
            _check(limit, self._signal_errors, now, budget.window)
            self._signal_errors.add(now)
            raise
        self._signals.add(now)

    def _report(self, message: ClientMessage) -> None:
        now, budget = self._budgets.now(), self._budget
        # It asks for no answer, so one that is too much is only not passed on.
        if self._signals.used(now, budget.window) < budget.signals:
            self._inner.received(message)
            self._signals.add(now)

    def control_frame(self) -> None:
        """
        Count a message or control frame against the message rate.
        """
        self._tokens -= 1
        if self._tokens < 0:
            self._refill()

    def refused(self, message: ClientMessage | None) -> None:
        """
        Close the connection of a client that does little else than make mistakes.
        """
        self._inner.refused(message)
        now, budget = self._budgets.now(), self._budget
        self._replies.used(now, budget.window)
        self._replies.add(now)
        if message is None:
            self._malformed.used(now, _MALFORMED_WINDOW)
            self._malformed.add(now)
        if self._replies.count > budget.replies:
            self._send_away("Inbound error-reply rate limit exceeded")
        elif self._malformed.count >= _MALFORMED_LIMIT:
            self._send_away(f"{_MALFORMED_LIMIT} malformed messages within 10 seconds")

    def _send_away(self, text: str) -> None:
        farewell = Notice(Error(message=text, error_code=ErrorCode.RATE_LIMIT_EXCEEDED))
        self._link.close(CloseCode.INBOUND_RATE_LIMITED, "inbound_rate_limited", farewell)

    def _charge(self, *, creates: bool) -> None:
        now, budget = self._budgets.now(), self._budget
        shared = self._budgets.attempts(self._address)
        for attempts, factor in ((self._own, 1), (shared, budget.address_multiplier)):
            if creates:
                limit = _Limit("Room creation", factor * budget.creations)
                _check(limit, attempts.creations, now, budget.window)
            limit = _Limit("Join attempt", factor * budget.joins)
            _check(limit, attempts.joins, now, budget.window)
        for attempts in (self._own, shared):
            attempts.joins.add(now)
            if creates:
                attempts.creations.add(now)

    def _refill(self) -> None:
        rate = self._budget.messages_per_second
        if not rate:
            self._tokens = self._budget.burst
            return
        now = self._budgets.now()
        earned = (now - self._refilled) * rate
        self._tokens = min(self._tokens + earned, self._budget.burst)
        self._refilled = now
        if self._tokens < 0:
            self._link.rest(-self._tokens / rate)


def _check(limit: _Limit, window: Window, now: float, length: float) -> None:
    if window.used(now, length) >= limit.number:
        seconds = window.rest(now, length)
        text = f"{limit.what} rate limit exceeded. Try again in {seconds} seconds."
        raise Refusal(limit.code, text)

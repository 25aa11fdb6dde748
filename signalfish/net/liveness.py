"""
Finding out which clients are still there, at no cost while they talk.

One timer serves all connections: each is looked at once per interval, on its own second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from signalfish.periodic import Periodic
from signalfish.wire.errors import CloseCode, ErrorCode
from signalfish.wire.outgoing import Notice, Outgoing
from signalfish.wire.server import Error

log = Logger()

SILENT, ANSWERED, ACTIVE = range(3)
"""
What has been heard of a client lately: nothing, only that it is there, or something it had to say.
"""

_DEFAULT_INTERVAL = 10  # how often clients are looked at if they are not pinged


class Connection(Protocol):
    """
    What is looked at.

    :ivar pulse: SILENT, ANSWERED or ACTIVE; set to SILENT here, raised by the connection.
    :ivar silence: seconds of silence, as counted here.
    :ivar slot: which second it is looked at.
    :ivar asked: the second of the ping that is not answered yet, as counted here; 0 if none.
    """

    pulse: int
    silence: int
    slot: int
    asked: int

    @property
    def reads(self) -> bool:
        """
        Whether the server reads what the client sends, so that silence means something.
        """

    def ping(self) -> None:
        """
        Ask the client for a sign of life.
        """

    def alive(self) -> None:
        """
        The client has been heard of.
        """

    def close(self, code: CloseCode, reason: str, farewell: Outgoing | None = None) -> None:
        """
        End the connection.
        """


@frozen
class LivenessLimits:
    """
    How long clients may be silent; whole seconds, 0 for any time.

    :ivar ping_interval: seconds without a message after which the client is pinged.
    :ivar pong_timeout: seconds in which it must then be heard of.
    :ivar ping_timeout: seconds of silence that end the connection where clients are not pinged.
    :ivar idle_timeout: seconds of silence that end any connection.
    """

    ping_interval: int = 10
    pong_timeout: int = 5
    ping_timeout: int = 30
    idle_timeout: int = 300


class Liveness(Periodic):
    """
    Pings quiet clients and closes the connections of dead ones, while it runs.
    """

    name = "liveness"

    def __init__(self, clock: IReactorTime, limits: LivenessLimits) -> None:
        super().__init__(clock, 1, self.tick)
        self._limits = limits
        self._period = limits.ping_interval or _DEFAULT_INTERVAL
        self._slots: list[set[Connection]] = [set() for _ in range(self._period)]
        self._pinged: dict[int, list[tuple[Connection, int]]] = {}
        self._second = 0
        self._added = 0

    def add(self, connection: Connection) -> None:
        """
        Look after a connection.
        """
        self._added += 1
        connection.slot = self._added % self._period
        self._slots[connection.slot].add(connection)

    def remove(self, connection: Connection) -> None:
        """
        Look after a connection no longer.
        """
        self._slots[connection.slot].discard(connection)

    def tick(self) -> None:
        """
        Look at the connections of this second.
        """
        self._second += 1
        for connection, asked in self._pinged.pop(self._second, ()):
            self._guarded(self._judge, connection, asked)
        for connection in tuple(self._slots[self._second % self._period]):
            self._guarded(self._look, connection)

    def _guarded(self, look: Callable[..., None], *subject: object) -> None:
        try:
            look(*subject)
        except Exception:  # noqa: BLE001 - a bug in one must not hide the others
            log.failure("Looking at a connection failed")

    def _look(self, connection: Connection) -> None:
        if not connection.reads:
            return
        pulse, connection.pulse = connection.pulse, SILENT
        if pulse is SILENT:
            connection.silence += self._period
        else:
            connection.silence = connection.asked = 0
            connection.alive()
        if self._is_dead(connection):
            return
        if pulse is not ACTIVE and self._limits.ping_interval:
            self._ask(connection)

    def _ask(self, connection: Connection) -> None:
        connection.ping()
        if not connection.asked:
            connection.asked = self._second
            due = self._second + self._limits.pong_timeout
            self._pinged.setdefault(due, []).append((connection, self._second))

    def _is_dead(self, connection: Connection) -> bool:
        idle, reaped = self._limits.idle_timeout, self._limits.ping_timeout
        if reaped and not self._limits.ping_interval and connection.silence >= reaped:
            text = (
                f"Disconnected: no activity received for {reaped * 1000} ms (server.ping_timeout)"
            )
            farewell = Error(message=text, error_code=ErrorCode.ACTIVITY_TIMEOUT)
            connection.close(CloseCode.ACTIVITY_TIMEOUT, "activity_timeout", Notice(farewell))
        elif idle and connection.silence >= idle:
            text = f"Idle timeout - no messages received for {idle} seconds"
            farewell = Error(message=text, error_code=ErrorCode.CONNECTION_IDLE_TIMEOUT)
            connection.close(CloseCode.IDLE_TIMEOUT, "idle_timeout", Notice(farewell))
        else:
            return False
        return True

    def _judge(self, connection: Connection, asked: int) -> None:
        if not connection.reads:
            connection.asked = 0  # nothing could be heard, so the next ping counts anew
            return
        is_watched = connection in self._slots[connection.slot]
        is_silent = connection.asked == asked and connection.pulse is SILENT
        if is_watched and is_silent:
            connection.close(CloseCode.ACTIVITY_TIMEOUT, "activity_timeout")

"""
The end of a server: nobody new, a warning, time to leave, and goodbye.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from signalfish.net.factory import SignalingFactory
from signalfish.net.protocol import CLOSE_TIMEOUT
from signalfish.wire.errors import CloseCode
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import GoingAway

log = Logger()


class Drain:
    """
    Sees off the clients of a factory.

    :param wall: seconds since the epoch, for what clients are told.
    :param grace: seconds between the warning and the goodbye.
    :param on_begin: called first of all; keeps conversations from beginning anything long.
    """

    def __init__(
        self,
        factory: SignalingFactory,
        wall: Callable[[], float],
        grace: float,
        on_begin: Callable[[], None],
    ) -> None:
        self._factory = factory
        self._wall = wall
        self._grace = grace
        self._on_begin = on_begin
        self._has_begun = False
        self._is_over = False
        self._waiting: list[Deferred[None]] = []
        self._timer: IDelayedCall | None = None

    def run(self) -> Deferred[None]:
        """
        Begin the drain, unless it has begun. It ends early if everybody has left.

        :return: fires when all clients had their time to leave and to hear the goodbye.
        """
        if self._is_over:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        if not self._has_begun:
            self._has_begun = True
            self._begin()
        return done

    def renew(self) -> None:
        """
        Be as if nothing had been drained: the server starts again.
        """
        self._has_begun = self._is_over = False
        self._factory.stay()

    def hurry(self) -> None:
        """
        Say goodbye at once, if the drain has begun.
        """
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
            self._say_goodbye()

    def _begin(self) -> None:
        self._on_begin()
        self._factory.going_away(self._warning(), self.hurry)
        number = len(self._factory.connections)
        if not number:
            self._finish()
            return
        log.info(
            "Draining: {number} connections have {grace:g} seconds to leave",
            number=number,
            grace=self._grace,
        )
        self._timer = self._factory.clock.callLater(self._grace, self._say_goodbye)

    def _warning(self) -> Notice:
        deadline = int((self._wall() + self._grace) * 1000)
        if not self._grace:
            return Notice(GoingAway(deadline_ms=deadline))
        return Notice(GoingAway(deadline_ms=deadline, retry_after_secs=max(1, int(self._grace))))

    def _say_goodbye(self) -> None:
        connections = tuple(self._factory.connections)
        for connection in connections:
            try:
                connection.close(CloseCode.SERVER_SHUTDOWN, "server_shutdown")
            except Exception:  # noqa: BLE001 - a bug in one must not keep the others from leaving
                log.failure("Closing a connection failed")
        self._factory.clock.callLater(CLOSE_TIMEOUT if connections else 0, self._finish)

    def _finish(self) -> None:
        self._is_over = True
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.callback(None)

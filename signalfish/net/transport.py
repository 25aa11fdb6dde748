"""
TCP connections that send at once what they are given, instead of asking first whether they may.

With one write for each connection and turn, asking costs more than it saves: a system call to
register the socket, a turn of waiting, another call to take it back.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.tcp import Server

_READ = 16 << 10  # bytes


class EagerServer(Server):
    """
    A server's end of a TCP connection. What the socket refuses waits for the reactor, as usual.
    """

    _is_waiting = False  # whether the reactor tells when the socket takes more

    def doRead(self) -> ConnectionLost | ConnectionDone | None:  # type: ignore[override] # a mixin says less
        """
        Take a little of what has arrived; the rest is there in the next turn.

        With Twisted's 64 KiB, what a whole room sends in one turn would be more than can be sent on
        in one, and turns would become longer and longer under load.
        """
        try:
            data = self.socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        return self._dataReceived(data)

    def write(self, data: bytes) -> None:
        """
        Send some bytes.
        """
        if self._is_waiting or self._tempDataLen or not self.connected or self.disconnecting:
            super().write(data)
            return
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:  # the reactor meets it again, and knows what to do then
            sent = 0
        if sent < len(data):
            super().write(data[sent:])

    def startWriting(self) -> None:
        """
        Send what is buffered; ask the reactor only if it cannot all be sent.
        """
        if self._is_waiting:
            return
        if self.disconnecting or self.disconnected or not self._tempDataLen:
            self._wait()
            return
        problem = self.doWrite()
        if problem is not None or self.dataBuffer or self._tempDataLen:
            self._wait()  # the reactor meets a problem again, and knows what to do then

    def stopWriting(self) -> None:
        """
        Ask the reactor no more.
        """
        if self._is_waiting:
            self._is_waiting = False
            super().stopWriting()

    def loseConnection(self) -> None:
        """
        Close the connection when everything has been sent, which the reactor sees to.
        """
        super().loseConnection()
        if self.connected:
            self._wait()

    def loseWriteConnection(self) -> None:
        """
        Close one half of it, likewise.
        """
        super().loseWriteConnection()
        self._wait()

    def _wait(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            super().startWriting()

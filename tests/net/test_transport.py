"""
Tests for signalfish.net.transport, with real sockets and a reactor that only takes notes.
"""

import socket

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.tcp import Server
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.transport import EagerServer

PRIVATE = ["_tempDataLen", "_dataReceived"]


class Reactor:
    """
    Remembers who wants to read and write.
    """

    def __init__(self):
        self.readers = set()
        self.writers = set()

    def addReader(self, reader):
        """
        Somebody wants to read.
        """
        self.readers.add(reader)

    def removeReader(self, reader):
        """
        Nobody wants to read.
        """
        self.readers.discard(reader)

    def addWriter(self, writer):
        """
        Somebody wants to write.
        """
        self.writers.add(writer)

    def removeWriter(self, writer):
        """
        Somebody is done with writing.
        """
        self.writers.discard(writer)


class Producer:
    """
    Counts pauses and resumptions.
    """

    def __init__(self):
        self.calls = []

    def pauseProducing(self):
        """
        Enough.
        """
        self.calls.append("pause")

    def resumeProducing(self):
        """
        More.
        """
        self.calls.append("resume")

    def stopProducing(self):
        """
        Never again.
        """
        self.calls.append("stop")


class Protocol:
    """
    A protocol that remembers what it received.
    """

    lost = None

    def __init__(self):
        self.received = []

    def dataReceived(self, data):
        """
        Some bytes.
        """
        self.received.append(data)

    def connectionLost(self, reason):
        """
        The end.
        """
        self.lost = reason


class EagerServerTests(SynchronousTestCase):
    """
    One TCP connection.
    """

    def setUp(self):
        """
        Two ends of a connection, the server's in a transport.
        """
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.peer = socket.create_connection(listening.getsockname())
            ours, address = listening.accept()
        self.addCleanup(self.peer.close)
        self.peer.settimeout(5)
        ours.setblocking(False)
        self.reactor = Reactor()
        self.protocol = Protocol()
        self.transport = EagerServer(ours, self.protocol, address, None, 1, self.reactor)
        self.addCleanup(ours.close)

    def fill(self):
        """
        Write until the socket takes no more; how many bytes that was.
        """
        written = 0
        while not self.reactor.writers:
            self.transport.write(bytes(1 << 16))
            written += 1 << 16
        return written

    def drain(self, number):
        """
        Receive a number of bytes while the reactor lets the transport write.
        """
        received = 0
        while received < number:
            received += len(self.peer.recv(1 << 20))
            for writer in tuple(self.reactor.writers):
                self.assertIsNone(writer.doWrite())
        return received

    def test_at_once(self):
        """
        What is written is sent, and the reactor is not bothered.
        """
        self.transport.write(b"ab")
        self.transport.writeSequence([b"c", b"d"])
        self.assertEqual(b"abcd", self.peer.recv(10))
        self.assertEqual(set(), self.reactor.writers)

    def test_read(self):
        """
        What arrives is taken in small pieces; nothing, and the end, are recognised.
        """
        self.assertIsNone(self.transport.doRead())
        self.peer.sendall(bytes(40_000))
        for _ in range(4):
            self.assertIsNone(self.transport.doRead())
        self.assertEqual([16_384, 16_384, 7_232], [len(data) for data in self.protocol.received])
        self.peer.close()
        self.assertIs(CONNECTION_DONE, self.transport.doRead())

    def test_read_broken(self):
        """
        A connection that is broken is lost.
        """
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.peer.close()
        self.assertIs(CONNECTION_LOST, self.transport.doRead())

    def test_nothing(self):
        """
        Nothing is sent if there is nothing.
        """
        self.transport.write(b"")
        self.assertEqual(set(), self.reactor.writers)

    def test_full(self):
        """
        What the socket does not take waits for the reactor, and stays in order.
        """
        written = self.fill()
        self.transport.write(b"end")
        self.assertEqual({self.transport}, self.reactor.writers)
        self.assertEqual(written + 3, self.drain(written + 3))
        self.assertEqual(set(), self.reactor.writers)
        self.transport.write(b"more")
        self.assertEqual(b"more", self.peer.recv(10))

    def test_producer(self):
        """
        A producer is paused while too much waits, and resumed afterwards.
        """
        producer = Producer()
        self.transport.registerProducer(producer, True)
        written = self.fill()
        self.transport.write(bytes(1 << 17))
        self.assertEqual("pause", producer.calls[-1])
        self.drain(written + (1 << 17))
        self.assertEqual("resume", producer.calls[-1])

    def test_lose_connection(self):
        """
        The connection is closed by the reactor, when all has been sent.
        """
        self.transport.write(b"bye")
        self.transport.loseConnection()
        self.assertEqual(b"bye", self.peer.recv(10))
        self.assertEqual({self.transport}, self.reactor.writers)
        self.assertIsNotNone(self.transport.doWrite())

    def test_lose_connection_while_waiting(self):
        """
        So it is if something still waits.
        """
        written = self.fill()
        self.transport.loseConnection()
        received, problem = 0, None
        while problem is None:
            received += len(self.peer.recv(1 << 20))
            problem = self.transport.doWrite()
        self.transport.socket.close()
        received += sum(map(len, iter(lambda: self.peer.recv(1 << 20), b"")))
        self.assertEqual(written, received)

    def test_lose_write_connection(self):
        """
        One half of a connection can be closed.
        """
        self.transport.loseWriteConnection()
        self.assertEqual({self.transport}, self.reactor.writers)

    def test_broken(self):
        """
        A connection that turns out to be broken is left to the reactor.
        """
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.peer.close()
        for _ in range(2):
            self.transport.write(b"anybody there?")
        self.assertEqual({self.transport}, self.reactor.writers)
        self.assertIsNotNone(self.transport.doWrite())

    def test_private_names(self):
        """
        Twisted still has the private attributes that are used.
        """
        for name in PRIVATE:
            self.assertTrue(hasattr(self.transport, name), name)
        self.assertIsInstance(self.transport, Server)

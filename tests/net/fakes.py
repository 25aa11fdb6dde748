"""
A network in memory: sockets that behave as Twisted's, and a client that speaks real WebSocket.
"""

import json
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader
from websockets.uri import parse_uri

from signalfish.net import web
from signalfish.net.factory import FactoryLimits, SignalingFactory
from signalfish.net.liveness import Liveness, LivenessLimits
from signalfish.net.outbox import OutboxLimits
from signalfish.net.throttle import Sockets, ThrottlingFactory
from tests.fakes import Told, mint

HOST = "192.0.2.1"


class Handle:
    """
    The socket below a transport, which remembers its options.
    """

    def __init__(self):
        self.options = []

    def setsockopt(self, *option):
        """
        Remember an option.
        """
        self.options.append(option)


class Socket(FileDescriptor):
    """
    The server's end of a TCP connection, with the buffers and producers that Twisted gives it.

    :ivar sent: what the peer has received.
    :ivar peer_reads: whether the peer takes anything; if not, everything is buffered here.
    :ivar appetite: how many more bytes it takes before it reads no more; None for any number.
    :ivar lost: why the connection ended; None before.
    """

    def __init__(self, reactor, host=HOST):
        super().__init__(reactor)
        family = IPv6Address if ":" in host else IPv4Address
        self._peer = family("TCP", host, 40000)
        self._host = family("TCP", "::1" if ":" in host else "127.0.0.1", 3536)
        self.handle = Handle()
        self.sent = b""
        self.peer_reads = True
        self.appetite = None
        self.lost = None
        self.aborting = False
        self.no_delay = None
        self._incoming = b""

    def open(self, protocol):
        """
        Connect a protocol of the server.
        """
        self.connected = 1
        self.protocol = protocol
        self.startReading()
        protocol.makeConnection(self)

    @property
    def reading(self):
        """
        Whether the server wants to read.
        """
        return self in self.reactor.readers

    def receive(self, data):
        """
        The peer has sent something, which the server reads as soon as it wants to.
        """
        self._incoming += data
        self.turn()

    def turn(self):
        """
        Read and write as much as can be.
        """
        if self._incoming and self.reading:
            data, self._incoming = self._incoming, b""
            self.protocol.dataReceived(data)
        while self.peer_reads and self in self.reactor.writers:
            problem = self.doWrite()
            if problem is not None:
                self.connectionLost(Failure(problem))

    def cut(self):
        """
        The peer is gone.
        """
        self.connectionLost(Failure(ConnectionLost()))

    # What Twisted's own TCP connections add.

    def writeSomeData(self, data):
        """
        Give bytes to the peer.
        """
        taken = bytes(data[: self.appetite])
        self.sent += taken
        if self.appetite is not None:
            self.appetite -= len(taken)
            self.peer_reads = self.appetite > 0
        return len(taken)

    def abortConnection(self):
        """
        End the connection, whatever is still to be sent.
        """
        if self.disconnected or self.aborting:
            return
        self.aborting = True
        self.stopReading()
        self.stopWriting()
        self.reactor.callLater(0, self.connectionLost, Failure(ConnectionAborted()))

    def connectionLost(self, reason):
        """
        Tell the protocol that it is over.
        """
        super().connectionLost(reason)
        self.lost = reason.value
        self.protocol.connectionLost(reason)

    def getPeer(self):
        """
        The address of the client.
        """
        return self._peer

    def getHost(self):
        """
        The address of the server.
        """
        return self._host

    def getHandle(self):
        """
        The socket below.
        """
        return self.handle

    def setTcpNoDelay(self, enabled):
        """
        Switch Nagle's algorithm off or on.
        """
        self.no_delay = bool(enabled)

    def getTcpNoDelay(self):
        """
        Whether Nagle's algorithm is off.
        """
        return self.no_delay


class Client:
    """
    A WebSocket client, built on another library than the server.

    It answers nothing by itself, and fails the test if anything follows a close frame.

    :ivar key: its ``Sec-WebSocket-Key``.
    :ivar subprotocol: what the server has selected; None if nothing.
    :ivar close: the close frame that came; None before.
    """

    def __init__(self, reactor, site, host=HOST, socket=Socket):
        self.socket = socket(reactor, host)
        self.close = None
        self._reader = StreamReader()
        self._parsing = None
        self._read = 0
        protocol = site.buildProtocol(self.socket.getPeer())
        self.socket.open(protocol)

    def request(self, target, *headers, method="GET"):
        """
        Send an HTTP request, and give the status line, the headers and the body of the answer.
        """
        lines = [f"{method} {target} HTTP/1.1", "Host: signal.example", *headers, "", ""]
        return self.exchange("\r\n".join(lines).encode())

    def exchange(self, data):
        """
        Send bytes and take the answer for an HTTP response.
        """
        start = len(self.socket.sent)
        self.socket.receive(data)
        head, _, body = self.socket.sent[start:].partition(b"\r\n\r\n")
        self._read = len(self.socket.sent) - len(body)
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return status, headers, body

    def upgrade(self, path="/v2/ws", subprotocols=None):
        """
        Do the opening handshake; it must succeed.
        """
        library = ClientProtocol(parse_uri(f"ws://signal.example{path}"), subprotocols=subprotocols)
        library.send_request(library.connect())
        start = len(self.socket.sent)
        self.exchange(b"".join(library.data_to_send()))
        library.receive_data(self.socket.sent[start : self._read])
        if library.handshake_exc is not None:
            raise library.handshake_exc
        self.subprotocol = library.subprotocol
        self.key = library.key
        return self

    def send(self, opcode, payload, *, fin=True):
        """
        Send one masked frame.
        """
        self.socket.receive(frame(opcode, payload, fin=fin))

    def text(self, payload):
        """
        Send a text message of these bytes.
        """
        self.send(Opcode.TEXT, payload)

    def say(self, kind, data=None):
        """
        Send a message of the protocol.
        """
        self.text(said(kind, data))

    def frames(self):
        """
        The frames that have come since the last time.
        """
        self.socket.reactor.advance(0)
        self.socket.turn()
        self._reader.feed_data(self.socket.sent[self._read :])
        self._read = len(self.socket.sent)
        found = []
        while True:
            if self._parsing is None:
                self._parsing = Frame.parse(self._reader.read_exact, mask=False)
            try:
                next(self._parsing)
            except StopIteration as parsed:
                self._parsing = None
                found.append(self._accept(parsed.value))
            else:
                return found

    def heard(self):
        """
        The messages that have come since the last time.
        """
        return [told(frame) for frame in self.frames() if frame.opcode is Opcode.TEXT]

    def closed(self):
        """
        The code and reason of the close frame; None if there was none.
        """
        self.frames()
        return None if self.close is None else (self.close.code, self.close.reason)

    def _accept(self, incoming):
        if self.close is not None:
            raise AssertionError(f"{incoming} came after the close frame")
        if not incoming.fin:
            raise AssertionError(f"{incoming} is a fragment")
        if incoming.opcode is Opcode.CLOSE:
            self.close = Close.parse(incoming.data)
        return incoming


def frame(opcode, payload, *, fin=True):
    """
    One masked frame.
    """
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


def said(kind, data=None):
    """
    The text of a client's message.
    """
    message: dict[str, Any] = {"type": kind}
    if data is not None:
        message["data"] = data
    return json.dumps(message).encode()


def told(incoming):
    """
    What a text frame says.
    """
    message = json.loads(incoming.data)
    return Told(message["type"], message.get("data"))


class FakeReceiver:
    """
    A conversation that remembers what it is given.

    :ivar events: what was called, in order: messages, and the names of other methods.
    :ivar act: called with each message; may raise.
    """

    def __init__(self, link=None, address="", path=""):
        self.link = link
        self.address = address
        self.path = path
        self.events = []
        self.act = lambda message: None

    @property
    def messages(self):
        """
        The messages among the events.
        """
        return [event for event in self.events if not isinstance(event, (str, tuple))]

    def received(self, message):
        """
        Remember a message and act on it.
        """
        self.events.append(message)
        self.act(message)

    def refused(self, message):
        """
        Remember what was refused.
        """
        self.events.append(("refused", message))

    def control_frame(self):
        """
        Remember that there was one.
        """
        self.events.append("control_frame")

    def alive(self):
        """
        Remember it.
        """
        self.events.append("alive")

    def closed(self):
        """
        Remember it.
        """
        self.events.append("closed")


class Server:
    """
    Everything between the sockets and the conversations, which are fake.

    :ivar receivers: all conversations so far.
    """

    def __init__(
        self,
        outbox=None,
        liveness=None,
        sockets=1000,
        total_sockets=1000,
        receiver=FakeReceiver,
        **limits,
    ):
        self.reactor = MemoryReactorClock()
        self.receivers = []
        self.clients = []
        self.liveness = Liveness(self.reactor, liveness or LivenessLimits())
        self.factory = SignalingFactory(
            self.reactor,
            mint().uuid,
            self.connect,
            self.liveness,
            FactoryLimits(outbox or OutboxLimits(), **limits),
        )
        self._receiver = receiver
        self.sockets = Sockets()
        resource = web.resources(self.factory, lambda: {"rooms": 1}, lambda: b"rooms 1\n")
        self.site = ThrottlingFactory(
            web.site(resource, self.reactor), self.sockets, sockets, total_sockets
        )

    def connect(self, link, address, path):
        """
        Begin a conversation.
        """
        receiver = self._receiver(link, address, path)
        self.receivers.append(receiver)
        return receiver

    def plain(self, host=HOST):
        """
        A client that has only connected.
        """
        self.clients.append(Client(self.reactor, self.site, host))
        return self.clients[-1]

    def open(self, path="/v2/ws", host=HOST):
        """
        A client that has done the opening handshake, and its conversation.
        """
        client = self.plain(host).upgrade(path)
        return client, self.receivers[-1]

    def pass_time(self, seconds):
        """
        Let whole seconds pass, in which clients read what comes.
        """
        for _ in range(seconds):
            self.reactor.advance(1)
            for client in self.clients:
                client.socket.turn()

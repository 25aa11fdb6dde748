"""
A server in a process of its own, and clients that share no code with it.
"""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.wire.asyncapi import TO_CLIENT, objections

TIMEOUT = 10.0
LOOPBACK = "tcp:0:interface=127.0.0.1"

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0

_TWISTD = Path(sys.executable).with_name("twistd")
_PYTHONPATH = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100 - sys.path holds strings
_SERVING = re.compile(r"Serving .*port=(\d+)")
_TROUBLE = re.compile("Traceback|Unhandled|CRITICAL")


def eventually(condition: Callable[[], object], what: str, timeout: float = TIMEOUT) -> object:
    """
    Wait until a condition holds.

    :returns: the first true value of the condition.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout} seconds")
        time.sleep(0.005)
    return value


def environment(**variables: str) -> dict[str, str]:
    """
    The environment of a server: that of this process, less what would configure the server.

    At its end the server gives clients no time to leave, unless a variable says otherwise.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAL_FISH")}
    quick = {"SIGNAL_FISH__SERVER__DRAIN_GRACE_SECS": "0"}
    return {**kept, "PYTHONPATH": _PYTHONPATH, **quick, **variables}


def twistd(*arguments: str) -> list[str]:
    """
    The command that runs a server in the foreground.
    """
    return [sys.executable, str(_TWISTD), "-n", "--pidfile=", "signalfish", *arguments]


class Server:
    """
    A server that runs until it is stopped.

    :param settings: what its configuration file says.
    :param arguments: options of the command line, the configuration file aside.
    :param variables: environment variables.
    :param trust: what its clients trust, if it is reached by TLS.
    """

    def __init__(
        self,
        settings: dict[str, object] | None = None,
        arguments: tuple[str, ...] = ("--listen", LOOPBACK),
        variables: dict[str, str] | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._trust = trust
        self._directory = Path(tempfile.mkdtemp(prefix="signalfish-"))
        self._log = self._directory / "log"
        if settings:
            config = self._directory / "settings.json"
            config.write_text(json.dumps(settings))
            arguments = (*arguments, "--config", str(config))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                twistd(*arguments),
                cwd=self._directory,
                env=environment(**variables or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        atexit.register(self.kill)
        try:
            self.port = int(eventually(self._find_port, "the server starts"))
            self.get("/health")
        except BaseException:
            self.kill()
            raise

    @property
    def log(self) -> str:
        """
        What the server has logged so far.
        """
        return self._log.read_text(errors="replace")

    def url(self, path: str = "/v2/ws", host: str = "127.0.0.1") -> str:
        """
        The address of a WebSocket endpoint.
        """
        return f"{'wss' if self._trust else 'ws'}://{host}:{self.port}{path}"

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, host: str = "127.0.0.1"
    ) -> tuple[HTTPResponse, bytes]:
        """
        The answer to an HTTP request.
        """
        if self._trust is None:
            connection = HTTPConnection(host, self.port, timeout=TIMEOUT)
        else:
            connection = HTTPSConnection(host, self.port, timeout=TIMEOUT, context=self._trust)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def get(self, path: str) -> str:
        """
        The page at a path.
        """
        response, body = self.request("GET", path)
        if response.status != 200:
            raise AssertionError(f"GET {path}: {response.status} {body!r}")
        return body.decode()

    def metrics(self) -> dict:
        """
        The figures of the server.
        """
        return json.loads(self.get("/metrics"))["serverMetrics"]

    def terminate(self) -> None:
        """
        Ask the server to stop.
        """
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """
        Wait for the server to have stopped as it should, without anything bad in its log.
        """
        try:
            status = self._process.wait(TIMEOUT)
            log = self.log
        finally:
            self.kill()
        # twistd ends itself by the signal that it got, once everything has been shut down.
        if status != -signal.SIGTERM or "Server Shut Down" not in log or _TROUBLE.search(log):
            raise AssertionError(f"exit status {status}, log:\n{log}")

    def stop(self) -> None:
        """
        Stop the server, which must go without complaints.
        """
        if self._process.poll() is None:
            self.terminate()
        self.wait()

    def kill(self) -> None:
        """
        Leave nothing behind, whatever state the server is in.
        """
        atexit.unregister(self.kill)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(TIMEOUT)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _find_port(self) -> str | None:
        if self._process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log}")
        found = _SERVING.search(self.log)
        return found and found[1]


class ServerTestCase(SynchronousTestCase):
    """
    Tests that share one server.

    trial does not call ``setUpClass``. The first test of a class that runs starts the server, and
    the last one stops it and fails if the server has something to complain about.

    :cvar settings: what the configuration file of the server says.
    """

    settings: dict[str, object] = {}
    _servers: dict[type, Server] = {}
    _left: Counter[type] = Counter()

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._left[type(self)] += 1

    def run(self, result):
        """
        Count the tests that are still to come.
        """
        self._left[type(self)] -= 1
        return super().run(result)

    def setUp(self):
        """
        Start the server, unless it runs.
        """
        self.addCleanup(self._stop_after_last)
        kind = type(self)
        if kind not in self._servers:
            self._servers[kind] = Server(self.settings)
        self.server = self._servers[kind]

    def _stop_after_last(self):
        if self._left[type(self)] <= 0 and type(self) in self._servers:
            self._servers.pop(type(self)).stop()

    def client(self, path: str = "/v2/ws") -> "Client":
        """
        A client that is connected.
        """
        client = Client(self.server.url(path))
        self.addCleanup(client.close)
        return client

    def raw_client(self, **options) -> "RawClient":
        """
        A client that is connected and can do everything wrong.
        """
        client = RawClient(self.server.port, **options)
        self.addCleanup(client.close)
        return client

    def seat(self, name: str, **fields) -> "Client":
        """
        A client in a room, in a new one unless a code is given.
        """
        client = self.client()
        client.join(name, **fields)
        return client

    def pair(self, **fields) -> "tuple[Client, Client]":
        """
        Two players in a room of their own, who have heard of each other.
        """
        alice = self.seat("Alice", max_players=2, **fields)
        bob = self.seat("Bob", room_code=alice.room["room_code"], **fields)
        alice.expect("PlayerJoined")
        for player in (alice, bob):
            player.expect("LobbyStateChanged")
        return alice, bob

    def playing_pair(self) -> "tuple[Client, Client]":
        """
        Two players whose game has started.
        """
        alice, bob = self.pair()
        for player in (alice, bob):
            player.send("PlayerReady")
            alice.expect("LobbyStateChanged")
            bob.expect("LobbyStateChanged")
        for player in (alice, bob):
            player.expect("GameStarting")
        return alice, bob


class Client:
    """
    A client on top of the websockets library, which expects what the AsyncAPI document describes.

    :ivar room: what the client was told when it took its seat.
    """

    GAME = "reef-racers"

    def __init__(self, url: str) -> None:
        host, _, port = url.split("/")[2].rpartition(":")
        plain = socket.create_connection((host.strip("[]"), int(port)), TIMEOUT)  # past any proxy
        self._connecting = connect(
            url, sock=plain, compression=None, open_timeout=TIMEOUT, close_timeout=1
        )
        self._socket = self._connecting.__enter__()
        self.response = self._socket.response
        self.room: dict = {}
        self._version = 3 if url.endswith("/v3/ws") else 2

    def send(self, kind: str, **fields) -> None:
        """
        Send a message.
        """
        self.send_raw(json.dumps({"type": kind, "data": fields} if fields else {"type": kind}))

    def send_raw(self, data: str | bytes) -> None:
        """
        Send anything as a text or binary message.
        """
        self._socket.send(data)

    def receive(self) -> dict | bytes:
        """
        The next message, decoded if it is text.
        """
        data = self._socket.recv(TIMEOUT)
        if isinstance(data, bytes):
            return data
        message = json.loads(data)
        if message["type"] == "ProtocolInfo":
            self._version = message["data"].get("protocol_version", 2)
        if problems := objections(message, TO_CLIENT, self._version):
            raise AssertionError(f"the AsyncAPI document objects: {problems}")
        return message

    def receive_text(self) -> str:
        """
        The next message, as it was sent.
        """
        return self._socket.recv(TIMEOUT)

    def expect(self, kind: str, **expected) -> dict:
        """
        The fields of the next message, which must be of this kind and have these fields.
        """
        message = self.receive()
        if not isinstance(message, dict) or message["type"] != kind:
            raise AssertionError(f"expected {kind}, got {message}")
        fields = message.get("data", {})
        for name, value in expected.items():
            if fields.get(name) != value:
                raise AssertionError(f"expected {kind} with {name} {value!r}, got {fields}")
        return fields

    def wait(self, kind: str, **expected) -> dict:
        """
        The fields of the next message of this kind that has these fields, whatever comes before it.
        """
        while True:
            message = self.receive()
            if isinstance(message, dict) and message["type"] == kind:
                fields = message.get("data", {})
                if expected.items() <= fields.items():
                    return fields

    def expect_nothing(self) -> None:
        """
        Make sure that nothing has been sent until now.
        """
        self.send("Ping")
        self.expect("Pong")

    def expect_close(self, code: int, reason: str) -> None:
        """
        Make sure that the server closes the connection now.
        """
        try:
            message = self.receive()
        except ConnectionClosed as closed:
            got = closed.rcvd and (closed.rcvd.code, closed.rcvd.reason)
        else:
            raise AssertionError(f"expected close {code}, got {message}")
        if got != (code, reason):
            raise AssertionError(f"expected close {code} {reason}, got {got}")

    def join(self, name: str, **fields) -> dict:
        """
        Take a seat.
        """
        self.send("JoinRoom", **{"game_name": self.GAME, "player_name": name, **fields})
        self.room = self.expect("RoomJoined")
        return self.room

    def authenticate(self, **fields) -> dict:
        """
        Authenticate, and get to know the terms.
        """
        self.send("Authenticate", **{"app_id": self.GAME, **fields})
        self.expect("Authenticated")
        return self.expect("ProtocolInfo")

    def reconnect(self, room: dict) -> dict:
        """
        Take back a seat.
        """
        self.send(
            "Reconnect",
            player_id=room["player_id"],
            room_id=room["room_id"],
            auth_token=room["reconnection_token"],
        )
        self.room = self.expect("Reconnected")
        return self.room

    def ping(self) -> float:
        """
        Let the library ping the server.

        :returns: after how many seconds the pong came.
        """
        started = time.monotonic()
        if not self._socket.ping().wait(TIMEOUT):
            raise AssertionError("no pong")
        return time.monotonic() - started

    def lose(self) -> None:
        """
        Lose the connection without a farewell.
        """
        self._socket.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """
        Close the connection, unless it is closed.
        """
        self._connecting.__exit__(None, None, None)


class RawClient:
    """
    A WebSocket client that does what it is told, right or wrong.

    :param receive_buffer: how many bytes the kernel may keep for it, if not the usual number.
    :param upgrade: whether to send the opening handshake.
    """

    def __init__(
        self, port: int, *, receive_buffer: int | None = None, upgrade: bool = True
    ) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self._stream = self.socket.makefile("rb")
        if upgrade:
            self.upgrade()

    def upgrade(self) -> None:
        """
        Do the opening handshake.
        """
        self.send_raw(
            b"GET /v2/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        status = self.read_line()
        if not status.startswith(b"HTTP/1.1 101 "):
            raise AssertionError(f"the server did not upgrade: {status!r}")
        self.skip_headers()

    def send_raw(self, data: bytes) -> None:
        """
        Send bytes.
        """
        self.socket.sendall(data)

    def send_frame(
        self, payload: bytes, opcode: int = TEXT, *, final: bool = True, masked: bool = True
    ) -> None:
        """
        Send one frame. The mask is zero, so that the payload shows in captures.
        """
        self.send_raw(frame_head(len(payload), opcode, final=final, masked=masked) + payload)

    def send(self, kind: str, **fields) -> None:
        """
        Send a message.
        """
        self.send_frame(json.dumps({"type": kind, "data": fields}).encode())

    def read_line(self) -> bytes:
        """
        The next line, of an HTTP response.
        """
        return self._stream.readline()

    def skip_headers(self) -> None:
        """
        Read on until the body of an HTTP response.
        """
        while self.read_line().strip():
            pass

    def read(self, size: int) -> bytes:
        """
        The next bytes, so many of them.
        """
        data = self._stream.read(size)
        if len(data) < size:
            raise AssertionError(f"the server hung up, after {data!r}")
        return data

    def receive_frame(self) -> tuple[int, bytes]:
        """
        The opcode and the payload of the next frame.
        """
        first, length = self.read(2)
        if length == 126:
            [length] = struct.unpack(">H", self.read(2))
        elif length == 127:
            [length] = struct.unpack(">Q", self.read(8))
        return first & 0x0F, self.read(length)

    def expect(self, kind: str, **expected) -> dict:
        """
        The fields of the next message, which must be of this kind and have these fields.
        """
        opcode, payload = self.receive_frame()
        message = json.loads(payload) if opcode == TEXT else {"type": f"opcode {opcode}"}
        fields = message.get("data", {})
        if message["type"] != kind or not expected.items() <= fields.items():
            raise AssertionError(f"expected {kind} {expected}, got {message} {payload!r}")
        return fields

    def expect_close(self, code: int, reason: str) -> None:
        """
        Make sure that the next frame closes the connection.
        """
        got = self.receive_frame()
        if got != (CLOSE, struct.pack(">H", code) + reason.encode()):
            raise AssertionError(f"expected close {code} {reason}, got {got}")

    def close_code(self) -> int:
        """
        The code of the next frame, which must close the connection and say why.
        """
        opcode, payload = self.receive_frame()
        if opcode != CLOSE or len(payload) < 3:
            raise AssertionError(f"expected a close frame, got {opcode} {payload!r}")
        return int.from_bytes(payload[:2])

    def reset(self) -> None:
        """
        End the connection with a TCP reset.
        """
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """
        End the TCP connection.
        """
        self._stream.close()
        self.socket.close()


def frame_head(length: int, opcode: int, *, final: bool = True, masked: bool = True) -> bytes:
    """
    The head of a frame of a client.
    """
    first, mask_bit = opcode | (0x80 if final else 0), 0x80 if masked else 0
    if length < 126:
        head = bytes([first, mask_bit | length])
    elif length < 1 << 16:
        head = struct.pack(">BBH", first, mask_bit | 126, length)
    else:
        head = struct.pack(">BBQ", first, mask_bit | 127, length)
    return head + bytes(4) * masked

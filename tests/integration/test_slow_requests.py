"""
Tests for connections that take their time, or none at all, while others play.
"""

import contextlib
import select
import socket
import struct
import time

from tests.integration.harness import TIMEOUT, ServerTestCase, eventually

PAUSE = 0.01  # seconds between two messages of the players
PATIENCE = 0.5  # seconds that a message between players may take at worst
HEAD = b"GET /v2/ws HTTP/1.1\r\nHost: localhost\r\n"
ABORT = struct.pack("ii", 1, 0)


class SlowRequestTests(ServerTestCase):
    """
    A server that waits a second for each request, and two players.
    """

    settings = {
        "websocket": {"http_header_read_timeout_secs": 1},
        "security": {"max_connections_per_ip": 600},
    }

    def setUp(self):
        """
        The players have a room.
        """
        super().setUp()
        self.alice, self.bob = self.pair()
        self.slowest = 0.0

    def sockets(self, number, first=b""):
        """
        TCP connections, on which something is sent at once.
        """
        for _ in range(number):
            made = socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT)
            self.addCleanup(made.close)
            if first:
                made.sendall(first)
            yield made

    def play(self):
        """
        One message goes from player to player.
        """
        started = time.monotonic()
        self.alice.send("GameData", data=1)
        self.bob.expect("GameData")
        self.slowest = max(self.slowest, time.monotonic() - started)
        time.sleep(PAUSE)

    def wait_for_end(self, clients, nibble=b""):
        """
        Play until the server has ended these connections without a word.

        :param nibble: what each of them sends again and again meanwhile.
        """
        poll, left = select.poll(), {client.fileno(): client for client in clients}
        for number in left:
            poll.register(number, select.POLLIN)
        deadline = time.monotonic() + TIMEOUT
        while left:
            self.assertLess(time.monotonic(), deadline, f"{len(left)} are left")
            self.play()
            for number, _ in poll.poll(0):
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(b"", left[number].recv(1))
                poll.unregister(number)
                del left[number]
            for client in left.values() if nibble else ():
                with contextlib.suppress(ConnectionError):
                    client.sendall(nibble)
        self.assertLess(self.slowest, PATIENCE)
        self.alice.expect_nothing()

    def test_silent(self):
        """
        Connections on which nothing is said are cut.
        """
        self.wait_for_end(list(self.sockets(350)))

    def test_half(self):
        """
        So are those on which half a request is sent.
        """
        self.wait_for_end(list(self.sockets(350, HEAD + b"Upgrade: web")))

    def test_trickling(self):
        """
        So are those on which a request never ends, however often some of it comes.
        """
        self.wait_for_end(list(self.sockets(200, HEAD)), b"X-A: b\r\n")

    def test_body(self):
        """
        Those that announce a body are refused before any of it has come.
        """
        head = b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
        for client in self.sockets(200, head):
            with contextlib.suppress(ConnectionError):
                self.assertEqual(b"HTTP/1.1 413", client.recv(4096)[:12])
            self.play()
        self.assertLess(self.slowest, PATIENCE)

    def test_come_and_go(self):
        """
        A thousand connections that end at once harm nobody, and leave nothing behind.
        """
        for number, client in enumerate(self.sockets(1000)):
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            client.close()
            if not number % 10:
                self.play()
        self.assertLess(self.slowest, PATIENCE)
        eventually(
            lambda: self.server.metrics()["connections"]["active"] == 2, "only the players are left"
        )

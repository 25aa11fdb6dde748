"""
Tests for requests with bodies, which nothing here has a use for.
"""

import socket
import time

from tests.integration.harness import ServerTestCase

HANDSHAKE = (
    b"GET /v2/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
)
PONG = b"\x8a\x80\0\0\0\0"


class BodyTests(ServerTestCase):
    """
    A body is refused before it is read, and costs the others nothing.
    """

    def send(self, head, body):
        """
        What the server answers to a request with a body, of which it may refuse to read all.
        """
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as client:
            try:
                client.sendall(head + b"\r\n" + body)
                answer = client.makefile("rb").read()
            except ConnectionError:
                return b""
        return answer

    def assert_refused(self, head, body):
        """
        A request is refused at once, while others are served.
        """
        started = time.monotonic()
        self.assertIn(self.send(head, body)[:12], (b"", b"HTTP/1.1 413"))
        self.assertLess(self.client().ping(), 1)
        self.assertLess(time.monotonic() - started, 3)

    def test_upload(self):
        """
        An upload is refused, whatever its length, type and path.
        """
        form = b"Content-Type: application/x-www-form-urlencoded\r\n"
        for path in (b"/health", b"/nowhere", b"/v2/ws", b"/metrics"):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + form
            self.assert_refused(head + b"Content-Length: 8000000\r\n", b"a=1&" * 2_000_000)
            self.assert_refused(head + b"Content-Length: 99999999999\r\n", b"a=1&" * 1000)

    def test_chunks(self):
        """
        A body of unknown length is refused.
        """
        head = b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        self.assert_refused(head, b"5\r\nhello\r\n0\r\n\r\n")

    def test_handshake(self):
        """
        A WebSocket handshake has no body.
        """
        body = PONG * 500_000
        self.assert_refused(HANDSHAKE + b"Content-Length: %d\r\n" % len(body), body)
        self.assert_refused(HANDSHAKE + b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n")

    def test_no_body(self):
        """
        A length of nothing is no body.
        """
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as client:
            client.sendall(HANDSHAKE + b"Content-Length: 0\r\n\r\n")
            self.assertEqual(b"HTTP/1.1 101", client.recv(12))

    def test_old_http(self):
        """
        A WebSocket handshake needs HTTP/1.1.
        """
        answer = self.send(HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0"), b"")
        self.assertIn(b" 400 ", answer[:13])

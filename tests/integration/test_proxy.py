"""
Tests for clients behind reverse proxies.
"""

import socket

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.harness import RawClient, Server, ServerTestCase

HANDSHAKE = (
    b"GET /v2/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Forwarded(RawClient):
    """
    A client that comes through a proxy.

    :param start: what the proxy sends before the request.
    :param header: what the proxy adds to the request.
    """

    def __init__(self, port, *, start=b"", header=b""):
        super().__init__(port, upgrade=False)
        self.send_raw(start + HANDSHAKE + header + b"\r\n")
        if self.read_line()[:12] != b"HTTP/1.1 101":
            raise AssertionError("no WebSocket")
        while self.read_line().strip():
            pass


class TrustedTests(ServerTestCase):
    """
    A server that believes a proxy on the same machine, and lets an address have two connections.
    """

    settings = {
        "security": {"max_connections_per_ip": 2, "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]}
    }

    def through(self, header):
        """
        A connection for which the proxy has added a header.
        """
        client = Forwarded(self.server.port, header=header + b"\r\n")
        self.addCleanup(client.close)
        return client

    def test_counted_apart(self):
        """
        Many clients of one proxy may connect; each of them is held to its own limit, and told so.
        """
        for number in range(20):
            client = self.through(b"X-Forwarded-For: 6.6.6.6, 192.0.2.%d, 10.1.1.1" % number)
            client.send("Ping")
            client.expect("Pong")
        self.through(b'Forwarded: for="192.0.2.1:4000";proto=https')
        refused = self.through(b"X-Forwarded-For: 192.0.2.1")
        message = "Too many connections from your IP (2/2)"
        refused.expect("Error", error_code="TOO_MANY_CONNECTIONS", message=message)
        refused.expect_close(1013, "too_many_connections")


class ProxyProtocolTests(SynchronousTestCase):
    """
    A server whose connections begin with a PROXY header.
    """

    def test_counted_apart(self):
        """
        The address in the PROXY header counts, and no header of the request.
        """
        endpoint = "haproxy:tcp:0:interface=127.0.0.1"
        server = ProxyProtocolServer(
            {"security": {"max_connections_per_ip": 2, "trusted_proxies": ["127.0.0.1"]}},
            ("--listen", endpoint),
        )
        self.addCleanup(server.kill)
        clients = []
        for number in (1, 2, 3, 4, 5, 1):
            start = b"PROXY TCP4 192.0.2.%d 127.0.0.1 5000 80\r\n" % number
            header = b"X-Forwarded-For: 198.51.100.%d\r\n" % len(clients)
            clients.append(Forwarded(server.port, start=start, header=header))
            clients[-1].send("Ping")
            clients[-1].expect("Pong")
        refused = Forwarded(server.port, start=b"PROXY TCP4 192.0.2.1 127.0.0.1 5000 80\r\n")
        refused.expect("Error", error_code="TOO_MANY_CONNECTIONS")
        refused.expect_close(1013, "too_many_connections")
        self.assertEqual(1, server.log.count("security.trusted_proxies"))
        for client in (*clients, refused):
            client.close()
        server.stop()


class ProxyProtocolServer(Server):
    """
    A server that is reached through HAProxy only.
    """

    def get(self, path):
        """
        The page at a path.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            client.sendall(
                b"PROXY TCP4 192.0.2.99 127.0.0.1 5000 80\r\n"
                b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode()
            )
            answer = client.makefile("rb").read()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise AssertionError(answer)
        return answer.partition(b"\r\n\r\n")[2].decode()

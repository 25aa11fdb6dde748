"""
Tests for signalfish.net.web.
"""

import json

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from signalfish.net import web
from tests.net.fakes import Client, Server

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade")
KEY = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")


class WebTests(SynchronousTestCase):
    """
    What can be had over HTTP.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server()

    def get(self, target, *headers, method="GET"):
        """
        The status, headers and body of a response.
        """
        status, headers, body = self.server.plain().request(target, *headers, method=method)
        return int(status.split()[1]), headers, body

    def test_health(self):
        """
        Whoever asks for the health of the server is told that it is well, and not to keep that.
        """
        for path in ("/health", "/v2/health", "/health?deep=1"):
            status, headers, body = self.get(path)
            self.assertEqual((200, b"OK"), (status, body))
            self.assertEqual("text/plain; charset=utf-8", headers["content-type"])
            self.assertEqual("no-store", headers["cache-control"])

    def test_slow(self):
        """
        A request must arrive in time, however it trickles in; so must the next one.
        """
        silent, trickling, served, again = [self.server.plain() for _ in range(4)]
        trickling.socket.receive(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        again.request("/health")
        for second in range(9):
            self.server.pass_time(1)
            trickling.socket.receive(b"X-%d: y\r\n" % second)
        self.assertEqual("HTTP/1.1 200 OK", served.request("/health")[0])
        self.assertFalse(any(client.socket.aborting for client in self.server.clients))
        self.server.pass_time(1)
        self.assertTrue(all(client.socket.aborting for client in (silent, trickling, again)))
        self.assertFalse(served.socket.aborting)
        self.server.pass_time(9)
        self.assertTrue(served.socket.aborting)

    def test_upgraded(self):
        """
        A connection that has become a WebSocket may stay.
        """
        client, _ = self.server.open()
        self.server.pass_time(20)
        self.assertFalse(client.socket.aborting)
        self.assertIsNone(client.socket.lost)

    def test_large_request(self):
        """
        A request with too many or too large headers is refused.
        """
        for headers in (["X-A: b"] * 501, ["X-A: " + "b" * 4000] * 5):
            self.assertEqual(400, self.get("/health", *headers)[0])
        self.assertEqual(200, self.get("/health", *["X-A: b"] * 400)[0])

    def test_client_config(self):
        """
        Any web page can be told how large messages to a client may be.
        """
        for path in ("/v2/client-config", "/v3/client-config"):
            status, headers, body = self.server.plain().request(path)
            self.assertEqual("HTTP/1.1 200 OK", status)
            self.assertEqual({"max_outbound_message_size": 8388608}, json.loads(body))
            self.assertEqual("no-store", headers["cache-control"])
            self.assertEqual("*", headers["access-control-allow-origin"])

    def test_json(self):
        """
        Metrics are JSON.
        """
        for path in ("/metrics", "/v1/metrics", "/v2/metrics"):
            status, headers, body = self.get(path)
            self.assertEqual((200, {"rooms": 1}), (status, json.loads(body)))
            self.assertEqual("application/json", headers["content-type"])

    def test_prometheus(self):
        """
        Metrics are Prometheus text at a path of their own.
        """
        for path in ("/metrics/prom", "/v1/metrics/prom", "/v2/metrics/prom"):
            status, headers, body = self.get(path)
            self.assertEqual((200, b"rooms 1\n"), (status, body))
            self.assertEqual(PROMETHEUS, headers["content-type"])

    def test_accept(self):
        """
        Metrics are Prometheus text for those who prefer it.
        """
        scrape = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
        browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        for accept, content_type in {
            "text/plain": PROMETHEUS,
            "TEXT/PLAIN;version=0.0.4": PROMETHEUS,
            scrape: PROMETHEUS,
            f"{scrape},*/*;q=0.1": PROMETHEUS,
            "application/json;q=0.5, text/plain": PROMETHEUS,
            "text/html,text/plain;q=0.1": PROMETHEUS,
            "application/json": "application/json",
            "application/json, text/plain;q=0.9": "application/json",
            "application/json, text/plain": "application/json",
            "text/plain;q=0": "application/json",
            "text/plain;q=much": "application/json",
            "*/*": "application/json",
            browser: "application/json",
            "nonsense": "application/json",
            "": "application/json",
        }.items():
            _, headers, _ = self.get("/metrics", f"Accept: {accept}")
            self.assertEqual(content_type, headers["content-type"], accept)

    def test_head(self):
        """
        HEAD is answered as GET is, without the body.
        """
        for path in ("/health", "/metrics", "/metrics/prom"):
            _, expected, body = self.get(path)
            status, headers, nothing = self.get(path, method="HEAD")
            self.assertEqual((200, b""), (status, nothing))
            self.assertEqual(str(len(body)), headers["content-length"])
            self.assertEqual(expected["content-type"], headers["content-type"])

    def test_not_found(self):
        """
        Anywhere else there is nothing.
        """
        for path in (
            "/",
            "/v2/",
            "/v3/health",
            "/v1/ws",
            "/v1/health",
            "/health/",
            "/health/x",
            "/ws/",
            "/v2/ws/x",
            "/metrics/",
            "/metrics/x",
            "/metrics/prom/x",
            "/index.html",
            "/%2e%2e/ws",
        ):
            status, headers, body = self.get(path)
            self.assertEqual((404, b"Not found\n"), (status, body), path)
            self.assertEqual("text/plain; charset=utf-8", headers["content-type"])

    def test_branches(self):
        """
        There is nothing at a version itself.
        """
        for path in ("/v1", "/v2", "/v3"):
            self.assertEqual(404, self.get(path)[0], path)

    def test_no_upgrade(self):
        """
        A WebSocket endpoint tells those who want none what it is.
        """
        for path in ("/ws", "/v2/ws", "/v3/ws"):
            for headers in ((), ("Upgrade: h2c", "Connection: Upgrade")):
                status, answer, body = self.get(path, *headers)
                self.assertEqual((400, "websocket"), (status, answer["upgrade"]))
                self.assertEqual(b"This is a WebSocket endpoint\n", body)

    def test_method(self):
        """
        A WebSocket endpoint takes GET only.
        """
        for method in ("POST", "PUT", "HEAD", "OPTIONS"):
            status, headers, _ = self.get("/v2/ws", *UPGRADE, *KEY, method=method)
            self.assertEqual((405, "get"), (status, headers["allow"]))
        self.assertEqual([], self.server.receivers)

    def test_upgrade(self):
        """
        All endpoints accept handshakes, with a query too.
        """
        for path in ("/ws", "/v2/ws", "/v3/ws", "/ws?x=1"):
            status, headers, _ = self.get(path, *UPGRADE, *KEY)
            self.assertEqual(101, status)
            self.assertEqual("s3pplmbitxaq9kygzzhzrbk+xoo=", headers["sec-websocket-accept"])
        self.assertEqual(4, len(self.server.receivers))

    def test_case(self):
        """
        The case of the names of protocols does not matter.
        """
        headers = ("UPGRADE: WebSocket", "CONNECTION: keep-alive, upgrade")
        self.assertEqual(101, self.get("/ws", *headers, *KEY)[0])

    def test_any_origin(self):
        """
        Pages of any origin may connect.
        """
        for origin in (
            "null",
            "https://game.example",
            "http://localhost:8080",
            "tauri://localhost",
            "capacitor://localhost",
            "file://",
            "nonsense",
        ):
            self.assertEqual(101, self.get("/ws", *UPGRADE, *KEY, f"Origin: {origin}")[0], origin)

    def test_bad_handshake(self):
        """
        A handshake that is none is answered 400, and the connection closed.
        """
        key, version = KEY
        for headers in (
            (key,),
            (version,),
            (key, "Sec-WebSocket-Version: 8"),
            (key, "Sec-WebSocket-Version: x"),
            ("Sec-WebSocket-Key: short", version),
        ):
            client = self.server.plain()
            status, _, _ = client.request("/ws", *UPGRADE, *headers)
            self.assertEqual("400", status.split()[1], headers)
            client.socket.turn()
            self.assertIsNotNone(client.socket.lost, headers)
        self.assertEqual([], self.server.receivers)
        self.assertEqual(0, self.server.factory.traffic.connections)

    def test_keep_alive(self):
        """
        One connection can be asked many times, and become a WebSocket at last.
        """
        client = self.server.plain()
        for _ in range(3):
            self.assertEqual(b"OK", client.request("/health")[2])
        client.upgrade()
        self.assertEqual(1, len(self.server.receivers))

    def test_idle_http(self):
        """
        A connection that asks for nothing for ten seconds is closed.
        """
        client = self.server.plain()
        self.server.pass_time(9)
        client.socket.turn()
        self.assertIsNone(client.socket.lost)
        self.server.pass_time(2)
        client.socket.turn()
        self.assertIsNotNone(client.socket.lost)

    def test_no_log(self):
        """
        Requests are not logged.
        """
        lines = []
        site = self.server.site.wrappedFactory
        site.logFile = type("Log", (), {"write": lines.append})()
        self.get("/health")
        self.assertEqual([], lines)

    def test_below(self):
        """
        The resources can be a part of a larger site.
        """
        root = Resource()
        root.putChild(
            b"signal", web.resources(self.server.factory, lambda: {"rooms": 2}, lambda: b"")
        )
        site = Site(root, reactor=self.server.reactor)
        client = Client(self.server.reactor, site)
        self.assertEqual(b'{"rooms":2}', client.request("/signal/metrics")[2])
        client.upgrade("/signal/v2/ws")
        [receiver] = self.server.receivers
        self.assertEqual("/signal/v2/ws", receiver.path)
        client.say("Ping")
        self.assertEqual(1, len(receiver.messages))


class MetricsTokenTests(SynchronousTestCase):
    """
    Metrics that are not for everybody.
    """

    PATHS = [
        prefix + path for prefix in ("", "/v1", "/v2") for path in ("/metrics", "/metrics/prom")
    ]

    def setUp(self):
        """
        A server with a token.
        """
        self.server = Server()
        resource = web.resources(
            self.server.factory, lambda: {"rooms": 1}, lambda: b"rooms 1\n", b"s3cret"
        )
        self.site = web.site(resource, self.server.reactor)

    def get(self, target, *headers, method="GET"):
        """
        The status, headers and body of a response.
        """
        client = Client(self.server.reactor, self.site)
        status, headers, body = client.request(target, *headers, method=method)
        return int(status.split()[1]), headers, body

    def test_with_token(self):
        """
        Whoever has the token sees all metrics.
        """
        for path in self.PATHS:
            for method in ("GET", "HEAD"):
                status, _, _ = self.get(path, "Authorization: Bearer s3cret", method=method)
                self.assertEqual(200, status, path)
        _, _, body = self.get("/metrics", "Authorization: Bearer s3cret")
        self.assertEqual({"rooms": 1}, json.loads(body))

    def test_without_token(self):
        """
        Others see nothing at all.
        """
        for headers in (
            (),
            ("Authorization: Bearer",),
            ("Authorization: Bearer ",),
            ("Authorization: s3cret",),
            ("Authorization: Basic s3cret",),
            ("Authorization: bearer s3cret",),
            ("Authorization: Bearer  s3cret",),
            ("Authorization: Bearer s3cre",),
            ("Authorization: Bearer s3crets",),
            ("Authorization: Bearer S3cret",),
            ("Authorization: Bearer s3cr\u00e9t",),
            ("Authorization: Bearer s3cret", "Authorization: Bearer s3cret"),
            ("X-Authorization: Bearer s3cret",),
        ):
            for path in self.PATHS:
                for method in ("GET", "HEAD"):
                    status, answer, body = self.get(path, *headers, method=method)
                    self.assertEqual((401, b""), (status, body), headers)
                    self.assertNotIn("www-authenticate", answer)
        status, _, body = self.get("/metrics?token=s3cret&access_token=s3cret")
        self.assertEqual((401, b""), (status, body))

    def test_other_pages(self):
        """
        The token is for metrics only.
        """
        for path in ("/health", "/livez", "/readyz", "/v2/client-config"):
            self.assertEqual(200, self.get(path)[0])
        self.assertEqual(101, self.get("/ws", *UPGRADE, *KEY)[0])

"""
Tests for what the server shows over HTTP.
"""

import json

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.harness import ServerTestCase

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class PageTests(ServerTestCase):
    """
    Pages and their methods.
    """

    def ask(self, path, method="GET", **headers):
        """
        The status, content type and body that the server answers with.
        """
        response, body = self.server.request(method, path, headers)
        return response.status, response.getheader("Content-Type"), body

    def test_health(self):
        """
        The server says that it is well, and that the answer is only good for now.
        """
        for path in ("/health", "/v2/health", "/v2/health?verbose=1"):
            response, body = self.server.request("GET", path)
            self.assertEqual((200, b"OK"), (response.status, body))
            self.assertEqual("text/plain; charset=utf-8", response.getheader("Content-Type"))
            self.assertEqual("no-store", response.getheader("Cache-Control"))

    def test_head(self):
        """
        HEAD gets what GET gets, without the body.
        """
        for path in ("/health", "/v2/health", "/metrics/prom"):
            response, body = self.server.request("HEAD", path)
            self.assertEqual((200, b""), (response.status, body))
            self.assertGreater(int(response.getheader("Content-Length")), 0)

    def test_nothing_there(self):
        """
        Everywhere else is nothing, whatever the method.
        """
        for path in (
            "/",
            "/favicon.ico",
            "/v2/",
            "/v2/nope",
            "/v3/nope",
            "/v2/ws/more",
            "/health/",
            "/health/more",
            "//health",
            "/V2/health",
            "/v2/../health",
            "/metrics/",
            "/metrics/prom/more",
            "/%00",
        ):
            for method in ("GET", "HEAD", "POST", "OPTIONS"):
                status, content_type, _ = self.ask(path, method)
                self.assertEqual(
                    (404, "text/plain; charset=utf-8"), (status, content_type), f"{method} {path}"
                )

    def test_branches(self):
        """
        The part of a path before its last slash is no page.
        """
        for path in ("/v1", "/v2"):
            self.assertEqual(404, self.ask(path)[0], path)

    def test_methods(self):
        """
        Pages can only be read.
        """
        for path in ("/health", "/metrics", "/metrics/prom"):
            response, _ = self.server.request("POST", path)
            self.assertEqual(405, response.status)
            self.assertEqual({"GET", "HEAD"}, set(response.getheader("Allow").split(", ")))

    def test_other_methods(self):
        """
        Other methods that everybody knows are refused alike.
        """
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
            self.assertEqual(405, self.ask("/health", method)[0], method)

    def test_web_socket_endpoint(self):
        """
        A WebSocket endpoint says what it is.
        """
        for path in ("/ws", "/v2/ws"):
            response, body = self.server.request("GET", path)
            self.assertEqual((400, b"This is a WebSocket endpoint\n"), (response.status, body))
            self.assertEqual("websocket", response.getheader("Upgrade"))
            for method in ("HEAD", "POST", "OPTIONS"):
                response, _ = self.server.request(method, path)
                self.assertEqual(
                    (405, "GET"), (response.status, response.getheader("Allow")), method
                )

    def test_one_connection(self):
        """
        Several requests may share a connection, and it can become a WebSocket in the end.
        """
        client = self.raw_client(upgrade=False)
        client.send_raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        for _ in range(2):
            self.assertEqual(b"HTTP/1.1 200 OK\r\n", client.read_line())
            client.skip_headers()
            self.assertEqual(b"OK", client.read(2))
        client.upgrade()
        client.send_frame(b'{"type":"Ping"}')
        client.expect("Pong")

    def test_upgrade_headers(self):
        """
        The answer to a handshake can be told from others.
        """
        first, second = (self.client().response.headers for _ in range(2))
        self.assertEqual("accepted", first["x-signal-fish-upgrade-outcome"])
        self.assertRegex(first["x-signal-fish-request-id"], r"\A[0-9a-f]{8}(-[0-9a-f]{4,12}){4}\Z")
        self.assertNotEqual(first["x-signal-fish-request-id"], second["x-signal-fish-request-id"])


class MetricsTests(ServerTestCase):
    """
    Figures for operators.
    """

    def scrape(self, path="/metrics/prom", **headers):
        """
        The value of each metric without labels, as Prometheus reads them.
        """
        response, body = self.server.request("GET", path, headers)
        self.assertEqual((200, PROMETHEUS), (response.status, response.getheader("Content-Type")))
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
            if not sample.labels
        }

    def test_json(self):
        """
        The figures follow what happens.
        """
        before = self.server.metrics()
        alice, bob = self.pair(game_name="figures")
        alice.send("GameData", data=1)
        bob.expect("GameData")
        response, body = self.server.request("GET", "/metrics")
        self.assertEqual(
            ("application/json", "no-store"),
            (response.getheader("Content-Type"), response.getheader("Cache-Control")),
        )
        figures = json.loads(body)
        self.assertEqual(1, figures["roomsByGame"]["figures"])
        now = figures["serverMetrics"]
        for section, name, growth in (
            ("connections", "total", 2),
            ("connections", "active", 2),
            ("rooms", "created", 1),
            ("rooms", "joined", 1),
            ("players", "joined", 2),
            ("players", "active", 2),
            ("messages", "gameData", 1),
            ("messages", "received", 3),
        ):
            self.assertEqual(growth, now[section][name] - before[section][name], name)

    def test_prometheus(self):
        """
        Prometheus can read the figures.
        """
        before = self.scrape()
        self.seat("Alice")
        now = self.scrape()
        for name in (
            "signal_fish_connections_total",
            "signal_fish_connections_active",
            "signal_fish_rooms_created_total",
            "signal_fish_rooms_live",
            "signal_fish_players_active",
        ):
            self.assertEqual(1, now[name] - before[name], name)

    def test_closes(self):
        """
        Closes are counted by their code.
        """
        client = self.client()
        client.send("Authenticate", app_id="moth-chess", protocol_version=0)
        client.expect("AuthenticationError")
        client.expect_close(1000, "unregistered")
        self.assertIn(
            'signal_fish_websocket_closes_total{code="1000"}', self.server.get("/metrics/prom")
        )

    def test_paths(self):
        """
        The figures can be had under the paths of older servers too.
        """
        for prefix in ("", "/v1", "/v2"):
            self.assertIn("serverMetrics", json.loads(self.server.get(f"{prefix}/metrics")))
            self.assertIn("signal_fish_rooms_live", self.scrape(f"{prefix}/metrics/prom"))

    def test_accept(self):
        """
        A scraper, whose first choice is text, gets the Prometheus format under the usual path.
        """
        for accept in (
            "text/plain",
            "text/plain;version=0.0.4;q=0.5, */*;q=0.1",
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
        ):
            self.assertIn("signal_fish_rooms_live", self.scrape("/metrics", Accept=accept))
        for accept in ("*/*", "application/json", "text/html,*/*;q=0.8", ""):
            response, _ = self.server.request("GET", "/metrics", {"Accept": accept})
            self.assertEqual("application/json", response.getheader("Content-Type"), accept)

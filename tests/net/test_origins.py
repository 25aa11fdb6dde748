"""
Tests for signalfish.net.origins.
"""

import json

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.binding import Binder
from signalfish.net.origins import Origins
from tests.net.fakes import Server

GAME, OTHER = "https://game.example", "https://other.example"
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)


class OriginTests(SynchronousTestCase):
    """
    A server for the pages of one game, and for pages without an origin.
    """

    def setUp(self):
        """
        A server.
        """
        self.server = Server()
        self.server.factory.origins = Origins({GAME, "null"})

    def upgrade(self, *origins, path="/v2/ws"):
        """
        The status and outcome of a handshake.
        """
        headers = [f"Origin: {origin}" for origin in origins]
        status, answer, body = self.server.plain().request(path, *UPGRADE, *headers)
        code = int(status.split()[1])
        if code == 403:
            self.assertEqual(b"WebSocket Origin is not allowed\n", body)
            self.assertIn("x-signal-fish-request-id", answer)
        return code, answer["x-signal-fish-upgrade-outcome"]

    def test_upgrade(self):
        """
        Only pages that are listed may connect, and programs that are no pages.
        """
        for path in ("/ws", "/v2/ws", "/v3/ws"):
            for origin in (GAME, "null"):
                self.assertEqual((101, "accepted"), self.upgrade(origin, path=path), origin)
            self.assertEqual((101, "accepted"), self.upgrade(path=path))
            for origin in (
                OTHER,
                GAME + "/",
                GAME.upper(),
                f"{GAME}:443",
                "",
                "*",
                f"{GAME}, {GAME}",
            ):
                self.assertEqual((403, "rejected_origin"), self.upgrade(origin, path=path), origin)

    def test_two(self):
        """
        Who names two origins may not connect.
        """
        self.assertEqual((403, "rejected_origin"), self.upgrade(GAME, GAME))

    def test_any(self):
        """
        Where no origins are listed, any page may connect.
        """
        self.server.factory.origins = Origins()
        for origin in (OTHER, "null", "app://game", "nonsense"):
            self.assertEqual((101, "accepted"), self.upgrade(origin))

    def test_order(self):
        """
        The origin is looked at before anything else is.
        """
        self.server.factory.binder = Binder(bytes, required=True)
        self.server.factory.warning = object()
        self.assertEqual((403, "rejected_origin"), self.upgrade(OTHER))
        self.assertEqual((503, "rejected_draining"), self.upgrade(GAME))
        self.server.factory.warning = None
        self.assertEqual((400, "rejected_token_binding_negotiation"), self.upgrade(GAME))

    def config(self, *origins):
        """
        The headers that tell a browser who may read the configuration for clients.
        """
        headers = [f"Origin: {origin}" for origin in origins]
        _, answer, body = self.server.plain().request("/v2/client-config", *headers)
        self.assertIn("max_outbound_message_size", json.loads(body))
        return answer.get("access-control-allow-origin"), answer.get("vary")

    def test_sharing(self):
        """
        The same pages may read the configuration for clients.
        """
        self.assertEqual((GAME.lower(), "origin"), self.config(GAME))
        self.assertEqual((None, "origin"), self.config(OTHER))
        self.assertEqual((None, "origin"), self.config(GAME, OTHER))
        self.assertEqual((None, "origin"), self.config())
        self.server.factory.origins = Origins()
        self.assertEqual(("*", None), self.config(OTHER))

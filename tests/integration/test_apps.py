"""
Players of several applications on one real server.
"""

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.harness import Client, Server

OWN = {"app_id": "reef-racers", "app_name": "Reef Racers", "max_players_per_room": 2}
OTHER = {"app_id": "moth-chess", "app_name": "Moth Chess"}


class AppsTests(SynchronousTestCase):
    """
    A server that lists one application in its settings, and one in a file.
    """

    def setUp(self):
        """
        Start the server.
        """
        file = Path(self.mktemp()).resolve()
        file.write_text(json.dumps({"apps": [OTHER]}))
        listed = {"allowed_apps": [OWN], "app_auth_path": str(file)}
        self.server = Server({"security": listed})
        self.addCleanup(self.server.stop)

    def client(self, path="/v2/ws"):
        """
        A connection.
        """
        client = Client(self.server.url(path))
        self.addCleanup(client.close)
        return client

    def enter(self, app_id, name):
        """
        A client of an application.
        """
        client = self.client("/v3/ws")
        client.send("Authenticate", app_id=app_id)
        client.expect("Authenticated", app_name=name)
        client.expect("ProtocolInfo")
        return client

    def test_strangers(self):
        """
        Nobody else gets in.
        """
        client = self.client()
        client.send("JoinRoom", game_name="g", player_name="stranger")
        client.expect("Error", error_code="MISSING_APP_ID")
        client.expect_close(1000, "unregistered")
        client = self.client()
        client.send("Authenticate", app_id="other")
        client.expect("AuthenticationError", error_code="INVALID_APP_ID", error="InvalidAppId")
        client.expect_close(1000, "unregistered")
        self.assertIn("Open to clients of listed applications (2) only", self.server.log)

    def test_apart(self):
        """
        Players meet those of their own application, under codes that others use too.
        """
        ada, bo = self.enter("reef-racers", "Reef Racers"), self.enter("moth-chess", "Moth Chess")
        request = {"game_name": "g", "room_code": "AAAAAA"}
        for client, capacity in ((ada, 2), (bo, 8)):
            client.send("JoinRoom", player_name="one", **request)
            joined = client.expect("RoomJoined", max_players=capacity)
            self.assertEqual(1, len(joined["current_players"]))
        cem = self.enter("reef-racers", "Reef Racers")
        cem.send("JoinRoom", player_name="two", **request)
        joined = cem.expect("RoomJoined")
        self.assertEqual(["one", "two"], [player["name"] for player in joined["current_players"]])
        dee = self.enter("reef-racers", "Reef Racers")
        dee.send("JoinRoom", game_name="h", player_name="dee", max_players=8)
        text = "Requested room capacity 8 exceeds the application limit 2"
        dee.expect("RoomJoinFailed", error_code="INVALID_MAX_PLAYERS", reason=text)

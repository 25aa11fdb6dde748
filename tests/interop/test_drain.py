"""
Tests for official clients whose server stops.
"""

from tests.integration.harness import Client, Server
from tests.interop.cases import InteropTestCase

GRACE = 2


class DrainTests(InteropTestCase):
    """
    A game of both versions and both releases, on a server that is asked to stop.
    """

    def setUp(self):
        """
        Start the game on a server that nobody else uses, with somebody who has no room.
        """
        super().setUp()
        self.server = Server(variables={"SIGNAL_FISH__SERVER__DRAIN_GRACE_SECS": str(GRACE)})
        self.addCleanup(self.server.kill)
        self.ann = self.join(self.puppet("/v3/ws", mode="mesh"), "Ann", max_players=5)
        self.code = self.ann.room["code"]
        self.old = self.late("/v3/ws", "Old", release="0.10", mode="v3")
        self.vic = self.late("/v2/ws", "Vic")
        self.eve = self.late("/v2/ws", "Eve", release="0.10")
        self.sue = self.spectator(self.code, self.puppet("/v3/ws", mode="v3"))
        self.lone = self.puppet("/v3/ws", mode="v3")
        self.players = (self.ann, self.old, self.vic, self.eve)
        for puppet in self.players:
            puppet.do("ready")
            puppet.settle()
        self.ann.do("start")
        for puppet in (*self.players, self.sue):
            puppet.wait("GameStarting")

    def late(self, path, name, **options):
        """
        One more player.
        """
        return self.join(self.puppet(path, **options), name, code=self.code)

    def test_drain(self):
        """
        Clients of version 3 are warned, all play on until they are closed, and nobody leaves.
        """
        self.server.terminate()
        for puppet in (self.ann, self.old, self.sue, self.lone):
            warning = puppet.wait("GoingAway")
            self.assertEqual(GRACE, warning["retry_after_secs"])
            self.assertGreater(warning["deadline_ms"], 0)
        self.assert_plays(self.vic, "one more", self.ann, self.old, self.eve, self.sue)
        self.lone.do("join", game="reef-racers", name="Lone")
        self.lone.wait("RoomJoinFailed", code="SERVER_DRAINING")
        self.lone.do("watch", game="reef-racers", code=self.code, name="Lone")
        self.lone.wait("SpectatorJoinFailed", code="SERVER_DRAINING")
        self.join(self.lone, "Lone", code=self.code)
        self.assertEqual(503, self.server.request("GET", "/readyz")[0].status)
        everybody = (*self.players, self.sue, self.lone)
        for puppet in everybody:
            puppet.wait("Disconnected", code=4000, why="server_shutdown")
            self.assertNotIn("PlayerLeft", puppet.history)
        self.assertNotIn("GoingAway", self.vic.history + self.eve.history)
        self.server.wait()

    def test_no_return(self):
        """
        Who is lost during the drain cannot return; a token promises nothing then.
        """
        self.server.terminate()
        self.ann.wait("GoingAway")
        room = self.old.room
        self.old.die()
        self.ann.wait("PlayerLeft", player=room["player"])
        self.lone.do("reconnect", player=room["player"], room=room["room"], token=room["token"])
        self.lone.wait("ReconnectionFailed", code="SERVER_DRAINING")
        with self.assertRaisesRegex(Exception, "503"):
            Client(self.server.url())
        self.ann.wait("Disconnected", code=4000, why="server_shutdown")
        self.server.wait()

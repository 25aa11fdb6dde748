"""
Players whom the backend of their game has let in, on a real server.
"""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.harness import Client, Server, environment

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mint_connect_token.py"


def backend(*arguments):
    """
    What the documented program of a backend prints.
    """
    return subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments],
        check=True,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=60,
        text=True,
    ).stdout.split()


class ConnectTokenTests(SynchronousTestCase):
    """
    A server that requires connect tokens.
    """

    def test_game(self):
        """
        A player gets in with a token of the backend, after a try with a wrong one; no other does.
        """
        _, private, _, public = backend("new-key")
        key = Path(self.mktemp()).resolve()
        key.write_text(public)
        tokens = {"public_key_path": str(key), "required": True}
        server = Server({"security": {"connect_token": tokens}})
        self.addCleanup(server.stop)
        [token] = backend(private, "reef-racers")

        stranger = Client(server.url())
        self.addCleanup(stranger.close)
        stranger.send("JoinRoom", game_name="g", player_name="stranger")
        stranger.expect("Error", error_code="MISSING_APP_ID")
        stranger.expect_close(1000, "unregistered")

        player = Client(server.url())
        self.addCleanup(player.close)
        for wrong, code in (
            ({}, "CONNECT_TOKEN_REQUIRED"),
            ({"connect_token": token[:-1]}, "CONNECT_TOKEN_INVALID"),
        ):
            player.send("Authenticate", app_id="reef-racers", **wrong)
            player.expect("AuthenticationError", error_code=code)
        player.send("Authenticate", app_id="reef-racers", connect_token=token)
        player.expect("Authenticated")
        player.expect("ProtocolInfo")
        player.join("player")
        self.assertIn("Open to everybody with a connect token", server.log)
        self.assertNotIn(token, server.log)

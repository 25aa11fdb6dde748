"""
Tests for the scripted game of the README.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.integration.harness import TIMEOUT, ServerTestCase, environment

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "two_players.py"


def run_script(url):
    """
    Play the game.
    """
    return subprocess.run(
        [sys.executable, str(SCRIPT), url],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=3 * TIMEOUT,
        text=True,
        check=False,
    )


class TwoPlayersTests(ServerTestCase):
    """
    examples/two_players.py tells how a game went.
    """

    def test_game(self):
        """
        Everything happens that the README shows, and the script ends well.
        """
        ended = run_script(self.server.url())
        self.assertEqual((0, ""), (ended.returncode, ended.stderr))
        lines = ended.stdout.splitlines()
        [room] = {match[1] for match in re.finditer(r"room (\w{6})", ended.stdout)}
        for line in (
            f"Alice <- RoomJoined room {room} (waiting) with Alice",
            f"Bob   <- RoomJoined room {room} (waiting) with Alice and Bob",
            "Alice <- GameStarting with players at ports 40417 and 40418",
            "Bob   <- GameStarting with players at ports 40417 and 40418",
            "Alice -- loses the connection",
            f"Alice <- Reconnected room {room} (finalized) with Alice and Bob",
            "Bob   <- PlayerReconnected Alice",
        ):
            self.assertIn(line, lines)
        self.assertEqual("Alice <- RoomLeft", lines[-1])
        missed = lines.index('Bob   -> GameData {"data": {"lap": 2}}')
        [received] = [
            number
            for number, line in enumerate(lines)
            if line.startswith("Alice <- GameData") and '{"lap": 2}' in line
        ]
        self.assertGreater(received, missed)

    def test_readable(self):
        """
        The output fits into a README: not too long, and without the full length of ids.
        """
        lines = run_script(self.server.url()).stdout.splitlines()
        self.assertTrue(30 <= len(lines) <= 45, len(lines))
        self.assertEqual([], [line for line in lines if len(line) > 110 or line.count("-") > 8])

    def test_unreachable(self):
        """
        Without a server, one line says so.
        """
        url = "ws://127.0.0.1:1/v2/ws"
        ended = run_script(url)
        self.assertEqual((1, ""), (ended.returncode, ended.stdout))
        self.assertRegex(ended.stderr, rf"\Atwo_players: {url}: .*refused.*\n\Z")


class CrowdedTests(ServerTestCase):
    """
    The script on a server with room for one connection.
    """

    settings = {"security": {"max_connections_per_ip": 1}}

    def test_unexpected(self):
        """
        If the server says something unexpected, one line tells what.
        """
        ended = run_script(self.server.url())
        self.assertEqual(1, ended.returncode)
        self.assertRegex(
            ended.stderr, r"\Atwo_players: .*Bob expected Authenticated.*TOO_MANY_CONNECTIONS.*\n\Z"
        )

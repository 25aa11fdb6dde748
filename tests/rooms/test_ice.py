"""
Tests for signalfish.rooms.ice.
"""

from base64 import b64decode, b64encode
from hashlib import sha1
from hmac import digest

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.ice import Ice, Turn
from signalfish.wire.types import IceServer

PLAYER = "0e2a6f14-93b7-4c08-b1ad-7f3d25c6e981"
URLS = ("turn:turn.example:3478", "turns:turn.example:5349")
TURN = Turn(URLS, "Jefe")


class TurnTests(SynchronousTestCase):
    """
    Credentials for TURN.
    """

    def test_algorithm(self):
        """
        The credential is made with HMAC-SHA1, whose published vector holds here.
        """
        mac = digest(b"Jefe", b"what do ya want for nothing?", sha1)
        self.assertEqual("7/zfauXrL6LSdBbV8YTfnCWafHk=", b64encode(mac).decode())

    def test_vector(self):
        """
        The user name tells until when it is good, and for whom; the credential proves it.
        """
        server = TURN.server_for(PLAYER, 1937592271.99)
        self.assertEqual(URLS, server.urls)
        self.assertEqual(f"1937595871:{PLAYER}", server.username)
        self.assertEqual("00dmMRI4wArmfZsCXkdDSXY+Wzs=", server.credential)
        mac = digest(b"Jefe", server.username.encode(), sha1)
        self.assertEqual(mac, b64decode(server.credential, validate=True))

    def test_lifetime(self):
        """
        A credential is good for as long as is configured.
        """
        server = Turn(URLS, "Jefe", 60).server_for(PLAYER, 1000.5)
        self.assertEqual(f"1060:{PLAYER}", server.username)

    def test_differs(self):
        """
        Each player, each time and each secret has another credential.
        """
        turns = [TURN, Turn(URLS, "jefe")]
        credentials = {
            turn.server_for(player, now).credential
            for turn in turns
            for player in (PLAYER, PLAYER[::-1])
            for now in (0.0, 1.0)
        }
        self.assertEqual(8, len(credentials))

    def test_secret_is_not_shown(self):
        """
        The secret does not get into logs.
        """
        self.assertNotIn("Jefe", repr(TURN))
        self.assertNotIn("Jefe", repr(Ice(turn=TURN)))


class IceTests(SynchronousTestCase):
    """
    All ICE servers together.
    """

    def test_order(self):
        """
        Those that are told as they are come first, then STUN as one entry, then TURN.
        """
        own = (
            IceServer(urls=("stun:a",)),
            IceServer(urls=("turn:b",), username="u", credential="c"),
        )
        ice = Ice(own, ("stun:c", "stun:d"), TURN)
        servers = ice.servers_for(PLAYER, 1.0)
        self.assertEqual(own, servers[:2])
        stun = IceServer(urls=("stun:c", "stun:d"))
        self.assertEqual((stun, TURN.server_for(PLAYER, 1.0)), servers[2:])
        self.assertEqual((UNSET, UNSET), (servers[2].username, servers[2].credential))

    def test_parts(self):
        """
        What there is none of is left out.
        """
        self.assertEqual((), Ice().servers_for(PLAYER, 1.0))
        self.assertEqual(1, len(Ice(stun=("stun:c",)).servers_for(PLAYER, 1.0)))
        self.assertEqual(1, len(Ice(turn=TURN).servers_for(PLAYER, 1.0)))
        self.assertEqual(1, len(Ice((IceServer(urls=("stun:a",)),)).servers_for(PLAYER, 1.0)))

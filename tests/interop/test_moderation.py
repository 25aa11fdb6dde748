"""
Tests for moderation, by and before official clients.

They have no call for it. The requests and their results pass beside them on their connection, and
they see what comes of it.
"""

import uuid

from tests.interop.cases import Version3TestCase

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"


class ModerationTestCase(Version3TestCase):
    """
    Ann has the authority. Bob plays in version 3, Old too by the old release, Vic in version 2.
    """

    def setUp(self):
        """
        Fill the room, and let somebody watch.
        """
        super().setUp()
        self.ann = self.seat("Ann", max_players=4)
        self.code = self.ann.room["code"]
        self.bob = self.join(self.puppet(), "Bob", code=self.code)
        self.old = self.join(self.puppet(release="0.10"), "Old", code=self.code)
        self.vic = self.join(self.puppet("/v2/ws"), "Vic", code=self.code)
        self.sue = self.spectator(self.code)
        self.everybody = (self.ann, self.bob, self.old, self.vic, self.sue)

    def ask(self, puppet, kind, **data):
        """
        The result of something that a player asks for.
        """
        operation = {"type": kind, "data": data} if data else {"type": kind}
        fields = {"operation_id": str(uuid.uuid4()), "operation": operation}
        puppet.do("raw", message={"type": "RoomOperation", "data": fields})
        result = puppet.wait("Result")
        return {"type": result["type"], **result.get("data", {})}

    def removed(self, kind, victim):
        """
        What the authority gets for sending a player away, which all others learn of.
        """
        player = victim.room["player"]
        result = self.ask(self.ann, kind, player_id=player)
        for puppet in self.everybody:
            if puppet is not victim:
                puppet.wait("PlayerLeft", player=player)
        victim.wait("Disconnected", code=4007, why="kicked")
        return result

    def refused_return(self, victim, *path, **options):
        """
        The code for a player who wants its seat back.
        """
        puppet, room = self.puppet(*path, **options), victim.room
        token = room["token"]
        puppet.do("reconnect", player=room["player"], room=room["room"], token=token)
        return puppet.wait("ReconnectionFailed")["code"]

    def assert_undisturbed(self, *puppets):
        """
        Nobody has been told anything, and the game goes on.
        """
        for puppet in puppets:
            self.assertEqual([], puppet.settle())
        self.assert_plays(puppets[0], "go on", *puppets[1:])


class RemovalTests(ModerationTestCase):
    """
    Kicks and bans.
    """

    def setUp(self):
        """
        Let everything that was sent arrive.
        """
        super().setUp()
        for puppet in self.everybody:
            puppet.settle()

    def test_kick(self):
        """
        A new client is told why it is closed, and that its seat is gone.
        """
        got = self.removed("KickPlayer", self.bob)
        self.assertEqual({"type": "PlayerKicked", "player_id": self.bob.room["player"]}, got)
        self.assertIn("Error", self.bob.history)
        self.assertEqual("KICKED", self.refused_return(self.bob))
        self.assert_undisturbed(self.ann, self.old, self.vic, self.sue)

    def test_kick_old_release(self):
        """
        The old release is closed without an error that it could not decode.
        """
        self.removed("KickPlayer", self.old)
        self.assertNotIn("Error", self.old.history)
        self.assertEqual("RECONNECTION_FAILED", self.refused_return(self.old, release="0.10"))
        self.assert_undisturbed(self.ann, self.bob, self.vic, self.sue)

    def test_kick_version_2(self):
        """
        So is a client of version 2, which may come in again with a new connection.
        """
        self.removed("KickPlayer", self.vic)
        self.assertNotIn("Error", self.vic.history)
        self.join(self.puppet("/v2/ws"), "Vic", code=self.code)
        self.ann.wait("PlayerJoined")

    def test_kick_absent(self):
        """
        Who is away when it is kicked leaves only once, and does not get back.
        """
        self.bob.die()
        for puppet in (self.ann, self.old, self.vic, self.sue):
            puppet.wait("PlayerLeft", player=self.bob.room["player"])
        got = self.ask(self.ann, "KickPlayer", player_id=self.bob.room["player"])
        self.assertEqual("PlayerKicked", got["type"])
        self.assertEqual("KICKED", self.refused_return(self.bob))
        self.assert_undisturbed(self.ann, self.old, self.vic, self.sue)

    def test_ban(self):
        """
        Who is banned does not get back either; unbanning is told to nobody else.
        """
        player = self.bob.room["player"]
        got = self.removed("BanPlayer", self.bob)
        self.assertEqual({"type": "PlayerBanned", "player_id": player}, got)
        self.assertEqual("KICKED", self.refused_return(self.bob))
        got = self.ask(self.ann, "UnbanPlayer", player_id=player)
        self.assertEqual({"type": "PlayerUnbanned", "player_id": player}, got)
        self.assert_undisturbed(self.ann, self.old, self.vic, self.sue)

    def test_kick_spectator(self):
        """
        A spectator is no player, and cannot be kicked.
        """
        got = self.ask(self.ann, "KickPlayer", player_id=self.sue.watching["spectator"])
        self.assertEqual("KICK_TARGET_NOT_FOUND", got["error_code"])
        self.assert_undisturbed(*self.everybody)


class DoorTests(ModerationTestCase):
    """
    The code and the password of the room.
    """

    def test_password(self):
        """
        The authority sets a password, and clears it; those inside notice nothing.
        """
        for puppet in self.everybody:
            puppet.settle()
        got = self.ask(self.ann, "SetRoomAccess", password="correct horse")
        self.assertEqual({"type": "RoomAccessUpdated", "requires_password": True}, got)
        watch = {"game": "reef-racers", "code": self.code, "name": "Cy"}
        cy = self.puppet()
        cy.do("watch", **watch)
        cy.wait("SpectatorJoinFailed", code="PASSWORD_REQUIRED")
        cy.do("watch", **watch, password="correct horse")
        cy.wait("SpectatorJoined")
        for puppet in self.everybody:
            puppet.wait("NewSpectatorJoined")
        got = self.ask(self.ann, "SetRoomAccess", password=None)
        self.assertEqual({"type": "RoomAccessUpdated", "requires_password": False}, got)
        self.spectator(self.code, self.puppet("/v2/ws", release="0.10"))
        for puppet in self.everybody:
            puppet.wait("NewSpectatorJoined")
        self.assert_undisturbed(*self.everybody)

    def test_code(self):
        """
        The room gets another code, and the old one leads nowhere.
        """
        for puppet in self.everybody:
            puppet.settle()
        got = self.ask(self.ann, "RegenerateRoomCode")
        self.assertEqual("RoomCodeRegenerated", got["type"])
        self.assert_undisturbed(*self.everybody)
        cy = self.puppet()
        cy.do("watch", game="reef-racers", code=self.code, name="Cy")
        cy.wait("SpectatorJoinFailed", code="ROOM_NOT_FOUND")
        self.spectator(got["room_code"], cy)
        self.assertEqual(self.ann.room["room"], cy.watching["room"])


class RefusalTests(ModerationTestCase):
    """
    Requests that are refused, which nobody else learns of.
    """

    def refused(self, puppet, kind, player):
        """
        The code of the refusal of a request.
        """
        for other in self.everybody:
            other.settle()
        got = self.ask(puppet, kind, player_id=player)
        self.assertEqual("OperationFailed", got["type"])
        self.assert_undisturbed(*self.everybody)
        return got["error_code"]

    def test_not_authority(self):
        """
        Only the authority may moderate.
        """
        for kind in ("KickPlayer", "BanPlayer", "UnbanPlayer", "TransferAuthority"):
            code = self.refused(self.bob, kind, self.vic.room["player"])
            self.assertEqual("NOT_ROOM_AUTHORITY", code, kind)

    def test_unknown(self):
        """
        The target has to be in the room.
        """
        self.assertEqual("KICK_TARGET_NOT_FOUND", self.refused(self.ann, "KickPlayer", UNKNOWN))
        got = self.refused(self.ann, "TransferAuthority", UNKNOWN)
        self.assertEqual("TRANSFER_TARGET_NOT_FOUND", got)

    def test_itself(self):
        """
        The authority cannot be its own target.
        """
        for kind in ("KickPlayer", "BanPlayer", "TransferAuthority"):
            code = self.refused(self.ann, kind, self.ann.room["player"])
            self.assertEqual("INVALID_INPUT", code, kind)


class TransferTests(ModerationTestCase):
    """
    Another authority, in a game with a host.
    """

    settings = {"session": {"default_topology": "host"}}

    def start(self):
        """
        Start a game of those who can have a host, which is the authority.
        """
        for puppet in (self.old, self.vic):
            puppet.do("leave")
            puppet.wait("RoomLeft")
        for puppet in (self.ann, self.bob):
            puppet.do("ready")
            puppet.settle()
        self.ann.do("start")
        for puppet in (self.ann, self.bob):
            puppet.wait("SessionPlan", topology="host", host=self.ann.room["player"])
        self.sue.settle()

    def transfer(self):
        """
        Give the authority to Bob.
        """
        player = self.bob.room["player"]
        got = self.ask(self.ann, "TransferAuthority", player_id=player)
        self.assertEqual({"type": "AuthorityTransferred", "player_id": player}, got)
        return player

    def test_transfer(self):
        """
        Everybody learns who has the authority, and it may do everything at once.
        """
        player = self.transfer()
        for puppet in self.everybody:
            puppet.wait("AuthorityChanged", player=player, you=puppet is self.bob)
        got = self.ask(self.ann, "KickPlayer", player_id=self.vic.room["player"])
        self.assertEqual("NOT_ROOM_AUTHORITY", got["error_code"])
        got = self.ask(self.bob, "KickPlayer", player_id=self.vic.room["player"])
        self.assertEqual("PlayerKicked", got["type"])

    def test_host_kicked(self):
        """
        The new authority kicks the host, and becomes the host of a new plan.
        """
        self.start()
        player = self.transfer()
        got = self.ask(self.bob, "KickPlayer", player_id=self.ann.room["player"])
        self.assertEqual("PlayerKicked", got["type"])
        self.ann.wait("Disconnected", code=4007)
        self.bob.wait("SessionPlan", topology="host", host=player, peers=[])
        self.sue.wait("PlayerLeft", player=self.ann.room["player"])
        cy = self.join(self.puppet(), "Cy", code=self.code)
        cy.wait("SessionPlan", host=player)
        self.assert_plays(self.bob, 1, cy, self.sue)

"""
Tests for :mod:`signalfish.rooms.moderation`, and for what bans and kicks mean elsewhere.
"""

from signalfish.rooms import moderation, spectators
from signalfish.rooms.access import Lock
from signalfish.rooms.claims import Claims
from signalfish.rooms.rules import StartRule
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.types import LobbyState, Topology
from tests.fakes import V2, V3
from tests.rooms.scene import ALL, JOINED_AT, WINDOW, Scene, SceneTestCase

SALT = b"fedcba9876543210"


class ModerationTestCase(SceneTestCase):
    """
    Ann has the authority; Bea and Cal are players; Dot watches.
    """

    def setUp(self):
        """
        A room for four whose game has not begun.
        """
        self.scene = Scene(4)
        self.room = self.scene.room
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea", V3)
        self.cal, self.dot = self.scene.join("Cal", V3), self.scene.watch("Dot")
        self.scene.hush()

    def kick(self, target, by=None):
        """
        Ann, or somebody else, kicks a guest.
        """
        moderation.kick(self.room, (by or self.ann).place, target.id, self.scene.now)

    def ban(self, target, by=None):
        """
        Ann, or somebody else, bans a guest.
        """
        moderation.ban(self.room, (by or self.ann).place, target.id, self.scene.now)

    def unban(self, target, by=None):
        """
        Ann, or somebody else, lifts a ban.
        """
        moderation.unban(self.room, (by or self.ann).place, target.id)

    def transfer(self, target, by=None):
        """
        Ann, or somebody else, hands the authority over.
        """
        moderation.transfer(self.room, (by or self.ann).place, target.id, self.scene.now)

    def begin(self):
        """
        The game begins.
        """
        players = [guest for guest in (self.ann, self.bea, self.cal) if guest.place.room]
        self.scene.toggle(*players)
        self.scene.start(self.ann)
        self.assertIs(self.room.state, LobbyState.FINALIZED)
        self.scene.hush()

    def assert_banned(self, name, address=""):
        """
        A newcomer may not play.
        """
        guest = self.scene.guest(name, V3, address)
        text = self.assert_refused(ErrorCode.BANNED, self.scene, self.scene.sit, guest)
        self.assertEqual("Player is banned from this room", text)


class AuthorityTests(ModerationTestCase):
    """
    Only the authority moderates.
    """

    def test_not_authority(self):
        """
        Nobody else may do anything, to itself or to others.
        """
        text = "Only the room's authority player may moderate this room"
        for act in (self.kick, self.ban, self.unban):
            for target in (self.ann, self.bea, self.cal):
                told = self.assert_refused(
                    ErrorCode.NOT_ROOM_AUTHORITY, self.scene, act, target, self.bea
                )
                self.assertEqual(text, told)
        told = self.assert_refused(
            ErrorCode.NOT_ROOM_AUTHORITY,
            self.scene,
            moderation.set_lock,
            self.room,
            self.bea.place,
            None,
        )
        self.assertEqual(text, told)
        told = self.assert_refused(
            ErrorCode.NOT_ROOM_AUTHORITY, self.scene, self.transfer, self.bea, self.bea
        )
        self.assertEqual("Only the room's authority player may transfer the authority role", told)

    def test_nobody(self):
        """
        Where nobody has the authority, nobody moderates.
        """
        self.scene.release(self.ann)
        for act in (self.kick, self.ban, self.unban, self.transfer):
            self.assert_refused(ErrorCode.NOT_ROOM_AUTHORITY, self.scene, act, self.bea)

    def test_oneself(self):
        """
        The authority can target others only.
        """
        for act in (self.kick, self.ban):
            text = self.assert_refused(ErrorCode.INVALID_INPUT, self.scene, act, self.ann)
            self.assertEqual("The authority cannot target itself; use LeaveRoom instead", text)
        text = self.assert_refused(ErrorCode.INVALID_INPUT, self.scene, self.transfer, self.ann)
        self.assertEqual("The authority cannot transfer to itself", text)

    def test_no_member(self):
        """
        Spectators, strangers and who has gone for good are no members.
        """
        self.scene.leave(self.cal)
        stranger = self.scene.guest("Eve")
        text = "Moderation target is not a member of this room"
        for target in (self.dot, stranger, self.cal):
            for act in (self.kick, self.ban):
                told = self.assert_refused(ErrorCode.KICK_TARGET_NOT_FOUND, self.scene, act, target)
                self.assertEqual(text, told)
        self.assertEqual({}, self.room.bans)

    def test_expired(self):
        """
        Who could come back, but has not in time, is no member.
        """
        self.scene.lose(self.bea)
        self.scene.wait(WINDOW + 1)
        for act in (self.kick, self.ban):
            refusal = self.assertRaises(Refusal, act, self.bea)
            self.assertEqual(ErrorCode.KICK_TARGET_NOT_FOUND, refusal.code)


class KickTests(ModerationTestCase):
    """
    Players are sent away.
    """

    def test_present(self):
        """
        The player is told and disconnected, and everybody else is told that it left.
        """
        self.kick(self.bea)
        closed = self.bea.closed
        self.assertEqual((CloseCode.KICKED, "kicked"), (closed.code, closed.reason))
        self.assertEqual("Error", closed.farewell.type)
        self.assertEqual(
            {
                "message": "You were removed from the room by its authority player.",
                "error_code": "KICKED",
            },
            closed.farewell.data,
        )
        self.assertEqual(([], 0), (self.bea.told, self.bea.late))
        self.assert_all_heard([self.ann, self.cal, self.dot], "PlayerLeft Bea")
        self.assertIsNone(self.bea.place.room)
        self.assertEqual([self.ann.id, self.cal.id], list(self.room.seats))
        self.assertEqual({}, self.room.absent)

    def test_final_seq(self):
        """
        Version 3 hears how much the player had sent.
        """
        self.scene.send(self.bea, 1)
        self.scene.send(self.bea, 2)
        self.cal.take()
        self.kick(self.bea)
        expected = {"player_id": self.bea.id, "epoch": 1, "final_seq": 2}
        self.assertEqual([expected], [told.data for told in self.cal.take()])

    def test_absent(self):
        """
        A player who is away is expected no longer, and nobody hears of it.
        """
        for begins in (False, True):
            self.setUp()
            if begins:
                self.begin()
            self.scene.lose(self.bea)
            self.scene.hush()
            self.kick(self.bea)
            self.assert_all_heard([self.ann, self.cal, self.dot, self.bea])
            self.assertEqual({}, self.room.absent)
            self.assertTrue(self.bea.place.claim.kicked)

    def test_reserved_seat(self):
        """
        The seat and the name of an absent player are free once it is kicked.
        """
        self.scene = Scene(2)
        self.room = self.scene.room
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.scene.toggle(self.ann, self.bea)
        self.scene.lose(self.bea)
        eve = self.scene.guest("Eve")
        self.assert_refused(ErrorCode.ROOM_FULL, self.scene, self.scene.sit, eve)
        self.kick(self.bea)
        self.scene.join("Bea", address="somewhere else")
        self.assertEqual(2, len(self.room.seats))

    def test_replay_ends(self):
        """
        When nobody is expected any more, nothing is kept for later.
        """
        self.begin()
        self.scene.lose(self.bea)
        self.scene.send(self.ann, 1)
        self.kick(self.bea)
        self.assertEqual([], self.room.replay.data(0))

    def test_lobby(self):
        """
        The lobby of a room that is full no longer is left, after the player.
        """
        self.scene = Scene(2, StartRule.AUTOMATIC)
        self.room = self.scene.room
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.kick(self.bea)
        self.assert_heard(self.ann, "PlayerLeft Bea", "LobbyStateChanged waiting []")

    def test_host(self):
        """
        Without its host a session is planned anew, after the player has left.
        """
        self.scene = scene = Scene(4, StartRule.EXPLICIT, default=Topology.HOST)
        self.room = scene.room
        self.ann, self.bea = scene.join("Ann", V3, able=ALL), scene.join("Bea", V3, able=ALL)
        self.cal = scene.join("Cal", V3, able=ALL)
        scene.toggle(self.ann, self.bea, self.cal)
        scene.start(self.ann)
        self.transfer(self.bea)
        scene.hush()
        self.kick(self.ann, self.bea)
        left, plan = self.cal.heard()
        self.assertEqual("PlayerLeft Ann", left)
        self.assertTrue(plan.startswith("SessionPlan host/"), plan)
        self.assertIn(" of Bea ", plan)

    def test_token(self):
        """
        The token of who was kicked is dead, present or absent, whatever is presented.
        """
        claims = Claims(WINDOW)
        for guest in (self.bea, self.cal):
            claims.add(guest.place.claim)
        self.scene.lose(self.cal)
        for guest in (self.bea, self.cal):
            self.kick(guest)
            claim = guest.place.claim
            for token in (claim.token, "wrong"):
                refusal = self.assertRaises(
                    Refusal, claims.redeem, guest.id, self.room.id, token, self.scene.now
                )
                self.assertEqual(ErrorCode.KICKED, refusal.code)
                self.assertEqual("The seat was removed by the room authority", refusal.text)

    def test_token_is_forgotten(self):
        """
        After another window nobody remembers the token.
        """
        claims = Claims(WINDOW)
        claims.add(self.bea.place.claim)
        self.kick(self.bea)
        claims.prune(self.scene.now + WINDOW)
        self.assertEqual(1, len(claims))
        claims.prune(self.scene.now + WINDOW + 1)
        self.assertEqual(0, len(claims))

    def test_without_token(self):
        """
        A player that was given no token is kicked like any other.
        """
        eve = self.scene.join("Eve", token=False)
        self.scene.hush()
        self.kick(eve)
        self.assertEqual(CloseCode.KICKED, eve.closed.code)
        self.assertEqual("PlayerLeft Eve", self.ann.heard()[0])

    def test_again(self):
        """
        Who was kicked is no member any more.
        """
        self.kick(self.bea)
        self.assert_refused(ErrorCode.KICK_TARGET_NOT_FOUND, self.scene, self.kick, self.bea)
        self.assert_refused(ErrorCode.KICK_TARGET_NOT_FOUND, self.scene, self.ban, self.bea)

    def test_new_player(self):
        """
        A kick is no ban: the same person can join as somebody else.
        """
        self.kick(self.bea)
        self.scene.join("Bea", V3)
        self.assertEqual(3, len(self.room.seats))


class BanTests(ModerationTestCase):
    """
    Players are sent away and kept away.
    """

    def test_present(self):
        """
        A ban is a kick first.
        """
        self.ban(self.bea)
        self.assertEqual(CloseCode.KICKED, self.bea.closed.code)
        self.assertEqual("KICKED", self.bea.closed.farewell.data["error_code"])
        self.assert_all_heard([self.ann, self.cal, self.dot], "PlayerLeft Bea")
        self.assertTrue(self.bea.place.claim.kicked)

    def test_absent(self):
        """
        Who is away can be banned, and nobody hears of it.
        """
        self.begin()
        self.scene.lose(self.bea)
        self.scene.hush()
        self.ban(self.bea)
        self.assert_all_heard([self.ann, self.cal, self.dot])
        self.assert_banned("Eve", self.bea.address)

    def test_address(self):
        """
        No new player may come from the address; others may.
        """
        self.ban(self.bea)
        self.assert_banned("Eve", self.bea.address)
        self.scene.join("Bea", V3, "elsewhere")

    def test_watch(self):
        """
        Nobody may watch from the address.
        """
        self.ban(self.bea)
        fay = self.scene.newcomer(self.scene.guest("Fay", V2, self.bea.address), token=False)
        self.assert_refused(
            ErrorCode.BANNED, self.scene, spectators.watch, self.room, fay, self.scene.now
        )

    def test_id(self):
        """
        The id is kept out wherever it comes from.
        """
        self.ban(self.bea)
        for address in ("elsewhere", self.bea.address):
            guest = self.scene.guest("Bea", V3, address, self.bea.id)
            self.assert_refused(ErrorCode.BANNED, self.scene, self.scene.sit, guest)

    def test_shared_with_authority(self):
        """
        An address that the authority has too stays welcome; the id does not.
        """
        eve = self.scene.join("Eve", address=self.ann.address)
        self.ban(eve)
        self.scene.join("Fay", address=self.ann.address)
        again = self.scene.guest("Eve", V2, "elsewhere", eve.id)
        self.assert_refused(ErrorCode.BANNED, self.scene, self.scene.sit, again)

    def test_shared_with_member(self):
        """
        An address that another player has too stays welcome, until that is banned as well.
        """
        eve = self.scene.join("Eve", address=self.bea.address)
        self.ban(eve)
        fay = self.scene.join("Fay", address=self.bea.address)
        self.ban(self.bea)
        self.ban(fay)
        self.assert_banned("Gus", self.bea.address)

    def test_shared_with_reserved(self):
        """
        An address whose seat is reserved stays welcome.
        """
        eve = self.scene.join("Eve", address=self.bea.address)
        self.scene.toggle(eve)
        self.begin()
        self.scene.lose(self.bea)
        self.ban(eve)
        self.scene.join("Fay", address=self.bea.address)

    def test_shared_with_unreserved(self):
        """
        Somebody who was lost before the start, with no seat reserved, protects no address.
        """
        eve = self.scene.join("Eve", address=self.bea.address)
        self.scene.lose(self.bea)
        self.ban(eve)
        self.assert_banned("Fay", self.bea.address)

    def test_valid_token(self):
        """
        Whoever was not banned comes back from a banned address with its token.
        """
        self.begin()
        self.scene.lose(self.cal)
        self.ban(self.bea)
        self.scene.come_back(self.cal, V3, self.bea.address, token="new")
        self.assertIn(self.cal.id, self.room.seats)

    def test_take_over(self):
        """
        So does whoever moves from a live connection.
        """
        self.ban(self.bea)
        self.scene.take_over(self.cal, V3, token="new")
        self.assertIn(self.cal.id, self.room.seats)

    def test_present_stay(self):
        """
        Bans of one address send nobody else away.
        """
        self.ban(self.bea)
        for guest in (self.ann, self.cal, self.dot):
            self.assertIsNone(guest.closed)

    def test_password_first(self):
        """
        Who is banned and has no password hears only of the password.
        """
        self.ban(self.bea)
        moderation.set_lock(self.room, self.ann.place, Lock.sealed("sesame", SALT))
        eve = self.scene.guest("Eve", V2, self.bea.address)
        self.assert_refused(ErrorCode.PASSWORD_REQUIRED, self.scene, self.scene.sit, eve)

    def test_new_room(self):
        """
        Bans and the password outlive the players.
        """
        lock = Lock.sealed("sesame", SALT)
        self.ban(self.bea)
        moderation.set_lock(self.room, self.ann.place, lock)
        self.scene.leave(self.ann)
        self.scene.leave(self.cal)
        self.assertIsNone(self.room.rule)
        self.assertIs(lock, self.room.lock)
        eve = self.scene.guest("Eve", V2, self.bea.address)
        self.assert_refused(ErrorCode.BANNED, self.scene, self.scene.sit, eve, password="sesame")

    def test_unban(self):
        """
        Who is banned no longer may come in, and so may its address.
        """
        self.ban(self.bea)
        self.unban(self.bea)
        self.scene.sit(self.scene.guest("Eve", V2, self.bea.address))
        self.assertTrue(self.bea.place.claim.kicked)
        self.scene.sit(self.scene.guest("Bea", V3, "", self.bea.id))

    def test_unban_one(self):
        """
        The bans of others stay.
        """
        self.ban(self.bea)
        self.ban(self.cal)
        self.unban(self.bea)
        self.assert_banned("Cal", self.cal.address)

    def test_unban_anybody(self):
        """
        Who was not banned can be unbanned; nobody hears of it.
        """
        for guest in (self.ann, self.bea, self.dot, self.scene.guest("Eve")):
            self.unban(guest)
        self.assert_all_heard([self.ann, self.bea, self.cal, self.dot])

    def test_newcomer_elsewhere(self):
        """
        Bans hold in one room only.
        """
        self.ban(self.bea)
        other = Scene(2)
        other.join("Bea", V3, self.bea.address)
        self.assertEqual(JOINED_AT, next(iter(other.room.seats.values())).connected_at)


class LockTests(ModerationTestCase):
    """
    Passwords are set and taken away.
    """

    def test_seal(self):
        """
        Newcomers need the password from then on; nobody else notices.
        """
        moderation.set_lock(self.room, self.ann.place, Lock.sealed("sesame", SALT))
        self.assert_all_heard([self.ann, self.bea, self.cal, self.dot])
        eve = self.scene.guest("Eve")
        for password in (None, "wrong"):
            self.assert_refused(
                ErrorCode.PASSWORD_REQUIRED, self.scene, self.scene.sit, eve, password=password
            )
        self.scene.sit(eve, password="sesame")
        self.scene.watch("Fay", password="sesame")
        self.scene.lose(self.bea)
        self.scene.come_back(self.bea, V3, token="new")

    def test_open(self):
        """
        Without a lock nobody may present a password.
        """
        moderation.set_lock(self.room, self.ann.place, Lock.sealed("sesame", SALT))
        moderation.set_lock(self.room, self.ann.place, None)
        eve = self.scene.guest("Eve")
        self.assert_refused(
            ErrorCode.PASSWORD_REQUIRED, self.scene, self.scene.sit, eve, password="sesame"
        )
        self.scene.sit(eve)


class TransferTests(ModerationTestCase):
    """
    The authority is handed over.
    """

    def test_told(self):
        """
        Everybody hears of it once, each in its own words.
        """
        self.transfer(self.bea)
        self.assertEqual(self.bea.id, self.room.authority)
        self.assert_heard(self.bea, "AuthorityChanged Bea you")
        self.assert_all_heard([self.ann, self.cal, self.dot], "AuthorityChanged Bea")

    def test_powers(self):
        """
        The old authority moderates no longer, and the new one does.
        """
        self.transfer(self.bea)
        self.assert_refused(ErrorCode.NOT_ROOM_AUTHORITY, self.scene, self.kick, self.cal)
        self.kick(self.ann, self.bea)
        self.assertEqual(CloseCode.KICKED, self.ann.closed.code)

    def test_no_target(self):
        """
        Only a connected player can be given it.
        """
        self.scene.lose(self.cal)
        text = "Transfer target is not a member of this room"
        for target in (self.cal, self.dot, self.scene.guest("Eve")):
            told = self.assert_refused(
                ErrorCode.TRANSFER_TARGET_NOT_FOUND, self.scene, self.transfer, target
            )
            self.assertEqual(text, told)

    def test_not_restored(self):
        """
        Who gave it away does not get it back by coming back.
        """
        self.transfer(self.bea)
        self.scene.lose(self.ann)
        self.scene.lose(self.bea)
        self.scene.come_back(self.ann)
        self.assertIsNone(self.room.authority)
        self.scene.come_back(self.bea, V3, token="new")
        self.assertEqual(self.bea.id, self.room.authority)

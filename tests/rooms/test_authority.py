"""
Tests for signalfish.rooms.authority.
"""

from signalfish.wire.errors import ErrorCode
from tests.rooms.scene import Scene, SceneTestCase


class RequestTests(SceneTestCase):
    """
    Players who ask for the authority, or give it up.
    """

    def setUp(self):
        """
        Ann, the authority, and Bea are in a room, and Sam watches.
        """
        self.scene = Scene(4)
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.sam = self.scene.watch("Sam")
        self.scene.hush()

    def test_release(self):
        """
        Who gives the authority up is answered, then everybody is told.
        """
        self.scene.release(self.ann)
        self.assert_heard(self.ann, "AuthorityResponse granted", "AuthorityChanged nobody")
        self.assert_all_heard([self.bea, self.sam], "AuthorityChanged nobody")

    def test_claim(self):
        """
        Who gets the authority is answered, then everybody is told, each in its own words.
        """
        self.scene.release(self.ann)
        self.scene.hush()
        self.scene.claim(self.bea)
        self.assertEqual(self.bea.told[0], ("AuthorityResponse", {"granted": True, "reason": None}))
        self.assert_heard(self.bea, "AuthorityResponse granted", "AuthorityChanged Bea you")
        self.assert_all_heard([self.ann, self.sam], "AuthorityChanged Bea")

    def test_conflict(self):
        """
        An authority that somebody has cannot be claimed, not even by its holder.
        """
        for guest in (self.ann, self.bea):
            text = self.assert_refused(
                ErrorCode.AUTHORITY_CONFLICT, self.scene, self.scene.claim, guest
            )
            self.assertEqual(text, "Another player already has authority")

    def test_denied(self):
        """
        Only its holder can give the authority up.
        """
        text = self.assert_refused(
            ErrorCode.AUTHORITY_DENIED, self.scene, self.scene.release, self.bea
        )
        self.assertEqual(text, "You do not have authority to release")

    def test_unsupported(self):
        """
        In a room made without authority it cannot be asked for.
        """
        scene = Scene(2)
        ann = scene.join("Ann", supports_authority=False)
        for ask in (scene.claim, scene.release):
            text = self.assert_refused(ErrorCode.AUTHORITY_NOT_SUPPORTED, scene, ask, ann)
            self.assertEqual(text, "Room does not support authority")

    def test_after_start(self):
        """
        The authority can change hands during the game.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.start(self.ann)
        self.scene.release(self.ann)
        self.scene.hush()
        self.scene.claim(self.bea)
        self.assert_heard(self.ann, "AuthorityChanged Bea")

    def test_is_activity(self):
        """
        A request that is granted keeps the room from being inactive.
        """
        self.scene.wait(5)
        self.scene.release(self.ann)
        self.assertEqual(self.scene.room.active, 1005.0)

    def test_snapshots(self):
        """
        Who joins sees who has the authority.
        """
        self.scene.release(self.ann)
        self.scene.claim(self.bea)
        cem = self.scene.join("Cem")
        self.assertFalse(cem.told[0].data["is_authority"])
        self.assert_heard(cem, "RoomJoined waiting [Ann, Bea*, Cem]")


class VacateTests(SceneTestCase):
    """
    Authorities who go.
    """

    def test_other_player(self):
        """
        The departure of anybody else says nothing about the authority.
        """
        scene = Scene(3)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.hush()
        scene.leave(bea)
        self.assert_heard(ann, "PlayerLeft Bea")

    def test_can_be_claimed(self):
        """
        After the departure of the authority, somebody else can claim it.
        """
        scene = Scene(3)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.lose(ann)
        scene.hush()
        scene.claim(bea)
        self.assert_heard(bea, "AuthorityResponse granted", "AuthorityChanged Bea you")

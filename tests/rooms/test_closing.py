"""
Tests for signalfish.rooms.closing.
"""

from signalfish.rooms import closing
from signalfish.wire.errors import CloseCode
from tests.rooms.scene import Scene, SceneTestCase


class AbandonedTests(SceneTestCase):
    def test_timeout(self):
        """
        A room is abandoned when it has been without players for the timeout.
        """
        scene = Scene()
        ann = scene.join("Ann")
        scene.wait(50)
        scene.leave(ann)
        self.assertFalse(closing.is_abandoned(scene.room, 1349.9, 300))
        self.assertTrue(closing.is_abandoned(scene.room, 1350.0, 300))

    def test_occupied(self):
        """
        A room with a player is not abandoned.
        """
        scene = Scene()
        scene.join("Ann")
        self.assertFalse(closing.is_abandoned(scene.room, 1e9, 300))

    def test_somebody_can_come_back(self):
        """
        A room is not abandoned while somebody can come back.
        """
        scene = Scene()
        scene.lose(scene.join("Ann"))
        self.assertFalse(closing.is_abandoned(scene.room, 1e9, 300))

    def test_spectators(self):
        """
        Spectators do not keep a room.
        """
        scene = Scene()
        ann = scene.join("Ann")
        scene.watch("Sam")
        scene.leave(ann)
        self.assertTrue(closing.is_abandoned(scene.room, 1300.0, 300))

    def test_used_again(self):
        """
        The time counts from the last departure.
        """
        scene = Scene()
        scene.leave(scene.join("Ann"))
        scene.wait(200)
        bea = scene.join("Bea")
        scene.wait(50)
        scene.leave(bea)
        self.assertFalse(closing.is_abandoned(scene.room, 1549.0, 300))
        self.assertTrue(closing.is_abandoned(scene.room, 1550.0, 300))


class InactiveTests(SceneTestCase):
    def test_timeout(self):
        """
        A room is inactive when nothing has happened in it for the timeout.
        """
        scene = Scene()
        scene.join("Ann")
        self.assertFalse(closing.is_inactive(scene.room, 4599.9, 3600))
        self.assertTrue(closing.is_inactive(scene.room, 4600.0, 3600))

    def test_what_happens(self):
        """
        Joining, leaving, getting lost, coming back, toggling and starting are something.
        """
        scene = Scene(3)
        ann = scene.join("Ann")

        def come_back():
            scene.come_back(bea)

        bea = scene.guest("Bea")
        steps = [
            lambda: scene.sit(bea),
            lambda: scene.toggle(ann),
            lambda: scene.release(ann),
            lambda: scene.lose(bea),
            come_back,
            lambda: scene.take_over(ann),
        ]
        for step in steps:
            scene.wait(10)
            step()
            self.assertEqual(scene.room.active, scene.now)

    def test_start_is_something(self):
        """
        The start of a game is something that happens.
        """
        scene = Scene(2)
        ann = scene.join("Ann")
        scene.toggle(ann)
        scene.wait(10)
        scene.start(ann)
        self.assertEqual(scene.room.active, 1010.0)

    def test_spectators_do_nothing(self):
        """
        Spectators coming and going is nothing.
        """
        scene = Scene(2)
        scene.join("Ann")
        scene.wait(10)
        scene.leave(scene.watch("Sam"))
        self.assertEqual(scene.room.active, 1000.0)

    def test_empty(self):
        """
        A room without players is abandoned, not inactive.
        """
        scene = Scene()
        scene.leave(scene.join("Ann"))
        self.assertFalse(closing.is_inactive(scene.room, 1e9, 3600))

    def test_somebody_can_come_back(self):
        """
        A room is not inactive while somebody can come back.
        """
        scene = Scene()
        scene.join("Ann")
        scene.lose(scene.join("Bea"))
        self.assertFalse(closing.is_inactive(scene.room, 1e9, 3600))


class CloseTests(SceneTestCase):
    def setUp(self):
        """
        Ann and Bea play, Sam and Tom watch.
        """
        self.scene = Scene(2)
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.sam, self.tom = self.scene.watch("Sam"), self.scene.watch("Tom")
        self.scene.hush()
        closing.close(self.scene.room)

    def test_players(self):
        """
        Players are told why and closed, and hear nothing else.
        """
        farewell = (
            "Error",
            {
                "message": "Room closed after exceeding the inactivity timeout",
                "error_code": "ROOM_NOT_FOUND",
            },
        )
        for guest in (self.ann, self.bea):
            self.assertEqual(guest.closed, (CloseCode.ROOM_INACTIVE, "room_inactive", farewell))
            self.assertEqual((guest.told, guest.late), ([], 0))
            self.assertIsNone(guest.place.room)

    def test_spectators(self):
        """
        Spectators are told that the players went and that the room is closed; they stay connected.
        """
        left = {"room_id": self.scene.room.id, "reason": "room_closed", "current_spectators": []}
        for guest in (self.sam, self.tom):
            self.assertEqual(guest.told[-1].data, left)
            self.assertIsNone(guest.closed)
            self.assertIsNone(guest.place.room)
            self.assert_heard(
                guest, "PlayerLeft Ann", "PlayerLeft Bea", "SpectatorLeft room_closed"
            )

    def test_nobody_comes_back(self):
        """
        All tokens are void.
        """
        for guest in (self.ann, self.bea):
            self.assertTrue(guest.place.claim.revoked)

    def test_nothing_is_left(self):
        """
        The room holds nobody any more.
        """
        room = self.scene.room
        self.assertEqual((room.seats, room.watchers, room.audience), ({}, {}, ()))
        self.assertEqual(room.replay.data(0), [])

"""
Tests for signalfish.rooms.room.
"""

from tests.fakes import V2_BINARY, V3
from tests.rooms.scene import Scene, SceneTestCase


class AudienceTests(SceneTestCase):
    def test_order(self):
        """
        The audience is the players in joining order, then the spectators.
        """
        scene = Scene(3)
        sam = None
        ann, bea = scene.join("Ann"), scene.join("Bea")
        sam = scene.watch("Sam")
        cem = scene.join("Cem")
        self.assertEqual(scene.room.audience, (ann, bea, cem, sam))
        scene.lose(ann)
        self.assertEqual(scene.room.audience, (bea, cem, sam))
        ann = scene.come_back(ann)
        self.assertEqual(scene.room.audience, (ann, bea, cem, sam))
        scene.leave(sam)
        self.assertEqual(scene.room.audience, (ann, bea, cem))

    def test_is_never_changed(self):
        """
        An audience once taken stays as it was.
        """
        scene = Scene(3)
        ann = scene.join("Ann")
        before = scene.room.audience
        scene.join("Bea")
        self.assertEqual(before, (ann,))


class TakenTests(SceneTestCase):
    def test_reserved_seats(self):
        """
        Seats that are reserved cannot be had; seats lost before the start can.
        """
        scene = Scene(3)
        ann, bea, cem = (scene.join(name) for name in ("Ann", "Bea", "Cem"))
        scene.lose(ann)
        self.assertEqual(scene.room.taken, 2)
        scene.toggle(bea, cem)
        scene.start(bea)
        scene.lose(bea)
        self.assertEqual(scene.room.taken, 2)
        scene.leave(cem)
        self.assertEqual(scene.room.taken, 1)


class RelayTests(SceneTestCase):
    def setUp(self):
        """
        Ann, Bea with version 3, and Cem with MessagePack play; Sam watches.
        """
        self.scene = Scene(4)
        self.ann = self.scene.join("Ann")
        self.bea = self.scene.join("Bea", V3)
        self.cem = self.scene.join("Cem", V2_BINARY)
        self.sam = self.scene.watch("Sam")
        self.scene.hush()

    def test_text(self):
        """
        Game data goes to everybody else, numbered for clients of version 3.
        """
        self.scene.send(self.ann, [1])
        self.scene.send(self.ann, [2])
        plain = [("GameData", {"from_player": self.ann.id, "data": [n]}) for n in (1, 2)]
        self.assertEqual(self.ann.told, [])
        for guest in (self.cem, self.sam):
            self.assertEqual(guest.told, plain)
        self.assertEqual(
            self.bea.told,
            [
                ("GameData", {"from_player": self.ann.id, "data": [n], "seq": n, "epoch": 1})
                for n in (1, 2)
            ],
        )

    def test_binary(self):
        """
        Binary data goes as it is to those of the same encoding, and converted to others.
        """
        self.scene.send_binary(self.ann, b"\x92\x01\x02")
        (message,) = self.cem.told
        self.assertEqual(message.type, "BinaryGameData")
        self.assertEqual(message.data["payload"], b"\x92\x01\x02")
        self.assert_heard(self.sam, "GameData Ann [1, 2]")

    def test_newcomers_and_leavers(self):
        """
        Game data goes to those who are there at the moment.
        """
        self.scene.send(self.ann, 1)
        self.scene.leave(self.bea)
        self.scene.leave(self.sam)
        dan = self.scene.join("Dan")
        tom = self.scene.watch("Tom")
        self.scene.hush()
        self.scene.send(self.ann, 2)
        self.assert_all_heard([self.cem, dan, tom], "GameData Ann 2")
        self.assert_all_heard([self.ann, self.bea, self.sam])

    def test_every_sender_has_its_own_numbers(self):
        """
        The numbers of one sender say nothing about another.
        """
        self.scene.send(self.ann, "a")
        self.scene.send(self.cem, "b")
        self.assertEqual([told.data["seq"] for told in self.bea.told], [1, 1])

    def test_kept_only_for_somebody(self):
        """
        Game data is kept only while somebody can come back for it.
        """
        self.scene.send(self.ann, 1)
        self.assertEqual(self.scene.room.replay.data(0), [])
        self.scene.lose(self.bea)
        self.scene.send(self.ann, 2)
        self.assertEqual([data.raw for data in self.scene.room.replay.data(0)], [b"2"])

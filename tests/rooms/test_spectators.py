"""
Tests for signalfish.rooms.spectators.
"""

from signalfish.wire.errors import ErrorCode
from signalfish.wire.types import DirectInfo
from tests.fakes import V3
from tests.rooms.scene import JOINED_AT, Scene, SceneTestCase


class WatchTests(SceneTestCase):
    """
    Who begins to watch.
    """

    def setUp(self):
        """
        Ann is in a room that may have two spectators.
        """
        self.scene = Scene(2, max_spectators=2)
        self.ann = self.scene.join("Ann")
        self.scene.hush()

    def test_order(self):
        """
        The spectator is answered, then players and other spectators hear of it.
        """
        sam = self.scene.watch("Sam")
        tom = self.scene.watch("Tom")
        self.assert_heard(sam, "SpectatorJoined waiting [Ann*]", "NewSpectatorJoined Tom")
        self.assert_heard(tom, "SpectatorJoined waiting [Ann*]")
        self.assert_heard(self.ann, "NewSpectatorJoined Sam", "NewSpectatorJoined Tom")

    def test_answer(self):
        """
        The answer shows the room, the spectator included.
        """
        sam = self.scene.watch("Sam")
        room = self.scene.room
        entry = {"id": sam.id, "name": "Sam", "connected_at": JOINED_AT}
        player = {
            "id": self.ann.id,
            "name": "Ann",
            "is_authority": True,
            "is_ready": False,
            "connected_at": JOINED_AT,
        }
        self.assertEqual(
            sam.told[0].data,
            {
                "room_id": room.id,
                "room_code": "K7MWQ4",
                "spectator_id": sam.id,
                "game_name": "reef-racers",
                "current_players": [player],
                "current_spectators": [entry],
                "lobby_state": "waiting",
                "reason": "joined",
            },
        )

    def test_notice(self):
        """
        The notice has the whole list in version 2, and a number in version 3.
        """
        bea = self.scene.join("Bea", V3)
        self.scene.hush()
        sam, tom = self.scene.watch("Sam"), self.scene.watch("Tom")
        entries = [
            {"id": guest.id, "name": guest.name, "connected_at": JOINED_AT} for guest in (sam, tom)
        ]
        notice = {"spectator": entries[1], "reason": "joined"}
        self.assertEqual(self.ann.told[-1].data, {**notice, "current_spectators": entries})
        self.assertEqual(
            bea.told[-1].data, {**notice, "current_spectators": [], "spectator_count": 2}
        )

    def test_limit(self):
        """
        There are no more spectators than the room may have.
        """
        self.scene.watch("Sam")
        tom = self.scene.watch("Tom")
        text = self.assert_refused(
            ErrorCode.TOO_MANY_SPECTATORS, self.scene, self.scene.watch, "Uma"
        )
        self.assertEqual(text, "Spectator limit reached")
        self.scene.leave(tom)
        self.scene.watch("Uma")

    def test_no_limit(self):
        """
        A limit of zero is none.
        """
        scene = Scene(1, max_spectators=0)
        scene.join("Ann")
        for number in range(50):
            scene.watch(f"Sam {number}")
        self.assertEqual(len(scene.room.watchers), 50)

    def test_password(self):
        """
        A sealed room wants its password, before it says that it has too many spectators.
        """
        scene = Scene(2, password="sesame", max_spectators=1)
        scene.join("Ann", password="sesame")
        self.assert_refused(ErrorCode.PASSWORD_REQUIRED, scene, scene.watch, "Sam")
        scene.watch("Sam", password="sesame")
        self.assert_refused(
            ErrorCode.PASSWORD_REQUIRED, scene, scene.watch, "Tom", password="Sesame"
        )

    def test_same_names(self):
        """
        Spectators may share a name, with each other and with players.
        """
        self.scene.watch("Ann")
        self.scene.watch("Ann")

    def test_takes_no_seat(self):
        """
        Spectators leave the seats to players, and nobody waits for their readiness.
        """
        self.scene.watch("Sam")
        bea = self.scene.join("Bea")
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.scene.toggle(bea)
        self.assert_heard(bea, "LobbyStateChanged lobby [Ann, Bea] all", "GameStarting [Ann*, Bea]")

    def test_emptied_room(self):
        """
        A room without players can be watched.
        """
        self.scene.leave(self.ann)
        sam = self.scene.watch("Sam")
        self.assert_heard(sam, "SpectatorJoined waiting []")

    def test_renewed_room(self):
        """
        A room that nobody can come back to any more is as new also to who begins to watch it.
        """
        self.scene.toggle(self.ann)
        self.scene.start(self.ann)
        self.scene.lose(self.ann)
        self.scene.wait(301)
        sam = self.scene.watch("Sam")
        self.assert_heard(sam, "SpectatorJoined waiting []")


class SeeTests(SceneTestCase):
    """
    What spectators see.
    """

    def test_game(self):
        """
        A spectator hears what the players are told, in the same order.
        """
        scene = Scene(2)
        ann = scene.join("Ann")
        sam = scene.watch("Sam")
        scene.hush()
        bea = scene.join("Bea")
        scene.toggle(ann)
        scene.send(ann, 1)
        scene.toggle(bea)
        scene.send(bea, 2)
        scene.lose(ann)
        scene.come_back(ann)
        self.assert_heard(
            sam,
            "PlayerJoined Bea",
            "LobbyStateChanged lobby []",
            "LobbyStateChanged lobby [Ann]",
            "GameData Ann 1",
            "LobbyStateChanged lobby [Ann, Bea] all",
            "GameStarting [Ann*, Bea]",
            "GameData Bea 2",
            "PlayerLeft Ann",
            "AuthorityChanged nobody",
            "PlayerJoined Ann+",
            "PlayerReconnected Ann+",
            "AuthorityChanged Ann",
        )

    def test_no_replies(self):
        """
        Answers to players are not for spectators.
        """
        scene = Scene(4)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        sam = scene.watch("Sam")
        scene.hush()
        scene.release(ann)
        scene.leave(bea)
        self.assert_heard(sam, "AuthorityChanged nobody", "PlayerLeft Bea")

    def test_connection_info_is_withheld(self):
        """
        How players can be reached is told to players only.
        """
        scene = Scene(3)
        ann = scene.join("Ann")
        ann.place.connection_info = DirectInfo(host="192.0.2.7", port=9)
        sam, bea = scene.watch("Sam"), scene.join("Bea")
        self.assertNotIn("connection_info", sam.told[0].data["current_players"][0])
        self.assertEqual(
            bea.told[0].data["current_players"][0]["connection_info"],
            {"type": "direct", "host": "192.0.2.7", "port": 9},
        )

    def test_version_3(self):
        """
        A spectator of version 3 is told epochs and numbers.
        """
        scene = Scene(3)
        ann = scene.join("Ann")
        scene.send(ann, 1)
        sam = scene.watch("Sam", V3)
        entry = sam.told[0].data["current_players"][0]
        self.assertEqual((entry["epoch"], entry["seq"]), (1, 1))
        scene.send(ann, 2)
        self.assertEqual(sam.told[1].data, {"from_player": ann.id, "data": 2, "seq": 2, "epoch": 1})


class LeaveTests(SceneTestCase):
    """
    Who stops to watch.
    """

    def setUp(self):
        """
        Ann plays, Sam and Tom watch.
        """
        self.scene = Scene(2)
        self.ann = self.scene.join("Ann")
        self.sam, self.tom = self.scene.watch("Sam"), self.scene.watch("Tom")
        self.scene.hush()

    def test_leave(self):
        """
        Who stops to watch is answered, and the others hear of it.
        """
        self.scene.leave(self.sam)
        entry = {"id": self.tom.id, "name": "Tom", "connected_at": JOINED_AT}
        self.assertEqual(
            self.sam.told,
            [
                (
                    "SpectatorLeft",
                    {
                        "room_id": self.scene.room.id,
                        "room_code": "K7MWQ4",
                        "reason": "voluntary_leave",
                        "current_spectators": [entry],
                    },
                )
            ],
        )
        self.assertEqual(self.ann.told[0].data["current_spectators"], [entry])
        self.assert_all_heard([self.ann, self.tom], "SpectatorDisconnected Sam voluntary_leave")
        self.assertIsNone(self.sam.place.room)

    def test_lose(self):
        """
        The others hear of a spectator whose connection is lost.
        """
        self.scene.lose(self.sam)
        self.assert_heard(self.sam)
        self.assert_all_heard([self.ann, self.tom], "SpectatorDisconnected Sam disconnected")

    def test_hears_no_more(self):
        """
        Who does not watch any more hears nothing.
        """
        self.scene.leave(self.sam)
        self.scene.hush()
        self.scene.send(self.ann, 1)
        self.scene.toggle(self.ann)
        self.assert_heard(self.sam)

    def test_version_3(self):
        """
        Clients of version 3 are told how many are left.
        """
        bea = self.scene.join("Bea", V3)
        self.scene.leave(self.sam)
        self.assertEqual(
            bea.told[-1].data,
            {
                "spectator_id": self.sam.id,
                "reason": "voluntary_leave",
                "current_spectators": [],
                "spectator_count": 1,
            },
        )

"""
Tests for signalfish.rooms.snapshots.
"""

from signalfish.rooms import snapshots
from signalfish.wire.types import DirectInfo
from tests.fakes import V3
from tests.rooms.scene import JOINED_AT, Scene, SceneTestCase


class RoomJoinedTests(SceneTestCase):
    def setUp(self):
        """
        Ann, ready and reachable, is in a room that Sam watches.
        """
        self.scene = Scene(3)
        self.ann = self.scene.join("Ann")
        self.ann.place.connection_info = DirectInfo(host="192.0.2.7", port=9)
        self.sam = self.scene.watch("Sam")
        self.scene.toggle(self.ann)
        self.scene.send(self.ann, 1)

    def expected(self, bea, *players):
        """
        What Bea is told when she joins.
        """
        return {
            "room_id": self.scene.room.id,
            "room_code": "K7MWQ4",
            "player_id": bea.id,
            "game_name": "reef-racers",
            "max_players": 3,
            "supports_authority": True,
            "current_players": list(players),
            "is_authority": False,
            "lobby_state": "waiting",
            "ready_players": [self.ann.id],
            "relay_type": "matchbox",
            "current_spectators": [{"id": self.sam.id, "name": "Sam", "connected_at": JOINED_AT}],
            "reconnection_token": bea.place.claim.token,
        }

    def entry(self, guest, **details):
        """
        The entry of a player.
        """
        entry = {"id": guest.id, "name": guest.name, "is_authority": guest is self.ann}
        return {**entry, "is_ready": guest is self.ann, "connected_at": JOINED_AT, **details}

    def test_version_2(self):
        """
        Clients of version 2 are told how the others can be reached.
        """
        bea = self.scene.join("Bea")
        info = {"type": "direct", "host": "192.0.2.7", "port": 9}
        players = self.entry(self.ann, connection_info=info), self.entry(bea)
        self.assertEqual(bea.told[0], ("RoomJoined", self.expected(bea, *players)))

    def test_version_3(self):
        """
        Clients of version 3 are told epochs and numbers instead.
        """
        bea = self.scene.join("Bea", V3)
        players = self.entry(self.ann, epoch=1, seq=1), self.entry(bea, epoch=1, seq=0)
        self.assertEqual(bea.told[0], ("RoomJoined", self.expected(bea, *players)))

    def test_without_token(self):
        """
        Who gets no token is not told that there could have been one.
        """
        bea = self.scene.join("Bea", token=False)
        self.assertNotIn("reconnection_token", bea.told[0].data)

    def test_creator(self):
        """
        The creator of a room is told that it has the authority, and its token.
        """
        data = self.ann.told[0].data
        self.assertTrue(data["is_authority"])
        self.assertEqual(data["reconnection_token"], self.ann.place.claim.token)


class ReconnectedTests(SceneTestCase):
    def test_fields(self):
        """
        The answer to a return is that to a join, with what was missed, and without token.
        """
        scene = Scene(3)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        joined = bea.told[0].data
        scene.lose(bea)
        scene.leave(ann)
        bea = scene.come_back(bea)
        data = bea.told[0].data
        self.assertEqual(set(data), set(joined) - {"reconnection_token"} | {"missed_events"})
        self.assertEqual(data["player_id"], bea.id)
        self.assertEqual(
            data["missed_events"],
            [
                {"type": "PlayerLeft", "data": {"player_id": ann.id}},
                {
                    "type": "AuthorityChanged",
                    "data": {"authority_player": None, "you_are_authority": False},
                },
            ],
        )


class ReadyPlayersTests(SceneTestCase):
    def test_order(self):
        """
        Those who are ready are listed in joining order, which a return does not change.
        """
        scene = Scene(3)
        ann, bea, cem = (scene.join(name) for name in ("Ann", "Bea", "Cem"))
        scene.toggle(cem, ann, bea)
        scene.lose(ann)
        ann = scene.come_back(ann)
        self.assertEqual(snapshots.ready_players(scene.room), (ann.id, bea.id, cem.id))

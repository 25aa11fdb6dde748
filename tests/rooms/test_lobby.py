"""
Tests for signalfish.rooms.lobby.
"""

from msgspec import Raw

from signalfish.rooms.rules import StartRule
from signalfish.wire.errors import ErrorCode
from signalfish.wire.types import CustomInfo, DirectInfo, LobbyState
from tests.fakes import V2, V3
from tests.rooms.scene import Scene, SceneTestCase


class AutomaticLobbyTests(SceneTestCase):
    """
    Rooms that start by themselves.
    """

    def setUp(self):
        """
        Ann has made a room for two.
        """
        self.scene = Scene(2, StartRule.AUTOMATIC)
        self.ann = self.scene.join("Ann")

    def pair(self):
        """
        Bea has joined, and nobody remembers what was heard until then.
        """
        self.bea = self.scene.join("Bea")
        self.scene.hush()
        return self.ann, self.bea

    def test_create(self):
        """
        The creator of a room with a free seat is told no more than that it waits.
        """
        self.assert_heard(self.ann, "RoomJoined waiting [Ann*]")

    def test_toggle_while_waiting(self):
        """
        A player can become ready, and unready, before the room is full.
        """
        self.scene.hush()
        self.scene.toggle(self.ann)
        self.assert_heard(self.ann, "LobbyStateChanged waiting [Ann] all")
        self.scene.toggle(self.ann)
        self.assert_heard(self.ann, "LobbyStateChanged waiting []")

    def test_filled(self):
        """
        Who fills a room is told that it waits, and then with everybody that it does not.
        """
        self.scene.hush()
        bea = self.scene.join("Bea")
        self.assert_heard(bea, "RoomJoined waiting [Ann*, Bea]", "LobbyStateChanged lobby []")
        self.assert_heard(self.ann, "PlayerJoined Bea", "LobbyStateChanged lobby []")

    def test_filled_while_ready(self):
        """
        Who was ready before the room filled is so afterwards.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        bea = self.scene.join("Bea")
        self.assert_heard(bea, "RoomJoined waiting [Ann*+, Bea]", "LobbyStateChanged lobby [Ann]")
        self.assert_heard(self.ann, "PlayerJoined Bea", "LobbyStateChanged lobby [Ann]")

    def test_toggle_in_lobby(self):
        """
        Each toggle in the lobby is told to everybody.
        """
        both = self.pair()
        self.scene.toggle(self.ann)
        self.assert_all_heard(both, "LobbyStateChanged lobby [Ann]")
        self.scene.toggle(self.ann)
        self.assert_all_heard(both, "LobbyStateChanged lobby []")

    def test_ready_in_joining_order(self):
        """
        Those who are ready are listed in the order of joining, not of becoming ready.
        """
        scene = Scene(3)
        guests = [scene.join(name) for name in ("Ann", "Bea", "Cem")]
        scene.toggle(guests[2])
        scene.hush()
        scene.toggle(guests[0])
        self.assert_all_heard(guests, "LobbyStateChanged lobby [Ann, Cem]")

    def test_last_toggle_starts(self):
        """
        The toggle that makes everybody ready is told first, then the game starts.
        """
        both = self.pair()
        self.scene.toggle(self.bea)
        self.scene.hush()
        self.scene.toggle(self.ann)
        self.assert_all_heard(
            both, "LobbyStateChanged lobby [Ann, Bea] all", "GameStarting [Ann*, Bea]"
        )
        self.assertEqual(self.scene.room.state, LobbyState.FINALIZED)

    def test_no_start_while_not_full(self):
        """
        A room that is not full does not start by itself, whoever is ready.
        """
        self.scene.toggle(self.ann)
        self.assertEqual(self.scene.room.state, LobbyState.WAITING)

    def test_leave_clears_readiness(self):
        """
        When a full room loses a player, nobody is ready any more.
        """
        for name in ("leave", "lose"):
            self.setUp()
            self.pair()
            self.scene.toggle(self.ann)
            self.scene.hush()
            getattr(self.scene, name)(self.bea)
            self.assert_heard(self.ann, "PlayerLeft Bea", "LobbyStateChanged waiting []")
            self.assertFalse(self.ann.place.is_ready)

    def test_leave_before_anybody_is_ready(self):
        """
        When a full room loses a player, everybody is told that it waits again.
        """
        self.pair()
        self.scene.leave(self.bea)
        self.assert_heard(self.ann, "PlayerLeft Bea", "LobbyStateChanged waiting []")
        self.assert_heard(self.bea, "RoomLeft")

    def test_refilled(self):
        """
        A room that emptied a seat fills again, with nobody ready.
        """
        self.pair()
        self.scene.toggle(self.ann)
        self.scene.leave(self.bea)
        self.scene.hush()
        cem = self.scene.join("Cem")
        self.assert_heard(cem, "RoomJoined waiting [Ann*, Cem]", "LobbyStateChanged lobby []")
        self.assert_heard(self.ann, "PlayerJoined Cem", "LobbyStateChanged lobby []")

    def test_partial_start(self):
        """
        The authority can start before the room is full.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.scene.start(self.ann)
        self.assert_heard(self.ann, "GameStarting [Ann*]")
        self.assertEqual(self.scene.room.state, LobbyState.FINALIZED)

    def test_start_when_unready(self):
        """
        Nobody can start before everybody is ready.
        """
        self.pair()
        self.scene.toggle(self.ann)
        text = self.assert_refused(
            ErrorCode.GAME_START_NOT_READY, self.scene, self.scene.start, self.ann
        )
        self.assertEqual(text, "Cannot start the game: every player must be ready first.")

    def test_start_after_start(self):
        """
        StartGame after the start is ignored, whoever sends it.
        """
        both = self.pair()
        self.scene.toggle(*both)
        self.scene.hush()
        self.scene.start(self.ann)
        self.scene.start(self.bea)
        self.assert_all_heard(both)

    def test_toggle_after_start(self):
        """
        Readiness cannot be changed after the start.
        """
        self.scene.toggle(*self.pair())
        text = self.assert_refused(
            ErrorCode.INVALID_ROOM_STATE, self.scene, self.scene.toggle, self.ann
        )
        self.assertEqual(text, "Cannot change ready status: the game has already started.")

    def test_late_join(self):
        """
        Who joins a game that has started is unready, and nothing is said about the lobby.
        """
        both = self.pair()
        self.scene.toggle(*both)
        self.scene.leave(self.bea)
        self.scene.hush()
        cem = self.scene.join("Cem")
        self.assert_heard(cem, "RoomJoined finalized [Ann*+, Cem]")
        self.assert_heard(self.ann, "PlayerJoined Cem")

    def test_departures_after_start(self):
        """
        Departures after the start say nothing about the lobby.
        """
        scene = Scene(3)
        ann, bea, cem = (scene.join(name) for name in ("Ann", "Bea", "Cem"))
        scene.toggle(ann, bea, cem)
        scene.hush()
        scene.leave(bea)
        scene.lose(cem)
        self.assert_heard(ann, "PlayerLeft Bea", "PlayerLeft Cem")
        self.assertEqual(scene.room.state, LobbyState.FINALIZED)

    def test_single_seat(self):
        """
        A room for one is full at once, which its creator is told after the snapshot.
        """
        scene = Scene(1)
        ann = scene.join("Ann")
        self.assert_heard(ann, "RoomJoined waiting [Ann*]", "LobbyStateChanged lobby []")
        scene.toggle(ann)
        self.assert_heard(ann, "LobbyStateChanged lobby [Ann] all", "GameStarting [Ann*]")

    def test_single_seat_start(self):
        """
        The player of a room for one cannot start it unready.
        """
        scene = Scene(1)
        ann = scene.join("Ann")
        self.assert_refused(ErrorCode.GAME_START_NOT_READY, scene, scene.start, ann)


class PartlyFilledLobbyTests(SceneTestCase):
    """
    A join or leave of a room that is not full is told only if it changes something.
    """

    def setUp(self):
        """
        Ann and Bea are in a room for four.
        """
        self.scene = Scene(4, StartRule.AUTOMATIC)
        self.ann, self.bea = self.both = [self.scene.join(name) for name in ("Ann", "Bea")]

    def test_join_of_unready_room(self):
        """
        A join tells nothing of the lobby if somebody was unready already.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        cem = self.scene.join("Cem")
        self.assert_heard(cem, "RoomJoined waiting [Ann*+, Bea, Cem]")
        self.assert_all_heard(self.both, "PlayerJoined Cem")

    def test_join_of_ready_room(self):
        """
        A join makes a room unready in which everybody was ready.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.hush()
        cem = self.scene.join("Cem")
        change = "LobbyStateChanged waiting [Ann, Bea]"
        self.assert_heard(cem, "RoomJoined waiting [Ann*+, Bea+, Cem]", change)
        self.assert_all_heard(self.both, "PlayerJoined Cem", change)

    def test_ready_player_leaves(self):
        """
        A ready player that leaves is no longer among those who are ready.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.hush()
        self.scene.leave(self.bea)
        self.assert_heard(self.ann, "PlayerLeft Bea", "LobbyStateChanged waiting [Ann] all")

    def test_unready_player_leaves(self):
        """
        When the last unready player leaves, everybody is ready.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.scene.lose(self.bea)
        self.assert_heard(self.ann, "PlayerLeft Bea", "LobbyStateChanged waiting [Ann] all")

    def test_nothing_changes(self):
        """
        When nobody is ready, a departure says nothing of the lobby.
        """
        self.scene.hush()
        self.scene.leave(self.bea)
        self.assert_heard(self.ann, "PlayerLeft Bea")

    def test_partial_start(self):
        """
        StartGame starts with those who are there, and late players are not among the ready.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.hush()
        self.scene.start(self.ann)
        self.assert_all_heard(self.both, "GameStarting [Ann*, Bea]")
        cem = self.scene.join("Cem")
        self.assertEqual(cem.told[0].data["ready_players"], [self.ann.id, self.bea.id])
        self.assert_heard(cem, "RoomJoined finalized [Ann*+, Bea+, Cem]")


class ExplicitLobbyTests(SceneTestCase):
    """
    Rooms that somebody must start.
    """

    def setUp(self):
        """
        Ann has made a room for three.
        """
        self.scene = Scene(3, StartRule.EXPLICIT)
        self.ann = self.scene.join("Ann")

    def pair(self):
        """
        Bea has joined, and nobody remembers what was heard until then.
        """
        self.bea = self.scene.join("Bea")
        self.scene.hush()
        return self.ann, self.bea

    def test_create(self):
        """
        The first join opens the lobby.
        """
        self.assert_heard(self.ann, "RoomJoined waiting [Ann*]", "LobbyStateChanged lobby []")

    def test_single_seat(self):
        """
        A room for one opens its lobby like any other.
        """
        ann = Scene(1, StartRule.EXPLICIT).join("Ann")
        self.assert_heard(ann, "RoomJoined waiting [Ann*]", "LobbyStateChanged lobby []")

    def test_join(self):
        """
        A later join finds the lobby open and changes nothing.
        """
        self.scene.hush()
        bea = self.scene.join("Bea")
        self.assert_heard(bea, "RoomJoined lobby [Ann*, Bea]")
        self.assert_heard(self.ann, "PlayerJoined Bea")

    def test_all_ready_does_not_start(self):
        """
        Readiness alone starts nothing, not even in a full room.
        """
        both = self.pair()
        cem = self.scene.join("Cem")
        self.scene.toggle(*both)
        self.scene.hush()
        self.scene.toggle(cem)
        everybody = [*both, cem]
        self.assert_all_heard(everybody, "LobbyStateChanged lobby [Ann, Bea, Cem] all")
        self.scene.start(self.ann)
        self.assert_all_heard(everybody, "GameStarting [Ann*, Bea, Cem]")

    def test_departure_keeps_readiness(self):
        """
        When a player goes, the others stay ready and in the lobby.
        """
        for name in ("leave", "lose"):
            self.setUp()
            self.scene.toggle(*self.pair())
            self.scene.hush()
            getattr(self.scene, name)(self.bea)
            self.assert_heard(self.ann, "PlayerLeft Bea", "LobbyStateChanged lobby [Ann] all")

    def test_join_after_all_ready(self):
        """
        A join makes a room unready in which everybody was ready.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.scene.join("Bea")
        self.assert_heard(self.ann, "PlayerJoined Bea", "LobbyStateChanged lobby [Ann]")

    def test_start_by_other(self):
        """
        While there is an authority, nobody else can start, and that is what they are told first.
        """
        self.pair()
        text = self.assert_refused(
            ErrorCode.GAME_START_FORBIDDEN, self.scene, self.scene.start, self.bea
        )
        self.assertEqual(text, "Only the room's authority player may start the game.")

    def test_start_without_authority(self):
        """
        Anybody can start while there is no authority.
        """
        both = self.pair()
        self.scene.release(self.ann)
        self.scene.toggle(*both)
        self.scene.hush()
        self.scene.start(self.bea)
        self.assert_all_heard(both, "GameStarting [Ann, Bea]")

    def test_start_unready(self):
        """
        The sender of StartGame must be ready too.
        """
        self.pair()
        self.scene.toggle(self.bea)
        self.assert_refused(ErrorCode.GAME_START_NOT_READY, self.scene, self.scene.start, self.ann)

    def test_start_after_start(self):
        """
        A second start is refused, whoever asks for it.
        """
        both = self.pair()
        self.scene.toggle(*both)
        self.scene.start(self.ann)
        for guest in both:
            text = self.assert_refused(
                ErrorCode.INVALID_ROOM_STATE, self.scene, self.scene.start, guest
            )
            self.assertEqual(text, "The game has already started.")

    def test_last_player_is_lost(self):
        """
        The lobby never goes back to waiting while somebody can come back to it.
        """
        sam = self.scene.watch("Sam")
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.scene.lose(self.ann)
        self.assert_heard(
            sam, "PlayerLeft Ann", "AuthorityChanged nobody", "LobbyStateChanged lobby []"
        )
        ann = self.scene.come_back(self.ann)
        self.assert_heard(ann, "Reconnected lobby [Ann*]", "AuthorityChanged Ann you")


class LobbyByProtocolTests(SceneTestCase):
    """
    Rooms whose rule depends on who is seated.
    """

    def test_created_by_version_2(self):
        """
        A room made by a client of version 2 is automatic, also when others join.
        """
        scene = Scene(2, StartRule.BY_PROTOCOL)
        ann = scene.join("Ann")
        self.assert_heard(ann, "RoomJoined waiting [Ann*]")
        bea = scene.join("Bea", V3)
        scene.toggle(ann)
        scene.hush()
        scene.toggle(bea)
        told = ["LobbyStateChanged lobby [Ann, Bea] all", "GameStarting [Ann*, Bea]"]
        self.assert_heard(ann, *told)
        self.assert_heard(bea, *told, "SessionPlan relay/relay []")

    def test_created_by_version_3(self):
        """
        A room made by a client of version 3 is explicit.
        """
        scene = Scene(2, StartRule.BY_PROTOCOL)
        ann = scene.join("Ann", V3)
        self.assert_heard(ann, "RoomJoined waiting [Ann*]", "LobbyStateChanged lobby []")
        bea = scene.join("Bea")
        scene.toggle(ann, bea)
        self.assertEqual(scene.room.state, LobbyState.LOBBY)
        scene.start(ann)
        self.assertEqual(scene.room.state, LobbyState.FINALIZED)

    def test_demoted(self):
        """
        When the last player of version 3 goes, the room is automatic and waits to be full.
        """
        scene = Scene(3, StartRule.BY_PROTOCOL)
        ann, bea = scene.join("Ann", V3), scene.join("Bea")
        scene.toggle(bea)
        scene.hush()
        scene.leave(ann)
        self.assert_heard(
            bea, "PlayerLeft Ann", "AuthorityChanged nobody", "LobbyStateChanged waiting []"
        )
        cem, dan = scene.join("Cem"), scene.join("Dan")
        scene.toggle(bea, cem)
        scene.hush()
        scene.toggle(dan)
        self.assert_heard(
            dan, "LobbyStateChanged lobby [Bea, Cem, Dan] all", "GameStarting [Bea, Cem, Dan]"
        )

    def test_not_demoted_while_one_is_left(self):
        """
        A room stays explicit as long as one player of version 3 is seated.
        """
        scene = Scene(3, StartRule.BY_PROTOCOL)
        ann, bea = scene.join("Ann", V3), scene.join("Bea")
        scene.join("Cem", V3)
        scene.leave(ann)
        scene.toggle(bea)
        self.assertEqual(scene.room.rule, StartRule.EXPLICIT)
        self.assertEqual(scene.room.state, LobbyState.LOBBY)

    def test_demotion_is_final(self):
        """
        A room that became automatic stays so when players of version 3 come.
        """
        scene = Scene(3, StartRule.BY_PROTOCOL)
        ann = scene.join("Ann", V3)
        bea = scene.join("Bea")
        scene.leave(ann)
        scene.join("Cem", V3)
        scene.hush()
        scene.leave(bea)
        self.assertEqual(scene.room.rule, StartRule.AUTOMATIC)
        self.assertEqual(scene.room.state, LobbyState.WAITING)

    def test_not_demoted_while_nobody_is_there(self):
        """
        A room stays explicit while its only player is absent.
        """
        scene = Scene(2, StartRule.BY_PROTOCOL)
        ann, sam = scene.join("Ann", V3), scene.watch("Sam")
        scene.hush()
        scene.lose(ann)
        self.assert_heard(sam, "PlayerLeft Ann", "AuthorityChanged nobody")
        ann = scene.come_back(ann, V3)
        self.assert_heard(ann, "Reconnected lobby [Ann*]", "AuthorityChanged Ann you")
        self.assertEqual(scene.room.rule, StartRule.EXPLICIT)

    def test_demoted_by_takeover(self):
        """
        A takeover by a connection of version 2 makes a room automatic if it was the last other.
        """
        scene = Scene(3, StartRule.BY_PROTOCOL)
        ann, bea = scene.join("Ann", V3), scene.join("Bea")
        scene.toggle(bea)
        scene.hush()
        scene.take_over(ann, V2)
        self.assert_heard(
            bea,
            "PlayerLeft Ann",
            "AuthorityChanged nobody",
            "PlayerJoined Ann",
            "PlayerReconnected Ann",
            "AuthorityChanged Ann",
            "LobbyStateChanged waiting []",
        )

    def test_demoted_after_start(self):
        """
        StartGame after the start is ignored once no player of version 3 is left.
        """
        scene = Scene(3, StartRule.BY_PROTOCOL)
        ann, bea = scene.join("Ann", V3), scene.join("Bea")
        scene.toggle(ann, bea)
        scene.start(ann)
        scene.leave(ann)
        scene.hush()
        scene.start(bea)
        self.assert_heard(bea)


class RenewedRoomTests(SceneTestCase):
    """
    Rooms that all players have left for good.
    """

    def setUp(self):
        """
        Sam watches Ann alone in a room for two whose rule goes by protocol.
        """
        self.scene = Scene(2, StartRule.BY_PROTOCOL)
        self.ann = self.scene.join("Ann")
        self.sam = self.scene.watch("Sam")

    def finish(self):
        """
        Ann has started and left.
        """
        self.scene.toggle(self.ann)
        self.scene.start(self.ann)
        self.scene.hush()
        self.scene.leave(self.ann)

    def test_spectators_after_start(self):
        """
        Spectators are told that a room whose game had started is as new.
        """
        self.finish()
        self.assert_heard(
            self.sam, "PlayerLeft Ann", "AuthorityChanged nobody", "LobbyStateChanged waiting []"
        )

    def test_spectators_while_ready(self):
        """
        Spectators of a room that had not started are told once that nobody is ready.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        self.scene.leave(self.ann)
        self.assert_heard(
            self.sam, "PlayerLeft Ann", "AuthorityChanged nobody", "LobbyStateChanged waiting []"
        )

    def test_spectators_when_nothing_changed(self):
        """
        Spectators of a waiting room with nobody ready are told nothing of the lobby.
        """
        self.scene.hush()
        self.scene.leave(self.ann)
        self.assert_heard(self.sam, "PlayerLeft Ann", "AuthorityChanged nobody")

    def test_next_player(self):
        """
        The next player founds the room anew.
        """
        self.finish()
        self.scene.hush()
        bea = self.scene.join("Bea", V3)
        self.assert_heard(bea, "RoomJoined waiting [Bea*]", "LobbyStateChanged lobby []")
        self.assert_heard(self.sam, "PlayerJoined Bea*", "LobbyStateChanged lobby []")
        self.assertEqual(self.scene.room.rule, StartRule.EXPLICIT)

    def test_next_player_without_authority(self):
        """
        Whether there is an authority is decided anew.
        """
        self.finish()
        bea = self.scene.join("Bea", supports_authority=False)
        self.assert_heard(bea, "RoomJoined waiting [Bea]")
        self.assert_refused(ErrorCode.AUTHORITY_NOT_SUPPORTED, self.scene, self.scene.claim, bea)

    def test_what_stays(self):
        """
        The id, the code, the capacity and the password stay.
        """
        scene = Scene(1, password="sesame")
        ann = scene.join("Ann", password="sesame")
        before = ann.told[0].data
        scene.toggle(ann)
        scene.leave(ann)
        self.assert_refused(ErrorCode.PASSWORD_REQUIRED, scene, scene.join, "Bea")
        bea = scene.join("Bea", password="sesame")
        after = bea.told[0].data
        for key in ("room_id", "room_code", "max_players"):
            self.assertEqual(after[key], before[key])
        self.assert_refused(ErrorCode.ROOM_FULL, scene, scene.join, "Cem", password="sesame")

    def test_not_while_somebody_can_come_back(self):
        """
        A room keeps its game as long as somebody can come back to it.
        """
        self.scene.toggle(self.ann)
        self.scene.start(self.ann)
        self.scene.hush()
        self.scene.lose(self.ann)
        self.scene.wait(300)
        self.scene.expire()
        self.assert_heard(self.sam, "PlayerLeft Ann", "AuthorityChanged nobody")
        self.assertEqual(self.scene.room.state, LobbyState.FINALIZED)

    def test_when_the_last_window_ends(self):
        """
        A room is as new when the last of those who could come back cannot any more.
        """
        bea = self.scene.join("Bea")
        self.scene.toggle(self.ann, bea)
        self.scene.lose(self.ann)
        self.scene.wait(100)
        self.scene.lose(bea)
        self.scene.hush()
        self.scene.wait(201)
        self.scene.expire()
        self.assert_heard(self.sam)
        self.scene.wait(100)
        self.scene.expire()
        self.assert_heard(self.sam, "LobbyStateChanged waiting []")

    def test_seen_by_the_next_player(self):
        """
        Who joins after the last window has ended finds a new room, even before a sweep.
        """
        self.scene.toggle(self.ann)
        self.scene.start(self.ann)
        self.scene.lose(self.ann)
        self.scene.hush()
        self.scene.wait(300.5)
        bea = self.scene.join("Bea")
        self.assert_heard(bea, "RoomJoined waiting [Bea*]")
        self.assert_heard(self.sam, "LobbyStateChanged waiting []", "PlayerJoined Bea*")

    def test_lost_without_token(self):
        """
        A room whose last player is lost without a token is as new at once.
        """
        scene = Scene(1)
        ann = scene.join("Ann", token=False)
        sam = scene.watch("Sam")
        scene.toggle(ann)
        scene.hush()
        scene.lose(ann)
        self.assert_heard(
            sam, "PlayerLeft Ann", "AuthorityChanged nobody", "LobbyStateChanged waiting []"
        )


class GameStartingTests(SceneTestCase):
    """
    What is told about the players at the start.
    """

    def test_connection_info(self):
        """
        Players are told how the others can be reached; spectators are not.
        """
        scene = Scene(2)
        ann, bea, sam = scene.join("Ann"), scene.join("Bea", V3), scene.watch("Sam")
        ann.place.connection_info = DirectInfo(host="2001:db8::9", port=40417)
        bea.place.connection_info = CustomInfo(data=Raw(b"[1, 2]"))
        scene.toggle(ann, bea)
        peer = {"relay_type": "matchbox", "is_authority": False}
        direct = {"type": "direct", "host": "2001:db8::9", "port": 40417}
        own = {
            **peer,
            "player_id": ann.id,
            "player_name": "Ann",
            "is_authority": True,
        }
        other = {**peer, "player_id": bea.id, "player_name": "Bea"}
        expected = [
            {**own, "connection_info": direct},
            {**other, "connection_info": {"type": "custom", "data": [1, 2]}},
        ]
        for guest in (ann, bea):
            (starting,) = (told for told in guest.told if told.type == "GameStarting")
            self.assertEqual(starting.data, {"peer_connections": expected})
        self.assertEqual(sam.told[-1].data, {"peer_connections": [own, other]})

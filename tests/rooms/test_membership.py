"""
Tests for signalfish.rooms.membership.
"""

import json

from msgspec import UNSET

from signalfish.rooms.replay import Replay, ReplayMemory
from signalfish.rooms.rules import StartRule
from signalfish.wire.errors import CloseCode, ErrorCode
from signalfish.wire.types import DirectInfo
from tests.fakes import V2, V2_BINARY, V3
from tests.rooms.scene import JOINED_AT, Scene, SceneTestCase


class JoinTests(SceneTestCase):
    """
    Who gets a seat.
    """

    def test_order(self):
        """
        The newcomer is answered before the others hear of it, and spectators hear what they hear.
        """
        scene = Scene(4)
        ann, sam = scene.join("Ann"), scene.watch("Sam")
        scene.hush()
        bea = scene.join("Bea")
        self.assert_heard(bea, "RoomJoined waiting [Ann*, Bea]")
        self.assert_all_heard([ann, sam], "PlayerJoined Bea")

    def test_full(self):
        """
        Nobody gets a seat in a full room.
        """
        scene = Scene(2)
        scene.join("Ann")
        scene.join("Bea")
        text = self.assert_refused(ErrorCode.ROOM_FULL, scene, scene.join, "Cem")
        self.assertEqual(text, "Room is full")

    def test_same_name(self):
        """
        Names are compared without regard to case and composition.
        """
        scene = Scene(4)
        scene.join("Stra\N{LATIN SMALL LETTER SHARP S}e \N{LATIN SMALL LETTER E WITH ACUTE}")
        for name in (
            "STRASSE E\N{COMBINING ACUTE ACCENT}",
            "strasse \N{LATIN CAPITAL LETTER E WITH ACUTE}",
        ):
            text = self.assert_refused(ErrorCode.INVALID_PLAYER_NAME, scene, scene.join, name)
            self.assertEqual(text, "Player name already exists in this room")

    def test_same_name_in_full_room(self):
        """
        In a full room, who has a taken name is told so.
        """
        scene = Scene(1)
        scene.join("Ann")
        self.assert_refused(ErrorCode.INVALID_PLAYER_NAME, scene, scene.join, "ann")

    def test_spectators_names_are_free(self):
        """
        A player may have the name of a spectator.
        """
        scene = Scene(4)
        scene.join("Ann")
        scene.watch("Sam")
        sam = scene.join("Sam")
        self.assert_heard(sam, "RoomJoined waiting [Ann*, Sam]")

    def test_password(self):
        """
        A sealed room wants its password before it says anything else.
        """
        scene = Scene(1, password="sesame")
        scene.join("Ann", password="sesame")
        for password in (None, "Sesame"):
            text = self.assert_refused(
                ErrorCode.PASSWORD_REQUIRED, scene, scene.join, "Ann", password=password
            )
            self.assertEqual(text, "Room requires the join password set by its authority")
        self.assert_refused(ErrorCode.ROOM_FULL, scene, scene.join, "Bea", password="sesame")

    def test_password_for_open_room(self):
        """
        An open room refuses a password.
        """
        scene = Scene(4)
        scene.join("Ann")
        self.assert_refused(ErrorCode.PASSWORD_REQUIRED, scene, scene.join, "Bea", password="x")

    def test_without_authority(self):
        """
        In a room made without authority, nobody has it.
        """
        scene = Scene(2)
        ann = scene.join("Ann", supports_authority=False)
        self.assertFalse(ann.told[0].data["supports_authority"])
        bea = scene.join("Bea", supports_authority=True)
        self.assertFalse(bea.told[0].data["supports_authority"])
        self.assertEqual(bea.heard()[0], "RoomJoined waiting [Ann, Bea]")


class LeaveTests(SceneTestCase):
    """
    Who goes for good.
    """

    def test_order(self):
        """
        The leaver is answered; the others hear of the departure and then of the authority.
        """
        scene = Scene(4)
        ann, bea, sam = scene.join("Ann"), scene.join("Bea"), scene.watch("Sam")
        scene.hush()
        scene.leave(ann)
        self.assert_heard(ann, "RoomLeft")
        self.assert_all_heard([bea, sam], "PlayerLeft Ann", "AuthorityChanged nobody")
        self.assertIsNone(ann.place.room)

    def test_no_successor(self):
        """
        The authority is not handed on to who joins next.
        """
        scene = Scene(4)
        ann = scene.join("Ann")
        scene.join("Bea")
        scene.leave(ann)
        cem = scene.join("Cem")
        self.assert_heard(cem, "RoomJoined waiting [Bea, Cem]")

    def test_nobody_comes_back(self):
        """
        The token of a leaver is void, and nothing waits for it.
        """
        scene = Scene(2)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.toggle(ann, bea)
        scene.leave(ann)
        self.assertTrue(ann.place.claim.revoked)
        self.assertEqual(scene.room.absent, {})
        scene.join("Ann", address="another")

    def test_rejoin(self):
        """
        Who leaves and joins again gets a new seat, unready, at the end of the order.
        """
        scene = Scene(3)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.toggle(ann)
        scene.leave(ann)
        scene.hush()
        scene.sit(ann)
        self.assert_heard(ann, "RoomJoined waiting [Bea, Ann]")
        self.assert_heard(bea, "PlayerJoined Ann")
        self.assertEqual(ann.place.epoch, 2)

    def test_epochs_and_numbers(self):
        """
        Clients of version 3 are told up to where the leaver's game data went.
        """
        scene = Scene(3)
        ann, bea, cem = scene.join("Ann"), scene.join("Bea", V3), scene.join("Cem")
        scene.send(ann, 1)
        scene.send(ann, 2)
        scene.leave(ann)
        left = {"player_id": ann.id}
        self.assertIn(("PlayerLeft", {**left, "epoch": 1, "final_seq": 2}), bea.told)
        self.assertIn(("PlayerLeft", left), cem.told)


class LoseTests(SceneTestCase):
    """
    Whose connection breaks.
    """

    def test_order(self):
        """
        A loss looks like a departure to the others, and nothing is sent to the dead connection.
        """
        scene = Scene(4)
        ann, bea, sam = scene.join("Ann"), scene.join("Bea"), scene.watch("Sam")
        scene.hush()
        scene.lose(ann)
        self.assert_heard(ann)
        self.assert_all_heard([bea, sam], "PlayerLeft Ann", "AuthorityChanged nobody")

    def test_seat_is_free_before_start(self):
        """
        Before the start, the seat and the name of a lost player are free at once.
        """
        scene = Scene(2)
        ann = scene.join("Ann")
        scene.join("Bea")
        scene.lose(ann)
        other = scene.join("Ann", address="another")
        self.assert_heard(other, "RoomJoined waiting [Bea, Ann]", "LobbyStateChanged lobby []")

    def test_seat_is_reserved_after_start(self):
        """
        After the start, the seat and the name of a lost player are reserved for the window.
        """
        scene = Scene(2)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.toggle(ann, bea)
        scene.lose(ann)
        scene.wait(300)
        text = self.assert_refused(ErrorCode.ROOM_FULL, scene, scene.join, "Cem")
        self.assertEqual(text, "Room is full")
        text = self.assert_refused(
            ErrorCode.INVALID_PLAYER_NAME, scene, scene.join, "ANN", address="another"
        )
        self.assertEqual(text, "Player name already exists in this room")

    def test_reservation_ends(self):
        """
        After the window, the seat and the name are free.
        """
        scene = Scene(2)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.toggle(ann, bea)
        scene.lose(ann)
        scene.hush()
        scene.wait(300.5)
        other = scene.join("Ann", address="another")
        self.assert_heard(other, "RoomJoined finalized [Bea+, Ann]")
        self.assert_heard(bea, "PlayerJoined Ann")

    def test_no_reservation_without_token(self):
        """
        After the start, the seat and the name of a player without token are free at once.
        """
        scene = Scene(2)
        ann, bea = scene.join("Ann", token=False), scene.join("Bea")
        scene.toggle(ann, bea)
        scene.lose(ann)
        self.assertEqual(scene.room.absent, {})
        other = scene.join("Ann", address="another")
        self.assertNotEqual(other.id, ann.id)

    def test_lost_before_start_is_never_reserved(self):
        """
        The seat of a player lost before the start is free also after the start.
        """
        scene = Scene(3)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.lose(ann)
        scene.toggle(bea)
        scene.start(bea)
        for name in ("Ann", "Cem"):
            scene.join(name, address="another")
        self.assert_refused(ErrorCode.ROOM_FULL, scene, scene.join, "Dan")


class ReservedNameTests(SceneTestCase):
    """
    Lost players who do not know their token and just join again.
    """

    def setUp(self):
        """
        Ann has been lost in a running game for two, and Sam watches.
        """
        self.scene = Scene(2)
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.sam = self.scene.watch("Sam")
        self.scene.toggle(self.ann, self.bea)
        self.scene.lose(self.ann)
        self.scene.hush()

    def test_same_address(self):
        """
        The reserved name from the same address gets the seat as somebody new.
        """
        again = self.scene.join("aNN", address=self.ann.address)
        self.assertNotEqual(again.id, self.ann.id)
        self.assertEqual(again.told[0].data["ready_players"], [self.bea.id])
        self.assert_heard(again, "RoomJoined finalized [Bea+, aNN]")
        self.assert_all_heard([self.bea, self.sam], "PlayerJoined aNN")

    def test_token_is_void(self):
        """
        The token of the reservation that was ended is void.
        """
        self.scene.join("Ann", address=self.ann.address)
        self.assertTrue(self.ann.place.claim.revoked)
        self.assertEqual(self.scene.room.absent, {})

    def test_other_address(self):
        """
        The reserved name from elsewhere is refused, and the reservation stays.
        """
        self.assert_refused(
            ErrorCode.INVALID_PLAYER_NAME, self.scene, self.scene.join, "Ann", address="another"
        )
        self.assertFalse(self.ann.place.claim.revoked)

    def test_other_certificate(self):
        """
        Nor does somebody get it who has not shown the certificate of its player.
        """
        self.ann.place.claim.fingerprint = "ab" * 32
        again = (self.scene, self.scene.join, "Ann")
        for _ in range(2):
            self.assert_refused(ErrorCode.INVALID_PLAYER_NAME, *again, address=self.ann.address)

    def test_other_name(self):
        """
        Another name from the same address does not get the seat.
        """
        self.assert_refused(
            ErrorCode.ROOM_FULL, self.scene, self.scene.join, "Cem", address=self.ann.address
        )

    def test_password(self):
        """
        A reservation does not replace the password.
        """
        scene = Scene(1, password="sesame")
        ann = scene.join("Ann", password="sesame")
        scene.toggle(ann)
        scene.lose(ann)
        self.assert_refused(
            ErrorCode.PASSWORD_REQUIRED, scene, scene.join, "Ann", address=ann.address
        )

    def test_address_of_the_return(self):
        """
        What counts is the address of the connection that was lost last.
        """
        back = self.scene.come_back(self.ann, address="a train")
        self.scene.lose(back)
        self.assert_refused(
            ErrorCode.INVALID_PLAYER_NAME,
            self.scene,
            self.scene.join,
            "Ann",
            address=self.ann.address,
        )
        self.scene.join("Ann", address="a train")


class ComeBackTests(SceneTestCase):
    """
    Lost players who come back with their token.
    """

    def setUp(self):
        """
        Ann, the authority, and Bea are in a room for three, and Sam watches.
        """
        self.scene = Scene(3)
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.sam = self.scene.watch("Sam")

    def begin(self):
        """
        The game starts.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.start(self.ann)

    def test_order(self):
        """
        The player is answered; others hear that it joined, returned, and has the authority again.
        """
        self.scene.lose(self.ann)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(ann, "Reconnected waiting [Ann*, Bea]", "AuthorityChanged Ann you")
        self.assert_all_heard(
            [self.bea, self.sam],
            "PlayerJoined Ann",
            "PlayerReconnected Ann",
            "AuthorityChanged Ann",
        )

    def test_same_player(self):
        """
        Id, name, time of joining and rank are as before; connection info and numbers are not.
        """
        self.ann.place.connection_info = DirectInfo(host="192.0.2.7", port=1)
        self.scene.send(self.ann, 1)
        self.scene.lose(self.ann)
        self.scene.wait(10)
        seat = self.scene.come_back(self.ann).place
        old = self.ann.place
        self.assertEqual((seat.id, seat.name, seat.rank), (old.id, old.name, old.rank))
        self.assertEqual(seat.connected_at, JOINED_AT)
        self.assertEqual((seat.epoch, seat.seq), (2, 0))
        self.assertIs(seat.connection_info, UNSET)
        self.assertEqual(list(self.scene.room.seats), [self.ann.id, self.bea.id])

    def test_entries(self):
        """
        The full entry is told twice, with the new epoch in version 3 and without in version 2.
        """
        cem = self.scene.join("Cem", V3)
        self.scene.lose(self.bea)
        self.scene.hush()
        self.scene.come_back(self.bea)
        entry = {
            "id": self.bea.id,
            "name": "Bea",
            "is_authority": False,
            "is_ready": False,
            "connected_at": JOINED_AT,
        }
        newer = {**entry, "epoch": 2, "seq": 0}
        self.assertEqual(
            cem.told[:2],
            [
                ("PlayerJoined", {"player": newer}),
                ("PlayerReconnected", {"player_id": self.bea.id, "epoch": 2, "player": newer}),
            ],
        )
        self.assertEqual(
            self.ann.told[:2],
            [
                ("PlayerJoined", {"player": entry}),
                ("PlayerReconnected", {"player_id": self.bea.id, "player": entry}),
            ],
        )

    def test_returns_unready_before_start(self):
        """
        Who was ready before the start comes back unready.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.lose(self.bea)
        self.scene.hush()
        bea = self.scene.come_back(self.bea)
        self.assert_heard(
            bea, "Reconnected waiting [Ann*+, Bea]", "LobbyStateChanged waiting [Ann]"
        )
        self.assert_heard(
            self.ann,
            "PlayerJoined Bea",
            "PlayerReconnected Bea",
            "LobbyStateChanged waiting [Ann]",
        )

    def test_returns_ready_after_start(self):
        """
        Who was ready at the start comes back ready.
        """
        self.begin()
        self.scene.lose(self.bea)
        self.scene.hush()
        bea = self.scene.come_back(self.bea)
        self.assertEqual(bea.told[0].data["ready_players"], [self.ann.id, self.bea.id])
        self.assert_heard(bea, "Reconnected finalized [Ann*+, Bea+]")
        self.assert_heard(self.ann, "PlayerJoined Bea+", "PlayerReconnected Bea+")

    def test_ready_lost_before_start_returns_after(self):
        """
        Who was lost before the start comes back unready, also if the game started meanwhile.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.lose(self.bea)
        self.scene.start(self.ann)
        bea = self.scene.come_back(self.bea)
        self.assert_heard(bea, "Reconnected finalized [Ann*+, Bea]")

    def test_fills_the_room(self):
        """
        A return that fills the room opens the lobby after everything else.
        """
        cem = self.scene.join("Cem")
        self.scene.lose(self.ann)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(
            ann,
            "Reconnected waiting [Ann*, Bea, Cem]",
            "AuthorityChanged Ann you",
            "LobbyStateChanged lobby []",
        )
        self.assert_all_heard(
            [self.bea, cem],
            "PlayerJoined Ann",
            "PlayerReconnected Ann",
            "AuthorityChanged Ann",
            "LobbyStateChanged lobby []",
        )

    def test_full(self):
        """
        Before the start, somebody else may have taken the seat; the token stays valid meanwhile.
        """
        cem = self.scene.join("Cem")
        self.scene.lose(self.bea)
        dan = self.scene.join("Dan")
        text = self.assert_refused(ErrorCode.ROOM_FULL, self.scene, self.scene.come_back, self.bea)
        self.assertEqual(text, "Room is full")
        self.scene.leave(cem)
        self.scene.hush()
        bea = self.scene.come_back(self.bea)
        self.assert_heard(bea, "Reconnected waiting [Ann*, Bea, Dan]", "LobbyStateChanged lobby []")
        self.assertIsNone(dan.closed)

    def test_full_with_reserved_seats(self):
        """
        Who was lost before the start cannot have the reserved seat of somebody lost after it.
        """
        scene = Scene(2)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.lose(ann)
        cem = scene.join("Cem")
        scene.toggle(bea, cem)
        scene.lose(cem)
        self.assert_refused(ErrorCode.ROOM_FULL, scene, scene.come_back, ann)
        scene.come_back(cem)

    def test_reserved_seat(self):
        """
        A reserved seat can be had although the room looks full.
        """
        scene = Scene(2)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.toggle(ann, bea)
        scene.lose(ann)
        scene.hush()
        ann = scene.come_back(ann)
        self.assert_heard(ann, "Reconnected finalized [Ann*+, Bea+]", "AuthorityChanged Ann you")

    def test_name_taken(self):
        """
        Before the start, somebody else may have taken the name.
        """
        self.scene.lose(self.bea)
        other = self.scene.join("BEA", address="another")
        text = self.assert_refused(
            ErrorCode.RECONNECTION_FAILED, self.scene, self.scene.come_back, self.bea
        )
        self.assertEqual(text, "Player name already exists in this room")
        self.scene.leave(other)
        self.scene.come_back(self.bea)

    def test_name_reserved(self):
        """
        The name may be reserved for somebody else by now.
        """
        self.scene.lose(self.bea)
        other = self.scene.join("Bea", address="another")
        self.scene.toggle(self.ann, other)
        self.scene.start(self.ann)
        self.scene.lose(other)
        self.assert_refused(
            ErrorCode.RECONNECTION_FAILED, self.scene, self.scene.come_back, self.bea
        )

    def test_authority_taken(self):
        """
        The authority is not restored while somebody else has it.
        """
        self.scene.lose(self.ann)
        self.scene.claim(self.bea)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(ann, "Reconnected waiting [Ann, Bea*]")
        self.assert_heard(self.bea, "PlayerJoined Ann", "PlayerReconnected Ann")

    def test_authority_vacant_again(self):
        """
        The authority is restored if it is vacant, whoever had it meanwhile.
        """
        self.scene.lose(self.ann)
        self.scene.claim(self.bea)
        self.scene.release(self.bea)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(ann, "Reconnected waiting [Ann*, Bea]", "AuthorityChanged Ann you")

    def test_authority_given_up_before(self):
        """
        Who had given the authority up before the loss does not get it.
        """
        self.scene.release(self.ann)
        self.scene.lose(self.ann)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(ann, "Reconnected waiting [Ann, Bea]")

    def test_twice(self):
        """
        On version 2 the same token serves for every return, each with an epoch of its own.
        """
        guest = self.ann
        token = guest.place.claim.token
        for epoch in (2, 3, 4):
            self.scene.lose(guest)
            guest = self.scene.come_back(guest)
            self.assertEqual(guest.place.epoch, epoch)
            self.assertEqual(guest.place.claim.token, token)

    def test_into_empty_room(self):
        """
        The last player can come back to an empty room, which is as it was left.
        """
        self.begin()
        self.scene.leave(self.bea)
        self.scene.lose(self.ann)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(ann, "Reconnected finalized [Ann*+]", "AuthorityChanged Ann you")

    def test_last_moment(self):
        """
        The window includes its last moment.
        """
        self.scene.lose(self.ann)
        self.scene.wait(300)
        self.scene.come_back(self.ann)
        self.assertEqual(self.scene.room.absent, {})


class MissedTests(SceneTestCase):
    """
    What returning players are told of the time of their absence.
    """

    def setUp(self):
        """
        Ann, Bea and Cem play a game for four.
        """
        self.scene = Scene(4)
        self.guests = [self.scene.join(name) for name in ("Ann", "Bea", "Cem")]
        self.ann, self.bea, self.cem = self.guests
        self.scene.toggle(*self.guests)
        self.scene.start(self.ann)

    def test_control_events(self):
        """
        Joins, departures, returns and spectators are told, oldest first.
        """
        self.scene.lose(self.ann)
        dan = self.scene.join("Dan")
        self.scene.lose(self.bea)
        sam = self.scene.watch("Sam")
        self.scene.come_back(self.bea)
        self.scene.leave(sam)
        self.scene.leave(dan)
        ann = self.scene.come_back(self.ann)
        self.assertEqual(
            ann.missed(),
            [
                "PlayerJoined Dan",
                "PlayerLeft Bea",
                "NewSpectatorJoined Sam",
                "PlayerJoined Bea+",
                "PlayerReconnected Bea+",
                "SpectatorDisconnected Sam voluntary_leave",
                "PlayerLeft Dan",
            ],
        )

    def test_nothing_else(self):
        """
        Game data, the start of the game and replies to others are not among the missed events.
        """
        scene = Scene(4)
        ann, bea = scene.join("Ann"), scene.join("Bea")
        scene.lose(ann)
        scene.send(bea, 1)
        scene.claim(bea)
        scene.toggle(bea)
        scene.start(bea)
        ann = scene.come_back(ann)
        self.assertEqual(
            ann.missed(),
            ["AuthorityChanged Bea", "LobbyStateChanged waiting [Bea] all"],
        )

    def test_nothing_from_before(self):
        """
        Who is lost later is not told what another one missed before.
        """
        self.scene.lose(self.ann)
        dan = self.scene.join("Dan")
        self.scene.lose(self.bea)
        self.scene.leave(dan)
        bea = self.scene.come_back(self.bea)
        self.assertEqual(bea.missed(), ["PlayerLeft Dan"])

    def test_nothing_of_an_earlier_absence(self):
        """
        A second absence does not repeat the events of the first.
        """
        self.scene.lose(self.bea)
        self.scene.lose(self.ann)
        self.scene.join("Dan")
        ann = self.scene.come_back(self.ann)
        self.scene.lose(ann)
        ann = self.scene.come_back(ann)
        self.assertEqual(ann.missed(), [])

    def test_current_authority(self):
        """
        Of the changes of authority, only those that agree with the present are told.
        """
        self.scene.lose(self.ann)
        self.scene.claim(self.bea)
        self.scene.release(self.bea)
        self.scene.claim(self.cem)
        ann = self.scene.come_back(self.ann)
        self.assertEqual(ann.missed(), ["AuthorityChanged Cem"])

    def test_own_authority(self):
        """
        Whether a change of authority means the returning player is computed for it.
        """
        self.scene.release(self.ann)
        self.scene.lose(self.bea)
        self.scene.claim(self.cem)
        self.scene.release(self.cem)
        bea = self.scene.come_back(self.bea)
        self.assertEqual(bea.missed(), ["AuthorityChanged nobody"])

    def test_version_3(self):
        """
        Missed events are in the version of the returning connection.
        """
        self.scene.lose(self.ann)
        self.scene.leave(self.bea)
        ann = self.scene.come_back(self.ann, V3)
        left = {"player_id": self.bea.id, "epoch": 1, "final_seq": 0}
        self.assertEqual(ann.told[0].data["missed_events"], [{"type": "PlayerLeft", "data": left}])

    def test_game_data(self):
        """
        The game data that was missed follows the answer at once, in order, from everybody.
        """
        self.scene.lose(self.ann)
        self.scene.send(self.bea, 1)
        self.scene.send(self.cem, 2)
        self.scene.send(self.bea, 3)
        self.scene.leave(self.cem)
        self.scene.hush()
        ann = self.scene.come_back(self.ann)
        self.assert_heard(
            ann,
            "Reconnected finalized [Ann*+, Bea+]",
            "GameData Bea 1",
            "GameData Cem 2",
            "GameData Bea 3",
            "AuthorityChanged Ann you",
        )
        self.assert_heard(
            self.bea,
            "PlayerJoined Ann+",
            "PlayerReconnected Ann+",
            "AuthorityChanged Ann",
        )

    def test_game_data_of_own_absence_only(self):
        """
        Each returning player gets the game data since its own loss.
        """
        self.scene.lose(self.ann)
        self.scene.send(self.cem, 1)
        self.scene.lose(self.bea)
        self.scene.send(self.cem, 2)
        bea = self.scene.come_back(self.bea)
        self.assertEqual(bea.heard()[1:], ["GameData Cem 2"])
        self.scene.send(self.cem, 3)
        ann = self.scene.come_back(self.ann)
        self.assertEqual(ann.heard()[1:4], ["GameData Cem 1", "GameData Cem 2", "GameData Cem 3"])

    def test_game_data_version_3(self):
        """
        Clients of version 3 get no missed game data: they are told up to where it went.
        """
        self.scene.lose(self.ann)
        self.scene.send(self.bea, 1)
        self.scene.send(self.bea, 2)
        ann = self.scene.come_back(self.ann, V3)
        self.assertEqual(
            ann.told[0].data["sender_watermarks"],
            [
                {"player_id": self.ann.id, "epoch": 2, "seq": 0},
                {"player_id": self.bea.id, "epoch": 1, "seq": 2},
                {"player_id": self.cem.id, "epoch": 1, "seq": 0},
            ],
        )
        self.assertEqual(
            ann.heard()[1:], ["AuthorityChanged Ann you", "SessionPlan relay/relay []"]
        )

    def test_version_2_fields(self):
        """
        The answer to a client of version 2 has nothing that only version 3 knows.
        """
        self.scene.lose(self.ann)
        data = self.scene.come_back(self.ann).told[0].data
        self.assertEqual({"replay", "sender_watermarks", "reconnection_token"} & set(data), set())
        self.assertEqual({"epoch", "seq"} & set(data["current_players"][0]), set())

    def test_binary_game_data(self):
        """
        Missed binary game data comes in the format of the new connection.
        """
        self.scene.lose(self.ann, self.bea)
        self.scene.send_binary(self.cem, b"\x81\xa3lap\x03")
        ann = self.scene.come_back(self.ann, V2_BINARY)
        self.assertEqual(ann.told[1].type, "BinaryGameData")
        self.assertEqual(ann.told[1].data["payload"], b"\x81\xa3lap\x03")
        bea = self.scene.come_back(self.bea, V2)
        self.assertEqual(bea.heard()[1], 'GameData Cem {"lap": 3}')

    def test_nothing_is_kept_for_nobody(self):
        """
        When the last one is back, nothing is kept.
        """
        self.scene.lose(self.ann)
        self.scene.send(self.bea, "x")
        self.scene.come_back(self.ann)
        self.scene.send(self.bea, "y")
        self.assertEqual(self.scene.room.replay.data(0), [])
        self.assertEqual(list(self.scene.room.replay.events(0)), [])

    def test_nothing_is_kept_after_the_window(self):
        """
        When the last window ends, nothing is kept.
        """
        self.scene.lose(self.ann)
        self.scene.send(self.bea, "x")
        self.scene.wait(301)
        self.scene.expire()
        self.assertEqual(self.scene.room.replay.data(0), [])

    def test_nothing_is_kept_after_ended_reservation(self):
        """
        When the last reservation is ended by its owner, nothing is kept.
        """
        self.scene.lose(self.ann)
        self.scene.send(self.bea, "x")
        self.scene.join("Ann", address=self.ann.address)
        self.assertEqual(self.scene.room.replay.data(0), [])

    def test_bounded(self):
        """
        Only the latest events and game data are kept.
        """
        replay = Replay(3, ReplayMemory(1 << 20))
        scene = Scene(4, StartRule.AUTOMATIC, replay=replay)
        ann, bea, cem = (scene.join(name) for name in ("Ann", "Bea", "Cem"))
        scene.lose(ann)
        for value in range(5):
            scene.send(bea, value)
        scene.leave(cem)
        for _ in range(4):
            scene.toggle(bea)
        ann = scene.come_back(ann)
        self.assertEqual(
            ann.missed(),
            [
                "LobbyStateChanged waiting []",
                "LobbyStateChanged waiting [Bea] all",
                "LobbyStateChanged waiting []",
            ],
        )
        self.assertEqual(ann.heard()[1:4], ["GameData Bea 2", "GameData Bea 3", "GameData Bea 4"])

    def test_too_large(self):
        """
        Of the missed events, the newest that fit into one message are told.
        """
        for form in (V2, V3):
            self.assert_fits(form, 100_000, 100, "complete")
            kept = [self.assert_fits(form, size, None, "truncated") for size in (3000, 3001, 4000)]
            self.assertEqual(sorted(kept), kept)
            self.assertTrue(0 < kept[0] < kept[2] < 100, kept)
            self.assertEqual(0, self.assert_fits(form, 10, None, "truncated"))

    def assert_fits(self, form, size, number, coverage):
        """
        Somebody comes back whose snapshot may have this size; the number of events that it has.
        """
        replay = Replay(102, ReplayMemory(1 << 20), size)
        scene = Scene(4, StartRule.EXPLICIT, replay=replay)
        ann, bea = scene.join("Ann", form), scene.join("Bea")
        scene.lose(ann)
        for _ in range(100):
            scene.toggle(bea)
        ann = scene.come_back(ann, form=form)
        [told] = [told for told in ann.told if told.type == "Reconnected"]
        missed = told.data["missed_events"]
        self.assertEqual(coverage if form is V3 else None, told.data.get("replay"))
        if number is not None:
            self.assertEqual(number, len(missed))
        text = json.dumps(told._asdict(), separators=(",", ":"))
        self.assertTrue(not missed or len(text) <= size, (len(text), size))
        truths = [event["data"]["ready_players"] for event in missed]
        self.assertEqual([[bea.id], []] * 50, ([[bea.id], []] * 50)[: 100 - len(truths)] + truths)
        return len(missed)


class TakeOverTests(SceneTestCase):
    """
    Players who move to another connection while the old one looks alive.
    """

    def setUp(self):
        """
        Ann, the authority, and Bea fill a room, and Sam watches.
        """
        self.scene = Scene(2)
        self.ann, self.bea = self.scene.join("Ann"), self.scene.join("Bea")
        self.sam = self.scene.watch("Sam")

    def test_order(self):
        """
        To the others it is a loss and a return in one turn, with the authority back at the end.
        """
        self.scene.hush()
        ann = self.scene.take_over(self.ann)
        self.assert_heard(ann, "Reconnected lobby [Ann*, Bea]", "AuthorityChanged Ann you")
        self.assert_all_heard(
            [self.bea, self.sam],
            "PlayerLeft Ann",
            "AuthorityChanged nobody",
            "PlayerJoined Ann",
            "PlayerReconnected Ann",
            "AuthorityChanged Ann",
        )

    def test_not_the_authority(self):
        """
        Nothing is said about an authority that somebody else has.
        """
        self.scene.hush()
        bea = self.scene.take_over(self.bea)
        self.assert_heard(bea, "Reconnected lobby [Ann*, Bea]")
        self.assert_all_heard(
            [self.ann, self.sam], "PlayerLeft Bea", "PlayerJoined Bea", "PlayerReconnected Bea"
        )

    def test_old_connection(self):
        """
        The old connection is told nothing and closed as superseded.
        """
        self.scene.hush()
        self.scene.take_over(self.ann)
        self.assert_heard(self.ann)
        self.assertEqual(self.ann.closed, (CloseCode.SUPERSEDED, "superseded", None))
        self.assertIsNone(self.ann.place.room)

    def test_lobby_is_evaluated_once(self):
        """
        A full room stays full; only the readiness of the player is lost.
        """
        self.scene.toggle(self.bea)
        self.scene.hush()
        self.scene.take_over(self.ann)
        self.assertEqual(self.bea.heard()[-1], "AuthorityChanged Ann")
        self.assertTrue(self.bea.place.is_ready)

    def test_readiness_is_lost(self):
        """
        A ready player who moves before the start is unready, which everybody is told at the end.
        """
        self.scene.toggle(self.ann)
        self.scene.hush()
        ann = self.scene.take_over(self.ann)
        change = "LobbyStateChanged lobby []"
        self.assertEqual(ann.heard()[-1], change)
        self.assertEqual(self.bea.heard()[-2:], ["AuthorityChanged Ann", change])
        self.assertEqual(self.sam.heard().count(change), 1)

    def test_after_start(self):
        """
        In a running game the player stays ready, and the seat is never free.
        """
        self.scene.toggle(self.ann, self.bea)
        self.scene.hush()
        ann = self.scene.take_over(self.ann)
        self.assert_heard(ann, "Reconnected finalized [Ann*+, Bea+]", "AuthorityChanged Ann you")
        self.assertEqual(
            self.bea.heard()[2:],
            ["PlayerJoined Ann+", "PlayerReconnected Ann+", "AuthorityChanged Ann"],
        )

    def test_nothing_missed(self):
        """
        Nothing is told as missed, and nothing is kept.
        """
        ann = self.scene.take_over(self.ann)
        self.assertEqual(ann.missed(), [])
        self.assertEqual(self.scene.room.absent, {})
        self.assertEqual(list(self.scene.room.replay.events(0)), [])

    def test_alone(self):
        """
        A player alone in the room does not lose it.
        """
        scene = Scene(1)
        ann = scene.join("Ann")
        scene.toggle(ann)
        ann = scene.take_over(ann)
        self.assert_heard(ann, "Reconnected finalized [Ann*+]", "AuthorityChanged Ann you")

    def test_game_data_goes_to_the_new_connection(self):
        """
        From then on only the new connection gets game data, and may send it.
        """
        ann = self.scene.take_over(self.ann)
        self.scene.hush()
        self.scene.send(self.bea, 1)
        self.scene.send(ann, 2)
        self.assert_heard(ann, "GameData Bea 1")
        self.assert_heard(self.ann)
        self.assert_heard(self.bea, "GameData Ann 2")
        self.assert_heard(self.sam, "GameData Bea 1", "GameData Ann 2")

    def test_time(self):
        """
        The claim remembers when the seat was taken over, and is not armed.
        """
        ann = self.scene.take_over(self.ann)
        claim = ann.place.claim
        self.assertEqual(claim.taken_over_at, 1000.0)
        self.assertIsNone(claim.expires)
        self.assertIs(claim.seat, ann.place)

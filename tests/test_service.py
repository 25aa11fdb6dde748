"""
Tests for signalfish.service.
"""

import gc
from uuid import UUID

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.config import Server
from signalfish.rooms import lobby, spectators
from signalfish.rooms.mint import Mint
from signalfish.rooms.owner import EVERYBODY
from signalfish.rooms.replay import OVERHEAD
from signalfish.rooms.room import Room
from signalfish.rooms.rules import StartRule
from signalfish.rooms.seat import Newcomer, Returner
from signalfish.service import RoomService, Terms, Time
from signalfish.wire.client import Claim, RoomRequest, SpectatorRequest
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.gamedata import BinaryData, TextData
from signalfish.wire.types import Encoding, LobbyState
from tests.fakes import V2, FakeLink, mint, room_service

JOINED_AT = "2031-05-17T20:04:31.250913Z"


class Person(FakeLink):
    """
    A connection and its place.
    """

    def __init__(self, player: str, name: str) -> None:
        super().__init__(V2, name)
        self.id = player
        self.name = name
        self.seat = None

    def claim(self, **changes: str) -> Claim:
        """
        What the player presents to come back, but for these changes.
        """
        seat = self.seat
        token = changes.get("token", seat.claim.token)
        room = changes.get("room", seat.claim.room.id)
        return Claim(UUID(seat.id), UUID(room), token)


class ServiceTestCase(SynchronousTestCase):
    """
    Rooms that live by a clock of ours.
    """

    def serve(self, **settings):
        """
        Begin to serve rooms with these settings.
        """
        self.clock = Clock()
        self.service = room_service(self.clock, **settings)
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def setUp(self):
        """
        The settings are the defaults.
        """
        self.serve()

    def join(self, name, code="AAAAAA", game="chess", *, token=True, **request):
        """
        Somebody new takes a seat.
        """
        person = Person(self.service.mint.uuid(), name)
        return self.sit(person, code, game, token=token, **request)

    def sit(self, person, code="AAAAAA", game="chess", *, token=True, **request):
        """
        Somebody takes a seat.
        """
        newcomer = Newcomer(
            person.id,
            person.name,
            person,
            "here",
            JOINED_AT,
            token=self.service.mint.uuid() if token else None,
        )
        asked = RoomRequest(game, person.name, code, **request)
        person.seat = self.service.join(asked, newcomer)
        return person

    def watch(self, name="Sam", code="AAAAAA", **request):
        """
        Somebody new watches.
        """
        person = Person(self.service.mint.uuid(), name)
        newcomer = Newcomer(person.id, name, person, "here", JOINED_AT)
        asked = SpectatorRequest("chess", code, name, **request)
        person.seat = self.service.spectate(asked, newcomer)
        return person

    def lose(self, *people):
        """
        Connections break.
        """
        for person in people:
            self.service.lose(person.seat.room, person.seat)

    def leave(self, person):
        """
        Somebody goes for good.
        """
        self.service.leave(person.seat.room, person.seat)

    def come_back(self, person, **changes):
        """
        Somebody comes back.
        """
        claim = person.claim(**changes)
        again = Person(person.id, person.name)
        again.seat = self.service.reconnect(claim, Returner(again, "elsewhere"))
        return again

    def play(self, *people):
        """
        Everybody becomes ready, and the game starts.
        """
        for person in people:
            lobby.toggle_ready(person.seat.room, person.seat, self.clock.seconds())
        room = people[0].seat.room
        if room.state is not LobbyState.FINALIZED:
            lobby.start(room, people[0].seat, self.clock.seconds())

    def assert_refused(self, code, act, *args, **named):
        """
        The act is refused.

        :return: the text for the developer.
        """
        refusal = self.assertRaises(Refusal, act, *args, **named)
        self.assertEqual(refusal.code, code)
        return refusal.text

    def assert_nothing_is_left(self):
        """
        There is no trace of rooms or players.
        """
        service = self.service
        self.assertEqual((len(service.rooms), service.rooms.per_game()), (0, {}))
        self.assertEqual(len(service.claims), 0)
        self.assertEqual((service._memory.used, len(service._memory._order)), (0, 0))


class JoinTests(ServiceTestCase):
    def test_create(self):
        """
        Without a code, a room with a code of its own is made.
        """
        ann, bea = self.join("Ann", None), self.join("Bea", None)
        codes = [person.told[0].data["room_code"] for person in (ann, bea)]
        self.assertEqual(len(set(codes)), 2)
        for person, code in zip((ann, bea), codes, strict=True):
            self.assertIs(self.service.rooms.find(EVERYBODY, "chess", code), person.seat.room)

    def test_create_with_code(self):
        """
        A room that does not exist is made with the code that was asked for.
        """
        ann = self.join("Ann", "QQQQQQ")
        self.assertEqual(ann.told[0].data["room_code"], "QQQQQQ")

    def test_join(self):
        """
        A room that exists is joined; what the request says about new rooms has no effect.
        """
        self.join("Ann", max_players=3)
        bea = self.join("Bea", max_players=50)
        self.assertEqual(bea.told[0].data["max_players"], 3)
        self.assertEqual(len(self.service.rooms), 1)

    def test_same_code_in_another_game(self):
        """
        Each game has its own codes.
        """
        ann, bea = self.join("Ann"), self.join("Bea", game="go")
        self.assertIsNot(ann.seat.room, bea.seat.room)

    def test_join_only(self):
        """
        Who only wants to join makes no room.
        """
        text = self.assert_refused(ErrorCode.ROOM_NOT_FOUND, self.join, "Ann", join_only=True)
        self.assertEqual(text, "Room not found")
        self.join("Ann")
        self.join("Bea", join_only=True)
        self.assertEqual(len(self.service.rooms), 1)

    def test_password(self):
        """
        The password of its first player seals a room.
        """
        self.join("Ann", password="sesame")
        self.assert_refused(ErrorCode.PASSWORD_REQUIRED, self.join, "Bea")
        self.join("Bea", password="sesame")

    def test_default_capacity(self):
        """
        Rooms have eight seats unless their maker says otherwise, or the operator.
        """
        self.assertEqual(self.join("Ann").told[0].data["max_players"], 8)
        self.serve(default_max_players=3)
        self.assertEqual(self.join("Ann").told[0].data["max_players"], 3)

    def test_start_rule(self):
        """
        The start rule of the operator holds in new rooms.
        """
        self.serve(start_rule=StartRule.EXPLICIT)
        self.assertEqual(self.join("Ann").seat.room.rule, StartRule.EXPLICIT)

    def test_relay_type(self):
        """
        The relay label depends on the game.
        """
        time = Time(self.clock, self.clock.seconds, self.clock.seconds)
        self.service = RoomService(
            Server(), time, mint(), Terms(self.service._terms.planner, str.upper)
        )
        self.assertEqual(self.join("Ann").told[0].data["relay_type"], "CHESS")

    def test_limit_per_game(self):
        """
        No more rooms are made of a game that has enough, but those can be joined.
        """
        self.serve(max_rooms_per_game=2)
        for number in range(2):
            self.join(f"Ann {number}", None)
        for code in (None, "QQQQQQ"):
            text = self.assert_refused(
                ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED, self.join, "Bea", code
            )
            self.assertEqual(text, "Game `chess` already has 2 rooms (limit 2)")
        self.join("Bea", game="go")
        room = next(iter(self.service.rooms))
        self.join("Bea", room.code)

    def test_limit_of_all(self):
        """
        No more rooms are made when the server has enough.
        """
        self.serve(max_rooms=2)
        self.join("Ann", game="chess")
        self.join("Bea", game="go")
        text = self.assert_refused(
            ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED, self.join, "Cem", game="ludo"
        )
        self.assertEqual(text, "The server already has 2 rooms (limit 2)")

    def test_refused_creation_leaves_nothing(self):
        """
        A join that is refused leaves no room and no token.
        """
        self.serve(max_rooms=1)
        self.join("Ann", token=False)
        self.assert_refused(ErrorCode.MAX_ROOMS_PER_GAME_EXCEEDED, self.join, "Bea", "QQQQQQ")
        self.assert_refused(ErrorCode.INVALID_PLAYER_NAME, self.join, "Ann")
        self.assertEqual(len(self.service.rooms), 1)
        self.assertEqual(len(self.service.claims), 0)
        self.assertEqual(self.service.tally.players_joined, 1)

    def test_codes_that_are_taken(self):
        """
        A generated code that is in use is drawn again, up to eight times.
        """
        drawn = iter("AAB" + "ABABABAB" + "C")

        class Dice:
            def getrandbits(self, k):
                return 5

            def choices(self, population, *, k):
                return [next(drawn)] * k

        self.service.mint = Mint(Dice())
        self.assertEqual(self.join("Ann", None).seat.room.code, "AAAAAA")
        self.assertEqual(self.join("Bea", None).seat.room.code, "BBBBBB")
        text = self.assert_refused(ErrorCode.ROOM_CREATION_FAILED, self.join, "Cem", None)
        self.assertEqual(text, "Could not generate an unused room code")
        self.assertEqual(len(self.service.rooms), 2)
        self.assertEqual(next(drawn), "C")

    def test_would_create(self):
        """
        A request creates a room if it has no code, or one that is not in use.
        """
        self.join("Ann")

        def would_create(code, **request):
            request = RoomRequest("chess", "Bea", code, **request)
            return self.service.would_create(request, EVERYBODY)

        self.assertTrue(would_create(None))
        self.assertTrue(would_create("QQQQQQ"))
        self.assertFalse(would_create("QQQQQQ", join_only=True))
        self.assertFalse(would_create("AAAAAA"))


class SpectateTests(ServiceTestCase):
    def test_no_room(self):
        """
        Spectators make no rooms.
        """
        text = self.assert_refused(ErrorCode.ROOM_NOT_FOUND, self.watch)
        self.assertEqual(text, "Room not found")
        self.assertEqual(len(self.service.rooms), 0)

    def test_password(self):
        """
        Spectators need the password.
        """
        self.join("Ann", password="sesame")
        self.assert_refused(ErrorCode.PASSWORD_REQUIRED, self.watch)
        self.watch(password="sesame")

    def test_limits(self):
        """
        The limit is the operator's, or twice the seats, or none.
        """
        for setting, limit in ((3, 3), (None, 4), (0, None)):
            self.serve(default_max_spectators=setting)
            self.join("Ann", max_players=2)
            for number in range(limit or 40):
                self.watch(f"Sam {number}")
            if limit is not None:
                self.assert_refused(ErrorCode.TOO_MANY_SPECTATORS, self.watch)

    def test_default_limit(self):
        """
        There may be 32 spectators in a room.
        """
        self.join("Ann")
        for number in range(32):
            self.watch(f"Sam {number}")
        self.assert_refused(ErrorCode.TOO_MANY_SPECTATORS, self.watch)


class ReconnectTests(ServiceTestCase):
    def test_return(self):
        """
        A lost player comes back with its token.
        """
        ann = self.join("Ann")
        self.lose(ann)
        again = self.come_back(ann)
        self.assertEqual(again.told[0].type, "Reconnected")
        self.assertEqual(again.seat.id, ann.id)

    def test_new_address(self):
        """
        The seat remembers where the player is now.
        """
        ann = self.join("Ann")
        self.lose(ann)
        self.assertEqual(self.come_back(ann).seat.address, "elsewhere")

    def test_take_over(self):
        """
        A player that looks connected is taken over, once in ten seconds.
        """
        ann = self.join("Ann")
        again = self.come_back(ann)
        self.assertEqual(ann.closed.code, CloseCode.SUPERSEDED)
        self.clock.advance(9.9)
        self.assert_refused(ErrorCode.PLAYER_ALREADY_CONNECTED, self.come_back, again)
        self.assertIsNone(again.closed)
        self.clock.advance(0.1)
        self.come_back(again)
        self.assertEqual(again.closed.code, CloseCode.SUPERSEDED)

    def test_wrong_token(self):
        """
        A wrong token changes nothing, whether the player is connected or not.
        """
        ann, bea = self.join("Ann"), self.join("Bea")
        for lose in (lambda *_: None, self.lose):
            lose(ann)
            told = len(bea.told)
            text = self.assert_refused(
                ErrorCode.RECONNECTION_TOKEN_INVALID, self.come_back, ann, token="guess"
            )
            self.assertEqual(text, "Invalid reconnection token")
            self.assertEqual(len(bea.told), told)
            self.assertIsNone(ann.closed)
        self.come_back(ann)

    def test_wrong_room(self):
        """
        A token opens the room it was given for only.
        """
        ann, bea = self.join("Ann"), self.join("Bea", "BBBBBB")
        self.assert_refused(
            ErrorCode.RECONNECTION_TOKEN_INVALID, self.come_back, ann, room=bea.seat.room.id
        )

    def test_after_leaving(self):
        """
        Who left cannot come back.
        """
        ann = self.join("Ann")
        self.leave(ann)
        text = self.assert_refused(ErrorCode.RECONNECTION_FAILED, self.come_back, ann)
        self.assertEqual(text, "No disconnection record found")

    def test_too_late(self):
        """
        Who comes back too late is told so for another window, and then is not known.
        """
        ann = self.join("Ann")
        self.join("Bea")
        self.lose(ann)
        self.clock.advance(300.5)
        text = self.assert_refused(ErrorCode.RECONNECTION_EXPIRED, self.come_back, ann)
        self.assertEqual(text, "Reconnection window has expired")
        self.clock.advance(299)
        self.assert_refused(ErrorCode.RECONNECTION_EXPIRED, self.come_back, ann)
        self.clock.advance(62)
        self.assert_refused(ErrorCode.RECONNECTION_FAILED, self.come_back, ann)

    def test_last_moment(self):
        """
        A sweep does not end a window before its time.
        """
        self.serve(reconnection_window=120)
        ann = self.join("Ann")
        self.lose(ann)
        self.clock.advance(120)
        self.service.sweep()
        self.come_back(ann)

    def test_switched_off(self):
        """
        Where reconnection is switched off, nobody comes back.
        """
        self.assertTrue(self.service.issues_tokens)
        self.serve(enable_reconnection=False)
        self.assertFalse(self.service.issues_tokens)
        ann = self.join("Ann")
        self.lose(ann)
        text = self.assert_refused(ErrorCode.RECONNECTION_FAILED, self.come_back, ann)
        self.assertEqual(text, "Reconnection is not enabled")

    def test_refused_and_tried_again(self):
        """
        A return that is refused can be tried again within the window.
        """
        ann, bea = self.join("Ann", max_players=1), None
        self.lose(ann)
        bea = self.join("Bea")
        self.assert_refused(ErrorCode.ROOM_FULL, self.come_back, ann)
        self.leave(bea)
        self.come_back(ann)

    def test_in_between(self):
        """
        A token that was used stays valid on version 2 for the next loss.
        """
        ann = self.join("Ann")
        for _ in range(5):
            self.lose(ann)
            self.clock.advance(200)
            ann = self.come_back(ann)
        self.assertEqual(len(self.service.claims), 1)


class ReplayTests(ServiceTestCase):
    def send(self, person, raw):
        """
        Somebody sends game data.
        """
        seat = person.seat
        seat.seq += 1
        seat.room.relay(seat, TextData(seat.origin, seat.seq, raw), len(raw))

    def replayed(self, person):
        """
        The game data that was told to somebody.
        """
        return [told.data["data"] for told in person.told if told.type == "GameData"]

    def test_buffer(self):
        """
        The operator's number of messages is kept.
        """
        self.serve(event_buffer_size=2)
        ann, bea = self.join("Ann"), self.join("Bea")
        self.lose(ann)
        for raw in (b"1", b"2", b"3"):
            self.send(bea, raw)
        self.assertEqual(self.replayed(self.come_back(ann)), [2, 3])

    def test_memory(self):
        """
        All rooms together keep as much as the operator says; the oldest goes, whose it may be.
        """
        self.serve(replay_memory_bytes=10 + 2 * OVERHEAD)
        ann, bea = self.join("Ann"), self.join("Bea")
        cem, dan = self.join("Cem", "BBBBBB"), self.join("Dan", "BBBBBB")
        self.lose(ann, cem)
        self.send(bea, b"11111")
        self.send(dan, b"22222")
        self.send(bea, b"333")
        self.assertEqual(self.replayed(self.come_back(ann)), [333])
        self.assertEqual(self.replayed(self.come_back(cem)), [22222])
        self.assert_memory_is_empty()

    def test_switched_off(self):
        """
        Where replay is switched off, no game data is kept, not even empty one; events are.
        """
        self.serve(replay_game_data=False)
        ann, bea = self.join("Ann"), self.join("Bea")
        self.lose(ann)
        self.send(bea, b"1")
        seat = bea.seat
        seat.room.relay(seat, BinaryData(seat.origin, 2, b"", Encoding.MESSAGE_PACK), 0)
        self.watch()
        again = self.come_back(ann)
        self.assertNotIn("GameData", again.take_types()[1:])
        self.assert_memory_is_empty()

    def assert_memory_is_empty(self):
        """
        Nothing is kept any more.
        """
        self.assertEqual(self.service._memory.used, 0)
        self.assertEqual(len(self.service._memory._order), 0)


class SweepTests(ServiceTestCase):
    def test_empty_room(self):
        """
        A room without players is removed after its time, at the next sweep.
        """
        self.leave(self.join("Ann"))
        self.clock.pump([60] * 4 + [59])
        self.assertEqual(len(self.service.rooms), 1)
        self.clock.advance(1)
        self.assert_nothing_is_left()

    def test_used_again(self):
        """
        A room that was joined again in time is not removed.
        """
        self.leave(self.join("Ann"))
        self.clock.pump([60] * 4)
        bea = self.join("Bea")
        self.clock.pump([60] * 10)
        self.assertIsNotNone(bea.seat.room)
        self.assertEqual(len(self.service.rooms), 1)

    def test_spectators_keep_no_room(self):
        """
        Spectators of a room that is removed are told so, and stay connected.
        """
        ann, sam = self.join("Ann"), self.watch()
        self.leave(ann)
        sam.take()
        self.clock.pump([60] * 5)
        self.assertEqual(sam.take_types(), ["SpectatorLeft"])
        self.assertIsNone(sam.closed)
        self.assertIsNone(sam.seat.room)
        self.assert_nothing_is_left()

    def test_somebody_can_come_back(self):
        """
        An empty room is not removed as long as somebody can come back.
        """
        self.serve(reconnection_window=1000)
        ann = self.join("Ann")
        self.lose(ann)
        self.clock.pump([60] * 16)
        self.assertEqual(len(self.service.rooms), 1)
        self.come_back(ann)

    def test_nobody_came_back(self):
        """
        An empty room is removed when the last window and its own time are over.
        """
        ann, sam = self.join("Ann", max_players=1), self.watch()
        self.play(ann)
        self.lose(ann)
        sam.take()
        self.clock.pump([60] * 5)
        self.assertEqual(sam.take_types(), [])
        self.clock.pump([60])
        self.assertEqual(sam.take_types(), ["LobbyStateChanged", "SpectatorLeft"])
        self.assertEqual(len(self.service.rooms), 0)

    def test_window_ends_before_the_room(self):
        """
        When the last window ends, the spectators of a running game are told that the room is new.
        """
        self.serve(reconnection_window=100)
        ann, sam = self.join("Ann", max_players=1), self.watch()
        self.play(ann)
        self.lose(ann)
        sam.take()
        self.clock.pump([60] * 2)
        (told,) = sam.take()
        new = {"lobby_state": "waiting", "ready_players": [], "all_ready": False}
        self.assertEqual(told, ("LobbyStateChanged", new))
        bea = self.join("Bea")
        self.assertEqual(bea.told[0].data["lobby_state"], "waiting")
        self.assertTrue(bea.told[0].data["is_authority"])

    def test_reservation_ends(self):
        """
        A reserved seat is free after the window.
        """
        ann, bea = self.join("Ann", max_players=2), self.join("Bea")
        self.play(ann, bea)
        self.lose(ann)
        self.clock.advance(300)
        self.assert_refused(ErrorCode.ROOM_FULL, self.join, "Cem")
        self.clock.advance(1)
        self.join("Cem")

    def test_inactive_room(self):
        """
        Players of a room in which nothing happens are sent away, and spectators are told.
        """
        ann, bea, sam = self.join("Ann"), self.join("Bea"), self.watch()
        for person in (ann, bea, sam):
            person.take()
        self.clock.pump([60] * 59)
        self.assertIsNone(ann.closed)
        self.clock.advance(60)
        for person in (ann, bea):
            self.assertEqual(person.closed[:2], (CloseCode.ROOM_INACTIVE, "room_inactive"))
            self.assertEqual(person.closed.farewell.data["error_code"], "ROOM_NOT_FOUND")
            self.assertIsNone(person.seat.room)
        self.assertEqual(sam.take_types(), ["PlayerLeft", "PlayerLeft", "SpectatorLeft"])
        self.assertIsNone(sam.closed)
        self.assert_nothing_is_left()

    def test_active_room(self):
        """
        A room in which something happens is not inactive.
        """
        ann = self.join("Ann")
        for _ in range(5):
            self.clock.pump([60] * 59)
            lobby.toggle_ready(ann.seat.room, ann.seat, self.clock.seconds())
        self.assertIsNone(ann.closed)

    def test_inactive_room_with_somebody_lost(self):
        """
        A room is not closed as inactive while somebody can come back.
        """
        self.serve(reconnection_window=5000)
        ann, bea = self.join("Ann"), self.join("Bea")
        self.lose(ann)
        self.clock.pump([60] * 70)
        self.assertIsNone(bea.closed)
        self.come_back(ann)

    def test_no_return_to_a_closed_room(self):
        """
        Nobody comes back to a room that was closed.
        """
        ann = self.join("Ann")
        self.clock.pump([60] * 60)
        self.assertIsNotNone(ann.closed)
        self.assert_refused(ErrorCode.RECONNECTION_FAILED, self.come_back, ann)

    def test_code_is_free_again(self):
        """
        The code of a room that was removed makes a new room.
        """
        ann = self.join("Ann")
        self.leave(ann)
        old = ann.told[0].data["room_id"]
        self.clock.pump([60] * 5)
        bea = self.join("Bea")
        self.assertNotEqual(bea.told[0].data["room_id"], old)

    def test_bug_in_one_room(self):
        """
        A room that cannot be swept does not keep others from being swept.
        """
        broken, other = self.join("Ann"), self.join("Bea", "BBBBBB")
        broken.seat.room.absent = None
        self.leave(other)
        self.clock.pump([60] * 6)
        self.assertEqual([room.code for room in self.service.rooms], ["AAAAAA"])
        errors = self.flushLoggedErrors(AttributeError, TypeError)
        self.assertEqual(len(errors), 6)

    def test_interval(self):
        """
        Sweeps come as often as the operator says.
        """
        self.serve(room_cleanup_interval=7, empty_room_timeout=10)
        self.leave(self.join("Ann"))
        self.clock.pump([7, 6])
        self.assertEqual(len(self.service.rooms), 1)
        self.clock.advance(1)
        self.assertEqual(len(self.service.rooms), 0)

    def test_stopped(self):
        """
        A service that was stopped sweeps no more and leaves nothing to the clock.
        """
        self.leave(self.join("Ann"))
        self.assertTrue(self.service.running)
        self.service.stopService()
        self.assertFalse(self.service.running)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.pump([60] * 10)
        self.assertEqual(len(self.service.rooms), 1)
        self.service.stopService()
        self.service.startService()
        self.assertEqual(len(self.service.rooms), 1)
        self.clock.advance(60)
        self.assertEqual(len(self.service.rooms), 0)


class BoundsTests(ServiceTestCase):
    def test_joining_and_leaving(self):
        """
        Players who join and leave leave no trace in a room.
        """
        ann = self.join("Ann")
        for _ in range(50):
            bea = self.join("Bea")
            self.leave(bea)
            sam = self.watch()
            spectators.leave(sam.seat.room, sam.seat)
        room = ann.seat.room
        self.assertEqual((len(room.seats), len(room.absent), len(room.watchers)), (1, 0, 0))
        self.assertEqual(len(room.audience), 1)
        self.assertEqual(len(self.service.claims), 1)

    def test_losing(self):
        """
        Players who were lost are forgotten two windows later.
        """
        self.join("Ann", token=False)
        for number in range(50):
            self.lose(self.join(f"Bea {number}"))
        self.assertEqual(self.service.claims.waiting(), 50)
        self.clock.pump([60] * 11)
        self.assertEqual(len(self.service.claims), 0)
        self.assertEqual(len(next(iter(self.service.rooms)).absent), 0)

    def test_ended_reservations(self):
        """
        Reservations ended by their owners are forgotten at the next sweep.
        """
        ann, bea = self.join("Ann", max_players=2), self.join("Bea")
        self.play(ann, bea)
        for _ in range(50):
            self.lose(bea)
            bea = self.join("Bea")
        self.assertEqual(len(bea.seat.room.absent), 0)
        self.service.sweep()
        self.assertEqual(len(self.service.claims), 2)

    def test_coming_back(self):
        """
        Players who get lost and come back leave no trace.
        """
        ann, bea = self.join("Ann"), self.join("Bea")
        for number in range(50):
            self.lose(ann)
            seat = bea.seat
            seat.room.relay(seat, TextData(seat.origin, number + 1, b"1"), 1)
            ann = self.come_back(ann)
            self.clock.advance(11)
            ann = self.come_back(ann)
        self.assertEqual(len(self.service.claims), 2)
        self.assertEqual(len(bea.seat.room.absent), 0)
        self.assertEqual(len(self.service._memory._order), 0)
        self.assertEqual(len(bea.seat.room.audience), 2)

    def test_missed_data(self):
        """
        What a room keeps for somebody lost is bounded, and gone with the window.
        """
        ann, bea = self.join("Ann"), self.join("Bea")
        self.lose(ann)
        seat, raw = bea.seat, b"1" * 60_000
        for number in range(300):
            seat.room.relay(seat, TextData(seat.origin, number, raw), len(raw))
        self.assertLessEqual(self.service._memory.used, 1 << 20)
        self.assertEqual(len(self.service._memory._order), 17)
        self.clock.pump([60] * 6)
        self.assertEqual(self.service._memory.used, 0)

    def test_rooms(self):
        """
        Rooms that were removed are not kept by anything.
        """
        for number in range(20):
            ann = self.join("Ann", f"GONE{number:02}")
            self.watch(code=f"GONE{number:02}")
            (self.lose if number % 2 else self.leave)(ann)
        del ann
        self.clock.pump([60] * 15)
        self.assert_nothing_is_left()
        gc.collect()
        rooms = [thing for thing in gc.get_objects() if type(thing) is Room]
        self.assertEqual([room for room in rooms if room.code.startswith("GONE")], [])


class TallyTests(ServiceTestCase):
    def test_counts(self):
        """
        Everything that happens is counted once.
        """
        ann = self.join("Ann")
        bea = self.join("Bea", token=False)
        self.lose(ann)
        self.assert_refused(ErrorCode.RECONNECTION_TOKEN_INVALID, self.come_back, ann, token="x")
        ann = self.come_back(ann)
        ann = self.come_back(ann)
        self.leave(bea)
        tally = self.service.tally
        self.assertEqual((tally.rooms_created, tally.rooms_joined), (1, 1))
        self.assertEqual((tally.players_joined, tally.players_left), (4, 3))
        self.assertEqual((tally.reconnections, tally.failed_reconnections), (2, 1))
        self.assertEqual(tally.tokens_issued, 1)

    def test_rooms(self):
        """
        Removed rooms are counted by cause, and players sent away are counted as gone.
        """
        self.leave(self.join("Ann"))
        self.join("Bea", "BBBBBB")
        self.join("Cem", "BBBBBB")
        self.clock.pump([60] * 60)
        tally = self.service.tally
        self.assertEqual((tally.empty_rooms_cleaned, tally.inactive_rooms_cleaned), (1, 1))
        self.assertEqual((tally.rooms_deleted, tally.players_left), (2, 3))
        self.assertEqual(tally.players_joined, tally.players_left)

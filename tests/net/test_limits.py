"""
Tests for signalfish.net.limits.
"""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.limits import AddressBudgets, Budget, RateLimited, Window
from signalfish.wire.client import (
    AuthorityRequest,
    AuthorityWish,
    Claim,
    GameData,
    JoinAsSpectator,
    JoinRoom,
    LeaveRoom,
    OwnConnection,
    OwnTransport,
    Payload,
    Ping,
    PlayerReady,
    ProvideConnectionInfo,
    Reconnect,
    RoomRequest,
    Signal,
    Signalling,
    SpectatorRequest,
    StartGame,
    TransportStatus,
)
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal
from signalfish.wire.operations import Operation, RoomOperation, Target, TransferAuthority
from signalfish.wire.types import Transport
from tests.fakes import FakeLink
from tests.net.fakes import FakeReceiver

CREATE = JoinRoom(RoomRequest(game_name="g", player_name="p"))
JOIN = JoinRoom(RoomRequest(game_name="g", player_name="p", room_code="EXISTS"))
WATCH = JoinAsSpectator(SpectatorRequest(game_name="g", room_code="EXISTS", spectator_name="s"))
RETURN = Reconnect(Claim(player_id=UUID(int=1), room_id=UUID(int=2), auth_token="token"))
SIGNAL = Signal(Signalling(to=UUID(int=1), generation=UUID(int=2), signal=b"1"))
STATUS = TransportStatus(OwnTransport(Transport.WEBRTC, connected=True))
CREATIONS = "Room creation rate limit exceeded. Try again in {} seconds."
JOINS = "Join attempt rate limit exceeded. Try again in {} seconds."


class FakeReader(FakeLink):
    """
    A link that remembers for how long it was to rest.
    """

    def __init__(self):
        super().__init__()
        self.rests = []

    def rest(self, seconds):
        """
        Remember for how long.
        """
        self.rests.append(seconds)


class LimitsTestCase(SynchronousTestCase):
    """
    Clients whose messages are limited.
    """

    budget = Budget()

    def setUp(self):
        """
        Nobody has done anything yet.
        """
        self.clock = Clock()
        self.clock.advance(1000)
        self.budgets = AddressBudgets(self.budget, self.clock.seconds)

    def client(self, address="a"):
        """
        A new connection.
        """
        inner, link = FakeReceiver(), FakeReader()
        limited = RateLimited(
            inner,
            link,
            address,
            self.budgets,
            lambda request: request.room_code is None,
        )
        limited.inner, limited.link = inner, link
        return limited

    def accepted(self, client, message, number=1):
        """
        Check that a client may say something this many times.
        """
        before = len(client.inner.events)
        for _ in range(number):
            client.received(message)
        self.assertEqual([message] * number, client.inner.events[before:])

    def refused(self, client, message, text):
        """
        Check that a client may not say something, and that it goes no further.
        """
        before = list(client.inner.events)
        refusal = self.assertRaises(Refusal, client.received, message)
        self.assertEqual((ErrorCode.RATE_LIMIT_EXCEEDED, text), (refusal.code, refusal.text))
        self.assertIsNone(refusal.close)
        self.assertEqual(before, client.inner.events)


class ConnectionBudgetTests(LimitsTestCase):
    """
    One connection may create 5 rooms, and try to get into a room 20 times, in 60 seconds.
    """

    def test_creations(self):
        """
        The sixth room is refused, and rooms that exist can still be joined.
        """
        client = self.client()
        self.accepted(client, CREATE, 5)
        self.refused(client, CREATE, CREATIONS.format(60))
        self.accepted(client, JOIN, 15)

    def test_creations_are_joins(self):
        """
        Creating a room is an attempt to join as well.
        """
        client = self.client()
        self.accepted(client, JOIN, 18)
        self.accepted(client, CREATE, 2)
        self.refused(client, CREATE, JOINS.format(60))

    def test_joins(self):
        """
        Joins, spectator joins and reconnections share one budget.
        """
        client = self.client()
        for message, number in ((JOIN, 7), (WATCH, 7), (RETURN, 6)):
            self.accepted(client, message, number)
        for message in (JOIN, WATCH, RETURN, CREATE):
            self.refused(client, message, JOINS.format(60))

    def test_refused_costs_nothing(self):
        """
        An attempt that was refused by the budget does not prolong the wait.
        """
        client = self.client()
        self.accepted(client, CREATE, 5)
        for _ in range(50):
            self.refused(client, CREATE, CREATIONS.format(60))
        self.accepted(client, JOIN, 15)

    def test_other_messages(self):
        """
        All other messages are free.
        """
        client = self.client()
        for message in (Ping(), LeaveRoom(), PlayerReady(), GameData(Payload(data=b"1"))):
            self.accepted(client, message, 100)
        self.accepted(client, JOIN, 20)

    def test_window(self):
        """
        The window begins with the first attempt, and when it is over there is a new budget.
        """
        client = self.client()
        self.clock.advance(30)
        self.accepted(client, CREATE, 1)
        self.clock.advance(30)
        self.accepted(client, CREATE, 4)
        self.refused(client, CREATE, CREATIONS.format(30))
        self.clock.advance(29.5)
        self.refused(client, CREATE, CREATIONS.format(1))
        self.clock.advance(0.5)
        self.accepted(client, CREATE, 5)
        self.refused(client, CREATE, CREATIONS.format(60))

    def test_when_to_try_again(self):
        """
        Who waits for as long as the text says succeeds, to the millisecond.
        """
        for elapsed in (0.0, 0.001, 0.5, 1.0, 33.3, 58.999, 59.0, 59.9995):
            client = self.client(str(elapsed))
            self.accepted(client, CREATE, 5)
            self.clock.advance(elapsed)
            refusal = self.assertRaises(Refusal, client.received, CREATE)
            seconds = int(refusal.text.split()[-2])
            self.assertTrue(1 <= seconds <= 60, seconds)
            self.clock.advance(seconds + 0.0011)
            self.accepted(client, CREATE)

    def test_connections(self):
        """
        Each connection of an address has its own budget.
        """
        for _ in range(5):
            self.accepted(self.client(), CREATE, 5)

    def test_all_else_is_passed_on(self):
        """
        What else happens on the connection is passed on.
        """
        client = self.client()
        client.refused(CREATE)
        client.refused(None)
        client.alive()
        client.closed()
        expected = [("refused", CREATE), ("refused", None), "alive", "closed"]
        self.assertEqual(expected, client.inner.events)


class AddressBudgetTests(LimitsTestCase):
    """
    All connections of an address together may do ten times as much as one.
    """

    def test_creations(self):
        """
        New connections do not help who has created 50 rooms.
        """
        for _ in range(10):
            self.accepted(self.client(), CREATE, 5)
        self.refused(self.client(), CREATE, CREATIONS.format(60))
        self.accepted(self.client(), JOIN)
        self.accepted(self.client("another"), CREATE)

    def test_joins(self):
        """
        New connections do not help who has tried to join 200 times.
        """
        for _ in range(10):
            self.accepted(self.client(), JOIN, 20)
        for message in (JOIN, WATCH, RETURN):
            self.refused(self.client(), message, JOINS.format(60))
        self.accepted(self.client("another"), JOIN)

    def test_refused_by_connection(self):
        """
        What the budget of a connection refuses costs its address nothing.
        """
        client = self.client()
        self.accepted(client, CREATE, 5)
        for _ in range(100):
            self.assertRaises(Refusal, client.received, CREATE)
        for _ in range(9):
            self.accepted(self.client(), CREATE, 5)

    def test_window(self):
        """
        When the window is over there is a new budget, for old and new connections.
        """
        clients = [self.client() for _ in range(10)]
        for client in clients:
            self.accepted(client, CREATE, 5)
        self.clock.advance(60)
        for client in clients:
            self.accepted(client, CREATE, 5)
        self.refused(self.client(), CREATE, CREATIONS.format(60))

    def test_multiplier(self):
        """
        How many times as much can be configured.
        """
        self.budgets = AddressBudgets(Budget(address_multiplier=1), self.clock.seconds)
        self.accepted(self.client(), CREATE, 5)
        self.refused(self.client(), CREATE, CREATIONS.format(60))

    def test_forgotten(self):
        """
        Addresses that have done nothing for a window are forgotten, and no others.
        """
        for number in range(100):
            self.accepted(self.client(str(number)), JOIN)
        self.assertEqual(100, len(self.budgets))
        self.clock.advance(30)
        for _ in range(10):
            self.accepted(self.client("busy"), CREATE, 5)
        self.clock.advance(31)
        self.refused(self.client("busy"), CREATE, CREATIONS.format(29))
        self.assertEqual(1, len(self.budgets))

    def test_talking_is_not_counted(self):
        """
        Addresses that have not tried to get into a room are not remembered.
        """
        self.accepted(self.client(), Ping())
        self.assertEqual(0, len(self.budgets))


class MistakesTests(LimitsTestCase):
    """
    20 malformed messages in 10 seconds, or too many refusals, end a connection.
    """

    budget = Budget(replies=50)

    def sent_away(self, client, text):
        """
        Check how a client was sent away.
        """
        code, reason, farewell = client.link.closed
        self.assertEqual((CloseCode.INBOUND_RATE_LIMITED, "inbound_rate_limited"), (code, reason))
        self.assertEqual("Error", farewell.type)
        self.assertEqual({"message": text, "error_code": "RATE_LIMIT_EXCEEDED"}, farewell.data)

    def test_malformed(self):
        """
        The twentieth malformed message within 10 seconds ends the connection.
        """
        client = self.client()
        for _ in range(19):
            client.refused(None)
            self.clock.advance(0.5)
        self.assertIsNone(client.link.closed)
        client.refused(None)
        self.sent_away(client, "20 malformed messages within 10 seconds")

    def test_malformed_slowly(self):
        """
        19 malformed messages in each 10 seconds do not.
        """
        client = self.client()
        for _ in range(2):
            for _ in range(19):
                client.refused(None)
            self.clock.advance(10)
        self.assertIsNone(client.link.closed)

    def test_other_refusals(self):
        """
        Refusals of well-formed messages do not count as malformed.
        """
        client = self.client()
        for _ in range(50):
            client.refused(JOIN)
        self.assertIsNone(client.link.closed)

    def test_replies(self):
        """
        A client that spends the budget of refusals is sent away, whatever was refused.
        """
        client = self.client()
        for _ in range(10):
            client.refused(None)
        for _ in range(40):
            client.refused(JOIN)
        self.assertIsNone(client.link.closed)
        client.refused(JOIN)
        self.sent_away(client, "Inbound error-reply rate limit exceeded")

    def test_replies_window(self):
        """
        When the window is over there is a new budget.
        """
        client = self.client()
        for _ in range(5):
            for _ in range(50):
                client.refused(JOIN)
            self.clock.advance(60)
        self.assertIsNone(client.link.closed)

    def test_connections(self):
        """
        Mistakes of one connection do not count for another one of its address.
        """
        first, second = self.client(), self.client()
        for _ in range(19):
            first.refused(None)
            second.refused(None)
        self.assertIsNone(first.link.closed)
        self.assertIsNone(second.link.closed)


class MessageRateTests(LimitsTestCase):
    """
    10 messages per second, 20 at once.
    """

    budget = Budget(messages_per_second=10, burst=20)

    def test_burst(self):
        """
        After 20 messages at once the connection rests, and no message is refused for it.
        """
        client = self.client()
        self.accepted(client, Ping(), 20)
        self.assertEqual([], client.link.rests)
        self.accepted(client, Ping())
        self.assertEqual([0.1], client.link.rests)

    def test_announcements(self):
        """
        What is told to a whole room counts twenty times.
        """
        transfer = TransferAuthority(Target(UUID(int=1)))
        info = ProvideConnectionInfo(OwnConnection(b"null"))
        authority = AuthorityRequest(AuthorityWish(True))
        operation = RoomOperation(Operation("1", transfer))
        for message in (PlayerReady(), StartGame(), authority, info, operation):
            client = self.client(str(message))
            self.accepted(client, message)
            self.assertEqual([], client.link.rests)
            self.accepted(client, message)
            self.assertEqual([2.0], client.link.rests)

    def test_control_frames(self):
        """
        Control frames count as messages do.
        """
        client = self.client()
        for _ in range(20):
            client.control_frame()
        self.assertEqual([], client.link.rests)
        self.accepted(client, Ping())
        self.assertEqual(1, len(client.link.rests))

    def test_steady(self):
        """
        A client that keeps to the rate never rests.
        """
        client = self.client()
        for _ in range(500):
            self.accepted(client, Ping())
            self.clock.advance(0.125)
        self.assertEqual([], client.link.rests)

    def test_saved(self):
        """
        Silence saves up another burst at most, however long it is.
        """
        client = self.client()
        self.accepted(client, Ping(), 10)
        self.clock.advance(1000)
        self.accepted(client, Ping(), 20)
        self.assertEqual([], client.link.rests)
        self.accepted(client, Ping(), 12)
        self.assertEqual(1, len(client.link.rests))

    def test_long_run(self):
        """
        A client that sends all it can is read at the rate, once its burst is used up.
        """
        client = self.client()
        start = self.clock.seconds()
        number = 0
        while self.clock.seconds() - start < 100:
            self.accepted(client, Ping())
            number += 1
            self.clock.advance(sum(client.link.rests))
            client.link.rests.clear()
        self.assertTrue(950 <= number <= 1050, number)

    def test_all_at_once(self):
        """
        What was read with one segment is all acted on, and paid for afterwards.
        """
        client = self.client()
        self.accepted(client, Ping(), 120)
        self.clock.advance(client.link.rests[0])
        client.link.rests.clear()
        self.accepted(client, Ping())
        [rest] = client.link.rests
        self.assertAlmostEqual(10.0, rest, delta=0.2)

    def test_connections(self):
        """
        Each connection has its own rate.
        """
        first, second = self.client(), self.client()
        self.accepted(first, Ping(), 20)
        self.accepted(second, Ping(), 20)
        self.assertEqual([], first.link.rests + second.link.rests)


class NoMessageRateTests(LimitsTestCase):
    """
    Messages may come at any rate.
    """

    budget = Budget(messages_per_second=0, burst=5)

    def test_never_rests(self):
        """
        No connection ever rests.
        """
        client = self.client()
        self.accepted(client, Ping(), 1000)
        self.assertEqual([], client.link.rests)


class WindowTests(SynchronousTestCase):
    """
    A count that starts anew when its time is over.
    """

    @given(st.lists(st.floats(0, 100)))
    def test_count(self, times):
        """
        It counts what was added since the first one, until 10 seconds after that.
        """
        window = Window()
        start, count = None, 0
        for now in sorted(times):
            if start is None or now - start >= 10:
                start, count = now, 0
            self.assertEqual(count, window.used(now, 10))
            window.add(now)
            count += 1
            self.assertEqual(count, window.used(now, 10))
            self.assertEqual(start, window.started)


class SignalBudgetTests(LimitsTestCase):
    """
    One connection may send 5 signals, and is told 3 times what is wrong with one, in 60 seconds.
    """

    budget = Budget(signals=5, signal_errors=3)

    def limited(self, client, message=SIGNAL, seconds=60):
        """
        Check that there have been too many signals, so that this one goes no further.
        """
        before = list(client.inner.events)
        refusal = self.assertRaises(Refusal, client.received, message)
        self.check(refusal, seconds)
        self.assertEqual(before, client.inner.events)

    def check(self, refusal, seconds=60, what="Signaling"):
        """
        Check what too many signals are answered with.
        """
        text = f"{what} rate limit exceeded. Try again in {seconds} seconds."
        self.assertEqual((ErrorCode.SIGNAL_RATE_LIMITED, text), (refusal.code, refusal.text))
        self.assertIsNone(refusal.close)

    def wrong(self, client):
        """
        The refusal of a signal with which something is wrong.
        """
        received, client.inner.received = client.inner.received, refusing
        try:
            return self.assertRaises(Refusal, client.received, SIGNAL)
        finally:
            client.inner.received = received

    def test_signals(self):
        """
        Signals are counted, from the first one on.
        """
        client = self.client()
        self.accepted(client, SIGNAL, 5)
        self.limited(client)
        self.clock.advance(59)
        self.limited(client, seconds=1)
        self.clock.advance(1)
        self.accepted(client, SIGNAL, 5)
        self.limited(client)

    def test_everything_else(self):
        """
        Other messages are not signals, and other connections have budgets of their own.
        """
        client = self.client()
        self.accepted(client, SIGNAL, 5)
        for message in (Ping(), JOIN, GameData(Payload(data=b"1"))):
            self.accepted(client, message)
        self.accepted(self.client(), SIGNAL, 5)

    def test_reports(self):
        """
        Reports of transports share the budget; those that are too many go no further, unanswered.
        """
        client = self.client()
        self.accepted(client, STATUS, 4)
        self.accepted(client, SIGNAL)
        before = list(client.inner.events)
        client.received(STATUS)
        self.assertEqual(before, client.inner.events)
        self.limited(client)
        self.clock.advance(60)
        self.accepted(client, STATUS)

    def test_wrong_signals(self):
        """
        What is wrong is told some times only, and then that there was too much.
        """
        client = self.client()
        for _ in range(3):
            self.assertEqual(ErrorCode.SIGNAL_TARGET_NOT_FOUND, self.wrong(client).code)
        for _ in range(3):
            self.check(self.wrong(client), what="Signaling error")
        self.clock.advance(60)
        self.assertEqual(ErrorCode.SIGNAL_TARGET_NOT_FOUND, self.wrong(client).code)

    def test_separate_budgets(self):
        """
        Wrong signals do not use up the budget of good ones.
        """
        client = self.client()
        for _ in range(9):
            self.wrong(client)
        self.accepted(client, SIGNAL, 5)
        self.limited(client)

    def test_defaults(self):
        """
        Without a configuration there are 600 signals, and 60 explanations.
        """
        self.assertEqual((600, 60), (Budget().signals, Budget().signal_errors))


def refusing(_message):
    """
    Refuse a signal.
    """
    raise Refusal(ErrorCode.SIGNAL_TARGET_NOT_FOUND, "why")

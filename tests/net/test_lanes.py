"""
Tests for signalfish.net.lanes.
"""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.accounts import Accounts
from signalfish.net.lanes import Fifo, Lanes
from signalfish.wire.accounts import GapReason
from signalfish.wire.errors import ErrorCode
from signalfish.wire.frames import text_frame
from signalfish.wire.gamedata import Origin, TextData
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import AuthorityChanged, Error, PlayerLeft, Pong, RoomLeft
from signalfish.wire.types import DeliveryClass, Encoding, Form
from tests.strategies import examples

V3 = Form(3, Encoding.JSON)
PLAYERS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
LOSSES = {
    ("latest", "superseded"): "latest_superseded",
    ("latest", "dropped_full"): "latest_dropped_full",
    ("volatile", "dropped"): "volatile_dropped",
}
UNSUPPORTED = "unsupported_format"


def parsed(frame):
    """
    The message in a frame of the server.
    """
    start = 2 if frame[1] < 126 else 4 if frame[1] == 126 else 10
    message = json.loads(frame[start:])
    return message["type"], message.get("data")


class Sender:
    """
    A player who sends numbered game data, and leaves.
    """

    def __init__(self, player):
        self.origin = Origin(player, 1)
        self.seq = 0

    def data(self, kind=None, key=None):
        """
        The next of its game data.
        """
        self.seq += 1
        return TextData(self.origin, self.seq, b"%d" % self.seq, kind, key)

    def left(self):
        """
        The news that it is gone.
        """
        left = PlayerLeft(player_id=self.origin.player, epoch=1, final_seq=self.seq)
        return Notice(left)


class Auditor:
    """
    A client that knows of every hole in a stream before it sees what comes after it.
    """

    def __init__(self, case):
        self.case = case
        self.expected = dict.fromkeys(PLAYERS, 1)
        self.holes = set()
        self.counts = dict.fromkeys(LOSSES, 0)
        self.unsupported = 0
        self.heard = []

    def take(self, frame):
        """
        Check one message.
        """
        kind, data = parsed(frame)
        self.heard.append((kind, data))
        if kind == "GameData":
            self.pass_holes(data["from_player"], data["seq"])
            self.case.assertEqual(self.expected[data["from_player"]], data["seq"])
            self.expected[data["from_player"]] += 1
        elif kind == "PlayerLeft":
            self.pass_holes(data["player_id"], data["final_seq"] + 1)
        elif kind == "DeliveryReport":
            self.check_report(data)

    def pass_holes(self, player, until):
        """
        Everything before a number was delivered, or is known to be missing.
        """
        while self.expected[player] < until:
            self.case.assertIn((player, self.expected[player]), self.holes)
            self.expected[player] += 1

    def check_report(self, report):
        """
        A report covers what is new, once, and its counts say the same as its gaps.
        """
        lengths = dict.fromkeys([*LOSSES.values(), UNSUPPORTED], 0)
        self.case.assertTrue(1 <= len(report["gaps"]) <= 256)
        for gap in report["gaps"]:
            lengths[gap["reason"]] += gap["to_seq"] - gap["from_seq"] + 1
            for seq in range(gap["from_seq"], gap["to_seq"] + 1):
                self.case.assertGreaterEqual(seq, self.expected[gap["from_player"]])
                self.case.assertNotIn((gap["from_player"], seq), self.holes)
                self.holes.add((gap["from_player"], seq))
        unsupported = sum(counts[UNSUPPORTED] for counts in report["per_class"].values())
        self.case.assertEqual(lengths[UNSUPPORTED], unsupported - self.unsupported)
        self.unsupported = unsupported
        for (name, count), reason in LOSSES.items():
            total = report["per_class"][name][count]
            self.case.assertEqual(lengths[reason], total - self.counts[name, count])
            self.counts[name, count] = total


class LanesTestCase(SynchronousTestCase):
    """
    Lanes for four messages, three players and a client that checks everything.
    """

    def setUp(self):
        """
        Nothing waits.
        """
        self.start()

    def start(self):
        """
        Nothing waits.
        """
        self.lanes = Lanes(Accounts(), 4, 3)
        self.senders = [Sender(player) for player in PLAYERS]
        self.client = Auditor(self)

    def put(self, outgoing):
        """
        Let something wait.
        """
        self.lanes.put(outgoing.frame(V3), outgoing)

    def drain(self):
        """
        Send all that waits, and say what it was.
        """
        start = len(self.client.heard)
        while (frame := self.lanes.pop()) is not None:
            self.client.take(frame)
        return [self.brief(*message) for message in self.client.heard[start:]]

    @staticmethod
    def brief(kind, data):
        """
        A message in a word or two.
        """
        if kind == "GameData":
            return data["seq"]
        if kind == "DeliveryReport":
            return [(gap["from_seq"], gap["to_seq"], gap["reason"]) for gap in data["gaps"]]
        return kind


class OrderTests(LanesTestCase):
    """
    What comes before what.
    """

    def test_control_first(self):
        """
        Control messages overtake game data.
        """
        self.put(self.senders[0].data())
        self.put(Notice(AuthorityChanged(authority_player=None, you_are_authority=False)))
        self.put(self.senders[0].data())
        self.assertEqual(["AuthorityChanged", 1, 2], self.drain())

    def test_departure(self):
        """
        A departure comes after the data of who departs, and what follows it stays behind it.
        """
        self.put(self.senders[0].data())
        self.put(self.senders[0].left())
        self.put(Notice(AuthorityChanged(authority_player=None, you_are_authority=False)))
        self.put(self.senders[1].data())
        self.assertEqual([1, "PlayerLeft", "AuthorityChanged", 1], self.drain())

    def test_departure_of_somebody_else(self):
        """
        A departure overtakes the data of others.
        """
        self.put(self.senders[0].data())
        self.put(self.senders[1].left())
        self.assertEqual(["PlayerLeft", 1], self.drain())

    def test_barrier(self):
        """
        One's own departure comes after everything of the room.
        """
        self.put(self.senders[0].data())
        self.put(Notice(AuthorityChanged(authority_player=None, you_are_authority=False)))
        self.put(Notice(RoomLeft()))
        self.assertEqual(["AuthorityChanged", 1, "RoomLeft"], self.drain())

    def test_pong(self):
        """
        A Pong overtakes even what waits behind data.
        """
        self.put(self.senders[0].data())
        self.put(self.senders[0].left())
        self.put(Notice(Pong()))
        self.assertEqual(["Pong", 1, "PlayerLeft"], self.drain())

    def test_control_again(self):
        """
        Once nothing waits behind data any more, control messages overtake it again.
        """
        self.put(self.senders[0].data())
        self.put(self.senders[0].left())
        self.drain()
        self.put(self.senders[1].data())
        self.put(self.senders[2].left())
        self.assertEqual(["PlayerLeft", 1], self.drain())


class ClassTests(LanesTestCase):
    """
    What is left out.
    """

    def latest(self, key):
        """
        A player sends a value of which only the newest matters.
        """
        self.put(self.senders[0].data(DeliveryClass.LATEST, key))

    def volatile(self):
        """
        A player sends a value that is worth nothing if it is late.
        """
        self.put(self.senders[0].data(DeliveryClass.VOLATILE))

    def test_superseded(self):
        """
        A newer value of a key takes the place of an older one, at the end.
        """
        self.latest(7)
        self.latest(8)
        self.latest(7)
        self.assertEqual([[(1, 1, "latest_superseded")], 2, 3], self.drain())

    def test_superseded_runs(self):
        """
        Values that were superseded one after the other are one gap.
        """
        for _ in range(500):
            self.latest(7)
        self.assertEqual(1, len(self.lanes))
        self.assertEqual([[(1, 499, "latest_superseded")], 500], self.drain())

    def test_no_room_for_latest(self):
        """
        Where there is no room, a value of a new key is left out.
        """
        for key in range(5):
            self.latest(key)
        self.assertEqual([1, 2, 3, 4, [(5, 5, "latest_dropped_full")]], self.drain())

    def test_volatile_gives_way(self):
        """
        Where there is no room, the oldest volatile value gives way to what is new.
        """
        self.volatile()
        self.volatile()
        self.latest(1)
        self.latest(2)
        self.latest(3)
        self.volatile()
        self.assertEqual([[(1, 2, "volatile_dropped")], 3, 4, 5, 6], self.drain())

    def test_no_room_for_volatile(self):
        """
        Where there is no room and nothing gives way, a volatile value is left out.
        """
        for key in range(4):
            self.latest(key)
        self.volatile()
        self.volatile()
        self.assertEqual([1, 2, 3, 4, [(5, 6, "volatile_dropped")]], self.drain())

    def test_reliable(self):
        """
        What is reliable is never left out.
        """
        for _ in range(10):
            self.put(self.senders[0].data())
        self.assertEqual(list(range(1, 11)), self.drain())

    def test_unsupported(self):
        """
        What cannot be expressed leaves its gap where it would have come.
        """
        self.put(self.senders[0].data())
        self.lanes.leave_out(self.senders[0].data(), GapReason.UNSUPPORTED_FORMAT)
        self.put(self.senders[0].data())
        self.assertEqual([1, [(2, 2, "unsupported_format")], 3], self.drain())

    def test_gaps_around_a_barrier(self):
        """
        What is left out of one room and of the next are two gaps, each told in its room.
        """
        sender = self.senders[0]
        for notice in (RoomLeft(), None):
            self.lanes.leave_out(sender.data(), GapReason.UNSUPPORTED_FORMAT)
            if notice is not None:
                self.put(Notice(notice))
        self.put(sender.data())
        first, second = [[(number, number, "unsupported_format")] for number in (1, 2)]
        self.assertEqual([first, "RoomLeft", second, 3], self.drain())

    def test_drops_around_a_barrier(self):
        """
        The same with what is left out only after more has come.
        """
        self.volatile()
        self.put(Notice(RoomLeft()))
        self.volatile()
        for key in range(4):
            self.latest(key)
        first, second = [[(number, number, "volatile_dropped")] for number in (1, 2)]
        self.assertEqual([first, "RoomLeft", second, 3, 4, 5, 6], self.drain())

    def test_advice_after_each_gap(self):
        """
        A gap that has been explained does not grow: each advice has a report of its own.
        """
        sender = self.senders[0]
        error = Error(message="why", error_code=ErrorCode.UNSUPPORTED_GAME_DATA_FORMAT)
        for _ in range(2):
            self.lanes.leave_out(sender.data(), GapReason.UNSUPPORTED_FORMAT)
            self.put(Notice(error, follows=sender.origin.player))
        first, second = [[(number, number, "unsupported_format")] for number in (1, 2)]
        self.assertEqual([first, "Error", second, "Error"], self.drain())

    def test_departure_after_gap(self):
        """
        A departure comes after the gaps of who departs.
        """
        for key in range(5):
            self.latest(key)
        self.put(self.senders[0].left())
        self.assertEqual("PlayerLeft", self.drain()[-1])

    def test_many_gaps(self):
        """
        A report carries at most 256 gaps.
        """
        reasons = (GapReason.VOLATILE_DROPPED, GapReason.LATEST_DROPPED_FULL)
        for number in range(600):
            kind = DeliveryClass.LATEST if number % 2 else DeliveryClass.VOLATILE
            self.lanes.leave_out(self.senders[0].data(kind, number), reasons[number % 2])
        self.assertEqual([256, 256, 88], [len(report) for report in self.drain()])

    def test_memory(self):
        """
        What has been superseded takes no place, however much it was.
        """
        for _ in range(10000):
            for sender in self.senders:
                self.put(sender.data(DeliveryClass.LATEST, 1))
        self.assertLess(len(self.lanes._data), 100)
        self.assertEqual(3, len(self.lanes))

    def test_clear(self):
        """
        After it was cleared nothing waits.
        """
        self.put(self.senders[0].data())
        self.put(self.senders[0].left())
        self.lanes.clear()
        self.assertEqual((0, 0), (len(self.lanes), self.lanes.size))
        self.assertIsNone(self.lanes.pop())


class AccountabilityTests(LanesTestCase):
    """
    Whatever is sent and left out, the client can account for it.
    """

    data = st.tuples(
        st.sampled_from(["data"]),
        st.integers(0, 2),
        st.sampled_from([None, *DeliveryClass]),
        st.integers(0, 3),
    )
    left = st.tuples(st.sampled_from(["notice", "pop", "pop"]), st.integers(0, 2))

    @given(st.lists(data | left, max_size=80))
    @examples(400)
    def test_law(self, steps):
        """
        Every hole is told before what comes after it; sizes and lengths come back to nothing.
        """
        self.start()
        for what, who, *details in steps:
            sender = self.senders[who]
            if what == "data":
                kind, key = details
                self.put(sender.data(kind, key if kind is DeliveryClass.LATEST else None))
            elif what == "notice":
                self.put(sender.left())
            elif (frame := self.lanes.pop()) is not None:
                self.client.take(frame)
        for sender in self.senders:
            self.put(sender.left())
        self.drain()
        expected = {sender.origin.player: sender.seq + 1 for sender in self.senders}
        self.assertEqual(expected, self.client.expected)
        self.assertEqual((0, 0), (len(self.lanes), self.lanes.size))
        self.assertEqual({}, self.lanes._gaps)
        self.assertEqual({}, self.lanes._latest)
        self.assertFalse(any(self.lanes._senders.values()))


class FifoTests(SynchronousTestCase):
    """
    The queue of older clients.
    """

    def test_order(self):
        """
        First in, first out, whatever it is.
        """
        queue = Fifo(3)
        sender = Sender(PLAYERS[0])
        frames = [text_frame(b"%d" % number) for number in range(3)]
        for frame in frames:
            queue.put(frame, sender.data(DeliveryClass.VOLATILE))
        self.assertEqual((3, 9), (len(queue), queue.size))
        self.assertEqual([*frames, None], [queue.pop() for _ in range(4)])
        self.assertEqual((0, 0), (len(queue), queue.size))

    def test_clear(self):
        """
        After it was cleared nothing waits.
        """
        queue = Fifo(3)
        queue.put(b"x", Notice(Pong()))
        queue.clear()
        self.assertEqual((0, 0, None), (len(queue), queue.size, queue.pop()))

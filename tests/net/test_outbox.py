"""
Tests for signalfish.net.outbox.
"""

import json
from copy import copy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from signalfish.net import outbox as outbox_module
from signalfish.net.factory import Traffic
from signalfish.net.outbox import HARD_LIMIT, Office, Outbox, OutboxLimits
from signalfish.net.sojourn import Sojourn
from signalfish.net.turns import Turns
from signalfish.wire.accounts import GapReason
from signalfish.wire.gamedata import Origin, TextData
from signalfish.wire.outgoing import Notice
from signalfish.wire.server import Pong
from signalfish.wire.types import SLOTS, DeliveryClass
from tests.fakes import V3

NOTICE = Notice(Pong())


class Data:
    """
    Game data of somebody who can be held.
    """

    kind = None

    def __init__(self, source):
        self.source = source
        self.frames = []

    def frame(self, form):
        """
        What was made of it.
        """
        return self.frames[form.slot]


class Recipient:
    """
    A connection that is given up, and has neither bugs nor anything too large.
    """

    def __init__(self, give_up):
        self.give_up = give_up

    def fail(self):
        """
        Nothing fails in these tests.
        """
        raise AssertionError

    too_large = fail


def outbox(transport, clock, limits, give_up, sojourn=None):
    """
    An empty queue.
    """
    sojourn = sojourn or Sojourn(clock, 60)
    office = Office(clock, limits, sojourn, Turns(clock), Traffic(), 1 << 30)
    return Outbox(transport, Recipient(give_up), office)


def post(queue, frame, outgoing):
    """
    Send a message that has this frame, in a turn of its own.
    """
    outgoing = copy(outgoing)
    outgoing.frames = [frame] * SLOTS
    queue.deliver(outgoing)
    queue.flush_turn()


class OneByOneTestCase(SynchronousTestCase):
    """
    Tests in which each frame is written by itself.
    """

    def setUp(self):
        """
        Nothing is small enough to be written together with others.
        """
        self.patch(outbox_module, "_LARGE", 1)


class FakeTransport:
    """
    A transport that can take only so many frames before it pauses its producer.
    """

    def __init__(self):
        self.written = []
        self.room = float("inf")
        self.producer = None

    def write(self, frame):
        """
        Take a frame; pause when there is no more room.
        """
        self.written.append(frame)
        self.room -= 1
        if self.room <= 0:
            self.producer.pauseProducing()

    def take(self):
        """
        What was written since the last time.
        """
        written, self.written = self.written, []
        return written


class OutboxTests(OneByOneTestCase):
    """
    A queue for three frames, whose client is given five seconds.
    """

    def setUp(self):
        """
        An empty queue.
        """
        super().setUp()
        self.clock = Clock()
        self.transport = FakeTransport()
        self.given_up = 0
        limits = OutboxLimits(capacity=3, patience=5.0)
        self.sojourn = Sojourn(self.clock, 15)
        self.outbox = outbox(self.transport, self.clock, limits, self.give_up, self.sojourn)
        self.transport.producer = self.outbox

    def give_up(self):
        """
        Count how often the client was given up.
        """
        self.given_up += 1

    def send(self, *frames):
        """
        Send some frames.
        """
        for frame in frames:
            post(self.outbox, frame, NOTICE)

    def test_interface(self):
        """
        It is a push producer.
        """
        verifyObject(IPushProducer, self.outbox)

    def test_straight(self):
        """
        While the transport keeps up frames go straight to it.
        """
        self.send(b"1", b"2")
        self.assertEqual([b"1", b"2"], self.transport.take())
        self.assertEqual(0, len(self.outbox))

    def test_paused(self):
        """
        While the transport is paused frames wait, and go to it in order when it resumes.
        """
        self.outbox.pauseProducing()
        self.outbox.pauseProducing()
        self.send(b"1", b"2")
        self.assertEqual([], self.transport.take())
        self.assertEqual(2, len(self.outbox))
        self.outbox.resumeProducing()
        self.send(b"3")
        self.assertEqual([b"1", b"2", b"3"], self.transport.take())
        self.assertEqual(0, len(self.outbox))

    def test_paused_again(self):
        """
        A transport that pauses while it resumes gets no more than it wants.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3", b"4")
        self.transport.room = 2
        self.outbox.resumeProducing()
        self.send(b"5")
        self.assertEqual([b"1", b"2"], self.transport.take())
        self.transport.room = 10
        self.outbox.resumeProducing()
        self.assertEqual([b"3", b"4", b"5"], self.transport.take())

    def test_resume_without_pause(self):
        """
        A transport may resume although it was not paused.
        """
        self.outbox.resumeProducing()
        self.send(b"1")
        self.assertEqual([b"1"], self.transport.take())

    def test_below_capacity(self):
        """
        A client with fewer frames waiting than the capacity may take all the time there is.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2")
        self.clock.advance(10000)
        self.assertEqual(0, self.given_up)

    def test_given_up(self):
        """
        A client with as many frames waiting as the capacity is given up after the patience.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.clock.advance(3)
        self.send(b"4", b"5")
        self.clock.advance(1.9)
        self.assertEqual(0, self.given_up)
        self.clock.advance(0.1)
        self.assertEqual(1, self.given_up)

    def test_given_up_once(self):
        """
        A client is given up only once, whatever is sent to it afterwards.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.clock.advance(5)
        self.send(b"4")
        self.clock.advance(50)
        self.assertEqual(1, self.given_up)

    def test_pardon(self):
        """
        A client that gets below the capacity in time is not given up.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.clock.advance(4.9)
        self.transport.room = 1
        self.outbox.resumeProducing()
        self.clock.advance(100)
        self.assertEqual(0, self.given_up)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_no_pardon(self):
        """
        A client that stays at the capacity is given up, although it reads now and then.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3", b"4")
        self.clock.advance(4)
        self.transport.room = 1
        self.outbox.resumeProducing()
        self.assertEqual(3, len(self.outbox))
        self.clock.advance(1)
        self.assertEqual(1, self.given_up)

    def test_patience_anew(self):
        """
        A client that keeps up for long enough has the whole patience again.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.clock.advance(4)
        self.outbox.resumeProducing()
        self.clock.advance(8)
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.clock.advance(4.9)
        self.assertEqual(0, self.given_up)
        self.clock.advance(0.1)
        self.assertEqual(1, self.given_up)

    def test_patience_wears_out(self):
        """
        A client that catches up only for a moment each time is given up nevertheless.
        """
        for _ in range(2):
            self.outbox.pauseProducing()
            self.send(b"1", b"2", b"3")
            self.clock.advance(2)
            self.outbox.resumeProducing()
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.clock.advance(0.9)
        self.assertEqual(0, self.given_up)
        self.clock.advance(0.1)
        self.assertEqual(1, self.given_up)

    def test_hard_limit(self):
        """
        A client with too many bytes waiting is given up on the next turn, and its frames dropped.
        """
        self.outbox.pauseProducing()
        self.send(bytes(HARD_LIMIT))
        self.clock.advance(100)
        self.assertEqual(0, self.given_up)
        self.send(b"1")
        self.assertEqual(0, self.given_up)
        self.assertEqual(0, len(self.outbox))
        self.clock.advance(0)
        self.assertEqual(1, self.given_up)

    def test_hard_limit_at_capacity(self):
        """
        A client that is at the capacity too is given up once, and at once.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", bytes(HARD_LIMIT))
        self.clock.advance(0)
        self.assertEqual(1, self.given_up)
        self.clock.advance(100)
        self.assertEqual(1, self.given_up)

    def test_hard_limit_many_times(self):
        """
        However much is sent in one turn, little is kept and the client is given up once.
        """
        self.outbox.pauseProducing()
        for _ in range(20):
            self.send(bytes(HARD_LIMIT // 2))
            self.assertLessEqual(self.outbox._queue.size, HARD_LIMIT)
        self.clock.advance(0)
        self.assertEqual(1, self.given_up)

    def test_hard_limit_is_final(self):
        """
        A client whose frames were dropped is given up although it reads again before that.
        """
        self.outbox.pauseProducing()
        self.send(bytes(HARD_LIMIT), b"1")
        self.outbox.resumeProducing()
        self.clock.advance(0)
        self.assertEqual(1, self.given_up)

    def test_bytes_are_forgotten(self):
        """
        Bytes that were sent count no longer.
        """
        for _ in range(10):
            self.outbox.pauseProducing()
            self.send(bytes(HARD_LIMIT))
            self.outbox.resumeProducing()
        self.clock.advance(100)
        self.assertEqual(0, self.given_up)
        self.assertEqual(10, len(self.transport.take()))

    def test_flush(self):
        """
        Flushing writes what waits, in order, whether or not the transport is paused.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.transport.room = 0
        self.outbox.flush()
        self.assertEqual([b"1", b"2", b"3"], self.transport.take())
        self.assertEqual(0, len(self.outbox))
        self.clock.advance(100)
        self.assertEqual(0, self.given_up)

    def test_discard(self):
        """
        Discarding forgets what waits, and pardons.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.outbox.discard()
        self.outbox.resumeProducing()
        self.assertEqual([], self.transport.take())
        self.clock.advance(100)
        self.assertEqual(0, self.given_up)

    def test_stop(self):
        """
        When the connection is gone nothing is kept and nobody is given up.
        """
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.outbox.stopProducing()
        self.clock.advance(0)
        self.assertEqual(0, len(self.outbox))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_discarded_bytes(self):
        """
        What was discarded or flushed does not count as waiting.
        """
        for forget in (self.outbox.discard, self.outbox.flush):
            self.outbox.pauseProducing()
            self.send(bytes(HARD_LIMIT))
            forget()
            self.send(bytes(HARD_LIMIT))
            forget()
        self.clock.advance(1)
        self.assertEqual(0, self.given_up)

    def test_nothing_after_a_loss(self):
        """
        When something was dropped nothing that comes after it is sent.
        """
        self.outbox.pauseProducing()
        self.send(bytes(HARD_LIMIT), b"1")
        self.outbox.resumeProducing()
        self.send(b"2")
        self.outbox.flush()
        self.assertEqual([], self.transport.take())

    def test_no_patience(self):
        """
        A client with whom there is no patience is given up on the turn in which it stalls.
        """
        self.outbox.patience.seconds = 0
        self.outbox.pauseProducing()
        self.send(b"1", b"2", b"3")
        self.assertEqual(0, self.given_up)
        self.clock.advance(0)
        self.assertEqual(1, self.given_up)


class FakeSource:
    """
    A sender that remembers what is asked of it.
    """

    def __init__(self):
        self.held_by = set()
        self.asked = []

    def hold(self, outbox):
        """
        Be silent.
        """
        self.held_by.add(outbox)
        self.asked.append("hold")

    def let_go(self, outbox):
        """
        Talk again, if that was the reason not to.
        """
        self.held_by.discard(outbox)
        self.asked.append("let_go")


class LaneTests(OneByOneTestCase):
    """
    Queues for three frames of game data and two of control messages, of a client of protocol 3.
    """

    def setUp(self):
        """
        A client that reads nothing.
        """
        super().setUp()
        self.clock = Clock()
        self.given_up = []
        self.transport = FakeTransport()
        self.sojourn = Sojourn(self.clock, 15)
        self.sojourn.startService()
        self.addCleanup(self.sojourn.stopService)
        limits = OutboxLimits(capacity=3, control_capacity=2, patience=5.0)
        self.outbox = outbox(
            self.transport, self.clock, limits, lambda: self.given_up.append(1), self.sojourn
        )
        self.transport.producer = self.outbox
        self.outbox.serve(V3)
        self.outbox.pauseProducing()
        self.origin = Origin("00000000-0000-4000-8000-000000000001", 1, self)
        self.seq = 0

    def hold(self, outbox):
        """
        Nobody is held in these tests.
        """
        raise AssertionError

    let_go = hold

    def send(self, number, kind=None, key=None):
        """
        Send some game data.
        """
        for _ in range(number):
            self.seq += 1
            post(self.outbox, b"x", TextData(self.origin, self.seq, b"1", kind, key))

    def pass_time(self, seconds):
        """
        Let whole seconds pass.
        """
        self.clock.pump([1] * seconds)

    def test_lossy(self):
        """
        What may be left out does not end the connection, however much of it there is.
        """
        self.send(100, DeliveryClass.VOLATILE)
        self.send(100, DeliveryClass.LATEST, 1)
        self.pass_time(60)
        self.assertEqual([], self.given_up)
        self.send(1)
        self.pass_time(5)
        self.assertEqual([1], self.given_up)

    def test_too_many_gaps(self):
        """
        A client is given up that would have to be told of more gaps than it can keep in mind.
        """
        for key in range(3):
            self.send(1, DeliveryClass.LATEST, key)
        for _ in range(256):
            self.send(1, DeliveryClass.VOLATILE)
            self.send(1, DeliveryClass.LATEST, 3)
        self.clock.advance(0)
        self.assertEqual([], self.given_up)
        self.send(1, DeliveryClass.VOLATILE)
        self.assertEqual(0, len(self.outbox))
        self.clock.advance(0)
        self.assertEqual([1], self.given_up)

    def test_too_many_gaps_of_format(self):
        """
        The same goes for what cannot be expressed.
        """
        for number in range(513):
            self.clock.advance(0)
            self.assertEqual([], self.given_up)
            data = TextData(self.origin, 2 * number + 1, b"1")
            self.outbox.leave_out(data, GapReason.UNSUPPORTED_FORMAT)
        self.clock.advance(0)
        self.assertEqual([1], self.given_up)

    def test_reliable(self):
        """
        Three messages that must not be left out end it after the patience.
        """
        self.send(2)
        self.pass_time(6)
        self.assertEqual([], self.given_up)
        self.send(1)
        self.pass_time(5)
        self.assertEqual([1], self.given_up)

    def test_control(self):
        """
        Control messages have a limit of their own.
        """
        post(self.outbox, b"x", NOTICE)
        self.pass_time(6)
        self.assertEqual([], self.given_up)
        post(self.outbox, b"x", NOTICE)
        self.pass_time(5)
        self.assertEqual([1], self.given_up)

    def test_sojourn(self):
        """
        A single message that waits for too long ends it, in either lane.
        """
        for send in (self.send, lambda number: post(self.outbox, b"x", NOTICE)):
            self.setUp()
            send(1)
            self.pass_time(15)
            self.assertEqual([], self.given_up)
            self.pass_time(1)
            self.assertEqual([1], self.given_up)

    def test_behind_gaps(self):
        """
        How long a message waits is judged by itself, and not by what was left out before it.
        """
        self.send(1, DeliveryClass.LATEST, 1)
        self.pass_time(10)
        self.send(300, DeliveryClass.LATEST, 1)
        self.send(1)
        self.pass_time(15)
        self.assertEqual([], self.given_up)
        self.pass_time(1)
        self.assertEqual([1], self.given_up)

    def test_in_time(self):
        """
        A client that reads again in time has all its time once more.
        """
        self.send(1)
        self.pass_time(14)
        self.outbox.resumeProducing()
        self.outbox.pauseProducing()
        self.send(1)
        self.pass_time(15)
        self.assertEqual([], self.given_up)

    def test_end(self):
        """
        After its end nobody looks at it.
        """
        self.send(1)
        self.outbox.stopProducing()
        self.pass_time(30)
        self.assertEqual([], self.given_up)


class ReportTests(OneByOneTestCase):
    """
    A client of protocol 3 that reads all, but cannot be told everything.
    """

    def setUp(self):
        """
        Nothing waits, and there are two senders.
        """
        super().setUp()
        self.clock = Clock()
        self.transport = FakeTransport()
        self.outbox = outbox(self.transport, self.clock, OutboxLimits(capacity=3), self.fail)
        self.transport.producer = self.outbox
        self.outbox.serve(V3)
        self.origins = [Origin(f"00000000-0000-4000-8000-00000000000{n}", 1, self) for n in (1, 2)]
        self.numbers = [0, 0]

    def data(self, who):
        """
        The next game data of a sender.
        """
        self.numbers[who] += 1
        return TextData(self.origins[who], self.numbers[who], b"1")

    def leave_out(self, who):
        """
        The next game data of a sender cannot be sent.
        """
        self.outbox.leave_out(self.data(who), GapReason.UNSUPPORTED_FORMAT)

    def written(self):
        """
        What was written: frames that are no report, and the ranges of reports.
        """
        found = []
        for frame in self.transport.take():
            report = frame.partition(b'"gaps":')[2]
            gaps = json.loads(report[:-2]) if report else []
            found += [[(gap["from_seq"], gap["to_seq"]) for gap in gaps] or frame]
        return found

    def test_gathered(self):
        """
        What cannot be sent is reported within a second, in as few gaps as possible.
        """
        for _ in range(500):
            self.leave_out(0)
            self.leave_out(1)
        self.assertEqual([], self.written())
        self.clock.advance(1)
        self.assertEqual([[(1, 500), (1, 500)]], self.written())
        self.clock.advance(60)
        self.assertEqual([], self.written())
        self.leave_out(0)
        self.clock.advance(1)
        self.assertEqual([[(501, 501)]], self.written())

    def test_before_data(self):
        """
        A gap is reported before what comes after it; data of others does not show it.
        """
        self.leave_out(0)
        post(self.outbox, b"other", self.data(1))
        self.assertEqual([b"other"], self.written())
        post(self.outbox, b"mine", self.data(0))
        self.assertEqual([[(1, 1)], b"mine"], self.written())
        self.clock.advance(60)
        self.assertEqual([], self.written())

    def test_before_notices(self):
        """
        A gap is reported before any notice: it may be about the gap, or about the sender.
        """
        self.leave_out(0)
        post(self.outbox, b"notice", NOTICE)
        self.assertEqual([[(1, 1)], b"notice"], self.written())

    def test_classes(self):
        """
        Gaps of two classes are two gaps, in order.
        """
        self.leave_out(0)
        self.numbers[0] += 1
        data = TextData(self.origins[0], 2, b"1", DeliveryClass.VOLATILE)
        self.outbox.leave_out(data, GapReason.UNSUPPORTED_FORMAT)
        self.clock.advance(1)
        self.assertEqual([[(1, 1)], [(2, 2)]], self.written())

    def test_before_what_waits(self):
        """
        A client that reads no more is told before anything waits for it.
        """
        self.leave_out(0)
        self.outbox.pauseProducing()
        self.leave_out(0)
        self.assertEqual([[(1, 1)]], self.written())
        post(self.outbox, b"1", self.data(1))
        self.clock.advance(1)
        self.assertEqual([], self.written())
        self.outbox.resumeProducing()
        self.assertEqual([[(2, 2)], b"1"], self.written())

    def test_flush(self):
        """
        A client that is sent away is told before.
        """
        self.leave_out(0)
        self.outbox.flush()
        self.assertEqual([[(1, 1)]], self.written())

    def test_discard(self):
        """
        A client that is gone is told nothing.
        """
        self.leave_out(0)
        self.outbox.discard()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual([], self.written())


class SourceTests(OneByOneTestCase):
    """
    Senders who fill a queue for three frames, and may have ten bytes in it.
    """

    def setUp(self):
        """
        A queue whose transport is paused.
        """
        super().setUp()
        self.clock = Clock()
        self.transport = FakeTransport()
        limits = OutboxLimits(capacity=3, patience=5.0, backlog=10)
        self.outbox = outbox(self.transport, self.clock, limits, lambda: None)
        self.transport.producer = self.outbox
        self.outbox.pauseProducing()
        self.fast, self.slow = FakeSource(), FakeSource()

    def fill(self):
        """
        Fill the queue up to its capacity by what is nobody's.
        """
        for _ in range(3):
            post(self.outbox, b"x", NOTICE)

    def test_below_capacity(self):
        """
        Below the capacity nobody is held, however much they send.
        """
        post(self.outbox, bytes(1000), Data(self.fast))
        post(self.outbox, bytes(1000), Data(self.fast))
        self.assertEqual([], self.fast.asked)

    def test_held(self):
        """
        At the capacity those are held who have more than their share in the queue.
        """
        self.fill()
        post(self.outbox, bytes(10), Data(self.fast))
        post(self.outbox, bytes(1), Data(self.slow))
        self.assertEqual([], self.fast.asked)
        post(self.outbox, bytes(1), Data(self.fast))
        self.assertEqual(({self.outbox.patience}, set()), (self.fast.held_by, self.slow.held_by))

    def test_still_accepted(self):
        """
        What those who are held have sent already is not lost.
        """
        self.fill()
        for number in range(20):
            post(self.outbox, b"%10d" % number, Data(self.fast))
        self.assertEqual(23, len(self.outbox))
        self.outbox.resumeProducing()
        self.assertEqual(b"%10d" % 19, self.transport.take()[-1])

    def test_let_go(self):
        """
        Those who are held are let go when the queue is below its capacity, and not before.
        """
        self.fill()
        post(self.outbox, bytes(11), Data(self.fast))
        self.transport.room = 1
        self.outbox.resumeProducing()
        self.assertEqual({self.outbox.patience}, self.fast.held_by)
        self.transport.room = 1
        self.outbox.resumeProducing()
        self.assertEqual(set(), self.fast.held_by)

    def test_let_go_at_the_end(self):
        """
        Those who are held are let go when the connection ends, in whatever way.
        """
        for end in ("discard", "flush", "stopProducing"):
            self.setUp()
            self.fill()
            post(self.outbox, bytes(11), Data(self.fast))
            getattr(self.outbox, end)()
            self.assertEqual(set(), self.fast.held_by, end)

    def test_let_go_at_the_hard_limit(self):
        """
        Those who are held are let go when the client is given up at once.
        """
        self.fill()
        post(self.outbox, bytes(HARD_LIMIT), Data(self.fast))
        self.assertEqual(["hold", "let_go"], self.fast.asked)

    def test_counted_anew(self):
        """
        When the queue was below its capacity everybody has the whole share again.
        """
        for _ in range(5):
            self.outbox.pauseProducing()
            self.fill()
            post(self.outbox, bytes(10), Data(self.fast))
            self.outbox.resumeProducing()
        self.assertNotIn("hold", self.fast.asked)


class OutboxMachine(RuleBasedStateMachine):
    """
    Whatever happens, nothing is lost or overtaken, and only the stalled are given up.
    """

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.transport = FakeTransport()
        limits = OutboxLimits(capacity=3, patience=5.0)
        self.outbox = outbox(self.transport, self.clock, limits, self.give_up)
        self.transport.producer = self.outbox
        self.sent = []
        self.given_up_at = None
        self.stalled_since = None
        self.caught_up_at = 0.0
        self.strain = 0.0

    def give_up(self):
        """
        It happens once.
        """
        assert self.given_up_at is None
        self.given_up_at = self.clock.seconds()

    @rule(count=st.integers(1, 4))
    def send(self, count):
        """
        Send some frames.
        """
        for _ in range(count):
            frame = b"%d" % len(self.sent)
            self.sent.append(frame)
            post(self.outbox, frame, NOTICE)
            self.judge()

    @rule()
    def pause(self):
        """
        The transport has enough.
        """
        self.outbox.pauseProducing()

    @precondition(lambda self: self.given_up_at is None)
    @rule(room=st.integers(1, 6))
    def resume(self, room):
        """
        The transport has room for some frames.
        """
        self.transport.room = room
        self.outbox.resumeProducing()
        self.judge()

    @rule(seconds=st.sampled_from([0.0, 1.0, 2.5, 5.0]))
    def wait(self, seconds):
        """
        Time passes.
        """
        self.clock.advance(seconds)

    def judge(self):
        """
        Remember since when the queue is full, and for how long it has been lately.
        """
        now = self.clock.seconds()
        if len(self.outbox) >= 3 and self.stalled_since is None:
            self.stalled_since = now
            self.strain = max(0.0, self.strain - (now - self.caught_up_at) / 2)
        elif len(self.outbox) < 3 and self.stalled_since is not None:
            self.strain += now - self.stalled_since
            self.stalled_since, self.caught_up_at = None, now

    @invariant()
    def in_order(self):
        """
        What was written and what waits is what was sent.
        """
        assert self.transport.written + list(self.outbox._queue._frames) == self.sent

    @invariant()
    def justice(self):
        """
        Those are given up who were stalled for the whole patience.
        """
        now = self.clock.seconds()
        patience = max(0.0, 5.0 - self.strain)
        stalled = self.stalled_since is not None and now - self.stalled_since >= patience
        assert stalled == (self.given_up_at is not None)


class TurnTests(SynchronousTestCase):
    """
    What comes up in one turn is written at its end, as one.
    """

    def setUp(self):
        """
        An empty queue.
        """
        self.clock = Clock()
        self.transport = FakeTransport()
        self.traffic = Traffic()
        self.office = Office(
            self.clock,
            OutboxLimits(capacity=1000),
            Sojourn(self.clock, 60),
            Turns(self.clock),
            self.traffic,
            1 << 20,
        )
        self.outbox = Outbox(self.transport, Recipient(self.fail), self.office)
        self.transport.producer = self.outbox

    def deliver(self, *frames):
        """
        Let messages come up, of which the first has not been encoded before.
        """
        for frame in frames:
            notice = copy(NOTICE)
            notice.frames = [frame] * SLOTS
            self.outbox.deliver(notice)

    def test_one_write(self):
        """
        However many messages come up, there is one write for them, and one call for all queues.
        """
        other = Outbox(self.transport, Recipient(self.fail), self.office)
        self.deliver(b"1", b"2", b"3")
        other.deliver(Notice(Pong()))
        other.deliver(Notice(Pong()))
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.assertEqual([], self.transport.take())
        self.clock.advance(0)
        pong = Notice(Pong()).frame(V3)
        self.assertEqual([b"123", pong + pong], self.transport.take())
        self.assertEqual(5, self.traffic.messages_sent)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_each_turn(self):
        """
        What comes up later is written later, and what comes up within the writing as well.
        """
        self.deliver(b"1")
        self.transport.write = lambda data: (FakeTransport.write(self.transport, data), again())

        def again():
            del self.transport.write
            self.deliver(b"2")

        self.clock.advance(0)
        self.assertEqual([b"1", b"2"], self.transport.take())

    def test_large(self):
        """
        More than is good for the transport is written by and by, and the rest waits.
        """
        self.transport.room = 2
        self.deliver(bytes(40_000), bytes(40_001), bytes(40_002))
        self.clock.advance(0)
        self.assertEqual([40_000, 40_001], [len(data) for data in self.transport.take()])
        self.assertEqual(1, len(self.outbox))

    def test_many(self):
        """
        Many small messages that are too much for one write take few, in order.
        """
        frames = [b"%04d" % number * 25 for number in range(1500)]
        self.deliver(*frames)
        self.clock.advance(0)
        written = self.transport.take()
        self.assertEqual(b"".join(frames), b"".join(written))
        self.assertEqual([37_500] * 4, [len(data) for data in written])

    def test_many_not_encoded(self):
        """
        So do those that nobody else has been sent before.
        """
        for _ in range(10_000):
            self.outbox.deliver(Notice(Pong()))
        self.clock.advance(0)
        self.assertEqual([42_500] * 4, [len(data) for data in self.transport.take()])

    def test_many_but_ended(self):
        """
        Nothing is written after something that ends the connection.
        """
        large = bytes((1 << 20) + 1)
        recipient = Recipient(self.fail)
        self.outbox = Outbox(self.transport, recipient, self.office)
        recipient.too_large = self.outbox.end
        self.deliver(b"1", large, b"2", b"3")
        self.clock.advance(0)
        self.assertEqual([b"1"], self.transport.take())

    def test_many_after_a_report(self):
        """
        So is what comes after something that could not be told, once that has been reported.
        """
        self.outbox.serve(V3)
        data = TextData(Origin("00000000-0000-4000-8000-000000000001", 1, self), 1, b"1")
        self.outbox.leave_out(data, GapReason.UNSUPPORTED_FORMAT)
        self.clock.advance(1)
        self.assertEqual(1, len(self.transport.take()))
        self.deliver(b"1", b"2", b"3")
        self.clock.advance(0)
        self.assertEqual([b"123"], self.transport.take())

    def test_waiting(self):
        """
        What has waited is written in pieces of about 64 KiB.
        """
        self.outbox.pauseProducing()
        self.deliver(*[bytes(1000)] * 100)
        self.clock.advance(0)
        self.assertEqual([], self.transport.take())
        self.outbox.resumeProducing()
        self.assertEqual([66_000, 34_000], [len(data) for data in self.transport.take()])

    def test_sent_at_once(self):
        """
        A transport that has sent what it was just given asks for more, within the write.
        """
        self.outbox.pauseProducing()
        self.deliver(*[bytes(1000)] * 1000)
        self.clock.advance(0)

        def write(data):
            self.transport.written.append(data)
            self.outbox.pauseProducing()
            self.outbox.resumeProducing()

        self.transport.write = write
        self.outbox.resumeProducing()
        self.assertEqual(1_000_000, sum(map(len, self.transport.take())))
        self.assertEqual(0, len(self.outbox))

    def test_finished(self):
        """
        After the end nothing is written, and what had come up before is.
        """
        self.deliver(b"1")
        self.outbox.finish()
        self.deliver(b"2")
        self.clock.advance(0)
        self.assertEqual([b"1"], self.transport.take())

    def test_bug(self):
        """
        A bug in sending ends that connection, and no other.
        """
        failed = []
        recipient = Recipient(self.fail)
        recipient.fail = lambda: failed.append(1)
        broken = Outbox(None, recipient, self.office)
        broken.deliver(Notice(Pong()))
        self.deliver(b"1")
        self.clock.advance(0)
        self.assertEqual(([1], [b"1"]), (failed, self.transport.take()))


class OutboxStateTests(OneByOneTestCase):
    """
    Many histories of a queue.
    """

    def test_histories(self):
        """
        Frames keep their order, and exactly those are given up who stay stalled.
        """
        options = settings(deadline=None, max_examples=60, stateful_step_count=30)
        run_state_machine_as_test(OutboxMachine, settings=options)

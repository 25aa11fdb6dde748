"""
Tests for signalfish.net.sojourn.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.sojourn import Sojourn

LIMIT = 5


class Lane:
    """
    A queue of one lane.
    """

    def __init__(self):
        self.oldest = self.following = 0
        self.given_up = 0

    def spans(self):
        """
        What waits.
        """
        return ((self.oldest, self.following),)

    def give_up(self):
        """
        Count it.
        """
        self.given_up += 1


class SojournTests(SynchronousTestCase):
    """
    Nothing may wait for more than five seconds.
    """

    def setUp(self):
        """
        A queue that is looked at.
        """
        self.clock = Clock()
        self.sojourn = Sojourn(self.clock, LIMIT - 0.5)
        self.sojourn.startService()
        self.addCleanup(self.sojourn.stopService)
        self.lane = Lane()
        self.sojourn.watch(self.lane)

    def pass_time(self, seconds):
        """
        Let whole seconds pass.
        """
        self.clock.pump([1] * seconds)

    def test_too_long(self):
        """
        What has waited for the limit, counted from the look that first saw it, is too old.
        """
        self.lane.following = 3
        self.pass_time(LIMIT)
        self.assertEqual(0, self.lane.given_up)
        self.pass_time(1)
        self.assertEqual(1, self.lane.given_up)

    def test_moving(self):
        """
        A lane may be long, as long as it moves fast enough.
        """
        self.lane.following = 10
        for _ in range(40):
            self.pass_time(1)
            self.lane.oldest += 3
            self.lane.following += 3
        self.assertEqual(0, self.lane.given_up)

    def test_too_slow(self):
        """
        A lane that moves, but by less than what waits in five seconds, is given up.
        """
        self.lane.following = 30
        for _ in range(LIMIT + 1):
            self.pass_time(1)
            self.lane.oldest += 3
            self.lane.following += 3
        self.assertEqual(1, self.lane.given_up)

    def test_empty(self):
        """
        Nothing can wait for ever.
        """
        self.lane.oldest = self.lane.following = 7
        self.pass_time(100)
        self.assertEqual(0, self.lane.given_up)

    def test_each_lane(self):
        """
        One lane of several is enough.
        """
        spans = [(4, 4), (0, 1)]
        self.lane.spans = lambda: tuple(spans)
        self.pass_time(LIMIT + 1)
        self.assertEqual(1, self.lane.given_up)

    def test_forgotten(self):
        """
        A queue that has been forgotten begins anew.
        """
        self.lane.following = 1
        self.pass_time(LIMIT)
        self.sojourn.forget(self.lane)
        self.sojourn.forget(self.lane)
        self.pass_time(LIMIT)
        self.sojourn.watch(self.lane)
        self.sojourn.watch(self.lane)
        self.pass_time(LIMIT)
        self.assertEqual(0, self.lane.given_up)
        self.pass_time(1)
        self.assertEqual(1, self.lane.given_up)

    def test_bug(self):
        """
        A bug in one queue hides no other, and is logged.
        """
        broken = Lane()
        broken.spans = lambda: 1 / 0
        second = Lane()
        second.following = 1
        self.sojourn.watch(broken)
        self.sojourn.watch(second)
        self.pass_time(LIMIT + 1)
        self.assertEqual(1, second.given_up)
        self.assertEqual(LIMIT + 1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_stopped(self):
        """
        While it does not run it does not look.
        """
        self.lane.following = 1
        self.sojourn.stopService()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.sojourn.startService()

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
    def test_law(self, seconds):
        """
        A queue is given up exactly if something was seen waiting at looks that are that far apart.
        """
        clock, lane = Clock(), Lane()
        sojourn = Sojourn(clock, LIMIT)
        sojourn.startService()
        sojourn.watch(lane)
        seen = {}
        expected = 0
        for second, (put, sent) in enumerate(seconds):
            lane.following += put
            lane.oldest = min(lane.oldest + sent, lane.following)
            seen.update((number, second) for number in range(lane.following) if number not in seen)
            waiting = [seen[number] for number in range(lane.oldest, lane.following)]
            expected += any(second - since >= LIMIT for since in waiting)
            clock.advance(1)
        sojourn.stopService()
        self.assertEqual(expected, lane.given_up)

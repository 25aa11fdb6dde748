"""
Tests for signalfish.net.liveness.
"""

from collections import Counter

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.liveness import ACTIVE, ANSWERED, SILENT, Liveness, LivenessLimits
from signalfish.wire.errors import CloseCode
from tests.fakes import FakeLink, Told


class FakeConnection(FakeLink):
    """
    A connection that remembers when it was pinged, and answers after `delay` seconds, if at all.
    """

    def __init__(self, clock, delay=None):
        super().__init__()
        self.pulse = ACTIVE
        self.silence = 0
        self.slot = 0
        self.asked = 0
        self.reads = True
        self.pings = []
        self.lives = []
        self._clock = clock
        self._delay = delay

    def ping(self):
        """
        Remember when, and answer.
        """
        self.pings.append(self._clock.seconds())
        if self._delay is not None:
            self._clock.callLater(self._delay, self.feel, ANSWERED)

    def alive(self):
        """
        Remember when.
        """
        self.lives.append(self._clock.seconds())

    def feel(self, pulse):
        """
        Something was heard of the client.
        """
        self.pulse = max(self.pulse, pulse)


class LivenessTestCase(SynchronousTestCase):
    """
    A check that runs by a clock of ours.
    """

    limits = LivenessLimits()

    def setUp(self):
        """
        Start to look at nobody.
        """
        self.clock = Clock()
        self.liveness = Liveness(self.clock, self.limits)
        self.liveness.startService()

    def connection(self, delay=None):
        """
        A connection that is looked after.
        """
        connection = FakeConnection(self.clock, delay)
        self.liveness.add(connection)
        return connection

    def pass_time(self, seconds):
        """
        Let time pass in small steps.
        """
        self.clock.pump([0.25] * (4 * seconds))

    def close_time(self, connection, seconds=1000):
        """
        When a connection is closed.
        """
        for _ in range(4 * seconds):
            if connection.closed is not None:
                return self.clock.seconds()
            self.clock.advance(0.25)
        return None


class PingTests(LivenessTestCase):
    """
    Clients are pinged after 10 seconds of silence and have 5 seconds to answer.
    """

    def test_talking(self):
        """
        A client that talks is not pinged.
        """
        connection = self.connection()
        for _ in range(60):
            self.pass_time(1)
            connection.feel(ACTIVE)
        self.assertEqual([], connection.pings)
        self.assertIsNone(connection.closed)

    def test_first_ping(self):
        """
        A client that is quiet from the beginning is pinged after at least 10 seconds.
        """
        connections = [self.connection() for _ in range(10)]
        self.pass_time(20)
        firsts = [connection.pings[0] for connection in connections]
        self.assertGreater(min(firsts), 10)
        self.assertLessEqual(max(firsts), 20)

    def test_answering(self):
        """
        A quiet client that answers is pinged every 10 seconds, and kept.
        """
        connection = self.connection(delay=4.5)
        self.pass_time(1000)
        self.assertIsNone(connection.closed)
        gaps = [b - a for a, b in zip(connection.pings, connection.pings[1:], strict=False)]
        self.assertEqual({10.0}, set(gaps))
        self.assertGreater(len(gaps), 95)

    def test_dead(self):
        """
        A client that does not answer is closed with 4003 and without a word, 5 seconds later.
        """
        connection = self.connection()
        closed = self.close_time(connection)
        self.assertEqual([closed - 5], connection.pings)
        self.assertEqual((CloseCode.ACTIVITY_TIMEOUT, "activity_timeout", None), connection.closed)

    def test_too_late(self):
        """
        An answer after 5 seconds is too late.
        """
        connection = self.connection(delay=5.5)
        self.assertIsNotNone(self.close_time(connection))

    def test_anything_counts(self):
        """
        A client that talks instead of answering is kept.
        """
        connection = self.connection()
        while not connection.pings:
            self.pass_time(1)
        connection.feel(ACTIVE)
        self.pass_time(6)
        self.assertIsNone(connection.closed)

    def test_removed(self):
        """
        A connection that is gone is neither pinged nor closed.
        """
        connection = self.connection()
        self.liveness.remove(connection)
        self.pass_time(100)
        self.assertEqual(([], None), (connection.pings, connection.closed))

    def test_removed_after_ping(self):
        """
        A connection that is gone when its answer is due is not closed.
        """
        connection = self.connection()
        while not connection.pings:
            self.pass_time(1)
        self.liveness.remove(connection)
        self.pass_time(100)
        self.assertIsNone(connection.closed)

    def test_not_read(self):
        """
        The deadlines of a connection that the server does not read stand still.
        """
        connection = self.connection()
        connection.reads = False
        self.pass_time(1000)
        self.assertEqual(([], None), (connection.pings, connection.closed))
        connection.reads = True
        self.assertIsNotNone(self.close_time(connection))

    def test_not_read_after_ping(self):
        """
        A client is not closed for an answer that the server did not read.
        """
        connection = self.connection()
        while not connection.pings:
            self.pass_time(1)
        connection.reads = False
        self.pass_time(100)
        self.assertIsNone(connection.closed)

    def test_spread(self):
        """
        Connections that begin together are looked at in different seconds.
        """
        connections = [self.connection(delay=0.5) for _ in range(50)]
        self.pass_time(25)
        seconds = Counter(connection.pings[-1] for connection in connections)
        self.assertEqual([5] * 10, list(seconds.values()))

    def test_alive(self):
        """
        That a client is there is passed on once per 10 seconds, and not if it is silent.
        """
        connection = self.connection(delay=0.5)
        self.pass_time(100)
        looks = [1 + 10 * number for number in range(10)]
        silent = 11  # the first ping has not been sent yet
        self.assertEqual([look for look in looks if look != silent], connection.lives)
        silent = self.connection()
        self.close_time(silent)
        self.assertEqual(1, len(silent.lives))

    def test_bug_in_a_look(self):
        """
        A bug in one connection is logged and keeps no other from being looked at.
        """
        broken = [self.connection() for _ in range(10)]
        for connection in broken:
            connection.ping = lambda: 1 / 0
        others = [self.connection() for _ in range(10)]
        self.pass_time(30)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.assertTrue(all(connection.closed for connection in others))

    def test_bug_in_a_close(self):
        """
        A bug in closing one connection is logged and keeps no other from being looked at.
        """
        for _ in range(10):
            self.connection().close = lambda *arguments: 1 / 0
        others = [self.connection() for _ in range(10)]
        self.pass_time(30)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.assertTrue(all(connection.closed for connection in others))

    def test_stop(self):
        """
        After it has stopped nothing happens any more, until it is started again.
        """
        connection = self.connection()
        self.liveness.stopService()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.pass_time(100)
        self.assertEqual([], connection.pings)
        self.liveness.startService()
        self.assertIsNotNone(self.close_time(connection))

    def test_stop_twice(self):
        """
        Stopping what does not run is no error.
        """
        self.liveness.stopService()
        self.liveness.stopService()

    def test_nothing_is_kept(self):
        """
        Nothing is remembered of connections that are gone.
        """
        for _ in range(30):
            connection = self.connection(delay=0.5)
            self.pass_time(1)
            self.liveness.remove(connection)
        self.pass_time(20)
        self.assertEqual(0, sum(map(len, self.liveness._slots)))
        self.assertEqual({}, self.liveness._pinged)


class PatientPingTests(LivenessTestCase):
    """
    Clients have more time to answer than there is between two looks.
    """

    limits = LivenessLimits(ping_interval=3, pong_timeout=5, idle_timeout=0)

    def test_answering(self):
        """
        A client that answers at once is kept, also if it says something now and then.
        """
        for second in range(3):
            connection = self.connection(delay=0.1)
            while not connection.pings:
                self.pass_time(1)
            self.pass_time(1)
            connection.feel(ACTIVE)
            self.pass_time(30)
            self.assertIsNone(connection.closed, second)

    def test_dead(self):
        """
        A client that does not answer is closed.
        """
        self.assertIsNotNone(self.close_time(self.connection()))


class IdleTests(LivenessTestCase):
    """
    Clients that are not pinged may be silent for 60 seconds.
    """

    limits = LivenessLimits(ping_interval=0, ping_timeout=0, idle_timeout=60)

    def test_idle(self):
        """
        A silent client is told why and closed with 4004, and never pinged.
        """
        connections = [self.connection() for _ in range(10)]
        text = "Idle timeout - no messages received for 60 seconds"
        error = Told("Error", {"message": text, "error_code": "CONNECTION_IDLE_TIMEOUT"})
        for connection in connections:
            closed = self.close_time(connection)
            self.assertTrue(60 <= closed <= 70, closed)
            self.assertEqual((CloseCode.IDLE_TIMEOUT, "idle_timeout", error), connection.closed)
            self.assertEqual([], connection.pings)

    def test_any_sign(self):
        """
        Any sign of life is enough, and the time starts anew.
        """
        connection = self.connection()
        for _ in range(10):
            self.pass_time(49)
            connection.feel(ANSWERED)
        self.assertIsNone(connection.closed)
        self.assertIsNotNone(self.close_time(connection, 70))

    def test_not_read(self):
        """
        While the server does not read a connection it is not idle.
        """
        connection = self.connection()
        connection.reads = False
        self.pass_time(300)
        self.assertIsNone(connection.closed)


class ReaperTests(LivenessTestCase):
    """
    Clients that are not pinged are closed after 30 seconds of inactivity.
    """

    limits = LivenessLimits(ping_interval=0, ping_timeout=30, idle_timeout=30)

    def test_reaped(self):
        """
        A silent client is told why and closed with 4003.
        """
        connection = self.connection()
        closed = self.close_time(connection)
        self.assertTrue(30 <= closed <= 40, closed)
        text = "Disconnected: no activity received for 30000 ms (server.ping_timeout)"
        error = Told("Error", {"message": text, "error_code": "ACTIVITY_TIMEOUT"})
        self.assertEqual((CloseCode.ACTIVITY_TIMEOUT, "activity_timeout", error), connection.closed)

    def test_any_sign(self):
        """
        Any sign of life is enough.
        """
        connection = self.connection()
        for _ in range(20):
            self.pass_time(19)
            connection.feel(ANSWERED)
        self.assertIsNone(connection.closed)


class ReaperWithPingsTests(LivenessTestCase):
    """
    With pings the limit of inactivity has no meaning.
    """

    limits = LivenessLimits(ping_interval=60, pong_timeout=5, ping_timeout=1, idle_timeout=0)

    def test_not_reaped(self):
        """
        A client that answers pings is kept, however long it is silent between.
        """
        connection = self.connection(delay=0.5)
        self.pass_time(600)
        self.assertIsNone(connection.closed)
        self.assertEqual(9, len(connection.pings))


class NoLimitTests(LivenessTestCase):
    """
    Without any limit clients may be silent for ever.
    """

    limits = LivenessLimits(ping_interval=0, ping_timeout=0, idle_timeout=0)

    def test_kept(self):
        """
        A silent client is neither pinged nor closed.
        """
        connection = self.connection()
        self.pass_time(2000)
        self.assertEqual(([], None), (connection.pings, connection.closed))

    def test_silent(self):
        """
        A look lowers the pulse.
        """
        connection = self.connection()
        self.pass_time(20)
        self.assertEqual(SILENT, connection.pulse)

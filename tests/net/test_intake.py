"""
Tests for the reading side of connections.
"""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.intake import Intake


class Transport:
    """
    Remembers whether it is read.
    """

    def __init__(self):
        self.reads = True

    def pauseProducing(self):
        """
        Read no more.
        """
        self.reads = False

    def resumeProducing(self):
        """
        Read again.
        """
        self.reads = True


class Reader:
    """
    Counts how often it goes on.
    """

    def __init__(self):
        self.transport = Transport()
        self.reads = True
        self.turns = 0

    def consumeData(self):
        """
        Go on.
        """
        self.turns += 1


class IntakeTests(SynchronousTestCase):
    """
    Reasons not to read a connection.
    """

    def setUp(self):
        """
        An open connection.
        """
        self.reader = Reader()
        self.clock = Clock()
        self.intake = Intake(self.reader, self.clock)

    def assert_open(self, is_open):
        """
        The connection is read, or is not.
        """
        self.assertEqual((is_open, is_open), (self.reader.reads, self.reader.transport.reads))

    def test_rest(self):
        """
        Who rests is read again after that time, beginning with what had already been received.
        """
        self.assert_open(True)
        self.intake.rest(2.0)
        self.intake.rest(5.0)
        self.assert_open(False)
        self.clock.advance(1.9)
        self.assert_open(False)
        self.clock.advance(0.1)
        self.assert_open(True)
        self.assertEqual(1, self.reader.turns)

    def test_holders(self):
        """
        Everybody who holds must let go; letting go twice counts once, and of a stranger not at all.
        """
        self.intake.hold("a")
        self.intake.hold("b")
        self.intake.hold("a")
        self.intake.let_go("stranger")
        self.intake.let_go("a")
        self.intake.let_go("a")
        self.clock.advance(0)
        self.assert_open(False)
        self.intake.let_go("b")
        self.assertFalse(self.reader.transport.reads)
        self.clock.advance(0)
        self.assert_open(True)
        self.assertEqual(1, self.reader.turns)

    def test_rest_and_hold(self):
        """
        Neither the end of a rest nor letting go is enough while the other reason lasts.
        """
        self.intake.rest(1.0)
        self.intake.hold("a")
        self.clock.advance(1.0)
        self.assert_open(False)
        self.intake.rest(1.0)
        self.intake.let_go("a")
        self.clock.advance(0.5)
        self.assert_open(False)
        self.clock.advance(0.5)
        self.assert_open(True)

    def test_closed(self):
        """
        A closed connection is not resumed, and leaves no timer behind.
        """
        self.intake.hold("a")
        self.intake.let_go("a")
        self.intake.rest(1.0)
        self.intake.close()
        self.clock.advance(0)
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual((0, False), (self.reader.turns, self.reader.transport.reads))

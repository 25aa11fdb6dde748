"""
Tests for signalfish.net.advisories.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.advisories import Advisories
from signalfish.wire.errors import ErrorCode
from signalfish.wire.outgoing import Undeliverable

SUPPRESSED = "; {} similar advisories suppressed since the last notice"


class AdvisoriesTests(SynchronousTestCase):
    """
    Notices about what a client cannot be given.
    """

    def setUp(self):
        """
        A connection that was told nothing yet.
        """
        self.advisories = Advisories()

    def told(self, now, sender="a", text="problem"):
        """
        The text the client is told; None if it is told nothing.
        """
        notice = self.advisories.about(Undeliverable(sender, text), now)
        return None if notice is None else notice.message.message

    def test_notice(self):
        """
        A notice is an error with the text of the problem.
        """
        message = self.advisories.about(Undeliverable("a", "problem"), 5.0).message
        self.assertEqual("problem", message.message)
        self.assertEqual(ErrorCode.UNSUPPORTED_GAME_DATA_FORMAT, message.error_code)

    def test_once_per_second(self):
        """
        There is one notice per second and sender, and the next one says how many there would be.
        """
        told = [self.told(now) for now in (0.0, 0.1, 0.9, 0.99, 1.0, 1.5, 2.0)]
        self.assertEqual("problem", told[0])
        self.assertEqual([None] * 3, told[1:4])
        self.assertEqual("problem" + SUPPRESSED.format(3), told[4])
        self.assertIsNone(told[5])
        self.assertEqual("problem" + SUPPRESSED.format(1), told[6])

    def test_none_suppressed(self):
        """
        If nothing was suppressed the text is that of the problem alone.
        """
        self.assertEqual(["problem"] * 3, [self.told(now) for now in (0.0, 1.0, 30.0)])

    def test_senders(self):
        """
        Each sender is counted for itself, and the text is that of the latest problem.
        """
        self.assertEqual("problem", self.told(0.0, "a"))
        self.assertEqual("other", self.told(0.1, "b", "other"))
        self.assertIsNone(self.told(0.2, "a"))
        self.assertEqual("other", self.told(1.1, "b", "other"))
        self.assertEqual("new" + SUPPRESSED.format(1), self.told(1.2, "a", "new"))

    def test_memory(self):
        """
        Senders of long ago are forgotten, whether or not anything was suppressed.
        """
        for number in range(1000):
            sender = str(number)
            self.told(number * 1.0, sender)
            self.told(number * 1.0, sender)
        self.assertLess(len(self.advisories._senders), 100)

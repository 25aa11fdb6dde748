"""
The public server and this one are told the same, and answer the same, but for what is listed.
"""

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.transcripts.public import reason_to_skip


class TranscriptTests(SynchronousTestCase):
    """
    All scripts of :mod:`tests.interop.transcripts`.
    """

    skip = reason_to_skip()

    def setUp(self):
        """
        Play all scripts, and print what differs, unless that is done.
        """
        from tests.interop.transcripts import performance

        self.performance = performance
        if not performance.found.cache_info().currsize:
            print(performance.report())  # noqa: T201 - the list is what the run is for

    def test_unexpected(self):
        """
        There is no difference without a reason.
        """
        self.assertEqual([], self.performance.unexpected())

    def test_vanished(self):
        """
        There is no reason without a difference.
        """
        self.assertEqual([], self.performance.vanished())

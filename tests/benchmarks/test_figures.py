"""
Tests for what is computed from what was measured.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.figures import medians, per_connection_and_room, percentile, ratios


class PercentileTests(SynchronousTestCase):
    """
    Percentiles of histograms.
    """

    def test_of_nothing(self):
        """
        Of nothing there is none.
        """
        self.assertIsNone(percentile([], 50))

    def test_of_one(self):
        """
        All percentiles of one value are that value.
        """
        for percent in (0, 50, 99.9, 100):
            self.assertEqual(7, percentile([(7, 1)], percent))

    def test_hundred(self):
        """
        Of the numbers from 1 to 100, the percentile is the number of the same name.
        """
        numbers = [(number, 1) for number in range(1, 101)]
        self.assertEqual(
            [1, 50, 99, 100, 100],
            [percentile(numbers, percent) for percent in (1, 50, 99, 99.9, 100)],
        )

    def test_counts(self):
        """
        A value counts as often as it was seen.
        """
        histogram = [(1.0, 990), (5.0, 9), (80.0, 1)]
        self.assertEqual(
            [1.0, 1.0, 5.0, 80.0],
            [percentile(histogram, percent) for percent in (50, 99, 99.9, 99.95)],
        )

    @given(st.lists(st.integers(0, 50), min_size=1), st.floats(0, 100))
    def test_definition(self, values, percent):
        """
        At least that share of what was seen does not exceed it, and it is the smallest such value.
        """
        histogram = [(value, values.count(value)) for value in sorted(set(values))]
        found = percentile(histogram, percent)
        share = len(values) * percent / 100
        self.assertGreaterEqual(sum(value <= found for value in values), share)
        self.assertLess(sum(value < found for value in values), max(share, 1))


class MediansAndRatiosTests(SynchronousTestCase):
    """
    Several runs, and their comparison.
    """

    def test_medians(self):
        """
        The middle one counts; runs without a figure do not.
        """
        runs = [{"rate": 1.0, "cpu": 4.0}, {"rate": 9.0}, {"rate": 2.0}]
        self.assertEqual({"rate": 2.0, "cpu": 4.0}, medians(runs))

    def test_no_runs(self):
        """
        Of no runs there are no figures.
        """
        self.assertEqual({}, medians([]))

    def test_within_a_repetition(self):
        """
        A run is compared with that of the same repetition, not with a median.
        """
        runs = [{"rate": 10.0}, {"rate": 40.0}, {"rate": 90.0}]
        base = [{"rate": 5.0}, {"rate": 10.0}, {"rate": 15.0}]
        self.assertEqual({"rate": 4.0}, ratios(runs, base))

    def test_nothing_to_compare_with(self):
        """
        What failed, is lacking or is zero is not compared.
        """
        runs = [None, {"rate": 3.0}, {"rate": 6.0, "cpu": 1.0}, {"rate": 8.0}]
        base = [{"rate": 1.0}, None, {"rate": 2.0}, {"rate": 0.0}]
        self.assertEqual({"rate": 3.0}, ratios(runs, base))


class MemoryTests(SynchronousTestCase):
    """
    What connections and rooms take.
    """

    def test_split(self):
        """
        The two unknowns are found from two arrangements.
        """
        connection, room, n, size = 5.0, 3.0, 160, 16
        single = n * connection + n * room
        shared = n * connection + n / size * room
        found = per_connection_and_room(single, shared, n, size)
        self.assertAlmostEqual(connection, found[0])
        self.assertAlmostEqual(room, found[1])

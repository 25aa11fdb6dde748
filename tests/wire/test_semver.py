"""
Tests for signalfish.wire.semver.
"""

import contextlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.semver import precedence

ORDERED = [
    "0.0.0",
    "0.0.1",
    "0.9.0",
    "0.10.0",
    "1.0.0-0",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1-rc",
    "2.1.0",
    "2.1.1",
    "18446744073709551616.0.0",
]
BAD = [
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "v1.2.3",
    " 1.2.3",
    "1.2.3\n",
    "1.2.x",
    "01.2.3",
    "1.02.3",
    "1.2.03",
    "1.2.3-",
    "1.2.3-a..b",
    "1.2.3-01",
    "1.2.3-a.01",
    "1.2.3+",
    "1.2.3+a..b",
    "1.2.3-ä",
    "-1.2.3",
    "\u0661.\u0662.\u0663",
    "1.2.3-" + "a" * 128,
    "9" * 5000 + ".0.0",
]


class PrecedenceTests(SynchronousTestCase):
    """
    Which of two versions is the older one.
    """

    def test_order(self):
        """
        Versions are ordered by number, pre-releases come before what they lead to.
        """
        for older, newer in pairwise(ORDERED):
            self.assertLess(precedence(older), precedence(newer), (older, newer))

    def test_build(self):
        """
        What was built makes no difference.
        """
        for version in ("1.2.3+1", "1.2.3+exp.sha-5114f85.007"):
            self.assertEqual(precedence("1.2.3"), precedence(version))
        self.assertEqual(precedence("1.2.3-a"), precedence("1.2.3-a+b-c"))

    def test_bad(self):
        """
        Everything else is no version.
        """
        for text in BAD:
            self.assertRaises(ValueError, precedence, text)

    @given(st.text(st.sampled_from("019.-+a"), max_size=20), st.text(max_size=5))
    def test_junk(self, start, end):
        """
        Junk is a version, or no version.
        """
        with contextlib.suppress(ValueError):
            precedence(start + end)

"""
Tests for signalfish.net.accounts.
"""

import json
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.accounts import Accounts, LeftOut
from signalfish.wire.accounts import GapReason
from signalfish.wire.gamedata import BinaryData, Origin, TextData
from signalfish.wire.outgoing import encode
from signalfish.wire.types import DeliveryClass, Encoding

ORIGIN = Origin(str(UUID(int=7)), 3)


def data(number, kind=None):
    """
    Some text game data of a class.
    """
    key = 1 if kind is DeliveryClass.LATEST else None
    return TextData(ORIGIN, number, b"1", kind, key)


class AccountsTests(SynchronousTestCase):
    """
    Counts and gaps.
    """

    def setUp(self):
        """
        Nothing was sent yet.
        """
        self.accounts = Accounts()

    def report(self, *gaps):
        """
        What is told about gaps: the counts that are not zero, and the gaps.
        """
        told = json.loads(encode(self.accounts.left_out(gaps), 3))["data"]
        counts = {
            f"{kind}.{name}": number
            for kind, counts in told["per_class"].items()
            for name, number in counts.items()
            if number
        }
        return counts, told["gaps"]

    def test_classes(self):
        """
        Each class has its own count of what was sent; without a class it is reliable.
        """
        for number, kind in enumerate([None, *DeliveryClass, DeliveryClass.VOLATILE]):
            self.accounts.delivered(data(number + 1, kind))
        binary = BinaryData(ORIGIN, 9, b"", Encoding.MESSAGE_PACK)
        self.accounts.delivered(binary)
        gap = LeftOut(binary, 9, GapReason.UNSUPPORTED_FORMAT)
        counts, _ = self.report(gap)
        self.assertEqual(
            {
                "reliable.delivered": 3,
                "reliable.unsupported_format": 1,
                "latest.delivered": 1,
                "volatile.delivered": 2,
            },
            counts,
        )

    def test_gap(self):
        """
        A gap names its sender, both of its ends, and why it is there.
        """
        _, gaps = self.report(LeftOut(data(4), 6, GapReason.UNSUPPORTED_FORMAT))
        expected = {
            "from_player": str(UUID(int=7)),
            "epoch": 3,
            "from_seq": 4,
            "to_seq": 6,
            "reason": "unsupported_format",
        }
        self.assertEqual([expected], gaps)

    def test_reasons(self):
        """
        Counts grow by exactly what the gaps of a report cover, class by class.
        """
        latest, volatile = DeliveryClass.LATEST, DeliveryClass.VOLATILE
        rows = [
            (latest, GapReason.LATEST_SUPERSEDED, "latest.superseded"),
            (latest, GapReason.LATEST_DROPPED_FULL, "latest.dropped_full"),
            (latest, GapReason.UNSUPPORTED_FORMAT, "latest.unsupported_format"),
            (volatile, GapReason.VOLATILE_DROPPED, "volatile.dropped"),
            (volatile, GapReason.UNSUPPORTED_FORMAT, "volatile.unsupported_format"),
            (None, GapReason.UNSUPPORTED_FORMAT, "reliable.unsupported_format"),
        ]
        gaps = [
            LeftOut(data(10, kind), 9 + size, reason)
            for size, (kind, reason, _) in enumerate(rows, 1)
        ]
        counts, told = self.report(*gaps)
        expected = {name: size for size, (_, _, name) in enumerate(rows, 1)}
        self.assertEqual(expected, counts)
        self.assertEqual([gap.last for gap in gaps], [gap["to_seq"] for gap in told])
        again, _ = self.report(*gaps)
        self.assertEqual({name: 2 * size for name, size in expected.items()}, again)

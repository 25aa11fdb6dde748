"""
Tests for :mod:`signalfish.wire.types`.
"""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.types import (
    DeliveryClass,
    Encoding,
    Form,
    LobbyState,
    RelayTransport,
    SpectatorReason,
    Topology,
    Transport,
    rfc3339,
)
from tests.strategies import examples


class TokenTests(SynchronousTestCase):
    """
    The tokens of the protocol.
    """

    def test_tokens(self):
        """
        Every enumeration has exactly the tokens of the protocol.
        """
        expected = {
            DeliveryClass: "reliable latest volatile",
            Encoding: "json message_pack rkyv protobuf",
            LobbyState: "waiting lobby finalized",
            RelayTransport: "tcp udp websocket auto",
            SpectatorReason: "joined voluntary_leave disconnected removed room_closed",
            Topology: "relay host mesh",
            Transport: "relay direct webrtc",
        }
        for tokens, words in expected.items():
            self.assertEqual(words.split(), [str(token) for token in tokens])


class FormTests(SynchronousTestCase):
    """
    What recipients have in common.
    """

    def test_equal(self):
        """
        Forms are equal and interchangeable as keys if both parts are equal.
        """
        forms = {Form(version, encoding) for version in (2, 3, 2) for encoding in Encoding}
        self.assertEqual(2 * len(Encoding), len(forms))


class TimeTests(SynchronousTestCase):
    """
    Wall-clock times.
    """

    def test_vectors(self):
        """
        Times are UTC, with six digits of fraction even if they are zero.
        """
        self.assertEqual("1970-01-01T00:00:00.000000Z", rfc3339(0))
        self.assertEqual("2001-09-09T01:46:40.000000Z", rfc3339(1_000_000_000))
        self.assertEqual("2031-05-17T20:04:31.250000Z", rfc3339(1936814671.25))
        self.assertEqual("2024-02-29T23:59:59.999999Z", rfc3339(1709251199.999999))

    @examples(100)
    @given(st.floats(0, 4e9))
    def test_any(self, seconds):
        """
        Any time has the one form, and means what it was made of, to a microsecond.
        """
        text = rfc3339(seconds)
        self.assertTrue(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text), text)
        expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        self.assertLessEqual(abs(datetime.fromisoformat(text) - expected).total_seconds(), 1e-6)

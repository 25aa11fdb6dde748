"""
Tests for :mod:`signalfish.wire.frames`.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from signalfish.wire.frames import binary_frame, text_frame
from tests.strategies import examples

BOUNDARIES = [0, 1, 124, 125, 126, 127, 255, 256, 65534, 65535, 65536, 65537, 1 << 20]


def read(stream):
    """
    The frames in a stream of bytes, as an independent WebSocket client reads them.
    """
    client = Protocol(Side.CLIENT, state=OPEN, max_size=None)
    client.receive_data(stream)
    if client.parser_exc is not None:
        raise client.parser_exc
    return client.events_received()


class FrameTests(SynchronousTestCase):
    """
    Every client reads what was framed.
    """

    def test_boundaries(self):
        """
        Payloads around the limits of each length form arrive whole.
        """
        for length in BOUNDARIES:
            payload = b"\x5a" * length
            self.assertEqual([Frame(Opcode.TEXT, payload)], read(text_frame(payload)), length)
            self.assertEqual([Frame(Opcode.BINARY, payload)], read(binary_frame(payload)), length)

    def test_shortest_form(self):
        """
        The length has the shortest of its three forms, as the standard demands.
        """
        for length in BOUNDARIES:
            extra = 0 if length <= 125 else 2 if length <= 65535 else 8
            for frame in (text_frame(bytes(length)), binary_frame(bytes(length))):
                self.assertEqual(2 + extra + length, len(frame), length)

    def test_first_byte(self):
        """
        A frame is final, has no reserved bit, and says whether it is text or binary.
        """
        self.assertEqual(b"\x81\x02hi", text_frame(b"hi"))
        self.assertEqual(b"\x82\x02hi", binary_frame(b"hi"))

    def test_no_parts(self):
        """
        Nothing at all is an empty message.
        """
        self.assertEqual(b"\x81\x00", text_frame())
        self.assertEqual(b"\x82\x00", binary_frame())

    @examples(100)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([(text_frame, Opcode.TEXT), (binary_frame, Opcode.BINARY)]),
                st.lists(st.sampled_from(BOUNDARIES[:-1]).map(bytes), max_size=3),
            ),
            max_size=3,
        )
    )
    def test_stream(self, messages):
        """
        Parts are joined, and messages on one stream stay apart.
        """
        stream = b"".join(frame(*parts) for (frame, _), parts in messages)
        expected = [Frame(opcode, b"".join(parts)) for (_, opcode), parts in messages]
        self.assertEqual(expected, read(stream))

"""
Tests for signalfish.net.whole: the short way leads where the parser's way leads.
"""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Frame, Opcode
from websockets.utils import apply_mask

from signalfish.net.whole import WholeMessages
from tests.net.fakes import Server, said
from tests.strategies import examples

LIMIT = 500  # bytes of a message; twice as many in a frame end the connection

sizes = st.sampled_from([0, 1, 2, 125, 126, 127, 300, 999, 1000, 1001, 5000, 65535, 65536])
payloads = st.one_of(
    st.just(said("Ping")),
    st.sampled_from([b"", b"{", b"\xff", said("Ping", {"a": "\N{SNOWMAN}" * 20})]),
    sizes.map(lambda size: b"x" * size),
)


mostly = st.sampled_from([True] * 20 + [False])
masks = st.sampled_from([b"\0\0\0\0", b"\1\2\3\4", b"\xff\0\xf0\x0f"])
opcodes = st.sampled_from([1] * 20 + [2] * 5 + [9, 10] * 2 + [0] * 3 + [3, 8, 11])


@st.composite
def frames(draw):
    """
    A frame of a client; mostly a good one.
    """
    opcode = draw(opcodes)
    payload = b"\x03\xe8" if opcode == 8 else draw(payloads)
    fin, minimal, reserved = draw(mostly), draw(mostly), not draw(mostly)
    head = bytes([fin << 7 | reserved << 6 | opcode])
    masked = draw(mostly) << 7
    if len(payload) < 126 and minimal:
        head += bytes([masked | len(payload)])
    elif len(payload) < 1 << 16 and (minimal or len(payload) < 126):
        head += bytes([masked | 126]) + len(payload).to_bytes(2)
    else:
        head += bytes([masked | 127]) + len(payload).to_bytes(8)
    mask = draw(masks)
    return head + mask + apply_mask(payload, mask) if masked else head + payload


streams = st.lists(frames(), min_size=1, max_size=8)
cuts = st.lists(st.integers(1, 2000), max_size=30)


class WholeMessagesTests(SynchronousTestCase):
    """
    What becomes of bytes of all kinds, however they arrive.
    """

    def outcome(self, pieces, rests=()):
        """
        What a conversation and its client got to know.

        :param rests: which messages make the server rest for a second.
        """
        server = Server(max_message_size=LIMIT)
        client, receiver = server.open()

        times = []

        def act(message):
            times.append(server.reactor.seconds())
            if len(receiver.messages) in rests:
                receiver.link.rest(1.0)

        receiver.act = act
        heard = []
        for piece in pieces:
            if client.socket.lost is None:
                client.socket.receive(piece)
            server.reactor.advance(0)
            heard += self.frames(client)
        for _ in range(len(rests) + 2):
            server.reactor.advance(1)
            client.socket.turn()
            heard += self.frames(client)
        received = server.factory.traffic.messages_received
        return receiver.events, times, heard, client.closed(), received

    def frames(self, client):
        """
        The frames that a client has got.
        """
        return [(frame.opcode, frame.data) for frame in client.frames()]

    def pieces(self, stream, cuts):
        """
        A stream, cut into pieces.
        """
        data = b"".join(stream)
        for cut in cuts:
            yield data[:cut]
            data = data[cut:]
        yield data

    @given(streams, cuts, st.sets(st.integers(1, 5), max_size=2))
    @examples(300)
    def test_law(self, stream, cuts, rests):
        """
        Nobody can tell whether messages took the short way.
        """
        short = self.outcome(self.pieces(stream, cuts), rests)
        patch = self.patch(WholeMessages, "_take_whole_messages", lambda protocol: True)
        try:
            parsed = self.outcome(self.pieces(stream, cuts), rests)
        finally:
            patch.restore()
        self.assertEqual(parsed, short)

    def test_short_way(self):
        """
        Messages do take the short way, also when the end of one comes with the beginning of others.
        """
        self.patch(WholeMessages.__mro__[1], "processData", None)  # the parser
        message = Frame(Opcode.TEXT, said("Ping")).serialize(mask=True)
        stream = message * 10
        for size in (1, 7, len(message), 50, len(stream)):
            server = Server()
            client, receiver = server.open()
            for start in range(0, len(stream), size):
                client.socket.receive(stream[start : start + size])
            self.assertEqual(10, len(receiver.messages), size)

    def test_large_pieces(self):
        """
        A large message that arrives in pieces is left to the parser, and what follows is not.
        """
        server = Server()
        client, receiver = server.open()
        stream = Frame(Opcode.BINARY, bytes(60_000)).serialize(mask=True)
        stream += Frame(Opcode.TEXT, said("Ping")).serialize(mask=True) * 2
        for start in range(0, len(stream), 1000):
            client.socket.receive(stream[start : start + 1000])
        self.assertEqual(3, len(receiver.messages))
        self.assertEqual(b"", receiver.link.data)

    def test_without_extension(self):
        """
        The library unmasks without its C extension too.
        """
        self.assertEqual(b"\x01\x03\x01\x03\x02", apply_mask(b"\0\1\2\3\3", b"\1\2\3\0"))

"""
Tests for :mod:`signalfish.wire.transcode`.
"""

import json
import tracemalloc
from struct import pack

import msgpack
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.transcode import Inconvertible, json_from_message_pack
from tests.strategies import examples, json_values, junk, message_packs

SCALARS = (type(None), bool, int, str)


def converted(payload):
    """
    A payload as JSON, parsed; None if there is no JSON for it.
    """
    try:
        return [json.loads(json_from_message_pack(payload))]
    except Inconvertible:
        return None


def plain(value, levels=125):
    """
    A MessagePack value as JSON can say it.

    :raises ValueError: if it cannot.
    """
    match value:
        case float():
            return value if value - value == 0 else None
        case list() if levels:
            return [plain(item, levels - 1) for item in value]
        case dict() if levels and all(isinstance(key, str) for key in value):
            return {key: plain(item, levels - 1) for key, item in value.items()}
        case _ if isinstance(value, SCALARS):
            return value
    raise ValueError(value)


def model(payload):
    """
    What :func:`converted` should say, by way of Python values.
    """
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(payload)
    try:
        return [plain(unpacker.unpack())]
    except (ValueError, TypeError, msgpack.OutOfData):
        return None


class ConversionTests(SynchronousTestCase):
    """
    What converts, and to what.
    """

    def test_vectors(self):
        """
        Every kind of value that JSON has too converts to it, whatever its form.
        """
        for payload, text in [
            ("c0", "null"),
            ("c2", "false"),
            ("c3", "true"),
            ("00", "0"),
            ("7f", "127"),
            ("e0", "-32"),
            ("cc ff", "255"),
            ("cd 0001", "1"),
            ("cf ffffffffffffffff", "18446744073709551615"),
            ("d0 80", "-128"),
            ("d3 8000000000000000", "-9223372036854775808"),
            ("cb 3ff8000000000000", "1.5"),
            ("cb 8000000000000000", "-0.0"),
            ("cb 7fefffffffffffff", "1.7976931348623157e308"),
            ("cb 0000000000000001", "5e-324"),
            ("ca 3dcccccd", "0.10000000149011612"),
            ("a0", '""'),
            ("d9 02 c3a9", '"é"'),
            ("da 0001 22", r'"\""'),
            ("db 00000001 00", r'"\u0000"'),
            ("90", "[]"),
            ("dc 0001 01", "[1]"),
            ("dd 00000001 90", "[[]]"),
            ("80", "{}"),
            ("de 0001 a162 02", '{"b":2}'),
            ("df 00000002 a162 02 a161 c0", '{"b":2,"a":null}'),
        ]:
            self.assertEqual(text, json_from_message_pack(bytes.fromhex(payload)).decode(), payload)

    def test_not_finite(self):
        """
        NaN and the infinities become null.
        """
        for number in (float("nan"), float("inf"), float("-inf")):
            self.assertEqual(b"null", json_from_message_pack(pack("!Bd", 0xCB, number)))
            self.assertEqual(b"null", json_from_message_pack(pack("!Bf", 0xCA, number)))

    def test_rest_is_ignored(self):
        """
        Bytes after the first value do not matter.
        """
        for rest in (b"\x02", b"\xc1", b"\xc4\x01", b"\xdd\xff\xff\xff\xff", bytes(1000)):
            self.assertEqual(b"[1]", json_from_message_pack(b"\x91\x01" + rest))

    @examples(300)
    @given(message_packs(), st.sampled_from([b"", b"\xc1", b"rest"]))
    def test_values(self, pair, rest):
        """
        The value stays the same, to the last bit and member, in whatever form it was packed.
        """
        value, payload = pair
        self.assertEqual(repr([value]), repr(converted(payload + rest)))

    @examples(100)
    @given(json_values)
    def test_usual_encoder(self, value):
        """
        The output of the usual encoder converts.
        """
        self.assertEqual(repr([value]), repr(converted(msgpack.packb(value))))

    @examples(100)
    @given(st.floats(width=32, allow_nan=False, allow_infinity=False))
    def test_short_floats(self, number):
        """
        A float of 32 bits keeps its value.
        """
        self.assertEqual(repr([number]), repr(converted(pack("!Bf", 0xCA, number))))


class InconvertibleTests(SynchronousTestCase):
    """
    What does not convert.
    """

    def reason(self, payload):
        """
        Why a payload does not convert, inside of other values too.
        """
        for around in (b"", b"\x91", b"\x92\xc0", b"\x81\xa1k", b"\x82\xa1j\x01\xa1k\x91"):
            self.assertRaises(Inconvertible, json_from_message_pack, around + payload)
        return str(self.assertRaises(Inconvertible, json_from_message_pack, payload))

    def test_binary(self):
        """
        Binary strings do not convert.
        """
        for payload in (b"\xc4\x00", b"\xc4\x01a", b"\xc5\x00\x01a", b"\xc6\x00\x00\x00\x01a"):
            self.assertEqual("a binary string has no JSON equivalent", self.reason(payload))

    def test_extensions(self):
        """
        Extension types do not convert, timestamps included.
        """
        for code, payload in [
            (1, b"\xd4\x01x"),
            (5, b"\xc7\x00\x05"),
            (-2, b"\xd5\xfexx"),
            (-1, b"\xd6\xff\x00\x00\x00\x01"),
            (-1, b"\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x01"),
            (-1, b"\xc7\x0c\xff" + bytes(12)),
        ]:
            text = "Timestamp" if code == -1 else f"extension type {code} has no JSON equivalent"
            self.assertIn(text, self.reason(payload))

    def test_malformed_timestamps(self):
        """
        Nor do timestamps that are none.
        """
        for payload in (b"\xd4\xff1", b"\xd7\xff" + b"\xff" * 8, b"\xc7\x03\xff123"):
            self.assertTrue(self.reason(payload))

    def test_keys(self):
        """
        Maps with keys other than strings do not convert.
        """
        for key in (b"\x01", b"\xc0", b"\xc3", b"\xc4\x01a", b"\x90", b"\x80", b"\xcb" + bytes(8)):
            self.assertIn("key", self.reason(b"\x81" + key + b"\x01"))
            self.assertIn("key", self.reason(b"\x82\xa1a\x01" + key + b"\x01"))

    def test_text(self):
        """
        Strings that are not UTF-8 do not convert, surrogates included.
        """
        for text in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"):
            self.assertIn("utf-8", self.reason(bytes([0xA0 | len(text)]) + text))

    def test_truncated(self):
        """
        An empty or incomplete payload does not convert.
        """
        whole = b"\x83\xa1a\x92\xcd\x01\x02\xc3\xa1b\xd9\x02xy\xa1c\xcb" + bytes(8)
        self.assertIsNotNone(converted(whole))
        for end in range(len(whole)):
            self.assertIsNone(converted(whole[:end]), end)

    def test_absurd_lengths(self):
        """
        A length beyond the end of the payload costs no memory and does not convert.
        """
        for head in (0xC6, 0xC9, 0xDB, 0xDD, 0xDF):
            self.assertIsNone(converted(bytes([head]) + b"\xff\xff\xff\xff"))

    def test_levels(self):
        """
        125 levels convert, so that the message around them has 127; more do not.
        """
        for opening in (b"\x91", b"\x81\xa1a"):
            self.assertIsNotNone(converted(opening * 125 + b"\xc0"))
            for count in (126, 127, 128, 511, 1023, 1024, 1025, 30000):
                self.assertIsNone(converted(opening * count + b"\xc0"), count)

    def test_reserved_byte(self):
        """
        The byte that MessagePack never uses does not convert.
        """
        self.assertTrue(self.reason(b"\xc1"))


class JunkTests(SynchronousTestCase):
    """
    Whatever the payload is, there is JSON for it or a reason why not.
    """

    def agrees(self, payload):
        """
        The conversion says what the model says.
        """
        self.assertEqual(repr(model(payload)), repr(converted(payload)), payload)

    @examples(300)
    @given(junk)
    def test_bytes(self, payload):
        """
        Any bytes convert to valid JSON or are inconvertible.
        """
        self.agrees(payload)

    @examples(300)
    @given(message_packs(), st.data())
    def test_damaged(self, pair, data):
        """
        So do the bytes of a value after some of them were changed.
        """
        payload = bytearray(pair[1])
        for _ in range(data.draw(st.integers(1, 3))):
            payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
        self.agrees(bytes(payload))

    @examples(100)
    @given(st.integers(0, 300), st.sampled_from([b"\x91", b"\x81\xa1a", b"\x92\x91\x01"]), junk)
    def test_deep(self, count, opening, inside):
        """
        So do values in many others.
        """
        self.agrees(opening * count + inside)


class HostileTests(SynchronousTestCase):
    """
    Payloads that claim much more than they hold.
    """

    def test_claimed_lengths(self):
        """
        Nested lengths that cannot be true are refused before memory is reserved for them.
        """
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        payload = (b"\xdc\xff\xff" * 900).ljust(65536, b"\xc1")
        self.assertRaises(Inconvertible, json_from_message_pack, payload)
        self.assertLess(tracemalloc.get_traced_memory()[1], 16 << 20)

    def test_colliding_keys(self):
        """
        Keys that are no strings are refused before they are compared with each other.
        """
        keys = b"".join(b"\x92\x00" + bytes([0xCD]) + pack("!H", n) + b"\xc0" for n in range(9000))
        payload = b"\xde" + pack("!H", 9000) + keys
        self.assertRaises(Inconvertible, json_from_message_pack, payload)

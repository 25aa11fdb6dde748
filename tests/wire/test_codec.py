"""
Tests for :mod:`signalfish.wire.codec`.
"""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.client import BinaryGameData, Ping, TextMessage
from signalfish.wire.codec import decode_binary, decode_connection_info, decode_text
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.types import (
    CustomInfo,
    DirectInfo,
    RelayInfo,
    RelayTransport,
    UnityRelayInfo,
    WebRTCInfo,
)
from tests.strategies import client_messages, examples, json_texts, json_values

AMPLE = 1 << 20
HALVES = [r"\ud800", r"\udfff", r"\ude00\ud83d", r"\ud83d\ud83d", r"\ud83d\u0020"]
NUMBERS = ["1e400", "-1e400", "9" * 309, "1" + "0" * 400, "1.8e308"]


def game_data(value):
    """
    The text of a GameData with some value.
    """
    return b'{"type":"GameData","data":{"data":%s}}' % value.encode()


def relayed(value):
    """
    The bytes that would be relayed for a game data value.
    """
    return bytes(decode_text(game_data(value), AMPLE).data.data)


class RefusingTestCase(SynchronousTestCase):
    """
    Tests of what cannot be decoded.
    """

    def refuses(self, decode, *arguments):
        """
        Decoding is refused as malformed, with a text that is returned.
        """
        refusal = self.assertRaises(Refusal, decode, *arguments)
        self.assertEqual(ErrorCode.INVALID_INPUT, refusal.code)
        self.assertIsNone(refusal.close)
        return refusal.text


class TextTests(RefusingTestCase):
    """
    Text frames as a whole.
    """

    def test_size(self):
        """
        A message may be as large as the limit, in bytes, and not larger.
        """
        text = '{"type":"Ping","é":1}'.encode()
        self.assertEqual(Ping(), decode_text(text, len(text)))
        refusal = self.assertRaises(Refusal, decode_text, text, len(text) - 1)
        self.assertEqual(ErrorCode.MESSAGE_TOO_LARGE, refusal.code)
        self.assertEqual("Message too large (22 bytes, max 21 bytes)", refusal.text)

    def test_size_before_content(self):
        """
        What is too large is not looked at.
        """
        refusal = self.assertRaises(Refusal, decode_text, b"\xff" * 10, 9)
        self.assertEqual(ErrorCode.MESSAGE_TOO_LARGE, refusal.code)

    def test_blanks(self):
        """
        Blanks around and inside of the message do not matter.
        """
        text = b' \r\n\t{ "type" : "Ping" , "data" : { } } \n'
        self.assertIsInstance(decode_text(text, AMPLE), Ping)

    def test_not_utf8(self):
        """
        Bytes that are not UTF-8 are a fault of the connection, wherever they are.
        """
        for bad in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"):
            for text in (
                b'{"type":"Ping","x":"%s"}',
                b'{"type":"Ping","%s":1}',
                b'{"type":"GameData","data":{"data":"%s"}}',
                b'{"type":"GameData","data":{"data":{"%s":1}}}',
                b'{"type":"ProvideConnectionInfo","data":{"connection_info":"%s"}}',
                b'{"type":"%s"}',
                b"%s",
                b'{"type":"Ping"}%s',
            ):
                self.assertRaises(UnicodeDecodeError, decode_text, text % bad, AMPLE)

    def test_not_json(self):
        """
        Text that is not exactly one JSON value is malformed.
        """
        for text in (
            "",
            " ",
            "{",
            '{"type":"Ping"',
            '{"type":"Ping"}}',
            '{"type":"Ping"}{"type":"Ping"}',
            '{"type":"Ping"}\0',
            '\ufeff{"type":"Ping"}',
            '{"type":"Ping",}',
            "{'type':'Ping'}",
            '{type:"Ping"}',
            '{"type":"Pi\nng"}',
            '{"type":"Ping","x":\u00a01}',
            '{"type":"Ping"} // hello',
        ):
            self.refuses(decode_text, text.encode(), AMPLE)

    def test_deep_junk(self):
        """
        No depth of anything is too much for the decoder.
        """
        for opening in (b"[", b'{"a":', b'{"type":', b'{"type":"Ping","data":{"x":', b"[{}, "):
            for count in (100, 1000, 10000, 100000):
                text = opening * count
                self.refuses(decode_text, text, AMPLE * 10)
                self.refuses(decode_text, b'{"type":"GameData","data":{"data":' + text, AMPLE * 10)

    def test_malformed_unknown_members(self):
        """
        What is ignored still has to be JSON.
        """
        for value in (
            "01",
            "1.",
            "tru",
            "[1,]",
            '{"a"}',
            '"\\q"',
            '"\x01"',
            "NaN",
            "'x'",
            r'"\ud800"',
        ):
            text = f'{{"type":"Ping","unknown":{value}}}'
            self.refuses(decode_text, text.encode(), AMPLE)


class GameDataTests(RefusingTestCase):
    """
    Values on their way through.
    """

    def test_as_received(self):
        """
        A value passes byte for byte.
        """
        for value in (
            "null",
            "-0",
            "1E2",
            "1e-7",
            "1.10",
            "100.000000000000000000001",
            "18446744073709551615",
            "-9223372036854775808",
            "123456789012345678901234567890",
            "3.14159265358979323846264338327950288419716939937510",
            r'"\u0041\/\ud83d\uDE00\u0000"',
            '"é😀\u2028\x7f"',
            '{"b" : 1,\n\t"a":[ ] , "b":2}',
            '""',
            "[" * 125 + "]" * 125,
        ):
            self.assertEqual(value.encode(), relayed(value))

    def test_outer_blanks(self):
        """
        Blanks around the value are not part of it.
        """
        self.assertEqual(b"[ 1 ]", relayed(" \n [ 1 ]\t "))

    def test_last_value_counts(self):
        """
        Of two values the last one passes, and is the one that is checked.
        """
        self.assertEqual(b"2", relayed('1,"data":2'))
        self.refuses(relayed, '1,"data":1e400')

    def test_numbers(self):
        """
        Numbers that no double can hold are refused, at any depth.
        """
        for number in NUMBERS:
            for value in (number, f"[1,{number}]", f'{{"a":[{{"b":{number}}}]}}'):
                self.assertIn("out of range", self.refuses(relayed, value))

    def test_surrogates(self):
        """
        Half a surrogate pair is refused, in strings and in keys.
        """
        for half in HALVES:
            for value in (f'"{half}"', f'["é{half}"]', f'{{"{half}":1}}', f'{{"a":"{half}é"}}'):
                self.refuses(relayed, value)

    def test_levels(self):
        """
        With the message around it a value has at most 127 levels.
        """
        for opening, closing in ("[]", ('{"a":', "}"), ('["[",', "]")):
            value = opening * 125 + "1" + closing * 125
            self.assertEqual(value.encode(), relayed(value))
            text = self.refuses(relayed, opening + value + closing)
            self.assertEqual("Value is nested more than 125 levels deep", text)

    def test_malformed(self):
        """
        A value has to be JSON.
        """
        for value in (
            "",
            "01",
            "+1",
            ".5",
            "1.",
            "1e",
            "-",
            "tru",
            "NaN",
            "Infinity",
            "[1,]",
            "[1 2]",
        ):
            self.refuses(relayed, value)
        for value in ('"\\q"', '"\n"', '"\\u12"', '{"a":1,}', "{1:2}", '{"a"}', "'a'", "1 1", "//"):
            self.refuses(relayed, value)

    @examples(200)
    @given(json_texts())
    def test_any(self, value):
        """
        Whatever its spelling, a value passes byte for byte.
        """
        self.assertEqual(value.encode(), relayed(value))


class BinaryTests(SynchronousTestCase):
    """
    Binary frames.
    """

    def test_any_bytes(self):
        """
        The payload is taken as it is, even if it is empty.
        """
        for payload in (b"", b"\x00", b"\xc1", bytes(range(256))):
            self.assertEqual(BinaryGameData(payload), decode_binary(payload, 256))

    def test_size(self):
        """
        A payload over the limit is refused, with the limit.
        """
        refusal = self.assertRaises(Refusal, decode_binary, bytes(257), 256)
        self.assertEqual(ErrorCode.MESSAGE_TOO_LARGE, refusal.code)
        self.assertEqual("Binary payload exceeded maximum size (256 bytes)", refusal.text)


class ConnectionInfoTests(RefusingTestCase):
    """
    Connection info.
    """

    def test_kinds(self):
        """
        Every kind has its members; optional ones may be null or absent.
        """
        relay = '"type":"relay","host":"h","port":65535,"allocation_id":"a","token":"t"'
        for text, expected in [
            ('{"type":"direct","host":"::1","port":0}', DirectInfo("::1", 0)),
            (
                '{"type":"unity_relay","allocation_id":"a","connection_data":"b","key":"c"}',
                UnityRelayInfo("a", "b", "c"),
            ),
            (f"{{{relay}}}", RelayInfo("h", 65535, "a", "t", RelayTransport.AUTO, UNSET)),
            (f'{{{relay},"client_id":null}}', RelayInfo("h", 65535, "a", "t")),
            (
                f'{{{relay},"client_id":0,"transport":"tcp"}}',
                RelayInfo("h", 65535, "a", "t", RelayTransport.TCP, 0),
            ),
            ('{"type":"webrtc","ice_candidates":[]}', WebRTCInfo([], None)),
            ('{"type":"webrtc","sdp":null,"ice_candidates":[]}', WebRTCInfo([], None)),
            ('{"type":"webrtc","sdp":"v","ice_candidates":["x"]}', WebRTCInfo(["x"], "v")),
        ]:
            with_more = text[:-1] + ',"unknown":[1]}'
            self.assertEqual(expected, decode_connection_info(text.encode()))
            self.assertEqual(expected, decode_connection_info(with_more.encode()))

    def test_custom(self):
        """
        Custom data is kept byte for byte, null included.
        """
        for value in ("null", "1E2", '{ "b":1, "a":"\\u0061" }', "18446744073709551616"):
            text = f'{{"type":"custom","data":{value}}}'.encode()
            info = decode_connection_info(text)
            self.assertIsInstance(info, CustomInfo)
            self.assertEqual(value.encode(), bytes(info.data))
            self.assertEqual(json.loads(text), json.loads(msgspec.json.encode(info)))
            self.assertIn(value.encode(), msgspec.json.encode(info))

    def test_custom_that_cannot_be_decoded(self):
        """
        Custom data obeys the rules of game data.
        """
        for value in [*NUMBERS, *(f'["{half}"]' for half in HALVES)]:
            self.refuses(decode_connection_info, f'{{"type":"custom","data":{value}}}'.encode())

    def test_custom_levels(self):
        """
        Custom data has at most 118 levels, since it is passed on deeper inside of messages.
        """
        for levels, fine in ((118, True), (119, False)):
            text = f'{{"type":"custom","data":{"[" * levels}{"]" * levels}}}'.encode()
            if fine:
                self.assertIsInstance(decode_connection_info(text), CustomInfo)
            else:
                self.refuses(decode_connection_info, text)

    def test_mistakes(self):
        """
        Unknown kinds, missing members, wrong types and bad ports are refused.
        """
        for text in (
            "null",
            "1",
            '"direct"',
            "[]",
            "{}",
            '{"type":"carrier_pigeon"}',
            '{"type":null}',
            '{"host":"h","port":1}',
            '{"type":"direct","host":"h"}',
            '{"type":"direct","port":1}',
            '{"type":"direct","host":"h","port":65536}',
            '{"type":"direct","host":"h","port":-1}',
            '{"type":"direct","host":"h","port":"1"}',
            '{"type":"direct","host":"h","port":1.0}',
            '{"type":"direct","host":null,"port":1}',
            r'{"type":"direct","host":"\ud800","port":1}',
            '{"type":"unity_relay","allocation_id":"a","connection_data":"b"}',
            '{"type":"relay","host":"h","port":1,"allocation_id":"a"}',
            '{"type":"relay","host":"h","port":1,"allocation_id":"a","token":"t","transport":"x"}',
            '{"type":"relay","host":"h","port":1,"allocation_id":"a","token":"t","client_id":-1}',
            '{"type":"webrtc","sdp":"v"}',
            '{"type":"webrtc","ice_candidates":[1]}',
            '{"type":"webrtc","ice_candidates":null}',
            '{"type":"webrtc","sdp":1,"ice_candidates":[]}',
            '{"type":"custom"}',
        ):
            self.refuses(decode_connection_info, text.encode())

    @examples(100)
    @given(json_texts(hostile=True))
    def test_any(self, value):
        """
        Any JSON is connection info or refused.
        """
        for text in (value, f'{{"type":"custom","data":{value}}}'):
            try:
                self.assertIsInstance(decode_connection_info(text.encode()), Struct)
            except Refusal as refusal:
                self.assertEqual(ErrorCode.INVALID_INPUT, refusal.code)


# ---------------------------------------------------------------------------------------------
# Junk
# ---------------------------------------------------------------------------------------------

spoilers = (
    json_values
    | st.sampled_from([2**31, 2**63, 2**64, 10**40, -(10**40), -1, 256, 65536, 0.5, 1e300])
    | st.sampled_from(["", "Ping", "latest", "json", "\ud800", "\0", "x" * 300])
    | st.integers(1, 400).map(lambda count: json.loads("[" * count + "]" * count))
)


@st.composite
def spoiled(draw, value):
    """
    A JSON value with one place replaced, removed or filled.
    """
    if not value or not isinstance(value, dict | list) or draw(st.integers(0, 3)) == 0:
        return draw(spoilers)
    changed = value.copy()
    place = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    match draw(st.integers(0, 4)):
        case 0:
            del changed[place]
        case 1 if isinstance(value, dict):
            changed[draw(st.text(max_size=3))] = draw(spoilers)
        case _:
            changed[place] = draw(spoiled(value[place]))
    return changed


class JunkTests(SynchronousTestCase):
    """
    Whatever arrives, the outcome is a message, a refusal or the end of the connection.
    """

    def survives(self, text):
        """
        Decoding returns a message, refuses it or finds that it is not UTF-8.
        """
        try:
            found = decode_text(text, AMPLE)
        except Refusal as refusal:
            self.assertEqual(ErrorCode.INVALID_INPUT, refusal.code)
            refusal.text.encode()
            text.decode()
        except UnicodeDecodeError:
            self.assertRaises(UnicodeDecodeError, text.decode)
        else:
            self.assertIsInstance(found, TextMessage)
            self.assertEqual(type(found).__name__, json.loads(text)["type"])

    @examples(300)
    @given(st.binary(max_size=64) | st.text('{}[]":,\\u\ue000 typedaPing019.eE-+', max_size=64))
    def test_bytes(self, text):
        """
        Any bytes at all.
        """
        self.survives(text if isinstance(text, bytes) else text.encode())

    @examples(300)
    @given(client_messages.flatmap(spoiled), st.booleans())
    def test_spoiled_members(self, value, ascii_only):
        """
        Messages with something wrong, missing or superfluous somewhere.
        """
        text = json.dumps(value, ensure_ascii=ascii_only)
        self.survives(text.encode(errors="surrogatepass"))

    @examples(300)
    @given(client_messages, st.data())
    def test_spoiled_bytes(self, value, data):
        """
        Messages with bytes changed, inserted or cut off.
        """
        text = bytearray(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, len(text)))
            end = data.draw(st.sampled_from([place, place + 1, len(text)]))
            text[place:end] = data.draw(
                st.sampled_from(b'"\\{}[],:019eE-.\x00\x80\xff').map(chr)
            ).encode("latin-1")
        self.survives(bytes(text))

    @examples(200)
    @given(json_texts(hostile=True), st.integers(0, 200))
    def test_hostile_values(self, value, count):
        """
        Game data with numbers, strings and depths that nobody should send.
        """
        self.survives(game_data("[" * count + value + "]" * count))

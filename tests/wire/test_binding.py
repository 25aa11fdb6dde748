"""
Tests for signalfish.wire.binding.
"""

import hmac
import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import msgpack
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from signalfish.wire.binding import (
    SCHEME,
    Binding,
    canonical,
    derive_key,
    parse,
    seed,
)
from signalfish.wire.client import BinaryGameData, GameData, Ping
from signalfish.wire.errors import CloseCode, ErrorCode, Refusal

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "security.rst"

HANDSHAKE_KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
NONCE = bytes(range(32))
KEY = bytes.fromhex("abb5860d3be9f16fad2763e718d0e9a038b7196fd136f24d62cb3ab6fc631da7")
FINGERPRINT = "1376a851f01e89a6b4784fefcd761ec41187b7a5de02da57b764d9d920cf7107"
LIMIT = 65536
END = (CloseCode.NORMAL, "unregistered")
SAFE = 2**53 - 1

TEXT_VECTOR = '{"zzz":{"y":2,"x":"é"},"type":"Ping","aaa":[3,1]}'.encode()
TEXT_SIGNATURE = "HobFBjbmzHgNF/QoXXFpqNy5s4/InE7+tCYO56+Dqig="
TEXT_SIGNATURE_AS = "ZePx0eOhnmuxltBuDBDRU8/aTGKinf456NapU8j981s="
BINARY_VECTOR = bytes.fromhex("81a46461746101")
BINARY_SIGNATURE = "7/4RSNk/Euc4JnPJqlrMVDqp1l8oLXl+A8jAqDZIt1A="
BINARY_SIGNATURE_AS = "eRIzy6r7HrNaPoBMx/XHtXCv1E8NT/zjRoWtbyVGHVQ="


def proof(kind, number, covered, certificate=None, **changes):
    """
    The proof of a message, made without the code under test.
    """
    text = b"signalfish.tokenbinding.v2\0" + kind + b"\0" + number.to_bytes(8, "big") + covered
    signed = hmac.new(KEY, text + (certificate or "").encode(), sha256).digest()
    made = {
        "version": 2,
        "scheme": "server_nonce_hkdf_sha256",
        "sequence": number,
        "signature": b64encode(signed).decode(),
        "fingerprint": certificate,
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not ...}


def text(message, number=1, certificate=None, **changes):
    """
    A text message with its proof; changes are made to the proof after it was signed.
    """
    plain = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    signed = proof(b"json", number, plain.encode(), certificate, **changes)
    return json.dumps({**message, "token_binding": signed}).encode()


def binary(payload, number=1, certificate=None, **changes):
    """
    A binary message in its envelope.
    """
    signed = proof(b"binary", number, payload, certificate, **changes)
    return msgpack.packb({"token_binding": signed, "payload": payload})


class BindingTestCase(SynchronousTestCase):
    """
    A bound connection.
    """

    def setUp(self):
        """
        It expects the first message.
        """
        self.binding = Binding(KEY)

    def refusal_of_text(self, payload, binding=None):
        """
        Why a text frame is refused.
        """
        decode = (binding or self.binding).decode_text
        return self.assertRaises(Refusal, decode, payload, LIMIT)

    def refusal_of_binary(self, payload, binding=None):
        """
        Why a binary frame is refused.
        """
        decode = (binding or self.binding).decode_binary
        return self.assertRaises(Refusal, decode, payload, LIMIT)

    def assert_ends(self, refusal, message, code=ErrorCode.UNAUTHORIZED):
        """
        A refusal says this and ends the connection.
        """
        told = (refusal.code, refusal.text, refusal.close)
        self.assertEqual((code, message, END), told)

    def assert_stays(self, refusal, start="Invalid client message"):
        """
        A refusal is that of a malformed message, and the connection lives on.
        """
        self.assertEqual((ErrorCode.INVALID_INPUT, None), (refusal.code, refusal.close))
        self.assertTrue(refusal.text.startswith(start), refusal.text)
        self.assertLess(len(refusal.text), 250)


class KeyTests(SynchronousTestCase):
    """
    The key of a connection.
    """

    def test_vector(self):
        """
        The key is made from both shares.
        """
        self.assertEqual(KEY, derive_key(seed(HANDSHAKE_KEY), NONCE))

    def test_seed(self):
        """
        The client's share is 16 bytes in the one form that Base64 has for them.
        """
        self.assertEqual(b"0123456789abcdef", seed(HANDSHAKE_KEY))
        for wrong in (
            "",
            "MDEyMzQ1Njc4OWFiY2RlZg",
            "MDEyMzQ1Njc4OWFiY2RlZh==",
            "MDEyMzQ1Njc4OWFiY2RlZg==\n",
            " MDEyMzQ1Njc4OWFiY2RlZg==",
            "MDEyMzQ1Njc4OWFiY2RlZmc=",
            "MDEyMzQ1Njc4OWFiY2RlZ===",
            "MDEyMzQ1Njc4OWFiY2Rl",
            "_____________________w==",
            "MDEyMzQ1Njc4OWFiY2RlZé==",
        ):
            self.assertRaises(ValueError, seed, wrong)


class CanonicalTests(BindingTestCase):
    """
    Canonical JSON.
    """

    def test_vectors(self):
        """
        Members are sorted by UTF-16, nothing is spaced, and only what must be is escaped.
        """
        for given_text, expected in (
            (TEXT_VECTOR, '{"aaa":[3,1],"type":"Ping","zzz":{"x":"é","y":2}}'),
            (b" [ 1 , -1 , 0 ,\ttrue,false,null,{},[] ]\n", "[1,-1,0,true,false,null,{},[]]"),
            (
                rb'"\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/"',
                '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
            ),
            (rb'"\b\f\n\r\t\u007f\u2028\ud83d\ude00"', '"\\b\\f\\n\\r\\t\x7f\u2028\U0001f600"'),
            (
                rb'{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"1":4,"\r":5,"\u00f6":6,"\u0080":7}',
                '{"\\r":5,"1":4,"\x80":7,"ö":6,"€":3,"\U0001f600":2,"\ufb33":1}',
            ),
            (
                b'{"b":{"d":1,"c":2},"":0,"a":[{"f":1,"e":2}]}',
                '{"":0,"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}',
            ),
            (str(SAFE).encode(), str(SAFE)),
            (str(-SAFE).encode(), str(-SAFE)),
        ):
            self.assertEqual(expected, canonical(parse(given_text)).decode())

    def test_refused(self):
        """
        What is not JSON, or could be read in two ways, is malformed.
        """
        for wrong in (
            b"",
            b"{",
            b"{}{}",
            b"nul",
            b"'a'",
            b'{"a":1,}',
            b"\xef\xbb\xbf{}",
            b'"\n"',
            b'"\\x41"',
            b"01",
            b"+1",
            b"1.0",
            b"1.5",
            b"1e2",
            b"1E2",
            b"-0",
            b"-0.0",
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"1e400",
            str(SAFE + 1).encode(),
            str(-SAFE - 1).encode(),
            b"9" * 60000,
            b"-" + b"9" * 60000,
            b'{"a":1,"a":1}',
            b'{"a":1,"\\u0061":2}',
            b'[{"x":[{"a":1,"b":2,"a":3}]}]',
            b"[" * 128 + b"]" * 128,
            b"[" * 20000 + b"]" * 20000,
            b"[" * 60000,
            b'{"a":' * 10000,
        ):
            self.assert_stays(self.assertRaises(Refusal, parse, wrong))

    def test_depth(self):
        """
        A value may be nested as deeply as elsewhere.
        """
        raw = b"[" * 127 + b"]" * 127
        self.assertEqual(raw, canonical(parse(raw)))

    def test_bad_utf8(self):
        """
        Text that is not UTF-8 is told apart from malformed text.
        """
        self.assertRaises(UnicodeDecodeError, parse, b'"\xff"')

    def test_lone_surrogate(self):
        """
        Half a surrogate pair is grammatical, but has no canonical form.
        """
        for raw in (rb'"\ud83d"', rb'{"\ude00":1,"\ud83d":2}', rb'["\ude00\ud83d"]'):
            refusal = self.assertRaises(Refusal, canonical, parse(raw))
            message = "Unable to normalize client message"
            self.assert_ends(refusal, message, ErrorCode.INVALID_INPUT)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_stable(self, value):
        """
        However a value is written, its canonical form is the same, and means the same.
        """
        forms = {
            canonical(parse(json.dumps(value, ensure_ascii=escaped, indent=indent).encode()))
            for escaped in (True, False)
            for indent in (None, 2)
        }
        [form] = forms
        self.assertEqual(value, json.loads(form))
        self.assertEqual(form, canonical(parse(form)))


class TextTests(BindingTestCase):
    """
    Proofs on text messages.
    """

    def test_vector(self):
        """
        The message of the vector is taken with the signature of the vector.
        """
        message = json.loads(TEXT_VECTOR)
        payload = text(message, signature=TEXT_SIGNATURE)
        self.assertEqual(text(message), payload)
        self.assertEqual(Ping(), self.binding.decode_text(payload, LIMIT))

    def test_vector_with_fingerprint(self):
        """
        A fingerprint is signed too, whether or not it is asked for.
        """
        message = json.loads(TEXT_VECTOR)
        for binding in (Binding(KEY), Binding(KEY, FINGERPRINT)):
            payload = text(message, 1, FINGERPRINT, signature=TEXT_SIGNATURE_AS)
            self.assertEqual(Ping(), binding.decode_text(payload, LIMIT))

    def test_any_order(self):
        """
        How the client writes its message, and where the proof stands in it, does not matter.
        """
        signed = json.dumps(proof(b"json", 1, b'{"data":null,"type":"Ping"}'))
        payload = f'{{ "token_binding" : {signed} ,\n "type":"\\u0050ing", "data":null }}'
        self.assertEqual(Ping(), self.binding.decode_text(payload.encode(), LIMIT))

    def test_no_fingerprint_member(self):
        """
        Who names no certificate may leave the member out.
        """
        payload = text({"type": "Ping"}, fingerprint=...)
        self.assertEqual(Ping(), self.binding.decode_text(payload, LIMIT))

    def test_bytes_of_game_data(self):
        """
        Game data is relayed as it was written, not in its canonical form.
        """
        canonical_form = b'{"data":{"data":{"a":"A","b":1}},"type":"GameData"}'
        signed = json.dumps(proof(b"json", 1, canonical_form))
        data = r'{"data": {"b": 1, "a":"\u0041"} }'
        payload = f'{{"type":"GameData","data":{data},"token_binding":{signed}}}'
        message = self.binding.decode_text(payload.encode(), LIMIT)
        self.assertIsInstance(message, GameData)
        self.assertEqual(b'{"b": 1, "a":"\\u0041"}', bytes(message.data.data).strip())

    def test_sequence(self):
        """
        Messages come in order, text and binary counted together.
        """
        self.binding.decode_text(text({"type": "Ping"}, 1), LIMIT)
        self.binding.decode_binary(binary(b"x", 2), LIMIT)
        self.binding.decode_text(text({"type": "Ping"}, 3), LIMIT)

    def test_wrong_sequence(self):
        """
        A message that is repeated, left out or reordered is refused.
        """
        for sequence in (0, 1, 3, SAFE):
            binding = Binding(KEY, expected=2)
            refusal = self.refusal_of_text(text({"type": "Ping"}, sequence), binding)
            self.assert_ends(refusal, "Invalid token binding version or sequence")
            refusal = self.refusal_of_binary(binary(b"x", sequence), binding)
            self.assert_ends(refusal, "Invalid token binding version or sequence")

    def test_replay(self):
        """
        The same frame is not taken twice.
        """
        payload = text({"type": "Ping"})
        self.binding.decode_text(payload, LIMIT)
        refusal = self.refusal_of_text(payload)
        self.assert_ends(refusal, "Invalid token binding version or sequence")

    def test_last_sequence(self):
        """
        After the last sequence number nothing can be said any more.
        """
        binding = Binding(KEY, expected=SAFE)
        binding.decode_text(text({"type": "Ping"}, SAFE), LIMIT)
        refusal = self.refusal_of_binary(binary(b"x", SAFE + 1), binding)
        self.assert_ends(refusal, "Invalid token binding version or sequence")
        self.assert_stays(self.refusal_of_text(text({"type": "Ping"}, SAFE + 1), binding))

    def test_malformed(self):
        """
        A malformed message does not use the sequence up.
        """
        for wrong in (
            b"{",
            text({"type": "Ping"})[:-1],
            text({"type": "Ping", "x": 1}).replace(b'"x": 1', b'"x": 1.0'),
            text({"type": "Ping", "x": 1}).replace(b'"x": 1', b'"x": -0'),
            text({"type": "Ping", "x": 1}).replace(b'"x": 1', b'"x": 1, "x": 1'),
            text({"type": "Ping"}, version=2.0),
            text({"type": "Ping"}).replace(b'"version": 2', b'"version": 2, "version": 2'),
        ):
            self.assert_stays(self.refusal_of_text(wrong))
        self.binding.decode_text(text({"type": "Ping"}), LIMIT)

    def test_too_large(self):
        """
        A message that is too large does not use the sequence up either.
        """
        payload = text({"type": "Ping", "x": "x" * 100})
        size = len(payload)
        refusal = self.assertRaises(Refusal, self.binding.decode_text, payload, size - 1)
        self.assertEqual(
            (
                ErrorCode.MESSAGE_TOO_LARGE,
                f"Message too large ({size} bytes, max {size - 1} bytes)",
            ),
            (refusal.code, refusal.text),
        )
        self.assertIsNone(refusal.close)
        self.assertEqual(Ping(), self.binding.decode_text(payload, size))

    def test_unknown_message(self):
        """
        What is proven but is no message uses the sequence up, and the connection lives on.
        """
        for sequence, message in enumerate(
            ({"type": "Nonsense"}, {}, {"type": "JoinRoom", "data": {"game_name": 1}}), 1
        ):
            self.assert_stays(self.refusal_of_text(text(message, sequence)))
        self.binding.decode_text(text({"type": "Ping"}, 4), LIMIT)

    def test_no_object(self):
        """
        A message is an object.
        """
        for wrong in (b"[]", b"1", b'"x"', b"null", b"true"):
            refusal = self.refusal_of_text(wrong)
            self.assert_ends(refusal, "Malformed client message", ErrorCode.INVALID_INPUT)

    def test_not_normal(self):
        """
        A message without a canonical form cannot be proven.
        """
        payload = text({"type": "Ping", "x": "y"}).replace(b'"y"', b'"\\ud83d"')
        message = "Unable to normalize client message"
        self.assert_ends(self.refusal_of_text(payload), message, ErrorCode.INVALID_INPUT)

    def test_no_proof(self):
        """
        Every message needs a proof.
        """
        for wrong in (b"{}", b'{"type":"Ping"}', b'{"type":"Ping","data":{"token_binding":{}}}'):
            self.assert_ends(self.refusal_of_text(wrong), "Token binding proof missing")

    def test_wrong_types(self):
        """
        A proof is an object with exactly the right members.
        """
        for wrong in (None, 1, "x", [], {}, True):
            payload = json.dumps({"type": "Ping", "token_binding": wrong}).encode()
            self.assert_ends(self.refusal_of_text(payload), "Invalid token binding proof")
        for change in (
            {"version": "2"},
            {"version": None},
            {"version": True},
            {"version": ...},
            {"scheme": 1},
            {"scheme": None},
            {"scheme": ...},
            {"sequence": "1"},
            {"sequence": -1},
            {"sequence": None},
            {"sequence": ...},
            {"signature": None},
            {"signature": 5},
            {"signature": []},
            {"signature": ...},
            {"fingerprint": 1},
            {"fingerprint": []},
            {"fingerprint": False},
            {"more": 1},
            {"Version": 2},
        ):
            payload = text({"type": "Ping"}, **change)
            self.assert_ends(self.refusal_of_text(payload), "Invalid token binding proof")

    def test_version(self):
        """
        There is one version of proofs.
        """
        for version in (0, 1, 3, -2, 256, SAFE):
            refusal = self.refusal_of_text(text({"type": "Ping"}, version=version))
            self.assert_ends(refusal, "Invalid token binding version or sequence")

    def test_scheme(self):
        """
        There is one scheme.
        """
        for scheme in ("", "sec_websocket_key_sha256", SCHEME.upper(), f" {SCHEME}", "\ud83d"):
            refusal = self.refusal_of_text(text({"type": "Ping"}, scheme=scheme))
            self.assert_ends(refusal, "Unsupported token binding scheme")

    def test_fingerprint_required(self):
        """
        Where a certificate is asked for, its fingerprint must be in every proof.
        """
        binding = Binding(KEY, FINGERPRINT)
        for payload in (text({"type": "Ping"}), text({"type": "Ping"}, fingerprint=...)):
            self.assert_ends(self.refusal_of_text(payload, binding), "Client fingerprint required")
        refusal = self.refusal_of_binary(binary(b"x"), binding)
        self.assert_ends(refusal, "Client fingerprint required")

    def test_fingerprint_differs(self):
        """
        It must be that of the certificate that the client has shown, as it is written.
        """
        binding = Binding(KEY, FINGERPRINT)
        for wrong in ("", FINGERPRINT.upper(), FINGERPRINT[:-1], FINGERPRINT + " ", "é"):
            refusal = self.refusal_of_text(text({"type": "Ping"}, 1, wrong), binding)
            self.assert_ends(refusal, "Client fingerprint mismatch")

    def test_surrogate_in_proof(self):
        """
        Half a surrogate pair in a proof is only a wrong proof.
        """
        plain = text({"type": "Ping"}, signature="SIG")
        refusal = self.refusal_of_text(plain.replace(b"SIG", b"\\ud83d"))
        self.assert_ends(refusal, "Invalid token binding signature")
        plain = text({"type": "Ping"}, 1, "FP")
        refusal = self.refusal_of_text(plain.replace(b'"FP"', b'"\\ud83d"'), Binding(KEY, "a"))
        self.assert_ends(refusal, "Client fingerprint mismatch")
        refusal = self.refusal_of_text(plain.replace(b'"FP"', b'"\\ud83d"'))
        self.assert_ends(refusal, "Invalid token binding signature")

    def test_signature(self):
        """
        A signature has one spelling, and is good for one message, one kind, one number and one key.
        """
        good = proof(b"json", 1, b'{"type":"Ping"}')["signature"]
        raw = b64encode(b"\xff" * 32).decode()
        other = proof(b"binary", 1, b'{"type":"Ping"}')["signature"]
        for wrong in (
            "",
            raw,
            other,
            good[:-1],
            good + "=",
            good + "\n",
            " " + good,
            good.rstrip("="),
            good.replace("+", "-").replace("/", "_") + "é",
            good[:-2] + chr(ord(good[-2]) + 1) + "=",
            TEXT_SIGNATURE,
        ):
            refusal = self.refusal_of_text(text({"type": "Ping"}, signature=wrong))
            self.assert_ends(refusal, "Invalid token binding signature")
        refusal = self.refusal_of_text(text({"type": "Ping"}), Binding(bytes(32)))
        self.assert_ends(refusal, "Invalid token binding signature")

    def test_changed(self):
        """
        Whatever is changed in a message makes its signature wrong.
        """
        payload = text({"type": "Ping", "data": {"a": "b"}})
        for old, new in ((b'"a"', b'"c"'), (b'"b"', b"1"), (b'{"a": "b"}', b"null")):
            refusal = self.refusal_of_text(payload.replace(old, new))
            self.assert_ends(refusal, "Invalid token binding signature")
        payload = text({"type": "Ping"}, 1, FINGERPRINT, fingerprint="x")
        self.assert_ends(self.refusal_of_text(payload), "Invalid token binding signature")

    def test_order_of_checks(self):
        """
        Of several things that are wrong, the first is told.
        """
        binding = Binding(KEY, FINGERPRINT)
        wrong = {"version": 1, "scheme": "x", "fingerprint": None, "sequence": 9, "signature": ""}
        for name, message in (
            ("version", "Invalid token binding version or sequence"),
            ("scheme", "Unsupported token binding scheme"),
            ("fingerprint", "Client fingerprint required"),
            ("sequence", "Invalid token binding version or sequence"),
            ("signature", "Invalid token binding signature"),
        ):
            payload = text({"type": "Ping"}, 1, FINGERPRINT, **wrong)
            self.assert_ends(self.refusal_of_text(payload, binding), message)
            del wrong[name]

    @given(st.binary(max_size=300))
    def test_junk(self, payload):
        """
        Junk is refused, or not UTF-8.
        """
        wrong = (Refusal, UnicodeDecodeError)
        self.assertRaises(wrong, Binding(KEY).decode_text, payload, LIMIT)

    @given(st.integers(0, 200), st.integers(0, 255))
    def test_damage(self, place, byte):
        """
        A frame with one byte changed is the same message, or refused.
        """
        payload = bytearray(text({"type": "Ping"}))
        payload[place % len(payload)] = byte
        try:
            message = Binding(KEY).decode_text(bytes(payload), LIMIT)
        except (Refusal, UnicodeDecodeError):
            return
        self.assertEqual(Ping(), message)


class BinaryTests(BindingTestCase):
    """
    Proofs on binary messages.
    """

    BROKEN = "Invalid token-bound binary frame"

    def test_vector(self):
        """
        The envelope of the vector is opened.
        """
        binding = Binding(KEY, expected=2)
        frame = binary(BINARY_VECTOR, 2, signature=BINARY_SIGNATURE)
        self.assertEqual(binary(BINARY_VECTOR, 2), frame)
        self.assertEqual(BinaryGameData(BINARY_VECTOR), binding.decode_binary(frame, LIMIT))

    def test_vector_with_fingerprint(self):
        """
        A fingerprint is signed too.
        """
        for fingerprint in (None, FINGERPRINT):
            binding = Binding(KEY, fingerprint, expected=2)
            frame = binary(BINARY_VECTOR, 2, FINGERPRINT, signature=BINARY_SIGNATURE_AS)
            self.assertEqual(BinaryGameData(BINARY_VECTOR), binding.decode_binary(frame, LIMIT))

    def test_any_payload(self):
        """
        The payload itself is not looked at.
        """
        for sequence, payload in enumerate((b"", b"\xc1", b"\x91" * 2000, bytes(60000)), 1):
            message = self.binding.decode_binary(binary(payload, sequence), LIMIT)
            self.assertEqual(BinaryGameData(payload), message)

    def test_too_large(self):
        """
        The limit is for the payload; one that is too large uses the sequence up.
        """
        refusal = self.assertRaises(Refusal, self.binding.decode_binary, binary(bytes(1001)), 1000)
        self.assertEqual((ErrorCode.MESSAGE_TOO_LARGE, None), (refusal.code, refusal.close))
        self.binding.decode_binary(binary(bytes(1000), 2), 1000)

    def test_broken(self):
        """
        An envelope is a map of exactly a proof and a payload.
        """
        signed = proof(b"binary", 1, b"x")
        good = binary(b"x")
        packed = msgpack.packb
        for frame in (
            b"",
            b"x",
            b"\xc1",
            good[:-1],
            good + b"\x00",
            packed(signed),
            packed([signed, b"x"]),
            packed({"token_binding": signed}),
            packed({"payload": b"x"}),
            packed({"token_binding": signed, "payload": b"x", "more": 1}),
            packed({"token_binding": signed, "payload": "x"}),
            packed({"token_binding": signed, "payload": "eHg="}),
            packed({"token_binding": signed, "payload": None}),
            packed({"token_binding": signed, "payload": [1]}),
            packed({"token_binding": None, "payload": b"x"}),
            packed({"token_binding": list(signed.values()), "payload": b"x"}),
            packed({"token_binding": signed, b"payload": b"x"}),
            packed({1: signed, 2: b"x"}),
            binary(b"x", version="2"),
            binary(b"x", version=2.0),
            binary(b"x", version=True),
            binary(b"x", signature=b"x"),
            binary(b"x", more=1),
            binary(b"x", scheme=...),
            b"\x82" + packed("payload") + packed(b"y") + packed("payload") + packed(b"x"),
            b"\x83" + good[1:] + packed("payload") + packed(b"x"),
            good.replace(b"\xa7version\x02", b"\xa7version\xc7\xff\xff\xff"),
            b"\xdf\xff\xff\xff\xff",
            b"\x82\xadtoken_binding\xdd\xff\xff\xff\xff",
            b"\x82\xa7payload\xc6\xff\xff\xff\xff",
            packed({"token_binding": signed, "payload": msgpack.Timestamp(1)}),
            packed({"token_binding": signed, "payload": msgpack.ExtType(5, b"x")}),
            b"\x82\xa2\xff\xff" + packed(signed) + packed("payload") + packed(b"x"),
        ):
            self.assert_ends(self.refusal_of_binary(frame), self.BROKEN)
        self.binding.decode_binary(good, LIMIT)

    def test_nesting(self):
        """
        What is nested more than 128 levels deep is not even looked at.
        """
        for levels in (129, 500, 1200, 60000):
            for opening in (b"\x91", b"\x81\xa1a"):
                refusal = self.refusal_of_binary(opening * levels + b"\xc0")
                self.assert_ends(refusal, "Malformed client message", ErrorCode.INVALID_INPUT)
        self.assert_ends(self.refusal_of_binary(b"\x91" * 127 + b"\x90"), self.BROKEN)
        refusal = self.refusal_of_binary(b"\x91" * 128 + b"\x90")
        self.assert_ends(refusal, "Malformed client message", ErrorCode.INVALID_INPUT)

    def test_checks(self):
        """
        A proof on a binary message is checked like any other.
        """
        for changes, message in (
            ({"version": 1}, "Invalid token binding version or sequence"),
            ({"scheme": "x"}, "Unsupported token binding scheme"),
            ({"sequence": 2}, "Invalid token binding version or sequence"),
            ({"sequence": 2**64 - 1}, "Invalid token binding version or sequence"),
            ({"signature": TEXT_SIGNATURE}, "Invalid token binding signature"),
        ):
            signed = {**proof(b"binary", 1, b"x"), **changes}
            frame = msgpack.packb({"token_binding": signed, "payload": b"x"})
            self.assert_ends(self.refusal_of_binary(frame), message)
        self.binding.decode_binary(binary(b"x"), LIMIT)

    @given(st.binary(max_size=300))
    def test_junk(self, frame):
        """
        Junk is refused, and the connection ends.
        """
        self.assertEqual(END, self.refusal_of_binary(frame, Binding(KEY)).close)


class DocumentationTests(SynchronousTestCase):
    """
    The public reference.
    """

    def test_vectors(self):
        """
        Its vectors and its example are right.
        """
        if not PAGE.exists():
            raise SkipTest("the documentation is not here")
        page = PAGE.read_text()
        for value in (
            HANDSHAKE_KEY,
            b64encode(NONCE).decode(),
            KEY.hex(),
            FINGERPRINT,
            TEXT_VECTOR.decode(),
            canonical(parse(TEXT_VECTOR)).decode(),
            TEXT_SIGNATURE,
            TEXT_SIGNATURE_AS,
            BINARY_VECTOR.hex(),
            BINARY_SIGNATURE,
            BINARY_SIGNATURE_AS,
        ):
            self.assertIn(f"``{value}``", page)
        self.assertIn(proof(b"json", 1, b'{"type":"Ping"}')["signature"], page)

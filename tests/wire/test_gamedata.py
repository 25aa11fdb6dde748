"""
Tests for :mod:`signalfish.wire.gamedata`.
"""

import json
from uuid import UUID

import msgpack
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Opcode

from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.gamedata import BinaryData, Origin, TextData, check_class
from signalfish.wire.outgoing import Undeliverable
from signalfish.wire.types import DeliveryClass, Encoding, Form
from tests.strategies import examples, json_texts, junk, message_packs, uuids
from tests.wire.shapes import Pairs, parsed
from tests.wire.test_frames import read

PLAYER = "4be17d90-c5f2-4a38-8b6d-e0912fa7c354"
JSON, PACK = Encoding.JSON, Encoding.MESSAGE_PACK
FORMS = [Form(version, encoding) for version in (2, 3) for encoding in (JSON, PACK)]


def text_of(frame):
    """
    The bytes in the one text frame.
    """
    [only] = read(frame)
    if only.opcode is not Opcode.TEXT:
        raise AssertionError(only)
    return bytes(only.data)


def envelope_of(frame):
    """
    The one binary frame, decoded strictly, as pairs of key and value.
    """
    [only] = read(frame)
    if only.opcode is not Opcode.BINARY:
        raise AssertionError(only)
    return msgpack.unpackb(only.data, raw=False, strict_map_key=True, object_pairs_hook=Pairs)


class TextDataTests(SynchronousTestCase):
    """
    JSON game data.
    """

    def setUp(self):
        """
        A sender in its second membership.
        """
        self.origin = Origin(PLAYER, 2)

    def test_version_2(self):
        """
        Recipients of version 2 are told the sender and the value, nothing else.
        """
        data = TextData(self.origin, 5, b'{"x": 1}', DeliveryClass.LATEST, 9)
        self.assertEqual(
            f'{{"type":"GameData","data":{{"from_player":"{PLAYER}","data":{{"x": 1}}}}}}',
            text_of(data.frame(Form(2, JSON))).decode(),
        )

    def test_version_3(self):
        """
        Recipients of version 3 are also told the number and the membership.
        """
        data = TextData(self.origin, 5, b"[1]")
        self.assertEqual(
            f'{{"type":"GameData","data":'
            f'{{"from_player":"{PLAYER}","data":[1],"seq":5,"epoch":2}}}}',
            text_of(data.frame(Form(3, JSON))).decode(),
        )

    def test_class_and_key(self):
        """
        Class and key are told to version 3 if the sender gave them.
        """
        for kind, key, rest in [
            (None, None, {}),
            (DeliveryClass.RELIABLE, None, {"class": "reliable"}),
            (DeliveryClass.VOLATILE, None, {"class": "volatile"}),
            (DeliveryClass.LATEST, 0, {"class": "latest", "key": 0}),
            (DeliveryClass.LATEST, 4294967295, {"class": "latest", "key": 4294967295}),
        ]:
            data = TextData(self.origin, 1, b"null", kind, key)
            expected = {"from_player": PLAYER, "data": None, "seq": 1, "epoch": 2, **rest}
            self.assertEqual(
                Pairs([("type", "GameData"), ("data", Pairs(expected.items()))]),
                parsed(text_of(data.frame(Form(3, JSON)))),
            )

    def test_encoding_does_not_matter(self):
        """
        JSON is sent as text to everybody, and the same bytes to all of one version.
        """
        data = TextData(self.origin, 1, b"1")
        for version in (2, 3):
            frames = {id(data.frame(Form(version, encoding))) for encoding in Encoding}
            self.assertEqual(1, len(frames))

    def test_large_numbers(self):
        """
        Sequence numbers and memberships are exact beyond the integers of doubles.
        """
        data = TextData(Origin(PLAYER, 2**32 - 1), 2**64 - 1, b"1")
        payload = json.loads(text_of(data.frame(Form(3, JSON))))["data"]
        self.assertEqual((2**64 - 1, 2**32 - 1), (payload["seq"], payload["epoch"]))

    @examples(150)
    @given(uuids, json_texts())
    def test_any_value(self, player, value):
        """
        The value is in the message byte for byte, whatever its spelling.
        """
        raw = value.encode()
        data = TextData(Origin(player, 1), 1, raw)
        for version, rest in [(2, b"}}"), (3, b',"seq":1,"epoch":1}}')]:
            text = text_of(data.frame(Form(version, JSON)))
            head = b'{"type":"GameData","data":{"from_player":"%s","data":' % player.encode()
            self.assertEqual(head + raw + rest, text)
            self.assertEqual(player, json.loads(text)["data"]["from_player"])


class BinaryDataTests(SynchronousTestCase):
    """
    Binary game data, to those who take it as it is.
    """

    def test_vector(self):
        """
        The envelope has these very bytes.
        """
        data = BinaryData(Origin(PLAYER, 1), 1, b"\x92\x05\xc0", PACK)
        head = (
            "ab 66726f6d5f706c61796572 c410 4be17d90c5f24a388b6de0912fa7c354"
            "a8 656e636f64696e67 ac 6d6573736167655f7061636b"
            "a7 7061796c6f6164 c403 9205c0"
        )
        stamp = "a3 736571 01 a5 65706f6368 01"
        for version, envelope in [(2, f"83 {head}"), (3, f"85 {head} {stamp}")]:
            expected = bytes.fromhex(envelope)
            self.assertEqual(
                b"\x82" + bytes([len(expected)]) + expected, data.frame(Form(version, PACK))
            )

    def test_payload_sizes(self):
        """
        A payload of any size arrives whole, with the shortest head that MessagePack has.
        """
        for size in (0, 1, 255, 256, 65535, 65536, 200000):
            payload = bytes([0xAB]) * size
            data = BinaryData(Origin(PLAYER, 1), 1, payload, PACK)
            frame = data.frame(Form(2, PACK))
            self.assertEqual(
                [
                    ("from_player", UUID(PLAYER).bytes),
                    ("encoding", "message_pack"),
                    ("payload", payload),
                ],
                envelope_of(frame),
            )
            head = 0xC4 if size < 256 else 0xC5 if size < 65536 else 0xC6
            self.assertEqual(head, frame[frame.index(b"\xa7payload") + 8])

    def test_stamps(self):
        """
        Numbers of any size arrive as they are, in version 3 only.
        """
        for number in (1, 127, 128, 255, 65536, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1):
            data = BinaryData(Origin(PLAYER, number), number, b"", PACK)
            keys = ["from_player", "encoding", "payload"]
            self.assertEqual(keys, [key for key, _ in envelope_of(data.frame(Form(2, PACK)))])
            envelope = envelope_of(data.frame(Form(3, PACK)))
            self.assertEqual([*keys, "seq", "epoch"], [key for key, _ in envelope])
            self.assertEqual([number, number], [value for _, value in envelope[3:]])

    def test_other_encodings(self):
        """
        The envelope names the encoding of the sender.
        """
        for encoding in (Encoding.RKYV, Encoding.PROTOBUF):
            data = BinaryData(Origin(PLAYER, 1), 1, b"\x01", encoding)
            self.assertIn(("encoding", str(encoding)), envelope_of(data.frame(Form(3, encoding))))

    def test_bare(self):
        """
        Recipients of version 2 get what is in no known encoding as it is, without the sender.
        """
        for encoding in (Encoding.RKYV, Encoding.PROTOBUF):
            data = BinaryData(Origin(PLAYER, 1), 1, b"\x01\xff", encoding)
            self.assertEqual(b"\x82\x02\x01\xff", data.frame(Form(2, encoding)))

    def test_unknown_to_others(self):
        """
        What is in no known encoding cannot be told to anybody else.
        """
        for encoding in (Encoding.RKYV, Encoding.PROTOBUF):
            data = BinaryData(Origin(PLAYER, 1), 1, b"\x01", encoding)
            for form in (Form(version, other) for version in (2, 3) for other in Encoding):
                if form.encoding is not encoding:
                    self.assertRaises(Undeliverable, data.frame, form)

    def test_shared(self):
        """
        All recipients of one form get the very same bytes.
        """
        data = BinaryData(Origin(PLAYER, 1), 1, b"\x01", PACK)
        for form in FORMS:
            self.assertIs(data.frame(form), data.frame(form))
        self.assertEqual(4, len({data.frame(form) for form in FORMS}))

    @examples(150)
    @given(uuids, junk, st.integers(1, 2**32), st.integers(1, 2**64 - 1))
    def test_any_payload(self, player, payload, epoch, seq):
        """
        Whatever the payload is, nobody looks into it.
        """
        data = BinaryData(Origin(player, epoch), seq, payload, PACK)
        self.assertEqual(
            [
                ("from_player", UUID(player).bytes),
                ("encoding", "message_pack"),
                ("payload", payload),
                ("seq", seq),
                ("epoch", epoch),
            ],
            envelope_of(data.frame(Form(3, PACK))),
        )


class ConvertedTests(SynchronousTestCase):
    """
    Binary game data, to those who take JSON.
    """

    @examples(100)
    @given(message_packs())
    def test_converted(self, pair):
        """
        The payload arrives as JSON, stamped like other text and without a class.
        """
        value, payload = pair
        data = BinaryData(Origin(PLAYER, 3), 8, payload, PACK)
        old = json.loads(text_of(data.frame(Form(2, JSON))))
        new = json.loads(text_of(data.frame(Form(3, JSON))))
        payload = {"from_player": PLAYER, "data": value}
        self.assertEqual(repr({"type": "GameData", "data": payload}), repr(old))
        payload |= {"seq": 8, "epoch": 3}
        self.assertEqual(repr({"type": "GameData", "data": payload}), repr(new))

    def test_undeliverable(self):
        """
        If there is no JSON for it, recipients are to be told whose data they miss, and why.
        """
        data = BinaryData(Origin(PLAYER, 1), 1, b"\xc4\x01x", PACK)
        for version in (2, 3):
            problem = self.assertRaises(Undeliverable, data.frame, Form(version, JSON))
            self.assertEqual(PLAYER, problem.sender)
            self.assertEqual(
                f"Undeliverable game data from player {PLAYER} (message_pack payload cannot be "
                "converted for this connection): a binary string has no JSON equivalent",
                problem.text,
            )

    def test_others_are_not_affected(self):
        """
        What cannot be converted still reaches those who take it as it is.
        """
        data = BinaryData(Origin(PLAYER, 1), 1, b"\xc1", PACK)
        for _ in range(2):
            self.assertRaises(Undeliverable, data.frame, Form(2, JSON))
            self.assertIn(("payload", b"\xc1"), envelope_of(data.frame(Form(2, PACK))))

    @examples(150)
    @given(junk)
    def test_any_payload(self, payload):
        """
        Whatever the payload is, it can be converted or it is undeliverable.
        """
        data = BinaryData(Origin(PLAYER, 1), 1, payload, PACK)
        try:
            frame = data.frame(Form(2, JSON))
        except Undeliverable as problem:
            self.assertTrue(problem.text)
        else:
            self.assertEqual(PLAYER, json.loads(text_of(frame))["data"]["from_player"])


class ClassTests(SynchronousTestCase):
    """
    Delivery classes.
    """

    def test_version_3(self):
        """
        From version 3 on a key goes with latest, and with nothing else.
        """
        for kind in (None, *DeliveryClass):
            for key in (None, 0, 7):
                fine = (kind is DeliveryClass.LATEST) == (key is not None)
                self.assertEqual(fine, self.passes(kind, key, 3), (kind, key))

    def test_version_2(self):
        """
        Before there is neither a class nor a key.
        """
        for kind in (None, *DeliveryClass):
            for key in (None, 0, 7):
                self.assertEqual(kind is key, self.passes(kind, key, 2), (kind, key))

    def passes(self, kind, key, version):
        """
        Whether a sender of this version may send this.
        """
        try:
            check_class(kind, key, version)
        except Refusal as refusal:
            self.assertEqual(ErrorCode.INVALID_DELIVERY_CLASS, refusal.code)
            return False
        return True

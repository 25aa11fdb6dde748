"""
Tests for signalfish.rooms.mint.
"""

from random import Random
from uuid import RFC_4122, UUID

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.mint import Mint
from signalfish.wire.names import CODE_ALPHABET


class MintTests(SynchronousTestCase):
    def test_uuid(self):
        """
        Ids are random UUIDs in lower case, each of them different.
        """
        mint = Mint(Random(7))
        made = {mint.uuid() for _ in range(100)}
        self.assertEqual(len(made), 100)
        for text in made:
            value = UUID(text)
            self.assertEqual((value.version, value.variant), (4, RFC_4122))
            self.assertEqual(str(value), text)

    def test_room_code(self):
        """
        Codes have their length and use the whole alphabet, and nothing else.
        """
        mint = Mint(Random(7))
        codes = [mint.room_code() for _ in range(200)]
        self.assertEqual({len(code) for code in codes}, {6})
        self.assertEqual(set("".join(codes)), set(CODE_ALPHABET))
        self.assertEqual(len(set(codes)), 200)

    def test_prefix(self):
        """
        The prefix is part of the length.
        """
        mint = Mint(Random(7), 8, "EU")
        for _ in range(20):
            code = mint.room_code()
            self.assertEqual((len(code), code[:2]), (8, "EU"))

    def test_salt(self):
        """
        Salts are sixteen bytes, each time different ones.
        """
        mint = Mint(Random(7))
        one, two = mint.salt(), mint.salt()
        self.assertEqual((len(one), len(two)), (16, 16))
        self.assertNotEqual(one, two)

"""
Tests for :mod:`signalfish.wire.opaque`.
"""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.opaque import check, depth, float_of
from tests.strategies import examples, json_texts

LARGEST = "1.7976931348623157e308"
TOO_LARGE = "1.797693134862315807938e308"  # the first decimal that rounds beyond all doubles
ALMOST = "1.797693134862315807936e308"  # rounds down to the largest double

nestings = st.lists(st.sampled_from(["[{}]", '{{"[": {}}}', '[1, {}, "]"]']), max_size=6)


def passes(text, levels=125):
    """
    Whether a value may be relayed.
    """
    try:
        check(text.encode(), levels)
    except Refusal as refusal:
        if refusal.code is not ErrorCode.INVALID_INPUT:
            raise
        return False
    return True


def finite(digits):
    """
    The value of a number, if there is a double for it.
    """
    value = float(digits)
    if value - value != 0:
        raise ValueError(digits)
    return value


def members(pairs):
    """
    The values of an object; its keys have to be whole text.
    """
    for key, _ in pairs:
        key.encode()
    return [value for _, value in pairs]


def levels_of(value):
    """
    How deeply lists are nested; strings in them have to be whole text.
    """
    if isinstance(value, list):
        return 1 + max(map(levels_of, value), default=0)
    if isinstance(value, str):
        value.encode()
    return 0


def model(text):
    """
    How deeply a value is nested.

    :raises ValueError: if a strict receiver cannot decode it.
    """
    value = json.loads(
        text, parse_int=finite, parse_float=finite, object_pairs_hook=members, parse_constant=finite
    )
    return levels_of(value)


class CheckTests(SynchronousTestCase):
    """
    Which values may be relayed.
    """

    def test_ordinary(self):
        """
        Whatever a strict receiver understands passes.
        """
        for text in (
            "null",
            "0",
            "-0",
            '""',
            "[]",
            "{}",
            "18446744073709551616",
            "-9223372036854775809",
            "0.1000000000000000055511151231257827",
            "1E2",
            "1e-400",
            '{"a":1,"a":2}',
            r'"\ud83d\ude00\u0000\/"',
            ' [ 1 ,\n{"b" :\t2 } ] ',
        ):
            self.assertTrue(passes(text), text)

    def test_range_of_numbers(self):
        """
        A number passes if and only if it rounds to a finite double, however it is written.
        """
        cases = {
            LARGEST: True,
            ALMOST: True,
            TOO_LARGE: False,
            "1e308": True,
            "1e309": False,
            "1e400": False,
            "1e99999999999999999999": False,
            "1e-99999999999999999999": True,
            "1" + "0" * 308: True,
            "1" + "0" * 309: False,
            "9" * 308: True,
            "9" * 309: False,
            "17976931348623157" + "0" * 292: True,
            "17976931348623159" + "0" * 292: False,
            "9" * 5000: False,
            "9" * 400 + "e-100": True,
            "9" * 400 + "e-91": False,
            "9" * 400 + ".5e-100": True,
            "9" * 400 + ".5": False,
            "0." + "0" * 5000 + "1": True,
            "0." + "9" * 5000: True,
            "0." + "0" * 400 + "1e701": True,
            "0." + "0" * 400 + "1e710": False,
        }
        for number, fine in cases.items():
            for text in (number, f"-{number}", f"[0,{number}]", f'{{"a":{{"b":{number}}}}}'):
                self.assertEqual(fine, passes(text), text[:40])

    def test_digits_in_strings(self):
        """
        Digits in strings and keys are no numbers.
        """
        digits = "9" * 400
        self.assertTrue(passes(f'"{digits}"'))
        self.assertTrue(passes(f'{{"{digits}":"\\"{digits}"}}'))
        self.assertFalse(passes(f'["{digits}",{digits}]'))

    def test_surrogates(self):
        """
        Half a surrogate pair is refused, in strings and in keys.
        """
        for half in (
            r"\ud800",
            r"\uDBFF",
            r"\udc00",
            r"\uDFFF",
            r"\ud83d\ud83d\ude00",
            r"\ude00\ud83d",
            r"\ud83dx\ude00",
            r"\ud83d\n\ude00",
            r"\ud83d\\ude00",
            r"x\ud83d\u0041",
        ):
            for text in (
                f'"{half}"',
                f'"{half} and more, so that nothing ends"',
                f'{{"{half}":1}}',
            ):
                self.assertFalse(passes(f"[{text}, 1, 2, 3]"), text)
        self.assertTrue(passes(r'["\\ud800"]'))

    def test_levels(self):
        """
        A value passes with as many levels as allowed, and not with one more.
        """
        for levels in (0, 1, 2, 118, 125, 127):
            for opening, closing in ("[]", ('{"a":', "}"), ('[{"}":[', "]}]")):
                each = opening.count("[") + opening.count("{")
                for count in (levels // each, levels // each + 1):
                    text = opening * count + "0" + closing * count
                    self.assertEqual(count * each <= levels, passes(text, levels), (levels, text))

    def test_brackets_in_strings(self):
        """
        Brackets in strings nest nothing, however many there are.
        """
        for text in ('"[[[[{{{{"', r'"\"[[[[\\"', r'{"[[[\"": "]\\\"[[["}', '["[","{","[","{"]'):
            self.assertTrue(passes(text, 1), text)

    def test_width(self):
        """
        Many brackets beside each other nest nothing.
        """
        self.assertTrue(passes(f"[{','.join(['[]'] * 500)}]", 2))
        self.assertFalse(passes(f"[{','.join(['[]'] * 500)}]", 1))

    def test_texts(self):
        """
        The refusal says what is wrong.
        """
        refusal = self.assertRaises(Refusal, check, b"[[0]]", 1)
        self.assertEqual("Value is nested more than 1 levels deep", refusal.text)
        for text in (b"1e400", b"9" * 309):
            refusal = self.assertRaises(Refusal, check, text, 1)
            self.assertIn("out of range", refusal.text)

    @examples(400)
    @given(json_texts(hostile=True), nestings, st.integers(0, 8))
    def test_model(self, text, nesting, levels):
        """
        Values pass if and only if a strict receiver decodes them and they are not too deep.
        """
        for around in nesting:
            text = around.format(text)
        try:
            fine = model(text) <= levels
        except ValueError:
            fine = False
        self.assertEqual(fine, passes(text, levels), text)

    @examples(200)
    @given(json_texts())
    def test_harmless(self, text):
        """
        What is in range passes.
        """
        self.assertTrue(passes(text))


class DepthTests(SynchronousTestCase):
    """
    How deep a value is.
    """

    def test_vectors(self):
        """
        Scalars have depth 0, and every list or object around something adds 1.
        """
        for text, expected in [
            ("1", 0),
            ('"[[["', 0),
            ("[]", 1),
            ("{}", 1),
            ("[[],[[]],[]]", 3),
            ('{"a":[{"b":[]}],"c":{}}', 4),
            (r'["\"[", "\\", ["\\\"]]"]]', 2),
            ("[" * 900 + "]" * 900, 900),
        ]:
            self.assertEqual(expected, depth(text.encode()), text)

    @examples(300)
    @given(json_texts(), nestings)
    def test_model(self, text, nesting):
        """
        The depth of text is the depth of the value that it stands for.
        """
        for around in nesting:
            text = around.format(text)
        self.assertEqual(model(text), depth(text.encode()), text)


class FloatTests(SynchronousTestCase):
    """
    Integers as doubles.
    """

    def test_nearest(self):
        """
        An integer beyond 64 bits becomes the nearest double.
        """
        self.assertEqual(2.0**64, float_of("18446744073709551617"))
        self.assertEqual(-(10.0**300), float_of("-1" + "0" * 300))

    def test_out_of_range(self):
        """
        There is no infinite integer.
        """
        for digits in ("9" * 309, "-" + "9" * 309, "9" * 10000):
            self.assertRaises(OverflowError, float_of, digits)

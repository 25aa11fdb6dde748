"""
Opaque JSON values: relayed byte for byte, but only if every receiver can decode them.

The typed decoder has already checked the grammar of a raw value and the escapes in its strings.
"""

from __future__ import annotations

import json
import re
from array import array
from itertools import accumulate

import msgspec

from signalfish.wire.errors import ErrorCode, Refusal

MAX_LEVELS = 127
"""
How deeply a whole message may be nested: common decoders refuse more.
"""

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes(
    {ord("["): 1, ord("{"): 1, ord("]"): 255, ord("}"): 255}.get(i, 0) for i in range(256)
)
_ANY_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_LONGEST_DOUBLE = 309  # digits before the decimal point of the largest double
_decode = msgspec.json.Decoder().decode


def check(raw: bytes, levels: int) -> None:
    """
    Refuse a value that some receiver could not decode.

    :param raw: the value, as received.
    :param levels: how deeply the value may be nested.
    :raises Refusal: INVALID_INPUT, if it is nested deeper or has a number beyond double range.
    """
    if is_deeper(raw, levels):
        raise Refusal(ErrorCode.INVALID_INPUT, f"Value is nested more than {levels} levels deep")
    try:
        _decode(raw)
        if len(raw) >= _LONGEST_DOUBLE and b"0" * _LONGEST_DOUBLE in raw.translate(_ANY_DIGIT):
            json.loads(raw, parse_int=float_of)
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise Refusal(ErrorCode.INVALID_INPUT, f"Value cannot be decoded: {error}") from None


def is_deeper(raw: bytes, levels: int) -> bool:
    """
    Whether a grammatical JSON value is nested more deeply than this.
    """
    return raw.count(b"[") + raw.count(b"{") > levels and depth(raw) > levels


def float_of(digits: str) -> float:
    """
    The double nearest to an integer literal.

    :raises OverflowError: if there is none.
    """
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise OverflowError("number out of range")
    return value


def depth(raw: bytes) -> int:
    """
    How deeply a grammatical JSON value is nested; a scalar has depth 0.
    """
    brackets = _STRINGS.sub(b"", raw).translate(_STEPS, _NOT_BRACKETS)
    return max(accumulate(array("b", brackets)), default=0)

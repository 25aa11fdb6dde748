"""
MessagePack to JSON, for recipients that take only JSON.
"""

from __future__ import annotations

import re
from typing import Any

import msgpack
import msgspec

from signalfish.wire import opaque
from signalfish.wire.errors import Refusal

_LEVELS = opaque.MAX_LEVELS - 2
_MAYBE_BINARY = re.compile(rb"[\xc4-\xc6]")
_decode = msgspec.msgpack.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Inconvertible(Exception):  # noqa: N818 - a property of the payload, not an error of ours
    """
    A payload has no JSON equivalent; the text says why.
    """


def json_from_message_pack(payload: bytes) -> bytes:
    """
    The first MessagePack value of a payload as JSON; bytes after it are ignored.

    Integers and floats keep their value, NaN and the infinities become null.

    :raises Inconvertible: for binary strings, extension types, map keys that are not strings,
        invalid UTF-8, truncated or empty payloads, or nesting that JSON decoders refuse.
    """
    _check_structure(payload)
    unpacker = msgpack.Unpacker(
        raw=False, strict_map_key=True, ext_hook=_no_extension, max_buffer_size=len(payload)
    )
    unpacker.feed(payload)
    try:
        value = unpacker.unpack()
        if _MAYBE_BINARY.search(payload):
            _refuse_binary(value)
        text = _encode(value)
        opaque.check(text, _LEVELS)
    except Refusal as refusal:
        raise Inconvertible(refusal.text) from None
    except (ValueError, TypeError, RecursionError) as error:
        raise Inconvertible(str(error) or type(error).__name__) from None
    return text


def _check_structure(payload: bytes) -> None:
    """
    Refuse a payload that does not begin with a whole value.

    The unpacker that ignores what comes after it reserves memory for whatever a length claims, so
    this must be known before; the other decoder does not, but knows no strict keys.
    """
    try:
        _decode(payload)
    except TypeError:  # some keys cannot even be kept
        raise Inconvertible("a map key is not a string") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        if "trailing characters" not in str(error):
            raise Inconvertible(str(error)) from None


def _no_extension(code: int, _data: bytes) -> object:
    raise Inconvertible(f"extension type {code} has no JSON equivalent")


def _refuse_binary(value: object) -> None:
    pending: list[Any] = [value]
    for item in pending:
        kind = type(item)
        if kind is list:
            pending += item
        elif kind is dict:
            if not all(type(key) is str for key in item):
                raise Inconvertible("a map key is not a string")
            pending += item.values()
        elif kind is bytes:
            raise Inconvertible("a binary string has no JSON equivalent")

"""
MessagePack to JSON, for recipients that take only JSON.
"""

from __future__ import annotations

import re
from typing import Any

import msgpack
import msgspec

from signalfish.wire import opaque

_LEVELS = opaque.MAX_LEVELS - 2
_MAYBE_BINARY = re.compile(rb"[\xc4-\xc6]")
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
    try:
        # Without this the unpacker would reserve memory for whatever a length claims.
        _unpacker(payload).skip()
        value = _unpacker(payload).unpack()
        if _MAYBE_BINARY.search(payload):
            _refuse_binary(value)
        text = _encode(value)
    except msgpack.OutOfData:
        raise Inconvertible("the payload is truncated") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise Inconvertible(str(error) or type(error).__name__) from None
    if opaque.is_deeper(text, _LEVELS):
        raise Inconvertible(f"it is nested more than {_LEVELS} levels deep")
    return text


def _unpacker(payload: bytes) -> Any:
    """
    An unpacker of one value that refuses extensions, and keys that are not strings.
    """
    unpacker = msgpack.Unpacker(
        raw=False, strict_map_key=True, ext_hook=_no_extension, max_buffer_size=max(len(payload), 1)
    )
    unpacker.feed(payload)
    return unpacker


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

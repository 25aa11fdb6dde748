"""
MessagePack to JSON, for recipients that take only JSON.
"""

from __future__ import annotations

import msgpack
import msgspec

from signalfish.wire import opaque
from signalfish.wire.errors import Refusal

_LEVELS = opaque.MAX_LEVELS - 2
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
    unpacker = msgpack.Unpacker(
        raw=False,
        strict_map_key=True,
        ext_hook=_no_extension,
        max_buffer_size=max(len(payload), 1),
    )
    unpacker.feed(payload)
    try:
        value = unpacker.unpack()
        _refuse_binary(value)
        text = _encode(value)
        opaque.check(text, _LEVELS)
    except msgpack.OutOfData:
        raise Inconvertible("the payload is truncated") from None
    except Refusal as refusal:
        raise Inconvertible(refusal.text) from None
    except (ValueError, TypeError, RecursionError) as error:
        raise Inconvertible(str(error) or type(error).__name__) from None
    return text


def _no_extension(code: int, _data: bytes) -> object:
    raise Inconvertible(f"extension type {code} has no JSON equivalent")


def _refuse_binary(value: object) -> None:
    pending = [value]
    while pending:
        match pending.pop():
            case bytes():
                raise Inconvertible("a binary string has no JSON equivalent")
            case msgpack.Timestamp():
                raise Inconvertible("extension type -1 has no JSON equivalent")
            case list() as items:
                pending += items
            case dict() as items:
                if not all(isinstance(key, str) for key in items):
                    raise Inconvertible("a map key is not a string")
                pending += items.values()
            case _:
                pass

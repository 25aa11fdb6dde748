"""
WebSocket frames of a server: unmasked, unfragmented, uncompressed (RFC 6455 section 5.2).

Because nothing in such a frame depends on its recipient, one frame serves a whole room.
"""

from __future__ import annotations

from struct import Struct

_FIN_TEXT = 0x81
_FIN_BINARY = 0x82
_MEDIUM_MARK = 126  # in place of a length: two bytes of length follow
_LONG_MARK = 127  # in place of a length: eight bytes of length follow
_SHORT = Struct("!BB").pack
_MEDIUM = Struct("!BBH").pack
_LONG = Struct("!BBQ").pack


def text_frame(*parts: bytes) -> bytes:
    """
    One text message of these parts.
    """
    return _frame(_FIN_TEXT, parts)


def binary_frame(*parts: bytes) -> bytes:
    """
    One binary message of these parts.
    """
    return _frame(_FIN_BINARY, parts)


def _frame(first: int, parts: tuple[bytes, ...]) -> bytes:
    length = sum(map(len, parts))
    if length < _MEDIUM_MARK:
        header = _SHORT(first, length)
    elif length < 1 << 16:
        header = _MEDIUM(first, _MEDIUM_MARK, length)
    else:
        header = _LONG(first, _LONG_MARK, length)
    return b"".join((header, *parts))

"""
WebSocket frames of a server: unmasked, unfragmented, uncompressed (RFC 6455 section 5.2).

Because nothing in such a frame depends on its recipient, one frame serves a whole room.
"""

from __future__ import annotations

from struct import Struct

_FIN_TEXT = 0x81
_FIN_BINARY = 0x82
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
    if length < 126:
        header = _SHORT(first, length)
    elif length < 65536:
        header = _MEDIUM(first, 126, length)
    else:
        header = _LONG(first, 127, length)
    return b"".join((header, *parts))

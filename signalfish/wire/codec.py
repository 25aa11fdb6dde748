"""
Bytes from a client to typed messages; whatever is wrong with them becomes a refusal.
"""

from __future__ import annotations

import msgspec
from msgspec.json import Decoder

from signalfish.wire import opaque
from signalfish.wire.client import BinaryGameData, GameData, Signal
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.operations import AnyText
from signalfish.wire.types import ConnectionInfo, CustomInfo

_OPAQUE_LEVELS = opaque.MAX_LEVELS - 2
# Custom data reaches others in snapshots and in replayed events, up to nine levels down.
_CUSTOM_DATA_LEVELS = opaque.MAX_LEVELS - 9

_LONGEST_PROBLEM = 200

_message = Decoder(AnyText)
_connection_info = Decoder(ConnectionInfo)


def check_size(payload: bytes, limit: int) -> None:
    """
    Refuse a text frame that is too large.

    :raises Refusal: MESSAGE_TOO_LARGE.
    """
    if len(payload) > limit:
        text = f"Message too large ({len(payload)} bytes, max {limit} bytes)"
        raise Refusal(ErrorCode.MESSAGE_TOO_LARGE, text)


def decode_text(payload: bytes, limit: int) -> AnyText:
    """
    The message in a text frame.

    :param limit: the largest message, in bytes.
    :raises UnicodeDecodeError: if the payload is not UTF-8.
    :raises Refusal: if it is too large, or not a message of the protocol.
    """
    check_size(payload, limit)
    if not payload.isascii():
        payload.decode()  # the decoder does not look into raw values
    try:
        message: AnyText = _message.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(error) from None
    if type(message) is GameData:
        opaque.check(bytes(message.data.data), _OPAQUE_LEVELS)
    elif type(message) is Signal:
        opaque.check(bytes(message.data.signal), _OPAQUE_LEVELS)
    return message


def decode_binary(payload: bytes, limit: int) -> BinaryGameData:
    """
    The message in a binary frame: always game data, its content not looked at.

    :param limit: the largest payload, in bytes.
    :raises Refusal: MESSAGE_TOO_LARGE.
    """
    if len(payload) > limit:
        text = f"Binary payload exceeded maximum size ({limit} bytes)"
        raise Refusal(ErrorCode.MESSAGE_TOO_LARGE, text)
    return BinaryGameData(payload)


def decode_connection_info(raw: bytes) -> ConnectionInfo:
    """
    The typed form of a connection info; only ``custom`` data stays as received.

    :raises Refusal: INVALID_INPUT, if it is none of the known kinds.
    """
    try:
        info: ConnectionInfo = _connection_info.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(error) from None
    if isinstance(info, CustomInfo):
        opaque.check(bytes(info.data), _CUSTOM_DATA_LEVELS)
        info.data = info.data.copy()
    return info


def _malformed(error: Exception) -> Refusal:
    text = str(error)[:_LONGEST_PROBLEM]  # it may quote the client at any length
    return Refusal(ErrorCode.INVALID_INPUT, f"Invalid client message: {text}")

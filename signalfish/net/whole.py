"""
The common case of what clients send, taken from the stream before Autobahn's parser sees it.

Most messages are one masked frame of less than 64 KiB. Everything else, and everything that is
wrong, is left to the parser, which knows all rules of RFC 6455 but takes ten times as long.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from autobahn.twisted.websocket import WebSocketServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the library came without its C extension
    from websockets.utils import apply_mask

_TEXT = 0x81  # a whole message in one frame
_BINARY = 0x82
_MASKED = 0x80
_MEDIUM = _MASKED | 126  # two bytes of length follow
_LONG = _MASKED | 127  # eight bytes of length follow
_SHORTEST_MEDIUM = 126
_SHORTEST_HEADER = 2
_LARGE = 4096  # bytes of payload from which a frame is not copied whenever more of it arrives


class _Rest(Enum):
    """
    Why no whole message can be taken.
    """

    INCOMPLETE = auto()
    OTHER = auto()


class _Frame(NamedTuple):
    """
    Where the parts of a frame are.
    """

    mask_at: int
    payload_at: int
    end: int


class WholeMessages(WebSocketServerProtocol):
    """
    A protocol that takes whole messages the short way.

    :ivar reads: whether it takes anything at all; if not, what has arrived waits.
    """

    reads = True
    maxFramePayloadSize: int

    def dataReceived(self, data: bytes) -> None:
        """
        Take bytes from the client.
        """
        self.data = self.data + data if self.data else data
        self.consumeData()

    def processData(self) -> bool:
        """
        Take what can be taken of the bytes that have arrived.

        :return: whether there may be more to be taken.
        """
        if not self.reads:
            return False
        is_between = self.current_frame is None and not self.inside_message
        if is_between and self.state == self.STATE_OPEN and not self._take_whole_messages():
            return False
        return bool(super().processData())

    def _take_whole_messages(self) -> bool:
        """
        Take whole messages, as many as there are.

        :return: whether the rest is for the parser.
        """
        data, start, limit = self.data, 0, self.maxFramePayloadSize
        while self.reads and self.state == self.STATE_OPEN:
            frame = _frame_at(data, start, limit)
            if frame is _Rest.INCOMPLETE or frame is _Rest.OTHER:
                self.data = data[start:]
                return frame is _Rest.OTHER
            mask_at, payload_at, end = frame
            payload = apply_mask(data[payload_at:end], data[mask_at:payload_at])
            is_binary = data[start] == _BINARY
            start = end
            self.onMessage(payload, is_binary)
        self.data = data[start:]
        return self.reads  # a closing connection is for the parser


def _frame_at(data: bytes, start: int, limit: int) -> _Frame | _Rest:
    """
    The frame with a whole message that begins here.

    :param limit: the most bytes that a payload may have.
    """
    received = len(data) - start
    if received < _SHORTEST_HEADER:
        return _Rest.INCOMPLETE
    first, size = data[start], data[start + 1]
    if first not in (_TEXT, _BINARY) or size < _MASKED or size == _LONG:
        return _Rest.OTHER
    mask_at, length = start + _SHORTEST_HEADER, size - _MASKED
    if size == _MEDIUM:
        mask_at += 2
        length = int.from_bytes(data[mask_at - 2 : mask_at])
        if received < mask_at - start:
            return _Rest.INCOMPLETE
    is_fine = length <= limit and (size != _MEDIUM or length >= _SHORTEST_MEDIUM)
    end = mask_at + 4 + length
    if is_fine and end <= len(data):
        return _Frame(mask_at, mask_at + 4, end)
    return _Rest.INCOMPLETE if is_fine and length <= _LARGE else _Rest.OTHER

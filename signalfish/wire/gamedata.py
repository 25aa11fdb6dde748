"""
Game data on its way out: spliced around the sender's bytes, never re-serialized.

JSON goes to everybody as text. Binary goes as a MessagePack envelope to recipients of the same
encoding and, converted, as text to those who take JSON (protocol section "Game data"). Encodings
that are never converted go without the envelope to recipients of protocol 2.
"""

from __future__ import annotations

from struct import Struct
from typing import ClassVar
from uuid import UUID

from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.frames import binary_frame, text_frame
from signalfish.wire.outgoing import Undeliverable
from signalfish.wire.transcode import Inconvertible, json_from_message_pack
from signalfish.wire.types import SLOTS, DeliveryClass, Encoding, Form

_BIN8 = Struct("!BB").pack
_BIN16 = Struct("!BH").pack
_BIN32 = Struct("!BI").pack
_UINT32 = Struct("!BI").pack
_UINT64 = Struct("!BQ").pack
_FORMS = [Form(version, encoding) for version in (2, 3) for encoding in Encoding]
_SAME_TEXT = {  # slots whose text is the same, because it does not depend on the encoding
    form.slot: [other.slot for other in _FORMS if other.version == form.version] for form in _FORMS
}
_STAMPED = 3  # protocol version from which game data carries epoch and sequence number


class Origin:
    """
    What all game data of one membership has in common, encoded once.

    :param player: the sender's id.
    :param epoch: which membership of the sender this is, from 1.
    :param source: the sender's connection; opaque here.
    """

    __slots__ = ("binary_prefix", "epoch", "player", "source", "text_prefix")

    def __init__(self, player: str, epoch: int, source: object = None) -> None:
        self.source = source
        self.player = player
        self.epoch = epoch
        self.text_prefix = (
            b'{"type":"GameData","data":{"from_player":"%s","data":' % player.encode()
        )
        self.binary_prefix = b"\xabfrom_player\xc4\x10%s\xa8encoding" % UUID(player).bytes


class TextData:
    """
    One JSON value for the room.

    :param raw: the value's bytes, as received and checked.
    :param seq: its number in the sender's stream, from 1.
    """

    __slots__ = ("frames", "key", "kind", "origin", "raw", "seq", "source")

    def __init__(
        self,
        origin: Origin,
        seq: int,
        raw: bytes,
        kind: DeliveryClass | None = None,
        key: int | None = None,
    ) -> None:
        self.origin = origin
        self.source = origin.source
        self.seq = seq
        self.raw = raw
        self.kind = kind
        self.key = key
        self.frames: list[bytes | None] = [None] * SLOTS

    def frame(self, form: Form) -> bytes:
        """
        See :meth:`signalfish.wire.outgoing.Outgoing.frame`.
        """
        slot = form.slot
        frame = self.frames[slot]
        if frame is None:
            suffix = b"}}" if form.version < _STAMPED else self._stamp()
            frame = text_frame(self.origin.text_prefix, self.raw, suffix)
            for same in _SAME_TEXT[slot]:
                self.frames[same] = frame
        return frame

    def bare(self) -> TextData:
        """
        The same without what has been encoded of it, to be kept.
        """
        return TextData(self.origin, self.seq, self.raw, self.kind, self.key)

    def _stamp(self) -> bytes:
        stamp = b',"seq":%d,"epoch":%d' % (self.seq, self.origin.epoch)
        if self.kind is not None:
            stamp += b',"class":"%s"' % self.kind.encode()
        if self.key is not None:
            stamp += b',"key":%d' % self.key
        return stamp + b"}}"


class BinaryData:
    """
    One opaque binary value for the room.

    :param payload: the sender's bytes, not looked at until somebody needs them converted.
    :param encoding: what the sender negotiated.
    """

    __slots__ = ("_text", "encoding", "frames", "origin", "payload", "seq", "source")
    kind: ClassVar[DeliveryClass | None] = None

    def __init__(self, origin: Origin, seq: int, payload: bytes, encoding: Encoding) -> None:
        self.origin = origin
        self.source = origin.source
        self.seq = seq
        self.payload = payload
        self.encoding = encoding
        self.frames: list[bytes | None] = [None] * SLOTS
        self._text: TextData | str | None = None

    def frame(self, form: Form) -> bytes:
        """
        See :meth:`signalfish.wire.outgoing.Outgoing.frame`.
        """
        frame = self.frames[form.slot]
        if frame is None:
            if form.encoding is self.encoding:
                frame = self._envelope(form.version)
            else:
                frame = self._converted().frame(form)
            self.frames[form.slot] = frame
        return frame

    def bare(self) -> BinaryData:
        """
        The same without what has been encoded of it, to be kept.
        """
        return BinaryData(self.origin, self.seq, self.payload, self.encoding)

    def _envelope(self, version: int) -> bytes:
        if version < _STAMPED and self.encoding is not Encoding.MESSAGE_PACK:
            return binary_frame(self.payload)
        name = self.encoding.encode()
        parts = (
            self.origin.binary_prefix,
            bytes([0xA0 | len(name)]) + name,
            b"\xa7payload" + _bin_header(len(self.payload)),
            self.payload,
        )
        if version < _STAMPED:
            return binary_frame(b"\x83", *parts)
        stamp = b"\xa3seq%s\xa5epoch%s" % (_uint(self.seq), _uint(self.origin.epoch))
        return binary_frame(b"\x85", *parts, stamp)

    def _converted(self) -> TextData:
        if self._text is None:
            self._text = self._convert()
        if isinstance(self._text, str):
            raise Undeliverable(self.origin.player, self._text)
        return self._text

    def _convert(self) -> TextData | str:
        if self.encoding is not Encoding.MESSAGE_PACK:
            return self._advice("only MessagePack is ever converted")
        try:
            raw = json_from_message_pack(self.payload)
        except Inconvertible as error:
            return self._advice(str(error))
        return TextData(self.origin, self.seq, raw)

    def _advice(self, why: str) -> str:
        return (
            f"Undeliverable game data from player {self.origin.player} "
            f"({self.encoding} payload cannot be converted for this connection): {why}"
        )


def check_class(kind: DeliveryClass | None, key: int | None, version: int) -> None:
    """
    Refuse a delivery class or key that does not belong there.

    :param version: the sender's protocol version; before 3 there are no classes.
    :raises Refusal: INVALID_DELIVERY_CLASS.
    """
    if version < _STAMPED:
        if kind is not None or key is not None:
            text = "Delivery classes need protocol version 3"
            raise Refusal(ErrorCode.INVALID_DELIVERY_CLASS, text)
    elif (kind is DeliveryClass.LATEST) is (key is None):
        text = "Invalid delivery class: latest requires a key; reliable and volatile forbid one"
        raise Refusal(ErrorCode.INVALID_DELIVERY_CLASS, text)


def _bin_header(length: int) -> bytes:
    if length < 1 << 8:
        return _BIN8(0xC4, length)
    if length < 1 << 16:
        return _BIN16(0xC5, length)
    return _BIN32(0xC6, length)


def _uint(number: int) -> bytes:
    if number < 1 << 7:
        return bytes([number])
    if number < 1 << 32:
        return _UINT32(0xCE, number)
    return _UINT64(0xCF, number)

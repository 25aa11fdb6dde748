"""
Token binding: each message of a bound connection proves who sent it, and after which others.

Only the key, the proofs and what they cover; :mod:`signalfish.net.binding` says who is bound.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Annotated, Any

import msgpack
import msgspec
from msgspec import Meta, Struct

from signalfish.wire import opaque
from signalfish.wire.client import BinaryGameData
from signalfish.wire.codec import check_size, decode_binary, decode_text
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.operations import AnyText
from signalfish.wire.server import ServerMessage

FAMILY = "signalfish.tokenbinding."
SUBPROTOCOL = "signalfish.tokenbinding.v2"
SCHEME = "server_nonce_hkdf_sha256"
NONCE_BYTES = 32

_VERSION = 2
_SEED_BYTES = 16
_INFO = b"signalfish.tokenbinding.v2/session-key"
_TEXT = b"signalfish.tokenbinding.v2\0json\0"
_BINARY = b"signalfish.tokenbinding.v2\0binary\0"
_MAX_SAFE = 2**53 - 1
_LONGEST_SAFE = len(str(-_MAX_SAFE))
_ENVELOPE_LEVELS = 128
_MEMBERS = {"token_binding", "payload"}


class TokenBindingChallenge(ServerMessage, frozen=True, kw_only=True):
    """
    The first message of a bound connection: what the client needs to make the key.
    """

    version: int = _VERSION
    scheme: str = SCHEME
    nonce: str
    first_sequence: int = 1


class Proof(Struct, forbid_unknown_fields=True):
    """
    The ``token_binding`` of one message.
    """

    version: int
    scheme: str
    sequence: Annotated[int, Meta(ge=0)]
    signature: str
    fingerprint: str | None = None


def seed(handshake_key: str) -> bytes:
    """
    The client's share of the key: what its ``Sec-WebSocket-Key`` stands for.

    :raises ValueError: if it is not the Base64 form of 16 bytes.
    """
    raw = b64decode(handshake_key, validate=True)
    if len(raw) != _SEED_BYTES or b64encode(raw).decode() != handshake_key:
        raise ValueError("not the Base64 form of 16 bytes")
    return raw


def derive_key(share: bytes, nonce: bytes) -> bytes:
    """
    The key of a connection: HKDF (RFC 5869) with SHA-256, cut to its first block of 32 bytes.

    :param share: the client's share, see :func:`seed`.
    :param nonce: the server's share, which is the salt.
    """
    pseudorandom = hmac.digest(nonce, share, "sha256")
    return hmac.digest(pseudorandom, _INFO + b"\x01", "sha256")


class Binding:
    """
    What is known of one bound connection: its key, and which message comes next.

    :param fingerprint: of the certificate that every proof must name; None if it may name any.
    :param expected: the sequence number of the next message, text and binary counted together.
    """

    def __init__(self, key: bytes, fingerprint: str | None = None, expected: int = 1) -> None:
        self._key = key
        self._fingerprint = fingerprint
        self._expected = expected

    def decode_text(self, payload: bytes, limit: int) -> AnyText:
        """
        The message in a text frame, once its proof has been checked.

        :param limit: the largest message, proof included, in bytes.
        :raises UnicodeDecodeError: if the payload is not UTF-8.
        :raises Refusal: if the proof or the message is wrong; most wrong proofs end the connection.
        """
        check_size(payload, limit)
        message = parse(payload)
        if not isinstance(message, dict):
            raise _end(ErrorCode.INVALID_INPUT, "Malformed client message")
        if "token_binding" not in message:
            raise _unauthorized("Token binding proof missing")
        try:
            proof = msgspec.convert(message.pop("token_binding"), Proof)
        except msgspec.ValidationError:
            raise _unauthorized("Invalid token binding proof") from None
        self._check(proof, _TEXT, canonical(message))
        return decode_text(payload, limit)

    def decode_binary(self, frame: bytes, limit: int) -> BinaryGameData:
        """
        The message in a binary frame, out of its envelope, once its proof has been checked.

        :param limit: the largest payload, in bytes.
        :raises Refusal: as for text, and MESSAGE_TOO_LARGE.
        """
        proof, payload = _opened(frame)
        self._check(proof, _BINARY, payload)
        return decode_binary(payload, limit)

    def _check(self, proof: Proof, domain: bytes, payload: bytes) -> None:
        if proof.version != _VERSION:
            raise _unauthorized("Invalid token binding version or sequence")
        if proof.scheme != SCHEME:
            raise _unauthorized("Unsupported token binding scheme")
        if self._fingerprint is not None:
            _check_fingerprint(proof.fingerprint, self._fingerprint)
        if proof.sequence != self._expected or proof.sequence > _MAX_SAFE:
            raise _unauthorized("Invalid token binding version or sequence")
        covered = domain + proof.sequence.to_bytes(8) + payload + _bytes(proof.fingerprint or "")
        # The texts are compared, so that one signature has one spelling only.
        signature = b64encode(hmac.digest(self._key, covered, "sha256"))
        if not hmac.compare_digest(signature, _bytes(proof.signature)):
            raise _unauthorized("Invalid token binding signature")
        self._expected += 1


def parse(payload: bytes) -> Any:
    """
    A JSON value in which nothing can be read in two ways; members of objects in canonical order.

    :raises UnicodeDecodeError: if the payload is not UTF-8.
    :raises Refusal: INVALID_INPUT, if it is not JSON, has a member twice, or a number that is not
        a plain integer of at most 2**53 - 1.
    """
    text = payload.decode()
    try:
        value = _strict.decode(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(ErrorCode.INVALID_INPUT, f"Invalid client message: {error}") from None
    if opaque.is_deeper(payload, opaque.MAX_LEVELS):
        text = f"Invalid client message: nested more than {opaque.MAX_LEVELS} levels deep"
        raise Refusal(ErrorCode.INVALID_INPUT, text)
    return value


def canonical(value: object) -> bytes:
    """
    The canonical form (RFC 8785) of a value from :func:`parse`.

    :raises Refusal: INVALID_INPUT, if a string has half a surrogate pair; ends the connection.
    """
    try:
        return _encode(value).encode()
    except UnicodeEncodeError:
        text = "Unable to normalize client message"
        raise _end(ErrorCode.INVALID_INPUT, text) from None


def _unique(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    members: dict[Any, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError("an object has a member twice")
        members[name] = value
    return members


def _ordered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return _unique(sorted(pairs, key=_utf16))


def _utf16(pair: tuple[str, Any]) -> bytes:
    return pair[0].encode("utf-16-be", "surrogatepass")


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) <= _LONGEST_SAFE else _MAX_SAFE + 1
    if abs(value) > _MAX_SAFE or digits == "-0":
        _refuse_number(digits)
    return value


def _refuse_number(literal: str) -> Any:
    text = "numbers of a bound connection are plain integers from -(2**53 - 1) to 2**53 - 1"
    raise ValueError(text)


_strict = json.JSONDecoder(
    object_pairs_hook=_ordered,
    parse_int=_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _opened(frame: bytes) -> tuple[Proof, bytes]:
    """
    The proof and the payload in the envelope of a binary message.
    """
    envelope = None
    try:
        envelope = _unpacked(frame)
        if isinstance(envelope, dict) and envelope.keys() == _MEMBERS:
            payload = envelope["payload"]
            if isinstance(payload, bytes):
                return msgspec.convert(envelope["token_binding"], Proof), payload
    except msgpack.StackError:
        raise _end(ErrorCode.INVALID_INPUT, "Malformed client message") from None
    except (ValueError, msgpack.UnpackException, msgspec.ValidationError):
        pass
    if _is_deeper(envelope, _ENVELOPE_LEVELS):
        raise _end(ErrorCode.INVALID_INPUT, "Malformed client message")
    raise _unauthorized("Invalid token-bound binary frame")


def _unpacked(frame: bytes) -> object:
    # Without this the unpacker would reserve memory for whatever a length claims.
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(frame), 1))
    unpacker.feed(frame)
    unpacker.skip()
    envelope: object = msgpack.unpackb(frame, object_pairs_hook=_unique)
    return envelope


def _is_deeper(value: object, levels: int) -> bool:
    """
    Whether an unpacked value is nested more deeply than this; looked at level by level.
    """
    layer = [value]
    while layer and levels:
        lists = [item for item in layer if isinstance(item, list)]
        maps = [item.values() for item in layer if isinstance(item, dict)]
        layer = [inner for items in (*lists, *maps) for inner in items]
        levels -= 1
    return any(isinstance(item, list | dict) for item in layer)


def _check_fingerprint(named: str | None, expected: str) -> None:
    if named is None:
        raise _unauthorized("Client fingerprint required")
    if not hmac.compare_digest(_bytes(named), _bytes(expected)):
        raise _unauthorized("Client fingerprint mismatch")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _unauthorized(text: str) -> Refusal:
    return _end(ErrorCode.UNAUTHORIZED, text)


def _end(code: ErrorCode, text: str) -> Refusal:
    return Refusal(code, text).final()

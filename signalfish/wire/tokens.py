"""
Connect tokens: what the backend of a game signs, so that a client may authenticate.

A token is ``sfct_v1.<claims>.<signature>``: claims as JSON, and an Ed25519 signature over all that
stands before it, both in the Base64 alphabet for URLs, without padding.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Annotated

import msgspec
from attrs import field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct

from signalfish.wire.errors import ErrorCode, Refusal

LIFETIME = 300
"""
Seconds that a token may be good for, by the clock of the backend.
"""

_SKEW = 60
_PREFIX = "sfct_v1"
_LONGEST = 2048
_LONGEST_NONCE = 128
_SIGNATURE_BYTES = 64
_KEY_BYTES = 32

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_WEAK = {0, 1, _P - 1, _ORDER_8, _P - _ORDER_8}  # of the eight points of small order


class Claims(Struct):
    """
    What a token says; it may say more.
    """

    app_id: Annotated[str, Meta(min_length=1)]
    exp: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    nonce: Annotated[str, Meta(min_length=1)]


_claims = msgspec.json.Decoder(Claims)


@frozen
class TokenRules:
    """
    Who needs a connect token, and which ones are good.

    :ivar key: verifies them; without one all tokens are refused.
    :ivar wall: tells the seconds since the epoch.
    :ivar required: whether a client without a token is refused.
    """

    key: Ed25519PublicKey | None = field(default=None, repr=False)
    wall: Callable[[], float] = lambda: 0.0
    required: bool = False

    def check(self, app_id: str, token: str | None, required: bool | None = None) -> None:
        """
        Refuse a client whose token is missing or not good; it may try again with another one.

        :param required: whether one is needed; None as for everybody.
        :raises Refusal: CONNECT_TOKEN_REQUIRED or CONNECT_TOKEN_INVALID; never quotes the token.
        """
        if token is not None:
            self._verify(app_id, token)
        elif self.required if required is None else required:
            raise Refusal(ErrorCode.CONNECT_TOKEN_REQUIRED, "A connect token is required")

    def _verify(self, app_id: str, token: str) -> None:
        if self.key is None:
            raise _rejected("the server has no verification key configured")
        signed, claims, signature = _split(token)
        try:
            self.key.verify(signature, signed)
        except InvalidSignature:
            raise _rejected("signature verification failed") from None
        said = _read(claims)
        rest = said.exp - int(self.wall())
        if rest <= 0:
            raise _rejected("token expired")
        if rest > LIFETIME + _SKEW:
            raise _rejected(
                f"validity window exceeds the server maximum of {LIFETIME} seconds "
                f"plus a {_SKEW} second clock-skew allowance"
            )
        if said.app_id != app_id:
            raise _rejected("token was minted for a different app id")


def public_key(text: str) -> Ed25519PublicKey:
    """
    The Ed25519 key that a Base64 text stands for, in either alphabet, with or without padding.

    :raises ValueError: if it is none, or one for which anybody could make signatures.
    """
    try:
        standard = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
        raw = b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        raise ValueError("is not Base64") from None
    if len(raw) != _KEY_BYTES:
        raise ValueError(f"is {len(raw)} bytes long, not {_KEY_BYTES}")
    height = int.from_bytes(raw, "little") % 2**255
    if height >= _P or not _is_on_curve(height) or height in _WEAK:
        raise ValueError("is no Ed25519 public key, or a weak one")
    return Ed25519PublicKey.from_public_bytes(raw)


def _is_on_curve(y: int) -> bool:
    numerator, denominator = y * y - 1, _D * y * y + 1
    return pow(numerator * denominator, (_P - 1) // 2, _P) in (0, 1)


def _split(token: str) -> tuple[bytes, bytes, bytes]:
    """
    What is signed, the claims, and the signature.
    """
    parts = token.split(".")
    if len(token) > _LONGEST or len(parts) != len(("prefix", "claims", "signature")):
        raise _malformed()
    prefix, claims, signature = parts
    if prefix != _PREFIX:
        raise _malformed()
    said, signed = _decoded(claims), _decoded(signature)
    if len(signed) != _SIGNATURE_BYTES:
        raise _malformed()
    return f"{prefix}.{claims}".encode(), said, signed


def _decoded(text: str) -> bytes:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise _malformed() from None
    # There is one spelling for each value; the decoder takes others too.
    if not raw or urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise _malformed()
    return raw


def _read(claims: bytes) -> Claims:
    try:
        said: Claims = _claims.decode(claims)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _malformed() from None
    if len(said.nonce.encode()) > _LONGEST_NONCE:
        raise _malformed()
    return said


def _malformed() -> Refusal:
    return _rejected("malformed token encoding")


def _rejected(why: str) -> Refusal:
    return Refusal(ErrorCode.CONNECT_TOKEN_INVALID, f"connect token rejected: {why}")

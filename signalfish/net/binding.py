"""
Who is bound: the choice of the subprotocol in the opening handshake, or the refusal of it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import Any

from attrs import frozen
from cryptography.hazmat.primitives.serialization import Encoding

from signalfish.wire.binding import (
    FAMILY,
    NONCE_BYTES,
    SUBPROTOCOL,
    Binding,
    TokenBindingChallenge,
    derive_key,
    seed,
)
from signalfish.wire.codec import decode_binary, decode_text
from signalfish.wire.operations import ClientMessage
from signalfish.wire.outgoing import Notice, Outgoing

Decoders = tuple[Callable[[bytes, int], ClientMessage], Callable[[bytes, int], ClientMessage]]
"""
What makes messages of text frames, and of binary frames, given the frame and the largest size.
"""


class UpgradeRefused(Exception):  # noqa: N818 - a refusal is an ordinary answer, not an error of ours
    """
    A handshake is answered as HTTP instead.

    :ivar outcome: what the response says in ``x-signal-fish-upgrade-outcome``.
    """

    def __init__(self, status: int, text: str, outcome: str) -> None:
        super().__init__(status, text, outcome)
        self.status = status
        self.text = text
        self.outcome = outcome


@frozen
class Terms:
    """
    What a handshake has settled; as it stands, what holds for a connection that is not bound.

    :ivar decoders: see :data:`Decoders`.
    :ivar greeting: what the server says first.
    :ivar fingerprint: of the client's certificate, where proofs must name it.
    """

    decoders: Decoders = (decode_text, decode_binary)
    subprotocol: str | None = None
    greeting: Outgoing | None = None
    fingerprint: str | None = None


UNBOUND = Terms()


@frozen
class Binder:
    """
    Binds the connections of clients that offer the subprotocol.

    :param random_bytes: makes that many bytes that nobody can guess.
    :ivar required: whether clients that do not offer it are refused.
    :ivar certified: whether clients need a certificate besides, which all proofs must name.
    """

    random_bytes: Callable[[int], bytes]
    required: bool = False
    certified: bool = False
    subprotocol: str = SUBPROTOCOL

    def check(self, offered: Collection[str], keys: Sequence[str], transport: Any) -> bool:
        """
        Whether a handshake makes a bound connection.

        :param offered: the subprotocols that the client offers.
        :param keys: the values of ``Sec-WebSocket-Key``.
        :param transport: the connection, which knows the certificate of the client.
        :raises UpgradeRefused: if it makes no connection at all.
        """
        is_offered = self.subprotocol in offered
        if not is_offered and any(token.lower().startswith(FAMILY) for token in offered):
            text = "unsupported token binding subprotocol"
            raise UpgradeRefused(400, text, "rejected_token_binding_offer")
        if self.certified and fingerprint(transport) is None:
            raise _failed("client certificate fingerprint required", 401)
        if not is_offered:
            if self.required or self.certified:
                raise _failed("token binding subprotocol required")
            return False
        if not keys:
            raise _failed("token binding handshake key missing")
        if len(keys) > 1:
            raise _failed("exactly one token binding handshake key required")
        try:
            seed(keys[0])
        except ValueError:
            raise _failed("invalid token binding handshake") from None
        return True

    def terms(self, offered: Collection[str], keys: Sequence[str], transport: Any) -> Terms:
        """
        What holds for the connection that a handshake makes.

        :raises UpgradeRefused: if it makes none; see :meth:`check`, which has the same parameters.
        """
        if not self.check(offered, keys, transport):
            return UNBOUND
        nonce = self.random_bytes(NONCE_BYTES)
        certificate = fingerprint(transport) if self.certified else None
        binding = Binding(derive_key(seed(keys[0]), nonce), certificate)
        challenge = TokenBindingChallenge(nonce=b64encode(nonce).decode())
        decoders = (binding.decode_text, binding.decode_binary)
        return Terms(decoders, self.subprotocol, Notice(challenge), certificate)


def fingerprint(transport: Any) -> str | None:
    """
    The SHA-256 of a client's certificate in DER, in lower-case hexadecimal.

    A server asks for a certificate only in order to verify it: if there is one here, it is good.

    :return: None if the client has shown none, or the transport has no TLS.
    """
    show = getattr(transport, "getPeerCertificate", None)
    certificate = None if show is None else show()
    if certificate is None:
        return None
    return sha256(certificate.to_cryptography().public_bytes(Encoding.DER)).hexdigest()


def _failed(text: str, status: int = 400) -> UpgradeRefused:
    return UpgradeRefused(status, text, "rejected_token_binding_negotiation")

"""
All claims to seats, by player: who may come back, and to what.
"""

from __future__ import annotations

from hmac import compare_digest

from signalfish.rooms.seat import Claim
from signalfish.wire.errors import ErrorCode, Refusal

TAKEOVER_INTERVAL = 10.0
"""
Seconds that must pass before a seat can be taken over again, so that two live clients cannot
chase each other.
"""


class Claims:
    """
    The claims of connected and of lost players.

    A claim whose time is over is kept for another window, so that the player can be told why.

    :param window: seconds for which a lost player may come back.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._claims: dict[str, Claim] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def add(self, claim: Claim) -> None:
        """
        A player has been given a token.
        """
        self._claims[claim.seat.id] = claim

    def drop(self, player: str) -> None:
        """
        A player has given up its seat.
        """
        self._claims.pop(player, None)

    def waiting(self) -> int:
        """
        How many lost players may still come back or be told that it is too late.
        """
        return sum(
            claim.expires is not None and not claim.revoked for claim in self._claims.values()
        )

    def redeem(
        self, player: str, room: str, token: str, now: float, fingerprint: str | None = None
    ) -> Claim:
        """
        The claim that a player proves with its token.

        :param fingerprint: of the certificate that the client has shown, if any.
        :raises Refusal: if there is none, or it cannot be used now.
        """
        claim = self._claims.get(player)
        if claim is None or claim.revoked:
            raise Refusal(ErrorCode.RECONNECTION_FAILED, "No disconnection record found")
        if claim.kicked:
            raise Refusal(ErrorCode.KICKED, "The seat was removed by the room authority")
        if not compare_digest(claim.token.encode(), token.encode()):
            text = "Invalid reconnection token"
            raise Refusal(ErrorCode.RECONNECTION_TOKEN_INVALID, text)
        if claim.room.id != room:
            text = "Reconnection token is invalid or expired"
            raise Refusal(ErrorCode.RECONNECTION_TOKEN_INVALID, text)
        if claim.expires is not None and claim.expires < now:
            text = "Reconnection window has expired"
            raise Refusal(ErrorCode.RECONNECTION_EXPIRED, text)
        if claim.fingerprint != fingerprint:
            text = "Invalid reconnection token"
            raise Refusal(ErrorCode.RECONNECTION_TOKEN_INVALID, text)
        if claim.expires is None and _just_taken_over(claim, now):
            raise Refusal(ErrorCode.PLAYER_ALREADY_CONNECTED, "Player is already connected")
        return claim

    def prune(self, now: float) -> None:
        """
        Forget claims that are void or long over.
        """
        limit = now - self._window
        self._claims = {
            player: claim
            for player, claim in self._claims.items()
            if not claim.revoked and (claim.expires is None or claim.expires >= limit)
        }


def _just_taken_over(claim: Claim, now: float) -> bool:
    return claim.taken_over_at is not None and now - claim.taken_over_at < TAKEOVER_INTERVAL

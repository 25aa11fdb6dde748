"""
Room passwords: kept as salted hashes, for the life of the room.
"""

from __future__ import annotations

from hashlib import blake2b
from hmac import compare_digest

from attrs import field, frozen

from signalfish.wire.errors import ErrorCode, Refusal


@frozen
class Lock:
    """
    A room password that nobody can read back.
    """

    _salt: bytes = field(repr=False)
    _digest: bytes = field(repr=False)

    @classmethod
    def sealed(cls, password: str, salt: bytes) -> Lock:
        """
        The lock that this password opens.
        """
        return cls(salt, blake2b(password.encode(), salt=salt).digest())

    def opens(self, password: str) -> bool:
        """
        Whether this is the password, in constant time.
        """
        return compare_digest(self._digest, blake2b(password.encode(), salt=self._salt).digest())


def check_password(lock: Lock | None, password: str | None) -> None:
    """
    Refuse whoever cannot open a sealed room, and a password for an open one.

    :raises Refusal: PASSWORD_REQUIRED.
    """
    fits = password is None if lock is None else password is not None and lock.opens(password)
    if not fits:
        text = "Room requires the join password set by its authority"
        raise Refusal(ErrorCode.PASSWORD_REQUIRED, text)

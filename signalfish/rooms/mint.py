"""
Where ids, tokens, room codes and salts come from.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from signalfish.wire.names import CODE_ALPHABET


class Random(Protocol):
    """
    The part of :class:`random.Random` that is needed; servers use ``random.SystemRandom``.
    """

    def getrandbits(self, k: int, /) -> int:
        """
        An integer of k random bits.
        """

    def randbytes(self, n: int, /) -> bytes:
        """
        Some number of random bytes.
        """

    def choices(self, population: str, *, k: int) -> list[str]:
        """
        Some number of symbols, each drawn from the whole population.
        """


class Mint:
    """
    Makes values that nobody can guess, as far as its source of randomness allows.

    :param code_length: length of room codes, prefix included.
    :param code_prefix: what every generated room code begins with.
    """

    def __init__(self, random: Random, code_length: int = 6, code_prefix: str = "") -> None:
        self._random = random
        self._code_prefix = code_prefix
        self._random_symbols = code_length - len(code_prefix)

    def uuid(self) -> str:
        """
        A random UUID (RFC 9562, version 4) in lower case: for players, rooms and tokens.
        """
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def room_code(self) -> str:
        """
        A room code; not necessarily unused.
        """
        symbols = self._random.choices(CODE_ALPHABET, k=self._random_symbols)
        return self._code_prefix + "".join(symbols)

    def salt(self) -> bytes:
        """
        Sixteen bytes to hash a password with.
        """
        return self._random.randbytes(16)

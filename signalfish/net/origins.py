"""
Which web pages may connect, and read what is shown over HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet


class Origins:
    """
    The origins (RFC 6454) that are allowed.

    :param listed: as browsers serialize them; None for any.
    """

    def __init__(self, listed: AbstractSet[str] | None = None) -> None:
        self._listed = listed

    def admits(self, named: Sequence[str]) -> bool:
        """
        Whether a request may become a connection.

        :param named: the values of its ``Origin`` headers; programs that are no browsers send none.
        """
        if self._listed is None or not named:
            return True
        return len(named) == 1 and named[0] in self._listed

    def sharing(self, named: Sequence[str]) -> dict[str, str]:
        """
        The headers that let a web page read the response to a request.
        """
        if self._listed is None:
            return {"access-control-allow-origin": "*"}
        varies = {"vary": "Origin"}
        if len(named) == 1 and named[0] in self._listed:
            return {"access-control-allow-origin": named[0], **varies}
        return varies

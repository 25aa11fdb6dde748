"""
What a strict client says when it is told something that cannot be.
"""

from typing import Any


class Lie(AssertionError):  # noqa: N818 - what the server did
    """
    The client was told what it cannot have been told by a correct server.
    """


def want(truth: Any, what: str, *about: Any) -> None:
    """
    :raises Lie: unless this is true.
    """
    if not truth:
        raise Lie(f"{what}: {about}")

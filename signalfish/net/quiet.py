"""
Autobahn makes texts for its debug log whether anybody reads it or not; here they are made lazily.

Without this, more than half of the CPU time of a new connection goes into them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.twisted import websocket as adapter
from autobahn.websocket import protocol

NAMES = ("hltype", "hlval", "pformat")
"""
The functions that make the texts, as both modules call them.
"""


class Lazy:
    """
    A text that is made when it is looked at.
    """

    __slots__ = ("_arguments", "_make", "_options")

    def __init__(self, make: Callable[..., str], arguments: Any, options: Any) -> None:
        self._make = make
        self._arguments = arguments
        self._options = options

    def __str__(self) -> str:
        return self._make(*self._arguments, **self._options)


def make_lazily() -> None:
    """
    Replace the functions, in this process and for good.
    """
    for module in (protocol, adapter):
        for name in NAMES:
            make = getattr(module, name, None)
            if make is not None and not hasattr(make, "eager"):
                setattr(module, name, _lazy(make))


def _lazy(make: Callable[..., str]) -> Callable[..., Lazy]:
    def lazily(*arguments: Any, **options: Any) -> Lazy:
        return Lazy(make, arguments, options)

    lazily.eager = make  # type: ignore[attr-defined] # marks what has been replaced
    return lazily

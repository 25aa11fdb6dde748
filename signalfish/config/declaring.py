"""
How a setting is declared: once, with everything that can be said of it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import field

T = TypeVar("T")

UNIT, MEANING, SECRET = "unit", "meaning", "secret"


def setting(default: T, unit: str, meaning: str, *, secret: bool = False) -> T:
    """
    One key of a section. Its name, type and range are those of the annotated attribute.

    :param unit: what the value counts, or is; what is special about single values after ``"; "``.
    :param meaning: one line of reStructuredText for the reference.
    :param secret: whether the value is never shown to anybody.
    """
    metadata = {UNIT: unit, MEANING: meaning, SECRET: secret}
    made: Any = field(default=default, repr=not secret, metadata=metadata)
    value: T = made  # attrs takes it away, and leaves the default to the constructor
    return value

"""
Versions of client libraries: Semantic Versioning 2.0.0, as far as which of two is the older one.
"""

from __future__ import annotations

import re

_LONGEST = 128
_NUMBER = r"(0|[1-9][0-9]*)"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?"
)

Precedence = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


def precedence(text: str) -> Precedence:
    """
    What orders versions: the smaller value is that of the older version.

    :raises ValueError: if the text is no version.
    """
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError("is not a version such as 1.2.3")
    major, minor, patch, prerelease = match.groups()
    identifiers = () if prerelease is None else tuple(map(_identifier, prerelease.split(".")))
    return int(major), int(minor), int(patch), prerelease is None, identifiers


def _identifier(text: str) -> tuple[bool, int, str]:
    if not text.isdecimal():
        return True, 0, text
    if text != "0" and text.startswith("0"):
        raise ValueError("is not a version such as 1.2.3")
    return False, int(text), ""

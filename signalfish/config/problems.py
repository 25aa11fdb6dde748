"""
What is said of settings that are wrong.
"""

from __future__ import annotations

from msgspec import ValidationError


class ConfigError(Exception):
    """
    A setting is wrong; the text, which is one line, names the key and what is allowed.
    """


def place(key: str) -> str:
    """
    A key that somebody wrote, fit for a line.
    """
    return key if key.isprintable() else repr(key)


def complaint(error: ValidationError) -> tuple[str, str]:
    """
    The dotted key of a value that cannot be converted, and what is expected there.
    """
    problem, _, where = str(error).partition(" - at ")
    expected = problem.partition(", got ")[0]
    return where.strip("`").removeprefix("$."), expected[:1].lower() + expected[1:]

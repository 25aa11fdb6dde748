"""
What is said of settings that are wrong.
"""

from __future__ import annotations


class ConfigError(Exception):
    """
    A setting is wrong; the text, which is one line, names the key and what is allowed.
    """


def place(key: str) -> str:
    """
    A key that somebody wrote, fit for a line.
    """
    return key if key.isprintable() else repr(key)

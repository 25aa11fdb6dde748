"""
What is said of settings that are wrong.
"""

from __future__ import annotations


class ConfigError(Exception):
    """
    A setting is wrong; the text names the key and what is allowed.
    """

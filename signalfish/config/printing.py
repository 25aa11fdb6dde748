"""
Settings as a configuration file.
"""

from __future__ import annotations

import json

import msgspec

from signalfish.config.secrets import redacted
from signalfish.config.sections import Settings


def as_json(settings: Settings) -> str:
    """
    All settings as a configuration file, with placeholders for secrets.
    """
    return json.dumps(redacted(msgspec.to_builtins(settings)), indent=2, ensure_ascii=False) + "\n"

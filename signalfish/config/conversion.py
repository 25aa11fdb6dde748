"""
From trees of sections and keys, as files hold them, to settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, get_type_hints

import msgspec
from attrs import fields

from signalfish.config.checks import check_together
from signalfish.config.problems import ConfigError, complaint, place
from signalfish.config.schema import hint_at, section_of
from signalfish.config.secrets import refuse_redacted, shown
from signalfish.config.sections import Settings

_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")


def settings(tree: Mapping[str, Any]) -> Settings:
    """
    The settings that a tree of sections and keys describes.

    :raises ConfigError: for an unknown key, or a value that is not allowed.
    """
    _refuse_unknown(tree, Settings, "")
    refuse_redacted(tree)
    try:
        result = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        key, expectation = complaint(error)
        hint = hint_at(key)
        if isinstance(hint, type) and issubclass(hint, Enum):
            expectation = f"expected one of {', '.join(hint)}"
        value = "" if expectation.startswith("object ") else f", not {shown(key, _at(tree, key))}"
        raise ConfigError(f"{place(key)}: {expectation}{value}") from None
    check_together(result)
    return result


def _at(tree: Any, key: str) -> Any:
    for name, index in _STEP.findall(key):
        tree = tree[int(index) if index else name]
    return tree


def _refuse_unknown(tree: Mapping[str, Any], section: type, path: str) -> None:
    known = {attribute.name for attribute in fields(section)}
    hints = get_type_hints(section)
    for key, value in tree.items():
        if key not in known:
            allowed = ", ".join(sorted(known))
            raise ConfigError(f"{place(path + key)}: unknown key; allowed here: {allowed}")
        inner = section_of(hints[key])
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown(value, inner, f"{path}{key}.")

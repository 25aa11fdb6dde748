"""
From trees of sections and keys, as files hold them, to settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args, get_type_hints

import msgspec
from attrs import fields, has

from signalfish.config.checks import check_together
from signalfish.config.problems import ConfigError
from signalfish.config.sections import Settings


def settings(tree: Mapping[str, Any]) -> Settings:
    """
    The settings that a tree of sections and keys describes.

    :raises ConfigError: for an unknown key, or a value that is not allowed.
    """
    _refuse_unknown(tree, Settings, "")
    try:
        result = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        key = place.strip("`").removeprefix("$.")
        raise ConfigError(f"{key}: {_expectation(problem, key)}, not {_at(tree, key)!r}") from None
    check_together(result)
    return result


def _expectation(problem: str, key: str) -> str:
    hint = hint_of(key)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"expected one of {', '.join(hint)}"
    expected = problem.partition(", got ")[0]
    return expected[:1].lower() + expected[1:]


def hint_of(key: str) -> Any:
    """
    The type of what is at a dotted key; None if nothing can be there.
    """
    hint: Any = Settings
    for name in key.split("."):
        hint = get_type_hints(hint).get(name) if has(hint) else None
    return hint


def _at(tree: Any, key: str) -> Any:
    for name in key.partition("[")[0].split("."):
        tree = tree[name]
    return tree


def _refuse_unknown(tree: Mapping[str, Any], section: type, path: str) -> None:
    known = {attribute.name for attribute in fields(section)}
    hints = get_type_hints(section)
    for key, value in tree.items():
        if key not in known:
            raise ConfigError(f"{path}{key}: unknown key; allowed here: {', '.join(sorted(known))}")
        inner = next(filter(has, (hints[key], *get_args(hints[key]))), None)
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown(value, inner, f"{path}{key}.")

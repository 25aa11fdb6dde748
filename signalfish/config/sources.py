"""
Where settings come from.

Later sources win: defaults, the configuration file, ``SIGNAL_FISH__SECTION__KEY`` variables.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_origin

from signalfish.config.conversion import hint_of, settings
from signalfish.config.problems import ConfigError
from signalfish.config.sections import Settings

_ENVIRONMENT_PREFIX = "SIGNAL_FISH__"


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    The settings from a file, if there is one, and from the environment.

    :raises ConfigError: if anything is wrong with them.
    """
    tree = {} if path is None else _read(path)
    for name, text in sorted((environment or {}).items()):
        if name.startswith(_ENVIRONMENT_PREFIX):
            keys = name.removeprefix(_ENVIRONMENT_PREFIX).lower().split("__")
            _merge(tree, _variable(keys, text), "")
    return settings(tree)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read configuration file {path}: {error}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"configuration file {path} must hold an object of sections")
    return tree


def _variable(keys: list[str], text: str) -> dict[str, Any]:
    """
    The tree that one environment variable stands for: JSON, or text, or a list with commas.
    """
    value: Any
    try:
        value = json.loads(text)
    except ValueError:
        is_list = get_origin(hint_of(".".join(keys))) is tuple
        value = text.split(",") if is_list else text
    for key in reversed(keys):
        value = {key: value}
    return cast(dict[str, Any], value)


def _merge(tree: dict[str, Any], other: Mapping[str, Any], path: str) -> None:
    for key, value in other.items():
        inner = tree.get(key)
        if isinstance(value, Mapping) and isinstance(inner, dict):
            _merge(inner, value, f"{path}{key}.")
        elif isinstance(value, Mapping) and key in tree:
            raise ConfigError(f"{path}{key}: is a section, not {inner!r}")
        else:
            tree[key] = value

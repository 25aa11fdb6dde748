"""
Where settings come from.

Later sources win: defaults, configuration files, ``SIGNAL_FISH__SECTION__KEY`` variables.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_origin

from attrs import frozen

from signalfish.config.conversion import settings
from signalfish.config.legacy import modern
from signalfish.config.problems import ConfigError
from signalfish.config.schema import hint_at, section_at
from signalfish.config.secrets import shown
from signalfish.config.sections import Settings

_VARIABLES = "SIGNAL_FISH__"
_PATH = "SIGNAL_FISH_CONFIG_PATH"
_INLINE = "SIGNAL_FISH_CONFIG_JSON"
_STDIN = "SIGNAL_FISH_CONFIG_STDIN"
_USUAL_FILE = "config.json"


@frozen
class Configuration:
    """
    Settings, and what an operator should know of how they came about.

    :ivar notes: one line each.
    """

    settings: Settings
    notes: tuple[str, ...] = ()


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    The settings from a file, if there is one, and from the environment.

    :raises ConfigError: if anything is wrong with them.
    """
    return configure(path, environment or {}).settings


def configure(
    path: Path | None, environment: Mapping[str, str], directory: Path | None = None
) -> Configuration:
    """
    The settings from a file, if there is one, and from the environment.

    :param path: a file that is read instead of what the environment says to read.
    :param directory: where a configuration file may lie about that is not read.
    :raises ConfigError: if anything is wrong with them.
    """
    tree: dict[str, Any] = {}
    ignored: set[str] = set()
    for source in (*_files(path, environment), *_variables(environment)):
        _merge(tree, modern(source, ignored), "")
    notes = []
    if ignored:
        notes.append(f"Settings that mean nothing to this server: {', '.join(sorted(ignored))}")
    notes += _unread(path, environment, directory)
    return Configuration(settings(tree), tuple(map(_line, notes)))


def _files(path: Path | None, environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    if path is not None:
        yield _read(path)
        return
    if environment.get(_STDIN, "").strip().lower() in ("1", "true", "yes"):
        raise ConfigError(f"{_STDIN}: expected nothing; --config /dev/stdin reads standard input")
    if environment.get(_PATH):
        yield _read(Path(environment[_PATH]))
    if environment.get(_INLINE):
        try:
            yield _object(json.loads(environment[_INLINE]), _INLINE)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{_INLINE}: expected JSON: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(_line(f"cannot read configuration file {path}: {error}")) from None
    return _object(tree, f"configuration file {path}")


def _object(tree: Any, origin: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin} must hold an object of sections")
    return tree


def _unread(
    path: Path | None, environment: Mapping[str, str], directory: Path | None
) -> Iterator[str]:
    """
    What somebody might take for a source that is none.
    """
    for name in (_PATH, _INLINE, _STDIN):
        if path is not None and environment.get(name):
            yield f"{name} is not read, because there is --config"
    if directory is None or not (directory / _USUAL_FILE).exists():
        return
    used = path or (Path(environment[_PATH]) if environment.get(_PATH) else None)
    if used is None or (directory / used).resolve() != (directory / _USUAL_FILE).resolve():
        yield f"{_USUAL_FILE} in the working directory is not read; --config reads it"


def _variables(environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name, text in sorted(environment.items()):
        if name.startswith(_VARIABLES):
            keys = name.removeprefix(_VARIABLES).lower().split("__")
            value = _value(".".join(keys), text)
            for key in reversed(keys):
                value = {key: value}
            yield cast(dict[str, Any], value)


def _value(key: str, text: str) -> Any:
    """
    The value of an environment variable: JSON, or text, or a list with commas.
    """
    hint = hint_at(key)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _text(key, hint, text)
    if str in (hint, *get_args(hint)) and isinstance(value, int | float):
        return text.strip()  # a token, say, of digits only
    return value


def _text(key: str, hint: Any, text: str) -> Any:
    if get_args(hint) == (str, ...):
        return [part.strip() for part in text.split(",")] if text.strip() else []
    if section_at(key) or get_origin(hint) in (dict, tuple):
        raise ConfigError(f"{key}: expected JSON, which the variable is not")  # it may be secret
    return text.strip()


def _merge(tree: dict[str, Any], other: Mapping[str, Any], path: str) -> None:
    for key, value in other.items():
        inner = tree.get(key)
        if isinstance(value, Mapping) and isinstance(inner, dict):
            _merge(inner, value, f"{path}{key}.")
        elif isinstance(value, Mapping) and key in tree and inner is not None:
            raise ConfigError(f"{path}{key}: is a section, not {shown(path + key, inner)}")
        else:
            tree[key] = value


def _line(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")

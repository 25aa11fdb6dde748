"""
What is shown to nobody, and what is shown in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signalfish.config.problems import ConfigError, place
from signalfish.config.reference import entries

HIDDEN = "<redacted>"

_LONGEST = 200  # characters of a value in a message
_NAMES = frozenset(
    {
        *(entry.name.rpartition(".")[2] for entry in entries() if entry.is_secret),
        "app_secret",  # of apps, in configurations of the public server
        "credential",  # of ICE servers
    }
)
_UNSHOWN = _NAMES | {"ice_servers"}  # where a misspelt name may have a secret


def redacted(value: Any) -> Any:
    """
    A copy of a tree, or a part of one, without its secrets.
    """
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if name in _NAMES and inner else redacted(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def shown(key: str, value: Any) -> str:
    """
    A value as it may appear in a message about a key: without secrets, and not too long.
    """
    if any(name.partition("[")[0] in _UNSHOWN for name in key.split(".")):
        return HIDDEN
    text = repr(redacted(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def refuse_redacted(tree: Any) -> None:
    """
    Refuse a tree from which secrets have been taken, as somebody might guess what is there instead.

    :raises ConfigError: for the first that is missing.
    """
    for key in _hidden(tree, ""):
        raise ConfigError(f"{place(key)}: is {HIDDEN!r}; put the secret in its place")


def _hidden(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _NAMES and inner == HIDDEN:
                yield path + name
            yield from _hidden(inner, f"{path}{name}.")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _hidden(inner, path)

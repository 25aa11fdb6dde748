"""
Keys that configurations of the public server have, and this server understands otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signalfish.config.problems import ConfigError, place
from signalfish.config.schema import section_at

ALIASES = {
    "security.authorized_apps": "allowed_apps",
    "security.require_websocket_auth": "enforce_app_id_allowlist",
}
"""
Older names, and what has taken their place in the same section.
"""

IGNORED = frozenset(
    {
        "auth",
        "coordination",
        "environment",
        "logging",
        "metrics",
        "security.transport.tls.certificate_path",
        "security.transport.tls.client_auth",
        "security.transport.tls.client_ca_cert_path",
        "security.transport.tls.private_key_path",
        "security.transport.token_binding.scheme",
        "server.heartbeat_db_throttle_secs",
        "server.heartbeat_throttle_secs",
        "server.region_id",
        "websocket.batch_interval_ms",
        "websocket.batch_size",
        "websocket.enable_batching",
    }
)
"""
What means nothing here, whatever it says.
"""

REFUSED = {
    "security.transport.tls.enabled": "TLS is switched on by listening on an endpoint 'ssl:...'",
}
"""
What may only be off, since whoever switches it on relies on it; and why.
"""

_COMMENTS = ("_", "$")
_APPS_SECTION, _APPS = "security.", "allowed_apps"
_SECRET = "app_secret"  # noqa: S105 - the name of a key
_SECTIONS = {"security.transport.tls"}  # in which everything is ignored or refused


def modern(tree: Mapping[str, Any], ignored: set[str], path: str = "") -> dict[str, Any]:
    """
    The same tree without what means nothing, and with current names.

    :param ignored: where the dotted keys go that were left out.
    :raises ConfigError: for what cannot be ignored, or an alias beside what it stands for.
    """
    result: dict[str, Any] = {}
    for name, value in tree.items():
        key = path + name
        if name.startswith(_COMMENTS) or key in IGNORED:
            ignored.add(key)
        elif key in REFUSED:
            _check_off(key, value)
        elif key in ALIASES and ALIASES[key] in tree:
            raise ConfigError(f"{key}: is another name of {path}{ALIASES[key]}, given as well")
        elif key in _SECTIONS and isinstance(value, Mapping):
            for unknown in modern(value, ignored, f"{key}."):
                raise ConfigError(f"{place(f'{key}.{unknown}')}: unknown key")
        elif section_at(key) and isinstance(value, Mapping):
            result[name] = modern(value, ignored, f"{key}.")
        else:
            result[ALIASES.get(key, name)] = value
    if path == _APPS_SECTION and isinstance(result.get(_APPS), list):
        _drop_secrets(result, ignored)
    return result


def without_secret(entry: object) -> object:
    """
    The entry of an application without the secret that it had for older servers.
    """
    if not isinstance(entry, Mapping):
        return entry
    return {key: value for key, value in entry.items() if key != _SECRET}


def _drop_secrets(section: dict[str, Any], ignored: set[str]) -> None:
    if any(isinstance(entry, Mapping) and _SECRET in entry for entry in section[_APPS]):
        ignored.add(f"{_APPS_SECTION}{_APPS}.{_SECRET}")
    section[_APPS] = [without_secret(entry) for entry in section[_APPS]]


def _check_off(key: str, value: Any) -> None:
    if value is not False and value is not None:
        raise ConfigError(f"{key}: expected `false`, not {value!r}, because {REFUSED[key]}")

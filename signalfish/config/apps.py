"""
Which applications may connect: the list of the settings, and the file beside it.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from signalfish.apps import App
from signalfish.config.connections import Security
from signalfish.config.legacy import without_secret
from signalfish.config.problems import ConfigError, complaint
from signalfish.wire.errors import Refusal
from signalfish.wire.names import check_app_id

_LIST, _FILE = "security.allowed_apps", "security.app_auth_path"


def allowed_apps(security: Security) -> tuple[App, ...] | None:
    """
    The applications whose clients may connect; None if any may.

    :raises ConfigError: if the list has mistakes, or is in force and empty.
    """
    entries = [
        (f"{_LIST}[{number}]", app) for number, app in enumerate(security.allowed_apps or ())
    ]
    if security.app_auth_path is not None:
        entries += _read(security.app_auth_path)
    seen: set[str] = set()
    for place, app in entries:
        _check(place, app, has_key=security.connect_token is not None)
        if app.id in seen:
            raise ConfigError(f"{place}.app_id: {app.id!r} is listed twice")
        seen.add(app.id)
    is_configured = security.allowed_apps is not None or security.app_auth_path is not None
    if security.enforce_app_id_allowlist is False:
        return None
    if not security.enforce_app_id_allowlist and not is_configured:
        return None
    if not entries:
        raise ConfigError(
            f"{_LIST}: lists no application, so nobody could connect; "
            "list some, or set security.enforce_app_id_allowlist to false"
        )
    return tuple(app for _, app in entries)


def _read(name: str) -> list[tuple[str, App]]:
    """
    The applications of a file, each with what to call it in complaints.
    """
    try:
        tree = json.loads(Path(name).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{_FILE}: cannot read {name}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{_FILE}: {name} is not JSON: {error}") from None
    if not isinstance(tree, dict) or set(tree) != {"apps"} or not isinstance(tree["apps"], list):
        raise ConfigError(f'{_FILE}: {name} must hold an object {{"apps": [...]}} and nothing else')
    apps = []
    for number, entry in enumerate(tree["apps"]):
        place = f"{_FILE}: {name}: apps[{number}]"
        try:
            apps.append((place, msgspec.convert(without_secret(entry), App)))
        except msgspec.ValidationError as error:
            key, expectation = complaint(error)
            raise ConfigError(f"{place}{key and '.'}{key}: {expectation}") from None
    return apps


def _check(place: str, app: App, *, has_key: bool) -> None:
    try:
        check_app_id(app.id)
    except Refusal as refusal:
        raise ConfigError(f"{place}.app_id: {refusal.text}, not {app.id!r}") from None
    for key, text in (("app_id", app.id), ("app_name", app.name)):
        if not text.strip():
            raise ConfigError(f"{place}.{key}: must not be blank")
    if app.require_connect_token and not has_key:
        raise ConfigError(
            f"{place}.require_connect_token: is true, but security.connect_token has no key"
        )

"""
Transcripts without what differs by chance: ids, codes, tokens, times, and the order of sets.
"""

import re
from typing import Any

from tests.interop.transcripts.play import Play, Transcript

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SETS = ("current_players", "current_spectators", "ready_players", "peer_connections", "peers")
_SETS_TOO = ("sender_watermarks",)


def normalised(play: Play) -> Transcript:
    """
    The transcript of a play with names for what differs by chance.
    """
    names = _names(play)
    return {
        cell: [_normal(message, names) for message in told]
        for cell, told in play.transcript.items()
    }


def _names(play: Play) -> dict[str, str]:
    names: dict[str, str] = {}
    kinds = {
        "room_id": "room",
        "room_code": "code",
        "reconnection_token": "token",
        "generation": "generation",
    }
    for (_, actor), told in play.transcript.items():
        for path, value in _strings(told):
            if path in ("player_id", "spectator_id") and value not in names and _own(told, value):
                names[value] = f"<{actor}>"
            if path in kinds and value not in names:
                known = sum(name.startswith(f"<{kinds[path]} ") for name in names.values())
                names[value] = f"<{kinds[path]} {known + 1}>"
    return names


def _own(told: list[Any], value: str) -> bool:
    for message in told:
        kind, fields = message["type"], message.get("data", {})
        if kind == "RoomOperationResult":
            kind, fields = fields["result"]["type"], fields["result"].get("data", {})
        if kind in ("RoomJoined", "Reconnected") and fields["player_id"] == value:
            return True
        if kind == "SpectatorJoined" and fields["spectator_id"] == value:
            return True
    return False


def _strings(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key)
    elif isinstance(value, str):
        yield key, value


def _normal(value: Any, names: dict[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _normal(inner, names, name) for name, inner in value.items()}
    if isinstance(value, list):
        items = [_normal(inner, names, key) for inner in value]
        return sorted(items, key=str) if key in _SETS + _SETS_TOO else items
    if key == "initiate":
        return "<by id>"
    if isinstance(value, str):
        if _TIME.fullmatch(value):
            return "<time>"
        if value in names:
            return names[value]
        for known, name in names.items():
            value = value.replace(known, name) if len(known) > 6 else value
    return value

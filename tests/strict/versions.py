"""
What the versions of the protocol add to messages.
"""

from typing import Any

from tests.strict.lie import want

_NEWER = {
    "Signal",
    "SessionPlan",
    "PeerTransportStatus",
    "GoingAway",
    "DeliveryReport",
    "RelayStats",
    "RoomOperationResult",
}
_ADDED = {
    "PlayerLeft": ("epoch", "final_seq"),
    "PlayerReconnected": ("epoch",),
    "GameData": ("epoch", "seq"),
    "NewSpectatorJoined": ("spectator_count",),
    "SpectatorDisconnected": ("spectator_count",),
    "Reconnected": ("sender_watermarks", "reconnection_token", "replay"),
    "ProtocolInfo": ("protocol_version", "max_outbound_message_size", "transports"),
}
_OPTIONAL = {"RoomJoined": ("ice_servers",), "GameData": ("class", "key")}


def check_version(version: int, kind: str, data: Any) -> None:
    """
    A message exists in this version, and has what it must have there, and nothing newer.
    """
    newer = version >= 3
    want(newer or kind not in _NEWER, "message of a newer version", kind)
    if data is None:
        return
    result = data.get("result") if kind == "RoomOperationResult" else None
    events = [(kind, data)]
    events += [(event["type"], event["data"]) for event in data.get("missed_events", ())]
    if result is not None and "data" in result:
        check_version(version, result["type"], result["data"])
    for name, body in events:
        entries = [*body.get("current_players", ())]
        entries += [body["player"]] if "player" in body else []
        for entry in entries:
            want("connection_info" not in entry or not newer, "connection_info", name, entry)
        holders = [(entry, ("epoch", "seq")) for entry in entries]
        for holder, fields in [*holders, (body, _ADDED.get(name, ()))]:
            for field in fields:
                want((field in holder) is newer, f"{field} in version {version}", name, holder)
        if not newer:
            leaked = set(_OPTIONAL.get(name, ())) & set(body)
            want(not leaked, "newer members", name, leaked)

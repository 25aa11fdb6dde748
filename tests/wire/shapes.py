"""
Which members every server message has, in which order, in which protocol version.

Written down from the protocol, independently of the declarations; a ``?`` marks members that
may be absent.
"""

import json

_SNAPSHOT = """
    room_id room_code player_id game_name max_players supports_authority current_players
    is_authority lobby_state ready_players relay_type current_spectators
"""

_V2 = {
    "PlayerEntry": "id name is_authority is_ready connected_at connection_info?",
    "SpectatorEntry": "id name connected_at",
    "PeerConnection": "player_id player_name is_authority relay_type connection_info?",
    "RateLimits": "per_minute per_hour per_day",
    "NameRules": """
        max_length min_length allow_unicode_alphanumeric allow_spaces
        allow_leading_trailing_whitespace allowed_symbols additional_allowed_characters?
    """,
    "Authenticated": "app_name rate_limits",
    "ProtocolInfo": """
        platform? sdk_version? minimum_version? recommended_version? capabilities notes?
        game_data_formats player_name_rules
    """,
    "AuthenticationError": "error error_code",
    "RoomJoined": f"{_SNAPSHOT} reconnection_token?",
    "RoomJoinFailed": "reason error_code",
    "RoomLeft": "",
    "PlayerJoined": "player",
    "PlayerLeft": "player_id",
    "PlayerReconnected": "player_id player",
    "AuthorityChanged": "authority_player you_are_authority",
    "AuthorityResponse": "granted reason error_code?",
    "LobbyStateChanged": "lobby_state ready_players all_ready",
    "GameStarting": "peer_connections",
    "Pong": "",
    "Reconnected": f"{_SNAPSHOT} missed_events",
    "ReconnectionFailed": "reason error_code",
    "SpectatorJoined": """
        room_id room_code spectator_id game_name current_players current_spectators
        lobby_state reason
    """,
    "SpectatorJoinFailed": "reason error_code",
    "SpectatorLeft": "room_id room_code? reason current_spectators",
    "NewSpectatorJoined": "spectator current_spectators reason",
    "SpectatorDisconnected": "spectator_id reason current_spectators",
    "Error": "message error_code",
    "TokenBindingChallenge": "version scheme nonce first_sequence",
}
_V3 = {
    "IceServer": "urls username? credential?",
    "DirectEndpoint": "host port",
    "SessionPeer": "player_id player_name is_authority initiate",
    "SessionPlan": """
        generation topology transport host? direct_endpoint? peers ice_servers? fallback
    """,
    "Signal": "from generation signal",
    "PeerTransportStatus": "peer_id transport connected",
    "ReliableCounts": "delivered abandoned unsupported_format",
    "LatestCounts": "delivered superseded dropped_full abandoned unsupported_format",
    "VolatileCounts": "delivered dropped abandoned unsupported_format",
    "ClassCounts": "reliable latest volatile",
    "Gap": "from_player epoch from_seq to_seq reason",
    "DeliveryReport": "per_class gaps?",
    "RelayStats": "interval_ms sent_to_you dropped_for_you backpressure_events",
    "GoingAway": "deadline_ms retry_after_secs?",
    "RoomOperationResult": "operation_id result",
    "PlayerKicked": "player_id",
    "PlayerBanned": "player_id",
    "PlayerUnbanned": "player_id",
    "RoomCodeRegenerated": "room_code",
    "RoomAccessUpdated": "requires_password",
    "AuthorityTransferred": "player_id",
    "OperationFailed": "reason error_code",
    "RoomJoined": f"{_SNAPSHOT} ice_servers? reconnection_token?",
    "PlayerEntry": "id name is_authority is_ready connected_at epoch? seq?",
    "Watermark": "player_id epoch seq",
    "ProtocolInfo": f"""
        {_V2["ProtocolInfo"]} protocol_version? min_protocol_version? max_protocol_version?
        transports? max_outbound_message_size?
    """,
    "PlayerLeft": "player_id epoch? final_seq?",
    "PlayerReconnected": "player_id epoch? player",
    "Reconnected": f"""
        {_SNAPSHOT} ice_servers? missed_events replay? sender_watermarks? reconnection_token?
    """,
    "NewSpectatorJoined": "spectator current_spectators spectator_count? reason",
    "SpectatorDisconnected": "spectator_id reason current_spectators spectator_count?",
}
_INSIDE = {
    "current_players": "PlayerEntry",
    "current_spectators": "SpectatorEntry",
    "peer_connections": "PeerConnection",
    "player": "PlayerEntry",
    "player_name_rules": "NameRules",
    "rate_limits": "RateLimits",
    "sender_watermarks": "Watermark",
    "spectator": "SpectatorEntry",
    "ice_servers": "IceServer",
    "direct_endpoint": "DirectEndpoint",
    "peers": "SessionPeer",
    "per_class": "ClassCounts",
    "reliable": "ReliableCounts",
    "latest": "LatestCounts",
    "volatile": "VolatileCounts",
    "gaps": "Gap",
}

NEWER = {
    "SessionPlan",
    "Signal",
    "PeerTransportStatus",
    "DeliveryReport",
    "GoingAway",
    "RelayStats",
    "RoomOperationResult",
}
"""
Messages that exist only since version 3.
"""

MEMBERS = {
    version: {name: members.split() for name, members in shapes.items()}
    for version, shapes in [(2, _V2), (3, _V2 | _V3)]
}


class Pairs(list):
    """
    A JSON object with its members in order, duplicates included.
    """


def parsed(text):
    """
    A JSON text, in which the order of members counts.
    """
    return json.loads(text, object_pairs_hook=Pairs)


def misfits(envelope, version, *, complete=False):
    """
    What is wrong with the members of a parsed message, as readable lines.

    :param complete: whether members that may be absent have to be there.
    """
    keys = [key for key, _ in envelope]
    name = dict(envelope)["type"]
    members = MEMBERS[version].get(name)
    if members is None:
        yield f"{name} does not exist"
        return
    if keys != (["type", "data"] if members else ["type"]):
        yield f"{name} is enveloped in {keys}"
    if members:
        yield from _misfits(dict(envelope)["data"], name, version, complete=complete)


def _misfits(value, name, version, *, complete):
    keys = [key for key, _ in value]
    members = MEMBERS[version].get(name)
    if members is None:
        yield f"{name} does not exist"
        return
    expected = [
        member.rstrip("?")
        for member in members
        if complete or not member.endswith("?") or member[:-1] in keys
    ]
    if keys != expected:
        yield f"{name} has {keys} instead of {expected}"
    for key, inner in value:
        items = [inner] if isinstance(inner, Pairs) else inner
        if key in _INSIDE:
            for item in items:
                yield from _misfits(item, _INSIDE[key], version, complete=complete)
        if key in ("missed_events", "result"):
            for item in items:
                yield from misfits(item, version, complete=complete)

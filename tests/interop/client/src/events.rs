//! The events of the official client, written down as JSON.

use serde_json::{json, Value};

use crate::sdk::SignalFishEvent;
use crate::tap::Farewell;

pub fn described(event: &SignalFishEvent, farewell: &Farewell) -> Value {
    use SignalFishEvent::*;
    if let Some(fields) = crate::described(event) {
        return fields;
    }
    match event {
        Disconnected { reason, .. } => {
            let (code, why) =
                farewell.get().map_or((None, None), |got| (got.code, got.reason.clone()));
            json!({"reason": reason, "code": code, "why": why})
        }
        DecodeFailed { message_type, error, raw_prefix } => {
            json!({"message_type": message_type, "error": error, "raw": raw_prefix})
        }
        ProtocolViolation { kind, diagnostic } => {
            json!({"kind": format!("{kind:?}"), "diagnostic": diagnostic})
        }
        ProtocolInfo(info) => json!(info),
        RoomJoined {
            room_id,
            room_code,
            player_id,
            current_players,
            is_authority,
            lobby_state,
            ready_players,
            ice_servers,
            reconnection_token,
            ..
        } => json!({
            "room": room_id, "code": room_code, "player": player_id, "players": current_players,
            "is_authority": is_authority, "lobby_state": lobby_state, "ready": ready_players,
            "ice_servers": ice_servers, "token": reconnection_token}),
        Reconnected {
            room_id,
            player_id,
            current_players,
            is_authority,
            lobby_state,
            missed_events,
            replay,
            sender_watermarks,
            reconnection_token,
            ..
        } => json!({
            "room": room_id, "player": player_id, "players": current_players,
            "is_authority": is_authority, "lobby_state": lobby_state, "replay": replay,
            "missed": missed_events.iter().map(|event| format!("{event:?}")).collect::<Vec<_>>(),
            "watermarks": sender_watermarks, "token": reconnection_token}),
        AuthenticationError { error, error_code } => json!({"error": error, "code": error_code}),
        RoomJoinFailed { reason, error_code } | SpectatorJoinFailed { reason, error_code } => {
            json!({"reason": reason, "code": error_code})
        }
        ReconnectionFailed { reason, error_code } => json!({"reason": reason, "code": error_code}),
        Error { message, error_code } => json!({"message": message, "code": error_code}),
        PlayerJoined { player } => json!({"player": player}),
        PlayerLeft { player_id, epoch, final_seq } => {
            json!({"player": player_id, "epoch": epoch, "final_seq": final_seq})
        }
        PlayerReconnected { player_id, epoch } => json!({"player": player_id, "epoch": epoch}),
        GameData { from_player, data, seq, epoch, class, key } => json!({
            "from": from_player, "data": data, "seq": seq, "epoch": epoch,
            "class": class, "key": key}),
        GameDataBinary { from_player, encoding, payload, seq, epoch } => json!({
            "from": from_player, "encoding": encoding, "bytes": payload,
            "seq": seq, "epoch": epoch}),
        AuthorityChanged { authority_player, you_are_authority } => {
            json!({"player": authority_player, "you": you_are_authority})
        }
        AuthorityResponse { granted, reason, error_code } => {
            json!({"granted": granted, "reason": reason, "code": error_code})
        }
        LobbyStateChanged { lobby_state, ready_players, all_ready } => json!({
            "lobby_state": lobby_state, "ready": ready_players, "all_ready": all_ready}),
        GameStarting { peer_connections } => json!({"peers": peer_connections}),
        PeerTransportStatus { peer_id, transport, connected } => {
            json!({"player": peer_id, "transport": transport, "connected": connected})
        }
        GoingAway { deadline_ms, retry_after_secs } => {
            json!({"deadline_ms": deadline_ms, "retry_after_secs": retry_after_secs})
        }
        RelayStats { interval_ms, sent_to_you, dropped_for_you, backpressure_events } => json!({
            "interval_ms": interval_ms, "sent": sent_to_you, "dropped": dropped_for_you,
            "stalls": backpressure_events}),
        DeliveryReport(report) => json!(report),
        SpectatorJoined { room_id, spectator_id, current_players, lobby_state, .. } => json!({
            "room": room_id, "spectator": spectator_id, "players": current_players,
            "lobby_state": lobby_state}),
        SpectatorLeft { reason, .. } => json!({"reason": reason}),
        _ => json!({}),
    }
}

//! The official client, worked by somebody else's strings.
//!
//! Reads one JSON command a line from standard input, and writes one JSON event a line to standard
//! output. Whoever holds the strings decides what is right; this program does what it is told.
//! The first line says whom to connect to, and as what: `{"url": ..., "mode": ..., "binary": ...}`.
//! Further lines are `{"do": ..., ...}`; the end of the input ends the connection properly.

use std::io::Write;
use std::process::exit;

use serde_json::{json, Value};
use signal_fish_client::*;
use tokio::io::{AsyncBufReadExt, BufReader};

type Outcome = std::result::Result<(), SignalFishError>;

fn text(command: &Value, key: &str) -> String {
    command[key].as_str().unwrap_or_default().to_owned()
}

fn config(command: &Value) -> SignalFishConfig {
    let mut config = SignalFishConfig::new("interop");
    match command["mode"].as_str() {
        Some("v3") => config = config.enable_v3(),
        Some("mesh") => config = config.enable_mesh(),
        _ => {}
    }
    if command["binary"] == true {
        config.game_data_format = Some(GameDataEncoding::MessagePack);
    }
    config
}

fn delivery(command: &Value) -> GameDataDelivery {
    match command["class"].as_str() {
        Some("latest") => {
            GameDataDelivery::Latest { key: command["key"].as_u64().expect("a key") as u32 }
        }
        Some("volatile") => GameDataDelivery::Volatile,
        _ => GameDataDelivery::Reliable,
    }
}

fn bytes(command: &Value) -> Vec<u8> {
    serde_json::from_value(command["bytes"].clone()).expect("bytes")
}

fn obey(client: &mut SignalFishClient, command: &Value) -> Outcome {
    let id = |key: &str| text(command, key).parse().expect("a UUID");
    match command["do"].as_str().unwrap_or_default() {
        "join" => {
            let mut params = JoinRoomParams::new(text(command, "game"), text(command, "name"));
            if let Some(code) = command["code"].as_str() {
                params = params.with_room_code(code);
            }
            if let Some(number) = command["max_players"].as_u64() {
                params = params.with_max_players(number as u8);
            }
            if let Some(password) = command["password"].as_str() {
                params = params.with_password(password);
            }
            client.join_room(params)
        }
        "leave" => client.leave_room(),
        "ready" => client.set_ready(),
        "start" => client.start_game(),
        "ping" => client.ping(),
        "data" => client.send_game_data_with_delivery(command["data"].clone(), delivery(command)),
        "binary" => client.send_binary_game_data(bytes(command)),
        "authority" => client.request_authority(command["become"] == true),
        "info" => client.provide_connection_info(
            serde_json::from_value(command["info"].clone()).expect("connection info"),
        ),
        "reconnect" => client.reconnect(id("player"), id("room"), text(command, "token")),
        "watch" => {
            let game = text(command, "game");
            let code = text(command, "code");
            let name = text(command, "name");
            match command["password"].as_str() {
                Some(word) => client.join_as_spectator_with_password(game, code, name, word),
                None => client.join_as_spectator(game, code, name),
            }
        }
        "unwatch" => client.leave_spectator(),
        "signal" => client.send_raw_signal(id("to"), command["signal"].clone()),
        "transport" => client.report_transport_status(
            serde_json::from_value(command["transport"].clone()).expect("a transport"),
            command["connected"] == true,
        ),
        other => panic!("unknown command {other:?}"),
    }
}

fn described(event: &SignalFishEvent) -> Value {
    use SignalFishEvent::*;
    match event {
        Disconnected { reason, .. } => json!({"reason": reason}),
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
        RoomJoinFailed { reason, error_code }
        | RoomOperationFailed { reason, error_code }
        | SpectatorJoinFailed { reason, error_code } => {
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
        SessionPlan {
            generation,
            topology,
            transport,
            host,
            direct_endpoint,
            peers,
            ice_servers,
            ..
        } => json!({
            "generation": generation, "topology": topology, "transport": transport, "host": host,
            "endpoint": direct_endpoint, "peers": peers, "ice_servers": ice_servers}),
        SignalReceived { from, generation, signal } => {
            json!({"from": from, "generation": generation, "signal": signal})
        }
        PeerTransportStatus { peer_id, transport, connected } => {
            json!({"player": peer_id, "transport": transport, "connected": connected})
        }
        GoingAway { deadline_ms, retry_after_secs } => {
            json!({"deadline_ms": deadline_ms, "retry_after_secs": retry_after_secs})
        }
        DeliveryReport(report) => json!(report),
        SpectatorJoined { room_id, spectator_id, current_players, lobby_state, .. } => json!({
            "room": room_id, "spectator": spectator_id, "players": current_players,
            "lobby_state": lobby_state}),
        SpectatorLeft { reason, .. } => json!({"reason": reason}),
        NewSpectatorJoined { spectator, spectator_count, .. } => {
            json!({"spectator": spectator, "count": spectator_count})
        }
        SpectatorDisconnected { spectator_id, reason, spectator_count, .. } => {
            json!({"spectator": spectator_id, "reason": reason, "count": spectator_count})
        }
        _ => json!({}),
    }
}

fn say(name: &str, fields: Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({"event": name, "data": fields})).expect("standard output");
    out.flush().expect("standard output");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let first = lines.next_line().await.expect("input").expect("a line");
    let hello: Value = serde_json::from_str(&first).expect("JSON");
    let transport = WebSocketTransport::connect(&text(&hello, "url")).await.expect("a connection");
    let (mut client, mut events) = SignalFishClient::start(transport, config(&hello));
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line.expect("input") else { break };
                let command: Value = serde_json::from_str(&line).expect("JSON");
                if command["do"] == "die" {
                    exit(0); // the connection is lost, without a farewell
                }
                if let Err(error) = obey(&mut client, &command) {
                    say("Refused", json!({"error": error.to_string()}));
                }
            }
            event = events.recv() => {
                let Some(event) = event else { break };
                say(&format!("{event:?}"), described(&event));
            }
        }
    }
    client.shutdown().await;
}

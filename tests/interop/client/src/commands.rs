//! From commands to calls of the official client.

use serde_json::Value;

use crate::sdk::protocol::*;
use crate::sdk::*;
use crate::{watch_with_password, with_password};

type Outcome = std::result::Result<(), SignalFishError>;

fn text(command: &Value, key: &str) -> String {
    command[key].as_str().unwrap_or_default().to_owned()
}

pub fn config(command: &Value) -> SignalFishConfig {
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

fn join(command: &Value) -> JoinRoomParams {
    let mut params = JoinRoomParams::new(text(command, "game"), text(command, "name"));
    if let Some(code) = command["code"].as_str() {
        params = params.with_room_code(code);
    }
    if let Some(number) = command["max_players"].as_u64() {
        params = params.with_max_players(number as u8);
    }
    if let Some(password) = command["password"].as_str() {
        params = with_password(params, password);
    }
    params
}

fn watch(client: &mut SignalFishClient, command: &Value) -> Outcome {
    let [game, code, name] = ["game", "code", "name"].map(|key| text(command, key));
    match command["password"].as_str() {
        Some(word) => watch_with_password(client, [game, code, name, word.to_owned()]),
        None => client.join_as_spectator(game, code, name),
    }
}

pub fn obey(client: &mut SignalFishClient, command: &Value) -> Outcome {
    let id = |key: &str| text(command, key).parse().expect("a UUID");
    match command["do"].as_str().unwrap_or_default() {
        "join" => client.join_room(join(command)),
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
        "watch" => watch(client, command),
        "unwatch" => client.leave_spectator(),
        "signal" => client.send_raw_signal(id("to"), command["signal"].clone()),
        "transport" => client.report_transport_status(
            serde_json::from_value(command["transport"].clone()).expect("a transport"),
            command["connected"] == true,
        ),
        other => panic!("unknown command {other:?}"),
    }
}

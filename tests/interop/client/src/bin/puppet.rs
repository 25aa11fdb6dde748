//! A puppet that is the newest official client.

use serde_json::{json, Value};
use signal_fish_client as sdk;

use sdk::{JoinRoomParams, SignalFishClient, SignalFishError, SignalFishEvent};

#[path = "../commands.rs"]
mod commands;
#[path = "../events.rs"]
mod events;
#[path = "../play.rs"]
mod play;
#[path = "../tap.rs"]
mod tap;

fn with_password(params: JoinRoomParams, password: &str) -> JoinRoomParams {
    params.with_password(password)
}

fn watch_with_password(
    client: &mut SignalFishClient,
    [game, code, name, password]: [String; 4],
) -> Result<(), SignalFishError> {
    client.join_as_spectator_with_password(game, code, name, password)
}

/// The events that other releases do not have, or have with other fields.
fn described(event: &SignalFishEvent) -> Option<Value> {
    use SignalFishEvent::*;
    Some(match event {
        RoomOperationFailed { reason, error_code } => {
            json!({"reason": reason, "code": error_code})
        }
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
        NewSpectatorJoined { spectator, spectator_count, .. } => {
            json!({"spectator": spectator, "count": spectator_count})
        }
        SpectatorDisconnected { spectator_id, reason, spectator_count, .. } => {
            json!({"spectator": spectator_id, "reason": reason, "count": spectator_count})
        }
        _ => return None,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    play::play().await;
}

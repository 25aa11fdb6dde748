//! A puppet that is the official client of release 0.10, which older games contain.

use serde_json::{json, Value};
use signal_fish_client_0_10 as sdk;

use sdk::{JoinRoomParams, SignalFishClient, SignalFishError, SignalFishEvent};

#[path = "../commands.rs"]
mod commands;
#[path = "../events.rs"]
mod events;
#[path = "../play.rs"]
mod play;
#[path = "../tap.rs"]
mod tap;

fn with_password(_: JoinRoomParams, _: &str) -> JoinRoomParams {
    panic!("release 0.10 knows no passwords")
}

fn watch_with_password(_: &mut SignalFishClient, _: [String; 4]) -> Result<(), SignalFishError> {
    panic!("release 0.10 knows no passwords")
}

/// The events that other releases do not have, or have with other fields.
fn described(event: &SignalFishEvent) -> Option<Value> {
    use SignalFishEvent::*;
    Some(match event {
        SessionPlan { topology, transport, host, peers, ice_servers, .. } => json!({
            "topology": topology, "transport": transport, "host": host, "peers": peers,
            "ice_servers": ice_servers}),
        SignalReceived { from, signal } => json!({"from": from, "signal": signal}),
        NewSpectatorJoined { spectator, .. } => json!({"spectator": spectator}),
        SpectatorDisconnected { spectator_id, reason, .. } => {
            json!({"spectator": spectator_id, "reason": reason})
        }
        _ => return None,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    play::play().await;
}

//! The official client, worked by somebody else's strings.
//!
//! Reads one JSON command a line from standard input, and writes one JSON event a line to standard
//! output. Whoever holds the strings decides what is right; this program does what it is told.
//! The first line says whom to connect to, and as what: `{"url": ..., "mode": ..., "binary": ...}`.
//! Further lines are `{"do": ..., ...}`; the end of the input ends the connection properly.

use std::io::Write;
use std::process::exit;

use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::sdk::{SignalFishClient, WebSocketTransport};
use crate::tap::{Tap, Turn};
use crate::{commands, events};

pub fn say(name: &str, fields: Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", json!({"event": name, "data": fields})).expect("standard output");
    out.flush().expect("standard output");
}

pub async fn play() {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let first = lines.next_line().await.expect("input").expect("a line");
    let hello: Value = serde_json::from_str(&first).expect("JSON");
    let url = hello["url"].as_str().expect("a URL");
    let transport = WebSocketTransport::connect(url).await.expect("a connection");
    let (tap, turns, farewell) = Tap::on(transport);
    let (mut client, mut events) = SignalFishClient::start(tap, commands::config(&hello));
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Some(line) = line.expect("input") else { break };
                let command: Value = serde_json::from_str(&line).expect("JSON");
                let outcome = match command["do"].as_str().expect("a command") {
                    "die" => exit(0), // the connection is lost, without a farewell
                    "raw" => turns.send(Turn::Raw(command["message"].clone())).map_err(drop),
                    "stall" => turns.send(Turn::Stall).map_err(drop),
                    "resume" => turns.send(Turn::Resume).map_err(drop),
                    _ => {
                        if let Err(error) = commands::obey(&mut client, &command) {
                            say("Refused", json!({"error": error.to_string()}));
                        }
                        Ok(())
                    }
                };
                outcome.expect("a client that listens");
            }
            event = events.recv() => {
                let Some(event) = event else { break };
                say(&format!("{event:?}"), events::described(&event, &farewell));
            }
        }
    }
    client.shutdown().await;
}

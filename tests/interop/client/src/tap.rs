//! A tap on the line of an official client.
//!
//! Lets in what the client has no call for, keeps the answers to that from it, and can stop the
//! client from reading. Everything else passes.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::task::{ready, Context, Poll};

use serde_json::Value;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};

use crate::play::say;
use crate::sdk::{
    SignalFishError, Transport, TransportCloseInfo, TransportFrame, WebSocketTransport,
};

pub enum Turn {
    /// Send a message as it is.
    Raw(Value),
    /// Read nothing from now on.
    Stall,
    /// Read on.
    Resume,
}

/// How the server closed the connection, once it has.
pub type Farewell = Arc<OnceLock<TransportCloseInfo>>;

pub struct Tap {
    line: WebSocketTransport,
    turns: UnboundedReceiver<Turn>,
    farewell: Farewell,
    stalled: bool,
    /// What we have to send; `None` also while the line is at it.
    raw: Option<TransportFrame>,
    sending_raw: bool,
    sending_theirs: bool,
    operations: HashSet<String>,
}

impl Tap {
    pub fn on(line: WebSocketTransport) -> (Self, UnboundedSender<Turn>, Farewell) {
        let (sender, turns) = unbounded_channel();
        let farewell = Farewell::default();
        let tap = Self {
            line,
            turns,
            farewell: farewell.clone(),
            stalled: false,
            raw: None,
            sending_raw: false,
            sending_theirs: false,
            operations: HashSet::new(),
        };
        (tap, sender, farewell)
    }

    fn turn(&mut self, cx: &mut Context<'_>) {
        while !self.sending_raw && !self.sending_theirs {
            let Poll::Ready(Some(turn)) = self.turns.poll_recv(cx) else { return };
            match turn {
                Turn::Raw(message) => {
                    if let Some(id) = message["data"]["operation_id"].as_str() {
                        self.operations.insert(id.to_owned());
                    }
                    self.raw = Some(TransportFrame::Text(message.to_string()));
                    self.sending_raw = true;
                    let _ = self.send_raw(cx); // what fails for us fails for the client, too
                }
                Turn::Stall => self.stalled = true,
                Turn::Resume => self.stalled = false,
            }
        }
    }

    fn send_raw(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SignalFishError>> {
        if self.sending_raw {
            let outcome = ready!(self.line.poll_send(cx, &mut self.raw));
            self.sending_raw = false;
            return Poll::Ready(outcome);
        }
        Poll::Ready(Ok(()))
    }

    /// Keep the result of an operation that the client knows nothing about.
    fn keep(&mut self, text: &str) -> bool {
        if !text.contains("RoomOperationResult") {
            return false;
        }
        let Ok(message) = serde_json::from_str::<Value>(text) else { return false };
        let id = message["data"]["operation_id"].as_str().unwrap_or_default();
        let ours = self.operations.remove(id);
        if ours {
            say("Result", message["data"]["result"].clone());
        }
        ours
    }
}

impl Transport for Tap {
    fn begin_poll_cycle(&mut self) {
        self.line.begin_poll_cycle();
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        frame: &mut Option<TransportFrame>,
    ) -> Poll<Result<(), SignalFishError>> {
        ready!(self.send_raw(cx))?;
        let outcome = self.line.poll_send(cx, frame);
        self.sending_theirs = outcome.is_pending() && frame.is_none();
        outcome
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<TransportFrame, SignalFishError>>> {
        let _ = self.send_raw(cx);
        self.turn(cx);
        if self.stalled {
            return Poll::Pending;
        }
        loop {
            match ready!(self.line.poll_recv(cx)) {
                Some(Ok(TransportFrame::Text(text))) if self.keep(&text) => {}
                Some(Ok(frame)) => return Poll::Ready(Some(Ok(frame))),
                end => {
                    if let Some(info) = self.line.close_info() {
                        let _ = self.farewell.set(info);
                    }
                    return Poll::Ready(end);
                }
            }
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SignalFishError>> {
        self.line.poll_close(cx)
    }

    fn abort(&mut self) {
        self.line.abort();
    }

    fn is_ready(&self) -> bool {
        self.line.is_ready()
    }

    fn close_info(&self) -> Option<TransportCloseInfo> {
        self.line.close_info()
    }
}

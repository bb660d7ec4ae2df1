//! What is said to Storm.

use super::frames::END;
use serde_json::json;
use serde_json::value::RawValue;

/// Storm's levels of its log.
#[derive(Debug, Clone, Copy)]
enum Level {
    Info = 2,
    Warn = 3,
}

/// Commands that wait to be written together.
#[derive(Debug, Default)]
pub struct Reply(Vec<u8>);

impl Reply {
    /// The answer to the first message.
    pub(super) fn pid(&mut self, id: u32) {
        self.say(format!("{{\"pid\":{id}}}").as_bytes());
    }

    /// A tuple of a bolt, anchored to its cause. Nobody needs to know where it goes.
    pub(super) fn emit_anchored(&mut self, anchor: &RawValue, tuple: &[u8]) {
        self.0.extend_from_slice(b"{\"command\":\"emit\",\"anchors\":[");
        self.0.extend_from_slice(anchor.get().as_bytes());
        self.0.extend_from_slice(b"],\"need_task_ids\":false,\"tuple\":");
        self.0.extend_from_slice(tuple);
        self.say(b"}");
    }

    /// A tuple of a spout.
    pub(super) fn emit(&mut self, id: &str, tuple: &[u8]) {
        self.0.extend_from_slice(b"{\"command\":\"emit\",\"id\":");
        // Our own ids are digits and dashes.
        self.0.extend_from_slice(format!("\"{id}\"").as_bytes());
        self.0.extend_from_slice(b",\"need_task_ids\":false,\"tuple\":");
        self.0.extend_from_slice(tuple);
        self.say(b"}");
    }

    /// A tuple is dealt with.
    pub(super) fn ack(&mut self, id: &RawValue) {
        self.0.extend_from_slice(b"{\"command\":\"ack\",\"id\":");
        self.0.extend_from_slice(id.get().as_bytes());
        self.say(b"}");
    }

    /// The answer to a heartbeat, and the end of a spout's answer.
    pub fn sync(&mut self) {
        self.say(b"{\"command\":\"sync\"}");
    }

    /// A line in the worker's log.
    pub(super) fn info(&mut self, text: &str) {
        self.log(text, Level::Info);
    }

    /// A warning there.
    pub(super) fn warn(&mut self, text: &str) {
        self.log(text, Level::Warn);
    }

    /// An error that Storm's UI shows; nothing dies of it.
    pub(super) fn error(&mut self, text: &str) {
        self.say(json!({"command": "error", "msg": text}).to_string().as_bytes());
    }

    fn log(&mut self, text: &str, level: Level) {
        let command = json!({"command": "log", "msg": text, "level": level as u8});
        self.say(command.to_string().as_bytes());
    }

    fn say(&mut self, message: &[u8]) {
        self.0.extend_from_slice(message);
        self.0.extend_from_slice(END);
    }

    /// What is to be written, which is forgotten then.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

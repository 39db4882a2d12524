//! How a session behaves.

use std::time::Duration;

use crate::protocol::SessionUpdate;

/// What a server can do, as far as servers differ.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Capabilities {
    /// It knows `conversation.item.truncate` and `conversation.item.delete`.
    pub truncate: bool,
    /// It answers `session.update` with `session.updated`.
    pub update_ack: bool,
    /// It takes pictures as parts of a message.
    pub images: bool,
    /// It answers beside the conversation, and gives metadata back.
    pub asides: bool,
    /// It calls remote tools.
    pub mcp: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { truncate: true, update_ack: true, images: true, asides: true, mcp: true }
    }
}

/// How a session behaves.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// What the server is told first, and told again on every new connection.
    pub session: SessionUpdate,
    /// What the server can do.
    pub capabilities: Capabilities,
    /// The rate of answers until the server says otherwise, in Hz.
    pub output_rate: u32,
    /// The rate of the person's voice as it is sent, in Hz.
    pub input_rate: u32,
    /// How long a function may take.
    pub tool_timeout: Duration,
    /// Attempts in a row before a lost connection is given up; 0 never reconnects.
    pub reconnect_attempts: u32,
    /// How long before its end a connection is replaced, at the next pause between turns.
    pub roll_over_before: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            session: SessionUpdate::default(),
            capabilities: Capabilities::default(),
            output_rate: 24_000,
            input_rate: 24_000,
            tool_timeout: Duration::from_secs(60),
            reconnect_attempts: 5,
            roll_over_before: Duration::from_secs(120),
        }
    }
}

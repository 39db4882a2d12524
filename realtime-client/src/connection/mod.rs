//! The thin layer that has effects: a socket, a clock, two tasks for each connection, on threads of this crate's own.
//!
//! The only folder that names the async runtime and the WebSocket crate. All decisions are the session's.

mod dial;
mod driver;
mod line;
mod mailbox;
mod outbox;
mod recorded;
mod secrets;
mod tasks;

#[cfg(feature = "scripted")]
pub(crate) mod listener;

pub(crate) use line::{Line, Shared};
pub use recorded::Replay;
pub(crate) use tasks::{Boxed, spawn, spawn_blocking, within};

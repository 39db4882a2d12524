//! A client for OpenAI's Realtime API, made for a face that listens.
//!
//! | module | holds |
//! |---|---|
//! | [`protocol`] | the wire: 11 client and 46 server events, strict out and tolerant in |
//! | [`session`] | one conversation as a pure state machine: turns, tools, what was heard, staying up |
//! | [`provider`] | where servers are and how they differ, as data |
//! | [`emotion`] | a simple sense of how the person speaks |
//! | [`voice`] | the two ends a host may put in: where answers sound, who listens to the person |
//!
//! [`RealtimeClient`] is what a user holds.
//!
//! # What is logged
//!
//! This crate logs kinds of events and what went wrong, never a key, never what was said. The WebSocket crate under it traces whole frames, to
//! whoever asks for `trace`, and the reason of a close at `debug`: with them everything that both sides said, and what a [`McpTool`](protocol::McpTool) is
//! told in secret. The key that opens the connection is in no frame. A host that logs at these levels keeps the target `tungstenite` at `info`,
//! such as by `RUST_LOG=trace,tungstenite=info`, or leaves such lines out of the program for good with the features `max_level_info` or
//! `release_max_level_info` of the crate `log`, which only a program may choose and no library. The C door and the command pass none of it on.

#[cfg(feature = "avatar")]
pub mod bridge;
pub mod emotion;
pub mod protocol;
pub mod provider;
#[cfg(feature = "scripted")]
pub mod scripted;
pub mod session;
pub mod voice;

mod client;
mod config;
mod connection;
mod error;
mod key;
mod picture;
mod tools;

pub use client::{Builder, RealtimeClient};
pub use config::Config;
pub use connection::Replay;
pub use error::{Error, ErrorKind, Result};
pub use key::Key;
pub use picture::Picture;
pub use provider::Provider;
pub use tools::Tools;

/// The essays are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/conversation.md")]
struct Conversation;

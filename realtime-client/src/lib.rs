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

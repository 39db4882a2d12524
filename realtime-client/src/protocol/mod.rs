//! The wire and nothing but the wire: what may be said in either direction, as types.
//!
//! Strict in what it sends: a [`ClientEvent`] cannot hold a combination that the API refuses for its shape. Tolerant in what it
//! reads: [`ServerEvent::parse`] never fails. A kind that nobody knows is [`ServerEvent::Unknown`]; a known kind whose body does not
//! fit is [`ServerEvent::Malformed`]; fields nobody knows are ignored; `null` and absent are the same.

pub mod audio;
pub mod client_event;
pub mod dialect;
pub mod item;
pub(crate) mod secret;
pub mod server_event;
pub mod session;
pub mod tool;

pub use client_event::{ClientEvent, ResponseConversation, ResponseParams};
pub use dialect::Dialect;
pub use item::{Detail, Item, ItemKind, ItemStatus, NewItem, Part, PartKind, Role, UserPart};
pub use secret::{Secret, Tree};
pub use server_event::ServerEvent;
pub use session::{
    AudioFormat, Eagerness, Effort, Modality, NoiseReduction, Prompt, SemanticVad, ServerVad, SessionKind,
    SessionUpdate, TokenLimit, Tracing, Transcription, Truncation, TurnDetection, Voice,
};
pub use tool::{AllowedTools, Caller, FunctionTool, McpTool, RequireApproval, Tool, ToolChoice, ToolFilter};

/// Leaves out what was not set: an absent key changes nothing, `null` often does.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

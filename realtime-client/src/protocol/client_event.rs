//! What a client may say: 11 kinds of event.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dialect::Dialect;
use super::item::NewItem;
use super::secret::Tree;
use super::session::{AudioOutput, Effort, Modality, Prompt, Reasoning, SessionUpdate, TokenLimit, as_list};
use super::tool::{Tool, ToolChoice};

/// What a client may say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum ClientEvent {
    /// Changes the session: only the keys that are present, all of them or none. `From<&SessionUpdate>` makes it.
    #[serde(rename = "session.update")]
    SessionUpdate {
        /// What to change: a [`SessionUpdate`] as a tree, because it is merged over a session's life.
        session: Tree,
    },
    /// Adds sound to what the server has heard. Never acknowledged.
    #[serde(rename = "input_audio_buffer.append")]
    Append {
        /// Base64 of whole samples, at most 15 MiB.
        audio: String,
    },
    /// Ends a turn that the host decides. At least 100 ms must have been appended.
    #[serde(rename = "input_audio_buffer.commit")]
    Commit,
    /// Drops what was not committed.
    #[serde(rename = "input_audio_buffer.clear")]
    Clear,
    /// Adds an item to the conversation.
    #[serde(rename = "conversation.item.create")]
    ItemCreate {
        /// After which; `root` for the start, the end when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_item_id: Option<String>,
        /// The item.
        item: NewItem,
    },
    /// Asks for an item with its sound.
    #[serde(rename = "conversation.item.retrieve")]
    ItemRetrieve {
        /// Which.
        item_id: String,
    },
    /// Tells the model that the rest of what it said was not heard.
    #[serde(rename = "conversation.item.truncate")]
    ItemTruncate {
        /// An assistant's message.
        item_id: String,
        /// Its part with sound.
        content_index: u32,
        /// What was heard, from its start.
        audio_end_ms: u64,
    },
    /// Removes an item from the conversation.
    #[serde(rename = "conversation.item.delete")]
    ItemDelete {
        /// Which.
        item_id: String,
    },
    /// Asks for an answer.
    #[serde(rename = "response.create")]
    ResponseCreate {
        /// How it differs from the session; left out when it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        response: Option<Box<ResponseParams>>,
    },
    /// Stops an answer.
    #[serde(rename = "response.cancel")]
    ResponseCancel {
        /// Which; the one in progress when absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        response_id: Option<String>,
    },
    /// Stops the sound; over WebRTC only.
    #[serde(rename = "output_audio_buffer.clear")]
    OutputClear,
}

/// How one answer differs from the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ResponseParams {
    /// Whether it becomes part of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ResponseConversation>,
    /// Voice or writing.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_list",
        rename = "output_modalities"
    )]
    pub modality: Option<Modality>,
    /// Replaces the session's instructions for this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Voice and format. `speed` is not allowed here and is never sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<ResponseAudio>,
    /// The tools on offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    /// Whether it must use one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Several calls at once; reasoning models only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// How long it thinks; reasoning models only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Reasoning>,
    /// A prompt stored with the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
    /// Its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<TokenLimit>,
    /// Comes back with the answer: at most 16 pairs, keys of 64 and values of 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// What it knows: these items and nothing else. Empty means nothing; absent, the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<NewItem>>,
}

/// Where the sound of one answer differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ResponseAudio {
    /// Voice and format.
    pub output: AudioOutput,
}

/// Whether an answer becomes part of the conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseConversation {
    /// It does.
    Auto,
    /// It runs beside it.
    None,
}

impl ResponseParams {
    /// An effort, for models that reason.
    #[must_use]
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.reasoning = Some(effort.into());
        self
    }
}

impl From<&SessionUpdate> for ClientEvent {
    fn from(session: &SessionUpdate) -> Self {
        Self::SessionUpdate { session: session.to_tree().into() }
    }
}

#[derive(Serialize)]
struct Frame<'a> {
    #[serde(flatten)]
    event: &'a ClientEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a str>,
}

impl ClientEvent {
    /// The frame to send, in this dialect. `event_id`, at most 512 characters, comes back in an error that the event causes.
    pub fn to_json(&self, event_id: Option<&str>, dialect: &Dialect) -> String {
        // Keys are text, so this cannot fail; a number that is not finite becomes null.
        let mut tree = serde_json::to_value(Frame { event: self, event_id }).unwrap_or_default();
        dialect.adapt(&mut tree);
        tree.to_string()
    }

    /// Its name on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SessionUpdate { .. } => "session.update",
            Self::Append { .. } => "input_audio_buffer.append",
            Self::Commit => "input_audio_buffer.commit",
            Self::Clear => "input_audio_buffer.clear",
            Self::ItemCreate { .. } => "conversation.item.create",
            Self::ItemRetrieve { .. } => "conversation.item.retrieve",
            Self::ItemTruncate { .. } => "conversation.item.truncate",
            Self::ItemDelete { .. } => "conversation.item.delete",
            Self::ResponseCreate { .. } => "response.create",
            Self::ResponseCancel { .. } => "response.cancel",
            Self::OutputClear => "output_audio_buffer.clear",
        }
    }
}

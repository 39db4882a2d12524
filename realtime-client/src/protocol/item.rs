//! What a conversation is made of.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

/// Who speaks in a message.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Who set the rules.
    System,
    /// The person in front of the face.
    User,
    /// The face.
    Assistant,
    /// A role of a later protocol, or none.
    #[default]
    #[serde(other)]
    Other,
}

/// What an item is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemKind {
    /// Something said, by voice or in writing.
    Message,
    /// The model asks for a function.
    FunctionCall,
    /// What the function answered.
    FunctionCallOutput,
    /// The tools that a remote server offers.
    McpListTools,
    /// A remote tool ran.
    McpCall,
    /// The model asks whether a remote tool may run.
    McpApprovalRequest,
    /// The answer to that.
    McpApprovalResponse,
    /// A kind of a later protocol, or none.
    #[default]
    #[serde(other)]
    Other,
}

/// How far an item has come.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemStatus {
    /// Nothing more will come.
    Completed,
    /// It was cut.
    Incomplete,
    /// More is coming.
    InProgress,
    /// A status of a later protocol, or none.
    #[default]
    #[serde(other)]
    Other,
}

/// What a part of a message holds. `text` and `audio` are the names of the beta for output.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PartKind {
    /// Text of the user or the system.
    InputText,
    /// The user's voice.
    InputAudio,
    /// A picture.
    InputImage,
    /// Text of the model.
    #[serde(alias = "text")]
    OutputText,
    /// The model's voice.
    #[serde(alias = "audio")]
    OutputAudio,
    /// A kind of a later protocol, or none.
    #[default]
    #[serde(other)]
    Other,
}

/// A part of a message, as the server tells it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Part {
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: PartKind,
    /// Text, where it is text.
    pub text: Option<String>,
    /// What was said, where it is voice and known.
    pub transcript: Option<String>,
    /// Base64 of the samples; only in a retrieved item.
    pub audio: Option<String>,
}

/// An item as the server tells it: one loose record, because servers differ in what they send.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
#[non_exhaustive]
pub struct Item {
    /// Its name on this connection.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ItemKind,
    /// Who speaks, in a message.
    pub role: Role,
    /// How far it has come.
    pub status: ItemStatus,
    /// What was said, in a message.
    pub content: Vec<Part>,
    /// The function or remote tool.
    pub name: String,
    /// Joins a function call with its output.
    pub call_id: String,
    /// JSON of the arguments, as the model wrote it: it may be invalid.
    pub arguments: String,
    /// What a function or remote tool answered.
    pub output: Option<String>,
    /// The remote server of tools.
    pub server_label: String,
    /// The request that an approval answers.
    pub approval_request_id: Option<String>,
    /// Why a remote tool failed.
    pub error: Option<Value>,
    /// The remote tools on offer.
    pub tools: Vec<Value>,
}

impl Item {
    /// All that was written or said in it, transcripts included.
    pub fn text(&self) -> String {
        let said = |part: &Part| part.text.clone().or_else(|| part.transcript.clone());
        self.content.iter().filter_map(said).collect()
    }
}

/// How closely the model looks at a picture; `Low` is enough for a webcam and costs least.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Detail {
    /// The server chooses.
    #[default]
    Auto,
    /// A small copy.
    Low,
    /// In tiles.
    High,
}

/// A part of what a user says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserPart {
    /// Writing.
    #[serde(rename = "input_text")]
    Text {
        /// What is written.
        text: String,
    },
    /// Recorded voice.
    #[serde(rename = "input_audio")]
    Audio {
        /// Base64 of the samples in the session's input format.
        audio: String,
        /// What is said in it, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        transcript: Option<String>,
    },
    /// A picture.
    #[serde(rename = "input_image")]
    Image {
        /// A data URI of a PNG or JPEG; a plain string, not an object.
        image_url: String,
        /// How closely to look.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<Detail>,
    },
}

/// An item that a client may create.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NewItem {
    /// A rule or a fact, from whoever runs the session.
    System {
        /// Its name, at most 32 characters; the server gives one when absent.
        id: Option<String>,
        /// The text.
        text: String,
    },
    /// Something from the person.
    User {
        /// Its name, at most 32 characters; the server gives one when absent.
        id: Option<String>,
        /// What is said and shown.
        content: Vec<UserPart>,
    },
    /// Something the model has said before. Text only: servers refuse audio here.
    Assistant {
        /// Its name, at most 32 characters; the server gives one when absent.
        id: Option<String>,
        /// The text.
        text: String,
    },
    /// Something the model has said before, by voice. OpenAI refuses it today; [`Assistant`](Self::Assistant) is what every server takes.
    AssistantVoice {
        /// Its name, at most 32 characters; the server gives one when absent.
        id: Option<String>,
        /// Base64 of the samples in the session's output format.
        audio: Option<String>,
        /// What is said.
        transcript: Option<String>,
    },
    /// A function the model has asked for before.
    FunctionCall {
        /// Joins it with its output: letters, digits, `_` and `-`, at most 32.
        call_id: String,
        /// The function.
        name: String,
        /// JSON of the arguments.
        arguments: String,
    },
    /// What a function answered.
    FunctionCallOutput {
        /// The call it answers.
        call_id: String,
        /// Free text; JSON by habit.
        output: String,
    },
    /// Whether a remote tool may run.
    McpApprovalResponse {
        /// Its name, at most 32 characters; required here.
        id: String,
        /// The request it answers.
        approval_request_id: String,
        /// Yes or no.
        approve: bool,
        /// Why.
        reason: Option<String>,
    },
    /// The tools that a remote server offers, as a session was told before.
    McpListTools {
        /// Its name, at most 32 characters; the server gives one when absent.
        id: Option<String>,
        /// The remote server.
        server_label: String,
        /// The tools: `{"name": …, "input_schema": {…}, "description"?: …}`.
        tools: Vec<Value>,
    },
    /// A remote tool that has run before.
    McpCall {
        /// Its name, at most 32 characters; required here.
        id: String,
        /// The remote server.
        server_label: String,
        /// The tool.
        name: String,
        /// JSON of the arguments.
        arguments: String,
        /// The request that approved it.
        approval_request_id: Option<String>,
        /// What it answered.
        output: Option<String>,
    },
    /// What the model has asked to be approved before.
    McpApprovalRequest {
        /// Its name, at most 32 characters; required here.
        id: String,
        /// The remote server.
        server_label: String,
        /// The tool.
        name: String,
        /// JSON of the arguments.
        arguments: String,
    },
    /// An item that exists already; only as input of a response.
    Reference {
        /// Its name.
        id: String,
    },
}

impl NewItem {
    /// Text from the person.
    pub fn user_text(text: impl Into<String>) -> Self {
        Self::User { id: None, content: vec![UserPart::Text { text: text.into() }] }
    }
}

impl Serialize for NewItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut put = |key: &str, value: Value| map.serialize_entry(key, &value);
        match self {
            Self::System { id, text } => message(&mut put, id, "system", json!([part("input_text", text)]))?,
            Self::User { id, content } => message(&mut put, id, "user", json!(content))?,
            Self::Assistant { id, text } => {
                message(&mut put, id, "assistant", json!([part("output_text", text)]))?;
            }
            Self::AssistantVoice { id, audio, transcript } => {
                let mut part = json!({"type": "output_audio"});
                for (key, value) in [("audio", audio), ("transcript", transcript)] {
                    if let Some(value) = value {
                        part[key] = json!(value);
                    }
                }
                message(&mut put, id, "assistant", json!([part]))?;
            }
            Self::McpListTools { id, server_label, tools } => {
                put("type", json!("mcp_list_tools"))?;
                if let Some(id) = id {
                    put("id", json!(id))?;
                }
                put("server_label", json!(server_label))?;
                put("tools", json!(tools))?;
            }
            Self::McpCall { id, server_label, name, arguments, approval_request_id, output } => {
                put("type", json!("mcp_call"))?;
                put("id", json!(id))?;
                put("server_label", json!(server_label))?;
                put("name", json!(name))?;
                put("arguments", json!(arguments))?;
                for (key, value) in [("approval_request_id", approval_request_id), ("output", output)] {
                    if let Some(value) = value {
                        put(key, json!(value))?;
                    }
                }
            }
            Self::McpApprovalRequest { id, server_label, name, arguments } => {
                put("type", json!("mcp_approval_request"))?;
                put("id", json!(id))?;
                put("server_label", json!(server_label))?;
                put("name", json!(name))?;
                put("arguments", json!(arguments))?;
            }
            Self::FunctionCall { call_id, name, arguments } => {
                put("type", json!("function_call"))?;
                put("call_id", json!(call_id))?;
                put("name", json!(name))?;
                put("arguments", json!(arguments))?;
            }
            Self::FunctionCallOutput { call_id, output } => {
                put("type", json!("function_call_output"))?;
                put("call_id", json!(call_id))?;
                put("output", json!(output))?;
            }
            Self::McpApprovalResponse { id, approval_request_id, approve, reason } => {
                put("type", json!("mcp_approval_response"))?;
                put("id", json!(id))?;
                put("approval_request_id", json!(approval_request_id))?;
                put("approve", json!(approve))?;
                if let Some(reason) = reason {
                    put("reason", json!(reason))?;
                }
            }
            Self::Reference { id } => {
                put("type", json!("item_reference"))?;
                put("id", json!(id))?;
            }
        }
        map.end()
    }
}

fn part(kind: &str, text: &str) -> Value {
    json!({"type": kind, "text": text})
}

fn message<E>(
    put: &mut impl FnMut(&str, Value) -> Result<(), E>,
    id: &Option<String>,
    role: &str,
    content: Value,
) -> Result<(), E> {
    if let Some(id) = id {
        put("id", json!(id))?;
    }
    put("type", json!("message"))?;
    put("role", json!(role))?;
    put("content", content)
}

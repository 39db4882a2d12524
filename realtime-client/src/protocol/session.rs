//! How a session is set: every field of `session.update`. A field that is `None` is left out and changes nothing.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::is_default;
use super::tool::{Tool, ToolChoice};
use crate::{Error, ErrorKind, Result};

/// What a session is for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionKind {
    /// A conversation.
    #[default]
    Realtime,
    /// Speech in, text out, nobody answers.
    Transcription,
}

/// What a model answers with. One or the other, never both.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Modality {
    /// Voice, with its transcript.
    Audio,
    /// Writing.
    Text,
}

pub(crate) fn as_list<S: Serializer>(modality: &Option<Modality>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(modality)
}

/// The body of `session.update`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SessionUpdate {
    /// What the session is for. Every update says it.
    #[serde(rename = "type")]
    pub kind: SessionKind,
    /// The model, where the address does not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who the model is and how it speaks. Empty clears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What it answers with.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_list",
        rename = "output_modalities"
    )]
    pub modality: Option<Modality>,
    /// Both directions of sound.
    #[serde(skip_serializing_if = "is_default")]
    pub audio: Audio,
    /// The functions and remote tools on offer. An empty list clears.
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
    /// The length of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<TokenLimit>,
    /// What happens when the context is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation: Option<Truncation>,
    /// Traces in the vendor's dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<Tracing>,
    /// Extra fields in events, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<String>>,
    /// A prompt stored with the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
}

impl SessionUpdate {
    /// The keys that are set, as the wire nests them.
    pub fn to_tree(&self) -> Value {
        // Keys are text, so this cannot fail; a number that is not finite becomes null.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl SessionUpdate {
    /// Samples are 16-bit numbers at a rate that was agreed on: any other format would sound as noise.
    pub(crate) fn check_formats(&self, input: Option<u32>, output: Option<u32>) -> Result<()> {
        let audio = &self.audio;
        audio.input.format.map_or(Ok(()), |format| format.check("audio.input.format", input))?;
        audio.output.format.map_or(Ok(()), |format| format.check("audio.output.format", output))
    }
}

/// A prompt stored with the vendor.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Prompt {
    /// Its name.
    pub id: String,
    /// Its version; the newest when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What fills its gaps: text, or an input part such as `{"type": "input_image", "image_url": …}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<BTreeMap<String, Value>>,
}

/// Both directions of sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Audio {
    /// From the person.
    #[serde(skip_serializing_if = "is_default")]
    pub input: AudioInput,
    /// From the model.
    #[serde(skip_serializing_if = "is_default")]
    pub output: AudioOutput,
}

/// The person's voice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AudioInput {
    /// Of the samples that are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<AudioFormat>,
    /// Before the model hears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_reduction: Option<NoiseReduction>,
    /// In writing, beside the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<Transcription>,
    /// Who decides that the person has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_detection: Option<TurnDetection>,
}

/// The model's voice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AudioOutput {
    /// Of the samples that come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<AudioFormat>,
    /// Cannot change once the model has spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
    /// 0.25 to 1.5; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum AudioFormat {
    /// Signed 16-bit little-endian mono.
    #[serde(rename = "audio/pcm")]
    Pcm {
        /// In Hz; 24 000 at OpenAI.
        rate: u32,
    },
    /// G.711 µ-law at 8 000 Hz.
    #[serde(rename = "audio/pcmu")]
    Pcmu,
    /// G.711 A-law at 8 000 Hz.
    #[serde(rename = "audio/pcma")]
    Pcma,
}

impl AudioFormat {
    pub(crate) fn check(self, name: &str, wanted: Option<u32>) -> Result<()> {
        match (self, wanted) {
            (Self::Pcm { rate }, Some(wanted)) if rate != wanted => {
                let text = format!("{name} says {rate} Hz, and the session has {wanted}; give both the same");
                Err(Error::new(ErrorKind::InvalidInput, text))
            }
            (Self::Pcm { .. }, _) => Ok(()),
            (Self::Pcmu | Self::Pcma, _) => {
                let text = format!(
                    "{name}: sound is 16-bit samples here, and not G.711; give AudioFormat::Pcm, or none"
                );
                Err(Error::new(ErrorKind::Unsupported, text))
            }
        }
    }
}

/// A voice, by its public name or by the id of one made to order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Voice {
    /// Such as `marin` or `cedar`.
    Named(String),
    /// A custom voice, `voice_…`.
    Custom {
        /// Its id.
        id: String,
    },
}

impl From<&str> for Voice {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

/// What is filtered out of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NoiseReduction {
    /// Nothing; `null` on the wire.
    Off,
    /// For a headset.
    NearField,
    /// For a laptop or a room.
    FarField,
    /// For a headset, this strong: 0 to 1, of which 1 is usual.
    NearFieldBy(f64),
    /// For a laptop or a room, this strong.
    FarFieldBy(f64),
}

impl Serialize for NoiseReduction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, strength) = match self {
            Self::Off => return serializer.serialize_none(),
            Self::NearField => ("near_field", None),
            Self::FarField => ("far_field", None),
            Self::NearFieldBy(strength) => ("near_field", Some(strength)),
            Self::FarFieldBy(strength) => ("far_field", Some(strength)),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", kind)?;
        if let Some(strength) = strength {
            map.serialize_entry("strength", strength)?;
        }
        map.end()
    }
}

/// What the person says, in writing. The default, with an empty model, is off: `null` on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Transcription {
    /// The model that listens; empty for off.
    pub model: String,
    /// ISO 639-1.
    pub language: Option<String>,
    /// Where several are spoken.
    pub languages: Option<Vec<String>>,
    /// What it is about.
    pub prompt: Option<String>,
    /// Words to expect.
    pub keywords: Option<Vec<String>>,
    /// Patience against quality, for models that offer it.
    pub delay: Option<Effort>,
}

impl Transcription {
    /// By this model.
    pub fn by(model: impl Into<String>) -> Self {
        Self { model: model.into(), ..Self::default() }
    }
}

impl Serialize for Transcription {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.model.is_empty() {
            return serializer.serialize_none();
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", &self.model)?;
        if let Some(language) = &self.language {
            map.serialize_entry("language", language)?;
        }
        if let Some(languages) = &self.languages {
            map.serialize_entry("languages", languages)?;
        }
        if let Some(prompt) = &self.prompt {
            map.serialize_entry("prompt", prompt)?;
        }
        if let Some(keywords) = &self.keywords {
            map.serialize_entry("keywords", keywords)?;
        }
        if let Some(delay) = &self.delay {
            map.serialize_entry("delay", delay)?;
        }
        map.end()
    }
}

/// Who decides that the person has finished.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum TurnDetection {
    /// The host, by push to talk; `null` on the wire.
    Manual,
    /// The server, by loudness.
    Server(ServerVad),
    /// The server, by meaning.
    Semantic(SemanticVad),
}

impl TurnDetection {
    /// Whether the server cuts its own answer when the person speaks.
    pub fn interrupts(&self) -> bool {
        match self {
            Self::Manual => false,
            Self::Server(vad) => vad.interrupt_response != Some(false),
            Self::Semantic(vad) => vad.interrupt_response != Some(false),
        }
    }

    /// Whether the server answers by itself when the person has finished.
    pub fn answers(&self) -> bool {
        match self {
            Self::Manual => false,
            Self::Server(vad) => vad.create_response != Some(false),
            Self::Semantic(vad) => vad.create_response != Some(false),
        }
    }
}

/// Turns by loudness.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "type", rename = "server_vad")]
#[non_exhaustive]
pub struct ServerVad {
    /// 0 to 1; higher in noise. 0.5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Sound kept from before speech was noticed; 300 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_padding_ms: Option<u32>,
    /// Silence that ends a turn; 200 to 500 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence_duration_ms: Option<u32>,
    /// 5 000 to 30 000: the server speaks up when nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_ms: Option<u32>,
    /// Answer at the end of a turn; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_response: Option<bool>,
    /// Cut the answer at the start of a turn; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupt_response: Option<bool>,
}

/// Turns by meaning.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "type", rename = "semantic_vad")]
#[non_exhaustive]
pub struct SemanticVad {
    /// How soon it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eagerness: Option<Eagerness>,
    /// Answer at the end of a turn; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_response: Option<bool>,
    /// Cut the answer at the start of a turn; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupt_response: Option<bool>,
}

/// How soon a model takes its turn: after 8, 4 or 2 seconds of doubt.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Eagerness {
    /// Lets people think.
    Low,
    /// Between.
    Medium,
    /// Answers at once.
    High,
    /// The server chooses.
    Auto,
}

/// How long a reasoning model thinks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// From hardly to very long.
    pub effort: Effort,
}

impl From<Effort> for Reasoning {
    fn from(effort: Effort) -> Self {
        Self { effort }
    }
}

/// A grade of effort or patience.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the five words say it")]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
}

/// The length of an answer, in tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenLimit {
    /// 1 to 4 096.
    AtMost(u32),
    /// What the model can; `"inf"` on the wire.
    Unlimited,
}

impl Serialize for TokenLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AtMost(tokens) => serializer.serialize_u32(*tokens),
            Self::Unlimited => serializer.serialize_str("inf"),
        }
    }
}

/// What happens when the context is full.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Truncation {
    /// The oldest turns are forgotten.
    Auto,
    /// The answer fails.
    Disabled,
    /// The oldest are forgotten until this share, 0 to 1, is left: fewer cuts, so a cache lasts longer.
    Retain(f64),
    /// The same, in a conversation of at most so many tokens behind the instructions.
    RetainWithin {
        /// The share that is left.
        ratio: f64,
        /// Tokens of the conversation.
        post_instructions: u32,
    },
}

impl Serialize for Truncation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Disabled => serializer.serialize_str("disabled"),
            Self::Retain(ratio) => {
                json!({"type": "retention_ratio", "retention_ratio": ratio}).serialize(serializer)
            }
            Self::RetainWithin { ratio, post_instructions } => {
                let limits = json!({"post_instructions": post_instructions});
                json!({"type": "retention_ratio", "retention_ratio": ratio, "token_limits": limits})
                    .serialize(serializer)
            }
        }
    }
}

/// Traces in the vendor's dashboard.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Tracing {
    /// None; `null` on the wire.
    Off,
    /// By names that the vendor gives; `auto` on the wire.
    #[serde(serialize_with = "auto")]
    Auto,
    /// By these names.
    Named {
        /// The workflow's.
        workflow_name: String,
        /// Joins several traces.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<String>,
        /// What else to filter by.
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<Value>,
    },
}

fn auto<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("auto")
}

/// Keys of `patch` replace those of `base`; only both directions of sound are merged one level deeper, as the server does.
pub(crate) fn merge(base: &mut Value, patch: &Value) {
    let (Some(base), Some(patch)) = (base.as_object_mut(), patch.as_object()) else { return };
    for (key, value) in patch {
        let nested = matches!(key.as_str(), "audio" | "input" | "output") && value.is_object();
        match base.get_mut(key).filter(|known| nested && known.is_object()) {
            Some(known) => merge(known, value),
            None => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

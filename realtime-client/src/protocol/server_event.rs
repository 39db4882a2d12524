//! What a server may say: 46 kinds of event, and two for what nobody expected.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::item::{Item, Part};

/// Declares the events: the name on the wire, the names that older servers use, the variant and its body; behind them, those that
/// only one vendor sends.
macro_rules! server_events {
    (
        $($(#[$doc:meta])* $kind:literal $(| $alias:literal)* => $variant:ident($body:ty),)*
        vendors: $($(#[$vendor_doc:meta])* $vendor_kind:literal => $vendor:ident($vendor_body:ty),)*
    ) => {
        /// What a server may say.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum ServerEvent {
            $($(#[$doc])* $variant($body),)*
            $($(#[$vendor_doc])* $vendor($vendor_body),)*
            /// A kind that this crate does not know. Harmless: newer servers and vendors send more.
            Unknown {
                /// Its name.
                kind: String,
            },
            /// A known kind whose body does not fit, or a frame that is no event at all.
            Malformed {
                /// Its name; empty where there is none.
                kind: String,
                /// What does not fit.
                reason: String,
            },
        }

        impl ServerEvent {
            /// The names of GA, in the order of its reference. What only one vendor says is not among them.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            fn typed(kind: &str, body: &Value) -> serde_json::Result<Self> {
                match kind {
                    $($kind $(| $alias)* => Deserialize::deserialize(body).map(Self::$variant),)*
                    $($vendor_kind => Deserialize::deserialize(body).map(Self::$vendor),)*
                    _ => Ok(Self::Unknown { kind: kind.to_owned() }),
                }
            }

            /// Its name on the wire, in GA.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    $(Self::$vendor(_) => $vendor_kind,)*
                    Self::Unknown { kind } | Self::Malformed { kind, .. } => kind,
                }
            }
        }
    };
}

server_events! {
    /// Something went wrong; the session goes on in nearly every case.
    "error" => Error(ErrorEvent),
    /// Always first.
    "session.created" => SessionCreated(Box<SessionEvent>),
    /// The whole session as it now is.
    "session.updated" | "transcription_session.updated" => SessionUpdated(Box<SessionEvent>),
    /// Beta, and some vendors.
    "conversation.created" => ConversationCreated(Nothing),
    /// An item is there; it may still grow.
    "conversation.item.added" => ItemAdded(Box<ItemEvent>),
    /// An item is final.
    "conversation.item.done" => ItemDone(Box<ItemEvent>),
    /// What older servers say instead of added and done.
    "conversation.item.created" => ItemCreated(Box<ItemEvent>),
    /// An item that was asked for, with its sound.
    "conversation.item.retrieved" => ItemRetrieved(Box<ItemEvent>),
    /// A piece of what the person says.
    "conversation.item.input_audio_transcription.delta" => InputTranscriptDelta(InputTranscript),
    /// What the person said. May come after the answer has begun.
    "conversation.item.input_audio_transcription.completed" => InputTranscriptDone(InputTranscript),
    /// A stretch of speech with its speaker.
    "conversation.item.input_audio_transcription.segment" => InputTranscriptSegment(Segment),
    /// It could not be written down; the turn goes on.
    "conversation.item.input_audio_transcription.failed" => InputTranscriptFailed(InputTranscriptFailure),
    /// The server has forgotten the rest of what it said.
    "conversation.item.truncated" => ItemTruncated(TruncatedEvent),
    /// An item is gone.
    "conversation.item.deleted" => ItemDeleted(ItemRef),
    /// A turn of the person is complete.
    "input_audio_buffer.committed" => Committed(Committed),
    /// What was not committed is gone.
    "input_audio_buffer.cleared" => Cleared(Nothing),
    /// A key of a telephone.
    "input_audio_buffer.dtmf_event_received" => Dtmf(Dtmf),
    /// The person begins to speak.
    "input_audio_buffer.speech_started" => SpeechStarted(SpeechEdge),
    /// The person has stopped.
    "input_audio_buffer.speech_stopped" => SpeechStopped(SpeechEdge),
    /// Nobody spoke for the time that was set.
    "input_audio_buffer.timeout_triggered" => IdleTimeout(SpeechEdge),
    /// Over WebRTC: the sound begins.
    "output_audio_buffer.started" => OutputStarted(ResponseRef),
    /// Over WebRTC: the sound has ended.
    "output_audio_buffer.stopped" => OutputStopped(ResponseRef),
    /// Over WebRTC: the sound was cut.
    "output_audio_buffer.cleared" => OutputCleared(ResponseRef),
    /// An answer begins.
    "response.created" => ResponseCreated(Box<ResponseEvent>),
    /// An answer is over, however it went.
    "response.done" => ResponseDone(Box<ResponseEvent>),
    /// An answer has a new item.
    "response.output_item.added" => OutputItemAdded(Box<OutputItem>),
    /// An item of an answer is final, or was cut.
    "response.output_item.done" => OutputItemDone(Box<OutputItem>),
    /// An item has a new part.
    "response.content_part.added" => PartAdded(Box<PartEvent>),
    /// A part is final.
    "response.content_part.done" => PartDone(Box<PartEvent>),
    /// A piece of writing.
    "response.output_text.delta" | "response.text.delta" => TextDelta(Delta),
    /// The writing is complete.
    "response.output_text.done" | "response.text.done" => TextDone(TextDone),
    /// A piece of what is being said; usually ahead of the sound.
    "response.output_audio_transcript.delta" | "response.audio_transcript.delta" => TranscriptDelta(Delta),
    /// All of what is said in a part.
    "response.output_audio_transcript.done" | "response.audio_transcript.done" => TranscriptDone(TextDone),
    /// A piece of voice.
    "response.output_audio.delta" | "response.audio.delta" => AudioDelta(Delta),
    /// The voice of a part is complete.
    "response.output_audio.done" | "response.audio.done" => AudioDone(PlaceInResponse),
    /// A piece of the arguments of a function.
    "response.function_call_arguments.delta" => ArgumentsDelta(Delta),
    /// The arguments of a function.
    "response.function_call_arguments.done" => ArgumentsDone(ArgumentsDone),
    /// A piece of the arguments of a remote tool.
    "response.mcp_call_arguments.delta" => McpArgumentsDelta(Delta),
    /// The arguments of a remote tool.
    "response.mcp_call_arguments.done" => McpArgumentsDone(ArgumentsDone),
    /// A remote tool runs.
    "response.mcp_call.in_progress" => McpCallInProgress(ItemRef),
    /// It has answered.
    "response.mcp_call.completed" => McpCallCompleted(ItemRef),
    /// It has failed; its item says why.
    "response.mcp_call.failed" => McpCallFailed(ItemRef),
    /// The remote server is asked for its tools.
    "mcp_list_tools.in_progress" => McpListInProgress(ItemRef),
    /// It has told them.
    "mcp_list_tools.completed" => McpListCompleted(ItemRef),
    /// It has not.
    "mcp_list_tools.failed" => McpListFailed(ItemRef),
    /// What may still be asked for.
    "rate_limits.updated" => RateLimits(RateLimitsEvent),
    vendors:
    /// xAI: all that the person has said so far, in place of what was told before.
    "conversation.item.input_audio_transcription.updated" => InputTranscriptUpdated(InputTranscript),
    /// Of some servers: an answer was stopped. `response.done` may follow or not.
    "response.cancelled" => ResponseCancelled(Box<ResponseCancelled>),
}

impl ServerEvent {
    /// Reads one frame. Never fails: what cannot be read is an event of its own.
    pub fn parse(json: &str) -> Self {
        let malformed = |kind: &str, reason: String| Self::Malformed { kind: kind.to_owned(), reason };
        let mut body: Value = match serde_json::from_str(json) {
            Ok(body) => body,
            Err(e) => return malformed("", format!("the frame is not JSON: {e}")),
        };
        let Some(kind) = body.get("type").and_then(Value::as_str).map(str::to_owned) else {
            return malformed("", "the frame has no `type`".to_owned());
        };
        drop_nulls(&mut body);
        match Self::typed(&kind, &body) {
            Ok(event) => event,
            Err(e) => {
                make_whole(&mut body);
                Self::typed(&kind, &body).unwrap_or_else(|_| malformed(&kind, e.to_string()))
            }
        }
    }
}

/// Some servers count milliseconds with fractions, or use a negative number for none: neither is worth losing what was said.
fn make_whole(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(make_whole),
        Value::Array(values) => values.iter_mut().for_each(make_whole),
        Value::Number(number) if number.as_u64().is_none() => {
            let floored = number.as_f64().unwrap_or(0.0).max(0.0);
            *number = (floored as u64).into();
        }
        _ => {}
    }
}

/// `null` and absent are the same to a reader.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Declares bodies: every field may be absent.
macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident {$($(#[$field_doc:meta])* $field:ident: $kind:ty,)*})*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }
    )*};
}

bodies! {
    /// A body with nothing to say.
    Nothing {}

    /// A body of `error`.
    ErrorEvent {
        /// What went wrong.
        error: ErrorBody,
    }

    /// What went wrong, in the vendor's words.
    ErrorBody {
        /// Such as `invalid_request_error`.
        #[serde(rename = "type")]
        kind: String,
        /// Such as `session_expired`; some vendors put it into `type`.
        code: Option<String>,
        /// For a person.
        message: String,
        /// The field that is to blame, such as `session.audio.output.speed`.
        param: Option<String>,
        /// The client's event that caused it.
        event_id: Option<String>,
    }

    /// A session as it is.
    SessionEvent {
        /// The session.
        session: SessionState,
    }

    /// What of a session matters to a client; nested as in GA or flat as in the beta.
    SessionState {
        /// Its name.
        id: String,
        /// `realtime` or `transcription`.
        #[serde(rename = "type")]
        kind: String,
        /// The model that answers.
        model: String,
        /// Unix seconds.
        expires_at: Option<u64>,
        /// Who the model is.
        instructions: String,
        /// Both directions of sound.
        audio: AudioState,
        /// The voice, where a session is flat.
        voice: Option<Value>,
    }

    /// Both directions of sound.
    AudioState {
        /// From the person.
        input: DirectionState,
        /// From the model.
        output: DirectionState,
    }

    /// One direction of sound.
    DirectionState {
        /// How samples are written.
        format: Option<FormatState>,
        /// The model's voice.
        voice: Option<Value>,
    }

    /// How samples are written.
    FormatState {
        /// Such as `audio/pcm`.
        #[serde(rename = "type")]
        kind: String,
        /// In Hz.
        rate: Option<u32>,
    }

    /// An item and its place.
    ItemEvent {
        /// After which; none for the first.
        previous_item_id: Option<String>,
        /// The item.
        item: Item,
    }

    /// An item, by name.
    ItemRef {
        /// Which.
        item_id: String,
        /// Its place in the answer.
        output_index: u32,
    }

    /// An answer, by name.
    ResponseRef {
        /// Which.
        response_id: String,
    }

    /// What the person says.
    InputTranscript {
        /// The turn.
        item_id: String,
        /// Its part.
        content_index: u32,
        /// The next piece.
        delta: String,
        /// All of it.
        transcript: String,
        /// What writing it down cost.
        usage: TranscriptionUsage,
    }

    /// What writing speech down cost: tokens or seconds.
    TranscriptionUsage {
        /// In.
        input_tokens: u64,
        /// Out.
        output_tokens: u64,
        /// Both.
        total_tokens: u64,
        /// Where it is billed by time.
        seconds: f64,
    }

    /// A stretch of speech with its speaker.
    Segment {
        /// The turn.
        item_id: String,
        /// Its part.
        content_index: u32,
        /// Its own name.
        id: String,
        /// What was said.
        text: String,
        /// By whom.
        speaker: String,
        /// In seconds from the start of the turn.
        start: f64,
        /// In seconds from the start of the turn.
        end: f64,
    }

    /// Speech that could not be written down.
    InputTranscriptFailure {
        /// The turn.
        item_id: String,
        /// Its part.
        content_index: u32,
        /// Why.
        error: ErrorBody,
    }

    /// What the server still remembers having said.
    TruncatedEvent {
        /// Which message.
        item_id: String,
        /// Its part.
        content_index: u32,
        /// How much of it.
        audio_end_ms: u64,
    }

    /// A turn of the person.
    Committed {
        /// Its name.
        item_id: String,
        /// After which; none for the first.
        previous_item_id: Option<String>,
    }

    /// A key of a telephone.
    Dtmf {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        #[serde(alias = "digit")]
        event: String,
        /// Unix seconds.
        received_at: u64,
    }

    /// Where speech begins or ends, in milliseconds of all sound sent in the session.
    SpeechEdge {
        /// The name that the turn will get.
        item_id: String,
        /// Its start, padding included.
        audio_start_ms: u64,
        /// Its end, silence included.
        audio_end_ms: u64,
    }

    /// An answer.
    ResponseEvent {
        /// The answer.
        response: Response,
    }

    /// An answer that was stopped, by name or whole.
    ResponseCancelled {
        /// Which.
        response_id: String,
        /// The answer.
        response: Response,
    }

    /// An answer.
    Response {
        /// Its name.
        id: String,
        /// None when it runs beside the conversation.
        conversation_id: Option<String>,
        /// How it went.
        status: ResponseStatus,
        /// Why it went so.
        status_details: StatusDetails,
        /// What it consists of, without sound.
        output: Vec<Item>,
        /// What came with the request.
        metadata: BTreeMap<String, String>,
        /// What it cost.
        usage: Option<ResponseUsage>,
    }

    /// Why an answer went as it did.
    StatusDetails {
        /// `turn_detected`, `client_cancelled`, `max_output_tokens`, `content_filter`.
        reason: Option<String>,
        /// Where it failed.
        error: Option<ErrorBody>,
    }

    /// What an answer cost, in tokens.
    ResponseUsage {
        /// All.
        total_tokens: u64,
        /// In.
        input_tokens: u64,
        /// Out.
        output_tokens: u64,
        /// In, by kind.
        input_token_details: TokenDetails,
        /// Out, by kind.
        output_token_details: TokenDetails,
    }

    /// Tokens by kind.
    TokenDetails {
        /// Writing.
        text_tokens: u64,
        /// Sound.
        audio_tokens: u64,
        /// Pictures.
        image_tokens: u64,
        /// Read before, and cheaper.
        cached_tokens: u64,
        /// Those by kind.
        cached_tokens_details: CachedDetails,
    }

    /// Tokens read before, by kind.
    CachedDetails {
        /// Writing.
        text_tokens: u64,
        /// Sound.
        audio_tokens: u64,
        /// Pictures.
        image_tokens: u64,
    }

    /// An item of an answer.
    OutputItem {
        /// The answer.
        response_id: String,
        /// Its place in it.
        output_index: u32,
        /// The item.
        item: Item,
    }

    /// A part of an item.
    PartEvent {
        /// The answer.
        response_id: String,
        /// The item.
        item_id: String,
        /// The item's place in the answer.
        output_index: u32,
        /// The part's place in the item.
        content_index: u32,
        /// The part.
        part: Part,
    }

    /// The next piece of something.
    Delta {
        /// The answer.
        response_id: String,
        /// The item.
        item_id: String,
        /// The item's place in the answer.
        output_index: u32,
        /// The part's place in the item.
        content_index: u32,
        /// Joins a function call with its output.
        call_id: String,
        /// Text, or base64 of samples.
        delta: String,
    }

    /// A part whose voice is complete.
    PlaceInResponse {
        /// The answer.
        response_id: String,
        /// The item.
        item_id: String,
        /// The item's place in the answer.
        output_index: u32,
        /// The part's place in the item.
        content_index: u32,
    }

    /// A part whose words are complete.
    TextDone {
        /// The answer.
        response_id: String,
        /// The item.
        item_id: String,
        /// The item's place in the answer.
        output_index: u32,
        /// The part's place in the item.
        content_index: u32,
        /// Writing.
        text: String,
        /// What was said.
        transcript: String,
    }

    /// The arguments of a function or remote tool.
    ArgumentsDone {
        /// The answer.
        response_id: String,
        /// The item.
        item_id: String,
        /// The item's place in the answer.
        output_index: u32,
        /// Joins the call with its output.
        call_id: String,
        /// The function; older servers tell it only in the item.
        name: String,
        /// JSON, as the model wrote it.
        arguments: String,
    }

    /// What may still be asked for.
    RateLimitsEvent {
        /// One for requests, one for tokens.
        rate_limits: Vec<RateLimit>,
    }

    /// What may still be asked for.
    RateLimit {
        /// `requests` or `tokens`.
        name: String,
        /// In all.
        limit: f64,
        /// Still.
        remaining: f64,
        /// Until it is full again.
        reset_seconds: f64,
    }
}

/// How an answer went.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseStatus {
    /// It is being made.
    InProgress,
    /// Nothing is missing.
    Completed,
    /// It was stopped, by the person's voice or by the host.
    Cancelled,
    /// It could not be made.
    Failed,
    /// It was cut by a limit.
    Incomplete,
    /// A status of a later protocol, or none.
    #[default]
    #[serde(other)]
    Other,
}

impl ErrorBody {
    /// The code, where the vendor gives one, else the type.
    pub fn name(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.kind)
    }
}

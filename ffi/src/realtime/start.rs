//! Options of C to a conversation.

use std::ffi::c_char;
use std::sync::{Arc, PoisonError};

use realtime_client::bridge::Bridge;
use realtime_client::protocol::{
    FunctionTool, SemanticVad, ServerVad, Tool, Transcription, TurnDetection, Voice,
};
use realtime_client::{Config, Key, Provider, RealtimeClient};
use serde_json::Value;

use super::talk::Talk;
use crate::avatar::AVATARS;
use crate::boundary::{flag, optional_text};
use crate::half::Half;
use crate::musetalk_conversation_options;
use crate::status::{Failure, Result};
use crate::wake::Bell;

/// What a second thread is told.
const TWO: &str = "two threads are acquiring events at once; one at a time may be in this end";

/// # Safety
///
/// The texts in `options` are NULL or NUL-terminated.
pub(super) unsafe fn start(options: &musetalk_conversation_options) -> Result<Talk> {
    let text = |pointer: *const c_char, name| {
        // SAFETY: promised by the caller.
        unsafe { optional_text(pointer, name) }
    };
    let provider = Provider::named(text(options.provider, "options.provider")?.unwrap_or("openai"))?;
    let mut config = match text(options.key, "options.key")? {
        Some(key) => Config::new(provider, Some(Key::new(key)?)),
        None => Config::of(provider)?,
    };
    config.model = text(options.model, "options.model")?.map(str::to_owned);
    config.audio_events = !flag(options.without_audio, "options.without_audio")?;
    let session = &mut config.options.session;
    session.instructions = text(options.instructions, "options.instructions")?.map(str::to_owned);
    session.audio.output.voice = text(options.voice, "options.voice")?.map(Voice::from);
    session.tools = text(options.tools_json, "options.tools_json")?.map(tools).transpose()?;
    session.audio.input.transcription =
        text(options.transcription_model, "options.transcription_model")?.map(Transcription::by);
    let language = text(options.transcription_language, "options.transcription_language")?;
    if let Some(transcription) = &mut session.audio.input.transcription {
        transcription.language = language.map(str::to_owned);
    }
    session.audio.input.turn_detection = match options.turn_detection {
        0 => None,
        1 => Some(TurnDetection::Manual),
        2 => Some(TurnDetection::Server(ServerVad::default())),
        3 => Some(TurnDetection::Semantic(SemanticVad::default())),
        other => {
            let text = format!("`options.turn_detection` is {other}, which this library does not know");
            return Err(Failure::invalid(text));
        }
    };
    connect(options, config)
}

fn connect(options: &musetalk_conversation_options, config: Config) -> Result<Talk> {
    let (input_rate, output_rate) = (config.options.input_rate, config.options.output_rate);
    let talk = |client: RealtimeClient, utterances| {
        let bell = Arc::new(Bell::default());
        let rung = Arc::clone(&bell);
        // What happened before this is told to nobody; who sets a wake-up is told at once.
        let _first = client.on_news(move || rung.ring());
        Talk { client, utterances, input_rate, reading: Half::new((), TWO), bell }
    };
    if options.avatar.is_null() {
        return Ok(talk(RealtimeClient::builder().start(config)?, None));
    }
    let face = AVATARS.hold(options.avatar as u64)?;
    if face.sample_rate != output_rate {
        return Err(Failure::invalid(format!(
            "the avatar was opened for {} Hz and this server speaks at {output_rate}; open it with that sample_rate",
            face.sample_rate
        )));
    }
    let (writer, parked) = face.take_writer()?;
    let bridge = Bridge::new(writer, face.interrupter.clone()).direct(face.director.clone());
    let utterances = bridge.utterances();
    // If this fails, the voice is dropped, and the avatar has its writer back.
    let voice = bridge.on_loan(move |writer| {
        *parked.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
    });
    let client = RealtimeClient::builder().voice(voice).start(config)?;
    Ok(talk(client, Some(utterances)))
}

/// A list of functions as JSON.
fn tools(text: &str) -> Result<Vec<Tool>> {
    let wrong = |why: String| Failure::invalid(format!("`options.tools_json` {why}"));
    let list: Value = serde_json::from_str(text).map_err(|e| wrong(format!("is no JSON: {e}")))?;
    let list = list.as_array().ok_or_else(|| wrong("is no list".to_owned()))?;
    let function = |(index, entry): (usize, &Value)| {
        let Some(name) = entry["name"].as_str().filter(|name| !name.is_empty()) else {
            return Err(wrong(format!("has no \"name\" in function {index}")));
        };
        let mut tool = FunctionTool::default();
        tool.name = name.to_owned();
        tool.description = entry["description"].as_str().map(str::to_owned);
        tool.parameters = entry.get("parameters").cloned();
        Ok(Tool::Function(tool))
    };
    list.iter().enumerate().map(function).collect()
}

//! How vendors shape what a client sends. Reading needs none of this: the parser knows every name.

use serde_json::{Map, Value, json};

/// How a session is shaped on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// GA: `audio.input.turn_detection`, `output_modalities`, `output_text`.
    #[default]
    Nested,
    /// Beta: `turn_detection`, `modalities`, `input_audio_format`, `text`.
    Flat,
}

/// The shape of a session, and where a vendor departs from it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Dialect {
    /// Nested or flat.
    pub shape: Shape,
    /// Paths, such as `audio.output.voice`, that stand at the top of the session instead.
    pub hoisted: Vec<String>,
    /// Keys of the session, by path, that the vendor refuses.
    pub dropped: Vec<String>,
    /// The name of 16-bit samples in a flat session; `pcm16` when empty.
    pub pcm_name: String,
}

impl Dialect {
    /// GA, as OpenAI and most others speak it.
    pub fn ga() -> Self {
        Self::default()
    }

    /// The beta of 2024, dead at OpenAI and alive elsewhere.
    pub fn beta() -> Self {
        Self { shape: Shape::Flat, ..Self::default() }
    }

    /// Rewrites a GA frame into this dialect.
    pub(crate) fn adapt(&self, frame: &mut Value) {
        let kind = frame["type"].as_str().unwrap_or("").to_owned();
        match kind.as_str() {
            "session.update" => {
                // The beta has an event of its own for sessions that only listen.
                if self.shape == Shape::Flat && frame["session"]["type"] == "transcription" {
                    frame["type"] = json!("transcription_session.update");
                }
                self.adapt_session(&mut frame["session"]);
            }
            "response.create" if self.shape == Shape::Flat && frame.get("response").is_some() => {
                flatten(&mut frame["response"], self.pcm_name());
            }
            "conversation.item.create" if self.shape == Shape::Flat => beta_parts(&mut frame["item"]),
            _ => {}
        }
    }

    fn adapt_session(&self, session: &mut Value) {
        for path in &self.dropped {
            take(session, path);
        }
        for path in &self.hoisted {
            if let Some(value) = take(session, path) {
                let key = path.rsplit('.').next().unwrap_or(path);
                session[key] = value;
            }
        }
        if self.shape == Shape::Flat {
            flatten(session, self.pcm_name());
        }
    }

    fn pcm_name(&self) -> &str {
        if self.pcm_name.is_empty() { "pcm16" } else { &self.pcm_name }
    }
}

/// Removes what stands at a dotted path, and the objects that this leaves empty. Indices in brackets end the path.
pub(crate) fn take(tree: &mut Value, path: &str) -> Option<Value> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let map = tree.as_object_mut()?;
    match rest {
        None => map.remove(key),
        Some(rest) => {
            let inner = map.get_mut(key)?;
            let taken = take(inner, rest);
            if taken.is_some() && inner.as_object().is_some_and(Map::is_empty) {
                map.remove(key);
            }
            taken
        }
    }
}

/// GA path, beta key.
const FLAT: &[(&str, &str)] = &[
    ("model", "model"),
    ("instructions", "instructions"),
    ("audio.input.transcription", "input_audio_transcription"),
    ("audio.input.noise_reduction", "input_audio_noise_reduction"),
    ("audio.input.turn_detection", "turn_detection"),
    ("audio.output.voice", "voice"),
    ("audio.output.speed", "speed"),
    ("tool_choice", "tool_choice"),
    ("max_output_tokens", "max_response_output_tokens"),
    ("conversation", "conversation"),
    ("metadata", "metadata"),
    ("input", "input"),
];

/// Where in a nested session that stands which a flat one calls so.
pub(crate) fn nested(key: &str) -> Option<&'static str> {
    let formats = [
        ("audio.input.format", "input_audio_format"),
        ("audio.output.format", "output_audio_format"),
        ("output_modalities", "modalities"),
    ];
    FLAT.iter().chain(&formats).find(|(_, flat)| *flat == key).map(|(path, _)| *path)
}

/// The keys that the beta knows; all others are left behind.
fn flatten(tree: &mut Value, pcm: &str) {
    let mut flat = Map::new();
    for (path, key) in FLAT {
        if let Some(value) = take(tree, path) {
            flat.insert((*key).to_owned(), value);
        }
    }
    for (path, key) in
        [("audio.input.format", "input_audio_format"), ("audio.output.format", "output_audio_format")]
    {
        if let Some(format) = take(tree, path) {
            let name = match format["type"].as_str() {
                Some("audio/pcmu") => "g711_ulaw",
                Some("audio/pcma") => "g711_alaw",
                _ => pcm,
            };
            flat.insert(key.to_owned(), json!(name));
        }
    }
    if let Some(modalities) = take(tree, "output_modalities") {
        let both = if modalities[0] == "audio" { json!(["text", "audio"]) } else { json!(["text"]) };
        flat.insert("modalities".to_owned(), both);
    }
    if let Some(Value::Array(tools)) = take(tree, "tools") {
        let functions = tools.into_iter().filter(|tool| tool["type"] == "function").collect();
        flat.insert("tools".to_owned(), Value::Array(functions));
    }
    if let Some(Value::Array(items)) = flat.get_mut("input") {
        items.iter_mut().for_each(beta_parts);
    }
    *tree = Value::Object(flat);
}

fn beta_parts(item: &mut Value) {
    for part in item["content"].as_array_mut().into_iter().flatten() {
        if part["type"] == "output_text" {
            part["type"] = json!("text");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        ClientEvent, Modality, NewItem, ServerVad, SessionKind, SessionUpdate, TurnDetection,
    };

    fn session() -> SessionUpdate {
        let mut session = SessionUpdate { modality: Some(Modality::Audio), ..SessionUpdate::default() };
        session.audio.output.voice = Some("marin".into());
        session.audio.input.turn_detection = Some(TurnDetection::Server(ServerVad::default()));
        session
    }

    fn sent(event: &ClientEvent, dialect: &Dialect) -> Value {
        serde_json::from_str(&event.to_json(None, dialect)).unwrap()
    }

    #[test]
    fn the_beta_is_flat_and_has_no_type() {
        let tree = sent(&(&session()).into(), &Dialect::beta());
        let expected = json!({"type": "session.update", "session": {
            "modalities": ["text", "audio"], "voice": "marin", "turn_detection": {"type": "server_vad"}
        }});
        assert_eq!(tree, expected);
        let said = NewItem::Assistant { id: None, text: "A red door.".to_owned() };
        let tree = sent(&ClientEvent::ItemCreate { previous_item_id: None, item: said }, &Dialect::beta());
        assert_eq!(tree["item"]["content"][0]["type"], "text");
    }

    #[test]
    fn a_session_that_only_listens_has_an_event_of_its_own_in_the_beta() {
        let session = SessionUpdate { kind: SessionKind::Transcription, ..session() };
        let tree = sent(&(&session).into(), &Dialect::beta());
        assert_eq!(tree["type"], "transcription_session.update");
        assert_eq!(tree["session"]["turn_detection"]["type"], "server_vad");
        assert_eq!(sent(&(&session).into(), &Dialect::ga())["type"], "session.update");
    }

    #[test]
    fn what_a_vendor_wants_at_the_top_stands_there() {
        let dialect = Dialect {
            hoisted: vec!["audio.output.voice".to_owned()],
            dropped: vec!["output_modalities".to_owned()],
            ..Dialect::ga()
        };
        let tree = sent(&(&session()).into(), &dialect);
        let expected = json!({"type": "session.update", "session": {
            "type": "realtime", "voice": "marin",
            "audio": {"input": {"turn_detection": {"type": "server_vad"}}}
        }});
        assert_eq!(tree, expected);
    }
}

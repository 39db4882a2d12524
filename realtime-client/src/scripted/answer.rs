//! The events of one answer, in the order in which a server sends them.

use serde_json::{Value, json};

use crate::protocol::audio::encode;

use super::{Fault, Scenario};

/// Samples of a piece: a tenth of a second.
const PIECE: usize = 2_400;
/// How long a letter takes.
const LETTER: f64 = 0.06;

/// An answer to be told.
pub(super) struct Answer<'a> {
    pub(super) response: &'a Value,
    pub(super) first_item: u64,
    pub(super) previous: Option<&'a str>,
    pub(super) text: &'a str,
    pub(super) scenario: &'a Scenario,
}

/// An item that an answer has made, and how long it sounds.
pub(super) struct Made {
    pub(super) item_id: String,
    pub(super) samples: u64,
}

impl Answer<'_> {
    /// The events of a spoken answer, without `created` and `done`; the items for `done`; what was made.
    pub(super) fn spoken(&self) -> (Vec<Value>, Vec<Value>, Vec<Made>) {
        let (mut events, mut output, mut made) = (Vec::new(), Vec::new(), Vec::new());
        let id = &self.response["id"];
        let mut previous = self.previous.map(str::to_owned);
        for index in 0..self.scenario.items {
            let item_id = format!("item_{}", self.first_item + u64::from(index));
            let place =
                json!({"response_id": id, "item_id": item_id, "output_index": index, "content_index": 0});
            let item = |status: &str, content: Value| {
                json!({"id": item_id, "object": "realtime.item", "type": "message", "status": status,
                    "role": "assistant", "content": content})
            };
            let begun = item("in_progress", json!([]));
            events.push(json!({"type": "response.output_item.added", "response_id": id, "output_index": index, "item": begun}));
            events.push(
                json!({"type": "conversation.item.added", "previous_item_id": previous, "item": begun}),
            );
            events.push(with(
                &place,
                json!({"type": "response.content_part.added", "part": {"type": "audio", "transcript": ""}}),
            ));
            let pcm = voice(self.scenario, self.text);
            let mut letters = self.text.chars();
            let pieces = pcm.chunks(PIECE).count().max(1);
            let share = self.text.chars().count().div_ceil(pieces).max(1);
            for piece in pcm.chunks(PIECE) {
                let words: String = letters.by_ref().take(share).collect();
                if !words.is_empty() {
                    events.push(with(
                        &place,
                        json!({"type": "response.output_audio_transcript.delta", "delta": words}),
                    ));
                }
                for delta in self.deltas(piece) {
                    events.push(with(&place, json!({"type": "response.output_audio.delta", "delta": delta})));
                }
            }
            let done = item("completed", json!([{"type": "output_audio", "transcript": self.text}]));
            events.push(with(&place, json!({"type": "response.output_audio.done"})));
            events.push(with(
                &place,
                json!({"type": "response.output_audio_transcript.done", "transcript": self.text}),
            ));
            events.push(with(&place, json!({"type": "response.content_part.done", "part": {"type": "audio", "transcript": self.text}})));
            events
                .push(json!({"type": "conversation.item.done", "previous_item_id": previous, "item": done}));
            events.push(json!({"type": "response.output_item.done", "response_id": id, "output_index": index, "item": done}));
            previous = Some(item_id.clone());
            made.push(Made { item_id, samples: pcm.len() as u64 });
            output.push(done);
        }
        (events, output, made)
    }

    /// The events of a written answer.
    pub(super) fn written(&self, beside: bool) -> (Vec<Value>, Vec<Value>) {
        let id = &self.response["id"];
        let item_id = format!("item_{}", self.first_item);
        let place = json!({"response_id": id, "item_id": item_id, "output_index": 0, "content_index": 0});
        let item = json!({"id": item_id, "object": "realtime.item", "type": "message", "status": "completed",
            "role": "assistant", "content": [{"type": "output_text", "text": self.text}]});
        let mut events = vec![
            json!({"type": "response.output_item.added", "response_id": id, "output_index": 0, "item": item}),
        ];
        if !beside {
            events.push(
                json!({"type": "conversation.item.added", "previous_item_id": self.previous, "item": item}),
            );
        }
        events.push(with(&place, json!({"type": "response.output_text.delta", "delta": self.text})));
        events.push(with(&place, json!({"type": "response.output_text.done", "text": self.text})));
        events.push(
            json!({"type": "response.output_item.done", "response_id": id, "output_index": 0, "item": item}),
        );
        (events, vec![item])
    }

    /// The events of calls to these functions.
    pub(super) fn calls(&self, functions: &[String], calls: u64) -> (Vec<Value>, Vec<Value>) {
        let (mut events, mut output) = (Vec::new(), Vec::new());
        let id = &self.response["id"];
        for (index, name) in functions.iter().enumerate() {
            let item_id = format!("item_{}", self.first_item + index as u64);
            let call_id = format!("call_{}", calls + index as u64);
            let arguments = json!({"asked": self.text}).to_string();
            let item = |status: &str, arguments: &str| {
                json!({"id": item_id, "object": "realtime.item", "type": "function_call", "status": status,
                    "name": name, "call_id": call_id, "arguments": arguments})
            };
            let place =
                json!({"response_id": id, "item_id": item_id, "output_index": index, "call_id": call_id});
            let begun = item("in_progress", "");
            events.push(json!({"type": "response.output_item.added", "response_id": id, "output_index": index, "item": begun}));
            events.push(
                json!({"type": "conversation.item.added", "previous_item_id": self.previous, "item": begun}),
            );
            events.push(with(
                &place,
                json!({"type": "response.function_call_arguments.delta", "delta": arguments}),
            ));
            events.push(with(&place, json!({"type": "response.function_call_arguments.done", "name": name, "arguments": arguments})));
            let done = item("completed", &arguments);
            events.push(json!({"type": "response.output_item.done", "response_id": id, "output_index": index, "item": done}));
            output.push(done);
        }
        (events, output)
    }

    fn deltas(&self, piece: &[i16]) -> Vec<String> {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        match self.scenario.fault {
            Some(Fault::BadBase64) => vec!["this is no base64!".to_owned()],
            Some(Fault::OddBytes) => {
                let bytes: Vec<u8> = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                bytes.chunks(999).map(|odd| STANDARD.encode(odd)).collect()
            }
            _ => vec![encode(piece)],
        }
    }
}

fn with(place: &Value, mut event: Value) -> Value {
    for (key, value) in place.as_object().into_iter().flatten() {
        event[key] = value.clone();
    }
    event
}

/// The voice of an answer at 24 kHz: that of this text, the scenario's own, or a hum with syllables.
fn voice(scenario: &Scenario, text: &str) -> Vec<i16> {
    let seconds = scenario.answer_seconds;
    let own = scenario.voices.get(text).unwrap_or(&scenario.voice);
    if !own.is_empty() {
        let length = seconds.map_or(own.len(), |seconds| (seconds * 24_000.0) as usize);
        return own.iter().copied().cycle().take(length).collect();
    }
    let length = seconds.unwrap_or(text.chars().count() as f64 * LETTER) * 24_000.0;
    let sample = |n: usize| {
        let time = n as f64 / 24_000.0;
        let syllable = (time * 4.0 * std::f64::consts::PI).sin().max(0.0);
        let hum: f64 =
            (1..=6).map(|k| (time * 140.0 * std::f64::consts::TAU * f64::from(k)).sin() / f64::from(k)).sum();
        (hum * syllable * 6_000.0) as i16
    };
    (0..length as usize).map(sample).collect()
}

//! One connection of a scripted server: what the client says goes in, what it hears comes out with the time it is due.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::audio::Decoder;
use crate::protocol::session::merge;

use super::answer::Answer;
use super::ear::{Ear, Edge};
use super::remote::{Place, Remote};
use super::{Fault, Scenario};

/// 100 ms at 24 kHz.
const LEAST_COMMIT: u64 = 2_400;

#[derive(Debug)]
pub(crate) struct Script {
    scenario: Scenario,
    session: Value,
    now: Duration,
    queue: VecDeque<(Duration, Value)>,
    ear: Ear,
    uncommitted: u64,
    /// The item that the turn in progress will become.
    turn: Option<String>,
    /// Items of the conversation in order, and the samples of those that sound.
    items: Vec<String>,
    sounding: BTreeMap<String, u64>,
    active: Option<Active>,
    said: String,
    outputs: Vec<String>,
    /// Functions were called and their outputs not yet spoken of.
    called: bool,
    turns: usize,
    numbers: u64,
    remote: Remote,
    /// What is said after the next answer, where the order is wrong.
    late: Vec<Value>,
}

#[derive(Debug)]
struct Active {
    id: String,
    /// Its items, of which a client may have heard something.
    items: Vec<String>,
}

impl Script {
    /// A connection at the time of day `unix`.
    pub(crate) fn new(scenario: Scenario, transcription: bool, unix: u64) -> Self {
        let life = match scenario.fault {
            Some(Fault::ShortLife(seconds)) => seconds,
            _ => 3600,
        };
        let format = json!({"type": "audio/pcm", "rate": 24_000});
        let detection = json!({"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
            "idle_timeout_ms": null, "create_response": true, "interrupt_response": true});
        let input = json!({"format": format, "transcription": null, "noise_reduction": null, "turn_detection": detection});
        let session = if transcription {
            json!({"type": "transcription", "object": "realtime.transcription_session", "id": "sess_1",
                "expires_at": unix + life, "include": null, "audio": {"input": input}})
        } else {
            json!({"type": "realtime", "object": "realtime.session", "id": "sess_1", "expires_at": unix + life,
                "model": "scripted", "output_modalities": ["audio"], "instructions": "", "tools": [], "tool_choice": "auto",
                "max_output_tokens": "inf", "tracing": null, "truncation": "auto", "prompt": null, "include": null,
                "audio": {"input": input, "output": {"format": format, "voice": "alloy", "speed": 1.0}}})
        };
        let mut script = Self {
            scenario,
            session,
            now: Duration::ZERO,
            queue: VecDeque::new(),
            ear: Ear::default(),
            uncommitted: 0,
            turn: None,
            items: Vec::new(),
            sounding: BTreeMap::new(),
            active: None,
            said: String::new(),
            outputs: Vec::new(),
            called: false,
            turns: 0,
            numbers: 0,
            remote: Remote::default(),
            late: Vec::new(),
        };
        match script.scenario.fault.clone() {
            Some(Fault::NeverGreets) => {}
            Some(Fault::RejectedAfterUpgrade(code)) => {
                script.error(&code, "The client was turned away.", &Value::Null)
            }
            _ => {
                let session = script.session.clone();
                script.send(json!({"type": "session.created", "session": session}));
            }
        }
        script
    }

    /// What the client says.
    pub(crate) fn handle(&mut self, event: &Value, now: Duration) {
        self.now = self.now.max(now);
        let id = &event["event_id"];
        match event["type"].as_str().unwrap_or("") {
            "session.update" => self.update(&event["session"], id),
            "input_audio_buffer.append" => self.append(event["audio"].as_str().unwrap_or(""), id),
            "input_audio_buffer.commit" if self.uncommitted < LEAST_COMMIT => {
                self.error("input_audio_buffer_commit_empty", "Less than 100 ms of audio.", id);
            }
            "input_audio_buffer.commit" => self.commit(),
            "input_audio_buffer.clear" => {
                self.uncommitted = 0;
                self.send(json!({"type": "input_audio_buffer.cleared"}));
            }
            "conversation.item.create" => self.create(event, id),
            "conversation.item.truncate" => self.truncate(event, id),
            "conversation.item.delete" => self.delete(event["item_id"].as_str().unwrap_or(""), id),
            "conversation.item.retrieve" => {
                let item_id = &event["item_id"];
                self.send(json!({"type": "conversation.item.retrieved", "item": {"id": item_id, "object": "realtime.item",
                    "type": "message", "role": "user", "status": "completed",
                    "content": [{"type": "input_audio", "audio": "AAAAAAAA", "transcript": null}]}}));
            }
            "response.create" => self.respond(&event["response"], id),
            "response.cancel" => match self.active.take() {
                Some(active) => self.cancel(&active, "client_cancelled"),
                None => self.error("response_cancel_not_active", "Nothing to cancel.", id),
            },
            kind => self.error("invalid_value", &format!("There is no event {kind:?}."), id),
        }
    }

    /// What the client hears now.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Value> {
        self.now = self.now.max(now);
        if self.queue.front().is_none_or(|(due, _)| *due > now) {
            return None;
        }
        let event = self.queue.pop_front()?.1;
        if event["type"] == "response.done"
            && self.active.as_ref().is_some_and(|a| event["response"]["id"] == a.id)
        {
            self.active = None;
        }
        Some(event)
    }

    /// When it hears more.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.queue.front().map(|(due, _)| *due)
    }

    fn send(&mut self, event: Value) {
        self.send_after(event, Duration::ZERO);
    }

    fn send_after(&mut self, mut event: Value, pause: Duration) {
        self.numbers += 1;
        event["event_id"] = json!(format!("event_{}", self.numbers));
        let late = match self.scenario.fault {
            Some(Fault::Slow(late)) => late,
            _ => Duration::ZERO,
        };
        let last = self.queue.back().map_or(Duration::ZERO, |(due, _)| *due);
        self.queue.push_back((last.max(self.now + late) + pause, event));
    }

    fn error(&mut self, code: &str, message: &str, event_id: &Value) {
        self.send(json!({"type": "error", "error": {"type": "invalid_request_error", "code": code, "message": message,
            "param": null, "event_id": event_id}}));
    }

    fn name(&mut self, prefix: &str) -> String {
        named(&mut self.numbers, prefix)
    }

    fn detection(&self, key: &str) -> bool {
        let detection = &self.session["audio"]["input"]["turn_detection"];
        !detection.is_null() && detection[key] != json!(false)
    }

    fn update(&mut self, session: &Value, id: &Value) {
        if session["type"] != self.session["type"] {
            self.error("missing_required_parameter", "session.type must be what the session is.", id);
            return;
        }
        let detection = &session["audio"]["input"]["turn_detection"];
        if detection["type"] == "semantic_vad" && !detection["idle_timeout_ms"].is_null() {
            self.error("invalid_value", "semantic_vad has no idle_timeout_ms.", id);
            return;
        }
        merge(&mut self.session, session);
        if self.scenario.fault != Some(Fault::NeverAcknowledges) {
            let session = self.session.clone();
            self.send(json!({"type": "session.updated", "session": session}));
        }
        let (tools, scenario, previous) =
            (self.session["tools"].clone(), self.scenario.clone(), self.items.last().cloned());
        let numbers = &mut self.numbers;
        let (events, items) =
            self.remote.list(&tools, &scenario, previous.as_deref(), |prefix| named(numbers, prefix));
        self.items.extend(items);
        events.into_iter().for_each(|event| self.send(event));
    }

    fn append(&mut self, audio: &str, id: &Value) {
        let Ok(pcm) = Decoder::default().decode(audio) else {
            self.error("invalid_value", "The audio is not base64.", id);
            return;
        };
        self.uncommitted += pcm.len() as u64;
        let detection = &self.session["audio"]["input"]["turn_detection"];
        if detection.is_null() {
            return;
        }
        let silence = silence(detection);
        for edge in self.ear.hear(&pcm, silence) {
            match edge {
                Edge::Began(at) => self.speech_began(at),
                Edge::Ended(at) => {
                    let item_id = self.turn.clone();
                    self.send(json!({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": at, "item_id": item_id}));
                    self.commit();
                    if self.detection("create_response") && self.session["type"] == "realtime" {
                        self.respond(&Value::Null, &Value::Null);
                    }
                }
            }
        }
    }

    fn speech_began(&mut self, at: u64) {
        let item_id = self.name("item");
        self.turn = Some(item_id.clone());
        let cut = self.active.take_if(|_| true).filter(|_| self.detection("interrupt_response"));
        let speech =
            json!({"type": "input_audio_buffer.speech_started", "audio_start_ms": at, "item_id": item_id});
        let cancels_first = self.scenario.fault == Some(Fault::CancelsBeforeSpeech);
        if !cancels_first {
            self.send_now(speech.clone());
        }
        if let Some(active) = cut {
            self.cancel(&active, "turn_detected");
        }
        if cancels_first {
            self.send(speech);
        }
    }

    /// Before what is on its way.
    fn send_now(&mut self, mut event: Value) {
        self.numbers += 1;
        event["event_id"] = json!(format!("event_{}", self.numbers));
        self.queue.push_front((self.now, event));
    }

    fn commit(&mut self) {
        self.uncommitted = 0;
        let item_id = self.turn.take().unwrap_or_else(|| self.name("item"));
        let previous = self.items.last().cloned();
        self.items.push(item_id.clone());
        self.send(
            json!({"type": "input_audio_buffer.committed", "previous_item_id": previous, "item_id": item_id}),
        );
        let item = json!({"id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": [{"type": "input_audio", "transcript": null}]});
        self.send(json!({"type": "conversation.item.added", "previous_item_id": previous, "item": item}));
        self.send(json!({"type": "conversation.item.done", "previous_item_id": previous, "item": item}));
        self.said = self.scenario.transcript.clone();
        if !self.session["audio"]["input"]["transcription"].is_null() {
            let place = json!({"item_id": item_id, "content_index": 0});
            let said = self.said.clone();
            let mut delta = place.clone();
            delta["type"] = json!("conversation.item.input_audio_transcription.delta");
            delta["delta"] = json!(said);
            let mut done = place;
            done["type"] = json!("conversation.item.input_audio_transcription.completed");
            done["transcript"] = json!(said);
            done["usage"] = json!({"type": "tokens", "total_tokens": 22, "input_tokens": 13, "output_tokens": 9,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 13}});
            self.late.extend([delta, done]);
            if self.scenario.fault != Some(Fault::WrongOrder) {
                self.send_late();
            }
        }
    }

    fn send_late(&mut self) {
        for event in std::mem::take(&mut self.late) {
            self.send(event);
        }
    }

    fn create(&mut self, event: &Value, id: &Value) {
        let mut item = event["item"].clone();
        let previous = match event["previous_item_id"].as_str() {
            Some("root") => None,
            Some(known) if self.items.iter().any(|item| item == known) => Some(known.to_owned()),
            Some(_) => return self.error("invalid_value", "There is no such item.", id),
            None => self.items.last().cloned(),
        };
        let item_id = item["id"].as_str().map_or_else(|| self.name("item"), str::to_owned);
        item["id"] = json!(item_id);
        // Items of remote tools have neither.
        if matches!(item["type"].as_str(), Some("message" | "function_call" | "function_call_output")) {
            item["object"] = json!("realtime.item");
            item["status"] = json!("completed");
        }
        let text = |part: &Value| part["text"].as_str().map(str::to_owned);
        if item["role"] == "user" {
            self.said = item["content"].as_array().into_iter().flatten().filter_map(text).collect();
        }
        if item["type"] == "mcp_approval_response" && !self.remote.answered(&item) {
            return self.error("invalid_value", "Nobody asked for this approval.", id);
        }
        if item["type"] == "function_call_output" {
            self.outputs.push(item["output"].as_str().unwrap_or("").to_owned());
        }
        self.items.push(item_id);
        self.send(json!({"type": "conversation.item.added", "previous_item_id": previous, "item": item}));
        self.send(json!({"type": "conversation.item.done", "previous_item_id": previous, "item": item}));
    }

    fn truncate(&mut self, event: &Value, id: &Value) {
        let item_id = event["item_id"].as_str().unwrap_or("").to_owned();
        let end = event["audio_end_ms"].as_u64().unwrap_or(u64::MAX);
        let Some(samples) = self.sounding.get(&item_id).copied() else {
            return self.error(
                "unsupported_content_type",
                "Only model output audio messages can be truncated.",
                id,
            );
        };
        if end.saturating_mul(24) > samples {
            let text = format!("Audio content of {} ms is already shorter than {end} ms.", samples / 24);
            return self.error("invalid_value", &text, id);
        }
        self.sounding.insert(item_id.clone(), end * 24);
        self.send(json!({"type": "conversation.item.truncated", "item_id": item_id, "content_index": 0, "audio_end_ms": end}));
    }

    fn delete(&mut self, item_id: &str, id: &Value) {
        let known = self.items.len();
        self.items.retain(|item| item != item_id);
        if self.items.len() == known {
            return self.error("item_delete_invalid_item_id", "There is no such item.", id);
        }
        self.send(json!({"type": "conversation.item.deleted", "item_id": item_id}));
    }

    fn respond(&mut self, params: &Value, id: &Value) {
        let beside = params["conversation"] == "none";
        if self.active.is_some() && !beside {
            return self.error("conversation_already_has_active_response", "An answer is being made.", id);
        }
        if self.session["type"] != "realtime" {
            return self.error("invalid_value", "A transcription session does not answer.", id);
        }
        let response_id = self.name("resp");
        let mut response = json!({"object": "realtime.response", "id": response_id, "status": "in_progress",
            "status_details": null, "output": [], "conversation_id": if beside { Value::Null } else { json!("conv_1") },
            "output_modalities": params.get("output_modalities").unwrap_or(&self.session["output_modalities"]),
            "max_output_tokens": "inf", "usage": null, "metadata": params.get("metadata").unwrap_or(&Value::Null)});
        self.send(json!({"type": "response.created", "response": response}));
        if !beside {
            self.active = Some(Active { id: response_id, items: Vec::new() });
        }
        if let Some(Fault::AnswersFail(code)) = self.scenario.fault.clone() {
            response["status"] = json!("failed");
            response["status_details"] =
                json!({"type": "failed", "error": {"type": "server_error", "code": code}});
            return self.send(json!({"type": "response.done", "response": response}));
        }
        let (mut events, output) = self.made(&response, beside);
        if self.scenario.fault == Some(Fault::WrongOrder) {
            // A sort keeps the order of what is equal.
            events.sort_by_key(|event| event["type"] == "response.output_audio.done");
        }
        let chatters = self.scenario.chatters;
        for (index, event) in events.into_iter().enumerate() {
            if chatters && index % 3 == 0 {
                self.send(json!({"type": "vendor.noise", "x": [1, {"y": null}]}));
            }
            let pause = self.scenario.pace;
            self.send_after(event, pause);
        }
        response["status"] = json!("completed");
        response["output"] = json!(output);
        response["usage"] = json!({"total_tokens": 253, "input_tokens": 132, "output_tokens": 121,
            "input_token_details": {"text_tokens": 119, "audio_tokens": 13, "image_tokens": 0, "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 0, "image_tokens": 0}},
            "output_token_details": {"text_tokens": 30, "audio_tokens": 91}});
        self.send(json!({"type": "response.done", "response": response}));
        self.send(json!({"type": "rate_limits.updated", "rate_limits": [
            {"name": "tokens", "limit": 40_000, "remaining": 39_747, "reset_seconds": 0.38}]}));
        self.send_late();
    }

    /// The events of an answer, and its items.
    fn made(&mut self, response: &Value, beside: bool) -> (Vec<Value>, Vec<Value>) {
        let scenario = self.scenario.clone();
        let functions: Vec<String> = self.session["tools"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tool| tool["name"].as_str().map(str::to_owned))
            .collect();
        let previous = self.items.last().cloned();
        if scenario.calls_remote && !beside {
            let place =
                Place { response_id: &response["id"], previous: previous.as_deref(), said: &self.said };
            let numbers = &mut self.numbers;
            let tools = self.session["tools"].clone();
            if let Some((events, item)) =
                self.remote.next(&tools, &place, &scenario, |prefix| named(numbers, prefix))
            {
                self.items.extend(item["id"].as_str().map(str::to_owned));
                return (events, vec![item]);
            }
        }
        let calls = scenario.calls_functions && !functions.is_empty() && !self.called && !beside;
        let outputs = std::mem::take(&mut self.outputs);
        let remote = if beside { None } else { self.remote.words() };
        let text = if let Some(words) = remote {
            words
        } else if !outputs.is_empty() {
            format!("The function said: {}", outputs.join(", "))
        } else if scenario.answers.is_empty() {
            format!("You said: {}", self.said)
        } else {
            scenario.answers[self.turns % scenario.answers.len()].clone()
        };
        let first_item = self.numbers + 1;
        self.numbers += u64::from(scenario.items) + functions.len() as u64;
        let answer =
            Answer { response, first_item, previous: previous.as_deref(), text: &text, scenario: &scenario };
        if calls {
            self.called = true;
            let (events, output) = answer.calls(&functions, first_item);
            self.items.extend(output.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)));
            return (events, output);
        }
        if response["output_modalities"][0] == "text" {
            return answer.written(beside);
        }
        self.called = false;
        self.turns += 1;
        let (events, output, made) = answer.spoken();
        for made in made {
            self.items.push(made.item_id.clone());
            self.sounding.insert(made.item_id.clone(), made.samples);
            if let Some(active) = &mut self.active {
                active.items.push(made.item_id);
            }
        }
        (events, output)
    }

    /// Stops an answer: what was not sent is not said.
    fn cancel(&mut self, active: &Active, reason: &str) {
        let mine = |event: &Value| {
            let response = event["response_id"] == active.id || event["response"]["id"] == active.id;
            response || active.items.iter().any(|item| event["item"]["id"] == **item)
        };
        // What is left in the queue was not made: its sound does not count.
        let mut unsent: BTreeMap<String, u64> = BTreeMap::new();
        self.queue.retain(|(_, event)| {
            if event["type"] == "response.output_audio.delta" && mine(event) {
                let pcm =
                    Decoder::default().decode(event["delta"].as_str().unwrap_or("")).unwrap_or_default();
                *unsent.entry(event["item_id"].as_str().unwrap_or("").to_owned()).or_default() +=
                    pcm.len() as u64;
            }
            !mine(event)
        });
        for (item, samples) in unsent {
            if let Some(made) = self.sounding.get_mut(&item) {
                *made = made.saturating_sub(samples);
            }
        }
        self.send(
            json!({"type": "response.done", "response": {"object": "realtime.response", "id": active.id,
            "status": "cancelled", "status_details": {"type": "cancelled", "reason": reason}, "output": [],
            "conversation_id": "conv_1", "usage": null, "metadata": null}}),
        );
    }
}

fn named(numbers: &mut u64, prefix: &str) -> String {
    *numbers += 1;
    format!("{prefix}_{numbers}")
}

/// How much silence ends a turn. This server understands nothing, so where meaning should decide it waits for as long as the
/// eagerness allows.
fn silence(detection: &Value) -> u64 {
    match (detection["type"].as_str(), detection["eagerness"].as_str()) {
        (Some("semantic_vad"), Some("low")) => 8_000,
        (Some("semantic_vad"), Some("high")) => 2_000,
        (Some("semantic_vad"), _) => 4_000,
        _ => detection["silence_duration_ms"].as_u64().unwrap_or(200),
    }
}

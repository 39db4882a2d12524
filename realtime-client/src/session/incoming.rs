//! What the server said, and what follows from it.

use std::time::Duration;

use serde_json::Value;

use crate::protocol::dialect::{nested, take};
use crate::protocol::server_event::{ErrorBody, Response, ResponseCancelled, ResponseStatus, SessionState};
use crate::protocol::{ClientEvent, Item, ItemKind, ItemStatus, Role, ServerEvent};
use crate::{Error, ErrorKind};

use super::calls::{Begun, Call, MOST_CALLS};
use super::commands::TAG;
use super::history::{What, is_spoken};
use super::playback::Place;
use super::{Event, LEAST_LIFE, Phase, Session};

/// Settings that a server may refuse, one after the other, before it is given up.
const MOST_STRIPPED: u32 = 16;
/// Remote servers that are waited for.
const MOST_LISTING: usize = 64;
/// Approval requests that wait for the host.
const MOST_ASKED: usize = 64;

/// Sound that may wait for what must sound before it.
const MOST_WAITING_MINUTES: u64 = 15;

impl Session {
    /// What the server said.
    pub fn handle(&mut self, event: ServerEvent, now: Duration) {
        self.advance_to(now);
        if matches!(self.phase, Phase::Closed | Phase::Connecting) {
            return;
        }
        match event {
            ServerEvent::SessionCreated(body) => self.greeted(&body.session),
            ServerEvent::SessionUpdated(body) => self.updated(&body.session),
            ServerEvent::Error(body) => self.refused(&body.error),
            ServerEvent::Unknown { kind } => self.tell(Event::Unknown { kind }),
            ServerEvent::Malformed { kind, reason } => self.tell(Event::Malformed { kind, reason }),
            event => self.converse(event),
        }
        self.settle();
    }

    fn converse(&mut self, event: ServerEvent) {
        match event {
            // the person
            ServerEvent::SpeechStarted(edge) => {
                self.turn.speaking = true;
                self.turn.awaiting = None;
                self.tell(Event::SpeechStarted { item_id: edge.item_id });
                if self.server_does("interrupt_response") && !self.is_transcription() {
                    self.cut(false);
                    self.answers.yield_floor();
                }
            }
            ServerEvent::SpeechStopped(edge) => {
                // The commit follows, and the answer; between them the face should not look idle.
                if self.server_does("create_response") && !self.is_transcription() {
                    self.turn.awaiting = Some(self.now);
                }
                self.turn.speaking = false;
                self.tell(Event::SpeechStopped { item_id: edge.item_id });
            }
            ServerEvent::Committed(turn) => {
                self.turn.speaking = false;
                self.turn.uncommitted = 0;
                // What was cut and has not begun by now never will: what begins next answers this turn.
                self.answers.pending.take_if(|pending| pending.cut);
                let said = What::Said { role: Role::User, text: String::new(), cut: false };
                self.history.put(&turn.item_id, said, turn.previous_item_id.as_deref());
                if self.server_does("create_response") && !self.is_transcription() {
                    self.turn.awaiting = Some(self.now);
                }
            }
            ServerEvent::InputTranscriptDelta(piece) => {
                self.history.extend(&piece.item_id, piece.content_index, Role::User, &piece.delta);
                self.tell(Event::UserText { item_id: piece.item_id, delta: piece.delta });
            }
            ServerEvent::InputTranscriptDone(all) => {
                self.history.complete(&all.item_id, all.content_index, Role::User, &all.transcript);
                self.usage.add_transcription(&all.usage);
                self.tell(Event::UserSaid { item_id: all.item_id, text: all.transcript });
            }
            ServerEvent::InputTranscriptUpdated(all) => {
                let before = self.history.text(&all.item_id).unwrap_or("").to_owned();
                self.history.complete(&all.item_id, all.content_index, Role::User, &all.transcript);
                // Words that were taken back are told when the turn is complete.
                if let Some(delta) = all.transcript.strip_prefix(&before).filter(|delta| !delta.is_empty()) {
                    self.tell(Event::UserText { item_id: all.item_id, delta: delta.to_owned() });
                }
            }
            ServerEvent::InputTranscriptSegment(segment) => self.tell(Event::UserSegment(segment)),
            ServerEvent::InputTranscriptFailed(failure) => {
                let error = error_of(&failure.error);
                self.tell(Event::UserUnwritten { item_id: failure.item_id, error });
            }
            // the conversation
            ServerEvent::ItemAdded(body) | ServerEvent::ItemCreated(body) => {
                self.history.place(&body.item, body.previous_item_id.as_deref());
            }
            ServerEvent::ItemDone(body) => {
                self.history.place(&body.item, body.previous_item_id.as_deref());
                self.item_done(&body.item);
            }
            ServerEvent::ItemDeleted(item) => self.history.remove(&item.item_id),
            ServerEvent::ItemRetrieved(body) => self.tell(Event::Retrieved { item: Box::new(body.item) }),
            // an answer
            ServerEvent::ResponseCreated(body) => self.response_created(&body.response),
            ServerEvent::ResponseDone(body) => self.response_done(&body.response),
            ServerEvent::ResponseCancelled(body) => self.response_cancelled(*body),
            ServerEvent::RateLimits(limits) => self.tell(Event::RateLimits(limits.rate_limits)),
            // remote tools
            ServerEvent::McpListInProgress(item) => {
                if self.listing.is_empty() {
                    self.listing_since = self.now;
                }
                if self.listing.len() < MOST_LISTING {
                    self.listing.push(item.item_id);
                }
            }
            ServerEvent::McpListCompleted(item) => self.listing.retain(|id| *id != item.item_id),
            ServerEvent::McpListFailed(item) => {
                self.listing.retain(|id| *id != item.item_id);
                let error = Error::new(ErrorKind::Refused, "a remote server did not tell its tools");
                self.problem(error, Some("session.update"));
            }
            ServerEvent::McpCallInProgress(_) => self.set_patient(true),
            ServerEvent::McpCallCompleted(_) | ServerEvent::McpCallFailed(_) => self.set_patient(false),
            event => self.answer(event),
        }
    }

    /// The pieces of an answer.
    fn answer(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::PartAdded(body) => {
                let place = Place {
                    item_id: body.item_id,
                    output_index: body.output_index,
                    content_index: body.content_index,
                };
                if let Some(id) = self.sounding(&body.response_id)
                    && body.part.kind == crate::protocol::PartKind::OutputAudio
                {
                    self.ledger.expect(&id, &place);
                }
            }
            ServerEvent::AudioDelta(piece) => {
                let Some(id) = self.sounding(&piece.response_id) else { return };
                let place = Place {
                    item_id: piece.item_id,
                    output_index: piece.output_index,
                    content_index: piece.content_index,
                };
                if let Some(active) = &mut self.answers.active {
                    active.spoke = true;
                }
                self.link.spoke = true;
                if let Err(reason) = self.ledger.receive(&id, &place, &piece.delta) {
                    self.tell(Event::Malformed { kind: "response.output_audio.delta".to_owned(), reason });
                }
                self.flow();
                if self.ledger.waiting() > MOST_WAITING_MINUTES * 60 * u64::from(self.options.output_rate) {
                    self.overflow("fifteen minutes of sound wait for a part that comes before them");
                }
            }
            ServerEvent::AudioDone(place) => {
                let Some(id) = self.living(&place.response_id) else { return };
                self.ledger.part_done(&id, &place.item_id, place.content_index);
                self.flow();
            }
            ServerEvent::TranscriptDelta(piece) => {
                if self.living(&piece.response_id).is_none() || self.history.is_cut(&piece.item_id) {
                    return;
                }
                self.history.extend(&piece.item_id, piece.content_index, Role::Assistant, &piece.delta);
                self.tell(Event::Transcript { item_id: piece.item_id, delta: piece.delta });
            }
            ServerEvent::TranscriptDone(all) => {
                if self.living(&all.response_id).is_none() || self.history.is_cut(&all.item_id) {
                    return;
                }
                self.history.complete(&all.item_id, all.content_index, Role::Assistant, &all.transcript);
                self.tell(Event::Said { item_id: all.item_id, text: all.transcript });
            }
            ServerEvent::TextDelta(piece) => {
                self.answers.extend_aside(&piece.response_id, &piece.delta);
                if self.living(&piece.response_id).is_none() {
                    return;
                }
                self.history.extend(&piece.item_id, piece.content_index, Role::Assistant, &piece.delta);
                self.tell(Event::Text { item_id: piece.item_id, delta: piece.delta });
            }
            ServerEvent::TextDone(all) => {
                if self.living(&all.response_id).is_none() {
                    return;
                }
                self.history.complete(&all.item_id, all.content_index, Role::Assistant, &all.text);
                self.tell(Event::Wrote { item_id: all.item_id, text: all.text });
            }
            ServerEvent::ArgumentsDone(call) => {
                let Some(id) = self.living(&call.response_id) else { return };
                // Older servers tell the name only in the item, which follows.
                if !call.name.is_empty() {
                    self.call(&id, &call.call_id, call.output_index, &call.name, &call.arguments);
                }
            }
            ServerEvent::OutputItemDone(body) => {
                let Some(id) = self.living(&body.response_id) else { return };
                // Not every server says that the sound of its parts is complete.
                self.ledger.item_done(&id, &body.item.id);
                self.flow();
                self.item_done(&body.item);
                self.call_of(&id, &body.item, body.output_index);
            }
            ServerEvent::OutputItemAdded(body) => {
                self.living(&body.response_id);
            }
            ServerEvent::ArgumentsDelta(piece) | ServerEvent::McpArgumentsDelta(piece) => {
                self.living(&piece.response_id);
            }
            _ => {}
        }
    }

    /// The answer that a piece belongs to, if anybody still wants to hear it. Servers that do not say which mean the one that is
    /// being made; servers that never announced it are believed.
    fn living(&mut self, response_id: &str) -> Option<String> {
        let now = self.now;
        let id = if response_id.is_empty() { self.active_id()? } else { response_id.to_owned() };
        if self.answers.is_dead(&id) || self.answers.aside_of(&id).is_some() {
            return None;
        }
        let finished = self.answers.is_finished(&id);
        match &mut self.answers.active {
            Some(active) if active.id == id => active.last = now,
            // The last pieces of an answer that is over.
            Some(_) => {}
            None if finished => {}
            None => {
                if self.begun(&id) {
                    return None;
                }
            }
        }
        Some(id)
    }

    /// The same for sound: an answer that is over has all of it.
    fn sounding(&mut self, response_id: &str) -> Option<String> {
        self.living(response_id).filter(|id| !self.answers.is_finished(id))
    }

    /// An answer begins. `true`: it was cut before it did, and is stopped.
    fn begun(&mut self, id: &str) -> bool {
        let cut = self.answers.created(id, self.now);
        if cut {
            self.cut(true);
        }
        cut
    }

    fn active_id(&self) -> Option<String> {
        self.answers.active.as_ref().map(|active| active.id.clone())
    }

    fn set_patient(&mut self, patient: bool) {
        if let Some(active) = &mut self.answers.active {
            active.patient = patient;
            active.last = self.now;
        }
    }

    // ── the session ──

    fn greeted(&mut self, session: &SessionState) {
        if !matches!(self.phase, Phase::Greeting { .. }) {
            return;
        }
        let ends = |at: u64| Duration::from_secs(at.saturating_sub(self.link.epoch));
        // No server gives less: then the clock of this machine is wrong, and the server says itself when it is over.
        self.link.expires = session.expires_at.map(ends).filter(|at| *at >= self.now + LEAST_LIFE);
        self.learn_rate(session);
        self.configure(0);
    }

    fn configure(&mut self, stripped: u32) {
        let event_id = self.send(ClientEvent::SessionUpdate { session: self.config.clone() });
        self.phase = Phase::Configuring { since: self.now, event_id, stripped };
        if !self.options.capabilities.update_ack {
            self.ready();
        }
    }

    fn updated(&mut self, session: &SessionState) {
        let format = session.audio.output.format.as_ref().map_or("", |format| format.kind.as_str());
        if matches!(format, "audio/pcmu" | "audio/pcma") {
            let why = "the server speaks G.711, which is not understood here; set audio.output.format to AudioFormat::Pcm";
            self.end(Some(Error::new(ErrorKind::Unsupported, why)));
            return;
        }
        self.learn_rate(session);
        self.accepted = Some(self.config.clone());
        match self.phase {
            Phase::Closed => {}
            Phase::Configuring { .. } => self.ready(),
            _ => self.tell(Event::Updated),
        }
    }

    fn learn_rate(&mut self, session: &SessionState) {
        let rate = session.audio.output.format.as_ref().and_then(|format| format.rate);
        if let Some(rate) = rate.filter(|rate| (8_000..=192_000).contains(rate)) {
            self.options.output_rate = rate;
            self.ledger.set_rate(rate);
        }
    }

    fn refused(&mut self, body: &ErrorBody) {
        let error = error_of(body);
        let about = body
            .event_id
            .as_ref()
            .and_then(|id| self.sent.iter().find(|(sent, _)| sent == id).map(|(_, kind)| *kind));
        let optional = body.param.as_deref().is_some_and(is_optional);
        if error.kind().is_final() && !optional {
            self.end(Some(error));
            return;
        }
        if let Phase::Configuring { event_id, stripped, .. } = &self.phase
            && (body.event_id.as_ref() == Some(event_id)
                || body.param.as_deref().is_some_and(|param| param.starts_with("session.")))
        {
            let stripped = *stripped;
            self.configuration_refused(body, error, stripped);
            return;
        }
        if body.name() == "session_expired" || matches!(self.phase, Phase::Greeting { .. }) {
            self.link.last_error = Some(error);
            return;
        }
        let pending =
            self.answers.pending.take_if(|pending| Some(&pending.event_id) == body.event_id.as_ref());
        if body.name() == "conversation_already_has_active_response" {
            // The server began one by itself; ours follows it.
            if let Some(pending) = pending {
                self.answers.want(pending.params, self.now + Duration::from_millis(100), false);
            }
            return;
        }
        if is_benign(about, body.name()) {
            log::debug!("the server refused {}: {}", about.unwrap_or("something"), body.name());
            return;
        }
        self.problem(error, about);
    }

    fn configuration_refused(&mut self, body: &ErrorBody, error: Error, stripped: u32) {
        let param = body.param.as_deref().unwrap_or("");
        let unknown = matches!(body.name(), "unknown_parameter" | "unsupported_parameter");
        let path = match is_optional(param) {
            true => Some(TRANSCRIPTION),
            false => param.strip_prefix("session.").filter(|_| unknown),
        };
        if let Some(path) = path
            && stripped < MOST_STRIPPED
            && !self.is_transcription()
            && leave_out(&mut self.config, path)
        {
            let text = match unknown {
                true => format!("this server does not know session.{path}; going on without it"),
                false => format!("session.{path} was refused; going on without it: {error}"),
            };
            self.problem(Error::new(ErrorKind::Unsupported, text), Some("session.update"));
            self.configure(stripped + 1);
            return;
        }
        let text = format!("the server refused the session's settings: {error}");
        if let Some(accepted) = self.accepted.take().filter(|accepted| *accepted != self.config) {
            // What was changed since a server took them is at fault: the conversation goes on as it was.
            self.config = accepted;
            self.problem(Error::new(ErrorKind::InvalidInput, text), Some("session.update"));
            self.configure(0);
            return;
        }
        self.end(Some(Error::new(ErrorKind::InvalidInput, text)));
    }

    // ── answers ──

    fn response_created(&mut self, response: &Response) {
        if let Some(tag) = response.metadata.get(TAG)
            && let Some(aside) = self.answers.asides.iter_mut().find(|aside| aside.tag == *tag)
        {
            aside.response_id = Some(response.id.clone());
            return;
        }
        if self.answers.is_finished(&response.id) {
            return;
        }
        if let Some(before) = self.active_id().filter(|id| *id != response.id) {
            // Its end was never told.
            self.ledger.response_done(&before);
            self.calls.response_done(&before);
            self.flow();
        }
        self.turn.awaiting = None;
        self.begun(&response.id);
    }

    /// What some servers say before `response.done`, or in place of it.
    fn response_cancelled(&mut self, body: ResponseCancelled) {
        let named = [body.response.id, body.response_id].into_iter().find(|id| !id.is_empty());
        let Some(id) = named.or_else(|| self.active_id()) else { return };
        self.response_done(&Response { id, status: ResponseStatus::Cancelled, ..Response::default() });
    }

    fn response_done(&mut self, response: &Response) {
        if let Some(usage) = &response.usage {
            self.usage.add_response(usage);
        }
        if let Some((tag, text)) = self.answers.end_aside(&response.id) {
            let written: String = response.output.iter().map(Item::text).collect();
            let text = if written.is_empty() { text } else { written };
            self.tell(Event::Aside { tag, text, status: response.status });
            return;
        }
        if !response.id.is_empty() && self.answers.is_finished(&response.id) {
            // Told before, by another name: this one may say more of it.
            if self.answers.is_dead(&response.id) {
                self.forget_unheard(response);
            }
            return;
        }
        let known = |id: &String| response.id.is_empty() || *id == response.id;
        let id = self.active_id().filter(known).unwrap_or_else(|| response.id.clone());
        if response.status == ResponseStatus::Cancelled && !self.answers.is_dead(&id) {
            // Some servers say this before they say that the person speaks.
            self.cut(false);
        }
        let dead = self.answers.is_dead(&id);
        let active = self.answers.active.take_if(|active| active.id == id);
        self.answers.finish(&id);
        if dead {
            self.forget_unheard(response);
        } else {
            self.ledger.response_done(&id);
            self.flow();
            for (index, item) in response.output.iter().enumerate() {
                self.call_of(&id, item, u32::try_from(index).unwrap_or(u32::MAX));
                self.item_done(item);
            }
        }
        self.calls.response_done(&id);
        self.tell(Event::ResponseDone {
            response_id: id,
            status: response.status,
            usage: response.usage.clone().map(Box::new),
        });
        if response.status == ResponseStatus::Failed {
            self.response_failed(response, active.filter(|_| !dead), dead);
        } else {
            self.answers.retried = false;
            let remote = response.output.iter().any(|item| item.kind == ItemKind::McpCall);
            if remote && !dead && !response.output.iter().any(|item| item.kind == ItemKind::Message) {
                self.nudge();
            }
        }
    }

    fn response_failed(&mut self, response: &Response, active: Option<super::answers::Active>, dead: bool) {
        let body = response.status_details.error.clone().unwrap_or_default();
        let error = error_of(&body);
        if error.kind().is_final() {
            self.end(Some(error));
            return;
        }
        if dead {
            // Nobody wanted to hear it any more.
            return;
        }
        let spoke = active.as_ref().is_some_and(|active| active.spoke);
        if spoke || self.answers.retried {
            self.answers.retried = false;
            self.problem(error, Some("response.create"));
            return;
        }
        self.answers.retried = true;
        let pause = if error.kind() == ErrorKind::Busy { 2_000 } else { 500 };
        let params = active.and_then(|active| active.params);
        self.answers.want(params, self.now + Duration::from_millis(pause), false);
    }

    /// What a cut answer went on to say without a sample of it arriving.
    fn forget_unheard(&mut self, response: &Response) {
        if !self.options.capabilities.truncate {
            return;
        }
        for item in response.output.iter().filter(|item| is_spoken(item)) {
            if !self.history.is_cut(&item.id) && !item.text().is_empty() {
                self.history.cut(&item.id, &[]);
                self.send(ClientEvent::ItemDelete { item_id: item.id.clone() });
            }
        }
    }

    fn item_done(&mut self, item: &Item) {
        if item.kind == ItemKind::McpApprovalRequest && !self.asked.iter().any(|(id, _)| *id == item.id) {
            if self.asked.len() == MOST_ASKED {
                self.asked.pop_front();
            }
            self.asked.push_back((item.id.clone(), false));
            self.tell(Event::ApprovalRequested {
                request_id: item.id.clone(),
                server_label: item.server_label.clone(),
                name: item.name.clone(),
                arguments: item.arguments.clone(),
            });
        }
    }

    fn call_of(&mut self, response_id: &str, item: &Item, output_index: u32) {
        let complete = item.kind == ItemKind::FunctionCall && item.status != ItemStatus::Incomplete;
        if complete && !item.call_id.is_empty() {
            self.call(response_id, &item.call_id, output_index, &item.name, &item.arguments);
        }
    }

    fn call(&mut self, response_id: &str, call_id: &str, output_index: u32, name: &str, arguments: &str) {
        let deadline = self.now.saturating_add(self.options.tool_timeout);
        let call = Call::new(call_id, output_index, name, arguments, deadline);
        match self.calls.begin(response_id, call) {
            Begun::Now => {}
            Begun::Before => return,
            Begun::TooMany => {
                let text = format!("more than {MOST_CALLS} functions run at once; {name} was not called");
                self.problem(Error::new(ErrorKind::BufferFull, text), None);
                return;
            }
        }
        // Something came of the answer: asked for again, it would call again.
        if let Some(active) = self.answers.active.as_mut().filter(|active| active.id == response_id) {
            active.spoke = true;
        }
        let what = What::Called { call_id: call_id.into(), name: name.into(), arguments: arguments.into() };
        let item_id = self.name("call");
        self.history.put(&item_id, what, None);
        self.tell(Event::ToolCall {
            call_id: call_id.into(),
            name: name.into(),
            arguments: arguments.into(),
        });
    }
}

/// What the person says can go unwritten: no reason not to talk.
const TRANSCRIPTION: &str = "audio.input.transcription";

fn is_optional(param: &str) -> bool {
    let setting = param.strip_prefix("session.").unwrap_or("");
    [TRANSCRIPTION, "input_audio_transcription"].iter().any(|optional| setting.starts_with(optional))
}

/// Takes a setting away, by the name that it has here or in a flat session.
fn leave_out(config: &mut Value, path: &str) -> bool {
    take(config, path).is_some() || nested(path).is_some_and(|path| take(config, path).is_some())
}

/// Refusals that change nothing: the thing was over already.
fn is_benign(about: Option<&str>, code: &str) -> bool {
    let about_what_is_over = matches!(
        about,
        Some(
            "response.cancel"
                | "conversation.item.truncate"
                | "conversation.item.delete"
                | "input_audio_buffer.clear"
        )
    );
    about_what_is_over || matches!(code, "response_cancel_not_active" | "input_audio_buffer_commit_empty")
}

fn error_of(body: &ErrorBody) -> Error {
    let code = ErrorKind::of_code(body.name());
    let message =
        if body.message.is_empty() { "the server did not say why".to_owned() } else { body.message.clone() };
    let param = body.param.as_deref().map(|param| format!(" ({param})")).unwrap_or_default();
    let what = match code {
        ErrorKind::Unauthorized => "the key was refused; check it",
        ErrorKind::Quota => "the account has nothing left; see to its billing",
        ErrorKind::NotFound => "the server has no such model; check its name",
        ErrorKind::Incompatible => "the server wants another dialect; choose another provider profile",
        ErrorKind::Busy => "too many requests; wait",
        _ => "the server refused",
    };
    Error::new(code, format!("{what}: {}{param}: {message}", body.name()))
}

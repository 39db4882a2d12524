//! What the host may ask of a session.

use crate::protocol::dialect::take;
use crate::protocol::session::merge;
use crate::protocol::{
    ClientEvent, Modality, NewItem, ResponseConversation, ResponseParams, Role, SessionUpdate, UserPart,
};
use crate::{Error, ErrorKind, Result};

use super::answers::{Aside, MOST_ASIDES};
use super::history::What;
use super::{Event, Phase, Session, ToolOutput};

/// The key under which an aside names itself.
pub(super) const TAG: &str = "aside";
/// Longer values of metadata are refused by servers.
const LONGEST_TAG: usize = 64;

impl Session {
    /// The person says this, in writing, with pictures or recorded voice; an answer is asked for when `answer`.
    ///
    /// What is being said is not cut; [`interrupt`](Self::interrupt) first where that is meant. Text that is given while there is no
    /// connection is told to the next one.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: there is nothing in it.
    /// - [`ErrorKind::Unsupported`]: the server takes no pictures, or only transcribes.
    /// - [`ErrorKind::Network`]: there is no connection, and it holds more than text.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn say(&mut self, content: Vec<UserPart>, answer: bool) -> Result<()> {
        self.check_conversation()?;
        if content.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "nothing is said; give at least one part"));
        }
        let picture = |part: &UserPart| matches!(part, UserPart::Image { .. });
        if !self.options.capabilities.images && content.iter().any(picture) {
            return Err(Error::new(ErrorKind::Unsupported, "this server takes no pictures in a message"));
        }
        let text: String = content.iter().filter_map(written).collect();
        let only_text = content.iter().all(|part| written(part).is_some());
        if self.phase != Phase::Ready && !only_text {
            return Err(Error::new(
                ErrorKind::Network,
                "there is no connection; only text can wait for the next one",
            ));
        }
        let id = self.name("msg");
        self.history.put(&id, What::Said { role: Role::User, text, cut: false }, None);
        if self.phase == Phase::Ready {
            let item = NewItem::User { id: Some(id), content };
            self.send(ClientEvent::ItemCreate { previous_item_id: None, item });
        }
        if answer {
            self.answers.want(None, self.now, false);
        }
        self.settle();
        Ok(())
    }

    /// Adds an item as it is, for seeding a history or telling the model a fact.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unsupported`]: the session only transcribes.
    /// - [`ErrorKind::Network`]: there is no connection.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn add_item(&mut self, item: NewItem, previous_item_id: Option<String>) -> Result<()> {
        self.check_conversation()?;
        self.check_ready()?;
        self.send(ClientEvent::ItemCreate { previous_item_id, item });
        Ok(())
    }

    /// Removes an item from the conversation, such as a picture that is of no use any more.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Network`]: there is no connection.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn delete_item(&mut self, item_id: &str) -> Result<()> {
        self.check_ready()?;
        self.history.remove(item_id);
        self.send(ClientEvent::ItemDelete { item_id: item_id.to_owned() });
        Ok(())
    }

    /// Asks for an item with its sound, such as what the person said, as the model heard it. It comes back as [`Event::Retrieved`].
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Network`]: there is no connection.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn retrieve_item(&mut self, item_id: &str) -> Result<()> {
        self.check_ready()?;
        self.send(ClientEvent::ItemRetrieve { item_id: item_id.to_owned() });
        Ok(())
    }

    /// Asks for an answer, now or as soon as the one being made is done; several wishes become one.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unsupported`]: the session only transcribes, or another format of sound than 16-bit samples is asked for.
    /// - [`ErrorKind::InvalidInput`]: another rate than the session's is asked for.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn respond(&mut self, params: Option<ResponseParams>) -> Result<()> {
        self.check_conversation()?;
        if let Some(format) =
            params.as_ref().and_then(|p| p.audio.as_ref()).and_then(|audio| audio.output.format)
        {
            format.check("audio.output.format", Some(self.options.output_rate))?;
        }
        self.answers.want(params.map(Box::new), self.now, false);
        self.settle();
        Ok(())
    }

    /// Asks for an answer in writing beside the conversation, which neither hears nor remembers it. It comes back as
    /// [`Event::Aside`] with this `tag`, at most 64 characters.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the tag is empty, too long or in use, or 32 answers are on their way.
    /// - [`ErrorKind::Unsupported`]: the server cannot do this.
    /// - [`ErrorKind::Network`]: there is no connection.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn aside(&mut self, tag: &str, mut params: ResponseParams) -> Result<()> {
        self.check_conversation()?;
        self.check_ready()?;
        if !self.options.capabilities.asides {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this server does not answer beside the conversation",
            ));
        }
        let used = self.answers.asides.iter().any(|aside| aside.tag == tag);
        if tag.is_empty()
            || tag.chars().count() > LONGEST_TAG
            || used
            || self.answers.asides.len() == MOST_ASIDES
        {
            let why = format!(
                "tag {tag:?} must be new and 1 to {LONGEST_TAG} characters, and at most {MOST_ASIDES} may wait"
            );
            return Err(Error::new(ErrorKind::InvalidInput, why));
        }
        params.conversation = Some(ResponseConversation::None);
        params.modality = Some(Modality::Text);
        params.metadata.get_or_insert_default().insert(TAG.to_owned(), tag.to_owned());
        self.answers.asides.push(Aside::new(tag.to_owned(), self.now));
        self.send(ClientEvent::ResponseCreate { response: Some(Box::new(params)) });
        Ok(())
    }

    /// Cuts what is being made and what sounds. The model is told what was heard.
    pub fn interrupt(&mut self) {
        self.cut(true);
    }

    /// Push to talk, key down: cuts what sounds, and listens.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the server detects turns; set turn detection to manual first.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn press(&mut self) -> Result<()> {
        self.check_manual()?;
        self.cut(true);
        self.answers.yield_floor();
        self.turn.pressed = true;
        self.turn.uncommitted = 0;
        if self.phase == Phase::Ready {
            self.send(ClientEvent::Clear);
        }
        self.pose();
        Ok(())
    }

    /// Push to talk, key up: the turn is complete, and answered. A turn below 100 ms is dropped with [`Event::TurnTooShort`].
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the server detects turns, or [`press`](Self::press) was not called.
    /// - [`ErrorKind::Network`]: there is no connection; the turn is lost.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn release(&mut self) -> Result<()> {
        self.check_manual()?;
        if !std::mem::take(&mut self.turn.pressed) {
            return Err(Error::new(ErrorKind::InvalidInput, "release without press; call press first"));
        }
        let samples = std::mem::take(&mut self.turn.uncommitted);
        self.pose();
        if self.phase != Phase::Ready {
            let why = "there is no connection, and the turn is lost; say it again when it is ready";
            return Err(Error::new(ErrorKind::Network, why));
        }
        if samples >= u64::from(self.options.input_rate / 10) {
            self.send(ClientEvent::Commit);
            if !self.is_transcription() {
                self.answers.want(None, self.now, false);
            }
        } else {
            self.send(ClientEvent::Clear);
            self.tell(Event::TurnTooShort);
        }
        self.settle();
        Ok(())
    }

    /// Changes the session: voice, instructions, tools, turn detection. Only what is set in `update` changes; it also holds for
    /// every later connection. A voice that changes after the model has spoken waits for a new connection, which is made at
    /// the next pause between turns.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: it would turn a conversation into a transcription, or the other way round, or change a rate.
    /// - [`ErrorKind::Unsupported`]: a format of sound other than 16-bit samples.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn update(&mut self, update: &SessionUpdate) -> Result<()> {
        self.check_open()?;
        if update.kind != self.options.session.kind {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a session stays what it is: conversation or transcription; open another",
            ));
        }
        update.check_formats(Some(self.options.input_rate), Some(self.options.output_rate))?;
        self.update_tree(update.to_tree())
    }

    /// Instructions of the host with a hint behind them, until the next one.
    pub(crate) fn hint(&mut self, hint: &str) -> Result<()> {
        if self.is_transcription() {
            return Ok(());
        }
        let own = self.instructions.clone();
        let (kind, text) = (self.options.session.kind, format!("{own}\n\n{hint}").trim().to_owned());
        let update = SessionUpdate { kind, instructions: Some(text), ..SessionUpdate::default() };
        let told = self.update(&update);
        self.instructions = own;
        told
    }

    /// The same, as the wire nests it.
    pub(crate) fn update_tree(&mut self, mut tree: serde_json::Value) -> Result<()> {
        self.check_open()?;
        let voice_before = self.config.pointer("/audio/output/voice").cloned();
        merge(&mut self.config, &tree);
        if let Some(own) = tree.get("instructions").and_then(serde_json::Value::as_str) {
            own.clone_into(&mut self.instructions);
        }
        self.link.unsent |= matches!(self.phase, Phase::Configuring { .. });
        if self.link.spoke && self.config.pointer("/audio/output/voice") != voice_before.as_ref() {
            take(&mut tree, "audio.output.voice");
            self.link.stale = true;
        }
        if self.phase == Phase::Ready && tree.as_object().is_some_and(|keys| keys.len() > 1) {
            self.send(ClientEvent::SessionUpdate { session: tree.into() });
        }
        Ok(())
    }

    /// What a function answered; `false` if nobody waits for it any more.
    pub fn tool_output(&mut self, call_id: &str, output: ToolOutput) -> bool {
        let taken = self.calls.answer(call_id, output);
        self.settle();
        taken
    }

    /// Whether a remote tool may run.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: nobody asked, or it was answered before.
    /// - [`ErrorKind::Network`]: there is no connection.
    /// - [`ErrorKind::Closed`]: the session is over.
    pub fn approve(&mut self, request_id: &str, approve: bool, reason: Option<String>) -> Result<()> {
        self.check_ready()?;
        let Some((_, answered)) = self.asked.iter_mut().find(|(id, answered)| id == request_id && !answered)
        else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("no approval {request_id:?} waits for an answer"),
            ));
        };
        *answered = true;
        let id = self.name("mcpa");
        let approval_request_id = request_id.to_owned();
        let item = NewItem::McpApprovalResponse { id, approval_request_id, approve, reason };
        self.send(ClientEvent::ItemCreate { previous_item_id: None, item });
        self.nudge();
        Ok(())
    }

    /// Ends it. The connection is closed in an orderly way, within a second.
    pub fn close(&mut self) {
        self.end(None);
    }

    /// Whether the person's voice should be sent now.
    pub fn listens(&self) -> bool {
        !self.is_manual() || self.turn.pressed
    }

    /// The host does not play what comes: what waits is cut, and the answer cancelled.
    pub(crate) fn overflow(&mut self, what: &str) {
        self.cut(true);
        let text =
            format!("{what}; the answer was cancelled: play or read what comes, or ask for shorter answers");
        self.problem(Error::new(ErrorKind::BufferFull, text), None);
    }

    /// The host has stopped reading events.
    pub(crate) fn abandon(&mut self, why: Error) {
        self.end(Some(why));
    }

    /// Asks for an answer if the server does not begin one by itself.
    pub(super) fn nudge(&mut self) {
        self.answers.want(None, self.now + std::time::Duration::from_secs(1), true);
    }

    fn check_open(&self) -> Result<()> {
        match self.phase {
            Phase::Closed => Err(Error::new(ErrorKind::Closed, "the session is over; open another")),
            _ => Ok(()),
        }
    }

    fn check_ready(&self) -> Result<()> {
        self.check_open()?;
        match self.phase {
            Phase::Ready => Ok(()),
            _ => {
                Err(Error::new(ErrorKind::Network, "there is no connection now; try again when it is ready"))
            }
        }
    }

    fn check_conversation(&self) -> Result<()> {
        self.check_open()?;
        if self.is_transcription() {
            return Err(Error::new(ErrorKind::Unsupported, "a transcription session does not answer"));
        }
        Ok(())
    }

    fn check_manual(&self) -> Result<()> {
        self.check_open()?;
        if !self.is_manual() {
            let why = "the server detects turns; set turn_detection to Manual for push to talk";
            return Err(Error::new(ErrorKind::InvalidInput, why));
        }
        Ok(())
    }
}

fn written(part: &UserPart) -> Option<&str> {
    match part {
        UserPart::Text { text } => Some(text),
        UserPart::Audio { .. } | UserPart::Image { .. } => None,
    }
}

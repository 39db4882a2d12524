//! What happens because time passes, or because something that was waited for is there.

use std::time::Duration;

use crate::protocol::{ClientEvent, NewItem};
use crate::{Error, ErrorKind};

use super::answers::{CREATED_WITHIN, NEXT_WITHIN, Pending};
use super::calls::Answered;
use super::history::What;
use super::{Action, Event, LEAST_LIFE, Phase, Session, State};

/// From the upgrade to `session.created`.
const GREETED_WITHIN: Duration = Duration::from_secs(10);
/// From `session.update` to its answer.
const CONFIGURED_WITHIN: Duration = Duration::from_secs(5);
/// From the end of a turn to the server's own answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Remote servers tell their tools within this, or the conversation goes on without.
const LISTED_WITHIN: Duration = Duration::from_secs(10);
/// A connection this close to its end is replaced in the middle of a turn.
const LAST_MOMENT: Duration = Duration::from_secs(10);

impl Session {
    /// When [`poll`](Self::poll) must be called although nothing happened; `None` if never.
    pub fn deadline(&self) -> Option<Duration> {
        if !self.actions.is_empty() {
            return Some(self.now);
        }
        let phase = match &self.phase {
            Phase::Greeting { since } => Some(*since + GREETED_WITHIN),
            Phase::Configuring { since, .. } => Some(*since + CONFIGURED_WITHIN),
            Phase::Ready => [
                self.answers.deadline().map(|due| match self.holds_answers() {
                    Some(until) => due.max(until),
                    None => due,
                }),
                self.calls.deadline(),
                self.turn.awaiting.map(|since| since + ANSWERED_WITHIN),
                self.replace_at(),
            ]
            .into_iter()
            .flatten()
            .min(),
            Phase::Connecting | Phase::Closed => None,
        };
        // A time that has passed without effect is looked at again soon, not at once.
        phase.map(|due| if due <= self.now { self.now + Duration::from_millis(100) } else { due })
    }

    pub(super) fn tick(&mut self) {
        match &self.phase {
            Phase::Greeting { since } if self.now >= *since + GREETED_WITHIN => {
                let why = Error::new(
                    ErrorKind::TimedOut,
                    "the server accepted the connection and then said nothing",
                );
                self.hang_up(why);
            }
            Phase::Configuring { since, .. } if self.now >= *since + CONFIGURED_WITHIN => self.ready(),
            Phase::Ready => {
                self.overdue_answers();
                for call_id in self.calls.expire(self.now) {
                    let error =
                        Error::new(ErrorKind::TimedOut, format!("function call {call_id} took too long"));
                    self.problem(error, None);
                }
                self.turn.awaiting.take_if(|since| *since + ANSWERED_WITHIN <= self.now);
                if self.replace_at().is_some_and(|at| at <= self.now) && self.may_replace() {
                    self.link.replacing = true;
                    self.actions.push_back(Action::Connect { after: Duration::ZERO });
                }
            }
            _ => {}
        }
    }

    /// The server has taken the configuration: tell it what was said before, and begin.
    pub(super) fn ready(&mut self) {
        self.phase = Phase::Ready;
        if !self.is_transcription() {
            for item in self.history.replay() {
                self.send(ClientEvent::ItemCreate { previous_item_id: None, item });
            }
        }
        if std::mem::take(&mut self.link.unsent) {
            self.send(ClientEvent::SessionUpdate { session: self.config.clone() });
        }
        self.tell(Event::State(State::Ready));
        self.settle();
    }

    /// Sends what was waiting for something that has now happened.
    pub(super) fn settle(&mut self) {
        if self.phase != Phase::Ready {
            return;
        }
        while let Some(Answered { call_id, output, reminder }) = self.calls.next_output() {
            if let Some((name, arguments)) = reminder {
                let item = NewItem::FunctionCall { call_id: call_id.clone(), name, arguments };
                self.send(ClientEvent::ItemCreate { previous_item_id: None, item });
            }
            let answered = What::Answered { call_id: call_id.clone(), output: output.clone() };
            let name = self.name("out");
            self.history.put(&name, answered, None);
            let item = NewItem::FunctionCallOutput { call_id, output };
            self.send(ClientEvent::ItemCreate { previous_item_id: None, item });
        }
        if self.calls.settle() {
            self.answers.want(None, self.now, false);
        }
        if self.holds_answers().is_none_or(|until| until <= self.now)
            && let Some(params) = self.answers.due(self.now, self.floor_taken())
        {
            let event_id = self.send(ClientEvent::ResponseCreate { response: params.clone() });
            self.answers.pending = Some(Pending { event_id, since: self.now, params, cut: false });
        }
        self.pose();
    }

    /// The person speaks, or the server is about to answer what they said.
    fn floor_taken(&self) -> bool {
        self.turn.speaking || self.turn.pressed || self.turn.awaiting.is_some()
    }

    /// Until when answers wait for the tools of remote servers.
    fn holds_answers(&self) -> Option<Duration> {
        (!self.listing.is_empty()).then(|| self.listing_since + LISTED_WITHIN)
    }

    fn overdue_answers(&mut self) {
        let now = self.now;
        let late = self.answers.pending.take_if(|pending| pending.since + CREATED_WITHIN <= now);
        if late.is_some_and(|pending| !pending.cut) {
            let late = Error::new(ErrorKind::TimedOut, "an answer was asked for and did not begin");
            self.problem(late, Some("response.create"));
        }
        let silent = |active: &super::answers::Active| !active.patient && active.last + NEXT_WITHIN <= now;
        if self.answers.active.as_ref().is_some_and(silent) {
            // What has come of it may be heard to its end.
            if let Some(active) = self.answers.active.take() {
                self.answers.bury(&active.id);
                if !active.cancelled {
                    self.send(ClientEvent::ResponseCancel { response_id: Some(active.id.clone()) });
                }
                self.ledger.response_done(&active.id);
                self.calls.response_done(&active.id);
                self.flow();
            }
            self.problem(
                Error::new(ErrorKind::TimedOut, "an answer stopped in the middle; it was cancelled"),
                None,
            );
        }
        while let Some(index) = self.answers.asides.iter().position(|a| a.since + 2 * NEXT_WITHIN <= now) {
            let aside = self.answers.asides.swap_remove(index);
            let text = format!("the answer `{}` beside the conversation did not come", aside.tag);
            self.problem(Error::new(ErrorKind::TimedOut, text), Some("response.create"));
        }
    }

    /// When this connection should be replaced.
    fn replace_at(&self) -> Option<Duration> {
        if self.link.replacing {
            return None;
        }
        if self.link.stale {
            return Some(self.link.replace_after);
        }
        let before = self.link.expires.map(|at| at.saturating_sub(self.options.roll_over_before));
        before.map(|at| at.max(self.link.replace_after).max(self.link.since + LEAST_LIFE))
    }

    /// Nothing is lost by changing connections now; or everything is, by not doing it.
    pub(super) fn may_replace(&self) -> bool {
        let between_turns = self.answers.at_rest()
            && !self.calls.running()
            && !self.turn.speaking
            && !self.turn.pressed
            && self.turn.awaiting.is_none()
            && !self.ledger.sounding();
        between_turns || self.link.expires.is_some_and(|at| at <= self.now + LAST_MOMENT)
    }

    /// This connection is of no use: close it and try again.
    pub(super) fn hang_up(&mut self, why: Error) {
        let chance = self.nonce.wrapping_add(self.names);
        self.give_up_or_retry(why, chance);
    }
}

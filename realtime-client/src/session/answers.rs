//! Which answer is being made, asked for, or wanted: at most one of the conversation at a time, however many are asked for.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::ResponseParams;

/// Cut answers whose late pieces are recognised.
const MOST_DEAD: usize = 64;
/// Answers beside the conversation at a time.
pub(crate) const MOST_ASIDES: usize = 32;
/// From asking to `response.created`.
pub(crate) const CREATED_WITHIN: Duration = Duration::from_secs(10);
/// From one event of an answer to the next.
pub(crate) const NEXT_WITHIN: Duration = Duration::from_secs(15);
/// Length of an aside that is kept.
const LONGEST_ASIDE: usize = 256 * 1024;

pub(crate) type Params = Option<Box<ResponseParams>>;

#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) active: Option<Active>,
    pub(crate) pending: Option<Pending>,
    pub(crate) wanted: Option<Wanted>,
    /// One failed before it spoke and was asked for again.
    pub(crate) retried: bool,
    pub(crate) asides: Vec<Aside>,
    dead: VecDeque<String>,
    /// Answers that are over: late pieces do not begin them anew.
    finished: VecDeque<String>,
}

/// The answer that the server is making.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) id: String,
    pub(crate) params: Params,
    pub(crate) last: Duration,
    pub(crate) spoke: bool,
    pub(crate) cancelled: bool,
    /// A remote tool runs: silence is no sign of trouble.
    pub(crate) patient: bool,
}

/// An answer that was asked for and has not begun.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) event_id: String,
    pub(crate) since: Duration,
    pub(crate) params: Params,
    /// Nobody wants to hear it any more: it is stopped as soon as it begins.
    pub(crate) cut: bool,
}

/// An answer to ask for as soon as none is being made.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) params: Params,
    pub(crate) not_before: Duration,
    /// If the server answers by itself, that will do.
    pub(crate) optional: bool,
}

/// An answer beside the conversation.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) tag: String,
    pub(crate) response_id: Option<String>,
    text: String,
    pub(crate) since: Duration,
}

impl Aside {
    pub(crate) fn new(tag: String, since: Duration) -> Self {
        Self { tag, response_id: None, text: String::new(), since }
    }
}

impl Answers {
    /// Asks for an answer; several wishes become one.
    pub(crate) fn want(&mut self, params: Params, not_before: Duration, optional: bool) {
        match &mut self.wanted {
            Some(wanted) => {
                wanted.params = params.or(wanted.params.take());
                wanted.not_before = wanted.not_before.min(not_before);
                wanted.optional &= optional;
            }
            None => self.wanted = Some(Wanted { params, not_before, optional }),
        }
    }

    /// The wish that may be sent now. `floor_taken`: the person speaks, or was just answered by the server itself.
    pub(crate) fn due(&mut self, now: Duration, floor_taken: bool) -> Option<Params> {
        if self.active.is_some() || self.pending.is_some() {
            return None;
        }
        let may = |wanted: &mut Wanted| wanted.not_before <= now && !(wanted.optional && floor_taken);
        self.wanted.take_if(may).map(|wanted| wanted.params)
    }

    /// The person begins to speak: what was wanted before is answered together with what is said now.
    pub(crate) fn yield_floor(&mut self) {
        if let Some(wanted) = &mut self.wanted {
            wanted.optional = true;
        }
    }

    /// What was asked for and has not begun is not wanted any more.
    pub(crate) fn cut_pending(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.cut = true;
        }
    }

    /// Whether an answer is on its way that somebody wants to hear.
    pub(crate) fn expected(&self) -> bool {
        self.active.is_some() || self.pending.as_ref().is_some_and(|pending| !pending.cut)
    }

    /// An answer has begun. Whether it was cut before it did.
    pub(crate) fn created(&mut self, id: &str, now: Duration) -> bool {
        let (cut, params) =
            self.pending.take().map_or((false, None), |pending| (pending.cut, pending.params));
        self.wanted.take_if(|wanted| wanted.optional);
        self.active = Some(Active {
            id: id.to_owned(),
            params,
            last: now,
            spoke: false,
            cancelled: false,
            patient: false,
        });
        cut
    }

    /// No piece of this answer matters any more.
    pub(crate) fn bury(&mut self, id: &str) {
        if self.is_dead(id) {
            return;
        }
        if self.dead.len() == MOST_DEAD {
            self.dead.pop_front();
        }
        self.dead.push_back(id.to_owned());
    }

    pub(crate) fn is_dead(&self, id: &str) -> bool {
        self.dead.iter().any(|dead| dead == id)
    }

    /// This answer is over.
    pub(crate) fn finish(&mut self, id: &str) {
        if self.finished.len() == MOST_DEAD {
            self.finished.pop_front();
        }
        self.finished.push_back(id.to_owned());
    }

    pub(crate) fn is_finished(&self, id: &str) -> bool {
        self.finished.iter().any(|finished| finished == id)
    }

    pub(crate) fn aside_of(&mut self, response_id: &str) -> Option<&mut Aside> {
        self.asides.iter_mut().find(|aside| aside.response_id.as_deref() == Some(response_id))
    }

    pub(crate) fn extend_aside(&mut self, response_id: &str, delta: &str) {
        if let Some(aside) = self.aside_of(response_id).filter(|aside| aside.text.len() < LONGEST_ASIDE) {
            aside.text.push_str(delta);
        }
    }

    pub(crate) fn end_aside(&mut self, response_id: &str) -> Option<(String, String)> {
        let index = self.asides.iter().position(|aside| aside.response_id.as_deref() == Some(response_id))?;
        let aside = self.asides.swap_remove(index);
        Some((aside.tag, aside.text))
    }

    /// When something is overdue.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let active = self.active.as_ref().filter(|active| !active.patient).map(|a| a.last + NEXT_WITHIN);
        let pending = self.pending.as_ref().map(|pending| pending.since + CREATED_WITHIN);
        let free = self.active.is_none() && self.pending.is_none();
        let wanted = self.wanted.as_ref().filter(|_| free).map(|wanted| wanted.not_before);
        let asides = self.asides.iter().map(|aside| aside.since + 2 * NEXT_WITHIN).min();
        [active, pending, wanted, asides].into_iter().flatten().min()
    }

    /// Nothing is being made, asked for or wanted.
    pub(crate) fn at_rest(&self) -> bool {
        self.active.is_none() && self.pending.is_none() && self.wanted.is_none() && self.asides.is_empty()
    }

    /// The connection is gone, and what was asked of it; what was only wanted stays wanted, and so does an answer of which nothing came. Returns
    /// the one that was cut off in the middle.
    pub(crate) fn disconnect(&mut self) -> Option<String> {
        if let Some(pending) = self.pending.take().filter(|pending| !pending.cut) {
            self.want(pending.params, Duration::ZERO, false);
        }
        self.asides.clear();
        // Names are a connection's own: some servers count from 1 on every one.
        self.dead.clear();
        self.finished.clear();
        let active = self.active.take()?;
        if !active.spoke && !active.cancelled {
            self.want(active.params, Duration::ZERO, false);
            return None;
        }
        Some(active.id)
    }
}

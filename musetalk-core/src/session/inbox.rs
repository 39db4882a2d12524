//! PCM in: all or nothing, never blocks, never allocates after it was made.
//!
//! Samples of all utterances follow one another in one ring; marks in a second ring say at which sample an utterance
//! begins or ends. A mark is written before the samples that follow it, and the reading side looks at the samples first:
//! so it can never take a sample for one of an earlier utterance.

use std::sync::Arc;

use super::control::Control;
use super::sync::{Consumer, Producer, ring};
use crate::{Error, ErrorKind, Result};

/// Begins and ends that may wait; a host that never speaks fills them, and hears `BufferFull`.
const MARKS: usize = 128;

/// Something that happens between two samples.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    Begin(u64),
    Finish(u64),
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    at: u64,
    mark: Mark,
}

/// Both ends for `capacity` samples. The memory is reserved now and touched by use.
pub(crate) fn inbox(capacity: usize, control: Arc<Control>) -> (Mouthpiece, Inbox) {
    let (samples_in, samples_out) = ring(capacity);
    let (marks_in, marks_out) = ring(MARKS);
    let inbox = Inbox { samples: samples_out, marks: marks_out, taken: 0, control: Arc::clone(&control) };
    let mouthpiece = Mouthpiece {
        samples: samples_in,
        marks: marks_in,
        pushed: 0,
        before: 0,
        open: None,
        capacity,
        control,
    };
    (mouthpiece, inbox)
}

/// The end that is spoken into.
#[derive(Debug)]
pub(crate) struct Mouthpiece {
    samples: Producer<f32>,
    marks: Producer<Placed>,
    pushed: u64,
    /// What was pushed before the utterance that is open.
    before: u64,
    open: Option<u64>,
    capacity: usize,
    control: Arc<Control>,
}

impl Mouthpiece {
    /// Begins the next utterance, finishing the one that is open.
    pub(crate) fn begin(&mut self) -> Result<u64> {
        self.alive()?;
        // One place stays free, so that dropping can always finish.
        if self.marks.slots() < 3 {
            return Err(full("begin: too many utterances wait to be spoken; read frames, then call again"));
        }
        self.close();
        let utterance = self.control.begin();
        self.mark(Mark::Begin(utterance));
        self.open = Some(utterance);
        self.before = self.pushed;
        self.control.set_pushed(utterance, Some(0));
        self.control.wake();
        Ok(utterance)
    }

    /// Whether anything can be pushed at all: not once it is closed, nor while the last utterance is cut.
    pub(crate) fn may_push(&self) -> Result<()> {
        self.alive()?;
        self.uncut()
    }

    /// No reading ever makes room for it, so it is no full buffer, which a host waits for.
    fn too_long(&self, count: usize) -> Error {
        let text = format!(
            "pcm has {count} samples, and at most {} are taken at once; push it in parts, or open the avatar with more buffer_seconds",
            self.capacity
        );
        Error::new(ErrorKind::InvalidInput, text)
    }

    /// Takes all of `pcm` or nothing.
    pub(crate) fn push(&mut self, pcm: &[f32]) -> Result<()> {
        self.may_push()?;
        if pcm.len() > self.capacity {
            return Err(self.too_long(pcm.len()));
        }
        if self.samples.slots() < pcm.len() {
            return Err(full("push: no room is left; read frames, then push again"));
        }
        if self.open.is_none() {
            let before = self.control.begun();
            self.begin()?;
            if before > 0 && self.control.is_cut(before) {
                // It was cut between the look above and the begin: this chunk is a late one of it.
                self.control.cut_through(before + 1);
                return self.uncut();
            }
        }
        let pushed = self.samples.push_entire_slice(pcm).is_ok();
        debug_assert!(pushed, "the room was counted above, and only this end takes it");
        self.pushed += pcm.len() as u64;
        if let Some(open) = self.open {
            self.control.set_pushed(open, Some(self.pushed - self.before));
        }
        self.control.wake();
        Ok(())
    }

    /// Ends the open utterance; without one there is nothing to do.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.may_push()?;
        self.close();
        self.control.wake();
        Ok(())
    }

    /// An utterance is open, and nothing comes of it until more is pushed.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.open.is_some_and(|open| !self.control.is_cut(open) && self.control.is_starved(open, self.pushed))
    }

    fn close(&mut self) {
        if let Some(utterance) = self.open.take() {
            self.mark(Mark::Finish(utterance));
            self.control.set_pushed(utterance, None);
        }
    }

    fn mark(&mut self, mark: Mark) {
        let placed = self.marks.push(Placed { at: self.pushed, mark }).is_ok();
        debug_assert!(placed, "begin leaves room for the mark that finishes");
    }

    fn uncut(&self) -> Result<()> {
        let last = self.control.begun();
        if last > 0 && self.control.is_cut(last) {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "the utterance was cut; call begin before pushing again",
            ));
        }
        Ok(())
    }

    fn alive(&self) -> Result<()> {
        // The reader says so at once; the worker lets go of its end a moment later.
        let closed = self.control.is_closed() || self.samples.is_abandoned();
        if closed { Err(self.control.gone()) } else { Ok(()) }
    }
}

impl Drop for Mouthpiece {
    fn drop(&mut self) {
        self.close();
        self.control.hang_up();
    }
}

/// The end that listens.
#[derive(Debug)]
pub(crate) struct Inbox {
    samples: Consumer<f32>,
    marks: Consumer<Placed>,
    taken: u64,
    control: Arc<Control>,
}

impl Inbox {
    /// The mark that stands before the next sample, taken out.
    pub(crate) fn mark(&mut self) -> Option<Mark> {
        let placed = *self.marks.peek().ok()?;
        if placed.at != self.taken {
            return None;
        }
        let popped = self.marks.pop().is_ok();
        debug_assert!(popped, "it was just looked at");
        Some(placed.mark)
    }

    /// Hands up to `most` samples to `sink`, none beyond the next mark; how many there were.
    pub(crate) fn read(&mut self, most: u64, mut sink: impl FnMut(&[f32])) -> u64 {
        // The order matters: samples seen here were written after every mark that stands before them.
        let waiting = self.samples.slots() as u64;
        let before_mark = self.marks.peek().map_or(waiting, |placed| waiting.min(placed.at - self.taken));
        let count = before_mark.min(most);
        if let Ok(chunk) = self.samples.read_chunk(count as usize) {
            let (first, second) = chunk.as_slices();
            [first, second].into_iter().filter(|part| !part.is_empty()).for_each(&mut sink);
            chunk.commit_all();
        }
        self.taken += count;
        count
    }

    /// Samples taken so far, of all utterances.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// The other end has gone, and nothing it left is unread.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.control.has_hung_up() && self.samples.is_empty() && self.marks.is_empty()
    }
}

fn full(message: &'static str) -> Error {
    Error::new(ErrorKind::BufferFull, message)
}

#[cfg(test)]
mod interleavings;

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(capacity: usize) -> (Mouthpiece, Inbox, Arc<Control>) {
        let control = Arc::new(Control::new(crossbeam_channel::bounded(1).0));
        let (mouthpiece, inbox) = inbox(capacity, Arc::clone(&control));
        (mouthpiece, inbox, control)
    }

    fn take(inbox: &mut Inbox) -> Vec<f32> {
        let mut taken = Vec::new();
        inbox.read(u64::MAX, |part| taken.extend_from_slice(part));
        taken
    }

    #[test]
    fn samples_never_cross_a_mark() {
        let (mut mouthpiece, mut inbox, _) = pair(16);
        mouthpiece.push(&[1.0, 2.0]).unwrap();
        mouthpiece.finish().unwrap();
        mouthpiece.push(&[3.0]).unwrap();
        assert_eq!(inbox.mark(), Some(Mark::Begin(1)));
        assert_eq!(inbox.mark(), None);
        assert_eq!(take(&mut inbox), [1.0, 2.0]);
        assert_eq!(inbox.mark(), Some(Mark::Finish(1)));
        assert_eq!(inbox.mark(), Some(Mark::Begin(2)));
        assert_eq!(take(&mut inbox), [3.0]);
        drop(mouthpiece);
        assert_eq!(inbox.mark(), Some(Mark::Finish(2)));
        assert!(inbox.is_exhausted());
    }

    #[test]
    fn a_full_inbox_takes_nothing() {
        let (mut mouthpiece, mut inbox, _) = pair(4);
        mouthpiece.push(&[0.0; 3]).unwrap();
        assert_eq!(mouthpiece.push(&[0.0; 2]).unwrap_err().kind(), ErrorKind::BufferFull);
        mouthpiece.push(&[0.0; 1]).unwrap();
        inbox.mark();
        assert_eq!(take(&mut inbox).len(), 4);
    }

    #[test]
    fn what_never_fits_is_a_wrong_call_unless_nothing_is_taken_any_more() {
        let (mut mouthpiece, inbox, control) = pair(4);
        let error = mouthpiece.push(&[0.0; 5]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("at most 4") && error.to_string().contains("in parts"), "{error}");
        mouthpiece.push(&[0.0; 4]).unwrap();
        control.interrupt();
        assert_eq!(mouthpiece.push(&[0.0; 5]).unwrap_err().kind(), ErrorKind::Interrupted);
        drop(inbox);
        assert_eq!(mouthpiece.push(&[0.0; 5]).unwrap_err().kind(), ErrorKind::Closed);
    }

    #[test]
    fn late_chunks_of_a_cut_utterance_are_refused_until_the_next_begin() {
        let (mut mouthpiece, _inbox, control) = pair(16);
        mouthpiece.push(&[0.0]).unwrap();
        assert!(control.interrupt().is_some());
        assert_eq!(mouthpiece.push(&[0.0]).unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(mouthpiece.finish().unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(mouthpiece.begin().unwrap(), 2);
        mouthpiece.push(&[0.0]).unwrap();
        mouthpiece.finish().unwrap();
    }

    #[test]
    fn marks_are_bounded_and_dropping_still_finishes() {
        let (mut mouthpiece, mut inbox, _) = pair(4);
        let begun = std::iter::from_fn(|| mouthpiece.begin().ok()).count() as u64;
        assert!(begun > 10);
        drop(mouthpiece);
        let marks: Vec<Mark> = std::iter::from_fn(|| inbox.mark()).collect();
        assert_eq!(marks.last(), Some(&Mark::Finish(begun)));
    }
}

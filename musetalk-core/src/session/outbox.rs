//! Frames out: what the worker hands to the reader, through a bounded channel whose fast path is lock-free.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::control::Control;
use crate::pool::{Lent, Pool};

/// A decoded face, not yet in its picture, with the samples of its frame. Lives in the session's pool.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) utterance: u64,
    pub(crate) frame: u64,
    /// The position in the base cycle that it was made for.
    pub(crate) cycle: u32,
    /// How present the speaking mouth is: 0 leaves the base frame as it is, and `pixels` unused.
    pub(crate) presence: u8,
    /// size · size · 3, RGB.
    pub(crate) pixels: Vec<u8>,
    pub(crate) audio: Vec<f32>,
}

/// What crosses from worker to reader, in order.
#[derive(Debug)]
pub(crate) enum Item {
    /// An utterance was planned: its frame i stands at position `cycle` + i of the base cycle.
    Begin {
        utterance: u64,
        cycle: u32,
    },
    Frame(Lent<Patch>),
    /// An utterance has this many frames and samples; no more will come.
    End {
        utterance: u64,
        frames: u64,
        samples: u64,
    },
    /// The writer has gone, and everything it pushed was handed over.
    Exhausted,
}

/// The worker's end. Back-pressure is the pool of patches: who holds them all stops his own session, no other.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// `None` only while it is dropped.
    items: Option<Sender<Item>>,
    control: Arc<Control>,
    patches: Pool<Patch>,
    waiting: VecDeque<Item>,
    frames: usize,
}

/// Room for the begins and ends of utterances that a reader has not yet looked at.
const MARKS: usize = 64;

/// Both ends for `frames` decoded faces of `pixels` bytes with up to `samples` samples each.
pub(crate) fn outbox(
    frames: usize,
    pixels: usize,
    samples: usize,
    control: Arc<Control>,
) -> (Outbox, Receiver<Item>) {
    let patch = |_| Patch {
        utterance: 0,
        frame: 0,
        cycle: 0,
        presence: 0,
        pixels: vec![0; pixels],
        audio: Vec::with_capacity(samples),
    };
    let patches = Pool::new((0..frames).map(patch).collect());
    let (sender, receiver) = bounded(frames + MARKS);
    let waiting = VecDeque::with_capacity(MARKS);
    (Outbox { items: Some(sender), control, patches, waiting, frames }, receiver)
}

impl Outbox {
    /// An unused patch, or `None` while the reader has them all.
    pub(crate) fn patch(&self) -> Option<Lent<Patch>> {
        self.patches.lend()
    }

    /// Patches that could be lent now.
    pub(crate) fn room(&self) -> usize {
        self.patches.available()
    }

    /// Frames that the reader has not given back.
    pub(crate) fn unread(&self) -> u64 {
        self.frames.saturating_sub(self.room()) as u64
    }

    /// Hands an item over, or keeps it until there is room; nothing is lost or overtaken.
    pub(crate) fn send(&mut self, item: Item) {
        self.waiting.push_back(item);
        self.flush();
    }

    /// Hands over what waits. `false` while something still does.
    pub(crate) fn flush(&mut self) -> bool {
        let Some(items) = &self.items else { return true };
        let mut news = false;
        let mut all = true;
        while let Some(item) = self.waiting.pop_front() {
            match items.try_send(item) {
                Ok(()) => news = true,
                Err(TrySendError::Full(item)) => {
                    self.waiting.push_front(item);
                    all = false;
                    break;
                }
                // Nobody will read it; the worker finds out when it looks at the session.
                Err(TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
        if news {
            self.control.tell_news();
        }
        all
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // First hung up, then told: who looks then sees that nothing more will come.
        drop(self.items.take());
        self.control.tell_news();
    }
}

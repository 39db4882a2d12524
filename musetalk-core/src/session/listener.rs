//! From pushed samples to the windows and presences of frames: resampler, log-mel, gate, in that order.

use std::collections::VecDeque;

use crate::Result;
use crate::audio::context::SpeechContext;
use crate::audio::gate::Gate;
use crate::audio::resample::Resampler;
use crate::audio::window::WindowPlan;

use super::inbox::{Inbox, Mark};

/// The ear of one session. Holds no more than it needs for the next group of frames.
#[derive(Debug)]
pub(crate) struct Listener {
    resampler: Resampler,
    context: SpeechContext,
    gate: Gate,
    /// Pushed samples that belong to no frame yet, for the frames' own `audio`.
    unpaired: VecDeque<f32>,
    taken: u64,
    finished: bool,
}

/// Samples taken between looks at what is needed: less than the context may hold beyond a window.
const BITE: u64 = 256;

impl Listener {
    pub(crate) fn new(rate: u32, plan: &WindowPlan) -> Result<Self> {
        // What lies between the sample taken last and the frame made next: look-ahead, a group, and one bite.
        let seconds = 1;
        Ok(Self {
            resampler: Resampler::new(rate)?,
            context: SpeechContext::new(plan.positions),
            gate: Gate::new(plan.fps, plan.look_ahead),
            unpaired: VecDeque::with_capacity(seconds * rate as usize),
            taken: 0,
            finished: false,
        })
    }

    /// Forgets the utterance.
    pub(crate) fn reset(&mut self) {
        self.resampler.reset();
        self.context.reset();
        self.gate.reset();
        self.unpaired.clear();
        self.taken = 0;
        self.finished = false;
    }

    /// Takes samples until everything before sample `end` at 16 kHz is known, or the utterance is complete. `false`
    /// while more must be pushed first.
    pub(crate) fn listen(&mut self, inbox: &mut Inbox, end: u64) -> bool {
        while !self.finished && self.context.samples() < end {
            let Self { resampler, context, unpaired, .. } = self;
            let taken = inbox.read(BITE, |pcm| {
                unpaired.extend(pcm);
                resampler.push(pcm, |samples| context.push(samples));
            });
            self.taken += taken;
            if taken == 0 {
                match inbox.mark() {
                    Some(Mark::Finish(_)) => {
                        resampler.finish(|samples| context.push(samples));
                        self.finished = true;
                    }
                    Some(Mark::Begin(_)) => {
                        unreachable!("the writer finishes an utterance before it begins the next")
                    }
                    None => return false,
                }
            }
        }
        true
    }

    /// Samples of the whole utterance, once it is complete.
    pub(crate) fn total(&self) -> Option<u64> {
        self.finished.then_some(self.taken)
    }

    /// The presence of the next frame; each frame is asked once, in order, after [`listen`](Self::listen) had its end.
    pub(crate) fn presence(&mut self) -> Option<u8> {
        self.gate.next(&self.context, self.finished)
    }

    /// The next `count` samples of the utterance, as they were pushed, at the end of `audio`.
    pub(crate) fn pair(&mut self, count: u64, audio: &mut Vec<f32>) {
        let count = (count as usize).min(self.unpaired.len());
        audio.extend(self.unpaired.drain(..count));
    }

    /// Forgets the next `count` samples: their frame is not made.
    pub(crate) fn skip(&mut self, count: u64) {
        let count = (count as usize).min(self.unpaired.len());
        self.unpaired.drain(..count);
    }

    /// The encoder's window that ends before sample `end`; the token of its first state.
    pub(crate) fn window(&mut self, end: u64, mel: &mut [f32]) -> u64 {
        self.context.window(end, mel).first_token
    }
}

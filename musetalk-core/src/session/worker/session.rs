//! One avatar, as the worker sees it: from its inbox to its outbox, with a stop where the device is needed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::cost::Cost;
use crate::asset::{AvatarAsset, Reading};
use crate::audio::window::WindowPlan;
use crate::networks::AudioEncoder;
use crate::session::control::Control;
use crate::session::inbox::{Inbox, Mark};
use crate::session::listener::Listener;
use crate::session::outbox::{Item, Outbox};
use crate::session::timeline::{self, Planned, Timeline};
use crate::time::FrameRate;
use crate::{Error, Result};

/// What the worker needs to know of one avatar.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) control: Arc<Control>,
    asset: Arc<AvatarAsset>,
    fps: FrameRate,
    rate: u32,
    inbox: Inbox,
    outbox: Outbox,
    listener: Listener,
    timeline: Option<Timeline>,
    /// The utterance before this one, and where the base cycle stands after it.
    previous: Option<(u64, u32)>,
    next: Next,
    states: States,
    /// The face that the next frame starts from, and the room to read it in.
    latent: Vec<f32>,
    reading: Reading,
    /// When this session was last served, as a count of device calls.
    pub(super) served: u64,
    /// What one frame costs this session, from its audio to its picture.
    cost: Cost,
    exhausted: bool,
}

/// Frames that one session may settle without the device before others are looked at.
const TURNS: usize = 64;

/// A recording has no deadline: it waits behind live faces that need a frame within this time, and before all others.
const PATIENT: Duration = Duration::from_millis(200);

/// What is known of the frame to be made next.
#[derive(Debug, Default)]
struct Next {
    /// What the gate said, once its audio was in.
    presence: Option<u8>,
    /// When that was.
    heard: Option<Instant>,
    /// Where it stands in the base cycle.
    cycle: u32,
}

/// The hidden states of one group of frames.
#[derive(Debug)]
struct States {
    group: Range<u64>,
    first_token: u64,
    values: Vec<f32>,
}

impl Session {
    /// A session at rest. `states` is the size of the encoder's output.
    pub(crate) fn new(
        control: Arc<Control>,
        asset: Arc<AvatarAsset>,
        (inbox, outbox): (Inbox, Outbox),
        listener: Listener,
        (fps, rate): (FrameRate, u32),
        states: usize,
    ) -> Self {
        Self {
            control,
            latent: vec![0.0; asset.latent_len()],
            reading: Reading::default(),
            asset,
            fps,
            rate,
            inbox,
            outbox,
            listener,
            timeline: None,
            previous: None,
            next: Next::default(),
            states: States { group: 0..0, first_token: 0, values: vec![0.0; states] },
            served: 0,
            cost: Cost::default(),
            exhausted: false,
        }
    }

    /// What a frame has cost others on this device: believed until it has frames of its own.
    pub(super) fn expect(&mut self, cost: Cost) {
        self.cost = cost;
        self.control.set_cost(cost.get());
    }

    /// Goes on until a frame needs the device: then how long its reader can do without it. `None` when the writer or
    /// the reader must act first.
    pub(super) fn prepare(&mut self, plan: &WindowPlan) -> Option<Duration> {
        for turn in 0.. {
            if turn >= TURNS {
                // Others are waiting; this session goes on when they had theirs.
                self.control.wake();
                return None;
            }
            if !self.outbox.flush() {
                return None;
            }
            let Some(timeline) = &mut self.timeline else {
                self.begin()?;
                continue;
            };
            if self.control.is_cut(timeline.utterance()) {
                self.cut();
                continue;
            }
            if let Some((frames, samples)) = timeline.completed() {
                self.end(frames, samples);
                continue;
            }
            if self.outbox.room() == 0 {
                return None;
            }
            if self.next.presence.is_none() && !self.listen(plan)? {
                continue;
            }
            let timeline = self.timeline.as_mut()?;
            let heard = self.control.heard_of(timeline.utterance());
            let in_time = heard.map_or(timeline.next(), |heard| timeline.in_time(heard, self.cost.get()));
            let late = timeline.next() < in_time
                // The newest frame that can be made is made even so: late by a bounded time, where the next would
                // have to wait for its sound and be late in turn, and the face would never speak.
                && self.listener.listen(&mut self.inbox, plan.encode_end(timeline.next() + 1));
            if late || self.control.is_past(timeline.utterance()) {
                self.give_up();
            } else if self.next.presence == Some(0) {
                self.plan();
                self.hand_over(None);
                self.control.counters.still.fetch_add(1, Relaxed);
            } else {
                let recording = self.control.is_recording();
                let slack = timeline.slack(heard, self.outbox.unread())
                    + if recording { PATIENT } else { Duration::ZERO };
                self.plan();
                let frame = self.asset.frame_at(self.next.cycle);
                if let Err(error) = self.asset.latent(frame, &mut self.reading, &mut self.latent) {
                    // Its file is damaged; others go on.
                    self.fail(&error);
                    return None;
                }
                return Some(slack);
            }
        }
        None
    }

    /// Encodes the group of the next frame, unless that was done for an earlier frame of it.
    pub(super) fn hear(
        &mut self,
        plan: &WindowPlan,
        encoder: &mut AudioEncoder,
        mel: &mut [f32],
    ) -> Result<()> {
        let frame = self.frame();
        let group = plan.groups.group(frame);
        if self.states.group == group {
            return Ok(());
        }
        let started = Instant::now();
        self.states.first_token = self.listener.window(plan.encode_end(frame), mel);
        let listened = Instant::now();
        encoder.run(mel, &mut self.states.values)?;
        self.control.counters.listen.add(listened - started);
        self.control.counters.hear.add(listened.elapsed());
        self.states.group = group;
        Ok(())
    }

    /// What the next frame hears: \[tokens · states, width\].
    pub(super) fn context(&self, plan: &WindowPlan, out: &mut [f32]) {
        plan.copy_context(&self.states.values, self.states.first_token, self.frame(), out);
    }

    /// The face that the next frame starts from.
    pub(super) fn latent(&self) -> &[f32] {
        &self.latent
    }

    /// The next frame was made: hands it over.
    pub(super) fn made(&mut self, image: &[u8]) {
        if let Some(heard) = self.next.heard {
            let took = heard.elapsed();
            self.cost.add(took, self.fps.period());
            self.control.set_cost(self.cost.get());
            self.control.counters.add_latency(took);
        }
        self.control.counters.made.fetch_add(1, Relaxed);
        self.hand_over(Some(image));
    }

    /// The device failed: this session is over, and its reader is told why.
    pub(super) fn fail(&mut self, error: &Error) {
        self.control.fail(error);
        self.control.close();
    }

    fn frame(&self) -> u64 {
        self.timeline.as_ref().map_or(0, Timeline::next)
    }

    fn begin(&mut self) -> Option<()> {
        match self.inbox.mark() {
            Some(Mark::Begin(utterance)) => {
                self.listener.reset();
                self.states.group = 0..0;
                self.next = Next::default();
                self.timeline = Some(Timeline::new(utterance, self.fps, self.rate));
                Some(())
            }
            // What is left of an utterance that was cut.
            Some(Mark::Finish(_)) => Some(()),
            None if self.inbox.read(u64::MAX, |_| {}) > 0 => Some(()),
            None => {
                if self.inbox.is_exhausted() && !self.exhausted {
                    self.exhausted = true;
                    self.outbox.send(Item::Exhausted);
                }
                None
            }
        }
    }

    /// Takes in what the next frame depends on. `None` when more must be pushed first, `false` when the utterance
    /// turned out to be complete.
    fn listen(&mut self, plan: &WindowPlan) -> Option<bool> {
        let timeline = self.timeline.as_mut()?;
        let started = Instant::now();
        let listened = self.listener.listen(&mut self.inbox, plan.encode_end(timeline.next()));
        if let Some(samples) = self.listener.total().filter(|_| !timeline.is_finished()) {
            timeline.finish(samples);
            return Some(false);
        }
        if !listened {
            self.control.set_starved(timeline.utterance(), self.inbox.taken());
            return None;
        }
        self.next.presence = Some(self.listener.presence()?);
        self.next.heard = Some(Instant::now());
        self.control.counters.listen.add(started.elapsed());
        Some(true)
    }

    fn cut(&mut self) {
        if let Some(timeline) = self.timeline.take() {
            // Nothing more of it will be shown: what comes next continues from what is on screen.
            self.previous = None;
            self.outbox.send(Item::End {
                utterance: timeline.utterance(),
                frames: timeline.next(),
                samples: 0,
            });
        }
    }

    fn end(&mut self, frames: u64, samples: u64) {
        if let Some(timeline) = self.timeline.take() {
            let after = timeline.cycle_after(|start| self.asset.cycle_of(start));
            // An empty utterance leaves the cycle where it was.
            self.previous = after.map(|after| (timeline.utterance(), after)).or(self.previous);
            self.outbox.send(Item::End { utterance: timeline.utterance(), frames, samples });
        }
    }

    /// The next frame would be late: its sound passes, no picture is made.
    fn give_up(&mut self) {
        let Some(timeline) = &mut self.timeline else { return };
        let samples = timeline.samples_of_next();
        self.listener.skip(samples.end - samples.start);
        timeline.advance();
        self.next.presence = None;
        self.control.counters.skipped.fetch_add(1, Relaxed);
    }

    /// Settles where the next frame stands in the base cycle; for the first one, where the utterance does.
    fn plan(&mut self) {
        let Some(timeline) = &mut self.timeline else { return };
        let asset = &self.asset;
        // Only what will still be shown can be continued.
        let control = &self.control;
        let previous = self
            .previous
            .filter(|(before, _)| !control.is_past(*before) && !control.is_cut(*before))
            .map(|(_, after)| after);
        // The first frame made continues what is on screen, also when earlier ones were given up.
        let next = timeline.next();
        let start = || {
            let wanted = asset.clip_cycle(control.wanted_clip());
            let start = timeline::start(previous, control.shown(), wanted, |shown| asset.cycle_of(shown));
            asset.cycle_of(start).retreat(start, next)
        };
        let start = match timeline.plan(start) {
            Planned::Before(start) => start,
            Planned::Now(start) => {
                self.outbox.send(Item::Begin { utterance: timeline.utterance(), cycle: start });
                start
            }
        };
        self.next.cycle = asset.cycle_of(start).advance(start, timeline.next());
    }

    /// Sends the next frame: with these pixels, or as it is in the footage.
    fn hand_over(&mut self, pixels: Option<&[u8]>) {
        let Some(timeline) = &mut self.timeline else { return };
        if self.control.is_cut(timeline.utterance()) {
            return;
        }
        let Some(mut patch) = self.outbox.patch() else { return };
        let samples = timeline.samples_of_next();
        patch.utterance = timeline.utterance();
        patch.frame = timeline.next();
        patch.cycle = self.next.cycle;
        patch.presence = self.next.presence.take().unwrap_or(0);
        patch.audio.clear();
        self.listener.pair(samples.end - samples.start, &mut patch.audio);
        if let Some(pixels) = pixels {
            patch.pixels.copy_from_slice(pixels);
        }
        timeline.advance();
        self.outbox.send(Item::Frame(patch));
    }
}

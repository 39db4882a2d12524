//! Reading one picture and exactly its samples per call: for servers.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

use super::{HEAD_START, Reader};
use crate::Result;
use crate::frame::Frame;

/// How far [`paced`](Reader::paced) is.
#[derive(Debug, Default)]
pub(super) struct Pace {
    calls: u64,
    /// The utterance that plays, and its next frame.
    playing: Option<(u64, u64)>,
    /// Samples of shown frames that no period had room for yet: at most one, where rates do not divide.
    audio: VecDeque<f32>,
}

impl Pace {
    /// With room for four periods of this many samples.
    pub(super) fn with_room_for(period: usize) -> Self {
        Self { audio: VecDeque::with_capacity(4 * period), ..Self::default() }
    }
}

impl Reader {
    pub(crate) fn paced(&mut self) -> Result<Frame> {
        self.drain()?;
        let call = self.pace.calls;
        let now = self.fps.time_of(call);
        if self.pace.playing.is_some_and(|(utterance, _)| self.control.is_cut(utterance)) {
            // What was not shown is not heard either.
            self.pace.playing = None;
            self.pace.audio.clear();
        }
        if let Some(utterance) = self.startable().filter(|_| self.pace.playing.is_none()) {
            self.pace.playing = Some((utterance, 0));
            if self.pace.audio.is_empty() && !self.periods_are_whole() {
                // Where periods differ by a sample, those of the session may ask for one that the next frame brings.
                self.pace.audio.push_back(0.0);
            }
        }
        self.check_room()?;
        let due = match self.pace.playing {
            Some((utterance, frame)) => {
                let front = self.queue.front().is_some_and(|p| p.utterance == utterance && p.frame == frame);
                front.then(|| self.take_front()).flatten()
            }
            None => None,
        };
        let mut frame = if due.is_some() {
            let audio = self.current.as_ref().map(|patch| patch.audio.as_slice()).unwrap_or_default();
            self.pace.audio.extend(audio);
            self.speech(now, false)?
        } else {
            if self.pace.playing.is_some() {
                self.control.counters.under_runs.fetch_add(1, Relaxed);
            }
            let place = self.utterances.front().map(|planned| {
                let frame = self.pace.playing.map_or(0, |(_, frame)| frame);
                self.place_after(planned.cycle, frame)
            });
            self.playhead.idle(now, place, self.wanted());
            self.idle_picture(now)?
        };
        if let Some((_, next)) = self.pace.playing.as_mut().filter(|_| due.is_some()) {
            *next += 1;
        }
        self.end_of_pace();
        self.release_audio(call, &mut frame);
        frame.buffer.pts = now;
        self.pace.calls += 1;
        Ok(frame)
    }

    /// The utterance at the head, if enough of it is ready and the face has arrived where it starts.
    fn startable(&self) -> Option<u64> {
        let planned = self.utterances.front()?;
        let ready = self.queue.iter().filter(|patch| patch.utterance == planned.utterance).count() as u64;
        let enough = ready >= HEAD_START || planned.end.is_some_and(|(frames, _)| frames == ready);
        (enough && self.playhead.distance(self.place(planned.cycle)) <= 1).then_some(planned.utterance)
    }

    /// Every frame period has the same number of samples.
    fn periods_are_whole(&self) -> bool {
        let (numerator, denominator) = (u64::from(self.fps.numerator()), u64::from(self.fps.denominator()));
        u64::from(self.rate) * denominator % numerator == 0
    }

    fn end_of_pace(&mut self) {
        let Some(planned) = self.utterances.front() else { return };
        let shown = self
            .pace
            .playing
            .filter(|(utterance, _)| *utterance == planned.utterance)
            .map_or(0, |(_, next)| next);
        if planned.end.is_some_and(|(frames, _)| shown >= frames) {
            self.control.set_past(planned.utterance);
            self.utterances.pop_front();
            self.pace.playing = None;
        }
    }

    /// Exactly the samples of period `call`: of the speech that was shown, and silence for the rest.
    fn release_audio(&mut self, call: u64, frame: &mut Frame) {
        let count = self.fps.first_sample(call + 1, self.rate) - self.fps.first_sample(call, self.rate);
        let speech = self.pace.audio.len().min(count as usize);
        frame.buffer.audio.clear();
        frame.buffer.audio.extend(self.pace.audio.drain(..speech));
        frame.buffer.audio.resize(count as usize, 0.0);
    }
}

//! PURE. Which frame of which utterance comes next, where in the base cycle it stands, and which are given up.

use std::time::Duration;

use crate::asset::cycle::Cycle;
use crate::time::FrameRate;

/// One utterance on its way through the worker.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    fps: FrameRate,
    rate: u32,
    utterance: u64,
    next: u64,
    /// Samples of the utterance, once it is complete.
    samples: Option<u64>,
    /// The position in the base cycle of frame 0, once the first frame was planned.
    start: Option<u32>,
}

impl Timeline {
    /// An utterance of which nothing is known yet. `rate` is that of the pushed samples.
    pub(crate) fn new(utterance: u64, fps: FrameRate, rate: u32) -> Self {
        Self { fps, rate, utterance, next: 0, samples: None, start: None }
    }

    pub(crate) fn utterance(&self) -> u64 {
        self.utterance
    }

    /// The frame to be made next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The utterance is complete: it has this many samples.
    pub(crate) fn finish(&mut self, samples: u64) {
        self.samples = Some(samples);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.samples.is_some()
    }

    /// Frames and samples of the utterance, once every frame owed was made.
    pub(crate) fn completed(&self) -> Option<(u64, u64)> {
        let samples = self.samples?;
        let owed = self.fps.frames_for(samples, self.rate);
        (self.next >= owed).then_some((owed, samples))
    }

    /// The samples of frame `next`, counted from the start of the utterance; the last one may be short.
    pub(crate) fn samples_of_next(&self) -> std::ops::Range<u64> {
        let end = self.fps.first_sample(self.next + 1, self.rate);
        let first = self.fps.first_sample(self.next, self.rate);
        first..self.samples.map_or(end, |samples| end.min(samples))
    }

    /// Frame `next` was made, or given up.
    pub(crate) fn advance(&mut self) {
        self.next += 1;
    }

    /// Chooses the position in the base cycle, once: at the first call it is `start`, after that whatever it was.
    pub(crate) fn plan(&mut self, start: impl FnOnce() -> u32) -> Planned {
        match self.start {
            Some(start) => Planned::Before(start),
            None => Planned::Now(*self.start.insert(start())),
        }
    }

    /// Where the cycle stands after the last frame that was planned, if any was.
    pub(crate) fn cycle_after(&self, cycle: impl FnOnce(u32) -> Cycle) -> Option<u32> {
        self.start.map(|start| cycle(start).advance(start, self.next))
    }

    /// The first frame that can still be on screen in time, for a listener who has heard `heard` samples and a device
    /// that needs `cost` for a frame. Never before `next`: what was given up stays given up.
    ///
    /// Giving up by this rule alone spreads the gaps evenly: each frame is made for the moment it will be ready.
    pub(crate) fn in_time(&self, heard: u64, cost: Duration) -> u64 {
        let cost = cost.as_nanos() * u128::from(self.rate) / 1_000_000_000;
        let ready = heard.saturating_add(u64::try_from(cost).unwrap_or(u64::MAX));
        // A frame whose own period has not ended when it is ready still comes in time.
        self.fps.frame_at(ready, self.rate).max(self.next)
    }

    /// How long a reader can go on before it needs frame `next`: until that frame's time if the utterance sounds, else
    /// for the frames it has not yet read.
    pub(crate) fn slack(&self, heard: Option<u64>, unread: u64) -> Duration {
        let ahead = match heard {
            Some(heard) => self.next.saturating_sub(self.fps.frame_at(heard, self.rate)),
            None => unread,
        };
        self.fps.time_of(ahead)
    }
}

/// Whether a position was chosen by this call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Planned {
    Now(u32),
    Before(u32),
}

/// Where an utterance starts in the base cycle.
///
/// It continues what will be on screen: the previous utterance, while that one is not past; else one step after what
/// was shown last; else, for an avatar that has shown nothing, the first frame. If another clip than that is `wanted`, it starts
/// where that one does: between utterances a clip may change, inside one never.
pub(crate) fn start(
    previous: Option<u32>,
    shown: Option<u32>,
    wanted: Cycle,
    cycle_of: impl Fn(u32) -> Cycle,
) -> u32 {
    let continued = match (previous, shown) {
        (Some(after), _) => after,
        (None, Some(shown)) => cycle_of(shown).advance(shown, 1),
        (None, None) => wanted.start(),
    };
    if wanted.contains(continued) { continued } else { wanted.start() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline::new(1, FrameRate::new(25, 1).unwrap(), 24_000)
    }

    #[test]
    fn every_owed_frame_is_made_and_the_last_may_be_short() {
        let mut timeline = timeline();
        timeline.finish(960 * 2 + 1);
        let mut lengths = Vec::new();
        while timeline.completed().is_none() {
            let samples = timeline.samples_of_next();
            lengths.push(samples.end - samples.start);
            timeline.advance();
        }
        assert_eq!(lengths, [960, 960, 1]);
        assert_eq!(timeline.completed(), Some((3, 1921)));
    }

    #[test]
    fn an_empty_utterance_owes_nothing() {
        let mut timeline = timeline();
        timeline.finish(0);
        assert_eq!(timeline.completed(), Some((0, 0)));
    }

    #[test]
    fn frames_that_would_be_late_are_given_up_evenly() {
        let mut timeline = timeline();
        let cost = Duration::from_millis(120);
        let (mut heard, mut made) = (0, Vec::new());
        for _ in 0..5 {
            let frame = timeline.in_time(heard, cost);
            while timeline.next() < frame {
                timeline.advance();
            }
            made.push(frame);
            timeline.advance();
            heard += 24_000 * 120 / 1000;
        }
        assert!(made.windows(2).all(|pair| pair[1] - pair[0] == 3), "{made:?}");
    }

    #[test]
    fn a_machine_that_keeps_up_gives_nothing_up() {
        let mut timeline = timeline();
        for _ in 0..10 {
            timeline.advance();
        }
        assert_eq!(timeline.in_time(960 * 8, Duration::from_millis(39)), 10);
    }

    #[test]
    fn an_utterance_continues_what_is_on_screen() {
        let cycle = Cycle::new(0, 10);
        let start = |previous, shown| start(previous, shown, cycle, |_| cycle);
        assert_eq!(start(Some(7), Some(3)), 7);
        assert_eq!(start(None, Some(19)), 0);
        assert_eq!(start(None, None), 0);
    }

    #[test]
    fn an_utterance_begins_in_the_clip_that_is_wanted() {
        let (first, second) = (Cycle::new(0, 10), Cycle::new(10, 4));
        let cycle_of = |position| if first.contains(position) { first } else { second };
        let start = |previous, shown| start(previous, shown, second, cycle_of);
        assert_eq!(start(None, None), 20);
        assert_eq!(start(Some(7), Some(3)), 20);
        assert_eq!(start(None, Some(3)), 20);
        assert_eq!(start(None, Some(27)), 20, "its cycle starts over");
        assert_eq!(start(Some(23), Some(22)), 23);
    }
}

//! How far it is, and Ctrl-C.

use std::ops::ControlFlow;
use std::time::Instant;

use indicatif::ProgressBar;
use musetalk_core::{PrepareStep, Preparing};

use crate::progress::Progress;
use crate::{cancel, report};

/// A line for each of the two readings.
pub(super) struct Bar {
    progress: Progress,
    step: Option<PrepareStep>,
    bar: ProgressBar,
    pace: Pace,
    done: u64,
    /// Frames that the footage said it has, before it was read.
    stated: Option<u64>,
    /// The footage is refused: the second reading only draws the sheet.
    drawing: bool,
}

impl Bar {
    pub(super) fn new(progress: Progress) -> Self {
        let bar = ProgressBar::hidden();
        let pace = Pace::new(Instant::now());
        Self { progress, step: None, bar, pace, done: 0, stated: None, drawing: false }
    }

    /// All footage was read: says so where it had less than it stated.
    pub(super) fn looked(&mut self) {
        let missing = self.stated.and_then(|stated| missing(stated, self.done));
        if let (Some(text), true) = (missing, self.progress != Progress::Silent) {
            self.bar.suspend(|| report::note(&text));
        }
    }

    /// What follows is drawn and not written.
    pub(super) fn will_draw(&mut self) {
        self.drawing = true;
    }

    pub(super) fn show(&mut self, at: Preparing) -> ControlFlow<()> {
        if self.step != Some(at.step) {
            let now = Instant::now();
            // A step begins where the one before ended, and not with its first frame.
            let began = if self.step.is_some() { self.end_step() } else { self.pace.since };
            self.pace = Pace::new(began.min(now));
            self.bar = self.progress.frames(self.what(at.step), at.total);
            self.step = Some(at.step);
            self.stated = self.stated.or(at.total);
        }
        self.done = at.done;
        self.pace.frame(at.recalled, Instant::now());
        // Containers round: what was counted is true, what they state is not.
        if let Some(total) = at.total {
            self.bar.set_length(total.max(at.done));
        }
        if at.recalled {
            let known = format!("{} ({} known from before)", self.what(at.step), self.pace.known);
            self.bar.set_message(known);
        }
        self.bar
            .set_prefix(self.pace.words(at.total.map(|total| total.saturating_sub(at.done)), Instant::now()));
        self.bar.set_position(at.done);
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Without a moving line, one that stays. When the step ended.
    fn end_step(&mut self) -> Instant {
        self.bar.finish_and_clear();
        let now = Instant::now();
        if let (Some(step), Progress::Plain) = (self.step, self.progress) {
            let Pace { known, since, .. } = self.pace;
            let known = if known > 0 { format!(", {known} known from before") } else { String::new() };
            let (seconds, rate) = ((now - since).as_secs_f64(), self.pace.rate(now));
            report::note(&format!(
                "{} {} frames{known}; {seconds:.1} s, {rate:.1}/s",
                self.what(step),
                self.done
            ));
        }
        now
    }

    fn what(&self, step: PrepareStep) -> &'static str {
        match (step, self.drawing) {
            (PrepareStep::Looking, _) => "1 of 2, looking:",
            (_, false) => "2 of 2, writing:",
            (_, true) => "2 of 2, drawing what was seen:",
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end_step();
    }
}

/// Containers round by a frame or two; a video that a broken disk or a dead battery cut short misses more.
fn missing(stated: u64, seen: u64) -> Option<String> {
    let text = || {
        format!(
            "the footage states {stated} frames and has {seen}: it is damaged or cut short, or its sound is longer than its pictures; what \
             there is, is used"
        )
    };
    (stated > seen + 2 + stated / 50).then(text)
}

/// How fast a step goes: the mean since it began, of the frames that took time.
#[derive(Clone, Copy, Debug)]
struct Pace {
    since: Instant,
    fresh: u64,
    /// Frames that an interrupted preparation had done: they took next to no time, and say nothing about those that are left.
    known: u64,
}

impl Pace {
    fn new(since: Instant) -> Self {
        Self { since, fresh: 0, known: 0 }
    }

    fn frame(&mut self, recalled: bool, now: Instant) {
        if recalled {
            *self = Self { since: now, fresh: 0, known: self.known + 1 };
        } else {
            self.fresh += 1;
        }
    }

    /// Frames a second.
    fn rate(&self, now: Instant) -> f64 {
        self.fresh as f64 / (now - self.since).as_secs_f64().max(1e-9)
    }

    /// For a line that moves; `left` are the frames that are still to come, where that is known.
    fn words(&self, left: Option<u64>, now: Instant) -> String {
        let rate = self.rate(now);
        match left {
            _ if self.fresh == 0 => String::new(),
            None => format!("{rate:.1}/s"),
            Some(left) => {
                let seconds = (left as f64 / rate).ceil() as u64;
                format!("{rate:.1}/s, {} left", spelled(seconds))
            }
        }
    }
}

/// `8 s`, `2 min 5 s`.
fn spelled(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn footage_that_is_cut_short_is_noticed_and_rounding_is_not() {
        assert!(missing(268, 268).is_none() && missing(268, 266).is_none() && missing(10, 12).is_none());
        assert!(missing(60, 12).is_some_and(|text| text.contains("60 frames and has 12")));
        assert!(missing(30, 25).is_some());
    }

    #[test]
    fn what_is_left_follows_from_the_frames_that_took_time() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut pace = Pace::new(start);
        assert_eq!(pace.words(Some(10), start), "");
        // Half a second each, from the first on.
        (1..=4).for_each(|frame| pace.frame(false, at(0.5 * f64::from(frame))));
        assert_eq!(pace.words(Some(240), at(2.0)), "2.0/s, 2 min 0 s left");
        assert_eq!(pace.words(None, at(2.0)), "2.0/s");
        assert_eq!(pace.words(Some(0), at(2.0)), "2.0/s, 0 s left");
        // A hundred known ones in a moment, then one of a second.
        let mut pace = Pace::new(start);
        (0..100).for_each(|_| pace.frame(true, at(0.1)));
        assert_eq!((pace.words(Some(9), at(0.1)), pace.known), (String::new(), 100));
        pace.frame(false, at(1.1));
        assert_eq!(pace.words(Some(9), at(1.1)), "1.0/s, 9 s left");
    }
}

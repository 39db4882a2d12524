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
    known: u64,
    done: u64,
    started: Instant,
}

impl Bar {
    pub(super) fn new(progress: Progress) -> Self {
        let bar = ProgressBar::hidden();
        Self { progress, step: None, bar, known: 0, done: 0, started: Instant::now() }
    }

    pub(super) fn show(&mut self, at: Preparing) -> ControlFlow<()> {
        if self.step != Some(at.step) {
            self.end_step();
            self.bar = self.progress.frames(what(at.step), at.total);
            (self.step, self.known, self.started) = (Some(at.step), 0, Instant::now());
        }
        self.done = at.done;
        // Containers round: what was counted is true, what they state is not.
        if let Some(total) = at.total {
            self.bar.set_length(total.max(at.done));
        }
        if at.recalled {
            self.known += 1;
            let known = format!("{} ({} known from before)", what(at.step), self.known);
            self.bar.set_message(known);
        }
        self.bar.set_position(at.done);
        if at.recalled {
            // They took next to no time, and say nothing about those that are left.
            self.bar.reset_eta();
            self.started = Instant::now();
        }
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Without a moving line, one that stays.
    fn end_step(&mut self) {
        self.bar.finish_and_clear();
        if let (Some(step), Progress::Plain) = (self.step, self.progress) {
            let (seconds, known) = (self.started.elapsed().as_secs_f64(), self.known);
            let rate = (self.done - known) as f64 / seconds.max(1e-9);
            let known = if known > 0 { format!(", {known} known from before") } else { String::new() };
            report::note(&format!("{} {} frames{known}; {seconds:.1} s, {rate:.1}/s", what(step), self.done));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end_step();
    }
}

fn what(step: PrepareStep) -> &'static str {
    match step {
        PrepareStep::Looking => "1 of 2, looking:",
        _ => "2 of 2, writing:",
    }
}

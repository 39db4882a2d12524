//! Progress on standard error: a moving line for a person, nothing for a program.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How much to say while work goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// Nothing.
    Silent,
    /// One plain line when a step is done.
    Plain,
    /// Lines that move, for a terminal.
    Live,
}

impl Progress {
    /// What suits standard error, and whether a program reads along (`--json`).
    pub fn suitable(json: bool) -> Self {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Live,
            (false, false) => Self::Plain,
        }
    }

    /// A step of unknown length.
    pub(crate) fn step(self, what: &str) -> Step {
        let bar = self.bar(ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}");
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Step { bar, progress: self }
    }

    /// A count towards `total` pictures, which may be unknown.
    pub(crate) fn pictures(self, total: Option<u64>) -> ProgressBar {
        match total {
            Some(total) => self.bar(
                ProgressBar::new(total),
                "{spinner} {pos} of {len} pictures [{bar:30}] {rate} eta {eta}",
            ),
            None => self.bar(ProgressBar::new_spinner(), "{spinner} {pos} pictures {rate}"),
        }
    }

    /// A count of frames in one of several steps, whose total may be unknown. How fast it goes is said by the prefix.
    pub(crate) fn frames(self, what: &str, total: Option<u64>) -> ProgressBar {
        let bar = match total {
            Some(total) => {
                self.bar(ProgressBar::new(total), "{spinner} {msg} {pos} of {len} frames [{bar:30}] {prefix}")
            }
            None => self.bar(ProgressBar::new_spinner(), "{spinner} {msg} {pos} frames {prefix}"),
        };
        bar.set_message(what.to_owned());
        bar
    }

    /// A count of bytes whose number is told later.
    pub(crate) fn bytes(self) -> ProgressBar {
        self.bar(ProgressBar::new(0), "{spinner} {msg} {bytes} of {total_bytes} [{bar:30}] eta {eta}")
    }

    /// A count of steps whose number is told later.
    pub(crate) fn steps(self) -> ProgressBar {
        let bar = self.bar(ProgressBar::new(0), "{spinner} {msg} {pos} of {len} [{bar:30}] {elapsed}");
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn bar(self, bar: ProgressBar, template: &str) -> ProgressBar {
        let target =
            if self == Self::Live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        bar.set_draw_target(target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar
    }
}

/// With one decimal.
fn rate(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    // A line that cannot be drawn is nobody's loss.
    let _unseen = write!(out, "{:.1}/s", state.per_sec());
}

/// One step under way. Its line goes when it does.
pub(crate) struct Step {
    bar: ProgressBar,
    progress: Progress,
}

impl Step {
    /// What it does now.
    pub(crate) fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Leaves one line behind.
    pub(crate) fn done(self, what: &str) {
        self.bar.finish_and_clear();
        if self.progress != Progress::Silent {
            crate::report::note(what);
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

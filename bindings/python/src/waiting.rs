//! Long work without the interpreter, and Ctrl-C in between.

use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};
use pyo3::prelude::*;

use crate::error::{internal, invalid};

/// How long Ctrl-C may have to wait.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Runs `work` on a thread of its own, and looks for Ctrl-C until it is done. Then it is left to end by itself.
pub(crate) fn on_a_thread<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (done, result) = bounded(1);
    let thread = std::thread::Builder::new().name("musetalk-load".to_owned());
    thread
        // Whoever was interrupted takes no result any more.
        .spawn(move || drop(done.send(work())))
        .map_err(|e| internal(format!("no thread could be started: {e}")))?;
    loop {
        match py.detach(|| result.recv_timeout(SLICE)) {
            Ok(value) => return Ok(value),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(internal("a thread of the library broke down"));
            }
        }
    }
}

/// How long a caller wants to wait.
#[derive(Clone, Copy)]
pub(crate) struct Patience(Option<Instant>);

impl Patience {
    /// Seconds as Python gives them; for ever without.
    pub(crate) fn seconds(timeout: Option<f64>) -> PyResult<Self> {
        let Some(seconds) = timeout else { return Ok(Self(None)) };
        if seconds.is_nan() || seconds < 0.0 {
            return Err(invalid(format!("timeout is {seconds}; give seconds, 0 or more, or None")));
        }
        // A time beyond what a clock can count is for ever.
        let end = Duration::try_from_secs_f64(seconds).ok().and_then(|time| Instant::now().checked_add(time));
        Ok(Self(end))
    }

    /// How long to wait before looking for Ctrl-C.
    pub(crate) fn slice(self) -> Duration {
        self.0.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()).min(SLICE))
    }

    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| end <= Instant::now())
    }
}

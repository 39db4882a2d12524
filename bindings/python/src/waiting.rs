//! Long work without the interpreter, and Ctrl-C in between.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{internal, invalid};
use crate::forked::is_forked;

/// How long Ctrl-C may have to wait.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Threads that were left to end by themselves. A process must not end under them: ONNX Runtime takes down what they use.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// Counted while it lives.
struct AtWork;

impl AtWork {
    fn begin(py: Python<'_>) -> PyResult<Self> {
        static WAITED_FOR: PyOnceLock<()> = PyOnceLock::new();
        WAITED_FOR.get_or_try_init(py, || {
            let at_exit = py.import("atexit")?.getattr("register")?;
            at_exit.call1((wrap_pyfunction!(wait_for_work, py)?,))?;
            PyResult::Ok(())
        })?;
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        Ok(Self)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Before the interpreter ends: waits for what was interrupted. Ctrl-C once more, and it is not waited for.
#[pyfunction]
fn wait_for_work(py: Python<'_>) {
    while AT_WORK.load(Ordering::SeqCst) > 0 && !is_forked() && py.check_signals().is_ok() {
        py.detach(|| std::thread::sleep(Duration::from_millis(5)));
    }
}

/// Runs `work` on a thread of its own, and looks for Ctrl-C until it is done. Then it is left to end by itself.
pub(crate) fn on_a_thread<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (done, result) = bounded(1);
    let at_work = AtWork::begin(py)?;
    let thread = std::thread::Builder::new().name("musetalk-load".to_owned());
    thread
        // Whoever was interrupted takes no result any more, and it ends here.
        .spawn(move || {
            drop(done.send(work()));
            drop(at_work);
        })
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

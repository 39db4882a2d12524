//! After a fork the threads of the library are in the other process, and whoever waits for them waits for ever. So the child is told.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::error::unsupported;

/// This process was forked from one in which threads of the library ran.
static FORKED: AtomicBool = AtomicBool::new(false);

/// To be asked before threads are started: children of this process will know.
pub(crate) fn starting(py: Python<'_>) -> PyResult<()> {
    static WATCHED: PyOnceLock<()> = PyOnceLock::new();
    check()?;
    WATCHED.get_or_try_init(py, || {
        let os = py.import("os")?;
        // Where there are no forks there is nothing to watch.
        if let Some(register) = os.getattr_opt("register_at_fork")? {
            let told = PyDict::new(py);
            told.set_item("after_in_child", wrap_pyfunction!(after_in_child, py)?)?;
            register.call((), Some(&told))?;
        }
        PyResult::Ok(())
    })?;
    Ok(())
}

/// Refuses what needs a thread that is not there.
pub(crate) fn check() -> PyResult<()> {
    if !is_forked() {
        return Ok(());
    }
    Err(unsupported(
        "this process was forked after the library had started, and its threads are in the parent; start processes with \
         multiprocessing's \"spawn\", or load the engine after the fork",
    ))
}

pub(crate) fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

#[pyfunction]
fn after_in_child() {
    FORKED.store(true, Ordering::Relaxed);
}

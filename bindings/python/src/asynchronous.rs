//! What is written in Python: the few coroutines.

use pyo3::prelude::*;
use pyo3::types::PyModule;

/// The coroutine of this name in `musetalk._async`, on this object.
pub(crate) fn coroutine<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    PyModule::import(object.py(), "musetalk._async")?.getattr(name)?.call1((object,))
}

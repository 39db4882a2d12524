//! The command `musetalk`, inside Python.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::engine::find_package;

/// Runs the command and returns its exit code. `arguments` begin with the name of the program.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    find_package(py)?;
    Ok(py.detach(|| musetalk_cli::main(arguments)))
}

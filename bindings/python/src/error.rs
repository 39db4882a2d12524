//! Every kind of error is a class: one table for both crates.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

/// One kind of the core, of the conversation, or of both.
struct Row {
    /// The kind as Rust calls it; with `Error` behind it, the name of the class.
    kind: &'static str,
    /// The built-in class that it also is.
    also: Option<&'static str>,
    /// What a host does about it.
    doc: &'static str,
}

const fn row(kind: &'static str, also: Option<&'static str>, doc: &'static str) -> Row {
    Row { kind, also, doc }
}

/// All kinds. A test compares it with the two enums.
const TABLE: &[Row] = &[
    row("InvalidInput", Some("ValueError"), "An argument or a setting is wrong. Fix the call."),
    row("NotFound", Some("LookupError"), "A pack, an avatar, a library, a file or a model does not exist."),
    row("Corrupt", None, "A file is damaged. Fetch or build it again."),
    row(
        "Incompatible",
        None,
        "Two sound things do not fit together: a pack and an avatar, a server and its profile.",
    ),
    row("Unsupported", None, "This build, this file or this server cannot do what was asked."),
    row(
        "BufferFull",
        Some("BlockingIOError"),
        "No room is left; nothing was taken. Read or drop frames and try again.",
    ),
    row("Interrupted", None, "The utterance was cut. Call `begin` before pushing again."),
    row("Cancelled", None, "The caller cancelled the operation."),
    row("TimedOut", Some("TimeoutError"), "The time given has passed. Nothing is lost; call again."),
    row("Io", Some("OSError"), "Reading or writing a file failed. The message names the file."),
    row("DeviceUnavailable", None, "The execution provider could not be started. Another device may work."),
    row("OutOfMemory", Some("MemoryError"), "Host or device memory is exhausted."),
    row("Closed", None, "The other end, or the session, has gone. Open another."),
    row(
        "Unauthorized",
        Some("PermissionError"),
        "The key is missing, wrong, or may not do this. Another key may.",
    ),
    row("Quota", None, "The account has no money or quota left. Waiting does not help."),
    row("Untrusted", Some("ConnectionError"), "The other end is not who it should be."),
    row("Busy", Some("ConnectionError"), "Too many requests. Retry after a pause."),
    row("Refused", Some("ConnectionError"), "The server refused something; the message is its own."),
    row("Network", Some("ConnectionError"), "The network failed: no host, no connection, or one that broke."),
    row("Internal", None, "A bug in this library. Please report the message."),
];

static CLASSES: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();

/// Puts the classes into the module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let base = class(
        py,
        "MuseTalkError",
        "Base of every error raised here.",
        &py.get_type::<PyException>().into_any(),
        "",
    )?;
    module.add("MuseTalkError", &base)?;
    let builtins = py.import("builtins")?;
    let mut classes = Vec::with_capacity(TABLE.len());
    for Row { kind, also, doc } in TABLE {
        let bases = match also {
            Some(also) => PyTuple::new(py, [base.clone().into_any(), builtins.getattr(*also)?])?.into_any(),
            None => base.clone().into_any(),
        };
        let name = format!("{kind}Error");
        let made = class(py, &name, doc, &bases, &snake(kind))?;
        module.add(name.as_str(), &made)?;
        classes.push(made.unbind());
    }
    // Only the first import makes them.
    let _kept = CLASSES.set(py, classes).is_ok();
    Ok(())
}

fn class<'py>(
    py: Python<'py>,
    name: &str,
    doc: &str,
    bases: &Bound<'py, PyAny>,
    kind: &str,
) -> PyResult<Bound<'py, PyType>> {
    let space = PyDict::new(py);
    space.set_item("__doc__", doc)?;
    space.set_item("__module__", "musetalk")?;
    space.set_item("kind", kind)?;
    let bases = match bases.cast::<PyTuple>() {
        Ok(bases) => bases.clone(),
        Err(_) => PyTuple::new(py, [bases])?,
    };
    Ok(py.get_type::<PyType>().call1((name, bases, space))?.cast_into()?)
}

fn snake(kind: &str) -> String {
    let mut text = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The exception of this kind. One that the table lacks is `Internal`, and a test fails.
fn exception(kind: &str, message: String) -> PyErr {
    Python::attach(|py| {
        let place = |name: &str| TABLE.iter().position(|row| row.kind == name);
        let at = place(kind).or_else(|| place("Internal"));
        match at.zip(CLASSES.get(py)).and_then(|(at, classes)| classes.get(at)) {
            Some(class) => PyErr::from_type(class.bind(py).clone(), message),
            None => PyException::new_err(message),
        }
    })
}

/// An error of the core as an exception.
pub(crate) fn raise(error: musetalk_core::Error) -> PyErr {
    exception(&format!("{:?}", error.kind()), error.to_string())
}

/// An error of the conversation as an exception.
pub(crate) fn raise_talk(error: &realtime_client::Error) -> PyErr {
    exception(&format!("{:?}", error.kind()), error.to_string())
}

pub(crate) fn invalid(message: impl Into<String>) -> PyErr {
    exception("InvalidInput", message.into())
}

pub(crate) fn unsupported(message: &str) -> PyErr {
    exception("Unsupported", message.to_owned())
}

pub(crate) fn closed(message: &str) -> PyErr {
    exception("Closed", message.to_owned())
}

pub(crate) fn timed_out(message: &str) -> PyErr {
    exception("TimedOut", message.to_owned())
}

pub(crate) fn internal(message: impl Into<String>) -> PyErr {
    exception("Internal", message.into())
}

//! Functions of the host that the model may call: plain ones and coroutines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyModule;
use realtime_client::Tools;
use realtime_client::session::ToolOutput;
use serde_json::Value;

use crate::error::{invalid, raise_talk};

/// What `musetalk._tools.prepared` makes of a tool: name, description, JSON Schema of the parameters, and what to call.
type Prepared<'py> = (String, String, String, Bound<'py, PyAny>);

/// Functions of the host, where Python's collector sees them: they may hold the conversation that holds them.
#[derive(Default)]
pub(crate) struct Functions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    run: Vec<Py<PyAny>>,
    event_loop: Option<Py<PyAny>>,
}

impl Functions {
    /// No call of Python is made with it.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(kept) = self.0.try_lock() else { return Ok(()) };
        kept.run.iter().chain(&kept.event_loop).try_for_each(|object| visit.call(object))
    }

    /// Lets go of them, for the collector.
    pub(crate) fn forget(&self) {
        let kept = std::mem::take(&mut *self.lock());
        drop(kept);
    }

    /// On a thread of the client's, which may wait.
    fn call(&self, index: usize, arguments: &Value) -> ToolOutput {
        let answered = Python::try_attach(|py| {
            let kept = self.lock();
            let function = kept.run.get(index).map(|run| run.clone_ref(py));
            let event_loop = kept.event_loop.as_ref().map(|event_loop| event_loop.clone_ref(py));
            drop(kept);
            let Some(function) = function else { return Ok(ToolOutput::failed("the conversation is over")) };
            let answer = function.call1(py, (arguments.to_string(), event_loop))?;
            let (text, reply): (String, bool) = answer.extract(py)?;
            PyResult::Ok(if reply { ToolOutput::new(text) } else { ToolOutput::silent(text) })
        });
        match answered {
            Some(Ok(output)) => output,
            // The model is told what the exception says; the trace stays with the host.
            Some(Err(e)) => ToolOutput::failed(e),
            None => ToolOutput::failed("the interpreter has ended"),
        }
    }
}

/// The functions as the client takes them, and what keeps them. Coroutines run in the loop that is running now.
pub(crate) fn tools_of(functions: &Bound<'_, PyAny>) -> PyResult<(Tools, Arc<Functions>)> {
    let py = functions.py();
    let module = PyModule::import(py, "musetalk._tools")?;
    let kept = Arc::new(Functions::default());
    let event_loop = module.getattr("current_loop")?.call0()?;
    kept.lock().event_loop = (!event_loop.is_none()).then(|| event_loop.unbind());
    let mut tools = Tools::new();
    for (index, function) in functions.try_iter()?.enumerate() {
        let (name, description, parameters, run): Prepared<'_> =
            module.getattr("prepared")?.call1((function?,))?.extract()?;
        let parameters: Value = serde_json::from_str(&parameters)
            .map_err(|e| invalid(format!("the parameters of {name} are no JSON Schema: {e}")))?;
        kept.lock().run.push(run.unbind());
        let called = Arc::clone(&kept);
        tools
            .add(&name, &description, parameters, move |arguments| called.call(index, &arguments))
            .map_err(|e| raise_talk(&e))?;
    }
    Ok((tools, kept))
}

//! Functions of the host that the model may call: plain ones and coroutines.

use pyo3::prelude::*;
use pyo3::types::PyModule;
use realtime_client::Tools;
use realtime_client::session::ToolOutput;
use serde_json::Value;

use crate::error::{invalid, raise_talk};

/// What `musetalk._tools.prepared` makes of a tool: name, description, JSON Schema of the parameters, and what to call.
type Prepared<'py> = (String, String, String, Bound<'py, PyAny>);

/// The functions as the client takes them. Coroutines run in the loop that is running now.
pub(crate) fn tools_of(functions: &Bound<'_, PyAny>) -> PyResult<Tools> {
    let py = functions.py();
    let module = PyModule::import(py, "musetalk._tools")?;
    let event_loop = module.getattr("current_loop")?.call0()?.unbind();
    let mut tools = Tools::new();
    for function in functions.try_iter()? {
        let (name, description, parameters, run): Prepared<'_> =
            module.getattr("prepared")?.call1((function?,))?.extract()?;
        let parameters: Value = serde_json::from_str(&parameters)
            .map_err(|e| invalid(format!("the parameters of {name} are no JSON Schema: {e}")))?;
        let (run, event_loop) = (run.unbind(), event_loop.clone_ref(py));
        tools
            .add(&name, &description, parameters, move |arguments| call(&run, &event_loop, &arguments))
            .map_err(|e| raise_talk(&e))?;
    }
    Ok(tools)
}

/// On a thread of the client's, which may wait.
fn call(run: &Py<PyAny>, event_loop: &Py<PyAny>, arguments: &Value) -> ToolOutput {
    let answered = Python::try_attach(|py| {
        let answer = run.call1(py, (arguments.to_string(), event_loop))?;
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

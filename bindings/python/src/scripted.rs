//! A server that speaks from a script: a conversation without a key or a network.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use realtime_client::scripted::{Scenario, ScriptedServer as Server};

use crate::error::{internal, raise_talk};
use crate::forked;
use crate::pcm::Pcm;

/// A server of this machine that speaks from a script, to try a conversation without a key or a network. Dropped, it stops.
///
/// Args:
///     answers: What it says, turn by turn, from the start again after the last. When empty it repeats what it was told.
///     answer_seconds: How long an answer is; by its text when `None`.
///     pace: From one piece of an answer to the next; everything in one burst by default.
///     calls_functions: Calls every declared function before it answers.
///     transcript: What it was understood to have heard.
///     voice: Its voice at 24 kHz; synthetic by default.
#[pyclass(frozen, module = "musetalk")]
pub(crate) struct ScriptedServer(Server);

#[pymethods]
impl ScriptedServer {
    #[new]
    #[pyo3(signature = (answers=Vec::new(), *, answer_seconds=None, pace=None, calls_functions=false, transcript=None, voice=None))]
    fn new(
        py: Python<'_>,
        answers: Vec<String>,
        answer_seconds: Option<f64>,
        pace: Option<Duration>,
        calls_functions: bool,
        transcript: Option<String>,
        voice: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        forked::starting(py)?;
        let mut scenario = Scenario::default();
        scenario.answers = answers;
        scenario.answer_seconds = answer_seconds;
        scenario.calls_functions = calls_functions;
        scenario.pace = pace.unwrap_or(scenario.pace);
        scenario.transcript = transcript.unwrap_or(scenario.transcript);
        if let Some(voice) = voice {
            scenario.voice = Arc::from(Pcm::of(voice)?.ints(py)?);
        }
        py.detach(|| Server::start(scenario)).map(Self).map_err(|e| raise_talk(&e))
    }

    /// Its address, for `Realtime`.
    #[getter]
    fn url(&self) -> String {
        self.0.provider().url
    }

    /// Samples of the person's voice that have come.
    #[getter]
    fn samples(&self) -> u64 {
        self.0.samples()
    }

    #[getter]
    fn connections(&self) -> usize {
        self.0.connections()
    }

    #[getter]
    fn closed(&self) -> usize {
        self.0.closed()
    }

    /// What clients have sent, without their sound.
    #[getter]
    fn seen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = serde_json::to_string(&self.0.seen()).map_err(|e| internal(e.to_string()))?;
        py.import("json")?.getattr("loads")?.call1((text,))
    }

    fn __repr__(&self) -> String {
        format!("<musetalk.ScriptedServer at {}>", self.url())
    }
}

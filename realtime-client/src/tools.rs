//! Functions of the host that the model may call.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use serde_json::Value;

use crate::connection::{Boxed, spawn, spawn_blocking};
use crate::protocol::{FunctionTool, Tool};
use crate::session::ToolOutput;
use crate::{Error, ErrorKind, Result};

type Run = Arc<dyn Fn(Value, Answer) -> Result<()> + Send + Sync>;

/// Takes what a function has answered.
pub(crate) type Answer = Box<dyn FnOnce(ToolOutput) + Send>;

/// The functions that the model may call, by name.
#[derive(Clone, Default)]
pub struct Tools {
    tools: Vec<FunctionTool>,
    run: HashMap<String, Run>,
}

impl Tools {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function; it runs on a thread of its own and may block. `parameters` is the JSON Schema of the object that it
    /// is given. A function that panics has failed; nothing else stops.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the name is taken, or not 1 to 64 letters, digits, `_` and `-`.
    pub fn add<F>(&mut self, name: &str, description: &str, parameters: Value, function: F) -> Result<()>
    where
        F: Fn(Value) -> ToolOutput + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        let run = move |arguments: Value, answer: Answer| {
            let function = Arc::clone(&function);
            spawn_blocking(Box::new(move || {
                let output = std::panic::catch_unwind(AssertUnwindSafe(|| function(arguments)));
                answer(output.unwrap_or_else(|_| ToolOutput::failed("the function broke down")));
            }))
        };
        self.insert(name, description, parameters, Arc::new(run))
    }

    /// Adds an async function; it runs on the crate's threads and must not block them.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the name is taken, or not 1 to 64 letters, digits, `_` and `-`.
    pub fn add_async<F, T>(
        &mut self,
        name: &str,
        description: &str,
        parameters: Value,
        function: F,
    ) -> Result<()>
    where
        F: Fn(Value) -> T + Send + Sync + 'static,
        T: Future<Output = ToolOutput> + Send + 'static,
    {
        let function = Arc::new(function);
        let run = move |arguments: Value, answer: Answer| {
            // Called where nothing of the session is locked, so that it may use the client at once.
            let function = Arc::clone(&function);
            let work: Boxed<()> = Box::pin(async move { answer(function(arguments).await) });
            spawn(work)
        };
        self.insert(name, description, parameters, Arc::new(run))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// As the session is told of them.
    pub fn declared(&self) -> Vec<Tool> {
        self.tools.iter().cloned().map(Tool::Function).collect()
    }

    /// Runs the function, if there is one of this name. Arguments that are no JSON are answered with what is wrong with them.
    pub(crate) fn call(&self, name: &str, arguments: &str, answer: Answer) -> bool {
        let Some(run) = self.run.get(name) else { return false };
        let text = if arguments.trim().is_empty() { "{}" } else { arguments };
        match serde_json::from_str(text) {
            Err(e) => reply(answer, ToolOutput::failed(format!("the arguments are not JSON: {e}"))),
            Ok(arguments) => {
                if let Err(e) = run(arguments, answer) {
                    log::error!("{name} could not be started: {e}");
                }
            }
        }
        true
    }

    fn insert(&mut self, name: &str, description: &str, parameters: Value, run: Run) -> Result<()> {
        let letter = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(letter) || self.run.contains_key(name) {
            let text = format!("function name {name:?} must be new and 1 to 64 letters, digits, _ and -");
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        let description = Some(description.to_owned()).filter(|text| !text.is_empty());
        self.tools.push(FunctionTool { name: name.to_owned(), description, parameters: Some(parameters) });
        self.run.insert(name.to_owned(), run);
        Ok(())
    }
}

/// From another task: who asks holds the session.
fn reply(answer: Answer, output: ToolOutput) {
    if let Err(e) = spawn(Box::pin(async move { answer(output) })) {
        log::error!("a function's answer was lost: {e}");
    }
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.tools.iter().map(|tool| &tool.name)).finish()
    }
}

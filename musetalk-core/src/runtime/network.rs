use std::path::Path;

use ort::ep::ExecutionProviderDispatch;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{TensorElementType, TensorRef, ValueType};

use super::environment::RuntimeLibrary;
use super::providers;
use crate::pack::{Dimension, NetworkEntry, Optimisation, TensorEntry};
use crate::{Device, Error, ErrorKind, Result};

/// How the graphs of one engine are loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadOptions {
    pub(crate) device: Device,
    pub(crate) threads: usize,
    pub(crate) spinning: bool,
}

/// A loaded graph whose inputs and outputs are those of the manifest.
#[derive(Debug)]
pub(crate) struct Network {
    role: &'static str,
    file: String,
    session: Session,
    inputs: Vec<String>,
    shapes: Vec<Vec<usize>>,
}

/// All numbers of one output.
#[derive(Debug)]
pub(crate) enum Answer {
    Floats(Vec<f32>),
    Bytes(Vec<u8>),
}

/// One input: the numbers of a whole batch, items one after another.
pub(crate) type Input<'a> = &'a [f32];

impl Network {
    /// Loads a graph and compares it with its entry in the manifest.
    pub(crate) fn load(
        library: &RuntimeLibrary,
        folder: &Path,
        role: &'static str,
        entry: &NetworkEntry,
        options: LoadOptions,
    ) -> Result<Self> {
        let file = file_for(entry, options.device).to_owned();
        let path = folder.join(&file);
        let options = LoadOptions { threads: threads_for(entry.macs, options.threads), ..options };
        // What this build does not have is told as it is: no other driver helps.
        let providers = providers::dispatch(options.device)?;
        let session = builder(library, entry.optimisation, options, providers)
            .and_then(|mut builder| builder.commit_from_file(&path))
            .map_err(|error| failed_to_load(error, role, options.device, &path))?;
        compare(role, "input", &entry.inputs, session.inputs(), &path)?;
        compare(role, "output", &entry.outputs, session.outputs(), &path)?;
        let inputs = entry.inputs.iter().map(|tensor| tensor.name.clone()).collect();
        let shapes = entry.inputs.iter().map(|tensor| tensor.sides(1).split_off(1)).collect();
        Ok(Self { role, file, session, inputs, shapes })
    }

    /// The graph that was loaded, of those that the manifest names.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Runs once on inputs of any shape and copies the first output.
    pub(crate) fn first_answer(&mut self, inputs: &[(Vec<usize>, Vec<f32>)]) -> Result<Answer> {
        let role = self.role;
        let mut values: Vec<(&str, TensorRef<'_, f32>)> = Vec::with_capacity(inputs.len());
        for (name, (shape, data)) in self.inputs.iter().zip(inputs) {
            let array = (shape.clone(), data.as_slice());
            values.push((name, TensorRef::from_array_view(array).map_err(|e| failed(e, role))?));
        }
        let outputs = self.session.run(values).map_err(|e| failed(e, role))?;
        if let Ok((_, floats)) = outputs[0].try_extract_tensor::<f32>() {
            return Ok(Answer::Floats(floats.to_vec()));
        }
        let (_, bytes) = outputs[0].try_extract_tensor::<u8>().map_err(|e| failed(e, role))?;
        Ok(Answer::Bytes(bytes.to_vec()))
    }

    /// Runs once on one input of any shape and copies the f32 outputs of these names, each with its shape.
    pub(crate) fn answers(
        &mut self,
        shape: &[usize],
        input: Input<'_>,
        names: &[&str],
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        let role = self.role;
        let value = TensorRef::from_array_view((shape.to_vec(), input)).map_err(|e| failed(e, role))?;
        let outputs =
            self.session.run(vec![(self.inputs[0].as_str(), value)]).map_err(|e| failed(e, role))?;
        let mut answers = Vec::with_capacity(names.len());
        for name in names {
            let output = outputs.get(*name).ok_or_else(|| {
                Error::new(ErrorKind::Internal, format!("network {role} gave no output {name}"))
            })?;
            let (sides, data) = output.try_extract_tensor::<f32>().map_err(|e| failed(e, role))?;
            let sides = sides.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
            answers.push((sides, data.to_vec()));
        }
        Ok(answers)
    }

    /// Runs a batch and copies its one f32 output, items one after another.
    pub(crate) fn run(&mut self, batch: usize, inputs: &[Input<'_>], output: &mut [f32]) -> Result<()> {
        self.run_into(batch, inputs, output)
    }

    /// Runs a batch and copies its one u8 output.
    pub(crate) fn run_bytes(&mut self, batch: usize, inputs: &[Input<'_>], output: &mut [u8]) -> Result<()> {
        self.run_into(batch, inputs, output)
    }

    fn run_into<T>(&mut self, batch: usize, inputs: &[Input<'_>], output: &mut [T]) -> Result<()>
    where
        T: ort::value::PrimitiveTensorElementType + Copy,
    {
        let role = self.role;
        let mut values: Vec<(&str, TensorRef<'_, f32>)> = Vec::with_capacity(inputs.len());
        for ((name, item), data) in self.inputs.iter().zip(&self.shapes).zip(inputs) {
            let mut shape = vec![batch];
            shape.extend_from_slice(item);
            values.push((name, TensorRef::from_array_view((shape, *data)).map_err(|e| failed(e, role))?));
        }
        let outputs = self.session.run(values).map_err(|e| failed(e, role))?;
        let (_, data) = outputs[0].try_extract_tensor::<T>().map_err(|e| failed(e, role))?;
        if data.len() != output.len() {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("network {role} gave {} numbers where {} belong", data.len(), output.len()),
            ));
        }
        output.copy_from_slice(data);
        Ok(())
    }
}

/// A CPU computes in f32 whatever the weights are stored in: it takes the graph that widens them once, where there is one.
fn file_for(entry: &NetworkEntry, device: Device) -> &str {
    match (&entry.widened, device) {
        (Some(widened), Device::Cpu) => widened,
        _ => &entry.file,
    }
}

fn builder(
    library: &RuntimeLibrary,
    optimisation: Optimisation,
    options: LoadOptions,
    providers: Vec<ExecutionProviderDispatch>,
) -> ort::Result<SessionBuilder> {
    let level = match optimisation {
        Optimisation::All => GraphOptimizationLevel::Level3,
        Optimisation::Extended => GraphOptimizationLevel::Level2,
    };
    let mut builder = Session::builder(&library.environment)?
        .with_optimization_level(level)?
        .with_intra_threads(options.threads)?
        .with_intra_op_spinning(options.spinning)?
        .with_inter_threads(1)?;
    if !providers.is_empty() {
        builder = builder.with_execution_providers(providers)?;
    }
    Ok(builder)
}

/// A small graph is many small operations: waking a second thread for each costs more than it does.
///
/// Measured on two cores: a generator of 0.10 GMAC took 7.7 ms on one thread and 9.0 on two, an audio encoder of 0.29 GMAC 8.3
/// and 5.7.
fn threads_for(macs: u64, most: usize) -> usize {
    const SMALL: u64 = 200_000_000;
    if (1..SMALL).contains(&macs) { 1 } else { most }
}

fn compare(
    role: &str,
    side: &str,
    stated: &[TensorEntry],
    actual: &[ort::value::Outlet],
    path: &Path,
) -> Result<()> {
    let fits = stated.len() == actual.len()
        && stated.iter().zip(actual).all(|(tensor, outlet)| {
            let element = match tensor.element.as_str() {
                "u8" => TensorElementType::Uint8,
                _ => TensorElementType::Float32,
            };
            let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else { return false };
            outlet.name() == tensor.name
                && *ty == element
                && shape.len() == tensor.shape.len()
                && shape.iter().zip(&tensor.shape).all(|(&n, dimension)| match dimension {
                    Dimension::Fixed(m) => n < 0 || u64::try_from(n).is_ok_and(|n| n == *m),
                    Dimension::Named(_) => n < 0,
                })
        });
    if fits {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Incompatible,
        format!("the {side}s of network {role} are not those that pack.json states: {}", path.display()),
    ))
}

fn failed_to_load(error: ort::Error, role: &str, device: Device, path: &Path) -> Error {
    let text = error.to_string();
    let kind = if out_of_memory(&text) {
        ErrorKind::OutOfMemory
    } else if device != Device::Cpu {
        ErrorKind::DeviceUnavailable
    } else {
        ErrorKind::Corrupt
    };
    Error::new(kind, format!("network {role} could not be loaded on {device}: {text}: {}", path.display()))
        .caused_by(error)
}

fn failed(error: ort::Error, role: &str) -> Error {
    let text = error.to_string();
    let kind = if out_of_memory(&text) { ErrorKind::OutOfMemory } else { ErrorKind::Internal };
    Error::new(kind, format!("network {role} failed: {text}")).caused_by(error)
}

fn out_of_memory(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("out of memory") || text.contains("failed to allocate") || text.contains("bad_alloc")
}

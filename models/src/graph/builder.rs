//! An ONNX graph under construction.
//!
//! Every [`Value`] has the batch as its first side; shapes here leave it out. Shapes are known when the graph is built,
//! so a wrong one is found here and not by the engine. Multiply-accumulates are counted as nodes are added.
//!
//! A graph of halves takes and gives single precision, computes in halves in between, and keeps the statistics of norms
//! and softmaxes in single precision. `write` gives it a twin over the same weights that widens them once and computes in
//! single precision throughout: what a CPU runs.

mod operations;

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use musetalk_core::{Result, self_test};

use super::course::Course;
use super::trial::Numbers;
use super::twin::twin;

use crate::Precision;
use crate::onnx::{
    Attribute, Element, GraphMessage, Node, Shape, Side, TensorMessage, TensorType, ValueInfo, ValueType,
    WeightStore, Written, encoded, write_model,
};
use crate::tensor::Tensor;

/// The name of the first side of every input and output.
const BATCH: &str = "batch";

/// What a node made: a name, and the shape of one item of the batch.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(super) name: String,
    pub(crate) shape: Vec<usize>,
    /// How many rows of an item were merged with the batch; 1 if none were.
    pub(crate) rows: usize,
    pub(super) element: Element,
    pub(super) numbers: Numbers,
}

/// A weight of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    pub(super) name: String,
    pub(crate) shape: Vec<usize>,
    element: Element,
    pub(super) numbers: Numbers,
}

/// Zeros around a picture: top, left, bottom, right.
pub(crate) type Pads = [usize; 4];

/// A graph that was written.
pub(crate) struct Built {
    pub(crate) file: String,
    /// The twin in single precision of a graph of halves.
    pub(crate) widened: Option<String>,
    pub(crate) files: Vec<Written>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) macs: u64,
    /// Its first output for the inputs of the self-test, if a trial was made.
    pub(crate) trial: Numbers,
    /// Why a trial that was begun has no end.
    pub(crate) untried: Option<String>,
}

/// An input or output: name, type, shape without the batch.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) element: Element,
    pub(crate) shape: Vec<usize>,
    /// Names of the last sides, where each call chooses their length; `shape` has the length of the self-test there.
    pub(crate) free: Vec<String>,
}

/// Nodes and weights so far.
pub(crate) struct Graph {
    message: GraphMessage,
    store: WeightStore,
    /// What it computes in.
    element: Element,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    scope: String,
    integers: HashMap<Vec<i64>, String>,
    filled: HashMap<(usize, u32), Constant>,
    widening: Option<Constant>,
    macs: u64,
    course: Option<Course>,
    trial: Numbers,
}

impl Graph {
    pub(crate) fn new(name: &str, store: WeightStore, precision: Precision) -> Self {
        let message = GraphMessage { name: name.into(), ..GraphMessage::default() };
        let element = if precision == Precision::Fp16 { Element::F16 } else { Element::F32 };
        Self {
            message,
            store,
            element,
            inputs: Vec::new(),
            outputs: Vec::new(),
            scope: String::new(),
            integers: HashMap::new(),
            filled: HashMap::new(),
            widening: None,
            macs: 0,
            course: None,
            trial: None,
        }
    }

    /// Works out what the graph computes for the inputs of the self-test, while it is built. Its weights lie in `place`.
    pub(crate) fn on_trial(mut self, place: &Path) -> Self {
        self.course = Some(Course::new(&self.message.name, place));
        self
    }

    /// Writes `folder/name.onnx`, its twin if it computes in halves, and the weights beside them if the store keeps them there.
    ///
    /// # Errors
    ///
    /// `Corrupt`, `Unsupported`: its trial gave what no engine could use.
    pub(crate) fn write(mut self, folder: &Path, name: &str) -> Result<Built> {
        self.check_trial()?;
        self.message.input = self.inputs.iter().map(described).collect();
        self.message.output = self.outputs.iter().map(described).collect();
        let file = format!("{name}.onnx");
        let widened = (self.element == Element::F16).then(|| format!("{name}.fp32.onnx"));
        let mut files = Vec::new();
        files.extend(self.store.close()?);
        if let Some(widened) = &widened {
            files.push(write_model(folder, widened, twin(&self.message))?);
        }
        files.push(write_model(folder, &file, self.message)?);
        let (inputs, outputs, macs, trial) = (self.inputs, self.outputs, self.macs, self.trial);
        let untried = self.course.and_then(Course::into_note);
        Ok(Built { file, widened, files, inputs, outputs, macs, trial, untried })
    }

    /// The place in the checkpoint after which the next nodes are named.
    pub(crate) fn enter(&mut self, scope: &str) {
        self.scope = scope.to_owned();
    }

    pub(crate) fn input(&mut self, name: &str, shape: &[usize]) -> Value {
        self.input_free(name, shape, &[])
    }

    /// An input whose last sides are of any length, and have names. `nominal` is the shape that the self-test takes.
    ///
    /// Every shape that follows from it is nominal too. What writes a length into the graph, as a reshape does, must not
    /// come after it.
    pub(crate) fn input_free(&mut self, name: &str, nominal: &[usize], free: &[&str]) -> Value {
        let count = nominal.iter().product();
        let index = self.inputs.len();
        let numbers = self.tried(nominal, 1, || Some(self_test::input(index, count).into()));
        self.inputs.push(Port::new(name, Element::F32, nominal, free));
        Value { name: name.into(), shape: nominal.to_vec(), rows: 1, element: Element::F32, numbers }
    }

    /// Makes `value` an output of the graph, under `name`.
    pub(crate) fn output(&mut self, name: &str, value: &Value, element: Element) {
        self.output_free(name, value, element, &[]);
    }

    /// An output whose last sides follow from the free ones of an input.
    pub(crate) fn output_free(&mut self, name: &str, value: &Value, element: Element, free: &[&str]) {
        let value = if element == Element::F32 { self.single(value) } else { value.clone() };
        let node = self.message.node.iter_mut().find(|node| node.output[0] == value.name);
        let node = node.expect("an output is made by a node");
        node.output[0] = name.into();
        // Nothing reads it: networks end in their outputs.
        self.outputs.push(Port::new(name, element, &value.shape, free));
        self.trial = self.trial.take().or(value.numbers);
    }

    /// A weight in the precision of the graph; its name is made unique.
    pub(crate) fn constant(&mut self, name: &str, tensor: &Tensor) -> Result<Constant> {
        self.keep(name, tensor, self.element)
    }

    /// A weight in single precision, for what works on values in single precision.
    pub(crate) fn single_constant(&mut self, name: &str, tensor: &Tensor) -> Result<Constant> {
        self.keep(name, tensor, Element::F32)
    }

    fn keep(&mut self, name: &str, tensor: &Tensor, element: Element) -> Result<Constant> {
        self.check_trial()?;
        let name = format!("{}#{}", self.scoped(name), self.message.initializer.len());
        let (raw, kept) = encoded(&name, &tensor.values, element)?;
        self.message.initializer.push(self.store.keep(&name, &tensor.shape, element, raw)?);
        let on_trial = self.course.as_ref().is_some_and(Course::goes_on);
        let numbers = on_trial.then(|| kept.as_deref().unwrap_or(&tensor.values).into());
        Ok(Constant { name, shape: tensor.shape.clone(), element, numbers })
    }

    /// `count` times the same value, in single precision; made once.
    pub(crate) fn filled(&mut self, count: usize, value: f32) -> Result<Constant> {
        if let Some(constant) = self.filled.get(&(count, value.to_bits())) {
            return Ok(constant.clone());
        }
        let constant = self.single_constant("filled", &Tensor::zeros(&[count]).offset(value))?;
        self.filled.insert((count, value.to_bits()), constant.clone());
        Ok(constant)
    }

    /// A node whose output has the shape of `x`.
    pub(super) fn like(&mut self, x: &Value, op: &str, inputs: &[&str], attribute: Vec<Attribute>) -> Value {
        let made = self.node(op, inputs, attribute, x.shape.clone());
        Value { rows: x.rows, ..made }
    }

    pub(super) fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        attribute: Vec<Attribute>,
        shape: Vec<usize>,
    ) -> Value {
        let name = format!("{}/{op}_{}", self.scope, self.message.node.len());
        let input = inputs.iter().map(|&input| input.to_owned()).collect();
        let output = vec![name.clone()];
        self.message.node.push(Node { input, output, name: name.clone(), op_type: op.into(), attribute });
        Value { name, shape, rows: 1, element: self.element, numbers: None }
    }

    pub(super) fn integers(&mut self, values: &[i64]) -> String {
        if let Some(name) = self.integers.get(values) {
            return name.clone();
        }
        let name = format!("integers#{}", self.integers.len());
        self.message.initializer.push(TensorMessage {
            dims: vec![values.len() as i64],
            data_type: Element::I64 as i32,
            name: name.clone(),
            raw_data: Some(values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            ..TensorMessage::default()
        });
        self.integers.insert(values.to_vec(), name.clone());
        name
    }

    /// What `work` gives, where the trial can afford a value of this shape.
    pub(super) fn tried(&mut self, shape: &[usize], rows: usize, work: impl FnOnce() -> Numbers) -> Numbers {
        let count = shape.iter().fold(rows as u64, |count, &side| count.saturating_mul(side as u64));
        if self.course.as_mut()?.affords(count, self.macs) { work() } else { None }
    }

    /// The value with the numbers that were worked out for it, which may be more than its type or any engine can take.
    pub(super) fn holding(&mut self, made: Value, element: Element, numbers: Numbers) -> Value {
        let course = &mut self.course;
        let sound =
            |numbers: &Rc<[f32]>| course.as_mut().is_some_and(|c| c.accepts(&made.name, element, numbers));
        let numbers = numbers.filter(sound);
        made.holding(element, numbers)
    }

    fn check_trial(&mut self) -> Result<()> {
        self.course.as_mut().map_or(Ok(()), Course::check)
    }

    fn scoped(&self, name: &str) -> String {
        if self.scope.is_empty() { name.to_owned() } else { format!("{}.{name}", self.scope) }
    }

    fn count(&mut self, factors: &[usize]) {
        let macs = factors.iter().fold(1_u64, |product, &factor| product.saturating_mul(factor as u64));
        self.macs = self.macs.saturating_add(macs);
    }
}

impl Value {
    /// The same value, of this type and with these numbers, which are no larger than those they were made from.
    pub(super) fn holding(self, element: Element, numbers: Numbers) -> Self {
        Self { element, numbers, ..self }
    }
}

impl Port {
    pub(crate) fn new(name: &str, element: Element, shape: &[usize], free: &[&str]) -> Self {
        let free = free.iter().map(|&side| side.to_owned()).collect();
        Self { name: name.into(), element, shape: shape.to_vec(), free }
    }

    /// The sides whose length is the same in every call.
    pub(crate) fn fixed(&self) -> &[usize] {
        &self.shape[..self.shape.len() - self.free.len()]
    }
}

pub(super) fn with(x: &Numbers, work: impl FnOnce(&[f32]) -> Rc<[f32]>) -> Numbers {
    x.as_deref().map(work)
}

pub(super) fn with2(a: &Numbers, b: &Numbers, work: impl FnOnce(&[f32], &[f32]) -> Rc<[f32]>) -> Numbers {
    a.as_deref().zip(b.as_deref()).map(|(a, b)| work(a, b))
}

fn with3(
    a: &Numbers,
    b: &Numbers,
    c: &Numbers,
    work: impl FnOnce(&[f32], &[f32], &[f32]) -> Rc<[f32]>,
) -> Numbers {
    a.as_deref().zip(b.as_deref()).zip(c.as_deref()).map(|((a, b), c)| work(a, b, c))
}

fn signed(sides: &[usize]) -> Vec<i64> {
    sides.iter().map(|&side| side as i64).collect()
}

fn described(port: &Port) -> ValueInfo {
    let named = |name: &str| Side { length: None, name: Some(name.into()) };
    let fixed = port.fixed().iter().map(|&side| Side { length: Some(side as i64), name: None });
    let free = port.free.iter().map(|name| named(name));
    let shape = Some(Shape { side: std::iter::once(named(BATCH)).chain(fixed).chain(free).collect() });
    let tensor = Some(TensorType { element: port.element as i32, shape });
    ValueInfo { name: port.name.clone(), kind: Some(ValueType { tensor }) }
}

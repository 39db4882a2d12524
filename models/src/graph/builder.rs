//! An ONNX graph under construction.
//!
//! Every [`Value`] has the batch as its first side; shapes here leave it out. Shapes are known when the graph is built,
//! so a wrong one is found here and not by the engine. Multiply-accumulates are counted as nodes are added.
//!
//! A graph of halves takes and gives single precision, computes in halves in between, and keeps the statistics of norms
//! and softmaxes in single precision. `write` gives it a twin over the same weights that widens them once and computes in
//! single precision throughout: what a CPU runs.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use musetalk_core::{Result, self_test};

use super::course::Course;
use super::trial::{self, Numbers, Window};
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

    /// The same numbers in single precision.
    pub(crate) fn single(&mut self, x: &Value) -> Value {
        self.in_element(x, Element::F32)
    }

    /// The same numbers in the precision of the graph.
    pub(crate) fn narrow(&mut self, x: &Value) -> Value {
        self.in_element(x, self.element)
    }

    fn in_element(&mut self, x: &Value, element: Element) -> Value {
        if x.element == element { x.clone() } else { Value { rows: x.rows, ..self.cast(x, element) } }
    }

    /// Convolution over the last two sides; `weight` is [out, in, height, width].
    pub(crate) fn conv(
        &mut self,
        x: &Value,
        weight: &Constant,
        bias: &Constant,
        stride: usize,
        pads: Pads,
    ) -> Value {
        let (w, [top, left, bottom, right]) = (&weight.shape, pads);
        debug_assert_eq!(x.shape[0], w[1], "channels of {}", weight.name);
        let x = &self.narrow(x);
        let height = (x.shape[1] + top + bottom - w[2]) / stride + 1;
        let width = (x.shape[2] + left + right - w[3]) / stride + 1;
        self.count(&[height, width, w[0], w[1], w[2], w[3]]);
        let attributes = vec![
            Attribute::ints("kernel_shape", &signed(&w[2..])),
            Attribute::ints("strides", &[stride as i64; 2]),
            Attribute::ints("pads", &signed(&pads)),
        ];
        let shape = vec![w[0], height, width];
        let numbers = self.tried(&shape, 1, || {
            with3(&x.numbers, &weight.numbers, &bias.numbers, |x_numbers, w_numbers, b| {
                trial::conv(x_numbers, w_numbers, b, &Window { picture: &x.shape, kernel: w, stride, pads })
            })
        });
        let made = self.node("Conv", &[&x.name, &weight.name, &bias.name], attributes, shape);
        self.holding(made, self.element, numbers)
    }

    /// Every channel of a picture times its weight plus its bias, in one pass over memory.
    ///
    /// A BatchNormalization of mean 0 and variance 1: against Mul and Add a quarter less time on the CPU.
    pub(crate) fn channel_affine(&mut self, x: &Value, weight: &Constant, bias: &Constant) -> Result<Value> {
        // cuDNN takes no smaller epsilon; variance and epsilon add up to one.
        let epsilon = 1e-5;
        let mean = self.filled(x.shape[0], 0.0)?;
        let variance = self.filled(x.shape[0], 1.0 - epsilon)?;
        let x = &self.single(x);
        let inputs = [x.name.as_str(), &weight.name, &bias.name, &mean.name, &variance.name];
        let made = self.like(x, "BatchNormalization", &inputs, vec![Attribute::float("epsilon", epsilon)]);
        let plane = x.shape[1..].iter().product();
        let numbers =
            with3(&x.numbers, &weight.numbers, &bias.numbers, |x, w, b| trial::planes(x, w, b, plane));
        Ok(self.holding(made, Element::F32, numbers))
    }

    /// Convolution over the last side; `weight` is [out, in, length].
    pub(crate) fn conv_1d(
        &mut self,
        x: &Value,
        weight: &Constant,
        bias: &Constant,
        stride: usize,
        pad: usize,
    ) -> Value {
        let (w, x) = (&weight.shape, &self.narrow(x));
        let length = (x.shape[1] + 2 * pad - w[2]) / stride + 1;
        self.count(&[length, w[0], w[1], w[2]]);
        let attributes = vec![
            Attribute::ints("kernel_shape", &signed(&w[2..])),
            Attribute::ints("strides", &[stride as i64]),
            Attribute::ints("pads", &[pad as i64; 2]),
        ];
        let shape = vec![w[0], length];
        let numbers = self.tried(&shape, 1, || {
            with3(&x.numbers, &weight.numbers, &bias.numbers, |numbers, w_numbers, b| {
                // A picture that is as high as its kernel.
                let (picture, kernel) = ([x.shape[0], 1, x.shape[1]], [w[0], w[1], 1, w[2]]);
                let window = Window { picture: &picture, kernel: &kernel, stride, pads: [0, pad, 0, pad] };
                trial::conv(numbers, w_numbers, b, &window)
            })
        });
        let made = self.node("Conv", &[&x.name, &weight.name, &bias.name], attributes, shape);
        self.holding(made, self.element, numbers)
    }

    /// Merged rows times a weight `[out, in]`, plus a bias.
    pub(crate) fn gemm(&mut self, x: &Value, weight: &Constant, bias: Option<&Constant>) -> Value {
        debug_assert_eq!(x.shape, weight.shape[1..], "width of {}", weight.name);
        self.count(&[x.rows, weight.shape[0], weight.shape[1]]);
        let x = &self.narrow(x);
        let mut inputs = vec![x.name.as_str(), &weight.name];
        inputs.extend(bias.map(|bias| bias.name.as_str()));
        let out = weight.shape[0];
        let numbers = self.tried(&[out], x.rows, || {
            with2(&x.numbers, &weight.numbers, |x, w| {
                trial::gemm(x, w, bias.and_then(|bias| bias.numbers.as_deref()), out)
            })
        });
        let made = self.node("Gemm", &inputs, vec![Attribute::int("transB", 1)], vec![out]);
        self.holding(Value { rows: x.rows, ..made }, self.element, numbers)
    }

    /// A product of two values over the last two sides.
    pub(crate) fn product(&mut self, a: &Value, b: &Value) -> Value {
        let mut shape = a.shape.clone();
        let inner =
            std::mem::replace(shape.last_mut().expect("a product has sides"), b.shape[b.shape.len() - 1]);
        self.count(&[shape.iter().product(), inner]);
        let (a, b) = (&self.narrow(a), &self.narrow(b));
        let (n, count) = (b.shape[b.shape.len() - 1], a.shape[..a.shape.len() - 2].iter().product());
        let numbers = self
            .tried(&shape, 1, || with2(&a.numbers, &b.numbers, |a, b| trial::product(a, b, inner, n, count)));
        let made = self.node("MatMul", &[&a.name, &b.name], vec![], shape);
        self.holding(made, self.element, numbers)
    }

    pub(crate) fn add(&mut self, a: &Value, b: &Value) -> Value {
        debug_assert_eq!((&a.shape, a.rows), (&b.shape, b.rows), "a sum of equals");
        self.pair("Add", a, b, |a, b| a + b)
    }

    /// `b` is spread over the sides that it lacks.
    pub(crate) fn add_constant(&mut self, a: &Value, b: &Constant) -> Value {
        let a = &self.in_element(a, b.element);
        let numbers = with2(&a.numbers, &b.numbers, |a, b| trial::pairs(a, b, |a, b| a + b));
        let made = self.like(a, "Add", &[&a.name, &b.name], vec![]);
        self.holding(made, b.element, numbers)
    }

    pub(crate) fn mul(&mut self, a: &Value, b: &Value) -> Value {
        self.pair("Mul", a, b, |a, b| a * b)
    }

    fn pair(&mut self, op: &str, a: &Value, b: &Value, join: impl Fn(f32, f32) -> f32) -> Value {
        let element = if a.element == b.element { a.element } else { self.element };
        let (a, b) = (&self.in_element(a, element), &self.in_element(b, element));
        let numbers = with2(&a.numbers, &b.numbers, |a, b| trial::pairs(a, b, join));
        let made = self.like(a, op, &[&a.name, &b.name], vec![]);
        self.holding(made, element, numbers)
    }

    pub(crate) fn sigmoid(&mut self, x: &Value) -> Value {
        let numbers = with(&x.numbers, |x| trial::each(x, trial::sigmoid));
        self.like(x, "Sigmoid", &[&x.name], vec![]).holding(x.element, numbers)
    }

    /// With the error function, not its tanh approximation.
    pub(crate) fn gelu(&mut self, x: &Value) -> Value {
        let numbers = with(&x.numbers, |x| trial::each(x, trial::gelu));
        self.like(x, "Gelu", &[&x.name], vec![Attribute::text("approximate", "none")])
            .holding(x.element, numbers)
    }

    /// Over the last side, in single precision.
    pub(crate) fn softmax(&mut self, x: &Value) -> Value {
        let x = &self.single(x);
        let numbers = with(&x.numbers, |numbers| trial::softmax(numbers, x.shape[x.shape.len() - 1]));
        self.node("Softmax", &[&x.name], vec![Attribute::int("axis", -1)], x.shape.clone())
            .holding(Element::F32, numbers)
    }

    /// Over the last side; the operator keeps its statistics in single precision.
    pub(crate) fn layer_norm(
        &mut self,
        x: &Value,
        weight: &Constant,
        bias: &Constant,
        epsilon: f32,
    ) -> Value {
        let x = &self.narrow(x);
        let attributes = vec![Attribute::int("axis", -1), Attribute::float("epsilon", epsilon)];
        let numbers = with3(&x.numbers, &weight.numbers, &bias.numbers, |x, w, b| {
            let scaled = trial::pairs(&trial::normalised(x, w.len(), epsilon), w, |x, w| x * w);
            trial::pairs(&scaled, b, |x, b| x + b)
        });
        let inputs = [x.name.as_str(), &weight.name, &bias.name];
        let made = self.like(x, "LayerNormalization", &inputs, attributes);
        self.holding(made, self.element, numbers)
    }

    /// Each first side after the batch, normalised over the rest, in single precision.
    pub(crate) fn instance_norm(
        &mut self,
        x: &Value,
        weight: &Constant,
        bias: &Constant,
        epsilon: f32,
    ) -> Value {
        let x = &self.single(x);
        let rest = x.shape[1..].iter().product();
        let numbers = with3(&x.numbers, &weight.numbers, &bias.numbers, |x, w, b| {
            trial::planes(&trial::normalised(x, rest, epsilon), w, b, rest)
        });
        let inputs = [x.name.as_str(), &weight.name, &bias.name];
        let attributes = vec![Attribute::float("epsilon", epsilon)];
        let made = self.node("InstanceNormalization", &inputs, attributes, x.shape.clone());
        self.holding(made, Element::F32, numbers)
    }

    /// Each first side after the batch, in parts `[groups, parts, part]`, moved to mean 0 and variance 1 in single precision.
    ///
    /// The mean of the parts' means: an engine's sum of 260 000 equal numbers in one go is wrong in the fourth digit.
    pub(crate) fn norm_in_parts(&mut self, x: &Value, epsilon: f32) -> Result<Value> {
        let x = &self.single(x);
        let rest = x.shape[1..].iter().product();
        let numbers = with(&x.numbers, |x| trial::normalised(x, rest, epsilon).into());
        let epsilon = self.filled(1, epsilon)?;
        let one = vec![x.shape[0], 1, 1];
        let mean = self.mean_in_parts(x);
        let centred = self.like(x, "Sub", &[&x.name, &mean.name], vec![]);
        let squares = self.like(x, "Mul", &[&centred.name, &centred.name], vec![]);
        let variance = self.mean_in_parts(&squares);
        let variance = self.node("Add", &[&variance.name, &epsilon.name], vec![], one.clone());
        let deviation = self.node("Sqrt", &[&variance.name], vec![], one);
        let made = self.like(x, "Div", &[&centred.name, &deviation.name], vec![]);
        Ok(self.holding(made, Element::F32, numbers))
    }

    fn mean_in_parts(&mut self, x: &Value) -> Value {
        let [part, parts] = [3, 2].map(|side| self.integers(&[side]));
        let means = self.node("ReduceMean", &[&x.name, &part], vec![], vec![x.shape[0], x.shape[1], 1]);
        self.node("ReduceMean", &[&means.name, &parts], vec![], vec![x.shape[0], 1, 1])
    }

    /// The same values in the same order under another shape; merged rows are parted from the batch again.
    pub(crate) fn reshape(&mut self, x: &Value, shape: &[usize]) -> Value {
        let kept = x.rows * x.shape.iter().product::<usize>() == shape.iter().product::<usize>();
        debug_assert!(kept, "a reshape keeps every value: {:?} {shape:?}", x.shape);
        let batch = if x.rows == 1 { 0 } else { -1 };
        let target: Vec<i64> = std::iter::once(batch).chain(signed(shape)).collect();
        let target = self.integers(&target);
        self.node("Reshape", &[&x.name, &target], vec![], shape.to_vec())
            .holding(x.element, x.numbers.clone())
    }

    /// `[rows, width]` with the rows merged with the batch: what [`gemm`](Self::gemm) takes.
    pub(crate) fn merge_rows(&mut self, x: &Value) -> Value {
        let target = self.integers(&[-1, x.shape[1] as i64]);
        let made = self.node("Reshape", &[&x.name, &target], vec![], vec![x.shape[1]]);
        Value { rows: x.shape[0], ..made }.holding(x.element, x.numbers.clone())
    }

    /// `order` counts sides without the batch, which stays first.
    pub(crate) fn transpose(&mut self, x: &Value, order: &[usize]) -> Value {
        let shape = order.iter().map(|&side| x.shape[side]).collect();
        let numbers = with(&x.numbers, |numbers| trial::transpose(numbers, &x.shape, order));
        let order: Vec<i64> = std::iter::once(0).chain(order.iter().map(|&side| side as i64 + 1)).collect();
        self.node("Transpose", &[&x.name], vec![Attribute::ints("perm", &order)], shape)
            .holding(x.element, numbers)
    }

    /// Joined along a side, counted without the batch.
    pub(crate) fn concat(&mut self, parts: &[&Value], side: usize) -> Value {
        let mut shape = parts[0].shape.clone();
        shape[side] = parts.iter().map(|part| part.shape[side]).sum();
        let parts: Vec<Value> = parts.iter().map(|part| self.narrow(part)).collect();
        // Merged rows lie before the sides that the shape states.
        let outer = parts[0].rows * parts[0].shape[..side].iter().product::<usize>();
        let numbers: Option<Vec<&[f32]>> = parts.iter().map(|part| part.numbers.as_deref()).collect();
        let numbers =
            self.tried(&shape, parts[0].rows, || numbers.map(|numbers| trial::concat(&numbers, outer)));
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let made = self.node("Concat", &names, vec![Attribute::int("axis", side as i64 + 1)], shape);
        Value { rows: parts[0].rows, ..made }.holding(self.element, numbers)
    }

    /// Every pixel becomes two, side by side.
    pub(crate) fn widened(&mut self, x: &Value) -> Result<Value> {
        let scales = match &self.widening {
            Some(scales) => scales.clone(),
            None => self.single_constant("scales", &Tensor::new(&[4], vec![1.0, 1.0, 1.0, 2.0]))?,
        };
        let attributes = vec![
            Attribute::text("mode", "nearest"),
            Attribute::text("coordinate_transformation_mode", "asymmetric"),
            Attribute::text("nearest_mode", "floor"),
        ];
        let shape = vec![x.shape[0], x.shape[1], 2 * x.shape[2]];
        let made = self.node("Resize", &[&x.name, "", &scales.name], attributes, shape);
        self.widening = Some(scales);
        let numbers =
            self.tried(&made.shape, 1, || with(&x.numbers, |x| x.iter().flat_map(|&x| [x, x]).collect()));
        Ok(made.holding(x.element, numbers))
    }

    pub(crate) fn clip(&mut self, x: &Value, low: &Constant, high: &Constant) -> Value {
        let x = &self.in_element(x, low.element);
        let numbers = with3(&x.numbers, &low.numbers, &high.numbers, |x, low, high| {
            trial::each(x, |x| x.clamp(low[0], high[0]))
        });
        self.like(x, "Clip", &[&x.name, &low.name, &high.name], vec![]).holding(low.element, numbers)
    }

    /// To the nearest whole number, halves to the even one.
    pub(crate) fn round(&mut self, x: &Value) -> Value {
        let numbers = with(&x.numbers, |x| trial::each(x, f32::round_ties_even));
        self.like(x, "Round", &[&x.name], vec![]).holding(x.element, numbers)
    }

    pub(crate) fn cast(&mut self, x: &Value, to: Element) -> Value {
        let made = self.node("Cast", &[&x.name], vec![Attribute::int("to", to as i64)], x.shape.clone());
        self.holding(made, to, x.numbers.clone())
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

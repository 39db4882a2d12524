//! An ONNX graph under construction.
//!
//! Every [`Value`] has the batch as its first side; shapes here leave it out. Shapes are known when the graph is built,
//! so a wrong one is found here and not by the engine. Multiply-accumulates are counted as nodes are added.

use std::collections::HashMap;
use std::path::Path;

use musetalk_core::Result;

use crate::onnx::{
    Attribute, Element, GraphMessage, Node, Shape, Side, TensorMessage, TensorType, ValueInfo, ValueType,
    WeightStore, Written, write_model,
};
use crate::tensor::Tensor;

/// The name of the first side of every input and output.
const BATCH: &str = "batch";

/// What a node made: a name, and the shape of one item of the batch.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    name: String,
    pub(crate) shape: Vec<usize>,
}

/// A weight of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    name: String,
    pub(crate) shape: Vec<usize>,
}

/// Zeros around a picture: top, left, bottom, right.
pub(crate) type Pads = [usize; 4];

/// A graph that was written.
pub(crate) struct Built {
    pub(crate) files: Vec<Written>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) macs: u64,
}

/// An input or output: name, type, shape without the batch.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) element: Element,
    pub(crate) shape: Vec<usize>,
}

/// Nodes and weights so far.
pub(crate) struct Graph {
    message: GraphMessage,
    store: WeightStore,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    scope: String,
    integers: HashMap<Vec<i64>, String>,
    macs: u64,
}

impl Graph {
    pub(crate) fn new(name: &str, store: WeightStore) -> Self {
        let message = GraphMessage { name: name.into(), ..GraphMessage::default() };
        let (inputs, outputs) = (Vec::new(), Vec::new());
        Self { message, store, inputs, outputs, scope: String::new(), integers: HashMap::new(), macs: 0 }
    }

    /// Writes `folder/name`, and its weights beside it if the store keeps them there.
    pub(crate) fn write(mut self, folder: &Path, name: &str) -> Result<Built> {
        self.message.input = self.inputs.iter().map(described).collect();
        self.message.output = self.outputs.iter().map(described).collect();
        let files = write_model(folder, name, self.message, self.store)?;
        Ok(Built { files, inputs: self.inputs, outputs: self.outputs, macs: self.macs })
    }

    /// The place in the checkpoint after which the next nodes are named.
    pub(crate) fn enter(&mut self, scope: &str) {
        self.scope = scope.to_owned();
    }

    pub(crate) fn input(&mut self, name: &str, shape: &[usize]) -> Value {
        self.inputs.push(Port { name: name.into(), element: Element::F32, shape: shape.to_vec() });
        Value { name: name.into(), shape: shape.to_vec() }
    }

    /// Makes `value` an output of the graph, under `name`.
    pub(crate) fn output(&mut self, name: &str, value: &Value, element: Element) {
        let node = self.message.node.iter_mut().find(|node| node.output[0] == value.name);
        let node = node.expect("an output is made by a node");
        node.output[0] = name.into();
        // Nothing reads it: networks end in their outputs.
        self.outputs.push(Port { name: name.into(), element, shape: value.shape.clone() });
    }

    /// A weight; its name is made unique.
    pub(crate) fn constant(&mut self, name: &str, tensor: &Tensor) -> Result<Constant> {
        let name = format!("{}#{}", self.scoped(name), self.message.initializer.len());
        self.message.initializer.push(self.store.keep(&name, tensor)?);
        Ok(Constant { name, shape: tensor.shape.clone() })
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
        let height = (x.shape[1] + top + bottom - w[2]) / stride + 1;
        let width = (x.shape[2] + left + right - w[3]) / stride + 1;
        self.count(&[height, width, w[0], w[1], w[2], w[3]]);
        let attributes = vec![
            Attribute::ints("kernel_shape", &signed(&w[2..])),
            Attribute::ints("strides", &[stride as i64; 2]),
            Attribute::ints("pads", &signed(&pads)),
        ];
        self.node("Conv", &[&x.name, &weight.name, &bias.name], attributes, vec![w[0], height, width])
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
        let w = &weight.shape;
        let length = (x.shape[1] + 2 * pad - w[2]) / stride + 1;
        self.count(&[length, w[0], w[1], w[2]]);
        let attributes = vec![
            Attribute::ints("kernel_shape", &signed(&w[2..])),
            Attribute::ints("strides", &[stride as i64]),
            Attribute::ints("pads", &[pad as i64; 2]),
        ];
        self.node("Conv", &[&x.name, &weight.name, &bias.name], attributes, vec![w[0], length])
    }

    /// A product over the last side with a weight [in, out].
    pub(crate) fn times(&mut self, x: &Value, weight: &Constant) -> Value {
        let mut shape = x.shape.clone();
        let inner = std::mem::replace(shape.last_mut().expect("a product has sides"), weight.shape[1]);
        debug_assert_eq!(inner, weight.shape[0], "width of {}", weight.name);
        self.count(&[shape.iter().product(), inner]);
        self.node("MatMul", &[&x.name, &weight.name], vec![], shape)
    }

    /// A product of two values over the last two sides.
    pub(crate) fn product(&mut self, a: &Value, b: &Value) -> Value {
        let mut shape = a.shape.clone();
        let inner =
            std::mem::replace(shape.last_mut().expect("a product has sides"), b.shape[b.shape.len() - 1]);
        self.count(&[shape.iter().product(), inner]);
        self.node("MatMul", &[&a.name, &b.name], vec![], shape)
    }

    pub(crate) fn add(&mut self, a: &Value, b: &Value) -> Value {
        debug_assert_eq!(a.shape, b.shape, "a sum of equals");
        self.node("Add", &[&a.name, &b.name], vec![], a.shape.clone())
    }

    /// `b` is spread over the sides that it lacks.
    pub(crate) fn add_constant(&mut self, a: &Value, b: &Constant) -> Value {
        self.node("Add", &[&a.name, &b.name], vec![], a.shape.clone())
    }

    pub(crate) fn mul(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Mul", &[&a.name, &b.name], vec![], a.shape.clone())
    }

    pub(crate) fn mul_constant(&mut self, a: &Value, b: &Constant) -> Value {
        self.node("Mul", &[&a.name, &b.name], vec![], a.shape.clone())
    }

    pub(crate) fn sigmoid(&mut self, x: &Value) -> Value {
        self.node("Sigmoid", &[&x.name], vec![], x.shape.clone())
    }

    /// With the error function, not its tanh approximation.
    pub(crate) fn gelu(&mut self, x: &Value) -> Value {
        self.node("Gelu", &[&x.name], vec![Attribute::text("approximate", "none")], x.shape.clone())
    }

    /// Over the last side.
    pub(crate) fn softmax(&mut self, x: &Value) -> Value {
        self.node("Softmax", &[&x.name], vec![Attribute::int("axis", -1)], x.shape.clone())
    }

    /// Over the last side.
    pub(crate) fn layer_norm(
        &mut self,
        x: &Value,
        weight: &Constant,
        bias: &Constant,
        epsilon: f32,
    ) -> Value {
        let attributes = vec![Attribute::int("axis", -1), Attribute::float("epsilon", epsilon)];
        self.node("LayerNormalization", &[&x.name, &weight.name, &bias.name], attributes, x.shape.clone())
    }

    /// Each first side after the batch, normalised over the rest.
    pub(crate) fn instance_norm(
        &mut self,
        x: &Value,
        weight: &Constant,
        bias: &Constant,
        epsilon: f32,
    ) -> Value {
        let inputs = [x.name.as_str(), &weight.name, &bias.name];
        self.node(
            "InstanceNormalization",
            &inputs,
            vec![Attribute::float("epsilon", epsilon)],
            x.shape.clone(),
        )
    }

    /// The same values in the same order under another shape.
    pub(crate) fn reshape(&mut self, x: &Value, shape: &[usize]) -> Value {
        debug_assert_eq!(
            x.shape.iter().product::<usize>(),
            shape.iter().product::<usize>(),
            "a reshape keeps every value"
        );
        let target: Vec<i64> = std::iter::once(0).chain(signed(shape)).collect();
        let target = self.integers(&target);
        self.node("Reshape", &[&x.name, &target], vec![], shape.to_vec())
    }

    /// `order` counts sides without the batch, which stays first.
    pub(crate) fn transpose(&mut self, x: &Value, order: &[usize]) -> Value {
        let shape = order.iter().map(|&side| x.shape[side]).collect();
        let order: Vec<i64> = std::iter::once(0).chain(order.iter().map(|&side| side as i64 + 1)).collect();
        self.node("Transpose", &[&x.name], vec![Attribute::ints("perm", &order)], shape)
    }

    /// Joined along a side, counted without the batch.
    pub(crate) fn concat(&mut self, parts: &[&Value], side: usize) -> Value {
        let mut shape = parts[0].shape.clone();
        shape[side] = parts.iter().map(|part| part.shape[side]).sum();
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        self.node("Concat", &names, vec![Attribute::int("axis", side as i64 + 1)], shape)
    }

    /// The entries from `start` on along the last two sides.
    pub(crate) fn crop(&mut self, x: &Value, start: usize, height: usize, width: usize) -> Value {
        let from = self.integers(&[start as i64; 2]);
        let to = self.integers(&signed(&[start + height, start + width]));
        let sides = self.integers(&[2, 3]);
        self.node("Slice", &[&x.name, &from, &to, &sides], vec![], vec![x.shape[0], height, width])
    }

    /// Every pixel becomes a square of four.
    pub(crate) fn doubled(&mut self, x: &Value) -> Value {
        let scales = Tensor::new(&[4], vec![1.0, 1.0, 2.0, 2.0]);
        let message = WeightStore::Inside.keep("scales", &scales).expect("a constant inside needs no file");
        let name = format!("{}#{}", self.scoped("scales"), self.message.initializer.len());
        self.message.initializer.push(TensorMessage { name: name.clone(), ..message });
        let attributes = vec![
            Attribute::text("mode", "nearest"),
            Attribute::text("coordinate_transformation_mode", "asymmetric"),
            Attribute::text("nearest_mode", "floor"),
        ];
        let shape = vec![x.shape[0], 2 * x.shape[1], 2 * x.shape[2]];
        self.node("Resize", &[&x.name, "", &name], attributes, shape)
    }

    /// Four channels become a square of four pixels: channel 4c + 2·row + column goes to channel c.
    pub(crate) fn depth_to_space(&mut self, x: &Value) -> Value {
        let attributes = vec![Attribute::int("blocksize", 2), Attribute::text("mode", "CRD")];
        let shape = vec![x.shape[0] / 4, 2 * x.shape[1], 2 * x.shape[2]];
        self.node("DepthToSpace", &[&x.name], attributes, shape)
    }

    pub(crate) fn clip(&mut self, x: &Value, low: &Constant, high: &Constant) -> Value {
        self.node("Clip", &[&x.name, &low.name, &high.name], vec![], x.shape.clone())
    }

    /// To the nearest whole number, halves to the even one.
    pub(crate) fn round(&mut self, x: &Value) -> Value {
        self.node("Round", &[&x.name], vec![], x.shape.clone())
    }

    pub(crate) fn cast(&mut self, x: &Value, to: Element) -> Value {
        self.node("Cast", &[&x.name], vec![Attribute::int("to", to as i64)], x.shape.clone())
    }

    fn node(&mut self, op: &str, inputs: &[&str], attribute: Vec<Attribute>, shape: Vec<usize>) -> Value {
        let name = format!("{}/{op}_{}", self.scope, self.message.node.len());
        let input = inputs.iter().map(|&input| input.to_owned()).collect();
        let output = vec![name.clone()];
        self.message.node.push(Node { input, output, name: name.clone(), op_type: op.into(), attribute });
        Value { name, shape }
    }

    fn integers(&mut self, values: &[i64]) -> String {
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

    fn scoped(&self, name: &str) -> String {
        if self.scope.is_empty() { name.to_owned() } else { format!("{}.{name}", self.scope) }
    }

    fn count(&mut self, factors: &[usize]) {
        let macs = factors.iter().fold(1_u64, |product, &factor| product.saturating_mul(factor as u64));
        self.macs = self.macs.saturating_add(macs);
    }
}

fn signed(sides: &[usize]) -> Vec<i64> {
    sides.iter().map(|&side| side as i64).collect()
}

fn described(port: &Port) -> ValueInfo {
    let batch = Side { length: None, name: Some(BATCH.into()) };
    let sides = port.shape.iter().map(|&side| Side { length: Some(side as i64), name: None });
    let shape = Some(Shape { side: std::iter::once(batch).chain(sides).collect() });
    let tensor = Some(TensorType { element: port.element as i32, shape });
    ValueInfo { name: port.name.clone(), kind: Some(ValueType { tensor }) }
}

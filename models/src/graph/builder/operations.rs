//! One method per operation: it checks shapes, counts what it costs, and on a trial computes the numbers too.

use musetalk_core::Result;

use super::{Constant, Graph, Pads, Value, signed, with, with2, with3};
use crate::graph::trial::{self, Window};
use crate::onnx::{Attribute, Element};
use crate::tensor::Tensor;

impl Graph {
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
}

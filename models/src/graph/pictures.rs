//! Operations on pictures that the face networks need beside those of the [builder](super::builder).
//!
//! None of them writes the size of a picture into the graph, so all of them may follow an input of free sides.

use musetalk_core::Result;

use super::builder::{with, with2};
use super::{Graph, Value, pictures_trial as trial};
use crate::onnx::{Attribute, Element};
use crate::tensor::Tensor;

impl Graph {
    /// What is below zero becomes zero.
    pub(crate) fn relu(&mut self, x: &Value) -> Value {
        let numbers = with(&x.numbers, |x| x.iter().map(|x| x.max(0.0)).collect());
        self.like(x, "Relu", &[&x.name], vec![]).holding(x.element, numbers)
    }

    /// The largest number in every square of `size`, one square each `stride` pixels, `pad` pixels of nothing around the picture.
    pub(crate) fn max_pool(&mut self, x: &Value, size: usize, stride: usize, pad: usize) -> Value {
        let after = |side: usize| (side + 2 * pad - size) / stride + 1;
        let shape = vec![x.shape[0], after(x.shape[1]), after(x.shape[2])];
        let attributes = vec![
            Attribute::ints("kernel_shape", &[size as i64; 2]),
            Attribute::ints("strides", &[stride as i64; 2]),
            Attribute::ints("pads", &[pad as i64; 4]),
        ];
        let numbers = with(&x.numbers, |numbers| trial::max_pool(numbers, &x.shape, size, stride, pad));
        self.node("MaxPool", &[&x.name], attributes, shape).holding(x.element, numbers)
    }

    /// The mean of every channel, as pictures of one pixel.
    pub(crate) fn channel_means(&mut self, x: &Value) -> Value {
        let plane = x.shape[1] * x.shape[2];
        let numbers = with(&x.numbers, |x| trial::means(x, plane));
        self.node("GlobalAveragePool", &[&x.name], vec![], vec![x.shape[0], 1, 1]).holding(x.element, numbers)
    }

    /// Adds to every channel its own number, from a picture of one pixel.
    pub(crate) fn add_to_channels(&mut self, x: &Value, pixel: &Value) -> Value {
        self.with_channels("Add", x, pixel, |a, b| a + b)
    }

    /// Multiplies every channel by its own number, from a picture of one pixel.
    pub(crate) fn scale_channels(&mut self, x: &Value, pixel: &Value) -> Value {
        self.with_channels("Mul", x, pixel, |a, b| a * b)
    }

    fn with_channels(&mut self, op: &str, x: &Value, pixel: &Value, join: impl Fn(f32, f32) -> f32) -> Value {
        debug_assert_eq!([x.shape[0], 1, 1], pixel.shape[..], "a number for each channel");
        let plane = x.shape[1] * x.shape[2];
        let numbers = with2(&x.numbers, &pixel.numbers, |x, pixel| trial::spread(x, pixel, plane, join));
        let made = self.like(x, op, &[&x.name, &pixel.name], vec![]);
        self.holding(made, x.element, numbers)
    }

    /// Every pixel divided by its length over the channels, x / (√Σx² + ε), in single precision.
    pub(crate) fn unit_pixels(&mut self, x: &Value, epsilon: f32) -> Result<Value> {
        let x = &self.single(x);
        let channels = self.integers(&[1]);
        let flat = vec![1, x.shape[1], x.shape[2]];
        let length = self.node("ReduceL2", &[&x.name, &channels], vec![], flat.clone());
        let epsilon_of = self.filled(1, epsilon)?;
        let length = self.node("Add", &[&length.name, &epsilon_of.name], vec![], flat);
        let numbers = with(&x.numbers, |numbers| trial::unit_pixels(numbers, x.shape[0], epsilon));
        let made = self.like(x, "Div", &[&x.name, &length.name], vec![]);
        Ok(self.holding(made, Element::F32, numbers))
    }

    /// `factor` times as high and wide, bilinear, the corner pixels on the corners.
    pub(crate) fn enlarged(&mut self, x: &Value, factor: usize) -> Result<Value> {
        let scales = Tensor::new(&[4], vec![1.0, 1.0, factor as f32, factor as f32]);
        let scales = self.single_constant("scales", &scales)?;
        let attributes = vec![
            Attribute::text("mode", "linear"),
            Attribute::text("coordinate_transformation_mode", "align_corners"),
        ];
        let shape = vec![x.shape[0], x.shape[1] * factor, x.shape[2] * factor];
        let numbers =
            self.tried(&shape, 1, || with(&x.numbers, |numbers| trial::enlarged(numbers, &x.shape, factor)));
        Ok(self.node("Resize", &[&x.name, "", &scales.name], attributes, shape).holding(x.element, numbers))
    }

    /// The channel that is largest at each pixel, the first of equal ones, as bytes.
    pub(crate) fn largest_channel(&mut self, x: &Value) -> Value {
        debug_assert!(x.shape[0] <= 256, "a byte names the channel");
        let attributes = vec![Attribute::int("axis", 1), Attribute::int("keepdims", 0)];
        let numbers = with(&x.numbers, |numbers| trial::largest(numbers, x.shape[0]));
        let made = self.node("ArgMax", &[&x.name], attributes, x.shape[1..].to_vec());
        self.cast(&made.holding(Element::I64, numbers), Element::U8)
    }
}

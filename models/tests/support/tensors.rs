//! Reading fixtures, running graphs, and comparing what comes out.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

/// A graph, its inputs with the fixtures given to them, and the fixture it should give.
pub(crate) type Comparison = (&'static str, &'static [(&'static str, &'static str)], &'static str);

pub(crate) const NETWORKS: [Comparison; 4] = [
    ("audio_encoder", &[("mel", "mel")], "states"),
    ("generator", &[("latent", "face"), ("audio", "audio")], "prediction"),
    ("encoder", &[("image", "image")], "latent"),
    ("decoder", &[("latent", "given_latent")], "decoded"),
];

/// A shape and its values.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Case {
    /// The tensor `name` of a fixture.
    pub(crate) fn read(file: &Path, name: &str) -> Self {
        let bytes = std::fs::read(file).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let view = tensors.tensor(name).unwrap();
        let values = view.data().as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        Self { shape: view.shape().to_vec(), values }
    }

    /// Item `index` of the batch, as a batch of one.
    pub(crate) fn item(&self, index: usize) -> Self {
        let size = self.values.len() / self.shape[0];
        let mut shape = self.shape.clone();
        shape[0] = 1;
        Self { shape, values: self.values[index * size..(index + 1) * size].to_vec() }
    }

    /// ‖self − expected‖₂ / ‖expected‖₂.
    pub(crate) fn relative_error(&self, expected: &Self) -> f64 {
        assert_eq!(self.shape, expected.shape);
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
        let pairs = self.values.iter().zip(&expected.values);
        let difference = norm(&mut pairs.map(|(&a, &b)| f64::from(a) - f64::from(b)));
        difference / norm(&mut expected.values.iter().map(|&v| f64::from(v)))
    }
}

/// Runs a graph that ends in floats or bytes; bytes come back as floats. The first output of several.
pub(crate) fn run(session: &mut Session, inputs: &[(&str, &Case)]) -> Case {
    run_all(session, inputs).swap_remove(0).1
}

/// As [`run`], with all outputs and their names.
pub(crate) fn run_all(session: &mut Session, inputs: &[(&str, &Case)]) -> Vec<(String, Case)> {
    let inputs: Vec<(String, SessionInputValue<'_>)> = inputs
        .iter()
        .map(|(name, case)| {
            let tensor = Tensor::from_array((case.shape.clone(), case.values.clone())).unwrap();
            ((*name).to_owned(), tensor.into())
        })
        .collect();
    let names: Vec<String> = session.outputs().iter().map(|output| output.name().to_owned()).collect();
    let outputs = session.run(inputs).unwrap();
    let sides = |shape: &[i64]| shape.iter().map(|&side| side as usize).collect();
    let case = |index: usize| {
        if let Ok((shape, values)) = outputs[index].try_extract_tensor::<f32>() {
            return Case { shape: sides(shape), values: values.to_vec() };
        }
        let (shape, values) = outputs[index].try_extract_tensor::<u8>().unwrap();
        Case { shape: sides(shape), values: values.iter().map(|&v| f32::from(v)).collect() }
    };
    names.into_iter().enumerate().map(|(index, name)| (name, case(index))).collect()
}

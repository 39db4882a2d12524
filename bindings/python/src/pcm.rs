//! Samples of the host: float32, int16, or bytes of int16.

use pyo3::buffer::{Element, PyBuffer, ReadOnlyCell};
use pyo3::prelude::*;

use crate::error::invalid;

/// Mono samples of a host, not yet copied.
pub(crate) enum Pcm {
    Floats(PyBuffer<f32>),
    Ints(PyBuffer<i16>),
    /// int16, the lower byte first, as files and servers have them.
    Bytes(PyBuffer<u8>),
}

impl Pcm {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let pcm = if let Ok(floats) = PyBuffer::<f32>::get(object) {
            Self::Floats(floats)
        } else if let Ok(ints) = PyBuffer::<i16>::get(object) {
            Self::Ints(ints)
        } else if let Ok(bytes) = PyBuffer::<u8>::get(object) {
            Self::Bytes(bytes)
        } else {
            return Err(invalid(format!(
                "pcm is {}; give a NumPy array of float32 or int16, or bytes of int16",
                described(object)
            )));
        };
        let dimensions = match &pcm {
            Self::Floats(buffer) => buffer.dimensions(),
            Self::Ints(buffer) => buffer.dimensions(),
            Self::Bytes(buffer) => buffer.dimensions(),
        };
        if dimensions != 1 {
            return Err(invalid(format!("pcm has {dimensions} dimensions; give one: mono")));
        }
        if let Self::Bytes(bytes) = &pcm
            && bytes.item_count() % 2 != 0
        {
            return Err(invalid(format!(
                "pcm has {} bytes; samples of int16 have two each",
                bytes.item_count()
            )));
        }
        Ok(pcm)
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Floats(buffer) => buffer.item_count(),
            Self::Ints(buffer) => buffer.item_count(),
            Self::Bytes(buffer) => buffer.item_count() / 2,
        }
    }

    /// As the avatar takes them, −1…1.
    pub(crate) fn floats(&self, py: Python<'_>, out: &mut Vec<f32>) -> PyResult<()> {
        out.clear();
        match self {
            Self::Floats(buffer) => each(py, buffer, |all| out.extend(all))?,
            Self::Ints(buffer) => each(py, buffer, |all| out.extend(all.map(float)))?,
            Self::Bytes(buffer) => each(py, buffer, |all| out.extend(pairs(all).map(float)))?,
        }
        Ok(())
    }

    /// As a server takes them.
    pub(crate) fn ints(&self, py: Python<'_>) -> PyResult<Vec<i16>> {
        let mut out = Vec::with_capacity(self.count());
        match self {
            // Beyond full scale, and what is no number, becomes what is nearest: full scale, and silence.
            Self::Floats(buffer) => {
                each(py, buffer, |all| out.extend(all.map(|x| (x * 32_768.0).round() as i16)))?
            }
            Self::Ints(buffer) => each(py, buffer, |all| out.extend(all))?,
            Self::Bytes(buffer) => each(py, buffer, |all| out.extend(pairs(all)))?,
        }
        Ok(out)
    }
}

fn float(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

fn pairs(mut bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = i16> {
    std::iter::from_fn(move || Some(i16::from_le_bytes([bytes.next()?, bytes.next()?])))
}

/// Hands the items over in order, whatever their strides.
fn each<T: Element>(
    py: Python<'_>,
    buffer: &PyBuffer<T>,
    take: impl FnOnce(&mut dyn Iterator<Item = T>),
) -> PyResult<()> {
    match buffer.as_slice(py) {
        Some(items) => take(&mut items.iter().map(ReadOnlyCell::get)),
        None => take(&mut buffer.to_vec(py)?.into_iter()),
    }
    Ok(())
}

/// What it is instead, for a message: its type, and of an array its numbers.
fn described(object: &Bound<'_, PyAny>) -> String {
    let kind = object.get_type().name().map_or_else(|_| "of no type".to_owned(), |name| name.to_string());
    match object.getattr("dtype") {
        Ok(numbers) => format!("an array of {numbers}"),
        Err(_) => format!("of type {kind}"),
    }
}

//! Samples of the host: float32, int16, or bytes of int16.

use pyo3::buffer::{Element, PyBuffer, ReadOnlyCell};
use pyo3::prelude::*;

use crate::buffer::Native;
use crate::error::invalid;

/// Samples for a server at once: three quarters of an hour. An array may claim to be larger than memory.
const MOST: usize = 1 << 26;

/// Mono samples of a host, not yet copied.
pub(crate) enum Pcm {
    Floats(PyBuffer<Native<f32>>),
    Ints(PyBuffer<Native<i16>>),
    /// int16, the lower byte first, as files and servers have them.
    Bytes(PyBuffer<u8>),
}

impl Pcm {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        // An array of bytes is as likely to hold samples of eight bits.
        let is_array = object.hasattr("dtype")?;
        let pcm = if let Ok(floats) = PyBuffer::get(object) {
            Self::Floats(floats)
        } else if let Ok(ints) = PyBuffer::get(object) {
            Self::Ints(ints)
        } else if let Some(bytes) = PyBuffer::get(object).ok().filter(|_| !is_array) {
            Self::Bytes(bytes)
        } else {
            return Err(invalid(format!(
                "pcm is {}; give a NumPy array of float32 or int16 in this machine's byte order, or bytes of int16",
                described(object)
            )));
        };
        let shape = match &pcm {
            Self::Floats(buffer) => buffer.shape(),
            Self::Ints(buffer) => buffer.shape(),
            Self::Bytes(buffer) => buffer.shape(),
        };
        if shape.len() != 1 {
            return Err(invalid(format!(
                "pcm has {} dimensions, {shape:?}; give one: mono. Of several channels take one, or their mean",
                shape.len()
            )));
        }
        if let Self::Bytes(bytes) = &pcm
            && bytes.item_count() % 2 != 0
        {
            return Err(invalid(format!(
                "pcm has {} bytes; samples of int16 have two each, so keep the odd one for the next push",
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
            Self::Floats(buffer) => each(py, buffer, |all| out.extend(all.map(|x| x.0)))?,
            Self::Ints(buffer) => each(py, buffer, |all| out.extend(all.map(|x| float(x.0))))?,
            Self::Bytes(buffer) => each(py, buffer, |all| out.extend(pairs(all).map(float)))?,
        }
        Ok(())
    }

    /// As a server takes them.
    pub(crate) fn ints(&self, py: Python<'_>) -> PyResult<Vec<i16>> {
        if self.count() > MOST {
            return Err(invalid(format!("pcm has {} samples; give at most {MOST} at once", self.count())));
        }
        let mut out = Vec::with_capacity(self.count());
        match self {
            // Beyond full scale, and what is no number, becomes what is nearest: full scale, and silence.
            Self::Floats(buffer) => {
                each(py, buffer, |all| out.extend(all.map(|x| (x.0 * 32_768.0).round() as i16)))?
            }
            Self::Ints(buffer) => each(py, buffer, |all| out.extend(all.map(|x| x.0)))?,
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
pub(crate) fn described(object: &Bound<'_, PyAny>) -> String {
    let kind = object.get_type().name().map_or_else(|_| "of no type".to_owned(), |name| name.to_string());
    match object.getattr("dtype") {
        Ok(numbers) => {
            let aligned = object.getattr("flags").and_then(|flags| flags.getattr("aligned")?.is_truthy());
            format!("an {}array of {numbers}", if aligned.unwrap_or(true) { "" } else { "unaligned " })
        }
        Err(_) => format!("of type {kind}"),
    }
}

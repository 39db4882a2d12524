//! Where one tensor lies in a file: its numbers, its shape and strides, the storage it is a part of.

use std::fmt;
use std::ops::Range;

/// The most sides a tensor may have.
const MOST_SIDES: usize = 8;

/// The number format of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Element {
    Float(Float),
    /// A format that no weight has, by name: whole numbers, truth values.
    Other {
        name: String,
        bytes: usize,
    },
}

/// The number formats that weights are stored in, little-endian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

/// One tensor of a file. Made by [`Stored::new`] only, so its values lie inside its storage.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) element: Element,
    pub(crate) shape: Vec<usize>,
    /// In values, one for each side.
    strides: Vec<usize>,
    /// The first value, in bytes from the start of the file.
    pub(crate) at: u64,
    storage: Storage,
}

/// A run of bytes of a file that tensors are views of.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    /// In bytes from the start of the file.
    pub(crate) bytes: Range<u64>,
    /// CRC-32 of all of them, where it was recorded.
    pub(crate) checksum: Option<u32>,
}

impl Stored {
    /// A view of `storage` that begins `offset` values into it; what is wrong with it otherwise.
    pub(crate) fn new(
        element: Element,
        shape: Vec<usize>,
        strides: Vec<usize>,
        offset: u64,
        storage: Storage,
    ) -> Result<Self, String> {
        if shape.len() != strides.len() || shape.len() > MOST_SIDES {
            return Err(format!("has {} sides and {} strides", shape.len(), strides.len()));
        }
        let size = element.bytes() as u64;
        let held = (storage.bytes.end - storage.bytes.start) / size;
        let too_large = || format!("{shape:?} with strides {strides:?} is larger than its storage of {held}");
        let count = shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side)).ok_or_else(too_large)?;
        // Repeated values would let a small file fill the memory.
        if count as u64 > held {
            return Err(too_large());
        }
        let last = shape.iter().zip(&strides).try_fold(0_usize, |n, (&side, &stride)| {
            n.checked_add(side.saturating_sub(1).checked_mul(stride)?)
        });
        let last = last.filter(|_| count > 0).map_or(0, |last| last as u64);
        let overruns = last.checked_add(offset).is_none_or(|last| last >= held);
        if count > 0 && (overruns || overflows(&shape, &strides)) {
            return Err(too_large());
        }
        let at = if count > 0 { storage.bytes.start + offset * size } else { storage.bytes.start };
        Ok(Self { element, shape, strides, at, storage })
    }

    /// A tensor that is its whole storage, row by row.
    pub(crate) fn whole(element: Element, shape: Vec<usize>, storage: Storage) -> Result<Self, String> {
        let strides = row_major(&shape);
        Self::new(element, shape, strides, 0, storage)
    }

    /// Values.
    pub(crate) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Values from the first to the last in the storage, with what lies between them.
    pub(crate) fn span(&self) -> usize {
        match self.count() {
            0 => 0,
            _ => {
                1 + self
                    .shape
                    .iter()
                    .zip(&self.strides)
                    .map(|(side, stride)| (side - 1) * stride)
                    .sum::<usize>()
            }
        }
    }

    /// Whether the values lie in row-major order without gaps.
    pub(crate) fn is_contiguous(&self) -> bool {
        let expected = row_major(&self.shape);
        let sides = self.shape.iter().zip(self.strides.iter().zip(expected));
        self.count() == 0
            || sides.into_iter().all(|(&side, (&stride, expected))| side == 1 || stride == expected)
    }

    /// The recorded checksum of the bytes under `span` values, if they are the whole storage.
    pub(crate) fn checksum(&self, span: usize) -> Option<u32> {
        let end = self.at + (span * self.element.bytes()) as u64;
        self.storage.checksum.filter(|_| (self.at..end) == self.storage.bytes)
    }

    /// The values in row-major order, from those under the span.
    pub(crate) fn gathered(&self, span: &[f32]) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.count());
        let mut index = vec![0; self.shape.len()];
        let mut at = 0;
        while values.len() < self.count() {
            values.push(span[at]);
            // One step of an odometer whose last side turns fastest.
            for side in (0..index.len()).rev() {
                index[side] += 1;
                at += self.strides[side];
                if index[side] < self.shape[side] {
                    break;
                }
                at -= self.shape[side] * self.strides[side];
                index[side] = 0;
            }
        }
        values
    }
}

impl Element {
    pub(crate) fn other(name: &str, bytes: usize) -> Self {
        Self::Other { name: name.to_owned(), bytes }
    }

    /// Of one value; formats narrower than a byte count as one.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Float(float) => float.bytes(),
            Self::Other { bytes, .. } => (*bytes).max(1),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(Float::F64) => f.write_str("F64"),
            Self::Float(Float::F32) => f.write_str("F32"),
            Self::Float(Float::F16) => f.write_str("F16"),
            Self::Float(Float::Bf16) => f.write_str("BF16"),
            Self::Other { name, .. } => f.write_str(name),
        }
    }
}

impl Float {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Converts whole values.
    pub(crate) fn append(self, raw: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F64 => values.extend(raw.as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b) as f32)),
            Self::F32 => values.extend(raw.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b))),
            Self::F16 => {
                values.extend(raw.as_chunks::<2>().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32()));
            }
            Self::Bf16 => {
                values.extend(raw.as_chunks::<2>().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32()));
            }
        }
    }
}

fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for side in (1..shape.len()).rev() {
        strides[side - 1] = strides[side].saturating_mul(shape[side]);
    }
    strides
}

/// Whether stepping over a side could leave the range of a machine word.
fn overflows(shape: &[usize], strides: &[usize]) -> bool {
    let mut reach = 0_usize;
    shape.iter().zip(strides).any(|(&side, &stride)| {
        let stepped = side.checked_mul(stride).and_then(|steps| reach.checked_add(steps));
        reach = stepped.unwrap_or(0);
        stepped.is_none()
    })
}

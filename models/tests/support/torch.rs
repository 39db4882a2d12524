//! Files as `torch.save` writes them, and as it never would.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::path::Path;

/// One tensor: float32, in a storage of its own.
#[derive(Clone)]
pub(crate) struct Weight {
    pub(crate) name: String,
    pub(crate) shape: Vec<i64>,
    pub(crate) strides: Vec<i64>,
    pub(crate) offset: i64,
    /// Values that the storage is said to have.
    pub(crate) count: i64,
    pub(crate) storage: &'static str,
    pub(crate) raw: Vec<u8>,
}

impl Weight {
    pub(crate) fn new(name: &str, shape: &[usize], raw: &[u8]) -> Self {
        let shape: Vec<i64> = shape.iter().map(|&side| side as i64).collect();
        let mut strides = vec![1; shape.len()];
        for side in (1..shape.len()).rev() {
            strides[side - 1] = strides[side] * shape[side];
        }
        let count = raw.len() as i64 / 4;
        Self { name: name.into(), shape, strides, offset: 0, count, storage: "FloatStorage", raw: raw.into() }
    }
}

/// The tensors of a safetensors file, each in the storage of its type.
pub(crate) fn weights(file: &Path) -> Vec<Weight> {
    let bytes = std::fs::read(file).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let stored = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| {
        let storage = match view.dtype() {
            safetensors::Dtype::F32 => "FloatStorage",
            safetensors::Dtype::F16 => "HalfStorage",
            safetensors::Dtype::I64 => "LongStorage",
            other => panic!("{other:?} has no storage here"),
        };
        let count = view.shape().iter().product::<usize>() as i64;
        Weight { storage, count, ..Weight::new(name, view.shape(), view.data()) }
    };
    tensors.iter().map(stored).collect()
}

/// The pickle of a state dict.
pub(crate) fn state_dict(weights: &[Weight], legacy: bool) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (key, weight) in weights.iter().enumerate() {
        out.extend(text(&weight.name));
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        out.extend(text("storage"));
        out.extend(format!("ctorch\n{}\n", weight.storage).bytes());
        out.extend([text(&key.to_string()), text("cpu"), integer(weight.count)].concat());
        out.extend(if legacy { &b"NtQ"[..] } else { b"tQ" });
        out.extend(integer(weight.offset));
        for sides in [&weight.shape, &weight.strides] {
            out.extend(b"(");
            out.extend(sides.iter().flat_map(|&side| integer(side)));
            out.extend(b"t");
        }
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn integer(value: i64) -> Vec<u8> {
    [&b"\x8a\x08"[..], &value.to_le_bytes()].concat()
}

/// A zip file of a state dict.
pub(crate) fn zip_file(weights: &[Weight]) -> Vec<u8> {
    zip(&entries(&state_dict(weights, false), weights))
}

/// A zip file around any pickle.
pub(crate) fn zip_of_pickle(pickle: &[u8]) -> Vec<u8> {
    zip(&entries(pickle, &[]))
}

/// What the archive of a state dict consists of.
pub(crate) fn entries(pickle: &[u8], weights: &[Weight]) -> Vec<Entry> {
    let mut entries =
        vec![Entry::new("archive/data.pkl", pickle), Entry::new("archive/byteorder", b"little")];
    for (key, weight) in weights.iter().enumerate() {
        entries.push(Entry::new(&format!("archive/data/{key}"), &weight.raw));
    }
    entries.push(Entry::new("archive/version", b"3\n"));
    entries
}

/// A file of PyTorch before 1.6.
pub(crate) fn legacy_file(weights: &[Weight]) -> Vec<u8> {
    let mut out = legacy_start();
    out.extend(state_dict(weights, true));
    out.extend(b"\x80\x02](");
    out.extend((0..weights.len()).flat_map(|key| text(&key.to_string())));
    out.extend(b"e.");
    for weight in weights {
        out.extend(weight.count.to_le_bytes());
        out.extend(&weight.raw);
    }
    out
}

/// What stands before the object in such a file.
pub(crate) fn legacy_start() -> Vec<u8> {
    let mut out = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}(".to_vec();
    out.extend(
        [text("protocol_version"), b"M\xe9\x03".to_vec(), text("little_endian"), b"\x88".to_vec()].concat(),
    );
    out.extend(b"u.");
    out
}

/// One entry of a zip archive, with what may be said wrongly of it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) raw: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// In place of the true size.
    pub(crate) size: Option<u32>,
    /// In place of the true place.
    pub(crate) offset: Option<u32>,
    pub(crate) checksum: Option<u32>,
}

impl Entry {
    pub(crate) fn new(name: &str, raw: &[u8]) -> Self {
        let (name, raw) = (name.as_bytes().to_vec(), raw.to_vec());
        Self { name, raw, method: 0, flags: 0, size: None, offset: None, checksum: None }
    }
}

/// A zip archive, without checking anything.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut table) = (Vec::new(), Vec::new());
    for entry in entries {
        let at = out.len() as u32;
        let described = |size: u32| {
            let mut fields = Vec::new();
            fields.extend([20, entry.flags, entry.method, 0, 0x21].map(u16::to_le_bytes).concat());
            fields.extend(entry.checksum.unwrap_or(0).to_le_bytes());
            fields.extend([entry.raw.len() as u32, size].map(u32::to_le_bytes).concat());
            fields.extend([entry.name.len() as u16, 0].map(u16::to_le_bytes).concat());
            fields
        };
        let fields = described(entry.size.unwrap_or(entry.raw.len() as u32));
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(&entry.name);
        out.extend(&entry.raw);
        let mut listed = fields.clone();
        if let Some(size) = entry.size {
            // A size that is told in the table only; stored entries say it twice.
            listed[14..18].copy_from_slice(&size.to_le_bytes());
        }
        table.extend(b"PK\x01\x02\x14\x03");
        table.extend(&listed);
        table.extend([0; 10]);
        table.extend(entry.offset.unwrap_or(at).to_le_bytes());
        table.extend(&entry.name);
    }
    let start = out.len() as u32;
    let count = entries.len() as u16;
    out.extend(&table);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].map(u16::to_le_bytes).concat());
    out.extend([table.len() as u32, start].map(u32::to_le_bytes).concat());
    out.extend([0, 0]);
    out
}

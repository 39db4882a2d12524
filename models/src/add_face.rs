//! Networks that find faces, added to a pack that is there: the pack with them, or nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use musetalk_core::{
    Dimension, Error, ErrorKind, FileEntry, Manifest, ModelPack, NetworkEntry, Result, WeightsEntry,
};
use serde_json::{Value, json};

use crate::manifest;
use crate::onnx::{Element, Fault, Foreign, ForeignPort, Written, write_file};
use crate::staging::Staging;

/// Adds a detector and a landmark network, as others published them, to a pack.
///
/// | network | in | out |
/// |---|---|---|
/// | detector (UltraFace, RFB-320) | `input` f32 \[1, 3, 240, 320\]: RGB, (x − 127) / 128 | `scores` f32 \[1, 4420, 2\], `boxes` f32 \[1, 4420, 4\] |
/// | landmarks (PFLD, 68 points) | `input` f32 \[batch, 3, 112, 112\]: RGB in 0…1 | `output` f32 \[batch, 136\] |
#[derive(Clone, Debug)]
pub struct FaceAdder {
    pack: PathBuf,
    detector: PathBuf,
    landmarks: PathBuf,
}

/// A light network has some megabytes.
const LARGEST: u64 = 64 << 20;

/// What is expected of one port: its name and its sides, the batch first; 0 stands for any batch.
type Expected = (&'static str, &'static [u64]);

struct Kind {
    role: &'static str,
    called: &'static str,
    input: Expected,
    outputs: &'static [Expected],
}

const DETECTOR: Kind = Kind {
    role: "face_detector",
    called: "the light face detector",
    input: ("input", &[1, 3, 240, 320]),
    outputs: &[("scores", &[1, 4420, 2]), ("boxes", &[1, 4420, 4])],
};

const LANDMARKS: Kind = Kind {
    role: "face_landmarks",
    called: "the light landmark network",
    input: ("input", &[0, 3, 112, 112]),
    outputs: &[("output", &[0, 136])],
};

impl FaceAdder {
    /// For the pack in this folder, and two ONNX files.
    pub fn new(
        pack: impl Into<PathBuf>,
        detector: impl Into<PathBuf>,
        landmarks: impl Into<PathBuf>,
    ) -> Self {
        Self { pack: pack.into(), detector: detector.into(), landmarks: landmarks.into() }
    }

    /// Writes the pack with the networks as the folder `out`, or in place of the pack itself when `None`. The other files of the pack are
    /// linked where the disk allows it, else copied. `try_out` is called with the complete pack before it gets its name; an error of it
    /// leaves everything as it was.
    ///
    /// # Errors
    ///
    /// - Those of [`ModelPack::open`] and of `try_out`.
    /// - `Corrupt`: a file is no ONNX file, is damaged, or larger than any that is meant.
    /// - `Incompatible`: the inputs or outputs of a file are those of another network.
    /// - `Unsupported`: a file needs other files, other operators, or an unbounded run.
    /// - `InvalidInput`: the pack has a detector or a landmark network of another kind, MuseTalk's own, which would be lost, and is not to be
    ///   written elsewhere; `out` exists.
    /// - `NotFound`, `Io`: a file could not be read or written.
    pub fn add(&self, out: Option<&Path>, try_out: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let pack = ModelPack::open(&self.pack)?;
        let mut text = pack.manifest().clone();
        if out.is_none() {
            keep_others(&self.pack, &text)?;
        }
        let staging = Staging::beside(out.unwrap_or(&self.pack), out.is_none())?;
        let (detector, landmarks) =
            (checked(&self.detector, &DETECTOR)?, checked(&self.landmarks, &LANDMARKS)?);
        forget(&mut text, DETECTOR.role);
        forget(&mut text, LANDMARKS.role);
        carry_over(&self.pack, &text, staging.path())?;
        for (kind, path, (bytes, entry)) in
            [(&DETECTOR, &self.detector, detector), (&LANDMARKS, &self.landmarks, landmarks)]
        {
            let written = write_file(staging.path(), &format!("{}.onnx", kind.role), &bytes)?;
            record(&mut text, kind, path, entry, written)?;
        }
        let mut json = serde_json::to_vec_pretty(&text).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("pack.json could not be written: {e}")).caused_by(e)
        })?;
        json.push(b'\n');
        write_file(staging.path(), manifest::FILE, &json)?;
        ModelPack::open(staging.path())
            .map_err(|e| Error::new(e.kind(), format!("no pack was written: {e}")).caused_by(e))?;
        try_out(staging.path())?;
        staging.publish()
    }
}

/// The bytes of a file whose ports are those of its kind, and its entry in the manifest.
fn checked(path: &Path, kind: &Kind) -> Result<(Vec<u8>, Value)> {
    let refused = |error: ErrorKind, what: String| Error::new(error, format!("{what}: {}", path.display()));
    let about = std::fs::metadata(path).map_err(|e| Error::io("read the size of", path, e))?;
    if !about.is_file() || about.len() > LARGEST {
        let what = format!("{} is a plain file of at most {LARGEST} bytes, and this is not", kind.called);
        return Err(refused(ErrorKind::Corrupt, what));
    }
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    let found = Foreign::read(&bytes).map_err(|fault| match fault {
        Fault::Damaged(what) => refused(ErrorKind::Corrupt, what),
        Fault::Refused(what) => refused(ErrorKind::Unsupported, format!("{what}, which is not supported")),
    })?;
    let inputs = ports("input", &found.inputs, &[kind.input]);
    let outputs = ports("output", &found.outputs, kind.outputs);
    let (inputs, outputs) = inputs
        .and_then(|inputs| Ok((inputs, outputs?)))
        .map_err(|what| refused(ErrorKind::Incompatible, format!("this is not {}: {what}", kind.called)))?;
    let entry = json!({
        "file": format!("{}.onnx", kind.role),
        "optimisation": "all",
        "inputs": inputs,
        "outputs": outputs,
        "parameters": found.parameters,
        "macs": 0,
    });
    Ok((bytes, entry))
}

/// The entries of ports in the order in which the file has them, if they are those that are expected.
fn ports(side: &str, found: &[ForeignPort], expected: &[Expected]) -> Result<Vec<Value>, String> {
    if found.len() != expected.len() {
        return Err(format!("it has {} {side}s, expected {}", found.len(), expected.len()));
    }
    let entry = |port: &ForeignPort| {
        let Some((name, sides)) = expected.iter().find(|(name, _)| *name == port.name) else {
            let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
            return Err(format!("its {side} is called {:?}, expected {}", port.name, names.join(" or ")));
        };
        let agrees = |(found, wanted): (&Option<u64>, &u64)| match wanted {
            // A batch: free, or one.
            0 => found.is_none_or(|found| found == 1),
            wanted => found.is_none_or(|found| found == *wanted) && (side == "output" || found.is_some()),
        };
        if port.sides.len() != sides.len() || !port.sides.iter().zip(*sides).all(agrees) {
            return Err(format!("{side} {name} has the sides {:?}, expected {sides:?}", port.sides));
        }
        if port.element != Element::F32 as u64 {
            return Err(format!("{side} {name} is not of 32-bit floats"));
        }
        let batch = if port.sides[0].is_some() { json!(1) } else { json!("batch") };
        let shape: Vec<Value> =
            std::iter::once(batch).chain(sides[1..].iter().map(|side| json!(side))).collect();
        Ok(json!({ "name": name, "type": "f32", "shape": shape }))
    };
    found.iter().map(entry).collect()
}

/// Networks of another kind come from large files that may be gone: a pack that has them is not written over.
fn keep_others(pack: &Path, manifest: &Manifest) -> Result<()> {
    let other = |kind: &&Kind| manifest.networks.get(kind.role).is_some_and(|entry| !is_of(entry, kind));
    let Some(kind) = [&DETECTOR, &LANDMARKS].into_iter().find(other) else { return Ok(()) };
    let sentence = format!(
        "the pack has a {} of another kind, and adding {} would lose it; write a second pack with --out: {}",
        kind.role,
        kind.called,
        pack.display()
    );
    Err(Error::new(ErrorKind::InvalidInput, sentence))
}

/// Whether a network takes what networks of this kind take.
fn is_of(entry: &NetworkEntry, kind: &Kind) -> bool {
    let [input] = &entry.inputs[..] else { return false };
    let (name, sides) = kind.input;
    let same = |(found, wanted): (&Dimension, &u64)| *found == Dimension::Fixed(*wanted);
    input.name == name && input.shape.len() == sides.len() && input.shape.iter().zip(sides).skip(1).all(same)
}

/// Takes a network and its files out of a manifest.
fn forget(manifest: &mut Manifest, role: &str) {
    let Some(old) = manifest.networks.remove(role) else { return };
    let still = |file: &str| manifest.networks.values().any(|network| network.file == file);
    for file in std::iter::once(old.file).chain(old.widened) {
        if !still(&file) {
            manifest.files.remove(&file);
        }
    }
    manifest.weights.retain(|weights| weights.network != role);
}

/// The files of the pack, and the papers beside them, in another folder.
fn carry_over(from: &Path, manifest: &Manifest, to: &Path) -> Result<()> {
    let papers =
        |name: &str| ["README", "LICENSE", "LICENCE", "NOTICE"].iter().any(|paper| name.starts_with(paper));
    let entries = std::fs::read_dir(from).map_err(|e| Error::io("list", from, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::io("list", from, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && (manifest.files.contains_key(&name) || papers(&name)) {
            let target = to.join(&name);
            std::fs::hard_link(&path, &target)
                .or_else(|_| std::fs::copy(&path, &target).map(drop))
                .map_err(|e| Error::io("copy", &path, e))?;
        }
    }
    Ok(())
}

fn record(manifest: &mut Manifest, kind: &Kind, path: &Path, entry: Value, written: Written) -> Result<()> {
    fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
        serde_json::from_value(value)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("an entry of pack.json: {e}")).caused_by(e))
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file: FileEntry = typed(json!({ "bytes": written.bytes, "sha256": written.sha256 }))?;
    let weights: WeightsEntry = typed(json!({
        "network": kind.role,
        "origin": format!("added as {name}"),
        "licence": "see the publisher",
        "sha256": written.sha256,
    }))?;
    let network: NetworkEntry = typed(entry)?;
    manifest.networks.insert(kind.role.to_owned(), network);
    manifest.files.insert(written.name, file);
    manifest.weights.push(weights);
    Ok(())
}

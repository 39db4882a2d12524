//! A checkpoint folder in Hugging Face's layout: `config.json` and `.safetensors` files.

mod config;
mod names;
mod safetensors;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

pub(crate) use self::config::Config;
pub(crate) use self::names::WHISPER_PREFIXES;
use self::safetensors::TensorFile;
use crate::progress::Advance;
use crate::tensor::Tensor;

/// The name that single-file checkpoints carry, in the order of preference.
const SINGLE_FILES: [&str; 2] = ["model.safetensors", "diffusion_pytorch_model.safetensors"];

/// Where the networks take their tensors from.
pub(crate) struct Checkpoint<'a> {
    folder: PathBuf,
    config: Config,
    source: Source<'a>,
    /// The tensors that were asked for, and the shapes they were asked for in.
    used: RefCell<HashMap<String, Vec<usize>>>,
}

enum Source<'a> {
    Files {
        files: RefCell<Vec<TensorFile>>,
        file_of: HashMap<String, usize>,
        reporter: &'a dyn Advance,
    },
    /// Every tensor exists: its values are drawn when it is first asked for, and kept.
    Drawn {
        draw: &'a dyn Fn(&str, &[usize]) -> Tensor,
        kept: RefCell<BTreeMap<String, Tensor>>,
    },
}

impl<'a> Checkpoint<'a> {
    /// Opens `folder`; reads headers only.
    pub(crate) fn open(folder: &Path, reporter: &'a dyn Advance) -> Result<Self> {
        let config = Config::read(&folder.join("config.json"))?;
        let mut files = Vec::new();
        let mut file_of = HashMap::new();
        for path in tensor_files(folder)? {
            let file = TensorFile::open(&path)?;
            for name in file.names() {
                file_of.insert(name, files.len());
            }
            files.push(file);
        }
        let source = Source::Files { files: RefCell::new(files), file_of, reporter };
        Ok(Self { folder: folder.to_owned(), config, source, used: RefCell::default() })
    }

    /// A checkpoint that holds whatever it is asked for.
    pub(crate) fn drawn(config: Config, draw: &'a dyn Fn(&str, &[usize]) -> Tensor) -> Self {
        let source = Source::Drawn { draw, kept: RefCell::default() };
        Self { folder: PathBuf::new(), config, source, used: RefCell::default() }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn root(&self) -> Part<'_> {
        Part { checkpoint: self, prefix: String::new() }
    }

    /// Path and size of every tensor file.
    pub(crate) fn files(&self) -> Vec<(PathBuf, u64)> {
        match &self.source {
            Source::Files { files, .. } => {
                files.borrow().iter().map(|f| (f.path().to_owned(), f.bytes())).collect()
            }
            Source::Drawn { .. } => Vec::new(),
        }
    }

    /// Values of the stored tensors whose names begin with one of `prefixes`.
    pub(crate) fn value_count(&self, prefixes: &[&str]) -> u64 {
        let Source::Files { files, file_of, .. } = &self.source else { return 0 };
        let files = files.borrow();
        let asked = file_of.iter().filter(|(name, _)| prefixes.iter().any(|p| name.starts_with(p)));
        let shapes = asked.filter_map(|(name, &file)| files[file].shape(name));
        shapes.map(|shape| shape.iter().product::<usize>() as u64).sum()
    }

    /// A digest of the tensors under `prefixes` that were asked for: names, shapes and values as f32, in the order of names.
    pub(crate) fn digest(&self, prefixes: &[&str]) -> Result<Sha256> {
        let mut asked: Vec<(String, Vec<usize>)> = self.used.borrow().clone().into_iter().collect();
        asked.retain(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        asked.sort();
        let mut hash = Sha256::new();
        for (name, shape) in asked {
            hash.update(format!("{name} {shape:?}\n"));
            self.tensor(&name, &shape)?.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        Ok(hash)
    }

    /// Values of the tensors that were asked for so far, each counted once.
    pub(crate) fn values_used(&self) -> u64 {
        self.used.borrow().values().map(|shape| shape.iter().product::<usize>() as u64).sum()
    }

    /// What was drawn so far, by name.
    pub(crate) fn into_drawn(self) -> BTreeMap<String, Tensor> {
        match self.source {
            Source::Drawn { kept, .. } => kept.into_inner(),
            Source::Files { .. } => BTreeMap::new(),
        }
    }

    fn holds(&self, name: &str) -> bool {
        match &self.source {
            Source::Files { file_of, .. } => file_of.contains_key(name),
            Source::Drawn { .. } => true,
        }
    }

    /// The tensor, whose stored shape must be `shape` up to sides of length 1 at its end.
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let (files, file_of, reporter) = match &self.source {
            Source::Files { files, file_of, reporter } => (files, file_of, reporter),
            Source::Drawn { draw, kept } => {
                return Ok(kept
                    .borrow_mut()
                    .entry(name.to_owned())
                    .or_insert_with(|| draw(name, shape))
                    .clone());
            }
        };
        let old = names::old_attention_name(name).filter(|old| file_of.contains_key(old));
        let stored = old.as_deref().filter(|_| !file_of.contains_key(name)).unwrap_or(name);
        let Some(&file) = file_of.get(stored) else {
            let text = format!("tensor {name} {shape:?} is missing: {}", self.folder.display());
            return Err(Error::new(ErrorKind::Incompatible, text));
        };
        let file = &mut files.borrow_mut()[file];
        let found = file.shape(stored).unwrap_or_default();
        if trimmed(found) != trimmed(shape) {
            let text =
                format!("tensor {stored} should be {shape:?}, found {found:?}: {}", file.path().display());
            return Err(Error::new(ErrorKind::Incompatible, text));
        }
        let values = file.values(stored)?;
        self.used.borrow_mut().insert(name.to_owned(), shape.to_vec());
        reporter.advance(4 * values.len() as u64)?;
        Ok(Tensor::new(shape, values))
    }
}

/// The tensors under one prefix.
#[derive(Clone)]
pub(crate) struct Part<'a> {
    checkpoint: &'a Checkpoint<'a>,
    prefix: String,
}

impl<'a> Part<'a> {
    /// The part below, `name` without its dot.
    pub(crate) fn part(&self, name: &str) -> Self {
        Self { checkpoint: self.checkpoint, prefix: format!("{}{name}.", self.prefix) }
    }

    /// The part under the first of `prefixes` that holds `probe`, or under the last.
    pub(crate) fn under_first(&self, prefixes: &[&str], probe: &str) -> Self {
        let held = prefixes.iter().find(|prefix| self.checkpoint.holds(&format!("{prefix}{probe}")));
        let prefix = held.or(prefixes.last()).copied().unwrap_or_default().to_owned();
        Self { checkpoint: self.checkpoint, prefix }
    }

    /// The whole checkpoint's `config.json`.
    pub(crate) fn config(&self) -> &'a Config {
        self.checkpoint.config()
    }

    /// Without its trailing dot, for the names of nodes.
    pub(crate) fn path(&self) -> &str {
        self.prefix.trim_end_matches('.')
    }

    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.checkpoint.tensor(&format!("{}{name}", self.prefix), shape)
    }

    /// `name.weight`.
    pub(crate) fn weight(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.tensor(&format!("{name}.weight"), shape)
    }

    /// `name.bias`.
    pub(crate) fn bias(&self, name: &str, width: usize) -> Result<Tensor> {
        self.tensor(&format!("{name}.bias"), &[width])
    }
}

fn trimmed(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().rev().take_while(|&&side| side == 1).count();
    &shape[..shape.len() - ones]
}

/// The one file with a known name, or the shards that an index lists, or the only safetensors file there is.
fn tensor_files(folder: &Path) -> Result<Vec<PathBuf>> {
    for name in SINGLE_FILES {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(vec![path]);
        }
    }
    for name in SINGLE_FILES {
        let index = folder.join(format!("{name}.index.json"));
        if index.is_file() {
            return shards(folder, &index);
        }
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))? {
        let path = entry.map_err(|e| Error::io("list", folder, e))?.path();
        if path.extension().is_some_and(|e| e == "safetensors") {
            found.push(path);
        }
    }
    match found.len() {
        1 => Ok(found),
        count => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "{} or {} should exist; found {count} other safetensors files: {}",
                SINGLE_FILES[0],
                SINGLE_FILES[1],
                folder.display()
            ),
        )),
    }
}

fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = std::fs::read(index).map_err(|e| Error::io("read the index", index, e))?;
    let parsed: Index = serde_json::from_slice(&text).map_err(|e| {
        Error::new(ErrorKind::Corrupt, format!("malformed index ({e}): {}", index.display())).caused_by(e)
    })?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    if let Some(name) = names.iter().find(|name| name.contains(['/', '\\', ':'])) {
        let text = format!("shard {name:?} lies outside the checkpoint: {}", index.display());
        return Err(Error::new(ErrorKind::Corrupt, text));
    }
    Ok(names.iter().map(|name| folder.join(name)).collect())
}

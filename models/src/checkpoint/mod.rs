//! Checkpoints in any published form, as named tensors and a configuration.
//!
//! | module | holds |
//! |---|---|
//! | `sources`, `layout`, `publishers` | which files of a folder are which network, and where missing ones come from |
//! | `file`, `stored` | an open file: where its tensors lie, and the values of one |
//! | `safetensors`, `torch` | the headers of the formats; nothing in a file is executed |
//! | `names` | the names that publishers gave the same tensor |
//! | `config`, `derive` | what the configuration states, and what the tensors say about it |
//! | `widths` | widths of networks that have no configuration |

mod config;
mod derive;
mod file;
mod layout;
mod names;
mod publishers;
mod safetensors;
mod sources;
mod stored;
mod torch;
mod widths;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) use self::config::Config;
use self::file::TensorFile;
pub(crate) use self::names::Role;
pub use self::sources::ModelVersion;
pub(crate) use self::sources::Sources;
pub(crate) use self::torch::boxes;
use crate::progress::Advance;
use crate::tensor::Tensor;

/// Prefixes before the keys of a Whisper encoder. Files are read without any; drawn checkpoints have the first.
pub(crate) const WHISPER_PREFIXES: [&str; 2] = ["model.encoder.", ""];

/// Where the networks take their tensors from.
pub(crate) struct Checkpoint<'a> {
    /// The file, or the folder of several: what messages name.
    place: PathBuf,
    config: Config,
    /// What the configuration said against the tensors.
    notes: Vec<String>,
    source: Source<'a>,
    /// The tensors that were asked for, and the shapes they were asked for in.
    used: RefCell<HashMap<String, Vec<usize>>>,
}

enum Source<'a> {
    Files {
        files: RefCell<Vec<TensorFile>>,
        /// By the name that the graphs use: the file, and the name that it uses.
        stored: HashMap<String, (usize, String)>,
        reporter: &'a dyn Advance,
    },
    /// Every tensor exists: its values are drawn when it is first asked for, and kept.
    Drawn { draw: &'a dyn Fn(&str, &[usize]) -> Tensor, kept: RefCell<BTreeMap<String, Tensor>> },
}

impl<'a> Checkpoint<'a> {
    /// Opens the files of one network; reads headers only. What the tensors decide is taken from them; what no
    /// configuration states is as the published network has it.
    pub(crate) fn open(
        role: Role,
        paths: &[PathBuf],
        config: Option<Config>,
        reporter: &'a dyn Advance,
    ) -> Result<Self> {
        let files = paths.iter().map(|path| TensorFile::open(path)).collect::<Result<Vec<_>>>()?;
        let place = match paths {
            [path] => path.clone(),
            _ => paths.first().and_then(|path| path.parent()).unwrap_or(Path::new("")).to_owned(),
        };
        let file_of: BTreeMap<&str, usize> = files
            .iter()
            .enumerate()
            .flat_map(|(at, file)| file.names().map(move |name| (name, at)))
            .collect();
        let stored: HashMap<String, (usize, String)> = names::canonical(role, file_of.keys().copied())
            .into_iter()
            .map(|(name, stored)| (name, (file_of[stored], stored.to_owned())))
            .collect();
        let facts = derive::facts(role, |name| {
            let (file, stored) = stored.get(name)?;
            files[*file].shape(stored)
        });
        let dims =
            files.iter().flat_map(TensorFile::dims).map(|(key, value)| (key.clone(), *value)).collect();
        let defaults = derive::defaults(role, &facts, &dims);
        let (mut config, configured) = match config {
            Some(config) => (config, true),
            None => (Config::from_value(&place, &Value::Null), false),
        };
        let mut notes = config.reconcile(facts, defaults);
        if !configured && !matches!(role, Role::FaceParser | Role::FaceDetector) {
            notes.push(format!(
                "there is no configuration; what the tensors do not tell is taken to be as published: {}",
                place.display()
            ));
        }
        let source = Source::Files { files: RefCell::new(files), stored, reporter };
        Ok(Self { place, config, notes, source, used: RefCell::default() })
    }

    /// A checkpoint that holds whatever it is asked for.
    pub(crate) fn drawn(config: Config, draw: &'a dyn Fn(&str, &[usize]) -> Tensor) -> Self {
        let source = Source::Drawn { draw, kept: RefCell::default() };
        Self { place: PathBuf::new(), config, notes: Vec::new(), source, used: RefCell::default() }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// What a person should know about the configuration; told once.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
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
        let Source::Files { files, stored, .. } = &self.source else { return 0 };
        let files = files.borrow();
        let asked = stored.iter().filter(|(name, _)| prefixes.iter().any(|p| name.starts_with(p)));
        let shapes = asked.filter_map(|(_, (file, stored))| files[*file].shape(stored));
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
            Source::Files { stored, .. } => stored.contains_key(name),
            Source::Drawn { .. } => true,
        }
    }

    /// The tensor, whose stored shape must be `shape` up to sides of length 1 at its end.
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let (files, stored, reporter) = match &self.source {
            Source::Files { files, stored, reporter } => (files, stored, reporter),
            Source::Drawn { draw, kept } => {
                return Ok(kept
                    .borrow_mut()
                    .entry(name.to_owned())
                    .or_insert_with(|| draw(name, shape))
                    .clone());
            }
        };
        let Some((file, stored)) = stored.get(name) else {
            let text = format!("tensor {name} {shape:?} is missing: {}", self.place.display());
            return Err(Error::new(ErrorKind::Incompatible, text));
        };
        let file = &mut files.borrow_mut()[*file];
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

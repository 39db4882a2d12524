//! `config.json` of a checkpoint: typed answers, and options this crate does not know refused by name.
//!
//! Where it contradicts the tensors, the tensors are believed: MuseTalk 1.5 was first published with a configuration that
//! stated other channels than its weights had.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

use super::derive::Facts;

/// The largest width, depth or length that a configuration may state.
const LARGEST: u64 = 1 << 16;

/// The options of one checkpoint.
#[derive(Debug)]
pub(crate) struct Config {
    file: PathBuf,
    options: Map<String, Value>,
}

impl Config {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).map_err(|e| Error::io("read the configuration", file, e))?;
        let options = serde_json::from_slice(&text).map_err(|e| {
            Error::new(ErrorKind::Corrupt, format!("not a JSON object ({e}): {}", file.display()))
                .caused_by(e)
        })?;
        Ok(Self { file: file.to_owned(), options })
    }

    /// From values in memory; `file` is what messages name.
    pub(crate) fn from_value(file: &Path, value: &Value) -> Self {
        Self { file: file.to_owned(), options: value.as_object().cloned().unwrap_or_default() }
    }

    /// The network that it says it configures, in its own words.
    pub(crate) fn declared(&self) -> Option<&str> {
        ["_class_name", "model_type"].iter().find_map(|key| self.stated(key)?.as_str())
    }

    /// States `facts` that it leaves out or contradicts, and `defaults` that it leaves out. Returns the contradictions
    /// in words. A value of the wrong type stays, to be refused by whoever asks for it.
    pub(crate) fn reconcile(&mut self, facts: Facts, defaults: Facts) -> Vec<String> {
        let mut notes = Vec::new();
        for (key, fact) in facts {
            match self.stated(key) {
                Some(stated) if agree(stated, &fact) || !sensible(stated) => continue,
                Some(stated) => notes.push(format!(
                    "{key} is {stated} in the configuration and {fact} in the tensors, which are believed: {}",
                    self.file.display()
                )),
                None => {}
            }
            self.options.insert(key.to_owned(), fact);
        }
        for (key, default) in defaults {
            if self.stated(key).is_none() {
                self.options.insert(key.to_owned(), default);
            }
        }
        notes
    }

    /// A count from 1 to 65536.
    pub(crate) fn count(&self, key: &str) -> Result<usize> {
        match self.stated(key) {
            Some(value) => self.as_count(key, value),
            None => Err(self.wrong(key, "a whole number", None)),
        }
    }

    pub(crate) fn count_or(&self, key: &str, default: usize) -> Result<usize> {
        self.stated(key).map_or(Ok(default), |value| self.as_count(key, value))
    }

    /// One count for every block, or a list with one per block.
    pub(crate) fn counts(&self, key: &str, blocks: usize) -> Result<Vec<usize>> {
        match self.stated(key) {
            Some(Value::Array(list)) if list.len() == blocks => {
                list.iter().map(|v| self.as_count(key, v)).collect()
            }
            Some(value @ Value::Number(_)) => Ok(vec![self.as_count(key, value)?; blocks]),
            other => Err(self.wrong(key, &format!("a whole number or a list of {blocks}"), other)),
        }
    }

    /// A list of counts of any length from 1 to 16.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<usize>> {
        match self.stated(key) {
            Some(Value::Array(list)) if (1..=16).contains(&list.len()) => {
                list.iter().map(|v| self.as_count(key, v)).collect()
            }
            other => Err(self.wrong(key, "a list of 1 to 16 whole numbers", other)),
        }
    }

    pub(crate) fn names(&self, key: &str, blocks: usize) -> Result<Vec<String>> {
        let found = self.stated(key);
        let names = found.and_then(Value::as_array).filter(|list| list.len() == blocks);
        names
            .and_then(|list| list.iter().map(|v| v.as_str().map(str::to_owned)).collect())
            .ok_or_else(|| self.wrong(key, &format!("a list of {blocks} names"), found))
    }

    pub(crate) fn number_or(&self, key: &str, default: f64) -> Result<f64> {
        match self.stated(key) {
            None => Ok(default),
            Some(value) => match value.as_f64() {
                Some(number) if number.is_finite() => Ok(number),
                _ => Err(self.wrong(key, "a number", Some(value))),
            },
        }
    }

    pub(crate) fn flag_or(&self, key: &str, default: bool) -> Result<bool> {
        match self.stated(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            other => Err(self.wrong(key, "true or false", other)),
        }
    }

    /// Refuses an option whose value is none of `known`; an absent option and null pass.
    pub(crate) fn only(&self, key: &str, known: &[Value]) -> Result<()> {
        match self.stated(key) {
            Some(value) if !known.iter().any(|k| same(k, value)) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("option {key} = {value} is not supported: {}", self.file.display()),
            )),
            _ => Ok(()),
        }
    }

    /// An option of a sensible type with a value this crate cannot follow.
    pub(crate) fn unsupported(&self, what: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Unsupported, format!("{what} is not supported: {}", self.file.display()))
    }

    /// `what` must be divisible by `by`.
    pub(crate) fn divisible(&self, what: &str, value: usize, by_what: &str, by: usize) -> Result<()> {
        if !value.is_multiple_of(by) {
            let text = format!("{what} {value} is not a multiple of {by_what} {by}: {}", self.file.display());
            return Err(Error::new(ErrorKind::Incompatible, text));
        }
        Ok(())
    }

    /// `value` must lie in `range`, which is what the reader of packs takes.
    pub(crate) fn within(&self, what: &str, value: usize, range: RangeInclusive<usize>) -> Result<()> {
        if range.contains(&value) {
            return Ok(());
        }
        let (from, to) = range.into_inner();
        let allowed = if from == to { format!("{from} is") } else { format!("{from} to {to} are") };
        let text = format!("{what} = {value} is not supported, {allowed}: {}", self.file.display());
        Err(Error::new(ErrorKind::Unsupported, text))
    }

    fn stated(&self, key: &str) -> Option<&Value> {
        self.options.get(key).filter(|value| !value.is_null())
    }

    fn as_count(&self, key: &str, value: &Value) -> Result<usize> {
        match value.as_u64() {
            Some(count) if (1..=LARGEST).contains(&count) => Ok(count as usize),
            _ => Err(self.wrong(key, "a whole number from 1 to 65536", Some(value))),
        }
    }

    fn wrong(&self, key: &str, expected: &str, found: Option<&Value>) -> Error {
        let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
        let text = format!("option {key} should be {expected}, found {found}: {}", self.file.display());
        Error::new(ErrorKind::Corrupt, text)
    }
}

/// Whether both say the same, where one number can stand for a list of equal ones.
fn agree(stated: &Value, fact: &Value) -> bool {
    match (stated, fact) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Array(list), one) | (one, Value::Array(list)) => list.iter().all(|item| same(item, one)),
        (a, b) => same(a, b),
    }
}

/// Whether a value is one that a published configuration could state and be wrong in: counts, flags, known blocks.
fn sensible(stated: &Value) -> bool {
    const BLOCKS: [&str; 4] = ["DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"];
    match stated {
        Value::Bool(_) => true,
        Value::Number(number) => number.as_u64().is_some_and(|count| (1..=LARGEST).contains(&count)),
        Value::String(name) => BLOCKS.contains(&name.as_str()),
        Value::Array(list) => !list.is_empty() && list.iter().all(|item| !item.is_array() && sensible(item)),
        _ => false,
    }
}

/// Equal, where 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b)
}

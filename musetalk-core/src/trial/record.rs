use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::files;
use crate::pack::{ModelPack, unique};
use crate::{Error, ErrorKind, Result};

/// What each network answered when the pack was built, as its `self_test` file says.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    answers: BTreeMap<String, Vec<f64>>,
}

/// 512 numbers for each of seven networks have a hundred kilobytes.
const LIMIT: u64 = 4 << 20;

impl Record {
    /// Reads it; a pack without one has recorded nothing.
    pub(crate) fn of(pack: &ModelPack) -> Result<Self> {
        let manifest = pack.manifest();
        let Some(name) = &manifest.self_test else {
            return Ok(Self { path: pack.folder().join("pack.json"), answers: BTreeMap::new() });
        };
        let path = pack.folder().join(name);
        let text = files::read_small(&path, LIMIT)?;
        let mut record = Self { path, answers: BTreeMap::new() };
        let mut json = serde_json::Deserializer::from_slice(&text);
        record.answers = unique(&mut json)
            .and_then(|answers| json.end().map(|()| answers))
            .map_err(|e| record.malformed(&e.to_string()).caused_by(e))?;
        match record.answers.keys().find(|role| !manifest.networks.contains_key(*role)) {
            Some(stranger) => Err(record.malformed(&format!("the pack has no network {stranger}"))),
            None => Ok(record),
        }
    }

    pub(crate) fn knows(&self, role: &str) -> bool {
        self.answers.contains_key(role)
    }

    pub(super) fn answer(&self, role: &str) -> Option<&[f64]> {
        self.answers.get(role).map(Vec::as_slice)
    }

    pub(super) fn malformed(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("malformed self-test ({what}); build the pack again: {}", self.path.display()),
        )
    }
}

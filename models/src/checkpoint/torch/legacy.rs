//! Files of PyTorch before 1.6: five pickles in a row, then every storage as a count and its values.
//!
//! A magic number, the protocol, the machine's properties, the object, the keys of the storages in their order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use super::value::{Built, Node, StorageView};
use super::{pickle, state};
use crate::checkpoint::file::{Contents, damaged};
use crate::checkpoint::stored::{Element, Storage};

const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const PROTOCOL: i128 = 1001;

pub(crate) fn contents(file: &mut File, path: &Path, bytes: u64) -> Result<Contents> {
    let mut input = BufReader::new(&mut *file);
    let mut at = 0;
    let mut next = || -> Result<Built> {
        let (built, end) = pickle::read(&mut input, path, "", at)?;
        at = end;
        Ok(built)
    };
    if !matches!(next()?.root(), Node::Integer(MAGIC)) {
        return Err(damaged(path, "the pickle at its start is not that of torch.save"));
    }
    if !matches!(next()?.root(), Node::Integer(PROTOCOL)) {
        return Err(damaged(path, "the protocol of this torch file is not 1001"));
    }
    check_machine(&next()?, path)?;
    let (object, keys) = (next()?, next()?);
    drop(input);
    let storages = storages(file, path, at..bytes, &object, &keys)?;
    state::contents(&object, path, |view| match storages.get(view.key.as_str()) {
        Some(storage) => Ok(storage.clone()),
        None => Err(format!("has storage {}, which is not in the file", view.key)),
    })
}

fn check_machine(built: &Built, path: &Path) -> Result<()> {
    let little = built.entries(built.root()).find(|(key, _)| *key == "little_endian").map(|(_, node)| node);
    match little {
        Some(Node::Flag(true)) => Ok(()),
        Some(Node::Flag(false)) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "its values are big-endian; save the file again on a little-endian machine: {}",
                path.display()
            ),
        )),
        _ => Err(damaged(path, "the properties of the machine that wrote it are missing")),
    }
}

/// Where every storage lies, by key: in the order of `keys`, up to the end of the file exactly.
fn storages<'a>(
    file: &mut File,
    path: &Path,
    mut left: std::ops::Range<u64>,
    object: &'a Built,
    keys: &'a Built,
) -> Result<HashMap<&'a str, Storage>> {
    let declared = declared(object, path)?;
    let Node::List(keys_in_order) = keys.root() else {
        return Err(damaged(path, "the keys of the storages are no list"));
    };
    let mut storages = HashMap::new();
    for &key in keys_in_order {
        let Node::Text(key) = keys.node(key) else {
            return Err(damaged(path, "the key of a storage is no text"));
        };
        let Some(&(element, count)) = declared.get(key.as_str()) else {
            return Err(damaged(path, format!("storage {key:.100} belongs to no tensor")));
        };
        let mut found = [0; 8];
        let read = file.seek(SeekFrom::Start(left.start)).and_then(|_| file.read_exact(&mut found));
        read.map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => damaged(path, format!("it ends before storage {key:.100}")),
            _ => Error::io("read the header of", path, e),
        })?;
        let found = u64::from_le_bytes(found);
        if found != count {
            let owner = state::owner(object, key);
            let text = format!("tensor {owner:.200} has storage {key} of {count} values, which has {found}");
            return Err(damaged(path, text));
        }
        let start = left.start + 8;
        let end = state::size(element, count).and_then(|bytes| start.checked_add(bytes));
        let Some(end) = end.filter(|end| *end <= left.end) else {
            let owner = state::owner(object, key);
            let text =
                format!("tensor {owner:.200} has storage {key} of {count} values, longer than the file");
            return Err(damaged(path, text));
        };
        if storages.insert(key.as_str(), Storage { bytes: start..end, checksum: None }).is_some() {
            return Err(damaged(path, format!("storage {key:.100} is there twice")));
        }
        left.start = end;
    }
    match left.is_empty() {
        true => Ok(storages),
        false => Err(damaged(path, format!("{} bytes follow the last storage", left.end - left.start))),
    }
}

/// Number format and values of every storage that a tensor lies in.
fn declared<'a>(object: &'a Built, path: &Path) -> Result<HashMap<&'a str, (&'a Element, u64)>> {
    let mut declared = HashMap::new();
    for node in object.nodes() {
        let Node::Storage(StorageView { element, key, count }) = node else { continue };
        match declared.insert(key.as_str(), (element, *count)) {
            Some(other) if other != (element, *count) => {
                return Err(damaged(path, format!("storage {key} is described in two ways")));
            }
            _ => {}
        }
    }
    Ok(declared)
}

//! From what a pickle built to named tensors: wrappers are opened, what is no tensor is passed over.

use std::collections::BTreeMap;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use super::value::{Built, Node, StorageView, TensorView};
use crate::checkpoint::file::{Contents, damaged};
use crate::checkpoint::stored::{Element, Storage, Stored};

/// Keys under which training programs put a state dict, in the order of preference.
const WRAPPERS: [&str; 7] = ["state_dict", "model_state_dict", "model", "module", "unet", "net", "params"];

/// Wrappers in wrappers.
const DEEPEST: usize = 4;

/// The named tensors that `built` describes; `storages` says where the storage of a key lies.
pub(super) fn contents(
    built: &Built,
    path: &Path,
    storages: impl Fn(&StorageView) -> Result<Storage, String>,
) -> Result<Contents> {
    let (dict, dims) = opened(built);
    let mut tensors = BTreeMap::new();
    for (name, node) in built.entries(dict) {
        let Node::Tensor(view) = node else { continue };
        let stored = storages(&view.storage)
            .and_then(|storage| located(view, storage))
            .map_err(|what| damaged(path, format!("tensor {name:.200} {what}")))?;
        if tensors.insert(name.to_owned(), stored).is_some() {
            return Err(damaged(path, format!("tensor {name:.200} is there twice")));
        }
    }
    if tensors.is_empty() {
        let keys: Vec<&str> = built.entries(dict).map(|(key, _)| key).take(8).collect();
        let text = format!("no tensors were found, only the keys {keys:.200?}: {}", path.display());
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    Ok(Contents { tensors, dims })
}

/// The first tensor that lies in the storage of a key, for messages.
pub(super) fn owner<'a>(built: &'a Built, key: &str) -> &'a str {
    let (dict, _) = opened(built);
    let owns = |node: &Node| matches!(node, Node::Tensor(view) if view.storage.key == key);
    built.entries(dict).find(|(_, node)| owns(node)).map_or("of no name", |(name, _)| name)
}

/// The dictionary of tensors inside all wrappers, and the numbers found on the way.
fn opened(built: &Built) -> (&Node, BTreeMap<String, u64>) {
    let mut dict = built.root();
    let mut dims = BTreeMap::new();
    for _ in 0..DEEPEST {
        dims.extend(numbers(built, dict));
        match wrapped(built, dict) {
            Some(inner) => dict = inner,
            None => break,
        }
    }
    (dict, dims)
}

fn wrapped<'a>(built: &'a Built, dict: &'a Node) -> Option<&'a Node> {
    let under = |wrapper: &str| {
        built
            .entries(dict)
            .find(|(key, node)| *key == wrapper && matches!(node, Node::Dict(_)))
            .map(|(_, n)| n)
    };
    WRAPPERS.iter().find_map(|wrapper| under(wrapper))
}

/// The whole numbers of `dims`.
fn numbers<'a>(built: &'a Built, dict: &'a Node) -> impl Iterator<Item = (String, u64)> {
    let dims = built.entries(dict).find(|(key, _)| *key == "dims").map(|(_, node)| node);
    let entries = dims.into_iter().flat_map(|dims| built.entries(dims)).take(64);
    entries.filter_map(|(key, node)| match node {
        Node::Integer(value) => Some((key.to_owned(), u64::try_from(*value).ok()?)),
        _ => None,
    })
}

fn located(view: &TensorView, storage: Storage) -> Result<Stored, String> {
    let TensorView { storage: StorageView { element, count, .. }, offset, shape, strides } = view;
    let held = (storage.bytes.end - storage.bytes.start) / element.bytes() as u64;
    if held < *count {
        return Err(format!("has a storage of {count} values, of which {held} are there"));
    }
    Stored::new(element.clone(), shape.clone(), strides.clone(), *offset, storage)
}

/// The bytes that `count` values take, if a file could hold them.
pub(super) fn size(element: &Element, count: u64) -> Option<u64> {
    count.checked_mul(element.bytes() as u64)
}

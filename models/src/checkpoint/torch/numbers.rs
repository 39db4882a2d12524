//! Pickled lists of whole numbers, such as the boxes that MuseTalk's scripts leave.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use musetalk_core::{Error, Result};

use super::pickle;
use super::value::{Built, Id, Node};
use crate::checkpoint::file::damaged;

/// The file's list of boxes: four whole numbers each. Python's own numbers and NumPy's are read; nothing is executed.
pub(crate) fn boxes(path: &Path) -> Result<Vec<[i32; 4]>> {
    let about = std::fs::metadata(path).map_err(|e| Error::io("read the boxes", path, e))?;
    if !about.is_file() {
        return Err(damaged(path, "this must be a plain file"));
    }
    let file = File::open(path).map_err(|e| Error::io("read the boxes", path, e))?;
    let mut input = BufReader::new(file);
    let (built, _) = pickle::read_numbers(&mut input, path)?;
    if input.read(&mut [0]).map_err(|e| Error::io("read the boxes", path, e))? != 0 {
        return Err(damaged(path, "something follows the list of boxes"));
    }
    let Some(items) = items(built.root()) else {
        return Err(damaged(path, "it holds no list of boxes"));
    };
    let boxes = items.iter().enumerate().map(|(frame, &id)| {
        four(&built, id).ok_or_else(|| damaged(path, format!("box {frame} is not four whole numbers")))
    });
    boxes.collect()
}

fn items(node: &Node) -> Option<&[Id]> {
    match node {
        Node::List(items) | Node::Tuple(items) => Some(items),
        _ => None,
    }
}

fn four(built: &Built, id: Id) -> Option<[i32; 4]> {
    let [x1, y1, x2, y2] = *items(built.node(id))? else { return None };
    let edge = |id: Id| match built.node(id) {
        Node::Integer(value) => i32::try_from(*value).ok(),
        _ => None,
    };
    Some([edge(x1)?, edge(y1)?, edge(x2)?, edge(y2)?])
}

//! DWPose, the network that finds the landmarks of a face: taken as its published ONNX file, once that was checked.
//!
//! | | name | type | shape | range |
//! |---|---|---|---|---|
//! | in | `input` | f32 | `[batch, 3, 384, 288]` | RGB: (x − mean) / deviation, see below |
//! | out | `simcc_x` | f32 | `[batch, 133, 576]` | logits of the column of each keypoint, in halves of a pixel |
//! | out | `simcc_y` | f32 | `[batch, 133, 768]` | of its row |
//!
//! | | R | G | B |
//! |---|---|---|---|
//! | mean | 123.675 | 116.28 | 103.53 |
//! | deviation | 58.395 | 57.12 | 57.375 |

#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::Path;

use musetalk_core::{Error, ErrorKind, Result};

use crate::graph::Port;
use crate::manifest::Network;
use crate::onnx::{Element, Fault, Foreign, ForeignPort, Written, write_file};

/// What a pack calls the network.
pub(crate) const ROLE: &str = "face_landmarks";

/// The published file has 134 MB.
const LARGEST: u64 = 256 << 20;

const INPUTS: [(&str, &[usize]); 1] = [("input", &[3, 384, 288])];

const OUTPUTS: [(&str, &[usize]); 2] = [("simcc_x", &[133, 576]), ("simcc_y", &[133, 768])];

/// Checks the file and copies it into `folder`. Nothing is written where it is refused.
///
/// # Errors
///
/// - `NotFound`, `Io`: it could not be read, or the copy not written.
/// - `Corrupt`: it is no ONNX file, is damaged, or larger than any that is meant.
/// - `Incompatible`: its inputs or outputs are those of another network.
/// - `Unsupported`: it needs other files, other operators, or an unbounded run.
pub(crate) fn take(path: &Path, folder: &Path) -> Result<(Network, Written)> {
    let bytes = read(path)?;
    let refused = |kind, what: String| Error::new(kind, format!("{what}: {}", path.display()));
    let found = Foreign::read(&bytes).map_err(|fault| match fault {
        Fault::Damaged(what) => refused(ErrorKind::Corrupt, what),
        Fault::Refused(what) => refused(ErrorKind::Unsupported, format!("{what}, which is not supported")),
    })?;
    fit("input", &found.inputs, &INPUTS).and_then(|()| fit("output", &found.outputs, &OUTPUTS)).map_err(
        |what| refused(ErrorKind::Incompatible, format!("this is not DWPose of 384×288 pixels: {what}")),
    )?;
    let file = format!("{ROLE}.onnx");
    let single = found.inputs[0].sides[0].is_some();
    let ports = |ports: &[(&str, &[usize])]| -> Vec<Port> {
        ports.iter().map(|(name, shape)| Port::new(name, Element::F32, shape, &[])).collect()
    };
    let network = Network::published(&file, &ports(&INPUTS), &ports(&OUTPUTS), found.parameters, single);
    Ok((network, write_file(folder, &file, &bytes)?))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let about = std::fs::metadata(path).map_err(|e| Error::io("read the size of", path, e))?;
    let refused = |what: String| Err(Error::new(ErrorKind::Corrupt, format!("{what}: {}", path.display())));
    if !about.is_file() {
        return refused("this is no file".into());
    }
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > LARGEST {
        return refused(format!("a network of more than {LARGEST} bytes is not DWPose"));
    }
    Ok(bytes)
}

/// Every port that is expected is there, and no other. A batch is of any size or one; what is wrong otherwise.
fn fit(kind: &str, found: &[ForeignPort], expected: &[(&str, &[usize])]) -> Result<(), String> {
    for (name, shape) in expected {
        let port = found.iter().find(|port| port.name == *name);
        let port = port.ok_or_else(|| {
            let names: Vec<&str> = found.iter().map(|port| port.name.as_str()).take(8).collect();
            format!("it has no {kind} {name}, only {names:?}")
        })?;
        let is_input = kind == "input";
        let Some((batch, sides)) = port.sides.split_first().filter(|_| port.sides.len() == shape.len() + 1)
        else {
            return Err(format!(
                "{kind} {name} has {} sides, expected {}",
                port.sides.len(),
                shape.len() + 1
            ));
        };
        // Exporters leave lengths of outputs open that they did not work out; an input's are always stated.
        let agree = |side: &Option<u64>, length: usize| side.map_or(!is_input, |side| side == length as u64);
        if !matches!(batch, None | Some(1))
            || !sides.iter().zip(*shape).all(|(side, &length)| agree(side, length))
        {
            return Err(format!(
                "{kind} {name} is {}, expected [batch, {}]",
                in_words(&port.sides),
                listed(shape)
            ));
        }
        if port.element != Element::F32 as u64 {
            return Err(format!("{kind} {name} is not of 32-bit floats"));
        }
    }
    match found.len() == expected.len() {
        true => Ok(()),
        false => Err(format!("it has {} {kind}s, expected {}", found.len(), expected.len())),
    }
}

fn in_words(sides: &[Option<u64>]) -> String {
    let sides: Vec<String> =
        sides.iter().map(|side| side.map_or("free".into(), |side| side.to_string())).collect();
    format!("[{}]", sides.join(", "))
}

fn listed(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

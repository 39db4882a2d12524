//! The ONNX file format: the messages this crate writes, the writer, and a look through files that others wrote.

mod file;
mod foreign;
mod message;

pub(crate) use self::file::{WeightStore, Written, encoded, hex, write_file, write_model};
pub(crate) use self::foreign::{Fault, Foreign, ForeignPort};
pub(crate) use self::message::*;

//! The ONNX file format: the messages this crate writes, and the writer.

mod file;
mod message;

pub(crate) use self::file::{WeightStore, Written, encoded, hex, write_file, write_model};
pub(crate) use self::message::*;

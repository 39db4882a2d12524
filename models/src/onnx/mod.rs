//! The ONNX file format: the messages this crate writes, and the writer.

mod file;
mod message;

pub(crate) use self::file::{WeightStore, Written, hex, write_file, write_model};
pub(crate) use self::message::*;

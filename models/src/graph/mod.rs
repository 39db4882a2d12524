//! Graphs: a builder with one method per operation, and the layers that more than one network is made of.

mod builder;
mod course;
pub(crate) mod layers;
mod pictures;
mod pictures_trial;
mod trial;
mod twin;

pub(crate) use self::builder::{Built, Constant, Graph, Pads, Port, Value};

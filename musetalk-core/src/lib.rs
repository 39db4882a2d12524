//! Speech in, pictures of a talking face out.
mod error;
pub use error::{Error, ErrorKind, Result};

//! Speech in, pictures of a talking face out.
#[allow(dead_code, reason = "the session, which calls it, is not in this tree yet")]
mod audio;
#[allow(dead_code, reason = "the session, which calls it, is not in this tree yet")]
mod compose;
mod error;
pub use error::{Error, ErrorKind, Result};

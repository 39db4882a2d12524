//! The C interface. A doc comment here is read twice: in rustdoc, and in `include/musetalk.h`.
//!
//! `CONVENTIONS.md` is the page that every function obeys.
//!
//! # Safety
//!
//! One contract for every function, so that it need not be repeated: a pointer to a struct, a string or a buffer is NULL or valid for
//! the call, and a buffer has the length given with it. The pointers of opaque objects may hold anything: they are names that are looked up.
#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(clippy::missing_safety_doc, reason = "said once, above: these comments become the C header")]

mod boundary;
mod callback;
mod half;
mod object;
mod place;

// In reading order, which cbindgen keeps; the blank lines keep rustfmt from sorting them.
mod version;

mod status;

mod engine;

mod avatar;

mod frame;

mod realtime;

mod wake;

mod log;

pub use avatar::*;
pub use callback::*;
pub use engine::*;
pub use frame::*;
pub use log::*;
pub use realtime::*;
pub use status::*;
pub use version::*;
pub use wake::*;

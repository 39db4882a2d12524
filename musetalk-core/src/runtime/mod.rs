//! ONNX Runtime: found, loaded, and run. The only folder that names `ort`.

mod environment;
mod network;
mod providers;
mod search;
mod telemetry;

pub use crate::cache::cache_dir;
pub use environment::RuntimeLibrary;
pub(crate) use network::{Answer, LoadOptions, Network};
pub use providers::candidates;
pub use search::{Search, search, set_python_package};

/// The version of ONNX Runtime that `musetalk setup` installs, and that this release was tested with.
pub const TESTED_VERSION: &str = "1.31.1";

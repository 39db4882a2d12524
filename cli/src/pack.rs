//! `musetalk pack`: building, reading and checking model packs.

mod add_face;
mod build;
mod inspect;
mod verify;

use musetalk_core::Result;

use crate::args;

/// Runs one of its commands.
///
/// # Errors
///
/// Of the kinds of [`PackBuilder::build`](musetalk_models::PackBuilder::build), [`ModelPack::open`](musetalk_core::ModelPack::open),
/// [`ModelPack::verify`](musetalk_core::ModelPack::verify) and [`SelfTest::check`](musetalk_core::SelfTest::check).
pub fn command(args: &args::Pack) -> Result<()> {
    match args {
        args::Pack::Build(args) => build::command(args),
        args::Pack::AddFace(args) => add_face::command(args),
        args::Pack::Inspect(args) => inspect::command(args),
        args::Pack::Verify(args) => verify::command(args),
    }
}

/// Bytes as people say them.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

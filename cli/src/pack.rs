//! `musetalk pack`: building, reading and checking model packs.

mod inspect;
mod verify;

use std::ops::ControlFlow;

use musetalk_core::Result;
use musetalk_models::PackBuilder;

use crate::args;
use crate::cancel;
use crate::progress::Progress;
use crate::report;

/// Runs one of its commands.
///
/// # Errors
///
/// Of the kinds of [`PackBuilder::build`], [`ModelPack::open`](musetalk_core::ModelPack::open),
/// [`ModelPack::verify`](musetalk_core::ModelPack::verify) and [`SelfTest::check`](musetalk_core::SelfTest::check).
pub fn command(args: &args::Pack) -> Result<()> {
    match args {
        args::Pack::Build(args) => build(args),
        args::Pack::Inspect(args) => inspect::command(args),
        args::Pack::Verify(args) => verify::command(args),
    }
}

fn build(args: &args::Build) -> Result<()> {
    let bar = Progress::suitable(false).bytes();
    let mut builder = PackBuilder::new(&args.from).replace(args.overwrite);
    if let Some(name) = &args.name {
        builder = builder.name(name);
    }
    let outcome = builder.build(&args.out, |progress| {
        bar.set_message(progress.step.to_owned());
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    let built = outcome?;
    let (parameters, bytes) = (built.parameters, size(built.bytes));
    report::line(&format!("{parameters} parameters, {bytes} in {}", built.folder.display()));
    Ok(())
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

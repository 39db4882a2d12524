//! `musetalk pack build`: checkpoints in, a pack out.

use std::ops::ControlFlow;

use musetalk_core::{Precision, Result};
use musetalk_models::{BuiltPack, ModelVersion, PackBuilder};
use serde_json::json;

use super::size;
use crate::args;
use crate::cancel;
use crate::progress::Progress;
use crate::report;

pub(super) fn command(args: &args::Build) -> Result<()> {
    let bar = Progress::suitable(args.json).bytes();
    let outcome = builder(args).build(&args.out, |progress| {
        bar.set_message(progress.step.to_owned());
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    let built = outcome?;
    if args.json {
        report::line(&in_json(&built));
    } else {
        in_words(&built);
    }
    Ok(())
}

fn builder(args: &args::Build) -> PackBuilder {
    let mut builder = PackBuilder::new(&args.from).replace(args.overwrite).precision(match args.precision {
        args::Precision::Fp32 => Precision::Fp32,
        args::Precision::Fp16 => Precision::Fp16,
    });
    if let Some(model) = args.model {
        builder = builder.version(match model {
            args::Model::V1 => ModelVersion::V1,
            args::Model::V15 => ModelVersion::V15,
        });
    }
    match &args.name {
        Some(name) => builder.name(name),
        None => builder,
    }
}

fn in_json(built: &BuiltPack) -> String {
    json!({
        "folder": built.folder,
        "parameters": built.parameters,
        "bytes": built.bytes,
        "notes": built.notes,
        "absent": built.absent,
    })
    .to_string()
}

fn in_words(built: &BuiltPack) {
    for note in &built.notes {
        report::note(&format!("note: {note}"));
    }
    if !built.absent.is_empty() {
        report::note("not there, and needed only to make avatars from footage:");
        built.absent.iter().for_each(|absent| report::note(&format!("  {absent}")));
    }
    let (parameters, bytes) = (built.parameters, size(built.bytes));
    report::line(&format!("{parameters} parameters, {bytes} in {}", built.folder.display()));
}

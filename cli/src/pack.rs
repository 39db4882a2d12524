//! `musetalk pack`: building, reading and checking model packs.

use std::ops::ControlFlow;

use musetalk_core::{Manifest, ModelPack, Result};
use musetalk_models::PackBuilder;
use serde_json::json;

use crate::args;
use crate::cancel;
use crate::progress::Progress;
use crate::report;

/// Runs one of its commands.
///
/// # Errors
///
/// Of the kinds of [`PackBuilder::build`], [`ModelPack::open`] and [`ModelPack::verify`].
pub fn command(args: &args::Pack) -> Result<()> {
    match args {
        args::Pack::Build(args) => build(args),
        args::Pack::Inspect(args) => inspect(args),
        args::Pack::Verify(args) => verify(args),
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

fn inspect(args: &args::Inspect) -> Result<()> {
    let pack = ModelPack::open(&args.path)?;
    if args.json {
        report::line(&json!(pack.manifest()).to_string());
        return Ok(());
    }
    for line in in_words(pack.manifest()) {
        report::line(&line);
    }
    Ok(())
}

fn verify(args: &args::Verify) -> Result<()> {
    let pack = ModelPack::open(&args.path)?;
    let bar = Progress::suitable(false).bytes();
    let outcome = pack.verify(|done, total| {
        bar.set_length(total);
        bar.set_position(done);
        if cancel::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    outcome?;
    let files = &pack.manifest().files;
    let bytes: u64 = files.values().map(|file| file.bytes).sum();
    report::line(&format!("{} files, {}: every one is as it was packed", files.len(), size(bytes)));
    Ok(())
}

fn in_words(manifest: &Manifest) -> Vec<String> {
    let mut lines = vec![format!("pack       {} (format {})", manifest.name, manifest.format)];
    if !manifest.description.is_empty() {
        lines.push(format!("           {}", manifest.description));
    }
    if !manifest.made_by.is_empty() {
        lines.push(format!("made by    {}", manifest.made_by));
    }
    let image = &manifest.image;
    lines.push(format!(
        "pictures   {0}x{0} pixels, latents {1}x{1}x{2}, {3} a second",
        image.size,
        image.latent_size,
        image.latent_channels,
        f64::from(manifest.fps[0]) / f64::from(manifest.fps[1].max(1))
    ));
    let audio = &manifest.audio;
    lines.push(format!(
        "sound      window {:.2} s, look-ahead {} ms, groups of {:?} frames",
        f64::from(audio.positions) * 0.02,
        u64::from(audio.look_ahead) * 1000 / u64::from(audio.sample_rate.max(1)),
        audio.groups
    ));
    for (role, network) in &manifest.networks {
        lines.push(format!(
            "network    {role}: {} parameters, {:.0} million multiplications, {}",
            network.parameters,
            network.macs as f64 / 1e6,
            network.file
        ));
    }
    for weights in &manifest.weights {
        lines
            .push(format!("weights    {}: {}, licence {}", weights.network, weights.origin, weights.licence));
    }
    match &manifest.parity {
        Some(parity) => {
            for (network, error) in &parity.relative_error {
                lines.push(format!("parity     {network}: relative error {error:.1e}"));
            }
        }
        None => lines.push("parity     never compared with a reference".to_owned()),
    }
    let bytes = manifest.files.values().map(|file| file.bytes).sum();
    lines.push(format!("files      {}, {}", manifest.files.len(), size(bytes)));
    lines
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

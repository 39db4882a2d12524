//! `musetalk pack inspect`: what a pack holds, and what its networks cost.

use musetalk_core::{
    Dimension, Manifest, ModelPack, NetworkEntry, Optimisation, Precision, Result, TensorEntry,
};
use serde_json::{Value, json};

use super::size;
use crate::args;
use crate::report;

pub(super) fn command(args: &args::Inspect) -> Result<()> {
    let pack = ModelPack::open(&args.path)?;
    if args.json {
        report::line(&for_programs(pack.manifest()).to_string());
        return Ok(());
    }
    for line in in_words(pack.manifest()) {
        report::one_line(&line);
    }
    Ok(())
}

/// Billions of multiply-accumulates for one picture, once the window is full.
struct Work {
    encoder: f64,
    generator: f64,
    decoder: f64,
}

impl Work {
    fn of(manifest: &Manifest) -> Self {
        let gmac = |role: &str| manifest.networks.get(role).map_or(0.0, |n| n.macs as f64 / 1e9);
        // One call of the encoder serves a group of pictures; the last group is the one that repeats.
        let shared_by = manifest.audio.groups.last().copied().unwrap_or(1).max(1);
        Self {
            encoder: gmac("audio_encoder") / f64::from(shared_by),
            generator: gmac("generator"),
            decoder: gmac("decoder"),
        }
    }

    fn total(&self) -> f64 {
        self.encoder + self.generator + self.decoder
    }
}

/// The manifest as it is, and beside it what follows from it.
fn for_programs(manifest: &Manifest) -> Value {
    let work = Work::of(manifest);
    let mut value = json!(manifest);
    value["derived"] = json!({
        "gmac_per_frame": {
            "audio_encoder": work.encoder, "generator": work.generator, "decoder": work.decoder,
            "total": work.total(),
        },
        "parameters": manifest.networks.values().map(|n| n.parameters).sum::<u64>(),
        "bytes": manifest.files.values().map(|file| file.bytes).sum::<u64>(),
    });
    value
}

fn in_words(manifest: &Manifest) -> Vec<String> {
    let mut lines = vec![format!("pack       {} (format {})", manifest.name, manifest.format)];
    if !manifest.description.is_empty() {
        lines.push(format!("           {}", manifest.description));
    }
    if !manifest.made_by.is_empty() {
        lines.push(format!("made by    {}", manifest.made_by));
    }
    lines.push(match manifest.precision {
        Precision::Fp16 => "precision  fp16; a processor widens the weights once while loading".to_owned(),
        _ => "precision  fp32".to_owned(),
    });
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
    let work = Work::of(manifest);
    lines.push(format!(
        "a frame    {:.3} GMAC: generator {:.3}, decoder {:.3}, its share of the encoder {:.3}",
        work.total(),
        work.generator,
        work.decoder,
        work.encoder
    ));
    for (role, network) in &manifest.networks {
        lines.extend(network_in_words(role, network));
    }
    lines.push(format!("encoder    {}", manifest.encoder_identity));
    for weights in &manifest.weights {
        lines
            .push(format!("weights    {}: {}, licence {}", weights.network, weights.origin, weights.licence));
    }
    // A builder always writes the entry; the reference in it says whether anything was compared.
    match manifest.parity.as_ref().and_then(|parity| Some((parity.reference.as_ref()?, parity))) {
        Some((reference, parity)) => {
            lines.push(format!("parity     with {reference}"));
            for (network, error) in &parity.relative_error {
                lines.push(format!("parity     {network}: relative error {error:.1e}"));
            }
        }
        None => lines.push("parity     never compared with a reference".to_owned()),
    }
    if manifest.self_test.is_none() {
        lines.push("self-test  nothing was recorded for it".to_owned());
    }
    for (name, file) in &manifest.files {
        lines.push(format!("file       {name}, {}", size(file.bytes)));
    }
    let bytes = manifest.files.values().map(|file| file.bytes).sum();
    lines.push(format!("files      {}, {}", manifest.files.len(), size(bytes)));
    lines
}

fn network_in_words(role: &str, network: &NetworkEntry) -> [String; 2] {
    let level = match network.optimisation {
        Optimisation::All => "all",
        _ => "extended",
    };
    let file = match &network.widened {
        Some(widened) => format!("{} ({widened} on a processor)", network.file),
        None => network.file.clone(),
    };
    [
        format!(
            "network    {role}: {} parameters, {:.3} GMAC, optimisation {level}, {file}",
            network.parameters,
            network.macs as f64 / 1e9
        ),
        format!("           {} -> {}", tensors(&network.inputs), tensors(&network.outputs)),
    ]
}

fn tensors(entries: &[TensorEntry]) -> String {
    let side = |dimension: &Dimension| match dimension {
        Dimension::Fixed(n) => n.to_string(),
        Dimension::Named(name) => name.clone(),
        _ => "?".to_owned(),
    };
    let tensor = |entry: &TensorEntry| {
        let sides: Vec<String> = entry.shape.iter().map(side).collect();
        format!("{} {} [{}]", entry.name, entry.element, sides.join(", "))
    };
    entries.iter().map(tensor).collect::<Vec<_>>().join(", ")
}

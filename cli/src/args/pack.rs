//! Model packs.

use std::path::PathBuf;

use clap::Subcommand;
use musetalk_core::Device;

/// Commands of `musetalk pack`.
#[derive(Clone, Debug, Subcommand)]
#[non_exhaustive]
pub enum Pack {
    /// Make a pack from checkpoints
    #[command(
        after_help = "Example:\n  musetalk pack build --from MuseTalk/models --out mine.pack --precision fp16\n\n\
        The folder is the one into which MuseTalk's own instructions put the weights: musetalkV15/, sd-vae/, whisper/, ...; \
        what is missing is listed with where it comes from. models/README.md says what else is read."
    )]
    Build(Build),
    /// Say what a pack holds
    #[command(after_help = "Example:\n  musetalk pack inspect models/demo/pack")]
    Inspect(Inspect),
    /// Add a small face detector and landmark network to a pack, so that avatars can be made with it
    #[command(
        after_help = "Example:\n  musetalk pack add-face --pack models/demo/pack --detector ultraface-rfb-320.onnx --landmarks pfld-68.onnx --out my.pack"
    )]
    AddFace(AddFace),
    /// Compare the checksum of every file, and what every network computes here with what was recorded
    #[command(after_help = "Examples:\n  musetalk pack verify models/demo/pack\n  \
        musetalk pack verify P --device cuda:0 --json")]
    Verify(Verify),
}

/// Arguments of `musetalk pack add-face`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct AddFace {
    /// The folder of the pack
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// UltraFace as ONNX, 320×240 pixels
    #[arg(long, value_name = "FILE")]
    pub detector: PathBuf,
    /// PFLD with 68 landmarks as ONNX, 112×112 pixels
    #[arg(long, value_name = "FILE")]
    pub landmarks: PathBuf,
    /// The folder of the new pack; the pack itself is changed when not given
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `musetalk pack build`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Build {
    /// The folder of the checkpoints
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,
    /// The folder of the pack
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// The number format of the weights; a GPU wants fp16
    #[arg(long, value_enum, default_value_t = Precision::Fp32)]
    pub precision: Precision,
    /// The release of MuseTalk to take where the folder holds both
    #[arg(long, value_enum, value_name = "VERSION")]
    pub model: Option<Model>,
    /// The pack's name; from origin.json, or that of the folder, when not given
    #[arg(long)]
    pub name: Option<String>,
    /// Replace a pack that is there, once the new one is complete
    #[arg(long)]
    pub overwrite: bool,
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// The number format of a pack's weights.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Precision {
    /// As the reference computes, and what a processor runs best
    Fp32,
    /// Half the size, and several times faster on most GPUs
    Fp16,
}

/// A release of MuseTalk's generator.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Model {
    /// Of 2024
    #[value(name = "1.0")]
    V1,
    /// Of 2025
    #[value(name = "1.5")]
    V15,
}

/// A pack or an avatar to look at.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Inspect {
    /// The pack's folder, or the avatar's file
    pub path: PathBuf,
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// A pack to check.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Verify {
    /// The pack's folder
    pub path: PathBuf,
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Compare checksums only, and run nothing
    #[arg(long)]
    pub no_run: bool,
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

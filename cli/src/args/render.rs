//! What makes videos of a voice and a face.

use std::path::PathBuf;

use musetalk_core::{Device, FrameRate};

use super::values::{cheeks, frame_rate};

/// Arguments of `musetalk demo`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  musetalk demo --out hello.mp4\n\n\
    A demonstration model on drawn faces. Photographic quality comes with MuseTalk's own weights.")]
#[non_exhaustive]
pub struct Demo {
    /// Where the video goes; musetalk-demo.mp4, or .avi without ffmpeg, when not given
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which bundled avatar; the first when not given
    #[arg(long, value_name = "NAME")]
    pub avatar: Option<String>,
    /// A voice of your own: WAV, FLAC, MP3 or Ogg Vorbis
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// Say nothing but one line of JSON with the figures
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `musetalk render`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    musetalk render --pack models/demo/pack --avatar models/demo/iris.avatar --audio voice.wav --out talk.mp4\n  \
    musetalk render --pack P --avatar A --audio voice.mp3 --out - | ffplay -f rawvideo -pixel_format rgb24 -video_size 512x512 -framerate 25 -\n  \
    musetalk render --reference --pack P --avatar parts --audio voice.wav --out frames/")]
#[non_exhaustive]
pub struct Render {
    /// The folder of a model pack
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// A prepared person; with --reference also a folder of frames/, boxes.json and classes/ or masks/
    #[arg(long, value_name = "FILE")]
    pub avatar: PathBuf,
    /// The voice: WAV, FLAC, MP3 or Ogg Vorbis, of any rate and channel count
    #[arg(long, value_name = "FILE")]
    pub audio: PathBuf,
    /// .mp4 (needs ffmpeg) or .avi; a folder for PNG pictures, which keep the avatar's matte; - for raw RGB on standard output
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
    /// The clip of the avatar that speaks; its first when not given
    #[arg(long, value_name = "NAME", conflicts_with = "reference")]
    pub clip: Option<String>,
    /// Pictures per second, such as 30 or 30000/1001; the pack's own when not given (with --reference the avatar's, or 25)
    #[arg(long, value_name = "N", value_parser = frame_rate)]
    pub fps: Option<FrameRate>,
    /// Render the whole voice at once as MuseTalk's official script does, step by step
    #[arg(long)]
    pub reference: bool,
    /// How wide the mask's edge is: that of the official offline or real-time script
    #[arg(long, value_name = "KIND", default_value = "offline", requires = "reference")]
    pub blur: Blur,
    /// Which part of the parsed face changes: jaw as in MuseTalk 1.5, raw as in 1.0, neck
    #[arg(long, value_name = "PART", default_value = "jaw", requires = "reference")]
    pub mask: Mask,
    /// Columns from the middle of the face to the left and right cheek, of 256; for --mask jaw
    #[arg(long, value_name = "L,R", default_value = "90,90", requires = "reference", value_parser = cheeks)]
    pub cheek_width: (u16, u16),
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Threads for the networks on the CPU; all cores when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Replace the numbered pictures of an earlier render in the folder
    #[arg(long)]
    pub overwrite: bool,
    /// Say nothing but one line of JSON with the figures (on standard error with --out -)
    #[arg(long)]
    pub json: bool,
}

/// The edge of the mask under `--reference`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Blur {
    /// A twentieth of its side
    Offline,
    /// A tenth
    Realtime,
}

/// The part of the face that changes under `--reference`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Mask {
    /// Skin without nose and outer cheeks, mouth and lips
    Jaw,
    /// Skin, mouth, lips and neck
    Neck,
    /// Skin, mouth and lips
    Raw,
}

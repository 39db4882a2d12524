//! Footage to an avatar.

use std::path::PathBuf;

use musetalk_core::{Device, FrameRate};

use super::values::{cheeks, frame_rate, name, named_clip, seconds};

/// Arguments of `musetalk avatar create`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Create {
    /// A video (needs ffmpeg), a picture, or a folder of pictures in the order of their names; the avatar's clip idle
    pub footage: PathBuf,
    /// Another clip that a session can ask for, such as listening=nods.mp4: footage of the same person and size, prepared with the same
    /// options. May be given again
    #[arg(long = "clip", value_name = "NAME=FOOTAGE", value_parser = named_clip)]
    pub clips: Vec<NamedClip>,
    /// The pack that will speak; it needs networks that find faces, see `musetalk pack add-face`
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The person's name; that of the file when not given
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// Pixels by which the line between what stays and what speech makes moves down the face
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub bbox_shift: i32,
    /// Pixels below the chin that belong to the face box
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub extra_margin: u32,
    /// Which part of the face changes: jaw as in MuseTalk 1.5, raw as in 1.0, neck (needs a pack that parses faces); landmarks: jaw,
    /// without the network that parses
    #[arg(long, value_name = "PART", default_value = "jaw")]
    pub mask: CreateMask,
    /// Columns from the middle of the face to the left and right cheek, of 256; for jaw and landmarks; 90,90 when not given
    #[arg(long, value_name = "L,R", value_parser = cheeks)]
    pub cheek_width: Option<(u16, u16)>,
    /// Pictures per second of a folder of pictures; the pack's rate when not given. Videos bring their own
    #[arg(long, value_name = "N", value_parser = frame_rate)]
    pub fps: Option<FrameRate>,
    /// Seconds of the footage to look at, such as 2..12 or 3.5..; of every clip's
    #[arg(long, value_name = "FROM..TO", value_parser = seconds)]
    pub range: Option<std::ops::Range<f64>>,
    /// Frames to look at, at most; of every clip
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_frames: Option<u64>,
    /// What is shown in silence: auto takes the footage where its mouth rests, and else closed mouths made by the pack
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub idle: CreateIdle,
    /// The colour of the screen behind the person, which becomes transparent
    #[arg(long, value_name = "COLOUR")]
    pub key: Option<CreateKey>,
    /// Boxes and masks exactly as MuseTalk's own scripts make them; needs S3FD, DWPose and BiSeNet in the pack
    #[arg(long)]
    pub reference: bool,
    /// A folder for report.json and sheet.png, of further clips report-NAME.json and sheet-NAME.png: what was decided about every frame
    #[arg(long, value_name = "FOLDER")]
    pub report: Option<PathBuf>,
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Threads for the networks on the CPU; all cores when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Say nothing but one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// A clip beside the first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NamedClip {
    /// What a session asks for.
    pub name: String,
    /// What shows it.
    pub footage: PathBuf,
}

impl NamedClip {
    pub(super) fn new(name: String, footage: PathBuf) -> Self {
        Self { name, footage }
    }
}

/// The part of the face that speech changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum CreateMask {
    /// Skin without nose and outer cheeks, mouth and lips
    Jaw,
    /// Skin, mouth, lips and neck
    Neck,
    /// Skin, mouth and lips
    Raw,
    /// As jaw, from landmarks alone
    Landmarks,
}

/// What an avatar shows in silence.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum CreateIdle {
    /// The footage where its mouth rests, else closed mouths
    Auto,
    /// Closed mouths made by the pack
    Closed,
    /// The footage
    Footage,
}

/// The colour of a screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum CreateKey {
    /// Green
    Green,
    /// Blue
    Blue,
}

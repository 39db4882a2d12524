//! Avatars, once somebody was filmed.

use std::path::PathBuf;

use clap::Subcommand;
use musetalk_core::Device;

use super::Create;
use super::values::name;

/// Commands of `musetalk avatar`.
#[derive(Clone, Debug, Subcommand)]
#[non_exhaustive]
pub enum Avatar {
    /// Make an avatar of footage: a video, a picture, or a folder of pictures
    #[command(after_help = "Examples:\n  musetalk avatar create me.mp4 --pack my.pack --out me.avatar\n  \
        musetalk avatar create me.mp4 --pack my.pack --out me.avatar --range 2..12 --report seen/\n  \
        musetalk avatar create frames/ --pack my.pack --out me.avatar --key green\n  \
        musetalk avatar create rest.mp4 --clip listening=nods.mp4 --clip waving=wave.mp4 --pack my.pack --out me.avatar\n\n\
        Film yourself for ten to thirty seconds: alone, the whole face in the picture and in light, looking at the camera, silent,\n\
        and at rest when you begin and end.")]
    Create(Create),
    /// Say what an avatar holds
    #[command(after_help = "Examples:\n  musetalk avatar inspect models/demo/iris.avatar\n  \
        musetalk avatar inspect face.avatar --verify --sheet sheet.png")]
    Inspect(InspectAvatar),
    /// Make the same avatar for another pack: pictures, masks and clips stay, what the networks made is made again
    #[command(after_help = "Example:\n  musetalk avatar rebuild face.avatar --pack P --out face-p.avatar")]
    Rebuild(Rebuild),
    /// Make an avatar of the folder that MuseTalk's real-time script or LiveTalking left
    #[command(
        after_help = "Example:\n  musetalk avatar import results/v15/avatars/me --pack P --out me.avatar\n\n\
        The folder holds full_imgs/, mask/, coords.pkl, mask_coords.pkl and, not needed, latents.pt and avator_info.json. Nothing in it is executed."
    )]
    Import(Import),
    /// Make an avatar from pictures, boxes and masks
    #[command(
        after_help = "Example:\n  musetalk avatar from-parts parts --pack models/demo/pack --out face.avatar\n\n\
        The folder holds frames/00000000.png …, masks/00000000.png … and boxes.json: [[x1, y1, x2, y2], …]"
    )]
    FromParts(FromParts),
}

/// Arguments of `musetalk avatar inspect`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct InspectAvatar {
    /// The avatar's file
    pub path: PathBuf,
    /// Read every byte, and compare it with its checksum
    #[arg(long)]
    pub verify: bool,
    /// Draw frames of every clip, with face box and mask, into a PNG
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `musetalk avatar rebuild`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Rebuild {
    /// The avatar's file
    pub path: PathBuf,
    /// The pack to make it for
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What idle shows: mouths that the pack closes, or the footage; as it was when not given
    #[arg(long, value_name = "WHAT")]
    pub idle: Option<RebuildIdle>,
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
}

/// What idle shows of an avatar that is built again or imported.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum RebuildIdle {
    /// Mouths that the pack closes
    Closed,
    /// The footage as it is
    Footage,
}

/// Arguments of `musetalk avatar import`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Import {
    /// The folder
    pub folder: PathBuf,
    /// The pack whose encoder looks at the pictures
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The person's name; that of the folder when not given
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
    /// What idle shows: mouths that the pack closes, or the footage
    #[arg(long, value_name = "WHAT", default_value = "footage")]
    pub idle: RebuildIdle,
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
}

/// Arguments of `musetalk avatar from-parts`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct FromParts {
    /// The folder of the parts
    pub parts: PathBuf,
    /// The pack whose encoder looks at the pictures
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The person's name; that of the folder when not given
    #[arg(long, value_parser = name)]
    pub name: Option<String>,
}

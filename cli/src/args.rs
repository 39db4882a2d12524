//! The words users type. `--help` of every command ends with an example.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand};
use musetalk_core::{Device, Error, ErrorKind, FrameRate, Result};

/// Turns speech into pictures of a talking face, on this machine.
#[derive(Clone, Debug, Parser)]
#[command(name = "musetalk", version, arg_required_else_help = true)]
#[command(
    after_help = "Start here:\n  musetalk demo\n\nExit codes: 0 it worked, 1 it failed, 2 the command line was wrong."
)]
#[non_exhaustive]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Make a video of the bundled voice on a bundled avatar, with figures
    Demo(Demo),
    /// Make a video of any voice on any avatar
    Render(Render),
    /// Speak with a model that hears and answers, and with a face
    Talk(Talk),
    /// Build, read or check model packs
    #[command(subcommand, after_help = "Example:\n  musetalk pack inspect models/demo/pack")]
    Pack(Pack),
    /// Prepare avatars, or read what was prepared
    #[command(subcommand, after_help = "Example:\n  musetalk avatar inspect models/demo/iris.avatar")]
    Avatar(Avatar),
    /// Measure what this machine reaches: frames per second, delays, and how many faces it holds
    Bench(Bench),
    /// Fetch ONNX Runtime, the engine that runs the networks, into a cache of yours
    Setup(Setup),
    /// Say what runs on this machine, what does not, and what to do about it
    Doctor(Doctor),
}

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
    /// .mp4 (needs ffmpeg) or .avi; a folder for PNG pictures; - for raw RGB on standard output
    #[arg(long, value_name = "OUT")]
    pub out: PathBuf,
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

/// Arguments of `musetalk talk`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  musetalk talk --provider demo --save talk.mp4\n  \
    musetalk talk --provider demo --save - | ffplay -f rawvideo -pixel_format rgb24 -video_size 512x512 -framerate 25 -\n  \
    OPENAI_API_KEY=... musetalk talk --mic question.wav --save answer.mp4\n  \
    REALTIME_API_KEY=... musetalk talk --provider wss://host/v1 --model NAME\n\n\
    A typed line is said in writing; /help lists what else can be typed. With --mic or --provider demo the command ends by itself, with lines\n\
    from a pipe after the last answer, otherwise with /quit or Ctrl-C. The key comes from OPENAI_API_KEY, AZURE_OPENAI_API_KEY, XAI_API_KEY,\n\
    DASHSCOPE_API_KEY, STEPFUN_API_KEY, or for a server by address REALTIME_API_KEY.")]
#[non_exhaustive]
pub struct Talk {
    /// Who answers: openai, azure:RESOURCE, xai, qwen, stepfun, a ws:// or wss:// address, or demo, which needs no key
    #[arg(long, value_name = "NAME", default_value = "openai")]
    pub provider: String,
    /// The model; the provider's own when not given
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub model: Option<String>,
    /// The voice; the provider's own when not given
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub voice: Option<String>,
    /// Who the model is and how it speaks
    #[arg(long, value_name = "TEXT")]
    pub instructions: Option<String>,
    /// The model that writes down what you say, or none; at openai and xai a usual one, elsewhere nobody when not given
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub transcribe: Option<String>,
    /// Tell the model when your voice is louder, higher or faster than usual
    #[arg(long)]
    pub mood: bool,
    /// A recording in place of the microphone, in real time: WAV, FLAC, MP3 or Ogg Vorbis
    #[arg(long, value_name = "FILE")]
    pub mic: Option<PathBuf>,
    /// Keep the face and the sound of the answers: .mp4 (needs ffmpeg) or .avi; a folder for PNG pictures; - for raw RGB on
    /// standard output, live. No face is drawn when not given
    #[arg(long, value_name = "OUT")]
    pub save: Option<PathBuf>,
    /// The folder of a model pack; the bundled one when not given
    #[arg(long, value_name = "FOLDER", requires = "save")]
    pub pack: Option<PathBuf>,
    /// A prepared person; the first bundled one when not given
    #[arg(long, value_name = "FILE", requires = "save")]
    pub avatar: Option<PathBuf>,
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Threads for the networks on the CPU; all cores when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Replace the numbered pictures of an earlier conversation in the folder
    #[arg(long, requires = "save")]
    pub overwrite: bool,
    /// Use neither microphone nor loudspeaker
    #[cfg(feature = "device-audio")]
    #[arg(long)]
    pub no_devices: bool,
    /// Answer with one line of JSON for everything that happens (on standard error with --save -)
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

/// Commands of `musetalk avatar`.
#[derive(Clone, Debug, Subcommand)]
#[non_exhaustive]
pub enum Avatar {
    /// Make an avatar of footage: a video, a picture, or a folder of pictures
    #[command(after_help = "Examples:\n  musetalk avatar create me.mp4 --pack my.pack --out me.avatar\n  \
        musetalk avatar create me.mp4 --pack my.pack --out me.avatar --range 2..12 --report seen/\n  \
        musetalk avatar create frames/ --pack my.pack --out me.avatar --key green\n\n\
        Film yourself for ten to thirty seconds: alone, the whole face in the picture and in light, looking at the camera, silent,\n\
        and at rest when you begin and end.")]
    Create(Create),
    /// Say what an avatar holds
    #[command(after_help = "Example:\n  musetalk avatar inspect models/demo/iris.avatar")]
    Inspect(Inspect),
    /// Make an avatar from pictures, boxes and masks
    #[command(
        after_help = "Example:\n  musetalk avatar from-parts parts --pack models/demo/pack --out face.avatar\n\n\
        The folder holds frames/00000000.png …, masks/00000000.png … and boxes.json: [[x1, y1, x2, y2], …]"
    )]
    FromParts(FromParts),
}

/// Arguments of `musetalk avatar create`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct Create {
    /// A video (needs ffmpeg), a picture, or a folder of pictures in the order of their names
    pub footage: PathBuf,
    /// The pack that will speak; it needs networks that find faces, see `musetalk pack add-face`
    #[arg(long, value_name = "FOLDER")]
    pub pack: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The person's name; that of the file when not given
    #[arg(long)]
    pub name: Option<String>,
    /// Pixels by which the line between what stays and what speech makes moves down the face
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub bbox_shift: i32,
    /// Pixels below the chin that belong to the face box
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub extra_margin: u32,
    /// Which part of the face changes: jaw as in MuseTalk 1.5, raw as in 1.0, neck; landmarks: jaw, without the network that parses
    #[arg(long, value_name = "PART", default_value = "jaw")]
    pub mask: CreateMask,
    /// Columns from the middle of the face to the left and right cheek, of 256; for jaw
    #[arg(long, value_name = "L,R", default_value = "90,90", value_parser = cheeks)]
    pub cheek_width: (u16, u16),
    /// Pictures per second of a folder; the pack's rate when not given. Videos bring their own
    #[arg(long, value_name = "N", value_parser = frame_rate)]
    pub fps: Option<FrameRate>,
    /// Seconds of the footage to look at, such as 2..12 or 3.5..
    #[arg(long, value_name = "FROM..TO", value_parser = seconds)]
    pub range: Option<std::ops::Range<f64>>,
    /// Frames to look at, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_frames: Option<u64>,
    /// What is shown in silence: auto takes the footage where its mouth is closed, and else closed mouths made by the pack
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub idle: CreateIdle,
    /// The colour of the screen behind the person, which becomes transparent
    #[arg(long, value_name = "COLOUR")]
    pub key: Option<CreateKey>,
    /// Boxes and masks exactly as MuseTalk's own scripts make them; needs S3FD, DWPose and BiSeNet in the pack
    #[arg(long)]
    pub reference: bool,
    /// A folder for report.json and sheet.png: what was decided about every frame
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
    /// The footage where its mouth is closed, else closed mouths
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
    #[arg(long)]
    pub name: Option<String>,
}

/// Arguments of `musetalk bench`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  musetalk bench\n  musetalk bench --rows sustained,live --seconds 20\n\n\
    Everything takes about five minutes. Other programs that use the processor are part of what is measured: the table\n\
    ends with the load, and a figure of a busy machine is no figure of the library."
)]
#[non_exhaustive]
pub struct Bench {
    /// The folder of a model pack; the bundled one when not given
    #[arg(long, value_name = "FOLDER")]
    pub pack: Option<PathBuf>,
    /// A prepared person; the first bundled one when not given
    #[arg(long, value_name = "FILE")]
    pub avatar: Option<PathBuf>,
    /// The voice, cut or repeated as needed; the bundled one when not given
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// Where the networks run: auto, cpu, cuda:0
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Threads for the networks on the CPU; all cores when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// How long the live measurements last; the others take their share
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=3600))]
    pub seconds: u32,
    /// What to measure; everything when not given
    #[arg(long, value_name = "ROWS", value_delimiter = ',')]
    pub rows: Vec<BenchRow>,
    /// End with one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// One measurement of `musetalk bench`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
#[non_exhaustive]
pub enum BenchRow {
    /// One avatar, recorded as fast as it goes
    Sustained,
    /// What is not a network, per frame
    Around,
    /// One avatar, live
    Live,
    /// Live, with networks three times too slow
    Slow,
    /// Two avatars speaking at once
    Pair,
    /// Cut in the middle of speech
    Interrupt,
    /// From the first speech to the first frame
    First,
    /// Opening the pack: time and memory
    Load,
    /// What a second avatar needs
    Memory,
    /// How many faces this machine holds
    Faces,
}

/// Arguments of `musetalk setup`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  musetalk setup")]
#[non_exhaustive]
pub struct Setup {
    /// Fetch it again, also when a library is found
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `musetalk doctor`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Example:\n  musetalk doctor\n\nExit code 0 when `musetalk demo` can run, 1 when not."
)]
#[non_exhaustive]
pub struct Doctor {
    /// A model pack to look at as well
    #[arg(long, value_name = "FOLDER")]
    pub pack: Option<PathBuf>,
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// `90` for both, or `80,100`.
fn cheeks(text: &str) -> Result<(u16, u16)> {
    let width = |text: &str| text.trim().parse::<u16>().ok().filter(|width| *width <= 256);
    let pair = match text.split_once(',') {
        Some((left, right)) => width(left).zip(width(right)),
        None => width(text).map(|both| (both, both)),
    };
    pair.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "write it as 90 or 80,100, each from 0 to 256"))
}

/// `2..12`, `..12` or `3.5..`, in seconds.
fn seconds(text: &str) -> Result<std::ops::Range<f64>> {
    let number = |text: &str, otherwise: f64| match text.trim() {
        "" => Some(otherwise),
        text => text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0),
    };
    let pair = text.split_once("..").and_then(|(from, to)| number(from, 0.0).zip(number(to, 1e9)));
    match pair.filter(|(from, to)| from < to) {
        Some((from, to)) => Ok(from..to),
        None => Err(Error::new(ErrorKind::InvalidInput, "write it as 2..12, ..12 or 3.5.., in seconds")),
    }
}

/// `25`, `29.97` or `30000/1001`.
fn frame_rate(text: &str) -> Result<FrameRate> {
    let wrong = || Error::new(ErrorKind::InvalidInput, "write it as 25, 29.97 or 30000/1001");
    let number = |text: &str| text.parse::<u32>().map_err(|e| wrong().caused_by(e));
    if let Some((numerator, denominator)) = text.split_once('/') {
        return FrameRate::new(number(numerator)?, number(denominator)?);
    }
    match text.split_once('.') {
        None => FrameRate::new(number(text)?, 1),
        Some((whole, decimals)) if (1..=3).contains(&decimals.len()) => {
            let scale = 10_u32.pow(decimals.len() as u32);
            let whole = number(whole)?.checked_mul(scale).ok_or_else(wrong)?;
            FrameRate::new(whole.checked_add(number(decimals)?).ok_or_else(wrong)?, scale)
        }
        Some(_) => Err(wrong()),
    }
}

//! Conversations.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use musetalk_core::Device;

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
    /// Who answers: openai, azure:RESOURCE, xai, qwen, qwen:HOST, stepfun, a ws:// or wss:// address (beta+wss:// for servers that
    /// speak the beta of 2024), or demo, which needs no key
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

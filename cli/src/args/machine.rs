//! What a machine has and reaches.

use std::path::PathBuf;

use musetalk_core::Device;

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
    /// A prepared person; the first bundled one when not given. Opening and memory are measured with it where it has ten seconds of
    /// 1080p, and else with a drawn one that is made for it
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
    /// From the file of ten seconds of 1080p to the first frame
    Opening,
    /// What a second session of ten seconds of 1080p needs
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

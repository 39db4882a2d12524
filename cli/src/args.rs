//! The words users type. `--help` of every command ends with an example.

use clap::{Parser, Subcommand};

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
    /// Fetch ONNX Runtime, the engine that runs the networks, into a cache of yours
    Setup(Setup),
    /// Say what runs on this machine, what does not, and what to do about it
    Doctor(Doctor),
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
    /// Answer with one line of JSON
    #[arg(long)]
    pub json: bool,
}

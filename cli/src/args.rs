//! The words users type. `--help` of every command ends with an example.

mod avatar;
mod create;
mod machine;
mod pack;
mod render;
mod talk;
mod values;

use clap::{Parser, Subcommand};

pub use avatar::{Avatar, FromParts, Import, InspectAvatar, Rebuild, RebuildIdle};
pub use create::{Create, CreateIdle, CreateKey, CreateMask, NamedClip};
pub use machine::{Bench, BenchRow, Doctor, Setup};
pub use pack::{AddFace, Build, Inspect, Model, Pack, Precision, Verify};
pub use render::{Blur, Demo, Mask, Render};
pub use talk::Talk;

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

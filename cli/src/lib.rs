//! The `musetalk` command, as a library: the binary is its `main` and nothing more, and tests and tools share its parts.
//!
//! | module | holds |
//! |---|---|
//! | [`args`] | the words users type |
//! | [`setup`] | fetching ONNX Runtime into a cache of the user |
//! | [`audio_file`] | WAV, FLAC, MP3 and Ogg Vorbis as mono samples |
//! | [`video`] | pictures and sound as mp4, AVI, a folder of PNG, or raw RGB |
//! | [`footage`] | a video, a picture or a folder of pictures, as frames |
//! | [`demo`], [`render`] | a voice and a face in, a video out |
//! | [`talk`] | a conversation with a model that hears and answers, and its face |
//! | [`pack`], [`avatar`] | reading, checking and making what a render needs |
//! | [`bench`](mod@bench) | what this machine reaches, measured |
//! | [`doctor`] | what runs on this machine and what does not |
//! | [`cancel`], [`progress`], [`report`] | Ctrl-C, progress lines, words on the terminal |

pub mod args;
pub mod audio_file;
pub mod avatar;
pub mod bench;
pub mod cancel;
pub mod demo;
pub mod doctor;
pub mod footage;
pub mod pack;
pub mod progress;
pub mod render;
pub mod report;
pub mod setup;
pub mod talk;
pub mod video;

mod demo_files;
mod figures;
mod memory;
mod programs;
mod retime;
mod speech;
mod temp;

use std::ffi::OsString;

use clap::Parser as _;
use musetalk_core::Result;

use args::{Args, Command};

/// The whole program: reads `arguments`, which begin with its name, listens for Ctrl-C, runs the command, and says on standard error what
/// went wrong. Returns the exit code: 0 it worked, 1 it failed, 2 the command line was wrong.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(e) => {
            // Help and version come this way too, with code 0. A closed terminal is no reason to fail differently.
            drop(e.print());
            return u8::try_from(e.exit_code()).unwrap_or(2);
        }
    };
    cancel::listen();
    match run(args).and_then(|()| report::written()) {
        Ok(()) => 0,
        Err(e) => {
            report::error(&e);
            1
        }
    }
}

/// Runs one command to its end. Results are on standard output when it returns.
///
/// # Errors
///
/// Whatever the command fails with; the sentence is for the user.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Demo(demo) => demo::command(&demo),
        Command::Render(render) => render::command(&render),
        Command::Talk(talk) => talk::command(&talk),
        Command::Pack(pack) => pack::command(&pack),
        Command::Avatar(avatar) => avatar::command(&avatar),
        Command::Bench(bench) => bench::command(&bench),
        Command::Setup(setup) => setup::command(&setup),
        Command::Doctor(doctor) => doctor::command(&doctor),
    }
}

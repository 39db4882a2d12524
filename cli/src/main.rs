//! The `musetalk` command.

use std::process::ExitCode;

use clap::Parser;
use musetalk_cli::args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    musetalk_cli::cancel::listen();
    match musetalk_cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            musetalk_cli::report::error(&e);
            ExitCode::FAILURE
        }
    }
}

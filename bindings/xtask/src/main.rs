//! `cargo xtask TASK`: what is done to the repository by program.

mod glibc;
mod licences;
mod wheel;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("wheel") => wheel::run(&arguments[1..]),
        _ => Err("usage: cargo xtask wheel [--out FOLDER] [--check WHEEL]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

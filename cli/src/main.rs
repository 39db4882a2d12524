//! The `musetalk` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    musetalk_cli::main(std::env::args_os()).into()
}

//! `cargo xtask WORD`.

use std::path::Path;
use std::process::{Command, ExitCode};

use xtask::{Outcome, fresh, header, install, root, uplugin, upm, wheel};

const USAGE: &str = "\
cargo xtask header                          writes include/musetalk.h from ffi/src
cargo xtask header --check                  fails if it differs
cargo xtask install --prefix DIR [--debug]  builds libmusetalk and stages it with headers, CMake package and licences
cargo xtask wheel [--out DIR]               builds the Python wheels, and checks what they need of a system
cargo xtask wheel --check WHEEL             checks one that was built before
cargo xtask uplugin --out DIR [--runtime PATH] [--debug]
                                            builds libmusetalk and lays out the Unreal plugin with it, ONNX Runtime and the demo pack
cargo xtask upm --out DIR [--runtime FILE]  builds libmusetalk and stages the Unity packages, with this ONNX Runtime library in them
cargo xtask check misuse                    the misuse suite under sanitizers and valgrind, for minutes
cargo xtask check cost                      what a call costs in C, C# and Python beside Rust, and whether that is within bounds
cargo xtask check wheel [--wheels DIR]      the wheels of `cargo xtask wheel` in a new environment: what the manual promises, run and measured";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["header"] => header::write(&root()),
        ["header", "--check"] => header::check(&root()),
        ["install", "--prefix", prefix] => build_and_install(Path::new(prefix), true),
        ["install", "--prefix", prefix, "--debug"] => build_and_install(Path::new(prefix), false),
        ["wheel", more @ ..] => wheel::run(more),
        ["uplugin", "--out", out, more @ ..] => build_and_stage_uplugin(Path::new(out), more),
        ["upm", "--out", out] => build_and_stage_upm(Path::new(out), None),
        ["upm", "--out", out, "--runtime", runtime] => {
            build_and_stage_upm(Path::new(out), Some(Path::new(runtime)))
        }
        ["check", "misuse"] => ignored_tests("misuse_under_instruments", false),
        ["check", "wheel", more @ ..] => fresh::run(more),
        ["check", "cost"] => ignored_tests("the_door_costs_little", true),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn build_and_install(prefix: &Path, release: bool) -> Outcome {
    let mut words = vec!["build", "--package", "musetalk-ffi"];
    words.extend(release.then_some("--release"));
    cargo(&words)?;
    let built = install::target_folder(&root())?.join(if release { "release" } else { "debug" });
    install::stage(&root(), &built, prefix)
}

fn build_and_stage_uplugin(out: &Path, mut more: &[&str]) -> Outcome {
    let (mut runtime, mut release) = (None, true);
    while let Some((first, rest)) = more.split_first() {
        more = match (*first, rest) {
            ("--debug", rest) => {
                release = false;
                rest
            }
            ("--runtime", [path, rest @ ..]) => {
                runtime = Some(Path::new(*path).to_owned());
                rest
            }
            _ => return Err(format!("uplugin does not know {first}\n{USAGE}")),
        };
    }
    let mut words = vec!["build", "--package", "musetalk-ffi"];
    words.extend(release.then_some("--release"));
    cargo(&words)?;
    let built = install::target_folder(&root())?.join(if release { "release" } else { "debug" });
    let mut contents = uplugin::Contents::new(built);
    contents.runtime = runtime;
    uplugin::stage(&root(), &contents, out)?;
    for file in uplugin::list(out)? {
        println!("{}", file.display());
    }
    if contents.runtime.is_none() {
        eprintln!("without --runtime the plugin has no ONNX Runtime, and a packaged game would lack it");
    }
    Ok(())
}

fn build_and_stage_upm(out: &Path, runtime: Option<&Path>) -> Outcome {
    cargo(&["build", "--package", "musetalk-ffi", "--release"])?;
    upm::stage(&root(), &install::target_folder(&root())?.join("release"), runtime, out)?;
    if runtime.is_none() {
        println!("without ONNX Runtime: give --runtime, or ship it by another way");
    }
    Ok(())
}

/// Checks that take minutes are tests that plain `cargo test` passes over.
fn ignored_tests(test: &str, release: bool) -> Outcome {
    let mut words = vec!["test", "--package", "musetalk-ffi", "--test", test];
    words.extend(release.then_some("--release"));
    words.extend(["--", "--ignored", "--nocapture", "--test-threads", "1"]);
    cargo(&words)
}

fn cargo(words: &[&str]) -> Outcome {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(words).current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo {}: {status}", words.join(" "))),
        Err(e) => Err(format!("cargo could not be started: {e}")),
    }
}

//! `cargo xtask WORD`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use xtask::{Outcome, dist, fresh, header, install, root, uplugin, upm, wheel};

const USAGE: &str = "\
cargo xtask header                          writes include/musetalk.h from ffi/src
cargo xtask header --check                  fails if it differs
cargo xtask install --prefix DIR [--debug]  builds libmusetalk and stages it with headers, CMake package and licences
cargo xtask dist [--out DIR] [--runtime FILE] [--debug]
                                            builds libmusetalk and packs it with ONNX Runtime, headers and licences into a zip
                                            (into target/dist, with the ONNX Runtime that `musetalk setup` finds or fetches)
cargo xtask wheel [--out DIR]               builds the Python wheels, and checks what they need of a system
cargo xtask wheel --check WHEEL             checks one that was built before
cargo xtask uplugin --out DIR [--runtime PATH] [--debug]
                                            builds libmusetalk and lays out the Unreal plugin with it, ONNX Runtime and the demo pack
cargo xtask upm --out DIR [--runtime FILE]  builds libmusetalk and stages the Unity packages, with this ONNX Runtime library in them
                                            (dist, uplugin and upm take along the providers that lie beside the library)
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
        ["dist", more @ ..] => build_and_pack(more),
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

fn build_and_pack(mut more: &[&str]) -> Outcome {
    let target = install::target_folder(&root())?;
    let (mut out, mut runtime, mut release) = (target.join("dist"), None, true);
    while let Some((first, rest)) = more.split_first() {
        more = match (*first, rest) {
            ("--debug", rest) => {
                release = false;
                rest
            }
            ("--out", [path, rest @ ..]) => {
                out = Path::new(*path).to_owned();
                rest
            }
            ("--runtime", [path, rest @ ..]) => {
                runtime = Some(Path::new(*path).to_owned());
                rest
            }
            _ => return Err(format!("dist does not know {first}, or it lacks a value\n{USAGE}")),
        };
    }
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    cargo(&[&["build", "--package", "musetalk-ffi"], profile].concat())?;
    let runtime = runtime.map_or_else(|| found_runtime(profile), Ok)?;
    let built = target.join(if release { "release" } else { "debug" });
    let mut contents = dist::Contents::new(built, runtime);
    contents.release = release;
    let zip = dist::pack(&root(), &contents, &out)?;
    let bytes = std::fs::metadata(&zip).map_err(|e| format!("{}: {e}", zip.display()))?.len();
    println!("{} ({bytes} bytes)", zip.display());
    Ok(())
}

/// The ONNX Runtime that `musetalk setup` finds, or fetches first.
fn found_runtime(profile: &[&str]) -> Outcome<PathBuf> {
    let setup = [&["run", "--quiet", "--package", "musetalk-cli"], profile, &["--", "setup"]].concat();
    cargo(&setup)?;
    // Once more, as it then only says where that is.
    let output = command(&setup).output().map_err(|e| format!("cargo could not be started: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let path = said.lines().find_map(|line| line.split_once(" is in "));
    let (_, path) = path.ok_or("`musetalk setup` names no ONNX Runtime; give one with --runtime")?;
    Ok(PathBuf::from(path.trim()))
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

fn command(words: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).current_dir(root());
    cargo
}

fn cargo(words: &[&str]) -> Outcome {
    match command(words).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo {}: {status}", words.join(" "))),
        Err(e) => Err(format!("cargo could not be started: {e}")),
    }
}

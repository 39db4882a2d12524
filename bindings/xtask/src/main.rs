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
    install::stage(&root(), &build(release)?, prefix)
}

/// Builds libmusetalk, and says where it then lies.
fn build(release: bool) -> Outcome<PathBuf> {
    cargo(&[&["build", "--package", "musetalk-ffi"], profile(release)].concat())?;
    Ok(install::target_folder(&root())?.join(if release { "release" } else { "debug" }))
}

fn profile(release: bool) -> &'static [&'static str] {
    if release { &["--release"] } else { &[] }
}

/// What the words that stage a package are told.
struct Staging {
    out: Option<PathBuf>,
    runtime: Option<PathBuf>,
    release: bool,
}

impl Staging {
    fn of(word: &str, mut more: &[&str]) -> Outcome<Self> {
        let mut told = Self { out: None, runtime: None, release: true };
        while let Some((first, rest)) = more.split_first() {
            more = match (*first, rest) {
                ("--debug", rest) => {
                    told.release = false;
                    rest
                }
                // `uplugin` has had its own.
                ("--out", [path, rest @ ..]) if word == "dist" => {
                    told.out = Some(PathBuf::from(path));
                    rest
                }
                ("--runtime", [path, rest @ ..]) => {
                    told.runtime = Some(PathBuf::from(path));
                    rest
                }
                _ => return Err(format!("{word} does not know {first}, or it lacks a value\n{USAGE}")),
            };
        }
        Ok(told)
    }
}

fn build_and_pack(more: &[&str]) -> Outcome {
    let Staging { out, runtime, release } = Staging::of("dist", more)?;
    let built = build(release)?;
    let runtime = runtime.map_or_else(|| found_runtime(release), Ok)?;
    let out = out.map_or_else(|| install::target_folder(&root()).map(|target| target.join("dist")), Ok)?;
    let mut contents = dist::Contents::new(built, runtime);
    contents.release = release;
    let zip = dist::pack(&root(), &contents, &out)?;
    let bytes = std::fs::metadata(&zip).map_err(|e| format!("{}: {e}", zip.display()))?.len();
    println!("{} ({bytes} bytes)", zip.display());
    Ok(())
}

/// The ONNX Runtime that `musetalk setup` finds, or fetches first.
fn found_runtime(release: bool) -> Outcome<PathBuf> {
    let setup =
        [&["run", "--quiet", "--package", "musetalk-cli"], profile(release), &["--", "setup"]].concat();
    cargo(&setup)?;
    // Once more, as it then only says where that is.
    let output = command(&setup).output().map_err(|e| format!("cargo could not be started: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let path = said.lines().find_map(|line| line.split_once(" is in "));
    let (_, path) = path.ok_or("`musetalk setup` names no ONNX Runtime; give one with --runtime")?;
    Ok(PathBuf::from(path.trim()))
}

fn build_and_stage_uplugin(out: &Path, more: &[&str]) -> Outcome {
    let Staging { runtime, release, .. } = Staging::of("uplugin", more)?;
    let mut contents = uplugin::Contents::new(build(release)?);
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
    upm::stage(&root(), &build(true)?, runtime, out)?;
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

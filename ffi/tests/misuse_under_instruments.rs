//! The misuse suite under AddressSanitizer and UBSan, valgrind and helgrind: `cargo xtask check misuse`. Takes minutes, so plain
//! `cargo test` passes over it.
//!
//! The sanitizers are compiled into the host program and watch every allocation of the process, the library's too. Helgrind knows pthread's
//! locks and not the atomics that Rust's are made of; `helgrind.supp` says what is left out for that reason.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::{cc, compile, cxx, has, said, scratch, sources, succeeds, tiny, with_tiny};

const PROGRAMS: [&str; 4] = ["misuse", "threads", "wake", "many"];

fn built(name: &str, flags: &[&str], label: &str) -> Option<PathBuf> {
    let program = scratch(&format!("{label}-{name}")).join(name);
    let flags: Vec<&str> = ["-std=c11", "-D_GNU_SOURCE"].iter().chain(flags).copied().collect();
    compile(&cc()?, &sources().join("c").join(name).with_extension("c"), &flags, &program);
    Some(program)
}

#[test]
#[ignore = "minutes"]
fn address_and_undefined_behaviour_sanitizers_find_nothing() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    for name in PROGRAMS {
        let Some(program) = built(name, &flags, "asan") else { return };
        let symbols = said(&succeeds(Command::new("nm").arg(&program)));
        assert!(symbols.contains("__asan_init"), "the sanitizer is in");
        // Shadow memory and quarantine grow by themselves.
        if name != "many" {
            println!("asan {name}: {}", said(&succeeds(&mut with_tiny(&program))).trim());
        }
    }
    let Some(cxx) = cxx() else { return };
    let program = scratch("asan-wrapper").join("wrapper");
    let more: Vec<&str> = ["-std=c++17", "-DNO_GROWTH"].iter().chain(&flags).copied().collect();
    compile(&cxx, &sources().join("cc/wrapper.cc"), &more, &program);
    println!("asan wrapper: {}", said(&succeeds(&mut with_tiny(&program))).trim());
}

#[test]
#[ignore = "minutes"]
fn valgrind_finds_nothing() {
    if !has("valgrind") {
        return;
    }
    for name in ["misuse", "threads", "wake"] {
        let Some(program) = built(name, &[], "valgrind") else { return };
        let (pack, avatar) = tiny();
        let mut command = Command::new("valgrind");
        command.args([
            "--error-exitcode=9",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite",
            "--quiet",
        ]);
        command.arg(format!("--suppressions={}", sources().join("c/memcheck.supp").display()));
        command.arg(program).arg(pack).arg(avatar).arg("2").env("ORT_DYLIB_PATH", support::runtime());
        println!("valgrind {name}: {}", said(&succeeds(&mut command)).trim());
    }
}

#[test]
#[ignore = "minutes"]
fn helgrind_finds_no_race_of_the_hosts_threads() {
    if !has("valgrind") {
        return;
    }
    for name in ["threads", "wake"] {
        let Some(program) = built(name, &[], "helgrind") else { return };
        let (pack, avatar) = tiny();
        let mut command = Command::new("valgrind");
        command.args(["--tool=helgrind", "--error-exitcode=9", "--quiet"]);
        command.arg(format!("--suppressions={}", sources().join("c/helgrind.supp").display()));
        command.arg(program).arg(pack).arg(avatar).arg("2").env("ORT_DYLIB_PATH", support::runtime());
        println!("helgrind {name}: {}", said(&succeeds(&mut command)).trim());
    }
}

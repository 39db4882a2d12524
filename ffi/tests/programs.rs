//! Programs in C and C++ against an installed prefix: hello, what hosts do wrong, threads that race, a thousand avatars.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::PathBuf;

use support::{cc, compile, cxx, said, scratch, sources, succeeds, with_tiny};

fn c_program(name: &str) -> Option<PathBuf> {
    let program = scratch(&format!("c-{name}")).join(name);
    compile(
        &cc()?,
        &sources().join("c").join(name).with_extension("c"),
        &["-std=c11", "-D_GNU_SOURCE"],
        &program,
    );
    Some(program)
}

#[test]
fn misuse_comes_back_as_a_status() {
    let Some(program) = c_program("misuse") else { return };
    let said = said(&succeeds(&mut with_tiny(&program)));
    let lines: u32 = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!(lines > 0, "the callback that calls back was called: {said}");
}

#[test]
fn two_threads_in_one_end_are_told_and_close_wakes_who_waits() {
    let Some(program) = c_program("threads") else { return };
    eprintln!("{}", said(&succeeds(&mut with_tiny(&program))));
}

#[test]
fn a_wake_up_comes_with_every_frame_and_ends_once() {
    let Some(program) = c_program("wake") else { return };
    eprintln!("{}", said(&succeeds(&mut with_tiny(&program))));
}

#[test]
fn a_thousand_avatars_come_and_go_in_c() {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: counted through /proc");
        return;
    }
    let Some(program) = c_program("many") else { return };
    eprintln!("{}", said(&succeeds(&mut with_tiny(&program))));
}

#[test]
fn the_wrapper_owns_moves_and_frees_with_and_without_exceptions() {
    let Some(cxx) = cxx() else { return };
    for (name, flags) in [
        ("with", &["-std=c++17"][..]),
        ("without", &["-std=c++17", "-fno-exceptions", "-fno-rtti"]),
        ("later", &["-std=c++20"]),
    ] {
        let program = scratch(&format!("cc-{name}")).join("wrapper");
        compile(&cxx, &sources().join("cc/wrapper.cc"), flags, &program);
        eprintln!("{name}: {}", said(&succeeds(&mut with_tiny(&program))));
    }
}

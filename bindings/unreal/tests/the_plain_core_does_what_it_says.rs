//! The part of the plugin that does not need Unreal, by itself: under the sanitizers for addresses and undefined behaviour, and with
//! its four threads under the one for threads.

use std::process::Command;

use musetalk_tests::scratch;
use musetalk_unreal::{Compiler, pass};

#[test]
fn alone() {
    let Some(compiler) = Compiler::find() else { return };
    let folder = scratch("unreal-core");
    let Some(program) = compiler.build("core.cpp", &folder.join("core"), Some("address,undefined")) else {
        return;
    };
    pass(&mut Command::new(program));
}

#[test]
fn among_threads() {
    let Some(compiler) = Compiler::find() else { return };
    let folder = scratch("unreal-threads");
    let Some(program) = compiler.build("threads.cpp", &folder.join("threads"), Some("thread")) else {
        return;
    };
    // Some systems place memory where this sanitizer does not expect it; it says so before it runs anything.
    let output = Command::new(&program).output().expect("the program starts");
    if String::from_utf8_lossy(&output.stderr).contains("unexpected memory mapping") {
        println!("SKIPPED: the thread sanitizer does not start on this system");
        return;
    }
    pass(&mut Command::new(program));
}

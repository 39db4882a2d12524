//! What a C# test is given: compiled programs, the library, a tiny pack, a person, a voice.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use musetalk_unity::{compile, home};

/// Where the compiled C# of this process lies.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| musetalk_tests::scratch("csharp"))
}

pub(crate) fn core() -> &'static Path {
    static CORE: OnceLock<PathBuf> = OnceLock::new();
    CORE.get_or_init(|| {
        let dll = folder().join("MuseTalk.dll");
        compile(&dll, &[home().join("com.musetalk.core/Runtime")], &[]).unwrap_or_else(|why| panic!("{why}"));
        dll
    })
}

/// The tests of the core package.
pub(crate) fn tests() -> &'static Path {
    static TESTS: OnceLock<PathBuf> = OnceLock::new();
    TESTS.get_or_init(|| {
        let exe = folder().join("Tests.exe");
        compile(&exe, &[home().join("tests/cs")], &[core().to_owned()]).unwrap_or_else(|why| panic!("{why}"));
        exe
    })
}

/// Stubs of the engine, and of its editor.
pub(crate) fn engine() -> [PathBuf; 2] {
    static ENGINE: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let made = || {
        let engine = folder().join("UnityEngine.dll");
        let editor = folder().join("UnityEditor.dll");
        compile(&engine, &[home().join("stubs/engine")], &[]).unwrap_or_else(|why| panic!("{why}"));
        compile(&editor, &[home().join("stubs/editor")], std::slice::from_ref(&engine))
            .unwrap_or_else(|why| panic!("{why}"));
        [engine, editor]
    };
    ENGINE.get_or_init(made).clone()
}

/// The tests of the components, with the components in them.
pub(crate) fn component_tests() -> &'static Path {
    static TESTS: OnceLock<PathBuf> = OnceLock::new();
    TESTS.get_or_init(|| {
        let exe = folder().join("UnityTests.exe");
        let package = home().join("com.musetalk.unity");
        let sources =
            [package.join("Runtime"), package.join("Samples~/TalkingFace"), home().join("tests/unity")];
        compile(&exe, &sources, &[core().to_owned(), engine()[0].clone()])
            .unwrap_or_else(|why| panic!("{why}"));
        exe
    })
}

/// Where the compiled C# of this process lies, for more of it.
pub(crate) fn compiled() -> &'static Path {
    folder()
}

/// Runs one of them, and prints what it prints.
pub(crate) fn run(program: &Path, arguments: &[&str]) -> String {
    let exe = std::env::current_exe().expect("a test knows where it is");
    let beside = exe.parent().expect("a test lies in a folder");
    let found = musetalk_core::runtime::search(None).found.expect("the tests have ONNX Runtime");
    let told = musetalk_unity::run(program, beside, &found, arguments).unwrap_or_else(|why| panic!("{why}"));
    if told.len() < 2_000 {
        print!("{told}");
    }
    told
}

/// The pack, the avatar and the voice that most tests take, as arguments.
pub(crate) fn given() -> [&'static str; 3] {
    static GIVEN: OnceLock<[String; 3]> = OnceLock::new();
    GIVEN
        .get_or_init(|| {
            let folder = musetalk_tests::scratch("given");
            let person = musetalk_tests::write_person(musetalk_tests::engine(), &folder);
            let voice: Vec<u8> = musetalk_tests::babble(2.01, 24_000, 5)
                .iter()
                .flat_map(|sample| sample.to_le_bytes())
                .collect();
            let file = folder.join("voice.f32");
            std::fs::write(&file, voice).expect("a voice can be written");
            [musetalk_tests::tiny_pack(), &person, &file].map(|path| path.display().to_string())
        })
        .each_ref()
        .map(String::as_str)
}

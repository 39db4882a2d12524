//! What `cargo xtask dist` packs is all that a host needs: it is unpacked into an empty folder, C and C++ are built against it, shared and static,
//! with the compiler alone and with CMake, and run where no variable and no cache leads to anything else.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use support::{WARNINGS, built, cc, cxx, has, runtime, said, scratch, succeeds, tiny};
use xtask::dist;

/// Where it was unpacked, once: the folder within the zip.
fn unpacked() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = scratch("zip");
        let mut contents = dist::Contents::new(built(), runtime());
        contents.release = false;
        let zip = dist::pack(&xtask::root(), &contents, &folder.join("first")).unwrap();
        let again = dist::pack(&xtask::root(), &contents, &folder.join("second")).unwrap();
        assert!(
            fs::read(&zip).unwrap() == fs::read(&again).unwrap(),
            "the same contents give the same bytes"
        );
        let mut beside: Vec<String> = fs::read_dir(folder.join("first"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        beside.sort();
        let name = zip.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("musetalk-0.") && name.ends_with("-debug"), "{name}");
        assert_eq!(beside, [format!("{name}.zip"), format!("{name}.zip.sha256")], "and nothing half-made");
        agree(&folder.join("first"), &format!("{name}.zip.sha256"));

        let place = folder.join("unpacked");
        let archive = fs::File::open(&zip).unwrap();
        zip::ZipArchive::new(archive).unwrap().extract(&place).unwrap();
        // What was packed must not help, nor what it was packed from.
        fs::remove_dir_all(folder.join("first")).unwrap();
        fs::remove_dir_all(folder.join("second")).unwrap();
        place.join(name)
    })
}

/// The digests in this file are those of the files it names.
fn agree(folder: &Path, sums: &str) {
    let mut check = Command::new("sha256sum");
    succeeds(check.args(["--check", "--strict", "--quiet", sums]).current_dir(folder));
}

fn linux() -> bool {
    let linux = cfg!(target_os = "linux");
    if !linux {
        eprintln!("SKIPPED: the names below are those of Linux");
    }
    linux
}

/// Runs hello, on nothing but its words.
fn alone(program: &Path) -> Output {
    let (pack, avatar) = tiny();
    let mut command = Command::new(program);
    command.args([pack, avatar]).arg("1").env_clear().current_dir("/");
    command.output().unwrap()
}

fn hello(program: &Path) {
    let output = alone(program);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let times: Vec<String> = (0..25).map(|frame| format!("64x64 at {} ms", 40 * frame)).collect();
    assert_eq!(said(&output).lines().collect::<Vec<_>>(), times, "{}", program.display());
}

fn onnx_runtime() -> PathBuf {
    let lib = unpacked().join("lib");
    let mut found = fs::read_dir(lib).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("libonnxruntime.so")).unwrap()
}

#[test]
fn it_holds_what_it_says_and_the_papers_of_everything() {
    if !linux() {
        return;
    }
    let folder = unpacked();
    agree(folder, "SHA256SUMS");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let listed: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    let there: Vec<String> = xtask::uplugin::list(folder)
        .unwrap()
        .iter()
        .filter(|file| !folder.join(file).is_symlink() && !file.ends_with("SHA256SUMS"))
        .map(|file| file.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, there, "SHA256SUMS and the files");

    let system = format!("Linux-{}", std::env::consts::ARCH);
    let papers = folder.join("share/doc/musetalk");
    for paper in ["LICENSE-MIT", "LICENSE-APACHE", "CONVENTIONS.md", "examples/hello.c"]
        .map(str::to_owned)
        .into_iter()
        .chain(["LICENSE", "ThirdPartyNotices.txt"].map(|paper| format!("onnxruntime-{system}-{paper}")))
    {
        assert!(papers.join(&paper).is_file(), "{paper}");
    }
    let third = fs::read_to_string(papers.join(format!("THIRD-PARTY-{system}.txt"))).unwrap();
    for linked in ["\nort 2.0.0", "\nRust's standard library 1.", "📦 hashbrown-", "Unicode-3.0"] {
        assert!(third.contains(linked), "{linked:?} is linked in");
    }
    assert!(!third.contains("<div") && !third.contains("&#34;"), "a text, and no page");

    let versions = fs::read_to_string(folder.join("VERSIONS.txt")).unwrap();
    for line in ["musetalk            0.", "interface (ABI)     1\n", "ONNX Runtime        1.", "glibc 2."] {
        assert!(versions.contains(line), "{line:?} in\n{versions}");
    }
    assert!(!versions.contains("--release"), "{versions}");
    let readme = fs::read_to_string(folder.join("README.txt")).unwrap();
    assert!(readme.contains(onnx_runtime().file_name().unwrap().to_str().unwrap()), "{readme}");
    println!("{versions}");
}

#[test]
fn a_compiler_is_all_it_takes() {
    let Some(cc) = cc().filter(|_| linux()) else { return };
    let folder = unpacked();
    let build = |place: &Path, more: &[&str]| {
        let program = place.join("hello");
        let mut command = Command::new(&cc);
        command.args(WARNINGS).arg("-std=c99").arg("-I").arg(folder.join("include"));
        command.arg(folder.join("share/doc/musetalk/examples/hello.c")).arg("-o").arg(&program);
        succeeds(command.args(more));
        program
    };
    let lib = folder.join("lib");
    let lib_text = lib.to_str().unwrap();
    let shared = build(
        &scratch("zip-shared"),
        &["-L", lib_text, "-lmusetalk", "-lm", &format!("-Wl,-rpath,{lib_text}")],
    );
    hello(&shared);

    let place = scratch("zip-static");
    let archive = lib.join("libmusetalk.a");
    let inside = build(&place, &[archive.to_str().unwrap(), "-lpthread", "-ldl", "-lm"]);
    // It has no folder of its own to look in but the program's, and says where it looked.
    let refused = alone(&inside);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("ONNX Runtime was not found"), "{why}");
    assert!(why.contains(place.to_str().unwrap()), "{why}");
    fs::copy(onnx_runtime(), place.join(onnx_runtime().file_name().unwrap())).unwrap();
    hello(&inside);
}

#[test]
fn cmake_finds_it_for_c_and_for_cpp() {
    if !linux() || !has("cmake") || cc().is_none() || cxx().is_none() {
        return;
    }
    let place = scratch("zip-cmake");
    let folder = place.join("musetalk");
    succeeds(Command::new("cp").arg("-a").arg(unpacked()).arg(&folder));
    // What lies beside it is somebody else's, and never taken for it.
    for stray in ["libmusetalk.so.0", "libmusetalk.so.1.orig", "libmusetalk.so.2"] {
        fs::write(folder.join("lib").join(stray), "no library").unwrap();
    }
    let configure = |source: &Path, build: &Path| {
        let mut command = Command::new("cmake");
        command.arg("-S").arg(source).arg("-B").arg(build);
        command.arg(format!("-DCMAKE_PREFIX_PATH={}", folder.display()));
        command
    };
    let examples = place.join("examples");
    succeeds(&mut configure(&folder.join("share/doc/musetalk/examples"), &examples));
    succeeds(Command::new("cmake").arg("--build").arg(&examples));
    for program in ["hello", "hello_static"] {
        hello(&examples.join(program));
    }

    // A project that knows C++ alone.
    let source = place.join("face");
    fs::create_dir(&source).unwrap();
    fs::write(
        source.join("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.16)\nproject(face CXX)\nset(CMAKE_CXX_STANDARD 17)\n\
         find_package(musetalk 0.1 REQUIRED)\nforeach(kind musetalk musetalk_static)\n\
         add_executable(face_${kind} face.cpp)\ntarget_link_libraries(face_${kind} PRIVATE musetalk::${kind})\n\
         endforeach()\nfile(COPY ${musetalk_ONNXRUNTIME} DESTINATION ${CMAKE_BINARY_DIR})\n",
    )
    .unwrap();
    fs::write(
        source.join("face.cpp"),
        r#"#include <musetalk.hpp>
        #include <cstdio>
        #include <vector>
        int main(int, char **words) {
            const auto engine = musetalk::Engine::load(words[1]).value();
            auto avatar = engine.open_avatar(words[2]).value();
            avatar.push(std::vector<float>(24000, 0.1f)).value();
            avatar.finish().value();
            while (const auto frame = avatar.next_frame().value())
                std::printf("%ux%u at %lld ms\n", frame->width(), frame->height(),
                            static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(frame->pts()).count()));
        }
        "#,
    )
    .unwrap();
    let build = place.join("face-built");
    succeeds(&mut configure(&source, &build));
    succeeds(Command::new("cmake").arg("--build").arg(&build));
    for program in ["face_musetalk", "face_musetalk_static"] {
        hello(&build.join(program));
    }

    // A prefix that is not whole is refused with the file's name, and not at the linker.
    let half = place.join("half");
    succeeds(Command::new("cp").arg("-a").arg(&folder).arg(&half));
    fs::remove_file(half.join("lib/libmusetalk.a")).unwrap();
    let mut command = Command::new("cmake");
    command.arg("-S").arg(&source).arg("-B").arg(place.join("half-built"));
    let refused = command.arg(format!("-DCMAKE_PREFIX_PATH={}", half.display())).output().unwrap();
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("libmusetalk.a is missing"), "{why}");
}

#[test]
fn a_runtime_without_its_papers_is_not_packed() {
    if !linux() {
        return;
    }
    let folder = scratch("zip-refused");
    let library = folder.join("lib/libonnxruntime.so.1.31.1");
    fs::create_dir(folder.join("lib")).unwrap();
    fs::write(&library, "").unwrap();
    let out = folder.join("out");
    let refused = dist::pack(&xtask::root(), &dist::Contents::new(built(), library.clone()), &out);
    assert!(refused.unwrap_err().contains("LICENSE"), "it must not be shipped without");
    let other = folder.join("lib/libother.so");
    fs::write(&other, "").unwrap();
    let refused = dist::pack(&xtask::root(), &dist::Contents::new(built(), other), &out);
    assert!(refused.unwrap_err().contains("no ONNX Runtime library"));
    assert!(!out.exists(), "nothing was begun");
    fs::write(folder.join("LICENSE"), "MIT").unwrap();
    fs::write(folder.join("ThirdPartyNotices.txt"), "of others").unwrap();
    let nowhere = dist::Contents::new(folder.join("nowhere"), library);
    assert!(dist::pack(&xtask::root(), &nowhere, &out).unwrap_err().contains("libmusetalk.so"));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "nothing is left");
}

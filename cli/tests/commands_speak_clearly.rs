//! Help with examples, exit codes that mean something, and errors that name every place and say what to do.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::path::Path;

use support::{Folder, musetalk, said};

const COMMANDS: [&[&str]; 14] = [
    &[],
    &["demo"],
    &["render"],
    &["talk"],
    &["pack"],
    &["pack", "build"],
    &["pack", "inspect"],
    &["pack", "verify"],
    &["avatar"],
    &["avatar", "inspect"],
    &["avatar", "from-parts"],
    &["bench"],
    &["setup"],
    &["doctor"],
];

#[test]
fn every_help_has_an_example() {
    for command in COMMANDS {
        let output = musetalk(command).arg("--help").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let help = said(&output);
        assert!(help.contains("musetalk ") && help.contains("Usage"), "{command:?}: {help}");
        assert!(
            help.contains("Example") || help.contains("Start here"),
            "{command:?} has no example: {help}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let render = ["render", "--pack", "p", "--avatar", "a", "--audio", "v.wav", "--out", "o"];
    let with = |more: &[&'static str]| [&render[..], more].concat();
    for args in [
        &["paint"][..],
        &["render"],
        &["demo", "--loud"],
        &["render", "--fps", "x"],
        &["pack"],
        &[],
        // What only the reference knows.
        &with(&["--blur", "realtime"]),
        &with(&["--mask", "raw"]),
        &with(&["--reference", "--cheek-width", "300"]),
        &with(&["--reference", "--cheek-width", "90,x"]),
    ] {
        let output = musetalk(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_failure_is_exit_code_1_and_names_the_file() {
    let folder = Folder::new();
    let nowhere = folder.join("nowhere");
    for args in [&["pack", "inspect"][..], &["pack", "verify"], &["avatar", "inspect"]] {
        let output = musetalk(args).arg(&nowhere).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", said(&output));
        assert!(said(&output).contains("nowhere"), "{args:?}: {}", said(&output));
    }
}

/// Footage is worth more than what is made of it.
#[test]
fn what_is_read_is_not_written_over() {
    let folder = Folder::new();
    let (pack, parts, elsewhere) = (folder.join("pack"), folder.join("parts"), folder.join("elsewhere"));
    for path in [&pack, &parts.join("frames"), &elsewhere] {
        std::fs::create_dir_all(path).unwrap();
    }
    std::fs::write(parts.join("frames/00000000.png"), "the only copy").unwrap();
    std::fs::write(elsewhere.join("00000000.png"), "a mask").unwrap();
    std::fs::write(folder.join("voice.avi"), "a voice").unwrap();
    std::fs::write(folder.join("face.avi"), "a face").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&elsewhere, parts.join("masks")).unwrap();
    let render = |avatar: &str, out: &str, more: &[&str]| {
        let mut command = musetalk(&["render", "--overwrite"]);
        command.arg("--pack").arg(&pack).arg("--avatar").arg(folder.join(avatar));
        command.arg("--audio").arg(folder.join("voice.avi")).arg("--out").arg(folder.join(out)).args(more);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    let mut into_footage =
        vec!["parts/frames", "parts/frames/new", "parts/new/", "pack/../parts/frames", "pack/new/"];
    if cfg!(unix) {
        into_footage.push("elsewhere");
    }
    for out in into_footage {
        let text = render("parts", out, &["--reference"]);
        assert!(text.contains("write elsewhere") && text.contains(out), "{out}: {text}");
    }
    for out in ["face.avi", "voice.avi", "pack/talk.avi"] {
        let text = render("face.avi", out, &[]);
        assert!(text.contains("write elsewhere") && text.contains(out), "{out}: {text}");
    }
    // A place of its own beside them is none of these.
    let text = render("parts", "parts-rendered", &["--reference"]);
    assert!(!text.contains("write elsewhere"), "{text}");
    assert_eq!(std::fs::read(parts.join("frames/00000000.png")).unwrap(), b"the only copy");
    assert_eq!(std::fs::read(elsewhere.join("00000000.png")).unwrap(), b"a mask");
}

/// The command on a machine that has nothing: no library, no cache, no network.
fn bare(args: &[&str], cache: &Path) -> std::process::Command {
    let mut command = musetalk(args);
    command.env("MUSETALK_CACHE", cache).env("PIP_NO_INDEX", "1");
    for name in [
        "ORT_DYLIB_PATH",
        "PIP_FIND_LINKS",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
    ] {
        command.env_remove(name);
    }
    command.env("PIP_CONFIG_FILE", if cfg!(windows) { "nul" } else { "/dev/null" });
    command
}

#[test]
fn setup_without_network_and_cache_names_every_place_and_leaves_nothing() {
    let cache = Folder::new();
    let output = bare(&["setup"], cache.path()).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in [
        "ORT_DYLIB_PATH",
        "beside the executable",
        "VIRTUAL_ENV",
        "cache",
        &cache.path().display().to_string(),
    ] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    assert!(!text.contains("://"), "{text}");
    let left: Vec<_> = walk(cache.path());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn setup_without_python_says_what_to_install() {
    let (cache, path) = (Folder::new(), Folder::new());
    let output = bare(&["setup"], cache.path()).env("PATH", path.path()).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Python") && text.contains("ORT_DYLIB_PATH"), "{text}");
}

#[test]
fn setup_with_a_cache_that_cannot_be_written_names_it() {
    let folder = Folder::new();
    let file = folder.join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let output = bare(&["setup"], &file).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(&file.display().to_string()), "{text}");
    assert!(text.contains("MUSETALK_CACHE") || text.contains("no Python"), "{text}");
}

#[test]
fn a_variable_that_names_no_library_is_not_papered_over() {
    let cache = Folder::new();
    let output =
        bare(&["setup"], cache.path()).env("ORT_DYLIB_PATH", cache.join("gone.so")).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("gone.so") && text.contains("ORT_DYLIB_PATH"), "{text}");
}

#[test]
fn doctor_says_what_is_missing_and_what_to_do() {
    let (cache, path) = (Folder::new(), Folder::new());
    let output = bare(&["doctor"], cache.path()).env("PATH", path.path()).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in ["processor", "ONNX Runtime", "ffmpeg", "Python", "ORT_DYLIB_PATH", "->"] {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
    let json = bare(&["doctor", "--json"], cache.path()).env("PATH", path.path()).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["demo_runs"], false);
    assert!(json["checks"].as_array().unwrap().len() >= 6);
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

//! The examples build against an installed prefix with CMake, and do what they say: hello, live, a conversation, a window.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use realtime_client::scripted::{Scenario, ScriptedServer};
use support::{has, prefix, said, scratch, succeeds, with_tiny};

/// Where CMake has built them, once.
fn examples() -> Option<&'static PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        if !has("cmake") || support::cc().is_none() || support::cxx().is_none() {
            return None;
        }
        let folder = scratch("examples");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(xtask::root().join("bindings/cpp/examples")).arg("-B").arg(&folder);
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
        succeeds(&mut configure);
        succeeds(Command::new("cmake").arg("--build").arg(&folder));
        Some(folder)
    };
    BUILT.get_or_init(build).as_ref()
}

#[test]
fn hello_prints_every_picture_of_its_voice() {
    let Some(folder) = examples() else { return };
    for program in ["hello", "hello_static"] {
        let said = said(&succeeds(with_tiny(&folder.join(program)).arg("1")));
        let times: Vec<String> = (0..25).map(|frame| format!("64x64 at {} ms", 40 * frame)).collect();
        assert_eq!(said.lines().collect::<Vec<_>>(), times, "{program}");
    }
}

#[test]
fn live_shows_speech_and_idle() {
    let Some(folder) = examples() else { return };
    eprintln!("{}", said(&succeeds(with_tiny(&folder.join("live")).arg("2"))));
}

#[test]
fn a_conversation_calls_a_function_speaks_and_ends() {
    let Some(folder) = examples() else { return };
    let mut scenario = Scenario::default();
    scenario.answers = vec!["It is noon, and time for lunch.".to_owned()];
    scenario.answer_seconds = Some(2.0);
    scenario.calls_functions = true;
    let server = ScriptedServer::start(scenario).unwrap();
    let mut program = with_tiny(&folder.join("conversation"));
    let said = said(&succeeds(program.arg(server.provider().url).env_remove("REALTIME_API_KEY")));
    assert!(said.contains("[time_of_day"), "{said}");
    assert!(said.contains("It is noon, and time for lunch."), "{said}");
    assert!(said.contains("50 pictures of speech"), "{said}");
    let outputs =
        server.seen().into_iter().filter(|event| event["item"]["type"] == "function_call_output").count();
    assert_eq!(outputs, 1);
}

/// A display of its own for one test; gone with it.
struct Display(Child, String);

impl Display {
    fn open() -> Option<Self> {
        // Xvfb knows no --version, but it is there if it can be started at all.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| eprintln!("SKIPPED: no Xvfb: {e}"))
            .ok()?;
        let mut number = String::new();
        let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut number).unwrap();
        Some(Self(server, format!(":{}", number.trim())))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_window_shows_the_face_speaking() {
    let Some(folder) = examples() else { return };
    let program = folder.join("window");
    if !program.exists() {
        eprintln!("SKIPPED: SDL2 was not found when the examples were built");
        return;
    }
    let Some(display) = Display::open() else { return };
    let root = xtask::root();
    let shot = folder.join("window.bmp");
    let mut command = Command::new(&program);
    command.arg(root.join("models/demo/pack")).arg(root.join("models/demo/iris.avatar")).arg("4").arg(&shot);
    command.env("DISPLAY", &display.1).env("ORT_DYLIB_PATH", support::runtime());
    command
        .env("SDL_VIDEODRIVER", "x11")
        .env("SDL_RENDER_DRIVER", "software")
        .env("SDL_AUDIODRIVER", "dummy");
    eprintln!("{}", said(&succeeds(&mut command)));
    let picture = image::open(&shot).unwrap().to_rgb8();
    let png = folder.join("window.png");
    picture.save(&png).unwrap();
    eprintln!("{}", png.display());
    assert_eq!(picture.dimensions(), (512, 512));
    // What is on the screen is the footage everywhere but around the mouth.
    let engine = musetalk_core::Engine::builder(root.join("models/demo/pack")).build().unwrap();
    let avatar = engine.open_avatar(root.join("models/demo/iris.avatar")).unwrap();
    let upper = 512 * 3 * 100;
    let nearest = (0..avatar.asset().frames())
        .map(|frame| {
            let base = &avatar.asset().base_frame(frame).unwrap()[..upper];
            base.iter().zip(&picture.as_raw()[..upper]).filter(|(a, b)| a != b).count()
        })
        .min()
        .unwrap();
    assert_eq!(nearest, 0, "the upper rows of no base frame are on the screen");
}

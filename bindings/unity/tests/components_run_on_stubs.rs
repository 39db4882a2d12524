//! The Unity components, compiled against stubs of the engine, drive the real library in a made-up scene.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use musetalk_unity::{compile, home, mono};
use realtime_client::scripted::{Scenario, ScriptedServer};
use support::{compiled, component_tests, core, engine, given, run};

fn test(name: &str) {
    let [pack, avatar, voice] = given();
    if mono() {
        run(component_tests(), &[name, pack, avatar, voice]);
    }
}

#[test]
fn every_part_compiles_and_is_documented() {
    if !mono() {
        return;
    }
    let [engine, editor] = engine();
    let part = |name: &str, source: &str, references: &[&std::path::Path]| {
        let dll = compiled().join(name);
        let references: Vec<_> = references.iter().map(|path| (*path).to_owned()).collect();
        compile(&dll, &[home().join(source)], &references).unwrap_or_else(|why| panic!("{why}"));
        dll
    };
    let unity = part("MuseTalk.Unity.dll", "com.musetalk.unity/Runtime", &[core(), &engine]);
    part("MuseTalk.Unity.Editor.dll", "com.musetalk.unity/Editor", &[core(), &unity, &engine, &editor]);
    part("Sample.dll", "com.musetalk.unity/Samples~/TalkingFace", &[core(), &unity, &engine]);
}

#[test]
fn a_build_without_its_libraries_is_stopped() {
    if !mono() {
        return;
    }
    let [engine, editor] = engine();
    let unity = compiled().join("ForTheEditor.dll");
    compile(&unity, &[home().join("com.musetalk.unity/Runtime")], &[core().to_owned(), engine.clone()])
        .unwrap();
    let program = compiled().join("EditorTests.exe");
    let sources = [home().join("com.musetalk.unity/Editor"), home().join("tests/editor")];
    compile(&program, &sources, &[core().to_owned(), unity, engine, editor]).unwrap();
    let project = musetalk_tests::scratch("project").canonicalize().unwrap();
    run(&program, &[project.to_str().unwrap()]);
}

#[test]
fn sound_keeps_its_pitch_at_every_rate() {
    test("rates");
}

#[test]
fn speech_waits_for_its_pictures_and_is_heard_when_it_sounds() {
    test("queue");
}

#[test]
fn regions_make_the_same_picture_as_whole_uploads() {
    test("texture");
}

#[test]
fn a_face_speaks_in_a_scene_and_leaves_nothing_behind() {
    test("face");
}

#[test]
fn another_audio_device_takes_over_what_waits() {
    test("device");
}

#[test]
fn a_face_whose_voice_was_disabled_speaks_again() {
    test("silenced");
}

#[test]
fn samples_that_are_no_numbers_are_refused() {
    test("numbers");
}

#[test]
fn an_audio_source_speaks_through_a_face() {
    test("input");
}

#[test]
fn clips_are_shown_when_they_are_asked_for() {
    let [pack, ..] = given();
    if mono() {
        let clips = [("idle", 9), ("listening", 5), ("still", 1)];
        let avatar = musetalk_tests::write_clips(&musetalk_tests::scratch("clips"), &clips, false, false);
        run(component_tests(), &["clips", pack, &avatar.display().to_string()]);
    }
}

#[test]
fn the_sample_speaks_with_the_files_of_the_demo() {
    if !mono() {
        return;
    }
    musetalk_tests::runtime();
    let streaming = musetalk_tests::scratch("streaming");
    #[cfg(unix)]
    std::os::unix::fs::symlink(musetalk_unity::root().join("models/demo"), streaming.join("MuseTalk"))
        .unwrap();
    run(component_tests(), &["sample", streaming.to_str().unwrap()]);
}

#[test]
fn the_audio_thread_makes_no_garbage() {
    test("garbage");
}

#[test]
fn what_is_missing_is_told() {
    if mono() {
        run(component_tests(), &["failure", given()[1]]);
    }
}

#[test]
fn a_conversation_is_heard_seen_and_interrupted() {
    if !mono() {
        return;
    }
    let mut scenario = Scenario::default();
    scenario.answers = vec!["A story about many things.".to_owned()];
    scenario.answer_seconds = Some(2.0);
    let server = ScriptedServer::start(scenario).unwrap();
    let [pack, avatar, _] = given();
    run(component_tests(), &["talk", &server.provider().url, pack, avatar]);
    let seen = server.seen();
    assert!(server.samples() > 10_000, "the microphone was heard: {}", server.samples());
    assert!(
        seen.iter().any(|event| event["type"] == "conversation.item.truncate"),
        "the model is told what was heard: {seen:?}"
    );
}

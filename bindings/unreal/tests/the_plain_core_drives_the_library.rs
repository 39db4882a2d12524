//! The part of the plugin that does not need Unreal, with the real `libmusetalk`, a pack of random weights, a loudspeaker, a game loop, and
//! a server that converses.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use musetalk_tests::{babble, scratch, tiny_pack, write_clips, write_person};
use musetalk_unreal::{Compiler, pass};
use realtime_client::scripted::{Scenario, ScriptedServer};

// Linked for its shared library, which cargo puts beside this test.
use musetalk as _;

fn library() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its path");
    let library = test.with_file_name("libmusetalk.so");
    assert!(library.is_file(), "cargo built no {}", library.display());
    library
}

#[test]
fn faces_speak_listen_and_converse() {
    let Some(compiler) = Compiler::find() else { return };
    musetalk_tests::runtime();
    let runtime = musetalk_core::runtime::search(None).found.expect("the tests have ONNX Runtime");
    let folder = scratch("unreal-library");
    let avatar = write_person(musetalk_tests::engine(), &folder);
    let clips = write_clips(&folder, &[("idle", 9), ("listening", 5), ("still", 1)], false, false);
    let mut scenario = Scenario::default();
    scenario.voice = voice();
    scenario.answer_seconds = Some(1.5);
    let server = ScriptedServer::start(scenario).expect("a port is free");
    let program =
        compiler.build("library.cpp", &folder.join("library"), None).expect("no sanitizer was asked for");
    pass(
        Command::new(program)
            .arg(library())
            .arg(tiny_pack())
            .arg(avatar)
            .arg(clips)
            .arg(runtime)
            .arg(server.provider().url)
            .env_remove("REALTIME_API_KEY"),
    );
    let told = server.seen();
    // The person wrote; the model was asked to answer.
    assert!(told.iter().any(|event| event["type"] == "conversation.item.create"), "{told:?}");
    assert!(told.iter().any(|event| event["type"] == "response.create"), "{told:?}");
}

/// Something that is no silence, so that the mouth has a reason to move.
fn voice() -> Arc<[i16]> {
    babble(2.0, 24_000, 1).iter().map(|sample| (sample * 32_000.0) as i16).collect()
}

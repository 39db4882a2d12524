//! The C# core package holds conversations with a scripted server.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use musetalk_unity::mono;
use realtime_client::scripted::{Scenario, ScriptedServer};
use support::{given, run, tests};

fn server(scenario: impl FnOnce(&mut Scenario)) -> ScriptedServer {
    let mut scripted = Scenario::default();
    scripted.answers = vec!["A story about many things.".to_owned()];
    scripted.answer_seconds = Some(2.0);
    scenario(&mut scripted);
    ScriptedServer::start(scripted).unwrap()
}

#[test]
fn by_text_by_voice_and_by_picture_until_it_is_closed() {
    if !mono() {
        return;
    }
    let server = server(|_| ());
    run(tests(), &["talk", &server.provider().url]);
    assert_eq!(server.bearer().as_deref(), Some("a-key-for-tests"));
    let seen = server.seen();
    let sent = |text: &str| seen.iter().any(|event| event.to_string().contains(text));
    assert!(sent("Go, bitte: 🙂") && sent("Antworte auf Zäh.") && sent("data:image/"), "{seen:?}");
    assert!(server.samples() >= 20 * 480, "{}", server.samples());
    let cut = seen.iter().find(|event| event["type"] == "conversation.item.truncate");
    assert!(cut.is_some(), "the model is told what was heard: {seen:?}");
    assert_eq!((server.connections(), server.closed()), (1, 1));
}

#[test]
fn with_functions() {
    if !mono() {
        return;
    }
    let server = server(|scenario| scenario.calls_functions = true);
    run(tests(), &["tools", &server.provider().url]);
    assert!(server.seen().iter().any(|event| event.to_string().contains("blau")));
}

#[test]
fn an_avatar_lives_as_long_as_its_conversation() {
    if !mono() {
        return;
    }
    let server = server(|_| ());
    let [pack, avatar, _] = given();
    run(tests(), &["kept", &server.provider().url, pack, avatar]);
}

#[test]
fn a_domain_that_listened_to_the_log_may_go() {
    if !mono() {
        return;
    }
    let server = server(|_| ());
    run(tests(), &["listened", given()[0], &server.provider().url]);
}

#[test]
fn what_is_disposed_of_lets_every_thread_go() {
    if !mono() {
        return;
    }
    let server = server(|_| ());
    let [pack, avatar, _] = given();
    run(tests(), &["ends", &server.provider().url, pack, avatar]);
}

#[test]
fn through_an_avatar() {
    if !mono() {
        return;
    }
    let server = server(|_| ());
    let [pack, avatar, _] = given();
    run(tests(), &["spoken", &server.provider().url, pack, avatar]);
}

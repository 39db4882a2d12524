//! What the tests over loopback share.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part, and fails by unwrapping")]

use std::time::{Duration, Instant};

use realtime_client::scripted::{Fault, Scenario, ScriptedServer};
use realtime_client::session::{Event, State};
use realtime_client::{Builder, Config, Error, Key, RealtimeClient};
use serde_json::Value;

pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

/// Nothing takes this long, on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn server(scenario: Scenario) -> ScriptedServer {
    ScriptedServer::start(scenario).unwrap()
}

pub(crate) fn faulty(fault: Fault) -> ScriptedServer {
    let mut scenario = Scenario::default();
    scenario.fault = Some(fault);
    server(scenario)
}

pub(crate) fn config(server: &ScriptedServer) -> Config {
    Config::new(server.provider(), Some(Key::new(KEY).unwrap()))
}

pub(crate) fn connect(server: &ScriptedServer) -> RealtimeClient {
    start(RealtimeClient::builder(), config(server))
}

pub(crate) fn start(builder: Builder, config: Config) -> RealtimeClient {
    let talk = builder.start(config).unwrap();
    until(&talk, |event| matches!(event, Event::State(State::Ready)));
    talk
}

/// The events up to and with the first that `last` accepts.
pub(crate) fn until(talk: &RealtimeClient, last: impl Fn(&Event) -> bool) -> Vec<Event> {
    let start = Instant::now();
    let mut events = Vec::new();
    loop {
        let left = PATIENCE.saturating_sub(start.elapsed());
        match talk.wait(left) {
            Ok(Some(event)) => {
                let done = last(&event);
                events.push(event);
                if done {
                    return events;
                }
            }
            Ok(None) => panic!("the session is over: {events:?}"),
            Err(_) => panic!("what was waited for did not come: {events:?}"),
        }
    }
}

pub(crate) fn until_done(talk: &RealtimeClient) -> Vec<Event> {
    until(talk, |event| matches!(event, Event::ResponseDone { .. }))
}

/// Why the session ended.
pub(crate) fn why_closed(talk: &RealtimeClient) -> Error {
    let events = until(talk, |event| matches!(event, Event::State(State::Closed(_))));
    match events.into_iter().last() {
        Some(Event::State(State::Closed(Some(why)))) => why,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn samples(events: &[Event]) -> usize {
    let audio = |event: &Event| match event {
        Event::Audio { pcm, .. } => pcm.len(),
        _ => 0,
    };
    events.iter().map(audio).sum()
}

pub(crate) fn said(events: &[Event]) -> Vec<String> {
    let said = |event: &Event| match event {
        Event::Said { text, .. } => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(said).collect()
}

pub(crate) fn seen(server: &ScriptedServer, kind: &str) -> Vec<Value> {
    server.seen().into_iter().filter(|event| event["type"] == kind).collect()
}

/// Waits until the server has seen this many events of the kind.
pub(crate) fn wait_seen(server: &ScriptedServer, kind: &str, count: usize) -> Vec<Value> {
    wait_for(|| Some(seen(server, kind)).filter(|events| events.len() >= count))
}

pub(crate) fn wait_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "what was waited for did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Somebody speaks for this many tenths of a second, and is silent for half a second.
pub(crate) fn speak(talk: &RealtimeClient, tenths: usize) {
    for _ in 0..tenths {
        talk.push_audio(&[4_000; 2_400]);
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..5 {
        talk.push_audio(&[0; 2_400]);
        std::thread::sleep(Duration::from_millis(20));
    }
}

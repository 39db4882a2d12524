//! Mutated events, in any order, with a host that does anything: the parser and the session take it all.
//!
//! A few thousand rounds in every run; `FUZZ_SECONDS=600 cargo test -p realtime-client --test nothing_a_server_says_panics --
//! --nocapture` for as long as one likes. A failure prints the seed; `FUZZ_SEED` repeats it.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::time::{Duration, Instant};

use realtime_client::protocol::{Dialect, ServerEvent, SessionUpdate, TurnDetection, UserPart};
use realtime_client::session::{Action, Options, Session, ToolOutput};
use realtime_client::{Error, ErrorKind};
use serde_json::{Value, json};

const EVENTS: &str = include_str!("events/server.jsonl");
/// What only some vendors say.
const VENDORS: [&str; 2] = [
    r#"{"type":"conversation.item.input_audio_transcription.updated","item_id":"item_U","transcript":"Tell me"}"#,
    r#"{"type":"response.cancelled","response_id":"resp_1","response":{"id":"resp_1","status":"cancelled"}}"#,
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Runs rounds for the time that was asked for, or a few thousand.
fn rounds(round: impl Fn(&mut fastrand::Rng)) {
    let seed = number("FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    let limit = number("FUZZ_SECONDS").map(Duration::from_secs);
    println!("FUZZ_SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let started = Instant::now();
    let mut count = 0_u64;
    while limit.map_or(count < 3_000, |limit| started.elapsed() < limit) {
        round(&mut rng);
        count += 1;
    }
    println!("{count} rounds");
}

/// A value of another kind, or an absurd one of the same.
fn absurd(rng: &mut fastrand::Rng) -> Value {
    match rng.u8(..10) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e308),
        4 => json!(""),
        5 => json!("x".repeat(rng.usize(..300))),
        6 => json!([]),
        7 => json!({}),
        8 => json!(true),
        _ => json!("item_A"),
    }
}

/// Changes something somewhere inside.
fn mutate(value: &mut Value, rng: &mut fastrand::Rng) {
    match value {
        Value::Object(map) if !map.is_empty() && rng.u8(..6) > 0 => {
            let key = map.keys().nth(rng.usize(..map.len())).unwrap().clone();
            match rng.u8(..8) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert(key, absurd(rng))),
                _ => mutate(map.get_mut(&key).unwrap(), rng),
            }
        }
        Value::Array(list) if !list.is_empty() && rng.u8(..6) > 0 => {
            let index = rng.usize(..list.len());
            match rng.u8(..5) {
                0 => drop(list.remove(index)),
                1 => list.push(list[index].clone()),
                _ => mutate(&mut list[index], rng),
            }
        }
        _ => *value = absurd(rng),
    }
}

fn frame(rng: &mut fastrand::Rng) -> String {
    let line = EVENTS.lines().chain(VENDORS).nth(rng.usize(..48)).unwrap();
    let mut event: Value = serde_json::from_str(line).unwrap();
    for _ in 0..rng.u8(..3) {
        let kind = event["type"].clone();
        mutate(&mut event, rng);
        if event.is_object() && rng.u8(..4) > 0 {
            event["type"] = kind;
        }
    }
    event.to_string()
}

#[test]
fn the_parser_takes_any_bytes() {
    rounds(|rng| {
        let mut bytes = frame(rng).into_bytes();
        for _ in 0..rng.u8(..6) {
            match rng.u8(..3) {
                0 if !bytes.is_empty() => {
                    let at = rng.usize(..bytes.len());
                    bytes[at] = rng.u8(..);
                }
                1 => bytes.truncate(rng.usize(..=bytes.len())),
                _ => bytes.insert(rng.usize(..=bytes.len()), rng.u8(..)),
            }
        }
        let event = ServerEvent::parse(&String::from_utf8_lossy(&bytes));
        assert!(event.kind().len() <= bytes.len() + 8);
    });
}

#[test]
fn the_session_takes_any_events_and_any_host() {
    rounds(|rng| {
        let mut session = Session::new(Options::default(), rng.u64(..));
        let mut now = Duration::ZERO;
        for _ in 0..rng.usize(1..200) {
            now += Duration::from_millis(rng.u64(..3) * rng.u64(..8_000));
            step(&mut session, now, rng);
            let mut actions = 0;
            while let Some(action) = session.poll(now) {
                if let Action::Send { event, event_id } = &action {
                    let dialect = if rng.bool() { Dialect::ga() } else { Dialect::beta() };
                    assert!(event.to_json(Some(event_id), &dialect).starts_with('{'));
                    assert!(event_id.len() <= 32);
                }
                if matches!(action, Action::Connect { .. })
                    && rng.u8(..4) > 0
                    && session.opened(now, 1_794_990_000)
                {
                    session.handle(
                        ServerEvent::parse(
                            r#"{"type":"session.created","session":{"expires_at":1794999000}}"#,
                        ),
                        now,
                    );
                    session.handle(ServerEvent::parse(r#"{"type":"session.updated"}"#), now);
                }
                actions += 1;
                assert!(actions < 20_000, "it comes to an end");
            }
            if let Some(due) = session.deadline() {
                assert!(due > now, "nothing is due at once for ever");
            }
        }
    });
}

fn update(rng: &mut fastrand::Rng) -> SessionUpdate {
    let mut update = SessionUpdate::default();
    if rng.bool() {
        update.audio.output.voice = Some("cedar".into());
    }
    update.audio.input.turn_detection = rng.bool().then_some(TurnDetection::Manual);
    update
}

fn step(session: &mut Session, now: Duration, rng: &mut fastrand::Rng) {
    let broken = || Error::new(ErrorKind::Network, "broken");
    match rng.u8(..40) {
        0 => session.heard(rng.u64(..5), rng.u64(..) >> rng.u32(..64)),
        1 => session.interrupt(),
        2 => drop(session.respond(None)),
        3 => drop(session.say(vec![UserPart::Text { text: "x".to_owned() }], rng.bool())),
        4 => {
            session.tool_output("call_7Zq", ToolOutput::new("x"));
        }
        5 => session.broke(now, broken(), rng.u64(..)),
        6 => session.lost(now, broken(), rng.u64(..)),
        7 => drop(session.press()),
        8 => drop(session.release()),
        9 => session.appended(rng.u64(..10_000)),
        10 => drop(session.aside("tag", Default::default())),
        11 => drop(session.approve("item_M", rng.bool(), None)),
        12 => drop(session.delete_item("item_A")),
        13 if rng.u8(..20) == 0 => session.close(),
        14 => drop(session.retrieve_item("item_A")),
        15 => drop(session.update(&update(rng))),
        _ => session.handle(ServerEvent::parse(&frame(rng)), now),
    }
}

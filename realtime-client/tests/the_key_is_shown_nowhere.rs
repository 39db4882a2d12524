//! Not in a `Debug`, not in an error, not in an event, and in no line that any crate logs, at any level.
//!
//! One thing is not this crate's to keep: the WebSocket crate traces the frames of both sides as they are. So where a server repeats the
//! key, which none should, those frames hold it; every other line is looked at here, and the crate's documentation says what to do.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::sync::Mutex;

use realtime_client::RealtimeClient;
use realtime_client::protocol::server_event::ResponseStatus;
use realtime_client::scripted::{Fault, Scenario};
use realtime_client::session::Event;
use support::*;

/// Who logged, and what.
static LOG: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Traces frames.
const WIRE: &str = "tungstenite";

/// Keeps everything.
struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}: {}", record.level(), record.target(), record.args());
        LOG.lock().unwrap().push((record.target().to_owned(), line));
    }

    fn flush(&self) {}
}

/// A session of one turn, with everything that can be seen of it.
fn shown(fault: Option<Fault>, answer: &str) -> Vec<String> {
    let mut scenario = Scenario::default();
    scenario.answers = vec![answer.to_owned()];
    scenario.fault = fault;
    let server = server(scenario);
    let mut config = config(&server);
    config.options.reconnect_attempts = 0;
    let mut shown = vec![format!("{config:?}")];
    let talk = RealtimeClient::builder().start(config).unwrap();
    shown.push(format!("{talk:?}"));
    talk.say("Go.").unwrap();
    while let Ok(Some(event)) = talk.wait(PATIENCE) {
        shown.push(format!("{event:?}"));
        let answered = matches!(event, Event::ResponseDone { status: ResponseStatus::Completed, .. });
        if answered || matches!(event, Event::Problem { .. }) {
            talk.close();
        }
    }
    shown.extend(talk.history().iter().map(|entry| format!("{entry:?}")));
    assert!(server.bearer().is_none_or(|bearer| bearer == KEY), "it was sent");
    shown
}

#[test]
fn no_debug_no_error_no_event_and_no_log_holds_the_key() {
    log::set_logger(&Keeper).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let mut lines = Vec::new();
    for fault in [None, Some(Fault::Status(401)), Some(Fault::Redirect), Some(Fault::DropAfter(3))] {
        lines.extend(shown(fault, "Hello."));
    }
    let logged: Vec<(String, String)> = LOG.lock().unwrap().drain(..).collect();
    for level in ["TRACE", "DEBUG"] {
        assert!(logged.iter().any(|(_, line)| line.starts_with(level)), "there was a log to look at");
    }
    assert!(logged.iter().any(|(target, _)| target.starts_with(WIRE)));
    lines.extend(logged.into_iter().map(|(_, line)| line));
    // Servers that repeat what they were given, in their own words.
    let repeated = [
        shown(None, &format!("Your key is {KEY}.")),
        shown(Some(Fault::RejectedAfterUpgrade(format!("invalid_{KEY}"))), ""),
        shown(Some(Fault::AnswersFail(format!("server_error_{KEY}"))), ""),
    ];
    for lines in &repeated {
        assert!(lines.iter().any(|line| line.contains("[key]")), "the server did repeat it: {lines:?}");
    }
    lines.extend(repeated.into_iter().flatten());
    let logged: Vec<(String, String)> = LOG.lock().unwrap().drain(..).collect();
    assert!(logged.len() > 20, "there was a log to look at");
    lines.extend(logged.into_iter().filter(|(target, _)| !target.starts_with(WIRE)).map(|(_, line)| line));
    for line in lines {
        assert!(!line.contains(KEY), "{line}");
    }
}

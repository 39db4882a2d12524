//! Not in a `Debug`, not in an error, not in an event, and in no line that any crate logs.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::sync::Mutex;

use realtime_client::RealtimeClient;
use realtime_client::protocol::server_event::ResponseStatus;
use realtime_client::scripted::{Fault, Scenario};
use realtime_client::session::Event;
use support::*;

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps everything.
struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOG.lock().unwrap().push(format!("{}: {}", record.target(), record.args()));
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
    // What a server says is traced by the WebSocket crate, to whoever asks for traces; from here on ours is looked at alone.
    log::set_max_level(log::LevelFilter::Off);
    assert!(LOG.lock().unwrap().len() > 20, "there was a log to look at");
    lines.extend(LOG.lock().unwrap().drain(..));
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
    for line in lines {
        assert!(!line.contains(KEY), "{line}");
    }
}

//! Not in a `Debug`, not in an error, not in an event, and in no line that any crate logs.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::sync::Mutex;

use realtime_client::RealtimeClient;
use realtime_client::scripted::{Fault, Scenario};
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

#[test]
fn no_debug_no_error_no_event_and_no_log_holds_the_key() {
    log::set_logger(&Keeper).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let mut shown = Vec::new();
    // A server that repeats what it was given, in its own words.
    for fault in [
        None,
        Some(Fault::Status(401)),
        Some(Fault::Redirect),
        Some(Fault::RejectedAfterUpgrade(format!("invalid_{KEY}"))),
        Some(Fault::AnswersFail(format!("server_error {KEY}"))),
    ] {
        let mut scenario = Scenario::default();
        scenario.answers = vec![format!("Your key is {KEY}.")];
        scenario.fault = fault;
        let server = server(scenario);
        let mut config = config(&server);
        config.options.reconnect_attempts = 0;
        shown.push(format!("{config:?}"));
        let talk = RealtimeClient::builder().start(config).unwrap();
        shown.push(format!("{talk:?}"));
        talk.say("Go.").unwrap();
        while let Ok(Some(event)) = talk.wait(std::time::Duration::from_secs(3)) {
            shown.push(format!("{event:?}"));
            if matches!(event, realtime_client::session::Event::ResponseDone { .. }) {
                talk.close();
            }
        }
        shown.extend(talk.history().iter().map(|entry| format!("{entry:?}")));
        assert!(server.bearer().is_none_or(|bearer| bearer == KEY), "it was sent");
    }
    shown.extend(LOG.lock().unwrap().drain(..));
    assert!(shown.len() > 50);
    assert!(shown.iter().any(|line| line.contains("[key]")), "the server did repeat it");
    for line in shown {
        assert!(!line.contains(KEY), "{line}");
    }
}

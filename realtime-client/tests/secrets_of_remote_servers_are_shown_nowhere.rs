//! What a remote server of tools is told in secret goes to the server of the conversation, and into nothing else: no `Debug`, no event, no
//! recording, no line of the log but the frames that the WebSocket crate traces as they are.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use realtime_client::RealtimeClient;
use realtime_client::protocol::{McpTool, SessionUpdate, Tool};
use realtime_client::scripted::Scenario;
use realtime_client::session::Event;
use support::*;

const TOKEN: &str = "oauth-\"0123456789\"";
const HEADER: &str = "team-9876543210";

/// Everything that is logged, but for the frames themselves.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if !record.target().starts_with("tungstenite") {
            LOG.lock().unwrap().push(format!("{}: {}", record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// A file that the test can look into.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shop(label: &str) -> Tool {
    let mut shop = McpTool::default();
    shop.server_label = label.to_owned();
    shop.server_url = Some("https://example.com/mcp".to_owned());
    shop.authorization = Some(TOKEN.into());
    shop.headers = Some(BTreeMap::from([("X-Team".to_owned(), HEADER.into())]));
    shop.into()
}

#[test]
fn no_debug_no_event_no_recording_and_no_log_holds_them() {
    log::set_logger(&Keeper).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let mut scenario = Scenario::default();
    // A server that repeats what it was told, in its own words.
    scenario.answers = vec![format!("Your team is {HEADER}.")];
    let server = server(scenario);
    let mut config = config(&server);
    config.options.session.tools = Some(vec![shop("first")]);
    let mut shown = vec![format!("{config:?}")];
    let paper = Paper::default();
    let talk = start(RealtimeClient::builder().record(paper.clone()), config);
    let mut update = SessionUpdate::default();
    update.tools = Some(vec![shop("second")]);
    shown.push(format!("{update:?}"));
    talk.update(&update).unwrap();
    until(&talk, |event| *event == Event::Updated);
    talk.say("Go.").unwrap();
    shown.extend(until_done(&talk).iter().map(|event| format!("{event:?}")));
    let sent = seen(&server, "session.update");
    assert_eq!(sent[1]["session"]["tools"][0]["authorization"], TOKEN, "it was sent");
    assert_eq!(sent[1]["session"]["tools"][0]["headers"]["X-Team"], HEADER);
    drop(talk);
    shown.push(String::from_utf8(paper.0.lock().unwrap().clone()).unwrap());
    let logged: Vec<String> = LOG.lock().unwrap().drain(..).collect();
    assert!(!logged.is_empty(), "there was a log to look at");
    shown.extend(logged);
    assert!(shown.iter().any(|text| text.contains("[key]") || text.contains("[hidden]")));
    for text in shown {
        assert!(!text.contains("0123456789") && !text.contains(HEADER), "{text}");
    }
}

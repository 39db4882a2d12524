//! What a session learned is all that it takes to make it decide the same again, without a network; and no line holds the key.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use realtime_client::protocol::{Dialect, SessionUpdate};
use realtime_client::scripted::{Fault, Scenario};
use realtime_client::session::{Action, Event, State, ToolOutput};
use realtime_client::{ErrorKind, RealtimeClient, Replay, Tools};
use serde_json::{Value, json};
use support::*;

/// A file in memory.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A conversation with a function, an interruption by voice, and a change of the instructions.
fn whole(talk: &RealtimeClient) -> Vec<Event> {
    talk.say("What time is it?").unwrap();
    let mut told = until(talk, |event| matches!(event, Event::Ended { .. }));
    talk.heard(1, 30_001);
    speak(talk, 5);
    told.extend(until(talk, |event| matches!(event, Event::Interrupted { .. })));
    told.extend(until(talk, |event| matches!(event, Event::Ended { .. })));
    let mut update = SessionUpdate::default();
    update.instructions = Some("Be brief.".to_owned());
    talk.update(&update).unwrap();
    talk.interrupt();
    told
}

/// One whose connection is lost.
fn lost(talk: &RealtimeClient) -> Vec<Event> {
    talk.say("Hello?").unwrap();
    let mut told = until(talk, |event| matches!(event, Event::State(State::Reconnecting { .. })));
    told.extend(until(talk, |event| matches!(event, Event::State(State::Ready))));
    talk.say("Still there?").unwrap();
    told.extend(until(talk, |event| matches!(event, Event::Ended { .. })));
    told
}

/// What was recorded, and what the host was told.
fn recorded(
    fault: Option<Fault>,
    conversation: impl Fn(&RealtimeClient) -> Vec<Event>,
) -> (String, Vec<Event>) {
    let mut scenario = Scenario::default();
    scenario.calls_functions = fault.is_none();
    scenario.answer_seconds = Some(3.0);
    scenario.transcript = format!("My key is {KEY}.");
    scenario.answers = vec![format!("I know your key: {KEY}.")];
    scenario.fault = fault;
    let server = server(scenario);
    let mut tools = Tools::new();
    tools
        .add("clock", "Tells the time.", json!({"type": "object"}), |_| {
            ToolOutput::new(format!("ten, {KEY}"))
        })
        .unwrap();
    let paper = Paper::default();
    let talk = start(RealtimeClient::builder().tools(tools).record(paper.clone()), config(&server));
    let mut told = conversation(&talk);
    talk.close();
    while let Ok(Some(event)) = talk.wait(PATIENCE) {
        told.push(event);
    }
    let paper = paper.0.lock().unwrap().clone();
    (String::from_utf8(paper).unwrap(), told)
}

fn replayed(recording: &str) -> Vec<(Duration, Action)> {
    Replay::open(recording.as_bytes()).unwrap().map(|done| done.unwrap()).collect()
}

#[test]
fn a_session_decides_the_same_again() {
    type Conversation = fn(&RealtimeClient) -> Vec<Event>;
    let conversations: [(_, Conversation); 3] =
        [(None, whole), (Some(Fault::NeverAcknowledges), whole), (Some(Fault::DropAfter(9)), lost)];
    for (fault, conversation) in conversations {
        let (recording, told) = recorded(fault.clone(), conversation);
        let lines: Vec<Value> = recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sent: Vec<Value> = lines.iter().filter_map(|line| line.get("sent").cloned()).collect();
        let actions = replayed(&recording);
        let again: Vec<Value> = actions
            .iter()
            .filter_map(|(_, action)| match action {
                Action::Send { event, event_id } => {
                    Some(serde_json::from_str(&event.to_json(Some(event_id), &Dialect::ga())).unwrap())
                }
                _ => None,
            })
            .collect();
        let truncated = sent.iter().any(|event| event["audio_end_ms"] == 1250);
        assert_eq!(truncated, !matches!(fault, Some(Fault::DropAfter(_))), "{fault:?}");
        assert_eq!(again, sent, "{fault:?}");
        let facts = |events: Vec<&Event>| -> Vec<String> {
            let fact = |event: &&Event| {
                matches!(
                    event,
                    Event::Said { .. }
                        | Event::Ended { .. }
                        | Event::ToolCall { .. }
                        | Event::UserSaid { .. }
                )
            };
            events.into_iter().filter(fact).map(|event| format!("{event:?}")).collect()
        };
        let tells = actions.iter().filter_map(|(_, action)| match action {
            Action::Tell(event) => Some(event),
            _ => None,
        });
        assert_eq!(facts(tells.collect()), facts(told.iter().collect()), "{fault:?}");
        assert!(actions.windows(2).all(|pair| pair[0].0 <= pair[1].0), "time passes");
        assert!(actions.iter().any(|(_, action)| *action == Action::Tell(Event::State(State::Closed(None)))));
        assert!(!recording.contains(KEY), "and no line holds the key");
        assert!(recording.contains("[key]"));
    }
}

#[test]
fn what_is_no_recording_is_refused_with_the_number_of_its_line() {
    let head = r#"{"recording":1,"nonce":1,"session":{"type":"realtime"}}"#;
    for (text, kind, words) in [
        ("", ErrorKind::InvalidInput, "line 1"),
        ("{}", ErrorKind::InvalidInput, "line 1"),
        ("[]", ErrorKind::InvalidInput, "no object"),
        (r#"{"recording":2}"#, ErrorKind::Unsupported, "format 2"),
    ] {
        let error = Replay::open(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    for (line, words) in
        [("{\"at\":", "line 3"), ("7", "no object"), (r#"{"at":1,"sang":1}"#, "none of the lines")]
    {
        let text = format!("{head}\n{}\n{line}\n{}", r#"{"at":0,"opened":5}"#, r#"{"at":9,"heard":[1,2]}"#);
        let done: Vec<_> = Replay::open(text.as_bytes()).unwrap().collect();
        let error = done.last().unwrap().as_ref().unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(done.iter().filter(|done| done.is_err()).count(), 1, "it ends there");
    }
}

/// Wrong values where numbers and texts should be are taken for nothing.
#[test]
fn absurd_recordings_do_no_harm() {
    for text in [
        r#"{"recording":1,"nonce":"x","output_rate":0,"input_rate":-1,"session":null,"capabilities":7}"#,
        r#"{"recording":1,"session":[1,2],"tool_timeout_ms":1e99}"#,
    ] {
        let lines = [
            r#"{"at":18446744073709551615,"opened":"now"}"#,
            r#"{"at":3,"server":7}"#,
            r#"{"at":4,"server":"no json"}"#,
            r#"{"at":4,"heard":"all"}"#,
            r#"{"at":5,"host":"say","with":[{"type":"input_text"},7]}"#,
            r#"{"at":5,"host":"update","with":[null]}"#,
            r#"{"at":5,"host":"approve","with":{}}"#,
            r#"{"at":6,"broke":null}"#,
        ];
        let text = format!("{text}\n{}", lines.join("\n"));
        assert!(Replay::open(text.as_bytes()).unwrap().take(10_000).all(|done| done.is_ok()));
    }
}

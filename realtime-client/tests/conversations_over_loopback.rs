//! Whole conversations with the scripted server, through real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use realtime_client::protocol::{
    Detail, Eagerness, McpTool, Modality, RequireApproval, ResponseParams, SemanticVad, SessionKind,
    SessionUpdate, Tool, Transcription, TurnDetection, UserPart,
};
use realtime_client::scripted::{Fault, Scenario};
use realtime_client::session::{Event, Posture, ToolOutput, What};
use realtime_client::{Picture, RealtimeClient, Tools};
use serde_json::json;
use support::*;

/// What both have said so far, in order.
fn texts(talk: &RealtimeClient) -> Vec<String> {
    let text = |what| match what {
        What::Said { text, .. } => Some(text),
        _ => None,
    };
    talk.history().into_iter().filter_map(|entry| text(entry.what)).collect()
}

fn answering(answers: &[&str]) -> Scenario {
    let mut scenario = Scenario::default();
    scenario.answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
    scenario
}

#[test]
fn a_written_question_is_answered_by_voice() {
    let server = server(answering(&["Hello there."]));
    let talk = connect(&server);
    talk.say("Who are you?").unwrap();
    let events = until_done(&talk);
    assert_eq!(said(&events), ["Hello there."]);
    assert_eq!(samples(&events), (12.0 * 0.06 * 24_000.0) as usize);
    assert!(events.contains(&Event::Began { utterance: 1 }));
    assert!(events.contains(&Event::Ended { utterance: 1 }));
    assert_eq!(server.asked_for(), "/v1/realtime?model=scripted");
    assert_eq!(server.bearer().as_deref(), Some(KEY));
    assert_eq!(talk.usage().responses, 1);
    assert_eq!(talk.posture(), Posture::Speaking, "it sounds until the host has heard it");
    talk.heard(1, u64::MAX);
    assert_eq!(talk.posture(), Posture::Idle);
    talk.close();
    wait_for(|| (server.closed() == 1).then_some(()));
}

#[test]
fn a_spoken_question_is_heard_written_down_and_answered() {
    let mut scenario = answering(&["Fine."]);
    scenario.transcript = "How are you?".to_owned();
    let server = server(scenario);
    let mut config = config(&server);
    config.options.session.audio.input.transcription = Some(Transcription::by("any"));
    let talk = start(RealtimeClient::builder(), config);
    speak(&talk, 8);
    let events = until_done(&talk);
    let at = |wanted: fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    assert!(
        at(|e| matches!(e, Event::SpeechStarted { .. })) < at(|e| matches!(e, Event::SpeechStopped { .. }))
    );
    assert!(events.iter().any(|e| matches!(e, Event::UserSaid { text, .. } if text == "How are you?")));
    assert_eq!(texts(&talk), ["How are you?", "Fine."]);
    assert!(seen(&server, "response.create").is_empty(), "the server answers by itself");
}

#[test]
fn who_is_interrupted_falls_silent_and_forgets_what_was_not_heard() {
    for fault in [None, Some(Fault::CancelsBeforeSpeech)] {
        let mut scenario = answering(&["A long story about many things."]);
        scenario.answer_seconds = Some(30.0);
        scenario.pace = Duration::from_millis(2);
        scenario.fault = fault;
        let server = server(scenario);
        let talk = connect(&server);
        talk.say("Tell me a story.").unwrap();
        until(&talk, |event| matches!(event, Event::Audio { .. }));
        until(&talk, |event| matches!(event, Event::Audio { .. }));
        talk.heard(1, 4_799);
        speak(&talk, 5);
        until(&talk, |event| *event == Event::Interrupted { utterance: 1 });
        let truncated = wait_seen(&server, "conversation.item.truncate", 1);
        assert_eq!(truncated[0]["audio_end_ms"], 199);
        let events = until(&talk, |event| matches!(event, Event::Began { utterance: 2 }));
        assert_eq!(samples(&events), 0, "late pieces of the first answer are not told");
        let truncated = |events: Vec<serde_json::Value>| {
            events.iter().any(|event| event["type"] == "conversation.item.truncated").then_some(())
        };
        wait_for(|| truncated(server.sent()));
    }
}

#[test]
fn push_to_talk_takes_only_what_is_said_while_pressed() {
    let server = server(answering(&["Yes."]));
    let mut config = config(&server);
    config.options.session.audio.input.turn_detection = Some(TurnDetection::Manual);
    let talk = start(RealtimeClient::builder(), config);
    talk.push_audio(&[1000; 24_000]);
    talk.press().unwrap();
    talk.push_audio(&[1000; 4_800]);
    talk.release().unwrap();
    assert_eq!(said(&until_done(&talk)), ["Yes."]);
    assert_eq!(server.samples(), 4_800);
    talk.press().unwrap();
    talk.push_audio(&[1000; 100]);
    talk.release().unwrap();
    until(&talk, |event| *event == Event::TurnTooShort);
}

/// Always has the same to say.
struct Mood;

impl realtime_client::voice::Sense for Mood {
    fn hear(&mut self, _: &[i16], _: u32) {}

    fn said(&mut self, role: realtime_client::protocol::Role, text: &str) -> Option<String> {
        (role == realtime_client::protocol::Role::User).then(|| format!("They say {text:?}."))
    }

    fn hint(&mut self) -> Option<String> {
        Some("They sound glad.".to_owned())
    }
}

#[test]
fn what_is_read_in_written_words_is_told_before_the_answer_is_asked_for() {
    let server = server(answering(&["Yes."]));
    let talk = start(RealtimeClient::builder().sense(Mood), config(&server));
    talk.say("Oh no!").unwrap();
    until_done(&talk);
    let events = server.seen();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = ["session.update", "session.update", "conversation.item.create", "response.create"];
    assert_eq!(kinds, expected);
    assert_eq!(events[1]["session"]["instructions"], "They say \"Oh no!\".");
}

#[test]
fn an_item_comes_back_with_its_sound() {
    let server = server(Scenario::default());
    let talk = connect(&server);
    talk.retrieve_item("item_1").unwrap();
    let events = until(&talk, |event| matches!(event, Event::Retrieved { .. }));
    let Some(Event::Retrieved { item }) = events.last() else { panic!("it was just seen") };
    assert_eq!((item.id.as_str(), item.content[0].audio.as_deref()), ("item_1", Some("AAAAAAAA")));
}

#[test]
fn what_is_felt_in_a_pressed_turn_is_told_before_the_answer_is_asked_for() {
    let server = server(answering(&["Yes."]));
    let mut config = config(&server);
    config.options.session.audio.input.turn_detection = Some(TurnDetection::Manual);
    let talk = start(RealtimeClient::builder().sense(Mood), config);
    talk.press().unwrap();
    talk.push_audio(&[1000; 4_800]);
    talk.release().unwrap();
    until_done(&talk);
    let kinds: Vec<String> =
        server.seen().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    let expected = ["session.update", "input_audio_buffer.commit", "response.create"];
    assert_eq!(kinds[kinds.len() - 3..], expected);
    let hints = seen(&server, "session.update");
    assert_eq!(hints.last().unwrap()["session"]["instructions"], "They sound glad.");
}

#[test]
fn functions_run_by_themselves_and_their_outputs_are_spoken_of() {
    let mut scenario = Scenario::default();
    scenario.calls_functions = true;
    let server = server(scenario);
    let mut tools = Tools::new();
    let schema = json!({"type": "object", "properties": {"asked": {"type": "string"}}});
    tools
        .add("weather", "Tells the weather.", schema.clone(), |_| {
            std::thread::sleep(Duration::from_millis(200));
            ToolOutput::new("rain")
        })
        .unwrap();
    tools
        .add_async("time", "Tells the time.", schema.clone(), |_| async { ToolOutput::new("noon") })
        .unwrap();
    tools.add("broken", "Breaks.", schema, |_| panic!("on purpose")).unwrap();
    assert!(tools.add("time", "", json!({}), |_| ToolOutput::new("")).is_err());
    let talk = start(RealtimeClient::builder().tools(tools), config(&server));
    talk.say("What is it like outside?").unwrap();
    let text = &said(&until(&talk, |event| matches!(event, Event::Said { .. })))[0];
    assert!(text.starts_with("The function said: rain, noon, {\"error\""), "{text}");
    assert_eq!(seen(&server, "response.create").len(), 2);
}

#[test]
fn a_call_that_no_function_takes_is_the_hosts_to_answer() {
    let mut scenario = Scenario::default();
    scenario.calls_functions = true;
    let server = server(scenario);
    let mut config = config(&server);
    let mut tools = Tools::new();
    tools.add("ask_me", "", json!({"type": "object"}), |_| ToolOutput::new("")).unwrap();
    config.options.session.tools = Some(tools.declared());
    let talk = start(RealtimeClient::builder(), config);
    talk.say("Go.").unwrap();
    let events = until(&talk, |event| matches!(event, Event::ToolCall { .. }));
    let Some(Event::ToolCall { call_id, name, .. }) = events.last() else { panic!("it was just seen") };
    assert_eq!(name, "ask_me");
    assert!(talk.tool_output(call_id, ToolOutput::new("42")));
    let text = &said(&until(&talk, |event| matches!(event, Event::Said { .. })))[0];
    assert_eq!(text, "The function said: 42");
}

#[test]
fn two_items_of_one_answer_are_one_utterance() {
    let mut scenario = answering(&["First."]);
    scenario.items = 2;
    let server = server(scenario);
    let talk = connect(&server);
    talk.say("Go.").unwrap();
    let events = until_done(&talk);
    assert_eq!(said(&events).len(), 2);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Began { .. })).count(), 1);
    assert_eq!(samples(&events), 2 * (6.0 * 0.06 * 24_000.0) as usize);
}

#[test]
fn the_wrong_order_is_put_right() {
    let mut scenario = answering(&["First."]);
    scenario.items = 2;
    scenario.transcript = "How are you?".to_owned();
    scenario.voice = (0..8_000).map(|n| n as i16).collect();
    scenario.fault = Some(Fault::WrongOrder);
    let server = server(scenario);
    let mut config = config(&server);
    config.options.session.audio.input.transcription = Some(Transcription::by("any"));
    let talk = start(RealtimeClient::builder(), config);
    speak(&talk, 8);
    let events = until(&talk, |event| matches!(event, Event::UserSaid { .. }));
    let sound: Vec<i16> = events
        .iter()
        .filter_map(|event| match event {
            Event::Audio { utterance: 1, pcm } => Some(pcm.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let item: Vec<i16> = (0..8_000).map(|n| n as i16).collect();
    assert!(sound == [item.clone(), item].concat(), "{} samples", sound.len());
    let sent: Vec<String> =
        server.sent().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    let at = |kind: &str| sent.iter().position(|sent| sent == kind).unwrap();
    let last = sent.iter().rposition(|sent| sent == "response.output_audio.delta").unwrap();
    assert!(
        last < at("response.output_audio.done")
            && at("response.done") < at("conversation.item.input_audio_transcription.completed")
    );
    assert_eq!(texts(&talk), ["How are you?", "First.", "First."]);
}

/// A remote server of tools, and whether the host is asked.
fn shop(approval: RequireApproval) -> Option<Vec<Tool>> {
    let mut shop = McpTool::default();
    shop.server_label = "shop".to_owned();
    shop.server_url = Some("https://example.com/mcp".to_owned());
    shop.require_approval = Some(approval);
    Some(vec![shop.into()])
}

fn calling_remote(fault: Option<Fault>) -> Scenario {
    let mut scenario = answering(&["I know nothing."]);
    scenario.calls_remote = true;
    scenario.fault = fault;
    scenario
}

#[test]
fn a_remote_tool_runs_when_the_host_allows_it_and_is_spoken_of() {
    for (approve, words) in [(true, "third drawer"), (false, "not allowed")] {
        let server = server(calling_remote(None));
        let mut config = config(&server);
        config.options.session.tools = shop(RequireApproval::Always);
        let talk = start(RealtimeClient::builder(), config);
        talk.say("Where are the scissors?").unwrap();
        let events = until(&talk, |event| matches!(event, Event::ApprovalRequested { .. }));
        let Some(Event::ApprovalRequested { request_id, server_label, name, arguments }) = events.last()
        else {
            panic!("it was just seen")
        };
        assert_eq!((server_label.as_str(), name.as_str()), ("shop", "look_up"));
        assert!(arguments.contains("scissors"), "{arguments}");
        talk.approve(request_id, approve, None).unwrap();
        let text = &said(&until(&talk, |event| matches!(event, Event::Said { .. })))[0];
        assert!(text.contains(words), "{text}");
        assert_eq!(seen(&server, "conversation.item.create").len(), 2);
    }
}

#[test]
fn a_remote_tool_that_needs_no_approval_runs_by_itself_and_one_that_fails_stops_nothing() {
    for (fault, words) in [
        (None, "third drawer"),
        (Some(Fault::RemoteToolsFail), "The remote tool said: nothing"),
        (Some(Fault::RemoteServersFail), "I know nothing."),
    ] {
        let server = server(calling_remote(fault.clone()));
        let mut config = config(&server);
        config.options.session.tools = shop(RequireApproval::Never);
        let talk = start(RealtimeClient::builder(), config);
        talk.say("Where are the scissors?").unwrap();
        let events = until(&talk, |event| matches!(event, Event::Said { .. }));
        assert!(said(&events)[0].contains(words), "{events:?}");
        let problems = events.iter().filter(|event| matches!(event, Event::Problem { .. })).count();
        assert_eq!(problems, usize::from(fault == Some(Fault::RemoteServersFail)), "{events:?}");
    }
}

#[test]
fn where_meaning_decides_a_pause_of_half_a_second_ends_no_turn() {
    let server = server(answering(&["Yes."]));
    let mut config = config(&server);
    let mut vad = SemanticVad::default();
    vad.eagerness = Some(Eagerness::High);
    config.options.session.audio.input.turn_detection = Some(TurnDetection::Semantic(vad));
    let talk = start(RealtimeClient::builder(), config);
    // Two sentences of one thought.
    speak(&talk, 5);
    speak(&talk, 5);
    for _ in 0..20 {
        talk.push_audio(&[0; 2_400]);
        std::thread::sleep(Duration::from_millis(20));
    }
    let events = until_done(&talk);
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::SpeechStarted { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::SpeechStopped { .. })), 1);
    assert_eq!(said(&events), ["Yes."]);
    assert_eq!(
        seen(&server, "session.update")[0]["session"]["audio"]["input"]["turn_detection"]["eagerness"],
        "high"
    );
}

#[test]
fn a_picture_an_aside_and_a_change_of_manners() {
    let server = server(Scenario::default());
    let talk = connect(&server);
    let picture = Picture::from_rgb(8, 8, &[200; 192]).unwrap();
    talk.show(vec![UserPart::Text { text: "Look.".to_owned() }, picture.part(Detail::Low)]).unwrap();
    until_done(&talk);
    let mut params = ResponseParams::default();
    params.instructions = Some("Name the mood.".to_owned());
    talk.aside("mood", params).unwrap();
    let events = until(&talk, |event| matches!(event, Event::Aside { .. }));
    assert!(
        matches!(events.last(), Some(Event::Aside { tag, text, .. }) if tag == "mood" && text == "You said: Look.")
    );
    let mut update = SessionUpdate::default();
    update.modality = Some(Modality::Text);
    talk.update(&update).unwrap();
    until(&talk, |event| *event == Event::Updated);
    talk.say("In writing, please.").unwrap();
    let events = until_done(&talk);
    assert!(
        events.iter().any(
            |event| matches!(event, Event::Wrote { text, .. } if text == "You said: In writing, please.")
        )
    );
}

#[test]
fn a_transcription_session_writes_down_and_says_nothing() {
    let server = server(Scenario::default());
    let mut config = config(&server);
    config.options.session.kind = SessionKind::Transcription;
    config.options.session.audio.input.transcription = Some(Transcription::by("any"));
    let talk = start(RealtimeClient::builder(), config);
    speak(&talk, 5);
    until(&talk, |event| matches!(event, Event::UserSaid { .. }));
    assert_eq!(server.asked_for(), "/v1/realtime?intent=transcription");
    assert!(talk.say("Hello?").is_err());
}

#[test]
fn ten_minutes_of_answer_in_a_burst_arrive_whole() {
    let mut scenario = answering(&["A very long answer."]);
    scenario.answer_seconds = Some(600.0);
    scenario.voice = Arc::from([1_000; 24_000]);
    let server = server(scenario);
    let talk = connect(&server);
    talk.say("Go.").unwrap();
    // The host reads nothing until everything is here.
    wait_for(|| talk.usage().responses.eq(&1).then_some(()));
    let events = until_done(&talk);
    assert_eq!(samples(&events), 600 * 24_000);
}

#[test]
fn an_answer_beyond_what_may_wait_is_cancelled_and_the_session_goes_on() {
    let mut scenario = answering(&["A monologue.", "Short."]);
    scenario.answer_seconds = Some(1_000.0);
    scenario.voice = Arc::from([1_000; 24_000]);
    let server = server(scenario);
    let talk = connect(&server);
    talk.say("Go.").unwrap();
    wait_seen(&server, "response.cancel", 1);
    let events = until(&talk, |event| matches!(event, Event::ResponseDone { .. }));
    assert!(samples(&events) <= 15 * 60 * 24_000);
    assert!(events.iter().any(
        |event| matches!(event, Event::Problem { error, .. } if error.to_string().contains("fifteen minutes"))
    ));
}

#[test]
fn noise_between_the_events_changes_nothing() {
    let mut scenario = answering(&["Hello there."]);
    scenario.chatters = true;
    scenario.fault = Some(Fault::OddBytes);
    let server = server(scenario);
    let talk = connect(&server);
    talk.say("Go.").unwrap();
    let events = until_done(&talk);
    assert_eq!(samples(&events), (12.0 * 0.06 * 24_000.0) as usize);
    assert!(events.iter().any(|event| matches!(event, Event::Unknown { kind } if kind == "vendor.noise")));
}

//! Every event of the protocol is read, and nothing that a server may send stops a reader.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use realtime_client::protocol::{ItemKind, PartKind, ServerEvent};
use serde_json::{Value, json};

const EVENTS: &str = include_str!("events/server.jsonl");

fn parse(event: Value) -> ServerEvent {
    ServerEvent::parse(&event.to_string())
}

#[test]
fn all_46_events_are_known_by_name_and_body() {
    let kinds: Vec<String> = EVENTS
        .lines()
        .map(|line| {
            let event = ServerEvent::parse(line);
            assert!(
                !matches!(event, ServerEvent::Unknown { .. } | ServerEvent::Malformed { .. }),
                "{event:?}"
            );
            event.kind().to_owned()
        })
        .collect();
    assert_eq!(kinds, ServerEvent::KINDS);
    assert_eq!(kinds.len(), 46);
}

#[test]
fn every_field_but_the_type_may_be_null_absent_or_new() {
    for line in EVENTS.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        for key in event.as_object().unwrap().keys().filter(|key| *key != "type") {
            for value in [Some(Value::Null), None] {
                let mut event = event.clone();
                match value {
                    Some(null) => event[key] = null,
                    None => drop(event.as_object_mut().unwrap().remove(key)),
                }
                event["new_field"] = json!({"of": ["a", "later", "protocol"]});
                let read = parse(event);
                assert!(!matches!(read, ServerEvent::Malformed { .. }), "{key}: {read:?}");
            }
        }
    }
}

#[test]
fn the_names_of_the_beta_mean_the_same() {
    let pairs = [
        ("response.audio.delta", "response.output_audio.delta"),
        ("response.audio.done", "response.output_audio.done"),
        ("response.audio_transcript.delta", "response.output_audio_transcript.delta"),
        ("response.audio_transcript.done", "response.output_audio_transcript.done"),
        ("response.text.delta", "response.output_text.delta"),
        ("response.text.done", "response.output_text.done"),
        ("transcription_session.updated", "session.updated"),
    ];
    for (beta, ga) in pairs {
        assert_eq!(parse(json!({"type": beta, "item_id": "i"})), parse(json!({"type": ga, "item_id": "i"})));
    }
    let part = |kind| match parse(json!({"type": "response.content_part.added", "part": {"type": kind}})) {
        ServerEvent::PartAdded(body) => body.part.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!([part("audio"), part("output_audio")], [PartKind::OutputAudio; 2]);
    assert_eq!([part("text"), part("output_text")], [PartKind::OutputText; 2]);
}

#[test]
fn what_nobody_knows_and_what_does_not_fit_are_told_apart() {
    let unknown = parse(json!({"type": "speech_to_speech.output_audio.visemes", "x": 1}));
    assert_eq!(unknown, ServerEvent::Unknown { kind: "speech_to_speech.output_audio.visemes".to_owned() });
    let cases = [
        (r#"{"type":"response.output_audio.delta","delta":7}"#, "response.output_audio.delta"),
        (r#"{"type":"response.done","response":"x"}"#, "response.done"),
        (r#"{"type":"conversation.item.added","item":{"content":"text"}}"#, "conversation.item.added"),
        ("{}", ""),
        (r#"{"type":5}"#, ""),
        ("[1]", ""),
        ("not json", ""),
        ("", ""),
    ];
    for (frame, expected) in cases {
        match ServerEvent::parse(frame) {
            ServerEvent::Malformed { kind, reason } => {
                assert_eq!(kind, expected);
                assert!(!reason.is_empty());
            }
            other => panic!("{frame}: {other:?}"),
        }
    }
}

#[test]
fn words_of_a_later_protocol_are_taken_as_such() {
    let event = json!({"type": "conversation.item.added", "item": {
        "type": "hologram", "role": "narrator", "status": "dreaming", "content": [{"type": "smell"}]
    }});
    let ServerEvent::ItemAdded(body) = parse(event) else { panic!("it is known") };
    assert_eq!((body.item.kind, body.item.content[0].kind), (ItemKind::Other, PartKind::Other));
}

#[test]
fn escapes_inside_base64_are_undone() {
    let frame = r#"{"type":"response.output_audio.delta","delta":"\/\u002B8="}"#;
    let ServerEvent::AudioDelta(delta) = ServerEvent::parse(frame) else { panic!("it is known") };
    assert_eq!(delta.delta, "/+8=");
}

#[test]
fn what_one_vendor_says_is_read_and_is_not_one_of_the_46() {
    let kind = "conversation.item.input_audio_transcription.updated";
    let ServerEvent::InputTranscriptUpdated(all) =
        parse(json!({"type": kind, "item_id": "u", "transcript": "Tell me"}))
    else {
        panic!("it is known")
    };
    assert_eq!((all.transcript.as_str(), ServerEvent::KINDS.contains(&kind)), ("Tell me", false));
    let key = parse(json!({"type": "input_audio_buffer.dtmf_event_received", "digit": "7"}));
    assert!(matches!(key, ServerEvent::Dtmf(key) if key.event == "7"));
}

#[test]
fn numbers_may_have_fractions_where_whole_ones_are_due() {
    for (told, read) in [(json!(940.0), 940), (json!(940.75), 940), (json!(-1), 0), (json!(1e300), u64::MAX)]
    {
        let event = parse(
            json!({"type": "input_audio_buffer.speech_started", "item_id": "u", "audio_start_ms": told}),
        );
        let ServerEvent::SpeechStarted(edge) = event else { panic!("{event:?}") };
        assert_eq!((edge.audio_start_ms, edge.item_id.as_str()), (read, "u"));
    }
    let event = parse(json!({"type": "session.created", "session": {"expires_at": 1795000000.25}}));
    assert!(
        matches!(event, ServerEvent::SessionCreated(body) if body.session.expires_at == Some(1_795_000_000))
    );
    let event = parse(json!({"type": "rate_limits.updated", "rate_limits": [{"reset_seconds": 0.38}]}));
    assert!(matches!(event, ServerEvent::RateLimits(limits) if limits.rate_limits[0].reset_seconds == 0.38));
}

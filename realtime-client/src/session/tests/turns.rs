use super::*;
use crate::protocol::{AudioFormat, Detail, ResponseParams, SessionUpdate, UserPart};
use crate::session::{Posture, What};

fn text(text: &str) -> Vec<UserPart> {
    vec![UserPart::Text { text: text.to_owned() }]
}

#[test]
fn the_server_is_told_the_session_before_anything_else() {
    let mut talk = Talk::new(Options::default());
    talk.session.say(text("early"), true).unwrap();
    assert_eq!(talk.sent_kinds(), ["session.update"]);
    talk.server(json!({"type": "session.updated", "session": {}}));
    assert_eq!(talk.sent_kinds(), ["conversation.item.create", "response.create"]);
    assert!(talk.told().contains(&Event::State(State::Ready)));
}

#[test]
fn push_to_talk_clears_commits_and_asks() {
    let mut talk = Talk::manual();
    talk.session.press().unwrap();
    assert_eq!(talk.session.posture(), Posture::Listening);
    talk.session.appended(2_400);
    talk.session.release().unwrap();
    assert_eq!(
        talk.sent_kinds(),
        ["input_audio_buffer.clear", "input_audio_buffer.commit", "response.create"]
    );
    assert_eq!(talk.session.posture(), Posture::Thinking);
}

#[test]
fn a_turn_below_a_tenth_of_a_second_is_dropped() {
    let mut talk = Talk::manual();
    talk.session.press().unwrap();
    talk.session.appended(2_399);
    talk.session.release().unwrap();
    assert_eq!(talk.sent_kinds(), ["input_audio_buffer.clear", "input_audio_buffer.clear"]);
    assert!(talk.told().contains(&Event::TurnTooShort));
    assert_eq!(talk.session.release().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_turn_that_ends_without_a_connection_is_not_called_too_short() {
    let mut talk = Talk::manual();
    talk.session.press().unwrap();
    talk.session.broke(talk.now, Error::new(ErrorKind::Network, "the connection broke"), 0);
    talk.session.appended(24_000);
    let error = talk.session.release().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("say it again"), "{error}");
    assert!(!talk.told().contains(&Event::TurnTooShort));
    assert_eq!(talk.session.posture(), Posture::Idle);
}

#[test]
fn all_that_was_said_so_far_replaces_what_was_told_before() {
    let mut talk = Talk::ready();
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u1"}));
    let updated = "conversation.item.input_audio_transcription.updated";
    for text in ["Tell", "Tell me", "Sell me", "Sell me a car."] {
        talk.server(json!({"type": updated, "item_id": "u1", "transcript": text}));
    }
    let pieces: Vec<String> = talk
        .told()
        .into_iter()
        .map(|event| match event {
            Event::UserText { delta, .. } => delta,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pieces, ["Tell", " me", " a car."]);
    assert!(talk.history()[0].contains("\"Sell me a car.\""), "{:?}", talk.history());
}

#[test]
fn pressing_while_the_server_detects_turns_is_refused() {
    assert!(Talk::ready().session.press().unwrap_err().to_string().contains("Manual"));
}

#[test]
fn pressing_cuts_what_sounds() {
    let mut talk = Talk::manual();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.session.heard(1, 12_000);
    talk.session.press().unwrap();
    let expected = ["response.cancel", "conversation.item.truncate", "input_audio_buffer.clear"];
    assert_eq!(talk.sent_kinds(), expected);
}

#[test]
fn answers_are_asked_for_one_at_a_time() {
    let mut talk = Talk::ready();
    talk.session.say(text("one"), true).unwrap();
    talk.session.say(text("two"), true).unwrap();
    talk.session.respond(None).unwrap();
    let item = "conversation.item.create";
    assert_eq!(talk.sent_kinds(), [item, "response.create", item]);
    talk.begin("r1");
    assert!(talk.sent().is_empty());
    talk.done("r1", "completed", json!([]));
    assert_eq!(talk.sent_kinds(), ["response.create"]);
    talk.begin("r2");
    talk.done("r2", "completed", json!([]));
    assert!(talk.sent().is_empty());
}

#[test]
fn an_answer_that_the_server_began_by_itself_is_waited_for() {
    let mut talk = Talk::ready();
    talk.session.respond(None).unwrap();
    talk.look();
    let id = talk.last_event_id();
    talk.server(json!({"type": "error", "error": {"type": "invalid_request_error",
        "code": "conversation_already_has_active_response", "message": "busy", "event_id": id}}));
    talk.begin("r1");
    talk.sent();
    talk.wait(1_000);
    assert!(talk.sent().is_empty());
    talk.done("r1", "completed", json!([]));
    talk.wait(200);
    assert_eq!(talk.sent_kinds(), ["response.create"]);
    assert!(!talk.told().iter().any(|event| matches!(event, Event::Problem { .. })));
}

#[test]
fn a_picture_is_a_plain_string_beside_the_text() {
    let mut talk = Talk::ready();
    let image = UserPart::Image { image_url: "data:image/png;base64,AA==".into(), detail: Some(Detail::Low) };
    talk.session.say(vec![UserPart::Text { text: "Look.".into() }, image], false).unwrap();
    let content = &talk.sent()[0]["item"]["content"];
    assert_eq!(
        content[1],
        json!({"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"})
    );
}

#[test]
fn a_transcript_that_comes_after_the_answer_stands_before_it() {
    let mut talk = Talk::ready();
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u1", "previous_item_id": null}));
    talk.server(json!({"type": "conversation.item.added", "previous_item_id": "u1",
        "item": {"id": "a1", "type": "message", "role": "assistant", "content": []}}));
    talk.begin("r1");
    talk.server(json!({"type": "response.output_audio_transcript.done", "response_id": "r1", "item_id": "a1", "transcript": "Hello."}));
    talk.server(json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": "u1",
        "transcript": "Hi there.", "usage": {"type": "tokens", "total_tokens": 22}}));
    let texts: Vec<String> = talk
        .session
        .history()
        .map(|entry| match &entry.what {
            What::Said { text, .. } => text.clone(),
            _ => String::new(),
        })
        .collect();
    assert_eq!(texts, ["Hi there.", "Hello."]);
    assert_eq!(talk.session.usage().transcription_tokens, 22);
}

#[test]
fn an_aside_is_recognised_by_its_tag_and_never_enters_the_conversation() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    let params = ResponseParams { instructions: Some("Name the mood.".into()), ..ResponseParams::default() };
    talk.session.aside("mood", params.clone()).unwrap();
    assert_eq!(talk.session.aside("mood", params).unwrap_err().kind(), ErrorKind::InvalidInput);
    let sent = talk.sent();
    assert_eq!(sent[0]["response"]["conversation"], "none");
    assert_eq!(sent[0]["response"]["output_modalities"], json!(["text"]));
    talk.server(json!({"type": "response.created", "response": {"id": "r2", "metadata": {"aside": "mood"}}}));
    talk.server(
        json!({"type": "response.output_text.delta", "response_id": "r2", "item_id": "x", "delta": "calm"}),
    );
    talk.audio("r1", "a1", 0, 10);
    talk.server(json!({"type": "response.done", "response": {"id": "r2", "status": "completed", "metadata": {"aside": "mood"}}}));
    let told = talk.told();
    assert!(
        told.iter().any(|e| matches!(e, Event::Aside { tag, text, .. } if tag == "mood" && text == "calm"))
    );
    assert_eq!(heard_by_host(&told), [(1, 10)]);
    assert!(talk.history().is_empty());
}

#[test]
fn the_session_changes_while_it_runs_and_the_voice_at_the_next_pause() {
    let mut talk = Talk::ready();
    let update = SessionUpdate { instructions: Some("Whisper.".into()), ..SessionUpdate::default() };
    talk.session.update(&update).unwrap();
    assert_eq!(
        talk.sent(),
        [json!({"type": "session.update", "session": {"type": "realtime", "instructions": "Whisper."}})]
    );
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 2_400);
    let mut update = SessionUpdate::default();
    update.audio.output.voice = Some("cedar".into());
    talk.session.update(&update).unwrap();
    assert!(talk.sent().is_empty(), "a voice that has spoken is fixed on its connection");
    talk.audio_done("r1", "a1", 0);
    talk.done("r1", "completed", json!([]));
    talk.wait(500);
    assert!(!talk.actions.contains(&Action::Connect { after: Duration::ZERO }), "it sounds still");
    talk.session.heard(1, u64::MAX);
    talk.wait(500);
    assert!(talk.actions.contains(&Action::Connect { after: Duration::ZERO }));
    talk.connect(None);
    let session = &talk.sent()[0]["session"];
    assert_eq!(
        (&session["instructions"], &session["audio"]["output"]["voice"]),
        (&json!("Whisper."), &json!("cedar"))
    );
}

#[test]
fn a_transcription_session_only_listens() {
    let mut options = Options::default();
    options.session.kind = crate::protocol::SessionKind::Transcription;
    let mut talk = Talk::new(options);
    assert_eq!(talk.sent()[0]["session"], json!({"type": "transcription"}));
    talk.configure();
    assert_eq!(talk.session.respond(None).unwrap_err().kind(), ErrorKind::Unsupported);
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u1"}));
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u2", "previous_item_id": "u1"}));
    for (item, text) in [("u2", "second"), ("u1", "first")] {
        talk.server(json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": item, "transcript": text}));
    }
    assert!(talk.history()[0].contains("first") && talk.history()[1].contains("second"));
    assert_eq!(talk.session.posture(), Posture::Idle);
}

#[test]
fn the_face_is_told_what_to_look_like() {
    let mut talk = Talk::ready();
    talk.speech("u1");
    talk.server(json!({"type": "input_audio_buffer.speech_stopped", "item_id": "u1"}));
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u1"}));
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.audio_done("r1", "a1", 0);
    talk.done("r1", "completed", json!([]));
    talk.session.heard(1, u64::MAX);
    talk.look();
    let postures: Vec<Posture> = talk
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Tell(Event::Posture(posture)) => Some(*posture),
            _ => None,
        })
        .collect();
    use Posture::*;
    assert!(
        postures == [Listening, Thinking, Speaking, Idle]
            || postures == [Listening, Idle, Thinking, Speaking, Idle],
        "{postures:?}"
    );
}

#[test]
fn counters_add_up_and_cost_what_the_prices_say() {
    let mut talk = Talk::ready();
    let line = include_str!("../../../tests/events/server.jsonl")
        .lines()
        .find(|line| line.contains("\"usage\":{\"total_tokens\":253"));
    for _ in 0..2 {
        talk.begin("resp_1");
        talk.server(serde_json::from_str(line.unwrap()).unwrap());
    }
    let usage = talk.session.usage();
    assert_eq!((usage.responses, usage.text_in, usage.audio_in, usage.cached_in), (2, 110, 26, 128));
    assert_eq!((usage.text_out, usage.audio_out), (60, 182));
    let prices = crate::session::Prices { audio_out: 64.0, text_in: 4.0, ..Default::default() };
    assert!((usage.cost(&prices) - (182.0 * 64.0 + 110.0 * 4.0) / 1e6).abs() < 1e-12);
}

#[test]
fn what_was_read_again_is_not_paid_for_twice_where_its_kind_is_not_told() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.server(json!({"type": "response.done", "response": {"id": "r1", "status": "completed", "usage": {
        "input_token_details": {"text_tokens": 100, "audio_tokens": 50, "cached_tokens": 120}}}}));
    let usage = talk.session.usage();
    assert_eq!((usage.text_in, usage.audio_in, usage.cached_in), (0, 30, 120));
}

#[test]
fn an_item_can_be_asked_for_and_comes_back_whole() {
    let mut talk = Talk::ready();
    talk.session.retrieve_item("u1").unwrap();
    assert_eq!(talk.sent(), [json!({"type": "conversation.item.retrieve", "item_id": "u1"})]);
    talk.server(
        json!({"type": "conversation.item.retrieved", "item": {"id": "u1", "type": "message", "role": "user",
        "content": [{"type": "input_audio", "audio": "AAAA", "transcript": null}]}}),
    );
    let audio = talk.told().into_iter().find_map(|event| match event {
        Event::Retrieved { item } => item.content[0].audio.clone(),
        _ => None,
    });
    assert_eq!(audio.as_deref(), Some("AAAA"));
}

#[test]
fn sound_that_would_be_noise_is_neither_asked_for_nor_taken() {
    let mut talk = Talk::ready();
    let update = |format| {
        let mut update = SessionUpdate::default();
        update.audio.output.format = Some(format);
        update
    };
    let refused = talk.session.update(&update(AudioFormat::Pcmu)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let refused = talk.session.update(&update(AudioFormat::Pcm { rate: 16_000 })).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    talk.session.update(&update(AudioFormat::Pcm { rate: 24_000 })).unwrap();
    let mut params = ResponseParams::default();
    params.audio.get_or_insert_default().output.format = Some(AudioFormat::Pcma);
    assert_eq!(talk.session.respond(Some(params)).unwrap_err().kind(), ErrorKind::Unsupported);
    talk.server(json!({"type": "session.updated", "session": {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}}));
    let why = talk.told().into_iter().find_map(|event| match event {
        Event::State(State::Closed(Some(why))) => Some(why.to_string()),
        _ => None,
    });
    assert!(why.unwrap().contains("AudioFormat::Pcm"));
}

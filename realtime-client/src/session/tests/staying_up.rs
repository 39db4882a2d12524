use super::*;
use crate::protocol::UserPart;

fn broken() -> Error {
    Error::new(ErrorKind::Network, "the connection broke")
}

fn connects(talk: &mut Talk) -> Vec<Duration> {
    talk.look();
    let mut after = Vec::new();
    talk.actions.retain(|action| match action {
        Action::Connect { after: pause } => {
            after.push(*pause);
            false
        }
        _ => true,
    });
    after
}

#[test]
fn a_lost_connection_is_tried_again_with_growing_pauses_and_then_given_up() {
    let mut talk = Talk::ready();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        talk.session.broke(talk.now, broken(), 0);
        pauses.extend(connects(&mut talk).iter().map(Duration::as_millis));
    }
    assert_eq!(pauses, [500, 1000, 2000, 4000, 8000]);
    assert!(talk.session.is_closed());
    assert!(talk.told().contains(&Event::State(State::Closed(Some(broken())))));
}

#[test]
fn terminal_codes_stop_it_whenever_they_come() {
    for (code, kind) in [
        ("invalid_api_key", ErrorKind::Unauthorized),
        ("insufficient_quota", ErrorKind::Quota),
        ("beta_api_shape_disabled", ErrorKind::Incompatible),
        ("model_not_found", ErrorKind::NotFound),
    ] {
        let error = json!({"type": "error", "error": {"type": "invalid_request_error", "code": code, "message": "no"}});
        let mut after_upgrade =
            Talk { session: Session::new(Options::default(), 1), now: Duration::ZERO, actions: vec![] };
        after_upgrade.session.opened(Duration::ZERO, 0);
        let mut later = Talk::ready();
        for talk in [&mut after_upgrade, &mut later] {
            talk.look();
            connects(talk);
            talk.server(error.clone());
            assert!(talk.session.is_closed());
            assert!(connects(talk).is_empty());
            let closed = talk
                .told()
                .iter()
                .any(|e| matches!(e, Event::State(State::Closed(Some(e))) if e.kind() == kind));
            assert!(closed, "{code}");
        }
        let mut failed = Talk::ready();
        failed.begin("r1");
        failed.server(json!({"type": "response.done", "response": {"id": "r1", "status": "failed",
            "status_details": {"type": "failed", "error": {"code": code}}}}));
        assert!(failed.session.is_closed());
    }
}

#[test]
fn a_new_connection_is_told_what_was_said() {
    let mut talk = Talk::ready();
    talk.session.say(vec![UserPart::Text { text: "I am Mo.".into() }], true).unwrap();
    talk.begin("r1");
    talk.server(json!({"type": "response.output_audio_transcript.done", "response_id": "r1", "item_id": "a1", "transcript": "Hello Mo."}));
    talk.audio("r1", "a1", 0, 24_000);
    talk.done("r1", "completed", json!([]));
    talk.sent();
    talk.session.broke(talk.now, broken(), 0);
    talk.connect(None);
    talk.server(json!({"type": "session.updated", "session": {}}));
    let sent = talk.sent();
    assert_eq!(sent[0]["type"], "session.update");
    assert_eq!(sent[1]["item"]["content"][0], json!({"type": "input_text", "text": "I am Mo."}));
    assert_eq!(sent[2]["item"]["content"][0], json!({"type": "output_text", "text": "Hello Mo."}));
    assert_eq!(sent.len(), 3, "nothing is asked for again");
}

#[test]
fn an_answer_that_was_wanted_is_asked_for_on_the_next_connection() {
    let mut talk = Talk::ready();
    talk.session.say(vec![UserPart::Text { text: "Hello?".into() }], true).unwrap();
    talk.sent();
    talk.session.broke(talk.now, broken(), 0);
    talk.connect(None);
    talk.sent();
    talk.server(json!({"type": "session.updated", "session": {}}));
    assert_eq!(talk.sent_kinds(), ["conversation.item.create", "response.create"]);
}

#[test]
fn a_connection_is_replaced_before_it_ends_between_turns() {
    let mut talk = Talk::new(Options::default());
    talk.session.opened(Duration::ZERO, 1_000_000);
    talk.connect(Some(1_003_600));
    talk.configure();
    talk.wait(3_479_000);
    assert!(connects(&mut talk).is_empty());
    talk.speech("u1");
    talk.wait(5_000);
    assert!(connects(&mut talk).is_empty(), "somebody speaks");
    talk.server(json!({"type": "input_audio_buffer.speech_stopped", "item_id": "u1"}));
    talk.wait(1_000);
    assert!(connects(&mut talk).is_empty(), "an answer may follow");
    talk.wait(10_000);
    assert_eq!(connects(&mut talk), [Duration::ZERO]);
    // Until the new one is there, the old one serves.
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 100);
    assert!(!talk.session.opened(talk.now, 1_003_490), "in the middle of a turn");
    talk.done("r1", "completed", json!([]));
    talk.session.heard(1, u64::MAX);
    talk.wait(3_000);
    assert_eq!(connects(&mut talk), [Duration::ZERO]);
    talk.connect(Some(1_007_200));
    talk.configure();
    talk.wait(60_000);
    assert!(connects(&mut talk).is_empty());
}

#[test]
fn a_connection_that_ends_now_is_replaced_in_the_middle_of_a_turn() {
    let mut talk = Talk::new(Options::default());
    talk.session.opened(Duration::ZERO, 1_000_000);
    talk.connect(Some(1_000_300));
    talk.configure();
    talk.speech("u1");
    talk.wait(289_000);
    assert!(connects(&mut talk).is_empty());
    talk.wait(2_000);
    assert_eq!(connects(&mut talk), [Duration::ZERO]);
    assert!(talk.session.opened(talk.now, 1_000_291));
}

#[test]
fn an_expired_session_goes_on_at_once() {
    let mut talk = Talk::ready();
    talk.server(json!({"type": "error", "error": {"type": "invalid_request_error", "code": "session_expired", "message": "60 minutes"}}));
    talk.session.broke(talk.now, broken(), 0);
    assert_eq!(connects(&mut talk), [Duration::ZERO]);
}

#[test]
fn what_a_server_does_not_know_is_left_out_and_the_rest_holds() {
    let mut options = Options::default();
    options.session.instructions = Some("Be kind.".into());
    options.session.reasoning = Some(crate::protocol::Effort::Low.into());
    let mut talk = Talk::new(options);
    let id = talk.last_event_id();
    talk.sent();
    talk.server(
        json!({"type": "error", "error": {"type": "invalid_request_error", "code": "unknown_parameter",
        "param": "session.reasoning", "message": "Unknown parameter.", "event_id": id}}),
    );
    let sent = talk.sent();
    assert_eq!(sent[0]["session"], json!({"type": "realtime", "instructions": "Be kind."}));
    assert!(talk.told().iter().any(|event| matches!(event, Event::Problem { .. })));
    talk.configure();
}

#[test]
fn settings_that_are_refused_end_the_session_in_words() {
    let mut talk = Talk::new(Options::default());
    let id = talk.last_event_id();
    talk.server(json!({"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_value",
        "param": "session.audio.output.speed", "message": "Too fast.", "event_id": id}}));
    let told = talk.told();
    let why = told.iter().find_map(|event| match event {
        Event::State(State::Closed(Some(error))) => Some(error.clone()),
        _ => None,
    });
    let why = why.unwrap();
    assert_eq!(why.kind(), ErrorKind::InvalidInput);
    assert!(why.to_string().contains("session.audio.output.speed"));
}

#[test]
fn a_server_that_never_greets_is_left() {
    let mut talk =
        Talk { session: Session::new(Options::default(), 1), now: Duration::ZERO, actions: vec![] };
    talk.look();
    connects(&mut talk);
    talk.session.opened(Duration::ZERO, 0);
    talk.wait(11_000);
    assert_eq!(connects(&mut talk).len(), 1);
    assert!(!talk.session.is_ready());
}

#[test]
fn a_server_that_never_acknowledges_is_used_all_the_same() {
    let mut talk = Talk::new(Options::default());
    talk.wait(6_000);
    assert!(talk.session.is_ready());
}

#[test]
fn an_answer_that_stops_in_the_middle_is_cancelled() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 100);
    talk.wait(16_000);
    assert_eq!(talk.sent_kinds(), ["response.cancel"]);
    assert!(talk.told().iter().any(|event| matches!(event, Event::Problem { .. })));
}

#[test]
fn an_answer_that_failed_before_it_spoke_is_tried_once_more() {
    let mut talk = Talk::ready();
    talk.session.respond(None).unwrap();
    talk.sent();
    let failed = |talk: &mut Talk, id: &str| {
        talk.begin(id);
        talk.server(json!({"type": "response.done", "response": {"id": id, "status": "failed",
            "status_details": {"type": "failed", "error": {"type": "server_error", "code": null}}}}));
    };
    failed(&mut talk, "r1");
    talk.wait(600);
    assert_eq!(talk.sent_kinds(), ["response.create"]);
    failed(&mut talk, "r2");
    talk.wait(5_000);
    assert!(talk.sent().is_empty());
    assert!(talk.told().iter().any(|event| matches!(event, Event::Problem { .. })));
}

#[test]
fn closing_says_so_and_takes_nothing_more() {
    let mut talk = Talk::ready();
    talk.session.close();
    assert!(talk.told().contains(&Event::State(State::Closed(None))));
    assert!(talk.actions.contains(&Action::Close));
    assert_eq!(talk.session.respond(None).unwrap_err().kind(), ErrorKind::Closed);
}

/// Any order of any events, and hosts that do anything: no panic, no endless loop.
#[test]
fn any_order_of_events_is_survived() {
    let events: Vec<&str> = include_str!("../../../tests/events/server.jsonl").lines().collect();
    for_seeds(200, |rng| {
        let mut talk = Talk::ready();
        for _ in 0..rng.usize(1..200) {
            match rng.usize(..64) {
                what @ 0..46 if talk.session.is_ready() => {
                    talk.server(serde_json::from_str(events[what]).unwrap())
                }
                46 => talk.session.heard(rng.u64(..4), rng.u64(..10_000)),
                47 => talk.session.interrupt(),
                48 => drop(talk.session.respond(None)),
                49 => {
                    talk.session.tool_output("call_7Zq", crate::session::ToolOutput::new("x"));
                }
                50 => talk.session.broke(talk.now, broken(), rng.u64(..)),
                51 => drop(talk.session.say(vec![UserPart::Text { text: "x".into() }], rng.bool())),
                52 => drop(talk.session.aside(&format!("t{}", rng.u8(..)), Default::default())),
                53 => drop(talk.session.approve("x", true, None)),
                54 => drop(talk.session.delete_item("item_A")),
                _ => talk.wait(rng.u64(..20_000)),
            }
            let wants = !connects(&mut talk).is_empty();
            if wants && !talk.session.is_closed() && talk.session.opened(talk.now, 1_000_000) {
                talk.server(json!({"type": "session.created", "session": {}}));
                talk.server(json!({"type": "session.updated", "session": {}}));
            }
            talk.sent();
            talk.told();
        }
    });
}

#[test]
fn connections_that_end_at_once_are_not_made_without_a_pause() {
    let mut talk = Talk::ready();
    let mut pauses = Vec::new();
    // A server that takes every session and closes it.
    for _ in 0..4 {
        talk.session.broke(talk.now, Error::new(ErrorKind::Closed, "going away"), 0);
        pauses.extend(connects(&mut talk).iter().map(Duration::as_millis));
        talk.wait(8_000);
        talk.connect(None);
        talk.configure();
    }
    assert_eq!(pauses, [0, 1000, 2000, 4000]);
    // One that served for a while is as good as the first.
    talk.wait(31_000);
    talk.session.broke(talk.now, Error::new(ErrorKind::Closed, "going away"), 0);
    assert_eq!(connects(&mut talk), [Duration::ZERO]);
}

#[test]
fn a_session_that_is_short_is_not_replaced_all_the_time() {
    let mut talk = Talk::new(Options::default());
    talk.session.opened(Duration::ZERO, 1_000_000);
    // Shorter than the time before its end at which a connection is replaced.
    talk.connect(Some(1_000_060));
    talk.configure();
    talk.wait(29_000);
    assert!(connects(&mut talk).is_empty());
    talk.wait(2_000);
    assert_eq!(connects(&mut talk), [Duration::ZERO]);
}

#[test]
fn an_answer_of_which_nothing_came_is_asked_for_again_and_one_cut_off_is_told() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.session.broke(talk.now, broken(), 0);
    talk.connect(None);
    talk.sent();
    talk.server(json!({"type": "session.updated", "session": {}}));
    assert!(talk.sent_kinds().contains(&"response.create".to_owned()));
    talk.begin("r2");
    talk.part("r2", "a2", 0);
    talk.audio("r2", "a2", 0, 2_400);
    talk.told();
    talk.session.broke(talk.now, broken(), 0);
    let failed =
        |event: &Event| matches!(event, Event::ResponseDone { response_id, .. } if response_id == "r2");
    assert!(talk.told().iter().any(failed));
}

#[test]
fn a_change_that_is_refused_on_a_new_connection_leaves_the_session_as_it_was() {
    let mut talk = Talk::ready();
    let voice = |name: &str| {
        let mut update = crate::protocol::SessionUpdate::default();
        update.audio.output.voice = Some(crate::protocol::Voice::Named(name.to_owned()));
        update
    };
    talk.session.update(&voice("bogus")).unwrap();
    talk.session.broke(talk.now, broken(), 0);
    talk.connect(None);
    let id = talk.last_event_id();
    talk.server(json!({"type": "error", "error": {"type": "invalid_request_error", "code": "invalid_value",
        "param": "session.audio.output.voice", "message": "No such voice.", "event_id": id}}));
    assert!(!talk.session.is_closed());
    let again = talk.sent().pop().unwrap();
    assert!(!again.to_string().contains("bogus"), "{again}");
    talk.server(json!({"type": "session.updated", "session": {}}));
    assert!(talk.session.is_ready());
}

#[test]
fn trouble_that_is_not_of_the_settings_does_not_end_the_session() {
    let mut talk = Talk::new(Options::default());
    talk.server(
        json!({"type": "error", "error": {"type": "server_error", "message": "Busy.", "event_id": null}}),
    );
    talk.server(json!({"type": "session.updated", "session": {}}));
    assert!(talk.session.is_ready());
}

#[test]
fn a_change_while_settings_are_agreed_on_is_sent_afterwards() {
    let mut talk = Talk::new(Options::default());
    talk.sent();
    let update = crate::protocol::SessionUpdate {
        instructions: Some("Speak slowly.".to_owned()),
        ..Default::default()
    };
    talk.session.update(&update).unwrap();
    assert!(talk.sent().is_empty());
    talk.server(json!({"type": "session.updated", "session": {}}));
    assert!(talk.sent().iter().any(|event| event.to_string().contains("Speak slowly.")));
}

#[test]
fn a_late_piece_does_not_begin_an_answer_that_is_over() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.part("r1", "a1", 0);
    talk.audio("r1", "a1", 0, 2_400);
    talk.done("r1", "completed", json!([]));
    talk.audio_done("r1", "a1", 0);
    talk.session.heard(1, u64::MAX);
    talk.sent();
    talk.wait(20_000);
    assert!(talk.sent().is_empty(), "nothing is cancelled");
    assert_eq!(talk.session.posture(), super::super::Posture::Idle);
}

#[test]
fn a_hint_stands_behind_the_instructions_of_the_host_as_they_are_now() {
    let mut talk = Talk::ready();
    let update = crate::protocol::SessionUpdate {
        instructions: Some("You are a pirate.".to_owned()),
        ..Default::default()
    };
    talk.session.update(&update).unwrap();
    talk.session.hint("They sound sad.").unwrap();
    talk.session.hint("They sound glad.").unwrap();
    let sent = talk.sent();
    let last = sent.last().unwrap()["session"]["instructions"].as_str().unwrap();
    assert_eq!(last, "You are a pirate.\n\nThey sound glad.");
}

/// By the clock of this machine the session has ended before it began.
#[test]
fn a_clock_that_is_wrong_cuts_nobody_off() {
    for expires in [900_000, 1_000_000, 1_000_010] {
        let mut talk = Talk::new(Options::default());
        talk.session.opened(Duration::ZERO, 1_000_000);
        talk.connect(Some(expires));
        talk.configure();
        talk.speech("u1");
        talk.wait(600_000);
        assert!(connects(&mut talk).is_empty(), "{expires}");
    }
}

#[test]
fn who_is_not_written_down_is_talked_to_all_the_same() {
    for code in ["invalid_value", "model_not_found"] {
        let mut options = Options::default();
        options.session.instructions = Some("Be kind.".into());
        options.session.audio.input.transcription = Some(crate::protocol::Transcription::by("shut-down"));
        let mut talk = Talk::new(options);
        let id = talk.last_event_id();
        talk.sent();
        talk.server(json!({"type": "error", "error": {"type": "invalid_request_error", "code": code,
            "param": "session.audio.input.transcription.model", "message": "No such model.", "event_id": id}}));
        assert_eq!(talk.sent()[0]["session"], json!({"type": "realtime", "instructions": "Be kind."}));
        let problem = talk.told().into_iter().find_map(|event| match event {
            Event::Problem { error, .. } => Some(error.to_string()),
            _ => None,
        });
        let problem = problem.unwrap();
        assert!(problem.contains("transcription") && problem.contains("No such model."), "{problem}");
        talk.configure();
    }
}

#[test]
fn what_a_flat_server_does_not_know_is_left_out_by_its_flat_name() {
    let mut options = Options::default();
    options.session.audio.input.noise_reduction = Some(crate::protocol::NoiseReduction::NearField);
    options.session.modality = Some(crate::protocol::Modality::Audio);
    let mut talk = Talk::new(options);
    for param in ["session.input_audio_noise_reduction", "session.modalities"] {
        let id = talk.last_event_id();
        talk.sent();
        talk.server(
            json!({"type": "error", "error": {"type": "invalid_request_error", "code": "unknown_parameter",
            "param": param, "message": "Unknown.", "event_id": id}}),
        );
        talk.look();
        assert!(!talk.session.is_closed(), "{param}");
    }
    assert_eq!(talk.sent()[0]["session"], json!({"type": "realtime"}));
}

#[test]
fn nothing_that_a_server_counts_up_is_kept_without_end() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    let long = "x".repeat(10_000);
    for n in 0..2_000 {
        talk.server(json!({"type": "mcp_list_tools.in_progress", "item_id": format!("l{n}")}));
        talk.server(
            json!({"type": "response.content_part.added", "response_id": "r1", "item_id": format!("a{n}"),
            "output_index": n, "part": {"type": "audio"}}),
        );
        talk.server(json!({"type": "response.function_call_arguments.done", "response_id": "r1", "item_id": format!("f{n}"),
            "output_index": n, "call_id": format!("c{n}"), "name": "f", "arguments": "{}"}));
        talk.server(
            json!({"type": "conversation.item.added", "item": {"id": format!("{long}{n}"), "type": "message",
            "role": "user", "content": [{"type": "input_text", "text": "x"}]}}),
        );
    }
    assert!(talk.session.listing.len() <= 64, "{}", talk.session.listing.len());
    let calls = talk.told().iter().filter(|event| matches!(event, Event::ToolCall { .. })).count();
    assert!((100..300).contains(&calls), "{calls}");
    assert!(format!("{:?}", talk.session.ledger).len() < 200_000, "parts of an answer");
    let kept: usize = talk.session.history().map(|entry| entry.item_id.len()).sum();
    assert!(kept < 1 << 20, "{kept}");
}

#[test]
fn numbers_without_end_are_no_reason_to_fall_over() {
    let mut options = Options { tool_timeout: Duration::MAX, ..Options::default() };
    options.roll_over_before = Duration::MAX;
    let mut talk = Talk::new(options);
    talk.configure();
    talk.session.appended(u64::MAX);
    talk.session.appended(u64::MAX);
    talk.session.heard(u64::MAX, u64::MAX);
    talk.begin("r1");
    talk.server(json!({"type": "response.function_call_arguments.done", "response_id": "r1", "item_id": "f",
        "call_id": "c", "name": "f", "arguments": "{}"}));
    talk.session.broke(Duration::MAX, broken(), u64::MAX);
    while talk.session.poll(Duration::MAX).is_some() {}
    assert!(talk.session.opened(Duration::MAX, u64::MAX));
    talk.session.handle(
        ServerEvent::parse(r#"{"type":"session.created","session":{"expires_at":18446744073709551615}}"#),
        Duration::MAX,
    );
    talk.session
        .handle(ServerEvent::parse(r#"{"type":"response.created","response":{"id":"r"}}"#), Duration::MAX);
    while talk.session.poll(Duration::MAX).is_some() {}
    assert!(talk.session.deadline().is_some());
}

/// Some servers count answers and items from 1 on every connection.
#[test]
fn names_of_an_old_connection_mean_nothing_on_the_new_one() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 2_400);
    talk.speech("u2");
    talk.done("r1", "cancelled", json!([]));
    talk.begin("r2");
    talk.done("r2", "completed", json!([]));
    talk.session.broke(talk.now, broken(), 0);
    talk.connect(None);
    talk.configure();
    for (response, utterance) in [("r1", 2), ("r2", 3)] {
        talk.begin(response);
        talk.audio(response, "b1", 0, 100);
        assert_eq!(heard_by_host(&talk.told()), [(utterance, 100)]);
        talk.done(response, "completed", json!([]));
        assert!(talk.told().iter().any(|event| matches!(event, Event::ResponseDone { .. })), "{response}");
        talk.session.heard(utterance, u64::MAX);
    }
}

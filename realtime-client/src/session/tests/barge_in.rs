use proptest::prelude::*;

use super::*;

/// 2 s of an answer that is complete, of which the listener has heard this many samples.
fn answered(heard: u64) -> Talk {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 48_000);
    talk.audio_done("r1", "a1", 0);
    talk.done("r1", "completed", json!([]));
    talk.session.heard(1, heard);
    talk.told();
    talk
}

#[test]
fn who_interrupts_is_told_apart_from_who_listened() {
    let mut talk = answered(48_000);
    talk.speech("u2");
    assert!(!talk.told().contains(&Event::Interrupted { utterance: 1 }));
    assert!(talk.sent().is_empty());

    let mut talk = answered(16_823);
    talk.speech("u2");
    assert_eq!(talk.told()[0], Event::Interrupted { utterance: 1 });
    let expected = json!({"type": "conversation.item.truncate", "item_id": "a1", "content_index": 0, "audio_end_ms": 700});
    assert_eq!(talk.sent(), [expected]);
}

#[test]
fn less_than_a_millisecond_heard_deletes_the_item() {
    for heard in [0, 1, 23] {
        let mut talk = answered(heard);
        talk.speech("u2");
        assert_eq!(talk.sent(), [json!({"type": "conversation.item.delete", "item_id": "a1"})]);
    }
    let mut talk = answered(24);
    talk.speech("u2");
    assert_eq!(talk.sent()[0]["audio_end_ms"], 1);
}

#[test]
fn a_host_that_claims_more_than_came_is_held_to_what_came() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 2_400);
    talk.session.heard(1, u64::MAX);
    talk.speech("u2");
    assert_eq!(talk.sent()[0]["audio_end_ms"], 100);
}

#[test]
fn late_pieces_of_a_cut_answer_are_ignored() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.session.heard(1, 12_000);
    talk.speech("u2");
    talk.told();
    talk.audio("r1", "a1", 0, 24_000);
    talk.audio_done("r1", "a1", 0);
    talk.server(json!({"type": "response.output_audio_transcript.delta", "response_id": "r1", "item_id": "a1", "delta": "x"}));
    assert!(talk.told().is_empty());
    talk.done(
        "r1",
        "cancelled",
        json!([{"id": "a1", "type": "message", "role": "assistant", "status": "incomplete",
        "content": [{"type": "output_audio", "transcript": "x"}]}]),
    );
    assert!(talk.told().iter().all(|event| matches!(event, Event::ResponseDone { .. })));
    assert_eq!(talk.sent_kinds(), ["conversation.item.truncate"]);
    talk.begin("r2");
    talk.audio("r2", "a2", 0, 100);
    assert_eq!(heard_by_host(&talk.told()), [(2, 100)]);
}

#[test]
fn both_orders_of_speech_and_cancellation_do_the_same() {
    let run = |speech_first: bool| {
        let mut talk = Talk::ready();
        talk.begin("r1");
        talk.audio("r1", "a1", 0, 24_000);
        talk.session.heard(1, 12_000);
        talk.told();
        if speech_first {
            talk.speech("u2");
        }
        talk.done("r1", "cancelled", json!([]));
        if !speech_first {
            talk.speech("u2");
        }
        let interrupted = talk.told().iter().filter(|e| matches!(e, Event::Interrupted { .. })).count();
        (interrupted, talk.sent())
    };
    let (count, sent) = run(true);
    assert_eq!((count, sent.len(), &sent[0]["audio_end_ms"]), (1, 1, &json!(500)));
    assert_eq!(run(false), (count, sent));
}

#[test]
fn a_host_that_interrupts_cancels_once_and_before_it_truncates() {
    let mut talk = Talk::manual();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.session.heard(1, 2_400);
    talk.session.interrupt();
    talk.session.interrupt();
    assert_eq!(talk.sent_kinds(), ["response.cancel", "conversation.item.truncate"]);
    // It was over already: no reason to worry anybody.
    talk.server(json!({"type": "error", "error": {"type": "invalid_request_error", "code": "response_cancel_not_active"}}));
    assert!(talk.told().iter().all(|event| !matches!(event, Event::Problem { .. })));
}

#[test]
fn items_of_one_answer_enter_in_the_order_of_the_output() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.part("r1", "a1", 0);
    talk.part("r1", "a2", 1);
    talk.audio("r1", "a1", 0, 100);
    talk.audio("r1", "a2", 1, 50);
    assert_eq!(heard_by_host(&talk.told()), [(1, 100)]);
    talk.audio("r1", "a1", 0, 100);
    talk.audio_done("r1", "a1", 0);
    assert_eq!(heard_by_host(&talk.told()), [(1, 100), (1, 50)]);
    talk.audio("r1", "a2", 1, 25);
    talk.done("r1", "completed", json!([]));
    let told = talk.told();
    assert_eq!(heard_by_host(&told), [(1, 25)]);
    assert!(told.contains(&Event::Ended { utterance: 1 }));
}

#[test]
fn of_two_items_the_audible_one_is_truncated_and_the_unheard_one_deleted() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.audio_done("r1", "a1", 0);
    talk.audio("r1", "a2", 1, 24_000);
    talk.session.heard(1, 12_000);
    talk.speech("u2");
    let sent = talk.sent();
    assert_eq!((&sent[0]["item_id"], &sent[0]["audio_end_ms"]), (&json!("a1"), &json!(500)));
    assert_eq!(sent[1], json!({"type": "conversation.item.delete", "item_id": "a2"}));
}

#[test]
fn what_was_heard_of_a_cut_answer_stays_in_the_history() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.server(
        json!({"type": "response.output_audio_transcript.delta", "response_id": "r1", "item_id": "a1",
        "delta": "one two three four"}),
    );
    talk.audio("r1", "a1", 0, 24_000);
    talk.session.heard(1, 12_000);
    talk.speech("u2");
    talk.server(
        json!({"type": "conversation.item.done", "item": {"id": "a1", "type": "message", "role": "assistant",
        "status": "incomplete", "content": [{"type": "output_audio", "transcript": "one two three four"}]}}),
    );
    assert!(talk.history()[0].contains("one two\""), "{:?}", talk.history());
}

#[test]
fn without_interruption_by_the_server_the_face_speaks_on() {
    let mut options = Options::default();
    let vad = crate::protocol::ServerVad { interrupt_response: Some(false), ..Default::default() };
    options.session.audio.input.turn_detection = Some(TurnDetection::Server(vad));
    let mut talk = Talk::new(options);
    talk.configure();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.speech("u2");
    assert!(talk.sent().is_empty());
    assert!(!talk.told().iter().any(|event| matches!(event, Event::Interrupted { .. })));
}

/// An item of two parts, with the words of each.
fn two_parts(talk: &mut Talk, samples: [usize; 2]) {
    for (part, words) in ["one two three four ", "five six"].iter().enumerate() {
        talk.server(
            json!({"type": "response.output_audio_transcript.delta", "response_id": "r1", "item_id": "a1",
            "content_index": part, "delta": words}),
        );
        piece(talk, 0, part, samples[part]);
        part_done(talk, 0, part);
    }
}

fn piece(talk: &mut Talk, item: usize, part: usize, samples: usize) {
    talk.server(json!({"type": "response.output_audio.delta", "response_id": "r1", "item_id": format!("a{}", item + 1),
        "output_index": item, "content_index": part, "delta": encode(&vec![1; samples])}));
}

fn part_done(talk: &mut Talk, item: usize, part: usize) {
    talk.server(
        json!({"type": "response.output_audio.done", "response_id": "r1", "item_id": format!("a{}", item + 1),
        "output_index": item, "content_index": part}),
    );
}

/// The wire can cut one part and cannot take one away.
#[test]
fn of_an_item_of_two_parts_what_was_heard_is_told_anew_where_one_cannot_be_cut() {
    // What is told in the end, and what remains of it in the history.
    for (heard, sent, text) in [
        (0, vec![json!({"type": "conversation.item.delete", "item_id": "a1"})], ""),
        (
            24_000 + 12_000,
            vec![
                json!({"type": "conversation.item.truncate", "item_id": "a1", "content_index": 1, "audio_end_ms": 500}),
            ],
            "one two three four five",
        ),
        (48_000, vec![], "one two three four five six"),
        (
            24_000,
            vec![json!("one two three four"), json!({"type": "conversation.item.delete", "item_id": "a1"})],
            "one two three four",
        ),
        (
            24_023,
            vec![json!("one two three four"), json!({"type": "conversation.item.delete", "item_id": "a1"})],
            "one two three four",
        ),
        (
            12_000,
            vec![json!("one two"), json!({"type": "conversation.item.delete", "item_id": "a1"})],
            "one two",
        ),
    ] {
        let mut talk = Talk::ready();
        talk.begin("r1");
        two_parts(&mut talk, [24_000, 24_000]);
        talk.session.heard(1, heard);
        talk.speech("u2");
        let told: Vec<Value> = talk
            .sent()
            .into_iter()
            .map(|event| match event["type"].as_str() {
                Some("conversation.item.create") => {
                    assert_eq!(event["previous_item_id"], "a1", "in its place");
                    assert_eq!(event["item"]["role"], "assistant");
                    event["item"]["content"][0]["text"].clone()
                }
                _ => event,
            })
            .collect();
        assert_eq!(told, sent, "{heard}");
        assert_eq!(
            talk.history().concat().matches(&format!("{text:?}")).count(),
            1,
            "{heard}: {:?}",
            talk.history()
        );
    }
}

/// What happens to an answer before it is cut.
#[derive(Clone, Debug)]
enum Step {
    /// Samples of a part.
    Piece(usize, usize),
    Done(usize),
    Hear(u64),
}

/// Parts of an answer of three items, two each.
const PARTS: usize = 6;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..PARTS, 1_usize..900).prop_map(|(part, samples)| Step::Piece(part, samples)),
        2 => (0..PARTS).prop_map(Step::Done),
        3 => (0_u64..3_003).prop_map(Step::Hear),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model: a list that names, for every sample of the utterance, the part it belongs to.
    #[test]
    fn truncation_is_exact_to_the_sample_at_any_time_and_rate(rate in 8_000_u32..192_001, steps in steps(), single in any::<bool>()) {
        truncated_exactly(rate, steps, single);
    }
}

/// `single`: as the wire has it today, with one part in each item.
fn truncated_exactly(rate: u32, steps: Vec<Step>, single: bool) {
    let parts_of_item = if single { 1 } else { 2 };
    let mut talk = Talk::new(Options { output_rate: rate, ..Options::default() });
    talk.configure();
    talk.begin("r1");
    let ours = |part: usize| part % 2 < parts_of_item;
    for part in (0..PARTS).filter(|part| ours(*part)) {
        let place = json!({"response_id": "r1", "item_id": format!("a{}", part / 2 + 1), "output_index": part / 2,
            "content_index": part % 2});
        let mut added = place.clone();
        added["type"] = json!("response.content_part.added");
        added["part"] = json!({"type": "audio"});
        talk.server(added);
        // A word for each part: it is heard or not.
        let mut said = place;
        said["type"] = json!("response.output_audio_transcript.delta");
        said["delta"] = json!(format!("part{part}"));
        talk.server(said);
    }
    let (mut received, mut done) = ([0_usize; PARTS], std::array::from_fn(|part| !ours(part)));
    let mut heard = 0;
    for step in steps {
        match step {
            Step::Piece(part, samples) if !done[part] => {
                piece(&mut talk, part / 2, part % 2, samples);
                received[part] += samples;
            }
            Step::Piece(..) => {}
            Step::Done(part) if ours(part) => {
                part_done(&mut talk, part / 2, part % 2);
                done[part] = true;
            }
            Step::Done(_) => {}
            Step::Hear(claimed) => {
                talk.session.heard(1, claimed);
                heard = heard.max((claimed as usize).min(entered(&received, &done).len()));
            }
        }
    }
    let owners = entered(&received, &done);
    assert_eq!(heard_by_host(&talk.told()).iter().map(|(_, n)| n).sum::<usize>(), owners.len());
    talk.speech("u2");
    let heard_of = |part: usize| owners[..heard].iter().filter(|owner| **owner == part).count();
    let millis = |part: usize| heard_of(part) as u64 * 1000 / u64::from(rate);
    let mut expected = Vec::new();
    for item in 0..3 {
        let id = format!("a{}", item + 1);
        let sounding: Vec<usize> =
            [2 * item, 2 * item + 1].into_iter().filter(|part| received[*part] > 0).collect();
        let whole = |part: usize| heard_of(part) == received[part] && done[part];
        let Some(cut) = sounding.iter().copied().find(|part| !whole(*part)) else { continue };
        let deleted = json!({"type": "conversation.item.delete", "item_id": id});
        if sounding.iter().map(|part| millis(*part)).sum::<u64>() == 0 {
            expected.push(deleted);
        } else if millis(cut) > 0 && Some(&cut) == sounding.last() {
            expected
                .push(json!({"type": "conversation.item.truncate", "item_id": id, "content_index": cut % 2,
                "audio_end_ms": millis(cut)}));
        } else {
            let words: Vec<String> = sounding
                .iter()
                .filter(|part| heard_of(**part) == received[**part])
                .map(|part| format!("part{part}"))
                .collect();
            if !words.is_empty() {
                expected.push(json!({"type": "conversation.item.create", "previous_item_id": id, "item": {"type": "message",
                    "role": "assistant", "content": [{"type": "output_text", "text": words.concat()}]}}));
            }
            expected.push(deleted);
        }
    }
    let mut sent = talk.sent();
    for event in sent.iter_mut().filter(|event| event["type"] == "conversation.item.create") {
        assert!(event["item"].as_object_mut().unwrap().remove("id").is_some());
    }
    assert_eq!(sent, expected);
}

/// Whose each sample is that has entered the utterance.
fn entered(received: &[usize; PARTS], done: &[bool; PARTS]) -> Vec<usize> {
    let mut owners = Vec::new();
    for part in 0..PARTS {
        owners.extend(std::iter::repeat_n(part, received[part]));
        if !done[part] {
            break;
        }
    }
    owners
}

#[test]
fn an_answer_that_was_asked_for_and_has_not_begun_is_cut_too() {
    let ways: [fn(&mut Talk); 3] =
        [|talk| talk.session.interrupt(), |talk| talk.session.press().unwrap(), |talk| talk.speech("u2")];
    for (way, cut) in ways.into_iter().enumerate() {
        let mut talk = if way == 2 { Talk::ready() } else { Talk::manual() };
        talk.session.respond(None).unwrap();
        cut(&mut talk);
        talk.sent();
        talk.begin("r1");
        talk.audio("r1", "a1", 0, 2_400);
        assert_eq!(talk.sent_kinds(), ["response.cancel"], "{way}");
        assert!(heard_by_host(&talk.told()).is_empty(), "{way}");
        talk.done("r1", "cancelled", json!([]));
        if way == 1 {
            talk.session.appended(24_000);
            talk.session.release().unwrap();
        }
        talk.begin("r2");
        talk.audio("r2", "a2", 0, 100);
        assert_eq!(heard_by_host(&talk.told()), [(1, 100)], "{way}: the next one is heard");
    }
}

/// What was asked for may come to nothing, and the server answers what the person said: that answer is not the one that was cut.
#[test]
fn the_answer_to_what_the_person_said_is_not_taken_for_one_that_was_cut() {
    let mut talk = Talk::ready();
    talk.session.respond(None).unwrap();
    talk.speech("u2");
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u2"}));
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 100);
    assert_eq!(heard_by_host(&talk.told()), [(1, 100)]);
}

#[test]
fn who_speaks_is_not_spoken_over_by_an_answer_that_was_wanted_before() {
    // Something was written while an answer sounded, and then the person speaks.
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.session.respond(None).unwrap();
    talk.speech("u2");
    talk.done("r1", "cancelled", json!([]));
    talk.wait(3_000);
    talk.server(json!({"type": "input_audio_buffer.speech_stopped", "item_id": "u2"}));
    talk.server(json!({"type": "input_audio_buffer.committed", "item_id": "u2"}));
    talk.wait(2_000);
    talk.begin("r2");
    talk.done("r2", "completed", json!([]));
    talk.wait(2_000);
    let asked = talk.sent_kinds().iter().filter(|kind| *kind == "response.create").count();
    assert_eq!(asked, 0, "the server's own answer is one to both");

    let mut talk = Talk::manual();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 24_000);
    talk.session.respond(None).unwrap();
    talk.session.press().unwrap();
    talk.done("r1", "cancelled", json!([]));
    talk.wait(3_000);
    assert!(!talk.sent_kinds().contains(&"response.create".to_owned()), "the key is down");
    talk.session.appended(24_000);
    talk.session.release().unwrap();
    assert_eq!(talk.sent_kinds(), ["input_audio_buffer.commit", "response.create"]);
}

#[test]
fn sound_that_comes_after_its_answer_is_over_begins_nothing() {
    for heard in [48_000, 12_000] {
        let mut talk = answered(heard);
        talk.part("r1", "a2", 1);
        talk.audio("r1", "a1", 0, 2_400);
        talk.audio("r1", "a2", 1, 2_400);
        assert!(talk.told().is_empty(), "{heard}");
        talk.session.heard(1, u64::MAX);
        assert_eq!(talk.session.posture(), super::super::Posture::Idle, "{heard}");
    }
}

#[test]
fn a_cut_answer_that_fails_is_not_asked_for_again() {
    let mut talk = Talk::manual();
    talk.begin("r1");
    talk.session.interrupt();
    talk.sent();
    talk.server(json!({"type": "response.done", "response": {"id": "r1", "status": "failed",
        "status_details": {"type": "failed", "error": {"type": "server_error", "code": null}}}}));
    talk.wait(5_000);
    assert!(talk.sent().is_empty());
}

/// Some servers say so in an event of their own, before `response.done` or in place of it.
#[test]
fn a_cancellation_by_another_name_frees_the_floor() {
    for (body, done) in
        [(json!({}), false), (json!({"response_id": "r1"}), true), (json!({"response": {"id": "r1"}}), true)]
    {
        let mut talk = Talk::manual();
        talk.begin("r1");
        talk.audio("r1", "a1", 0, 2_400);
        talk.session.interrupt();
        talk.session.respond(None).unwrap();
        talk.sent();
        let mut cancelled = body;
        cancelled["type"] = json!("response.cancelled");
        talk.server(cancelled);
        if done {
            talk.done("r1", "cancelled", json!([]));
        }
        assert_eq!(talk.sent_kinds(), ["response.create"]);
        let over = talk.told().iter().filter(|event| matches!(event, Event::ResponseDone { .. })).count();
        assert_eq!(over, 1);
    }
}

#[test]
fn a_part_is_complete_when_its_item_is() {
    // A server that never says that the sound of a part is complete.
    let mut talk = Talk::ready();
    talk.begin("r1");
    talk.audio("r1", "a1", 0, 100);
    talk.audio("r1", "a2", 1, 50);
    assert_eq!(heard_by_host(&talk.told()), [(1, 100)]);
    talk.server(json!({"type": "response.output_item.done", "response_id": "r1", "output_index": 0,
        "item": {"id": "a1", "type": "message", "status": "completed"}}));
    assert_eq!(heard_by_host(&talk.told()), [(1, 50)]);
}

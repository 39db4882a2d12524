//! A scripted answer reaches the avatar whole, sounds with its pictures, and stops when the person speaks; the model is told what
//! was heard.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use musetalk_core::{AvatarOptions, FrameReader, Heard};
use musetalk_tests::{engine, person};
use realtime_client::bridge::{Bridge, Utterances};
use realtime_client::scripted::{Scenario, ScriptedServer};
use realtime_client::session::{Event, Posture, State};
use realtime_client::{Config, RealtimeClient};

struct Talk {
    server: ScriptedServer,
    client: RealtimeClient,
    face: FrameReader,
    utterances: Utterances,
    postures: Arc<Mutex<Vec<Posture>>>,
}

fn talk(seconds: f64) -> Talk {
    let mut scenario = Scenario::default();
    scenario.answers = vec!["A story about many things.".to_owned()];
    scenario.answer_seconds = Some(seconds);
    let server = ScriptedServer::start(scenario).unwrap();
    let mut options = AvatarOptions::default();
    // Less than an answer: the bridge keeps the rest.
    options.buffer_seconds = 2;
    let (ears, face) = engine().start_avatar(person(engine()), options).unwrap().split();
    let postures = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&postures);
    let bridge =
        Bridge::new(ears, face.interrupter()).on_posture(move |posture| told.lock().unwrap().push(posture));
    let utterances = bridge.utterances();
    let mut config = Config::new(server.provider(), None);
    config.audio_events = false;
    let client = RealtimeClient::builder().voice(bridge).start(config).unwrap();
    Talk { server, client, face, utterances, postures }
}

impl Talk {
    fn until(&self, last: impl Fn(&Event) -> bool) {
        while let Some(event) = self.client.wait(Duration::from_secs(60)).unwrap() {
            if last(&event) {
                return;
            }
        }
        panic!("the session is over");
    }
}

#[test]
fn an_answer_in_a_burst_reaches_the_face_whole() {
    let mut talk = talk(8.0);
    talk.client.say("Go.").unwrap();
    talk.until(|event| matches!(event, Event::ResponseDone { .. }));
    let (mut speech, mut first) = (0, None);
    let started = Instant::now();
    while speech < 8 * 24_000 && started.elapsed() < Duration::from_secs(120) {
        let frame = talk.face.paced().unwrap();
        if let Some(id) = frame.utterance() {
            first.get_or_insert(id);
            let samples = (frame.utterance_frame() + 1) * 960;
            talk.utterances.heard(&talk.client, Heard { utterance: id, samples });
            speech = samples;
        }
    }
    assert_eq!(speech, 8 * 24_000);
    assert_eq!(talk.utterances.conversations(first.unwrap()), Some(1));
    talk.utterances.ended(&talk.client, first.unwrap());
    assert_eq!(talk.client.posture(), Posture::Idle);
    let postures = talk.postures.lock().unwrap();
    assert!(postures.ends_with(&[Posture::Thinking, Posture::Speaking, Posture::Idle]), "{postures:?}");
}

#[test]
fn who_speaks_up_stops_the_face_and_the_model_learns_what_was_heard() {
    let mut talk = talk(30.0);
    talk.until(|event| matches!(event, Event::State(State::Ready)));
    talk.client.say("Go.").unwrap();
    talk.until(|event| matches!(event, Event::Began { .. }));
    let mut heard = 0;
    while heard < 20 * 960 {
        let frame = talk.face.paced().unwrap();
        if let Some(utterance) = frame.utterance() {
            heard = (frame.utterance_frame() + 1) * 960;
            talk.utterances.heard(&talk.client, Heard { utterance, samples: heard });
        }
    }
    for _ in 0..5 {
        talk.client.push_audio(&[4_000; 2_400]);
    }
    talk.until(|event| *event == Event::Interrupted { utterance: 1 });
    for _ in 0..5 {
        assert_eq!(talk.face.paced().unwrap().utterance(), None, "nothing of a cut answer is shown");
    }
    let started = Instant::now();
    let truncated = loop {
        let seen = talk.server.seen().into_iter().find(|event| event["type"] == "conversation.item.truncate");
        if let Some(event) = seen {
            break event;
        }
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(truncated["audio_end_ms"], heard / 24);
}

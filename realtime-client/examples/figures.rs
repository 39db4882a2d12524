//! How late sound and interruptions are, and what ten minutes in a burst do; with a face, and the scripted server on loopback.
//!
//! `cargo run --release -p realtime-client --features avatar,scripted --example figures`, from the root of the workspace

#![allow(clippy::unwrap_used, reason = "a measurement that fails stops")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use musetalk_core::{AvatarOptions, Engine, FrameReader, Heard};
use realtime_client::bridge::{Bridge, Utterances};
use realtime_client::scripted::{Scenario, ScriptedServer};
use realtime_client::session::{Event, State};
use realtime_client::voice::{Sound, VoiceSink};
use realtime_client::{Config, RealtimeClient};

/// Seconds of the answer whose pieces are timed, ten a second.
const TIMED: f64 = 60.0;
/// Times that the face is interrupted.
const INTERRUPTIONS: usize = 25;
/// A display of 60 Hz.
const POLL: Duration = Duration::from_micros(16_667);

fn main() {
    let engine = Engine::load("models/demo/pack").unwrap();
    added_latency(&engine);
    barge_in(&engine);
    burst(&engine);
}

/// The bridge, with a stamp whenever samples have reached the writer of the avatar.
struct Stamped {
    bridge: Bridge,
    stamps: Arc<Mutex<Vec<Instant>>>,
}

impl VoiceSink for Stamped {
    fn take(&mut self, sound: Sound<'_>) {
        self.bridge.take(sound);
        if matches!(sound, Sound::Samples(..)) && self.bridge.waiting() == 0 {
            self.stamps.lock().unwrap().push(Instant::now());
        }
    }

    fn tick(&mut self) -> Option<Duration> {
        self.bridge.tick()
    }

    fn waiting(&self) -> u64 {
        self.bridge.waiting()
    }
}

struct Talk {
    server: ScriptedServer,
    client: RealtimeClient,
    face: FrameReader,
    utterances: Utterances,
    stamps: Arc<Mutex<Vec<Instant>>>,
}

fn talk(engine: &Engine, scenario: Scenario) -> Talk {
    let server = ScriptedServer::start(scenario).unwrap();
    let avatar = engine.open_avatar_with("models/demo/iris.avatar", AvatarOptions::default()).unwrap();
    let (ears, face) = avatar.split();
    let bridge = Bridge::new(ears, face.interrupter());
    let (utterances, stamps) = (bridge.utterances(), Arc::default());
    let mut config = Config::new(server.provider(), None);
    config.audio_events = false;
    let sink = Stamped { bridge, stamps: Arc::clone(&stamps) };
    let client = RealtimeClient::builder().voice(sink).start(config).unwrap();
    let talk = Talk { server, client, face, utterances, stamps };
    talk.until(|event| matches!(event, Event::State(State::Ready)));
    talk
}

impl Talk {
    fn until(&self, last: impl Fn(&Event) -> bool) {
        while let Some(event) = self.client.wait(Duration::from_secs(120)).unwrap() {
            if last(&event) {
                return;
            }
        }
        panic!("the session is over");
    }
}

fn scenario(seconds: f64, pace: Duration) -> Scenario {
    let mut scenario = Scenario::default();
    scenario.answers = vec!["A story about many things.".to_owned()];
    scenario.answer_seconds = Some(seconds);
    scenario.pace = pace;
    scenario
}

/// From the socket of the server to the writer of the avatar: what the server's own send, loopback, parser, session and bridge take.
fn added_latency(engine: &Engine) {
    let talk = talk(engine, scenario(TIMED, Duration::from_millis(20)));
    talk.client.say("Go.").unwrap();
    talk.until(|event| matches!(event, Event::ResponseDone { .. }));
    let sent = talk.server.sent_at("response.output_audio.delta");
    let taken = talk.stamps.lock().unwrap();
    assert_eq!(sent.len(), taken.len(), "every piece went into the writer as it came");
    let late = sent.iter().zip(taken.iter()).map(|(sent, taken)| *taken - *sent);
    report("audio delta at the server's socket to samples in PcmWriter", late.collect());
}

/// From `speech_started` at the server's socket to a picture of the reader whose mouth closes.
fn barge_in(engine: &Engine) {
    let mut late = Vec::new();
    for round in 0..INTERRUPTIONS {
        let mut talk = talk(engine, scenario(20.0, Duration::ZERO));
        talk.client.say("Go.").unwrap();
        let (mut sound, mut spoken) = (None, None);
        let speech = loop {
            std::thread::sleep(POLL);
            if sound.is_none() {
                sound = talk.face.ready().unwrap().map(|ready| (ready.utterance, Instant::now()));
            }
            let heard = sound.map(|(utterance, since)| Heard {
                utterance,
                samples: since.elapsed().as_millis() as u64 * 24,
            });
            if let Some(heard) = heard {
                talk.utterances.heard(&talk.client, heard);
            }
            let picture = talk.face.latest_at(heard).unwrap();
            let now = Instant::now();
            let Some((_, since)) = sound else { continue };
            if since.elapsed() < Duration::from_millis(600 + 7 * round as u64) {
                continue;
            }
            // Somebody speaks until the server notices.
            if spoken.is_none() {
                talk.client.push_audio(&[8_000; 1_920]);
                spoken = Some(now);
            }
            let began = talk.server.sent_at("input_audio_buffer.speech_started");
            match (began.first(), picture) {
                // A frame that was shown before it was said does not count.
                (Some(began), Some(picture)) if picture.utterance().is_none() && now > *began => {
                    break now - *began;
                }
                _ => {}
            }
        };
        late.push(speech);
    }
    report("speech_started at the server's socket to a closing mouth, polled at 60 Hz", late);
}

/// Ten minutes of sound at once: all of it waits for the face, and nothing else grows.
fn burst(engine: &Engine) {
    let mut scenario = scenario(600.0, Duration::ZERO);
    scenario.voice = Arc::from([1_000; 24_000]);
    let talk = talk(engine, scenario);
    let before = resident();
    let started = Instant::now();
    talk.client.say("Go.").unwrap();
    talk.until(|event| matches!(event, Event::ResponseDone { .. }));
    println!(
        "ten minutes in a burst: received in {:?}; memory grew by {} MB, server and its script included",
        started.elapsed(),
        resident().saturating_sub(before) / 1000
    );
    let started = Instant::now();
    talk.client.interrupt();
    println!("and cut in {:?}", started.elapsed());
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!("{what}: p50 {:?}, p99 {:?}, most {:?} of {}", at(0.5), at(0.99), at(1.0), times.len());
}

/// Memory of this process in kB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

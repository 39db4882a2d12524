//! How much a session costs: many at once, two turns each, against the scripted server in a process of its own.
//!
//! `cargo run --release -p realtime-client --example many -- 500`

#![allow(clippy::unwrap_used, reason = "a measurement that fails stops")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use realtime_client::scripted::{Scenario, ScriptedServer};
use realtime_client::session::{Event, State};
use realtime_client::{Config, Provider, RealtimeClient};

const SECONDS: f64 = 2.0;

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "100".to_owned());
    if argument == "serve" {
        let mut scenario = Scenario::default();
        scenario.answer_seconds = Some(SECONDS);
        let server = ScriptedServer::start(scenario).unwrap();
        println!("{}", server.provider().url);
        // Until the other process has gone.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let sessions: usize = argument.parse().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();

    let provider = Provider::at(url.trim()).unwrap();
    let before = resident();
    let started = Instant::now();
    let start = |_| RealtimeClient::builder().start(Config::new(provider.clone(), None)).unwrap();
    let talks: Vec<RealtimeClient> = (0..sessions).map(start).collect();
    for talk in &talks {
        until(talk, |event| matches!(event, Event::State(State::Ready)));
    }
    println!("{sessions} sessions ready after {:?}", started.elapsed());
    let idle = resident();
    println!("memory: {} kB a session", (idle - before) / sessions as u64);
    for turn in 1..=2 {
        let started = Instant::now();
        talks.iter().for_each(|talk| talk.say("Go.").unwrap());
        for talk in &talks {
            let mut samples = 0;
            until(talk, |event| {
                if let Event::Audio { pcm, .. } = event {
                    samples += pcm.len();
                }
                matches!(event, Event::ResponseDone { .. })
            });
            assert_eq!(samples, (SECONDS * 24_000.0) as usize, "nothing is lost");
            talk.heard(turn, u64::MAX);
        }
        println!("turn {turn}: {sessions} answers of {SECONDS} s in {:?}, nothing lost", started.elapsed());
    }
    println!("memory afterwards: {} kB a session", (resident() - before) / sessions as u64);
    drop(talks);
    drop(child.stdin.take());
    child.wait().unwrap();
}

fn until(talk: &RealtimeClient, mut last: impl FnMut(&Event) -> bool) {
    loop {
        match talk.wait(Duration::from_secs(120)).unwrap() {
            Some(event) if last(&event) => return,
            Some(Event::State(State::Closed(why))) => panic!("{why:?}"),
            Some(_) => {}
            None => panic!("closed"),
        }
    }
}

/// Memory of this process in kB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

//! A conversation written down, and told again without a network.
//!
//! `cargo run -p realtime-client --features scripted --example recorded` records one with the scripted server, into a file that it names,
//! and tells it again. `… --example recorded -- talk.jsonl` tells any recording; what [`Builder::record`](realtime_client::Builder::record)
//! was given is one.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use realtime_client::scripted::{Scenario, ScriptedServer};
use realtime_client::session::{Action, Event, State};
use realtime_client::{Config, Error, ErrorKind, RealtimeClient, Replay, Result};

fn main() -> Result<()> {
    let path = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => {
            let path = std::env::temp_dir().join(format!("conversation-{}.jsonl", std::process::id()));
            record(&path)?;
            println!("recorded in {}", path.display());
            path
        }
    };
    let mut samples = 0;
    let file = File::open(&path).map_err(|e| failed(&path, &e))?;
    for done in Replay::open(BufReader::new(file))? {
        let (at, action) = done?;
        let at = format!("{:8.3} s", at.as_secs_f64());
        match action {
            Action::Send { event, .. } => println!("{at}  sends {}", event.kind()),
            Action::Connect { after } => println!("{at}  connects after {after:?}"),
            Action::Close => println!("{at}  closes"),
            Action::Tell(Event::Audio { pcm, .. }) => samples += pcm.len(),
            Action::Tell(Event::Transcript { .. }) => {}
            Action::Tell(event) => println!("{at}  tells {event:?}"),
            _ => {}
        }
    }
    println!("{:.1} s of voice", samples as f64 / 24_000.0);
    Ok(())
}

/// A turn, and one that is interrupted after a second.
fn record(path: &Path) -> Result<()> {
    let mut scenario = Scenario::default();
    scenario.answers = vec!["Good morning.".to_owned(), "A long story about many things.".to_owned()];
    let server = ScriptedServer::start(scenario)?;
    let file = File::create(path).map_err(|e| failed(path, &e))?;
    let talk =
        RealtimeClient::builder().record(BufWriter::new(file)).start(Config::new(server.provider(), None))?;
    talk.say("Good morning!")?;
    answer(&talk)?;
    talk.heard(1, u64::MAX);
    talk.say("Tell me a story.")?;
    answer(&talk)?;
    talk.heard(2, 24_000);
    talk.interrupt();
    talk.close();
    // The file is whole when the session has gone.
    while let Ok(Some(_)) = talk.wait(Duration::from_secs(5)) {}
    drop(talk);
    std::thread::sleep(Duration::from_millis(200));
    Ok(())
}

fn answer(talk: &RealtimeClient) -> Result<()> {
    loop {
        match talk.wait(Duration::from_secs(10))? {
            Some(Event::ResponseDone { .. }) => return Ok(()),
            Some(Event::State(State::Closed(Some(why)))) => return Err(why),
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

fn failed(path: &Path, why: &std::io::Error) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{why}: {}", path.display()))
}

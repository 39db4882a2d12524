//! A conversation in writing with a voice that answers: `OPENAI_API_KEY=… cargo run -p realtime-client --example talk`
//!
//! Another server: `REALTIME_API_KEY=… cargo run -p realtime-client --example talk -- wss://host/v1`, or `xai`, `qwen`, `stepfun`.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use realtime_client::session::{Event, State};
use realtime_client::{Config, Provider, RealtimeClient, Result};

fn main() -> Result<()> {
    let provider = match std::env::args().nth(1) {
        Some(name) => Provider::named(&name)?,
        None => Provider::openai(),
    };
    let talk = RealtimeClient::builder().start(Config::of(provider)?)?;
    let typed = talk.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
            if let Err(e) = typed.say(&line) {
                eprintln!("{e}");
            }
        }
        typed.close();
    });
    let mut samples = 0;
    loop {
        match talk.wait(Duration::from_secs(3600))? {
            Some(Event::State(State::Ready)) => println!("ready: type, and end with Ctrl-D"),
            Some(Event::State(State::Closed(Some(why)))) => return Err(why),
            Some(Event::State(state)) => println!("{state:?}"),
            Some(Event::Audio { pcm, .. }) => samples += pcm.len(),
            Some(Event::Transcript { delta, .. }) => {
                print!("{delta}");
                // A terminal that is gone is no reason to stop talking.
                drop(std::io::stdout().flush());
            }
            Some(Event::Ended { utterance }) => {
                println!("\n[{:.1} s of voice]", samples as f64 / f64::from(talk.output_rate()));
                samples = 0;
                // Nobody plays it here, so it counts as heard.
                talk.heard(utterance, u64::MAX);
            }
            Some(Event::Problem { error, .. }) => eprintln!("{error}"),
            Some(_) => {}
            None => return Ok(()),
        }
    }
}

//! Who answers: a provider with the key of the environment, or the scripted server of this process.

use std::sync::Arc;

use musetalk_core::{Error, ErrorKind, Result};
use realtime_client::protocol::{ServerVad, Transcription, TurnDetection, Voice};
use realtime_client::scripted::{Scenario, ScriptedServer};
use realtime_client::{Config, Provider};

use super::resample::{Resample, to_i16};
use crate::args;
use crate::audio_file::AudioFile;
use crate::demo_files::DemoFiles;

/// The name of the server that needs no key.
pub(super) const DEMO: &str = "demo";

/// Who writes down what the person says, where nobody is named.
const USUAL: [(&str, &str); 2] = [("openai", "gpt-4o-mini-transcribe"), ("xai", "grok-transcribe")];
/// Named where nobody should.
const NOBODY: &str = "none";

/// The sentences of the bundled voice, and where each begins and ends, in seconds.
const SENTENCES: [(f64, f64, &str); 3] = [
    (0.0, 5.9, "Hello. I am drawn, and my voice is synthetic, but my lips follow every sound."),
    (5.9, 10.05, "Please bring a picture of your own, and I may become somebody else."),
    (10.05, 12.4, "Have fun, my friend."),
];
/// What the demonstration answers, turn by turn.
const ANSWERS: [usize; 4] = [0, 1, 0, 2];
/// The rate of the scripted server.
const RATE: u32 = 24_000;
/// What it takes for the end of a turn.
const SILENCE_MS: u32 = 500;

/// The configuration that the options mean; the server runs for as long as it is kept.
pub(super) fn of(args: &args::Talk) -> Result<(Config, Option<ScriptedServer>)> {
    let (mut config, server) = match args.provider.as_str() {
        DEMO => demo()?,
        name => (provider(name)?, None),
    };
    config.audio_events = false;
    config.model = args.model.clone().or(config.model);
    let session = &mut config.options.session;
    session.instructions = args.instructions.clone();
    session.audio.output.voice = args.voice.as_deref().map(Voice::from);
    let usual = USUAL.iter().find(|(provider, _)| *provider == args.provider).map(|(_, model)| *model);
    match args.transcribe.as_deref().or(usual) {
        Some(NOBODY) => session.audio.input.transcription = None,
        // A server that knows no such model refuses it, and the session goes on without.
        Some(model) => session.audio.input.transcription = Some(Transcription::by(model)),
        None => {}
    }
    Ok((config, server))
}

fn provider(name: &str) -> Result<Config> {
    let provider = Provider::named(name).map_err(|e| {
        let sentence = format!("--provider: {e}; or demo, which needs no key");
        Error::new(ErrorKind::InvalidInput, sentence)
    })?;
    Config::of(provider).map_err(|e| match e.kind() {
        realtime_client::ErrorKind::Unauthorized => {
            let why = e.to_string();
            let why = why.trim_end_matches(", or give one");
            Error::new(ErrorKind::InvalidInput, format!("{why} in the environment, or try --provider demo"))
        }
        _ => core(&e),
    })
}

/// The bundled voice answers, sentence by sentence. Nobody understands anything, and it says so.
fn demo() -> Result<(Config, Option<ScriptedServer>)> {
    let voice = samples(&DemoFiles::find()?)?;
    let mut scenario = Scenario::default();
    scenario.answers = ANSWERS.iter().map(|answer| SENTENCES[*answer].2.to_owned()).collect();
    scenario.transcript = "(speech, which the scripted server does not understand)".to_owned();
    for (begins, ends, text) in SENTENCES {
        let at = |seconds: f64| ((seconds * f64::from(RATE)) as usize).min(voice.len());
        scenario.voices.insert(text.to_owned(), Arc::from(&voice[at(begins)..at(ends)]));
    }
    let server = ScriptedServer::start(scenario).map_err(|e| core(&e))?;
    let mut config = Config::new(server.provider(), None);
    let mut vad = ServerVad::default();
    vad.silence_duration_ms = Some(SILENCE_MS);
    config.options.session.audio.input.turn_detection = Some(TurnDetection::Server(vad));
    config.options.session.audio.input.transcription = Some(Transcription::by("scripted"));
    Ok((config, Some(server)))
}

fn samples(files: &DemoFiles) -> Result<Vec<i16>> {
    let mut file = AudioFile::open(files.voice()?)?;
    let mut resample = Resample::new(file.sample_rate(), RATE)?;
    let mut voice = Vec::new();
    while let Some(block) = file.next_block()? {
        resample.push(block, &mut voice)?;
    }
    resample.finish(&mut voice)?;
    Ok(voice.into_iter().map(to_i16).collect())
}

/// An error of the conversation as one of the command.
pub(super) fn core(error: &realtime_client::Error) -> Error {
    use realtime_client::ErrorKind as Kind;
    let kind = match error.kind() {
        Kind::InvalidInput => ErrorKind::InvalidInput,
        Kind::Unsupported => ErrorKind::Unsupported,
        Kind::NotFound => ErrorKind::NotFound,
        Kind::Incompatible => ErrorKind::Incompatible,
        Kind::TimedOut => ErrorKind::TimedOut,
        Kind::BufferFull => ErrorKind::BufferFull,
        Kind::Closed => ErrorKind::Closed,
        Kind::Internal => ErrorKind::Internal,
        _ => ErrorKind::Io,
    };
    Error::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_cut_where_the_voice_is_silent() {
        let voice = samples(&DemoFiles::find().unwrap()).unwrap();
        for (begins, ends, text) in SENTENCES {
            let at = |seconds: f64| ((seconds * f64::from(RATE)) as usize).min(voice.len());
            let loudness = |from: usize, to: usize| {
                voice[from..to].iter().map(|sample| f64::from(sample.abs())).sum::<f64>() / (to - from) as f64
            };
            assert!(loudness(at(begins), at(begins) + 480) < 60.0, "{text}");
            assert!(loudness(at(ends) - 480, at(ends)) < 60.0, "{text}");
            assert!(loudness(at(begins), at(ends)) > 500.0, "{text}");
        }
    }
}

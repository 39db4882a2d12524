//! `musetalk talk`: a conversation with a model that hears and answers, and its face.

mod conversation;
mod ear;
mod lines;
mod mouth;
mod person;
mod resample;
mod screen;
mod server;
mod sound;
mod teller;
mod words;

use std::path::{Path, PathBuf};

use musetalk_core::{AvatarOptions, Engine, FrameReader, PcmWriter, Result};
use realtime_client::RealtimeClient;
use realtime_client::bridge::Bridge;
use realtime_client::emotion::Prosody;
use serde_json::json;

use crate::args;
use crate::demo_files::DemoFiles;
use crate::progress::Progress;
use crate::render::apart;
use crate::report;
use crate::setup;
use crate::video::{Target, VideoFormat};

use conversation::{Conversation, Outcome};
use ear::Ear;
use lines::Lines;
use mouth::{Mouth, Voice};
use person::Person;
use screen::Screen;
use sound::Devices;
use teller::Teller;

/// How long the scripted person speaks the bundled voice.
const SPOKEN: f64 = 2.6;

/// Talks until somebody leaves or nothing more will come.
///
/// # Errors
///
/// Of any kind: an option may be wrong, the key missing, the server or the place to write to may refuse. Whatever was said until
/// the session failed is kept where `--save` says; a half-written video never has its final name.
pub fn command(args: &args::Talk) -> Result<()> {
    let target = args.save.as_deref().map(|out| Target::of_option("--save", out)).transpose()?;
    let face = target.is_some().then(|| Face::of(args)).transpose()?;
    if let (Some(target), Some(out), Some(face)) = (&target, &args.save, &face) {
        let mut sources = vec![face.pack.as_path(), face.avatar.as_path()];
        sources.extend(args.mic.as_deref());
        apart::check_option("--save", target, out, &sources)?;
        target.check(args.overwrite)?;
    }
    if let Some(mic) = &args.mic {
        ear::check(mic)?;
    }
    let (config, _server) = server::of(args)?;
    let (rate, ear_rate) = (config.options.output_rate, config.options.input_rate);

    let mut builder = RealtimeClient::builder();
    if args.mood {
        builder = builder.sense(Prosody::new());
    }
    let (mouth, screen, builder) = match (face, target) {
        (Some(face), Some(target)) => {
            let (writer, reader) = face.open(args, rate)?;
            let (fps, asset) = (reader.fps(), reader.asset());
            let fps = (fps.numerator(), fps.denominator());
            let format = VideoFormat::new(asset.width(), asset.height(), fps, rate)?;
            let bridge = Bridge::new(writer, reader.interrupter());
            let mouth = Mouth::Face { reader: Box::new(reader), utterances: bridge.utterances(), rate };
            (mouth, Some(Screen::new(target, format, args.overwrite)), builder.voice(bridge))
        }
        _ => {
            let voice = Voice::default();
            (Mouth::Voice { voice: voice.clone(), rate, periods: 0 }, None, builder.voice(voice))
        }
    };
    let to_stdout = args.save.as_deref() == Some(Path::new("-"));
    let mut ear = Ear::new(ear_rate);
    let person = match (args.provider == server::DEMO, &args.mic) {
        (true, Some(mic)) => Some((Person::new(None), mic.clone())),
        (true, None) => Some((Person::new(Some(SPOKEN)), DemoFiles::find()?.voice()?.to_path_buf())),
        (false, Some(mic)) => {
            ear.play(mic, None)?;
            None
        }
        (false, None) => None,
    };
    let conversation = Conversation {
        devices: devices(args, rate, ear_rate)?,
        client: builder.start(config).map_err(|e| server::core(&e))?,
        mouth,
        rate,
        ear,
        ear_rate,
        recorded: args.mic.is_some(),
        person,
        lines: Lines::of_stdin(),
        screen,
        teller: Teller::new(args.json, to_stdout),
    };
    tell(args, to_stdout, &conversation.run()?);
    Ok(())
}

/// Pack and avatar, found before anything is loaded.
struct Face {
    pack: PathBuf,
    avatar: PathBuf,
}

impl Face {
    fn of(args: &args::Talk) -> Result<Self> {
        if let (Some(pack), Some(avatar)) = (&args.pack, &args.avatar) {
            return Ok(Self { pack: pack.clone(), avatar: avatar.clone() });
        }
        let files = DemoFiles::find()?;
        let pack = args.pack.clone().unwrap_or_else(|| files.pack());
        let avatar = match &args.avatar {
            Some(avatar) => avatar.clone(),
            None => files.avatar(None)?.to_path_buf(),
        };
        Ok(Self { pack, avatar })
    }

    fn open(&self, args: &args::Talk, rate: u32) -> Result<(PcmWriter, FrameReader)> {
        setup::ensure_runtime(Progress::suitable(args.json))?;
        let mut builder = Engine::builder(&self.pack).device(args.device);
        if let Some(threads) = args.threads {
            builder = builder.threads(threads);
        }
        let mut options = AvatarOptions::default();
        options.sample_rate = rate;
        Ok(builder.build()?.open_avatar_with(&self.avatar, options)?.split())
    }
}

#[cfg(feature = "device-audio")]
fn devices(args: &args::Talk, rate: u32, ear_rate: u32) -> Result<Devices> {
    if args.no_devices {
        return Ok(Devices::none());
    }
    let listens = args.mic.is_none() && args.provider != server::DEMO;
    Devices::open(rate, listens.then_some(ear_rate))
}

#[cfg(not(feature = "device-audio"))]
fn devices(_args: &args::Talk, _rate: u32, _ear_rate: u32) -> Result<Devices> {
    Ok(Devices)
}

fn tell(args: &args::Talk, to_stdout: bool, outcome: &Outcome) {
    let say = if to_stdout { report::note } else { report::line };
    let out = args.save.as_ref().map(|out| out.display().to_string());
    if args.json {
        let line = json!({"event": "end", "seconds": outcome.seconds, "answers": outcome.answers,
            "interruptions": outcome.interruptions, "frames": outcome.frames, "out": out});
        say(&line.to_string());
        return;
    }
    report::note(&format!(
        "[over after {:.1} s: {} answers, {} interrupted]",
        outcome.seconds, outcome.answers, outcome.interruptions
    ));
    if let Some(out) = out.filter(|_| outcome.frames > 0) {
        say(&format!("{} frames in {out}", outcome.frames));
    }
}

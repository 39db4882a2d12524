//! The conversation itself: one loop, one turn of it in every frame period.
//!
//! In each: what was typed, what the microphone hears, what the session tells, and the next picture with its sound.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use musetalk_core::{Error, Result};
use realtime_client::protocol::{Detail, SessionUpdate, UserPart, Voice};
use realtime_client::session::{Event, Posture, State, ToolOutput};
use realtime_client::{Picture, RealtimeClient};

use super::ear::Ear;
use super::lines::Lines;
use super::mouth::Mouth;
use super::person::{Deed, Person, Situation};
use super::screen::{self, Screen};
use super::server::core;
use super::sound::Devices;
use super::teller::Teller;
use super::words::Line;
use crate::{cancel, report};

/// How long nobody does anything before the scripted person goes on.
const PAUSE: Duration = Duration::from_millis(600);
/// And before a conversation whose last line was typed is over.
const SILENCE: Duration = Duration::from_millis(1_500);
/// And where a voice may still be on its way to the server's ears.
const LONG_SILENCE: Duration = Duration::from_secs(3);
/// The orderly end of a connection takes a second at most.
const FAREWELL: Duration = Duration::from_secs(2);
/// In this many pictures a mouth closes.
const CLOSING: u32 = 5;

/// Everybody who takes part.
pub(super) struct Conversation {
    pub(super) client: RealtimeClient,
    pub(super) mouth: Mouth,
    pub(super) rate: u32,
    pub(super) ear: Ear,
    pub(super) ear_rate: u32,
    /// A recording is the person's voice: the conversation ends after it.
    pub(super) recorded: bool,
    /// The scripted person, and what it speaks.
    pub(super) person: Option<(Person, PathBuf)>,
    pub(super) lines: Lines,
    pub(super) devices: Devices,
    pub(super) screen: Option<Screen>,
    pub(super) teller: Teller,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) frames: u64,
    pub(super) seconds: f64,
    pub(super) answers: u64,
    pub(super) interruptions: u64,
}

/// How it stands.
#[derive(Debug, Default)]
struct Standing {
    /// It was ready once.
    begun: bool,
    ready: bool,
    /// Since when nobody does anything.
    calm: Option<Instant>,
    /// The utterance that sounded last, and the samples of it that did.
    heard: (u64, u64),
    /// The session is over, and why.
    closed: Option<Option<realtime_client::Error>>,
    /// Somebody asked for the end.
    leaving: bool,
    /// What is said could not be printed.
    unheard: Option<Error>,
    outcome: Outcome,
}

impl Conversation {
    /// Talks until it is over: the session ended, somebody left, or nothing more will come.
    pub(super) fn run(mut self) -> Result<Outcome> {
        let mut now = Standing::default();
        let fps = self.mouth.fps()?;
        let started = Instant::now();
        let (mut period, mut listened) = (0, 0);
        while now.closed.is_none() && !now.leaving && !self.is_over(&now) {
            self.devices.wait(started + fps.time_of(period), fps.period());
            period += 1;
            now.leaving |= cancel::take();
            self.events(&mut now);
            if now.ready {
                self.act(&mut now)?;
                let due = fps.first_sample(period, self.ear_rate);
                self.listen((due - listened) as usize)?;
            }
            listened = fps.first_sample(period, self.ear_rate);
            if now.begun {
                self.speak(&mut now)?;
            }
            // Nobody can follow a conversation whose words go nowhere; what was said is kept all the same.
            if let Err(e) = report::written() {
                now.unheard = Some(e);
                now.leaving = true;
            }
        }
        self.part(&mut now)?;
        now.outcome.seconds = started.elapsed().as_secs_f64();
        if let Some(screen) = self.screen.take().filter(|_| now.begun) {
            now.outcome.frames = screen.finish()?;
        }
        match (now.closed.flatten(), now.unheard) {
            (Some(why), _) => Err(core(&why)),
            (None, Some(why)) => Err(why),
            (None, None) => Ok(now.outcome),
        }
    }

    /// What the session tells.
    fn events(&mut self, now: &mut Standing) {
        while let Ok(event) = self.client.wait(Duration::ZERO) {
            match event {
                Some(event) => self.event(&event, now),
                None => {
                    now.closed.get_or_insert(None);
                    return;
                }
            }
        }
        let idle = now.ready && self.client.posture() == Posture::Idle && self.ear.is_silent();
        match idle {
            true => drop(now.calm.get_or_insert_with(Instant::now)),
            false => now.calm = None,
        }
    }

    fn event(&mut self, event: &Event, now: &mut Standing) {
        let heard = now.heard.1 as f64 / f64::from(self.rate);
        match event {
            Event::State(State::Ready) => {
                (now.begun, now.ready) = (true, true);
                let spoken = self.client.output_rate();
                if spoken != self.rate {
                    let why =
                        format!("the server speaks at {spoken} Hz where {} Hz were expected", self.rate);
                    now.closed = Some(Some(realtime_client::Error::new(
                        realtime_client::ErrorKind::Incompatible,
                        why,
                    )));
                }
            }
            Event::State(State::Reconnecting { .. }) => now.ready = false,
            Event::State(State::Closed(why)) => now.closed = Some(why.clone()),
            Event::Interrupted { utterance } => {
                now.outcome.interruptions += 1;
                self.devices.silence();
                let heard = if *utterance == now.heard.0 { heard } else { 0.0 };
                return self.teller.event(event, heard);
            }
            Event::Began { utterance } => now.heard = (*utterance, 0),
            Event::ResponseDone { .. } => now.outcome.answers += 1,
            Event::ToolCall { call_id, .. } => {
                self.client.tool_output(call_id, ToolOutput::failed("there is no such function"));
            }
            Event::ApprovalRequested { request_id, .. } => {
                if let Err(e) = self.client.approve(request_id, false, None) {
                    self.teller.problem(&e.to_string());
                }
            }
            _ => {}
        }
        self.teller.event(event, heard);
    }

    /// What is typed, and what the scripted person does.
    fn act(&mut self, now: &mut Standing) -> Result<()> {
        let mut calm = now.calm.is_some_and(|since| since.elapsed() >= PAUSE);
        if let Some(line) = self.lines.next(calm) {
            // The scripted person lets whoever else is there speak first, and waits for the answer.
            calm = false;
            now.calm = None;
            if let Err(e) = self.line(line, now) {
                self.teller.problem(&e.to_string());
            }
        }
        let speaks = self.client.posture() == Posture::Speaking;
        let heard = if speaks { now.heard.1 as f64 / f64::from(self.rate) } else { 0.0 };
        let Some((person, voice)) = &mut self.person else { return Ok(()) };
        match person.next(Situation { calm, heard }) {
            Some(Deed::Write(text)) => {
                self.client.say(text).map_err(|e| core(&e))?;
                self.teller.wrote(text);
                now.calm = None;
            }
            Some(Deed::Speak(seconds)) => {
                self.ear.play(voice, seconds)?;
                now.calm = None;
            }
            None => {}
        }
        Ok(())
    }

    fn line(&mut self, line: Line, now: &mut Standing) -> Result<()> {
        match line {
            Line::Empty => {}
            Line::Wrong(why) => self.teller.problem(&why),
            Line::Help => self.teller.help(),
            Line::Quit => now.leaving = true,
            Line::Interrupt => self.client.interrupt(),
            Line::Say(text) => {
                self.client.say(&text).map_err(|e| core(&e))?;
                if !self.lines.typed() {
                    self.teller.wrote(&text);
                }
            }
            Line::Voice(name) => {
                let mut update = SessionUpdate::default();
                update.audio.output.voice = Some(Voice::Named(name));
                self.client.update(&update).map_err(|e| core(&e))?;
                self.teller.remark("[another voice, at the latest after the next pause]");
            }
            Line::Image(path, words) => {
                let picture = Picture::from_file(&screen::picture(&path)?);
                let picture =
                    picture.map_err(|e| Error::new(core(&e).kind(), format!("{e}: {}", path.display())))?;
                let words = words.map(|text| UserPart::Text { text });
                let content = std::iter::once(picture.part(Detail::Auto)).chain(words).collect();
                self.client.show(content).map_err(|e| core(&e))?;
                self.teller.remark(&format!("[shows {}]", path.display()));
            }
        }
        Ok(())
    }

    /// What the microphone, the recording or the scripted person says in a period.
    fn listen(&mut self, count: usize) -> Result<()> {
        if let Some(pcm) = self.devices.listen()? {
            self.client.push_audio(&pcm);
        } else if self.recorded || self.person.is_some() {
            self.client.push_audio(&self.ear.listen(count)?);
        }
        Ok(())
    }

    /// The next picture and its sound.
    fn speak(&mut self, now: &mut Standing) -> Result<()> {
        let period = self.mouth.next()?;
        let heard = self.devices.play(period.sound(), period.heard)?;
        if let Some((utterance, samples)) = heard {
            self.client.heard(utterance, samples);
            now.heard = (utterance, samples);
        }
        if let (Some(screen), Some(picture)) = (&mut self.screen, &period.picture) {
            now.leaving |= screen.show(picture.pixels(), picture.audio())?.is_break();
        }
        Ok(())
    }

    /// Nothing more will come.
    fn is_over(&self, now: &Standing) -> bool {
        let (over, silence) = match &self.person {
            Some((person, _)) => (person.is_done(), SILENCE),
            None if self.recorded => (self.ear.is_silent(), LONG_SILENCE),
            None => (self.lines.ended() && !self.devices.listens(), SILENCE),
        };
        over && self.lines.is_idle() && now.calm.is_some_and(|since| since.elapsed() >= silence)
    }

    /// Closes the mouth and the connection.
    fn part(&mut self, now: &mut Standing) -> Result<()> {
        // A request that came with the last picture is this one.
        now.leaving |= cancel::take();
        if now.closed.is_none() {
            self.client.interrupt();
            self.client.close();
        }
        if now.begun && self.mouth_moves(now) {
            for _ in 0..CLOSING {
                self.speak(now)?;
            }
        }
        let until = Instant::now() + FAREWELL;
        while Instant::now() < until {
            match self.client.wait(Duration::from_millis(20)) {
                Ok(Some(event)) => self.event(&event, now),
                Ok(None) => break,
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn mouth_moves(&self, now: &Standing) -> bool {
        now.calm.is_none() && now.heard.1 > 0
    }
}

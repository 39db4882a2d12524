//! Whatever a host calls, in any order: nothing panics, nothing hangs, cut utterances stay silent, and the samples of
//! speech frames are those that were pushed.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use musetalk_core::{Avatar, AvatarOptions, Error, ErrorKind, Frame, Heard, UtteranceId};
use musetalk_tests::{babble, engine, person};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Call {
    Begin,
    Push(usize),
    Finish,
    Interrupt,
    InterruptThrough(u64),
    /// One of the ways to read, as often.
    Read(usize),
    Ready,
    Hold,
    DropFrames,
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Recording,
    Live,
    Paced,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        2 => Just(Call::Begin),
        6 => prop_oneof![1..50_usize, 50..3_000_usize, 3_000..30_000_usize].prop_map(Call::Push),
        3 => Just(Call::Finish),
        1 => Just(Call::Interrupt),
        1 => (1..12_u64).prop_map(Call::InterruptThrough),
        8 => (1..20_usize).prop_map(Call::Read),
        2 => Just(Call::Ready),
        1 => Just(Call::Hold),
        1 => Just(Call::DropFrames),
        1 => (0..12_u64).prop_map(Call::Wait),
    ];
    prop::collection::vec(call, 1..60)
}

/// What the host knows that it has done.
struct Host {
    avatar: Avatar,
    way: Way,
    /// Every utterance's samples, from number 1 on.
    pushed: Vec<Vec<f32>>,
    open: bool,
    cut: u64,
    /// Utterances that `next_frame` has ended.
    ended: u64,
    heard: Option<Heard>,
    last: Option<(u64, u64)>,
    index: Option<u64>,
    held: Vec<Frame>,
    source: Vec<f32>,
    at: usize,
}

impl Host {
    fn new(way: Way) -> Self {
        let avatar = engine().start_avatar(person(engine()), AvatarOptions::default()).unwrap();
        Self {
            avatar,
            way,
            pushed: Vec::new(),
            open: false,
            cut: 0,
            ended: 0,
            heard: None,
            last: None,
            index: None,
            held: Vec::new(),
            source: babble(3.0, 24_000, 99),
            at: 0,
        }
    }

    fn is_cut(&self) -> bool {
        !self.pushed.is_empty() && self.pushed.len() as u64 <= self.cut
    }

    fn call(&mut self, call: &Call) {
        match *call {
            Call::Begin => match self.avatar.begin() {
                Ok(utterance) => {
                    self.pushed.push(Vec::new());
                    self.open = true;
                    assert_eq!(utterance.get(), self.pushed.len() as u64);
                }
                Err(error) => is(&error, ErrorKind::BufferFull),
            },
            Call::Push(count) => {
                self.at = (self.at + 997) % (self.source.len() - count);
                let chunk = &self.source[self.at..self.at + count];
                match self.avatar.push(chunk) {
                    Ok(()) => {
                        assert!(!self.is_cut(), "a cut utterance took samples");
                        if !self.open {
                            self.pushed.push(Vec::new());
                            self.open = true;
                        }
                        self.pushed.last_mut().unwrap().extend_from_slice(chunk);
                    }
                    Err(_) if self.is_cut() => {}
                    Err(error) => is(&error, ErrorKind::BufferFull),
                }
            }
            Call::Finish => match self.avatar.finish() {
                Ok(()) => {
                    assert!(!self.is_cut());
                    self.open = false;
                }
                Err(error) => {
                    is(&error, ErrorKind::Interrupted);
                    assert!(self.is_cut());
                }
            },
            Call::Interrupt => {
                let begun = self.pushed.len() as u64;
                let cut = self.avatar.interrupter().interrupt().map_or(0, UtteranceId::get);
                assert!(cut == if begun > self.cut { begun } else { 0 });
                self.cut = begun;
            }
            Call::InterruptThrough(number) => {
                self.avatar.interrupter().interrupt_through(UtteranceId::new(number).unwrap());
                self.cut = self.cut.max(number.min(self.pushed.len() as u64));
            }
            Call::Read(times) => (0..times).for_each(|_| self.read()),
            // A recording host has no use for it: it looks past utterances that ended without a frame.
            Call::Ready if matches!(self.way, Way::Recording) => {}
            Call::Ready => {
                let ready = self.avatar.ready().unwrap();
                if let Some(ready) = ready {
                    let number = ready.utterance.get();
                    assert!(number > self.cut && number <= self.pushed.len() as u64);
                    assert!(ready.samples <= self.pushed[number as usize - 1].len() as u64);
                    let other = self.heard.is_none_or(|heard| heard.utterance != ready.utterance);
                    if other {
                        self.heard = Some(Heard { utterance: ready.utterance, samples: 0 });
                    }
                }
            }
            Call::Hold => {
                let frame = match self.way {
                    Way::Recording if !self.owed() => None,
                    Way::Recording => self.avatar.next_frame().ok().and_then(|frame| self.took(frame)),
                    Way::Live => self.avatar.latest_at(self.heard).ok().flatten(),
                    Way::Paced => self.avatar.paced().ok(),
                };
                if let Some(frame) = frame {
                    self.check(&frame);
                    self.held.push(frame);
                }
            }
            Call::DropFrames => self.held.clear(),
            Call::Wait(millis) => std::thread::sleep(Duration::from_millis(millis)),
        }
    }

    /// `next_frame` would come back: some utterance is complete, or cut, and its end was not read.
    fn owed(&self) -> bool {
        let complete = self.pushed.len() as u64 - u64::from(self.open && !self.is_cut());
        self.ended < complete
    }

    fn took(&mut self, frame: Option<Frame>) -> Option<Frame> {
        self.ended += u64::from(frame.is_none());
        frame
    }

    fn read(&mut self) {
        let result = match self.way {
            Way::Recording if !self.owed() => return,
            Way::Recording => self.avatar.next_frame().map(|frame| self.took(frame)),
            Way::Live => {
                if let Some(heard) = &mut self.heard {
                    heard.samples += 400;
                }
                self.avatar.latest_at(self.heard)
            }
            Way::Paced => self.avatar.paced().map(Some),
        };
        match result {
            Ok(Some(frame)) => {
                self.check(&frame);
            }
            Ok(None) => {}
            Err(error) => {
                is(&error, ErrorKind::BufferFull);
                assert!(self.held.len() >= 4, "no frame is to be had and {} are held", self.held.len());
            }
        }
    }

    fn check(&mut self, frame: &Frame) {
        assert!(self.index.is_none_or(|index| frame.index() > index));
        self.index = Some(frame.index());
        let Some(utterance) = frame.utterance() else { return };
        let (number, place) = (utterance.get(), frame.utterance_frame());
        assert!(number > self.cut, "{number} is shown and {} was cut", self.cut);
        assert!(
            self.last.is_none_or(|last| last < (number, place)),
            "{number}:{place} after {:?}",
            self.last
        );
        self.last = Some((number, place));
        let pushed = &self.pushed[number as usize - 1];
        let first = place as usize * 960;
        match self.way {
            Way::Paced => {
                // Silence fills the period in which the utterance ends.
                let (audio, rest) = frame.audio().split_at((pushed.len() - first).min(960));
                assert!(
                    pushed[first..first + audio.len()] == *audio,
                    "{number}:{place} carries other samples"
                );
                assert!(rest.iter().all(|&sample| sample == 0.0) && audio.len() + rest.len() == 960);
            }
            _ => {
                let audio = frame.audio();
                assert!(!audio.is_empty() && audio.len() <= 960);
                assert!(
                    pushed[first..first + audio.len()] == *audio,
                    "{number}:{place} carries other samples"
                );
            }
        }
    }

    /// Reads to the end of everything: it must come.
    fn end(mut self) {
        self.held.clear();
        if self.open && !self.is_cut() {
            self.call(&Call::Finish);
        }
        match self.way {
            Way::Recording => {
                while self.owed() {
                    self.read();
                }
                assert_eq!(self.ended, self.pushed.len() as u64);
            }
            Way::Paced => {
                let wanted: usize = self.pushed.iter().skip(self.cut as usize).map(Vec::len).sum();
                let shown = |host: &Self| host.last.map_or((0, 0), |last| last);
                // Everything not cut is played, however long that takes; ended by the watchdog if it does not come.
                let last_number =
                    self.pushed.iter().rposition(|p| !p.is_empty()).map_or(0, |at| at as u64 + 1);
                if wanted > 0 && last_number > self.cut {
                    let frames = (self.pushed[last_number as usize - 1].len() as u64).div_ceil(960);
                    while shown(&self) != (last_number, frames - 1) {
                        self.read();
                        std::thread::sleep(Duration::from_micros(300));
                    }
                }
            }
            Way::Live => {
                for _ in 0..20 {
                    self.read();
                }
            }
        }
        // And it speaks again.
        self.avatar.begin().unwrap();
        self.avatar.push(&self.source[..4_800]).unwrap();
        self.avatar.finish().unwrap();
    }
}

#[track_caller]
fn is(error: &Error, kind: ErrorKind) {
    assert_eq!(error.kind(), kind, "{error}");
}

/// Runs on a thread of its own, so that a hang is found as one.
fn run(way: Way, calls: Vec<Call>) -> Result<(), String> {
    let (done, outcome) = sync_channel(1);
    let thread = std::thread::spawn(move || {
        let mut host = Host::new(way);
        for call in &calls {
            host.call(call);
        }
        host.end();
        drop(done.send(()));
    });
    match outcome.recv_timeout(Duration::from_secs(60)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => Err("a call hangs".to_owned()),
        _ => thread.join().map_err(|panic| match panic.downcast_ref::<String>() {
            Some(message) => message.clone(),
            None => panic.downcast_ref::<&str>().map_or("a panic", |message| *message).to_owned(),
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_time: 60_000, ..ProptestConfig::default() })]

    #[test]
    fn while_recording(calls in calls()) {
        prop_assert_eq!(run(Way::Recording, calls), Ok(()));
    }

    #[test]
    fn while_live(calls in calls()) {
        prop_assert_eq!(run(Way::Live, calls), Ok(()));
    }

    #[test]
    fn while_paced(calls in calls()) {
        prop_assert_eq!(run(Way::Paced, calls), Ok(()));
    }
}

//! Answers into an avatar, interruptions to its mouth, and what was seen back to the conversation.
//!
//! The only file that knows `musetalk-core`. Answers come in bursts of minutes and faces listen at their own pace, so the bridge keeps
//! what the avatar has no room for, as 16-bit samples, and the socket is never left unread.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use musetalk_core::{Clip, Director, ErrorKind, Heard, Interrupter, PcmWriter, UtteranceId};

use crate::RealtimeClient;
use crate::session::Posture;
use crate::voice::{Sound, VoiceSink};

/// Samples that are converted and pushed at a time: a tenth of a second.
const CHUNK: usize = 2_400;
/// When to look again whether the avatar has room.
const AGAIN: Duration = Duration::from_millis(10);
/// Utterances whose two numbers are remembered.
const MOST_PAIRS: usize = 256;

/// What the avatar shows beside speech: called on a thread of this crate, at once, and must not block.
type OnPosture = Box<dyn FnMut(Posture) + Send>;

/// The conversation's end of an avatar: give it to [`Builder::voice`](crate::Builder::voice).
///
/// The avatar must have been opened with the session's output rate, 24 000 Hz unless the provider says otherwise.
pub struct Bridge {
    writer: PcmWriter,
    interrupter: Interrupter,
    waiting: VecDeque<Piece>,
    samples: u64,
    utterances: Utterances,
    buffer: Vec<f32>,
    on_posture: Option<OnPosture>,
    director: Option<Director>,
    /// The avatar is gone; nothing waits for it any more.
    gone: bool,
}

/// What the avatar has not taken yet.
enum Piece {
    Begin(u64),
    Samples { utterance: u64, pcm: Vec<i16>, taken: usize },
    End(u64),
}

impl Piece {
    fn utterance(&self) -> u64 {
        match self {
            Self::Begin(utterance) | Self::End(utterance) | Self::Samples { utterance, .. } => *utterance,
        }
    }

    fn left(&self) -> u64 {
        match self {
            Self::Samples { pcm, taken, .. } => (pcm.len() - taken) as u64,
            Self::Begin(_) | Self::End(_) => 0,
        }
    }
}

/// Which utterance of the avatar is which of the conversation. Cheap to clone, for the thread that plays or draws.
#[derive(Clone, Debug, Default)]
pub struct Utterances {
    pairs: Arc<Mutex<VecDeque<(u64, UtteranceId)>>>,
}

impl Bridge {
    /// A bridge to the avatar of this writer and this interrupter.
    pub fn new(writer: PcmWriter, interrupter: Interrupter) -> Self {
        Self {
            writer,
            interrupter,
            waiting: VecDeque::new(),
            samples: 0,
            utterances: Utterances::default(),
            buffer: Vec::with_capacity(CHUNK),
            on_posture: None,
            director: None,
            gone: false,
        }
    }

    /// Told whenever the face should look like it is doing something else: listening, thinking, working.
    #[must_use]
    pub fn on_posture(mut self, told: impl FnMut(Posture) + Send + 'static) -> Self {
        self.on_posture = Some(Box::new(told));
        self
    }

    /// Has the avatar play the clip of what it is doing: the one named `idle`, `listening`, `thinking`, `working` or `speaking`, in
    /// any case. Where there is none, thinking stands in for working, and the avatar's first clip for all others.
    #[must_use]
    pub fn direct(mut self, director: Director) -> Self {
        self.director = Some(director);
        self
    }

    /// The avatar's writer, for whoever speaks through it next. What waited here is forgotten.
    pub fn into_writer(self) -> PcmWriter {
        self.writer
    }

    /// The bridge for one conversation: once that is over, failed, or never began, `back` is given the avatar's writer, so that the next
    /// can speak. What was begun to be said is said; a host that wants silence interrupts.
    ///
    /// `back` is called once, on any thread, and must neither block nor ask the conversation anything.
    pub fn on_loan(self, back: impl FnOnce(PcmWriter) + Send + 'static) -> impl VoiceSink {
        OnLoan { bridge: Some(self), back: Some(back) }
    }

    /// For reporting what was heard.
    pub fn utterances(&self) -> Utterances {
        self.utterances.clone()
    }

    /// Gives the avatar what it has room for.
    fn move_on(&mut self) {
        while let Some(piece) = self.waiting.front_mut() {
            let result = match piece {
                Piece::Begin(utterance) => self.writer.begin().map(|id| self.utterances.add(*utterance, id)),
                Piece::Samples { pcm, taken, .. } => {
                    let chunk = &pcm[*taken..pcm.len().min(*taken + CHUNK)];
                    self.buffer.clear();
                    self.buffer.extend(chunk.iter().map(|sample| f32::from(*sample) / 32_768.0));
                    let pushed = if chunk.is_empty() { Ok(()) } else { self.writer.push(&self.buffer) };
                    if pushed.is_ok() {
                        *taken += chunk.len();
                        self.samples -= chunk.len() as u64;
                        if *taken < pcm.len() {
                            continue;
                        }
                    }
                    pushed
                }
                Piece::End(_) => self.writer.finish(),
            };
            match result.map_err(|e| e.kind()) {
                Ok(()) => drop(self.waiting.pop_front()),
                Err(ErrorKind::BufferFull) => return,
                // The host cut it on the avatar's side.
                Err(ErrorKind::Interrupted) => {
                    let cut = piece.utterance();
                    self.forget(cut);
                }
                Err(kind) => {
                    log::error!("the avatar takes no more sound: {kind:?}");
                    self.gone = true;
                    self.waiting.clear();
                    self.samples = 0;
                }
            }
        }
    }

    fn forget(&mut self, utterance: u64) {
        self.waiting.retain(|piece| piece.utterance() != utterance);
        self.samples = self.waiting.iter().map(Piece::left).sum();
    }
}

/// The clip that shows a posture, of those an avatar has.
fn clip_of<'a>(posture: Posture, clips: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let wanted: &[&str] = match posture {
        Posture::Idle => &["idle"],
        Posture::Listening => &["listening"],
        Posture::Thinking => &["thinking"],
        Posture::Working => &["working", "thinking"],
        Posture::Speaking => &["speaking"],
    };
    let named = |name: &&str| clips.clone().find(|clip| clip.eq_ignore_ascii_case(name));
    wanted.iter().find_map(named).or_else(|| clips.clone().next())
}

impl VoiceSink for Bridge {
    fn take(&mut self, sound: Sound<'_>) {
        if let Sound::Posture(posture) = sound {
            if let Some(told) = &mut self.on_posture {
                told(posture);
            }
            if let Some(director) = &self.director
                && let Some(name) = clip_of(posture, director.clips().iter().map(Clip::name))
                && let Err(error) = director.request_clip(name)
            {
                log::warn!("{error}");
            }
            return;
        }
        if self.gone {
            return;
        }
        match sound {
            Sound::Begin(utterance) => self.waiting.push_back(Piece::Begin(utterance)),
            Sound::Samples(utterance, pcm) => {
                self.samples += pcm.len() as u64;
                self.waiting.push_back(Piece::Samples { utterance, pcm: pcm.to_vec(), taken: 0 });
            }
            Sound::End(utterance) => self.waiting.push_back(Piece::End(utterance)),
            Sound::Cut(utterance) => {
                self.forget(utterance);
                if let Some(id) = self.utterances.avatars(utterance) {
                    self.interrupter.interrupt_through(id);
                }
            }
            Sound::Posture(_) => {}
        }
        self.move_on();
    }

    fn tick(&mut self) -> Option<Duration> {
        self.move_on();
        (!self.waiting.is_empty()).then_some(AGAIN)
    }

    fn waiting(&self) -> u64 {
        self.samples
    }
}

/// A bridge that gives the writer back when it is dropped. Both are there until then.
struct OnLoan<F: FnOnce(PcmWriter)> {
    bridge: Option<Bridge>,
    back: Option<F>,
}

impl<F: FnOnce(PcmWriter) + Send> VoiceSink for OnLoan<F> {
    fn take(&mut self, sound: Sound<'_>) {
        if let Some(bridge) = &mut self.bridge {
            bridge.take(sound);
        }
    }

    fn tick(&mut self) -> Option<Duration> {
        self.bridge.as_mut().and_then(VoiceSink::tick)
    }

    fn waiting(&self) -> u64 {
        self.bridge.as_ref().map_or(0, VoiceSink::waiting)
    }
}

impl<F: FnOnce(PcmWriter)> Drop for OnLoan<F> {
    fn drop(&mut self) {
        let Some((bridge, back)) = self.bridge.take().zip(self.back.take()) else { return };
        let mut writer = bridge.into_writer();
        // Fails where nothing is open, or the avatar has gone: then there is nothing to end.
        drop(writer.finish());
        back(writer);
    }
}

impl Utterances {
    /// Tells the conversation what has left the loudspeaker, in the avatar's terms. Call it where the position is known, and often.
    pub fn heard(&self, talk: &RealtimeClient, heard: Heard) {
        if let Some(utterance) = self.conversations(heard.utterance) {
            talk.heard(utterance, heard.samples);
        }
    }

    /// Tells the conversation that the sound of an utterance has ended.
    pub fn ended(&self, talk: &RealtimeClient, utterance: UtteranceId) {
        self.heard(talk, Heard { utterance, samples: u64::MAX });
    }

    /// The conversation's number of an utterance of the avatar; `None` for one that did not come from it.
    pub fn conversations(&self, id: UtteranceId) -> Option<u64> {
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.iter().find(|(_, known)| *known == id).map(|(utterance, _)| *utterance)
    }

    /// The avatar's number of an utterance of the conversation; `None` until it has begun there.
    pub fn avatars(&self, utterance: u64) -> Option<UtteranceId> {
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.iter().find(|(known, _)| *known == utterance).map(|(_, id)| *id)
    }

    fn add(&self, utterance: u64, id: UtteranceId) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() == MOST_PAIRS {
            pairs.pop_front();
        }
        pairs.push_back((utterance, id));
    }
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bridge").field("waiting", &self.samples).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posture_plays_its_clip_or_what_stands_in_for_it() {
        let clips = ["rest", "Listening", "thinking"];
        let of = |posture| clip_of(posture, clips.iter().copied());
        assert_eq!(of(Posture::Listening), Some("Listening"));
        assert_eq!(of(Posture::Working), Some("thinking"));
        assert_eq!(of(Posture::Speaking), Some("rest"));
        assert_eq!(of(Posture::Idle), Some("rest"));
    }
}

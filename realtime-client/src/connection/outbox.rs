//! What waits to be sent: control in order and never dropped, the person's voice in a ring that forgets its oldest.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::{ClientEvent, Dialect, audio};

/// Control frames that may wait; a server that takes none for so long has gone.
const MOST_CONTROL: usize = 4096;
/// And their bytes: a dozen of the largest pictures.
const MOST_BYTES: usize = 192 << 20;

pub(super) struct Outbox {
    queues: Mutex<Queues>,
    news: Notify,
    rate: u32,
    dialect: Dialect,
}

#[derive(Default)]
struct Queues {
    control: VecDeque<String>,
    voice: VecDeque<i16>,
    /// The session takes voice now; before, it waits as pre-roll.
    open: bool,
    /// Samples since the last clear or commit.
    taken: u64,
    dropped: u64,
    /// Which connection the frames are for.
    connection: u64,
    /// What waits is the last there is.
    finished: bool,
}

impl Outbox {
    pub(super) fn new(rate: u32, dialect: Dialect) -> Self {
        Self { queues: Mutex::default(), news: Notify::new(), rate, dialect }
    }

    /// Adds voice; how much of it, or of what waited, was dropped. Never waits for the network.
    pub(super) fn push_voice(&self, pcm: &[i16]) -> u64 {
        let mut queues = self.lock();
        // Two seconds of pre-roll while connecting; stale speech is worse than a gap afterwards.
        let room = self.rate as usize * if queues.open { 1 } else { 2 };
        let pcm = &pcm[pcm.len().saturating_sub(room)..];
        let excess = (queues.voice.len() + pcm.len()).saturating_sub(room);
        queues.voice.drain(..excess);
        queues.voice.extend(pcm);
        queues.taken = (queues.taken + pcm.len() as u64).saturating_sub(excess as u64);
        queues.dropped += excess as u64;
        drop(queues);
        self.news.notify_one();
        excess as u64
    }

    /// Adds a control frame; `false` when the server has taken none for too long.
    pub(super) fn push(&self, event: &ClientEvent, event_id: &str) -> bool {
        let mut queues = self.lock();
        match event {
            // What was said before belongs to the turn.
            ClientEvent::Commit => {
                while let Some(frame) = self.voice_frame(&mut queues) {
                    queues.control.push_back(frame);
                }
                queues.taken = 0;
            }
            ClientEvent::Clear => {
                queues.voice.clear();
                queues.taken = 0;
            }
            _ => {}
        }
        queues.control.push_back(event.to_json(Some(event_id), &self.dialect));
        let bytes: usize = queues.control.iter().map(String::len).sum();
        let fits = queues.control.len() <= MOST_CONTROL && bytes <= MOST_BYTES;
        drop(queues);
        self.news.notify_one();
        fits
    }

    /// Whether voice may go, or waits, or is not wanted at all.
    pub(super) fn set_open(&self, ready: bool, listens: bool) {
        let mut queues = self.lock();
        queues.open = ready && listens;
        if ready && !listens {
            queues.voice.clear();
            queues.taken = 0;
        }
        let news = queues.open && !queues.voice.is_empty();
        drop(queues);
        if news {
            self.news.notify_one();
        }
    }

    /// Samples given since the last clear or commit.
    pub(super) fn uncommitted(&self) -> u64 {
        self.lock().taken
    }

    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// A new connection: what was for the old one is void. Its number.
    pub(super) fn restart(&self) -> u64 {
        let mut queues = self.lock();
        queues.control.clear();
        // What the old connection was given is not in the buffer of the new one.
        queues.taken = queues.voice.len() as u64;
        queues.open = false;
        queues.connection += 1;
        let connection = queues.connection;
        drop(queues);
        // The writer of the old connection finds out.
        self.news.notify_waiters();
        self.news.notify_one();
        connection
    }

    /// Nothing more comes: what waits is still written, and then the connection is closed.
    pub(super) fn finish(&self) {
        let mut queues = self.lock();
        queues.open = false;
        queues.finished = true;
        drop(queues);
        self.news.notify_waiters();
        self.news.notify_one();
    }

    /// The next frame for this connection; `None` when it is no longer the one, or was the last.
    pub(super) async fn next(&self, connection: u64) -> Option<String> {
        loop {
            let news = self.news.notified();
            {
                let mut queues = self.lock();
                if queues.connection != connection {
                    drop(queues);
                    // The permit was meant for another writer.
                    self.news.notify_one();
                    return None;
                }
                let frame = match queues.control.pop_front() {
                    Some(frame) => Some(frame),
                    None if queues.open => self.voice_frame(&mut queues),
                    None => None,
                };
                if frame.is_some() || queues.finished {
                    return frame;
                }
            }
            news.await;
        }
    }

    /// Up to a tenth of a second of voice.
    fn voice_frame(&self, queues: &mut Queues) -> Option<String> {
        if queues.voice.is_empty() {
            return None;
        }
        let length = queues.voice.len().min((self.rate / 10) as usize);
        let pcm: Vec<i16> = queues.voice.drain(..length).collect();
        let event = ClientEvent::Append { audio: audio::encode(&pcm) };
        Some(event.to_json(None, &self.dialect))
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &Outbox) -> Vec<serde_json::Value> {
        let mut frames = Vec::new();
        let mut queues = outbox.lock();
        loop {
            let next = queues.control.pop_front();
            let next = if next.is_none() && queues.open { outbox.voice_frame(&mut queues) } else { next };
            let Some(frame) = next else { return frames };
            frames.push(serde_json::from_str(&frame).unwrap());
        }
    }

    fn samples(frames: &[serde_json::Value]) -> usize {
        let audio = frames.iter().filter_map(|frame| frame["audio"].as_str());
        audio.map(|audio| audio::Decoder::default().decode(audio).unwrap().len()).sum()
    }

    #[test]
    fn voice_forgets_its_oldest_and_control_nothing() {
        let outbox = Outbox::new(24_000, Dialect::ga());
        outbox.set_open(true, true);
        for _ in 0..3000 {
            assert!(outbox.push(&ClientEvent::ResponseCancel { response_id: None }, "e"));
            outbox.push_voice(&[1; 480]);
        }
        let frames = drain(&outbox);
        assert_eq!(samples(&frames), 24_000);
        assert_eq!(frames.iter().filter(|frame| frame["type"] == "response.cancel").count(), 3000);
        assert_eq!(outbox.dropped(), 3000 * 480 - 24_000);
    }

    #[test]
    fn pictures_that_nobody_takes_do_not_fill_the_memory() {
        let outbox = Outbox::new(24_000, Dialect::ga());
        let picture = |megabytes: usize| ClientEvent::ItemDelete { item_id: "x".repeat(megabytes << 20) };
        assert!((0..9).all(|_| outbox.push(&picture(20), "e")));
        assert!(!outbox.push(&picture(20), "e"));
    }

    #[test]
    fn a_commit_comes_after_the_voice_it_commits() {
        let outbox = Outbox::new(24_000, Dialect::ga());
        outbox.set_open(true, true);
        outbox.push_voice(&[1; 5_000]);
        outbox.push(&ClientEvent::Commit, "e");
        outbox.push_voice(&[1; 100]);
        let kinds: Vec<_> =
            drain(&outbox).iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect();
        let append = "input_audio_buffer.append";
        assert_eq!(kinds, [append, append, append, "input_audio_buffer.commit", append]);
        assert_eq!(outbox.uncommitted(), 100);
    }

    #[test]
    fn what_an_old_connection_took_does_not_count_on_the_new_one() {
        let outbox = Outbox::new(24_000, Dialect::ga());
        outbox.set_open(true, true);
        outbox.push_voice(&[1; 5_000]);
        drain(&outbox);
        outbox.restart();
        outbox.push_voice(&[1; 100]);
        assert_eq!(outbox.uncommitted(), 100);
    }

    #[test]
    fn before_a_connection_two_seconds_of_voice_are_kept() {
        let outbox = Outbox::new(24_000, Dialect::ga());
        outbox.push_voice(&[1; 100_000]);
        assert!(drain(&outbox).is_empty());
        outbox.set_open(true, true);
        assert_eq!(samples(&drain(&outbox)), 48_000);
        outbox.push_voice(&[1; 10]);
        outbox.set_open(true, false);
        assert_eq!(outbox.uncommitted(), 0);
    }
}

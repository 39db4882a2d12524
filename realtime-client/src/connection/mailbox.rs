//! What the host has not read yet. Bounded: sound in minutes, everything else in number.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::protocol::Part;
use crate::session::{Event, State};

/// Events that may wait, without sound.
const MOST_EVENTS: usize = 65_536;
/// And their texts, in bytes: a frame may hold 64 MiB of them.
const MOST_BYTES: usize = 128 << 20;
/// Who waits for longer looks again in between.
const LONGEST_LOOK: Duration = Duration::from_secs(3600);

#[derive(Default)]
pub(super) struct Mailbox {
    queue: Mutex<Queue>,
    news: Notify,
    waiting: Condvar,
    told: OnceLock<Told>,
}

/// Whom the host has named to be told of news.
type Told = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    samples: u64,
    bytes: usize,
    closed: bool,
}

/// Why an event could not be kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Full {
    Sound,
    Events,
}

impl Mailbox {
    /// Adds an event. What an interruption cuts leaves, and the interruption goes to the front.
    pub(super) fn push(&self, event: Event, most_samples: u64) -> Result<(), Full> {
        let mut queue = self.lock();
        match &event {
            Event::Interrupted { utterance } => queue.cut(*utterance),
            Event::Audio { pcm, .. } => {
                if queue.samples + pcm.len() as u64 > most_samples {
                    return Err(Full::Sound);
                }
                queue.samples += pcm.len() as u64;
            }
            // The last word always fits.
            Event::State(State::Closed(_)) => {}
            _ if queue.events.len() >= MOST_EVENTS || queue.bytes > MOST_BYTES => return Err(Full::Events),
            _ => {}
        }
        queue.bytes += weight(&event);
        match event {
            Event::Interrupted { .. } => queue.events.push_front(event),
            _ => queue.events.push_back(event),
        }
        drop(queue);
        self.news.notify_one();
        self.waiting.notify_one();
        self.tell();
        Ok(())
    }

    /// No event follows those that wait.
    pub(super) fn end(&self) {
        self.lock().closed = true;
        self.news.notify_one();
        self.waiting.notify_all();
        self.tell();
    }

    /// Sets who is told of news. `false` if somebody was set before.
    pub(super) fn on_news(&self, told: Told) -> bool {
        self.told.set(told).is_ok()
    }

    fn tell(&self) {
        if let Some(told) = self.told.get() {
            told();
        }
    }

    /// The next event; `None` after the last one, once the connection is closed.
    pub(super) async fn next(&self) -> Option<Event> {
        loop {
            let news = self.news.notified();
            {
                let mut queue = self.lock();
                let event = queue.take();
                if event.is_some() || queue.closed {
                    return event;
                }
            }
            news.await;
        }
    }

    /// The same for a thread that may block, for at most this long. `Err`: nothing happened.
    pub(super) fn wait(&self, time: Duration) -> Result<Option<Event>, ()> {
        // `None`: for ever.
        let end = Instant::now().checked_add(time);
        let mut queue = self.lock();
        loop {
            if let Some(event) = queue.take() {
                return Ok(Some(event));
            }
            if queue.closed {
                return Ok(None);
            }
            let left = end.map_or(LONGEST_LOOK, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(());
            }
            let left = left.min(LONGEST_LOOK);
            queue = self.waiting.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn take(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= weight(&event);
        if let Event::Audio { pcm, .. } = &event {
            self.samples -= pcm.len() as u64;
        }
        Some(event)
    }

    fn cut(&mut self, cut: u64) {
        let samples = &mut self.samples;
        self.events.retain(|event| match event {
            Event::Audio { utterance, pcm } if *utterance == cut => {
                *samples -= pcm.len() as u64;
                false
            }
            Event::Began { utterance } | Event::Ended { utterance } => *utterance != cut,
            _ => true,
        });
    }
}

/// Bytes of the texts that a server may make as long as it likes.
fn weight(event: &Event) -> usize {
    match event {
        Event::UserText { item_id, delta }
        | Event::Transcript { item_id, delta }
        | Event::Text { item_id, delta } => item_id.len() + delta.len(),
        Event::UserSaid { item_id, text }
        | Event::Said { item_id, text }
        | Event::Wrote { item_id, text } => item_id.len() + text.len(),
        Event::UserSegment(segment) => segment.item_id.len() + segment.text.len(),
        Event::ToolCall { call_id, name, arguments } => call_id.len() + name.len() + arguments.len(),
        Event::ApprovalRequested { request_id, server_label, name, arguments } => {
            request_id.len() + server_label.len() + name.len() + arguments.len()
        }
        Event::Aside { text, .. } => text.len(),
        Event::Retrieved { item } => {
            let part = |part: &Part| {
                part.audio.as_ref().map_or(0, String::len) + part.text.as_ref().map_or(0, String::len)
            };
            item.content.iter().map(part).sum()
        }
        Event::Unknown { kind } => kind.len(),
        Event::Malformed { kind, reason } => kind.len() + reason.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_beyond_the_bound_are_refused_until_some_are_read() {
        let mailbox = Mailbox::default();
        let long = || Event::Said { item_id: "a".to_owned(), text: "x".repeat(60 << 20) };
        for _ in 0..3 {
            mailbox.push(long(), 0).unwrap();
        }
        assert_eq!(mailbox.push(Event::Updated, 0), Err(Full::Events));
        mailbox.push(Event::State(State::Closed(None)), 0).unwrap();
        assert!(mailbox.wait(Duration::ZERO).is_ok());
        mailbox.push(Event::Updated, 0).unwrap();
        while mailbox.wait(Duration::ZERO).is_ok() {}
        assert_eq!(mailbox.lock().bytes, 0);
    }

    fn audio(utterance: u64, samples: usize) -> Event {
        Event::Audio { utterance, pcm: vec![0; samples] }
    }

    #[test]
    fn an_interruption_overtakes_and_removes_what_it_cuts() {
        let mailbox = Mailbox::default();
        for event in [audio(1, 10), Event::Updated, Event::Ended { utterance: 1 }, audio(2, 5)] {
            mailbox.push(event, 100).unwrap();
        }
        mailbox.push(Event::Interrupted { utterance: 1 }, 100).unwrap();
        let events: Vec<Event> = std::iter::from_fn(|| mailbox.lock().take()).collect();
        assert_eq!(events, [Event::Interrupted { utterance: 1 }, Event::Updated, audio(2, 5)]);
        assert_eq!(mailbox.lock().samples, 0);
    }

    #[test]
    fn every_event_and_the_end_are_told_of() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
        let (mailbox, told) = (Mailbox::default(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&told);
        assert!(mailbox.on_news(Box::new(move || {
            let _before = counted.fetch_add(1, SeqCst);
        })));
        assert!(!mailbox.on_news(Box::new(|| ())));
        mailbox.push(Event::Updated, 0).unwrap();
        mailbox.push(audio(1, 1), 0).unwrap_err();
        assert_eq!(told.load(SeqCst), 1, "what was not taken is no news");
        mailbox.end();
        assert_eq!(told.load(SeqCst), 2);
    }

    #[test]
    fn sound_beyond_the_bound_is_refused() {
        let mailbox = Mailbox::default();
        mailbox.push(audio(1, 60), 100).unwrap();
        assert_eq!(mailbox.push(audio(1, 60), 100), Err(Full::Sound));
        mailbox.push(audio(1, 40), 100).unwrap();
        assert_eq!(mailbox.wait(Duration::ZERO).unwrap().unwrap(), audio(1, 60));
        mailbox.push(audio(1, 60), 100).unwrap();
    }

    #[test]
    fn a_closed_session_ends_after_its_last_event() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.wait(Duration::ZERO), Err(()));
        mailbox.push(Event::State(State::Closed(None)), 0).unwrap();
        assert!(mailbox.wait(Duration::ZERO).unwrap().is_some());
        assert_eq!(mailbox.wait(Duration::ZERO), Err(()), "its connection is still open");
        mailbox.end();
        assert_eq!(mailbox.wait(Duration::ZERO), Ok(None));
    }
}

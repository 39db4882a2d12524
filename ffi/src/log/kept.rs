//! Lines that wait until the host reads them: for runtimes into which no thread of this library may call.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many lines wait at most; then the oldest goes.
const MOST: usize = 1024;

/// One line, cut to what a host takes.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) level: u32,
    pub(super) target: String,
    pub(super) message: String,
}

/// What a read finds.
#[derive(Debug)]
pub(super) enum Read {
    /// A line, and how many before it were dropped.
    Line(Line, u32),
    Nothing,
    Over,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    lost: u32,
    over: bool,
}

impl Kept {
    /// One that goes on with what nobody has read from another, which is over.
    pub(super) fn after(other: &Self) -> Self {
        let mut theirs = other.lock();
        let state = State { lines: std::mem::take(&mut theirs.lines), lost: theirs.lost, over: false };
        drop(theirs);
        other.end();
        Self { state: Mutex::new(state), news: Condvar::new() }
    }

    pub(super) fn add(&self, line: Line) {
        let mut state = self.lock();
        if state.over {
            return;
        }
        if state.lines.len() == MOST {
            state.lines.pop_front();
            state.lost = state.lost.saturating_add(1);
        }
        state.lines.push_back(line);
        drop(state);
        self.news.notify_one();
    }

    /// The oldest line; waits for one at most this long, `None` without limit.
    pub(super) fn read(&self, timeout: Option<Duration>) -> Read {
        // A moment too far away to be told is as good as none.
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if state.over {
                return Read::Over;
            }
            if let Some(line) = state.lines.pop_front() {
                return Read::Line(line, std::mem::take(&mut state.lost));
            }
            state = match until {
                None => self.news.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Read::Nothing;
                    }
                    self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Wakes whoever waits; nothing is read or kept any more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.over = true;
        state.lines.clear();
        drop(state);
        self.news.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> Line {
        Line { level: 3, target: "musetalk".to_owned(), message: number.to_string() }
    }

    fn next(kept: &Kept) -> Option<(String, u32)> {
        match kept.read(Some(Duration::ZERO)) {
            Read::Line(line, lost) => Some((line.message, lost)),
            Read::Nothing | Read::Over => None,
        }
    }

    #[test]
    fn lines_come_in_order_and_what_was_dropped_is_counted() {
        let kept = Kept::default();
        assert_eq!(next(&kept), None);
        (0..MOST + 3).for_each(|number| kept.add(line(number)));
        assert_eq!(next(&kept), Some(("3".to_owned(), 3)));
        assert_eq!(next(&kept), Some(("4".to_owned(), 0)));
        let later = Kept::after(&kept);
        assert_eq!(next(&later), Some(("5".to_owned(), 0)), "what nobody has read goes along");
        assert!(matches!(kept.read(None), Read::Over));
        kept.add(line(0));
        assert!(matches!(kept.read(None), Read::Over));
    }

    #[test]
    fn who_waits_is_woken_by_a_line_and_by_the_end() {
        let kept = Kept::default();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (kept.read(None), kept.read(None)));
            kept.add(line(7));
            std::thread::sleep(Duration::from_millis(20));
            kept.end();
            let (first, second) = reader.join().unwrap();
            assert!(matches!(first, Read::Line(..)) && matches!(second, Read::Over));
        });
    }
}

//! Finds turns by loudness.

use std::collections::VecDeque;

/// 20 ms at 24 kHz.
const FRAME: usize = 480;
/// Mean magnitude above which a frame is speech.
const LOUD: u64 = 500;
/// Frames of speech that begin a turn.
const BEGINS: u32 = 3;
/// Sound counted before the beginning.
const PADDING_MS: u64 = 300;

/// An edge of speech, in milliseconds of all sound so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Edge {
    Began(u64),
    Ended(u64),
}

#[derive(Debug, Default)]
pub(super) struct Ear {
    waiting: VecDeque<i16>,
    frames: u64,
    loud: u32,
    quiet: u32,
    speaking: bool,
}

impl Ear {
    /// The edges in what follows; a turn ends after `silence_ms` of quiet.
    pub(super) fn hear(&mut self, pcm: &[i16], silence_ms: u64) -> Vec<Edge> {
        self.waiting.extend(pcm);
        let mut edges = Vec::new();
        while self.waiting.len() >= FRAME {
            let level: u64 = self.waiting.drain(..FRAME).map(|sample| u64::from(sample.unsigned_abs())).sum();
            self.frames += 1;
            let loud = level / FRAME as u64 > LOUD;
            self.loud = if loud { self.loud + 1 } else { 0 };
            self.quiet = if loud { 0 } else { self.quiet + 1 };
            let now = self.frames * 20;
            if !self.speaking && self.loud >= BEGINS {
                self.speaking = true;
                edges.push(Edge::Began(now.saturating_sub(PADDING_MS)));
            } else if self.speaking && u64::from(self.quiet) * 20 >= silence_ms {
                self.speaking = false;
                edges.push(Edge::Ended(now));
            }
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_begins_with_loudness_and_ends_with_quiet() {
        let mut ear = Ear::default();
        let (loud, quiet) = (vec![3000; 12_000], vec![0; 24_000]);
        assert!(ear.hear(&quiet, 200).is_empty());
        assert_eq!(ear.hear(&loud, 200), [Edge::Began(760)]);
        assert_eq!(ear.hear(&quiet, 200), [Edge::Ended(1700)]);
    }
}

//! PURE. Where the base cycle stands, how much of the speaking mouth is left, and whether the sound moves.
//!
//! Time comes in as a number; a live reader takes it from a clock, a paced one from counting its calls.

use std::time::Duration;

use crate::asset::cycle;
use crate::time::Heard;

/// A sound position that stands still this long is a pause.
const PAUSE: Duration = Duration::from_millis(120);

/// A mouth closes in four steps.
pub(crate) const CLOSING: u8 = 64;

/// A mouth that appears amid an utterance opens in two.
const OPENING: u8 = 128;

/// What a reader shows, and shows next.
#[derive(Debug)]
pub(crate) struct Playhead {
    period: Duration,
    frames: u32,
    position: u32,
    /// When the picture on screen was due; `None` before the first.
    shown: Option<Duration>,
    /// How much of the patch on screen is shown, 255 all.
    level: u8,
    heard: Option<Heard>,
    moved: Duration,
}

impl Playhead {
    pub(crate) fn new(period: Duration, frames: u32) -> Self {
        Self { period, frames, position: 0, shown: None, level: 0, heard: None, moved: Duration::ZERO }
    }

    pub(crate) fn position(&self) -> u32 {
        self.position
    }

    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    pub(crate) fn has_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// The sound position, unless it has stood still for so long that the listener hears silence.
    pub(crate) fn sounding(&mut self, now: Duration, heard: Option<Heard>) -> Option<Heard> {
        if heard != self.heard {
            self.heard = heard;
            self.moved = now;
        }
        heard.filter(|_| now.saturating_sub(self.moved) < PAUSE)
    }

    /// Shows a speech frame that stands at `position`. One at the start of its utterance brings its own presence; one
    /// that appears later, after idle frames, opens over two.
    pub(crate) fn speak(&mut self, now: Duration, position: u32, starts: bool) -> u8 {
        self.level = if starts { u8::MAX } else { self.level.saturating_add(OPENING) };
        self.position = position;
        self.shown = Some(now);
        self.level
    }

    /// Shows the next idle picture if it is due: the base cycle goes on by as many single steps as periods have passed,
    /// to `target` and no further if there is one, and the mouth closes a step.
    ///
    /// `false` when nothing changes on screen.
    pub(crate) fn idle(&mut self, now: Duration, target: Option<u32>) -> bool {
        let Some(shown) = self.shown else {
            self.position = target.unwrap_or(self.position);
            self.shown = Some(now);
            return true;
        };
        let steps = now.saturating_sub(shown).as_nanos() / self.period.as_nanos().max(1);
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        if steps == 0 {
            return false;
        }
        // Whole periods only: what is left counts towards the next step, so that idle does not drift.
        self.shown = Some(shown + self.period.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)));
        let (position, level) = (self.position, self.level);
        self.position = match target {
            Some(target) => cycle::walk(position, target, steps, self.frames),
            None => cycle::advance(position, steps, self.frames),
        };
        self.level = level.saturating_sub(CLOSING.saturating_mul(u8::try_from(steps).unwrap_or(u8::MAX)));
        self.position != position || self.level != level
    }

    /// Single steps from the picture on screen to `position`.
    pub(crate) fn distance(&self, position: u32) -> u32 {
        if self.has_shown() { cycle::distance(self.position, position, self.frames) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UtteranceId;

    const PERIOD: Duration = Duration::from_millis(40);

    fn playhead() -> Playhead {
        Playhead::new(PERIOD, 10)
    }

    #[test]
    fn idle_plays_one_step_a_period_however_often_it_is_asked() {
        let mut playhead = playhead();
        let mut positions = Vec::new();
        for tick in 0..30 {
            if playhead.idle(Duration::from_millis(tick * 16), None) {
                positions.push(playhead.position());
            }
        }
        assert_eq!(positions, (0..=11).collect::<Vec<_>>());
    }

    #[test]
    fn a_mouth_closes_within_four_frames_and_the_cycle_goes_on() {
        let mut playhead = playhead();
        assert_eq!(playhead.speak(Duration::ZERO, 5, true), 255);
        let mut shown = Vec::new();
        for frame in 1..=5 {
            playhead.idle(PERIOD * frame, None);
            shown.push((playhead.position(), playhead.level()));
        }
        assert_eq!(shown, [(6, 191), (7, 127), (8, 63), (9, 0), (10, 0)]);
    }

    #[test]
    fn idle_walks_to_the_place_where_speech_will_start_and_waits() {
        let mut playhead = playhead();
        playhead.speak(Duration::ZERO, 3, true);
        let walked: Vec<u32> = (1..=4)
            .map(|frame| {
                playhead.idle(PERIOD * frame, Some(5));
                playhead.position()
            })
            .collect();
        assert_eq!(walked, [4, 5, 5, 5]);
    }

    #[test]
    fn a_sound_that_stands_still_is_a_pause_until_it_moves() {
        let mut playhead = playhead();
        let heard = |samples| Some(Heard { utterance: UtteranceId::new(1).unwrap(), samples });
        assert_eq!(playhead.sounding(Duration::ZERO, heard(10)), heard(10));
        assert_eq!(playhead.sounding(Duration::from_millis(119), heard(10)), heard(10));
        assert_eq!(playhead.sounding(Duration::from_millis(120), heard(10)), None);
        assert_eq!(playhead.sounding(Duration::from_millis(130), heard(11)), heard(11));
        assert_eq!(playhead.sounding(Duration::from_millis(131), None), None);
    }

    #[test]
    fn a_mouth_that_reappears_opens_over_two_frames() {
        let mut playhead = playhead();
        assert_eq!(playhead.speak(PERIOD, 5, false), 128);
        assert_eq!(playhead.speak(PERIOD * 2, 6, false), 255);
    }
}

//! PURE. Where the base cycle stands, how much of the speaking mouth is left, and whether the sound moves.
//!
//! Time comes in as a number; a live reader takes it from a clock, a paced one from counting its calls.

use std::time::Duration;

use crate::asset::cycle::Cycle;
use crate::time::Heard;

/// A sound position that stands still this long is a pause.
const PAUSE: Duration = Duration::from_millis(120);

/// A mouth closes in four steps.
pub(crate) const CLOSING: u8 = 64;

/// A mouth that appears amid an utterance opens in two.
const OPENING: u8 = 128;

/// Pictures over which one clip gives way to another.
pub(crate) const FADE: u8 = 6;

/// A clip that is asked for is shown after this many steps, if its turn does not come earlier: two seconds at 25 a second.
const LONGEST_WAIT: u64 = 50;

/// What a reader shows, and shows next.
#[derive(Debug)]
pub(crate) struct Playhead {
    period: Duration,
    /// The cycle of the clip on screen.
    cycle: Cycle,
    position: u32,
    /// When the picture on screen was due; `None` before the first.
    shown: Option<Duration>,
    /// How much of the patch on screen is shown, 255 all.
    level: u8,
    /// Steps since another clip was asked for.
    waited: u64,
    /// Pictures until the clip before has given way.
    fading: u8,
    heard: Option<Heard>,
    moved: Duration,
}

impl Playhead {
    /// Stands at the start of the clip with this cycle.
    pub(crate) fn new(period: Duration, cycle: Cycle) -> Self {
        Self {
            period,
            cycle,
            position: cycle.start(),
            shown: None,
            level: 0,
            waited: 0,
            fading: 0,
            heard: None,
            moved: Duration::ZERO,
        }
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

    /// Shows a speech frame that stands at `place`. One at the start of its utterance brings its own presence; one
    /// that appears later, after idle frames, opens over two.
    pub(crate) fn speak(&mut self, now: Duration, place: Place, starts: bool) -> u8 {
        self.level = if starts { u8::MAX } else { self.level.saturating_add(OPENING) };
        self.enter(place.cycle, place.position);
        self.shown = Some(now);
        self.level
    }

    /// Shows the next idle picture if it is due: the base cycle goes on by as many single steps as periods have passed,
    /// to `target` and no further if there is one, and the mouth closes a step. Without one, the clip `wanted` is entered where
    /// the cycle of the one on screen passes its start or its turning point, or after [`LONGEST_WAIT`] steps.
    ///
    /// `false` when nothing changes on screen.
    pub(crate) fn idle(&mut self, now: Duration, target: Option<Place>, wanted: Cycle) -> bool {
        let Some(shown) = self.shown else {
            let place = target.unwrap_or(Place { position: wanted.start(), cycle: wanted });
            (self.cycle, self.position) = (place.cycle, place.position);
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
        match target {
            Some(place) if place.cycle == self.cycle => {
                self.position = self.cycle.walk(position, place.position, steps);
            }
            Some(place) => self.enter(place.cycle, place.position),
            None => self.stroll(steps, wanted),
        }
        self.level = level.saturating_sub(CLOSING.saturating_mul(u8::try_from(steps).unwrap_or(u8::MAX)));
        self.position != position || self.level != level || self.fading > 0
    }

    /// How much of the clip before still shows in the picture that is drawn now, of 255; 0 where no clip gives way.
    pub(crate) fn fade(&mut self) -> u8 {
        let left = self.fading;
        self.fading = left.saturating_sub(1);
        (u16::from(left) * 255 / (u16::from(FADE) + 1)) as u8
    }

    /// Single steps from the picture on screen to `place`; no number of them leads to another clip.
    pub(crate) fn distance(&self, place: Place) -> u32 {
        match (self.has_shown(), self.cycle == place.cycle) {
            (false, _) => 0,
            (true, true) => self.cycle.distance(self.position, place.position),
            (true, false) => u32::MAX,
        }
    }

    /// `steps` forward, and over into the clip that is wanted where its turn comes.
    fn stroll(&mut self, steps: u64, wanted: Cycle) {
        if wanted == self.cycle {
            self.waited = 0;
            self.position = self.cycle.advance(self.position, steps);
            return;
        }
        let until =
            u64::from(self.cycle.before_turn(self.position)).min(LONGEST_WAIT.saturating_sub(self.waited));
        if steps <= until {
            self.waited += steps;
            self.position = self.cycle.advance(self.position, steps);
        } else {
            self.enter(wanted, wanted.advance(wanted.start(), steps - until - 1));
        }
    }

    fn enter(&mut self, cycle: Cycle, position: u32) {
        if cycle != self.cycle && self.has_shown() {
            self.fading = FADE;
        }
        if cycle != self.cycle {
            self.waited = 0;
        }
        self.cycle = cycle;
        self.position = position;
    }
}

/// A position, and the cycle of the clip that it belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) position: u32,
    pub(crate) cycle: Cycle,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UtteranceId;

    const PERIOD: Duration = Duration::from_millis(40);

    fn playhead() -> Playhead {
        Playhead::new(PERIOD, CLIP)
    }

    const CLIP: Cycle = Cycle::new(0, 10);
    const OTHER: Cycle = Cycle::new(10, 4);

    fn place(position: u32) -> Place {
        Place { position, cycle: if CLIP.contains(position) { CLIP } else { OTHER } }
    }

    #[test]
    fn idle_plays_one_step_a_period_however_often_it_is_asked() {
        let mut playhead = playhead();
        let mut positions = Vec::new();
        for tick in 0..30 {
            if playhead.idle(Duration::from_millis(tick * 16), None, CLIP) {
                positions.push(playhead.position());
            }
        }
        assert_eq!(positions, (0..=11).collect::<Vec<_>>());
    }

    #[test]
    fn a_mouth_closes_within_four_frames_and_the_cycle_goes_on() {
        let mut playhead = playhead();
        assert_eq!(playhead.speak(Duration::ZERO, place(5), true), 255);
        let mut shown = Vec::new();
        for frame in 1..=5 {
            playhead.idle(PERIOD * frame, None, CLIP);
            shown.push((playhead.position(), playhead.level()));
        }
        assert_eq!(shown, [(6, 191), (7, 127), (8, 63), (9, 0), (10, 0)]);
    }

    #[test]
    fn idle_walks_to_the_place_where_speech_will_start_and_waits() {
        let mut playhead = playhead();
        playhead.speak(Duration::ZERO, place(3), true);
        let walked: Vec<u32> = (1..=4)
            .map(|frame| {
                playhead.idle(PERIOD * frame, Some(place(5)), CLIP);
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
        assert_eq!(playhead.speak(PERIOD, place(5), false), 128);
        assert_eq!(playhead.speak(PERIOD * 2, place(6), false), 255);
    }

    /// Positions and what is left of the clip before, picture by picture, from `first` on.
    fn idle(
        playhead: &mut Playhead,
        first: u32,
        count: u32,
        target: Option<Place>,
        wanted: Cycle,
    ) -> Vec<(u32, u8)> {
        let mut show = |frame| {
            playhead.idle(PERIOD * frame, target, wanted);
            (playhead.position(), playhead.fade())
        };
        (first..first + count).map(&mut show).collect()
    }

    #[test]
    fn a_clip_is_entered_where_the_cycle_turns_and_the_one_before_fades() {
        let mut playhead = playhead();
        idle(&mut playhead, 0, 8, None, CLIP);
        let shown = idle(&mut playhead, 8, 10, None, OTHER);
        let positions: Vec<u32> = shown.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [8, 9, 20, 21, 22, 23, 24, 25, 26, 27]);
        let fades: Vec<u8> = shown.iter().map(|(_, fade)| *fade).collect();
        assert_eq!(fades, [0, 0, 218, 182, 145, 109, 72, 36, 0, 0]);
        // And back, where its cycle starts over.
        let shown = idle(&mut playhead, 18, 5, None, CLIP);
        assert_eq!(shown[0].0, 0);
        assert_eq!(shown[4].0, 4);
    }

    #[test]
    fn nobody_waits_longer_than_two_seconds_for_a_clip() {
        let long = Cycle::new(0, 1_000);
        let other = Cycle::new(1_000, 10);
        let mut playhead = Playhead::new(PERIOD, long);
        idle(&mut playhead, 0, 101, None, long);
        assert_eq!(playhead.position(), 100);
        let shown = idle(&mut playhead, 101, 52, None, other);
        assert_eq!((shown[49].0, shown[50].0, shown[51].0), (150, 2_000, 2_001));
    }

    #[test]
    fn speech_that_was_planned_in_another_clip_is_awaited_there() {
        let mut playhead = playhead();
        idle(&mut playhead, 0, 3, None, CLIP);
        assert_eq!(playhead.distance(place(22)), u32::MAX);
        let shown = idle(&mut playhead, 3, 2, Some(place(22)), CLIP);
        assert_eq!(shown, [(22, 218), (22, 182)]);
        assert_eq!(playhead.distance(place(22)), 0);
    }
}

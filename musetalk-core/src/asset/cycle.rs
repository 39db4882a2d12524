//! A clip of N frames is played forth and back: a cycle of 2·N positions in which both end frames stand twice, as in the
//! reference (spec §5.6). The cycles of an avatar's clips stand one after another, so that one number names clip and place.

/// The cycle of one clip: positions `2·first .. 2·(first + frames)`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cycle {
    first: u32,
    frames: u32,
}

impl Cycle {
    /// The cycle of `frames` frames, at least one, of which the first is number `first` of the avatar.
    pub(crate) const fn new(first: u32, frames: u32) -> Self {
        Self { first, frames: if frames == 0 { 1 } else { frames } }
    }

    /// Its first position.
    pub(crate) fn start(self) -> u32 {
        2 * self.first
    }

    /// Positions in it.
    pub(crate) fn length(self) -> u32 {
        2 * self.frames
    }

    pub(crate) fn contains(self, position: u32) -> bool {
        (self.start()..self.start() + self.length()).contains(&position)
    }

    /// Single steps forward that can be made before the footage turns.
    pub(crate) fn before_turn(self, position: u32) -> u32 {
        self.frames - 1 - self.place(position) % self.frames
    }

    /// The frame of the avatar at a position.
    pub(crate) fn frame_at(self, position: u32) -> u32 {
        let place = self.place(position);
        self.first + if place < self.frames { place } else { self.length() - 1 - place }
    }

    /// The position `steps` after `position`.
    pub(crate) fn advance(self, position: u32, steps: u64) -> u32 {
        let cycle = u64::from(self.length());
        // Both terms are below the cycle's length, which is a u32.
        self.start() + ((u64::from(self.place(position)) + steps % cycle) % cycle) as u32
    }

    /// The position `steps` before `position`.
    pub(crate) fn retreat(self, position: u32, steps: u64) -> u32 {
        let cycle = u64::from(self.length());
        self.advance(position, cycle - steps % cycle)
    }

    /// At most `steps` single steps from `position` towards `target`, the shorter way round.
    pub(crate) fn walk(self, position: u32, target: u32, steps: u64) -> u32 {
        let cycle = self.length();
        let ahead = (self.place(target) + cycle - self.place(position)) % cycle;
        let behind = cycle - ahead;
        if ahead == 0 {
            position
        } else if ahead <= behind {
            self.advance(position, steps.min(u64::from(ahead)))
        } else {
            self.retreat(position, steps.min(u64::from(behind)))
        }
    }

    /// Single steps between two positions, the shorter way round.
    pub(crate) fn distance(self, a: u32, b: u32) -> u32 {
        let cycle = self.length();
        let ahead = (self.place(b) + cycle - self.place(a)) % cycle;
        ahead.min(cycle - ahead)
    }

    fn place(self, position: u32) -> u32 {
        position.wrapping_sub(self.start()) % self.length()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footage_is_played_forth_and_back() {
        let played: Vec<u32> = (0..6).map(|position| Cycle::new(0, 3).frame_at(position)).collect();
        assert_eq!(played, [0, 1, 2, 2, 1, 0]);
        let second = Cycle::new(3, 2);
        let played: Vec<u32> = (6..10).map(|position| second.frame_at(position)).collect();
        assert_eq!(played, [3, 4, 4, 3]);
        assert!(!second.contains(5) && second.contains(6) && second.contains(9) && !second.contains(10));
    }

    #[test]
    fn a_clip_is_never_left_by_steps() {
        let clip = Cycle::new(7, 4);
        for position in 14..22 {
            for steps in 0..40 {
                assert!(clip.contains(clip.advance(position, steps)));
                assert_eq!(clip.retreat(clip.advance(position, steps), steps), position);
            }
        }
    }

    #[test]
    fn walking_takes_the_shorter_way_and_stops_at_the_target() {
        let cycle = Cycle::new(0, 10);
        assert_eq!(cycle.walk(0, 5, 2), 2);
        assert_eq!(cycle.walk(0, 19, 3), 19);
        assert_eq!(cycle.walk(2, 18, 3), 19);
        assert_eq!(cycle.walk(7, 7, 3), 7);
        for cycle in [cycle, Cycle::new(5, 10)] {
            for position in cycle.start()..cycle.start() + 20 {
                for target in cycle.start()..cycle.start() + 20 {
                    let next = cycle.walk(position, target, 1);
                    assert!(cycle.distance(position, next) <= 1);
                    assert!(cycle.distance(next, target) <= cycle.distance(position, target));
                }
            }
        }
    }
}

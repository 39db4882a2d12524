//! Footage of N frames is played forth and back: a cycle of 2·N positions in which both end frames stand twice,
//! as in the reference (spec §5.6).

/// The length of the cycle of `frames` frames.
pub(crate) fn length(frames: u32) -> u32 {
    frames * 2
}

/// The frame at a position of the cycle.
pub(crate) fn frame_at(position: u32, frames: u32) -> u32 {
    let position = position % length(frames);
    if position < frames { position } else { length(frames) - 1 - position }
}

/// The position `steps` after `position`.
pub(crate) fn advance(position: u32, steps: u64, frames: u32) -> u32 {
    let cycle = u64::from(length(frames));
    // Both terms are below the cycle's length, which is a u32.
    ((u64::from(position) + steps % cycle) % cycle) as u32
}

/// The position `steps` before `position`.
pub(crate) fn retreat(position: u32, steps: u64, frames: u32) -> u32 {
    let cycle = u64::from(length(frames));
    advance(position, cycle - steps % cycle, frames)
}

/// At most `steps` single steps from `position` towards `target`, the shorter way round.
pub(crate) fn walk(position: u32, target: u32, steps: u64, frames: u32) -> u32 {
    let cycle = length(frames);
    let ahead = (target + cycle - position) % cycle;
    let behind = cycle - ahead;
    if ahead == 0 {
        position
    } else if ahead <= behind {
        advance(position, steps.min(u64::from(ahead)), frames)
    } else {
        let steps = steps.min(u64::from(behind));
        advance(position, u64::from(cycle) - steps, frames)
    }
}

/// Single steps between two positions, the shorter way round.
pub(crate) fn distance(a: u32, b: u32, frames: u32) -> u32 {
    let cycle = length(frames);
    let ahead = (b + cycle - a) % cycle;
    ahead.min(cycle - ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footage_is_played_forth_and_back() {
        let played: Vec<u32> = (0..7).map(|position| frame_at(position, 3)).collect();
        assert_eq!(played, [0, 1, 2, 2, 1, 0, 0]);
    }

    #[test]
    fn walking_takes_the_shorter_way_and_stops_at_the_target() {
        assert_eq!(walk(0, 5, 2, 10), 2);
        assert_eq!(walk(0, 19, 3, 10), 19);
        assert_eq!(walk(2, 18, 3, 10), 19);
        assert_eq!(walk(7, 7, 3, 10), 7);
        for position in 0..20 {
            for target in 0..20 {
                let next = walk(position, target, 1, 10);
                assert!(distance(position, next, 10) <= 1);
                assert!(distance(next, target, 10) <= distance(position, target, 10));
            }
        }
    }
}

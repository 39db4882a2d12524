//! Whether the mouth of the footage is closed enough for an avatar that listens.

use super::verdict::median;

/// What an avatar shows while it is silent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Idle {
    /// The footage where its mouth rests; closed mouths made by the pack where the person spoke while being filmed.
    #[default]
    Auto,
    /// Closed mouths made by the pack, whatever the footage shows.
    Closed,
    /// The footage, whatever it shows.
    Footage,
}

/// Lips that read further apart than this part of the distance between the eyes are open. Landmark networks see small openings smaller than
/// they are: a drawn face whose lips are 0.03, 0.07, 0.11, 0.14, 0.18 and 0.25 apart read 0.006, 0.005, 0.016, 0.038, 0.063 and 0.18 with
/// the light one. Closed lips of another read 0.003 to 0.010; lips that are parted by 0.02 to 0.05 and still, 0.005 to 0.018; two thirds of
/// the frames of speech more than 0.04.
const OPEN: f32 = 0.04;
/// Beyond what the clip's most closed tenth shows: another network may see more opening in closed lips, by the face.
const OPEN_BEYOND: f32 = 0.03;
/// Footage of which more than this part is open does not look idle.
const TALKATIVE: f32 = 0.06;

/// How the mouth of a stretch moves.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MouthMeasure {
    /// The usual distance of the lips, as a part of the distance between the eyes.
    pub usual: f32,
    /// The largest.
    pub largest: f32,
    /// The part of the frames in which the mouth is open, 0…1.
    pub open: f32,
}

impl MouthMeasure {
    /// From the opening in every frame of a stretch.
    pub(crate) fn of(openings: &[f32]) -> Self {
        let mut sorted = openings.to_vec();
        sorted.sort_by(f32::total_cmp);
        let lowest = sorted.get(sorted.len() / 10).copied().unwrap_or(0.0);
        // A mouth that is open throughout is not taken for a closed one.
        let limit = OPEN.max((lowest + OPEN_BEYOND).min(2.0 * OPEN));
        let open = openings.iter().filter(|opening| **opening > limit).count();
        Self {
            usual: median(openings.iter().copied()),
            largest: sorted.last().copied().unwrap_or(0.0),
            open: open as f32 / openings.len().max(1) as f32,
        }
    }

    /// Whether closed mouths are wanted.
    pub(crate) fn wants_closed(&self, idle: Idle) -> bool {
        match idle {
            Idle::Auto => self.open > TALKATIVE,
            Idle::Closed => true,
            Idle::Footage => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talker_gets_closed_mouths_and_a_listener_keeps_his_own() {
        let swing = |middle: f32, most: f32| -> Vec<f32> {
            (0..100).map(|k| middle + most * (k as f32 * 0.7).sin()).collect()
        };
        let closed = swing(0.012, 0.007);
        let talking = swing(0.08, 0.08);
        // Two words in four seconds of silence.
        let says_little: Vec<f32> =
            closed.iter().enumerate().map(|(k, closed)| if k % 50 < 6 { 0.07 } else { *closed }).collect();
        let gaping = vec![0.4; 100];
        // A network that sees closed lips a little apart.
        let biased: Vec<f32> = closed.iter().map(|opening| opening + 0.04).collect();
        let wants = |openings: &[f32]| MouthMeasure::of(openings).wants_closed(Idle::Auto);
        assert_eq!([wants(&closed), wants(&biased)], [false, false]);
        assert_eq!([wants(&talking), wants(&says_little), wants(&gaping)], [true, true, true]);
        assert!(MouthMeasure::of(&closed).wants_closed(Idle::Closed));
        assert!(!MouthMeasure::of(&talking).wants_closed(Idle::Footage));
    }
}

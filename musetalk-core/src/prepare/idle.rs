//! Whether the mouth of the footage is closed enough for an avatar that listens.

use super::verdict::median;

/// What an avatar shows while it is silent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Idle {
    /// The footage where its mouth is closed; closed mouths made by the pack where the person spoke while being filmed.
    #[default]
    Auto,
    /// Closed mouths made by the pack, whatever the footage shows.
    Closed,
    /// The footage, whatever it shows.
    Footage,
}

/// Lips further apart than this part of the distance between the eyes are open.
const OPEN: f32 = 0.12;
/// Beyond what the clip's most closed tenth shows: landmark networks see some opening in closed lips, by the face.
const OPEN_BEYOND: f32 = 0.06;
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
        let closed: Vec<f32> = (0..100).map(|k| 0.02 + 0.02 * (k as f32 * 0.7).sin()).collect();
        let talking: Vec<f32> = (0..100).map(|k| 0.15 + 0.15 * (k as f32 * 0.7).sin()).collect();
        let gaping = vec![0.4; 100];
        // A network that sees closed lips a little apart.
        let biased: Vec<f32> = closed.iter().map(|opening| opening + 0.1).collect();
        let wants = |openings: &[f32]| MouthMeasure::of(openings).wants_closed(Idle::Auto);
        assert_eq!(
            [wants(&closed), wants(&talking), wants(&gaping), wants(&biased)],
            [false, true, true, false]
        );
        assert!(MouthMeasure::of(&closed).wants_closed(Idle::Closed));
        assert!(!MouthMeasure::of(&talking).wants_closed(Idle::Footage));
    }
}

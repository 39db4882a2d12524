//! Which part of the footage becomes the avatar: short gaps bridged, the longest usable stretch, its ends where the face rests.

use std::ops::Range;

use super::features;
use super::find_face::Observation;
use super::verdict::Verdict;
use crate::networks::Landmarks;

/// A gap of up to a fifth of a second is bridged: the person cannot do much in it.
const LONGEST_GAP: f32 = 0.2;
/// The ends may move inwards by up to this part of the stretch, to where the face rests.
const TRIM: f32 = 0.12;
/// And by so many seconds.
const LONGEST_TRIM: f32 = 1.0;
/// A stretch shorter than this does not move like a person, seconds. Of footage that is hardly longer half is enough.
const SHORTEST: f32 = 0.4;

/// A face slower than this rests, widths per second: looking for an even slower frame would only cost footage.
const RESTING: f32 = 0.08;

/// Where the cycle turns round: how fast the face moves there, in its own widths per second.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Turning {
    /// At the first frame of the stretch.
    pub start: f32,
    /// At its last.
    pub end: f32,
}

impl Turning {
    /// A face that does not move.
    pub(crate) const STILL: Self = Self { start: 0.0, end: 0.0 };

    /// A face that is faster than this when the cycle turns bounces visibly, widths per second.
    pub const NOTICEABLE: f32 = 0.35;

    /// Whether neither turning point shows.
    pub fn smooth(&self) -> bool {
        self.start.max(self.end) <= Self::NOTICEABLE
    }
}

/// Bridges short gaps between good frames of one shot: their verdicts become [`Verdict::Interpolated`].
pub(crate) fn bridge(verdicts: &mut [Verdict], fps: f32) {
    let longest = (LONGEST_GAP * fps).round().max(1.0) as usize;
    let mut good: Option<usize> = None;
    for at in 0..verdicts.len() {
        match verdicts[at] {
            Verdict::Ok => {
                if let Some(before) = good
                    && (2..=longest + 1).contains(&(at - before))
                {
                    verdicts[before + 1..at].fill(Verdict::Interpolated);
                }
                good = Some(at);
            }
            // Nothing leads across a cut.
            Verdict::Cut => good = None,
            _ => {}
        }
    }
}

/// The longest run of usable frames; the first of equals.
pub(crate) fn longest(verdicts: &[Verdict]) -> Range<usize> {
    let (mut best, mut start) = (0..0, 0);
    for (at, verdict) in verdicts.iter().enumerate() {
        if !verdict.usable() {
            start = at + 1;
        } else if at + 1 - start > best.len() {
            best = start..at + 1;
        }
    }
    best
}

/// The verdict without which the longest run would be longest; the most frequent of equals. None where every frame is usable.
pub(crate) fn to_blame(verdicts: &[Verdict]) -> Option<Verdict> {
    let mut failures: Vec<Verdict> = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| !verdict.usable()) {
        if !failures.contains(verdict) {
            failures.push(*verdict);
        }
    }
    let without = |blamed: Verdict| {
        let forgiven: Vec<Verdict> =
            verdicts.iter().map(|&verdict| if verdict == blamed { Verdict::Ok } else { verdict }).collect();
        (longest(&forgiven).len(), verdicts.iter().filter(|verdict| **verdict == blamed).count())
    };
    failures.into_iter().max_by_key(|failure| without(*failure))
}

/// The fewest frames that make an avatar, of footage of `all` frames.
pub(crate) fn least(all: usize, fps: f32) -> usize {
    ((SHORTEST * fps).ceil() as usize).min(all / 2).max(1)
}

/// The landmarks of every frame of a stretch, those of bridged frames between their neighbours'.
pub(crate) fn landmarks(seen: &[Observation], verdicts: &[Verdict]) -> Vec<Landmarks> {
    let known: Vec<Option<&Landmarks>> = seen
        .iter()
        .zip(verdicts)
        .map(|(frame, verdict)| frame.landmarks().filter(|_| *verdict == Verdict::Ok))
        .collect();
    let at = |index: usize| -> Landmarks {
        let before = (0..=index).rev().find_map(|at| known[at].map(|points| (at, points)));
        let after = (index..known.len()).find_map(|at| known[at].map(|points| (at, points)));
        match (before, after) {
            (Some((a, from)), Some((b, to))) if b > a => {
                let part = (index - a) as f32 / (b - a) as f32;
                std::array::from_fn(|k| {
                    [0, 1].map(|axis| from[k][axis] + (to[k][axis] - from[k][axis]) * part)
                })
            }
            (Some((_, points)), _) | (None, Some((_, points))) => *points,
            (None, None) => [[0.0; 2]; 68],
        }
    };
    (0..known.len()).map(at).collect()
}

/// How fast the face is in every frame, in its widths per second.
fn speeds(points: &[Landmarks], fps: f32) -> Vec<f32> {
    let middles: Vec<[f32; 2]> = points.iter().map(|points| features::mean(&points[27..48])).collect();
    let width = points.first().map_or(1.0, |points| features::extent(points)[0]).max(1.0);
    // Over two frames on either side: single landmarks tremble.
    let at = |index: usize| middles[index.min(middles.len() - 1)];
    (0..middles.len())
        .map(|index| {
            let (before, after) = (index.saturating_sub(2), (index + 2).min(middles.len() - 1));
            features::distance(at(before), at(after)) / (after - before).max(1) as f32 * fps / width
        })
        .collect()
}

/// Moves the ends of a stretch inwards to where the face rests, by so much that `least` frames stay, and says how fast it is there.
/// `points` are the stretch's own.
pub(crate) fn rest(points: &[Landmarks], least: usize, fps: f32) -> (Range<usize>, Turning) {
    let all = points.len();
    let speeds = speeds(points, fps);
    let most = ((all as f32 * TRIM) as usize).min((LONGEST_TRIM * fps) as usize);
    let most = most.min(all.saturating_sub(least) / 2);
    let slowest = |range: Range<usize>, prefer_late: bool| {
        let rank = |at: &usize| {
            // What is cut away costs a little, so that a face that rests throughout loses nothing.
            let cut = if prefer_late { all - 1 - at } else { *at };
            speeds[*at].max(RESTING) + 0.02 * cut as f32 / fps.max(1.0)
        };
        range.min_by(|a, b| rank(a).total_cmp(&rank(b))).unwrap_or(0)
    };
    if all < 2 {
        return (0..all, Turning::STILL);
    }
    let first = slowest(0..most + 1, false);
    let last = slowest(all - 1 - most..all, true);
    (first..last + 1, Turning { start: speeds[first], end: speeds[last] })
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::seen;
    use super::*;

    const OK: Verdict = Verdict::Ok;
    const NONE: Verdict = Verdict::NoFace;

    #[test]
    fn short_gaps_are_bridged_and_long_ones_and_cuts_are_not() {
        let mut verdicts =
            vec![NONE, OK, NONE, Verdict::Blurred, OK, NONE, NONE, NONE, NONE, NONE, NONE, OK, OK];
        bridge(&mut verdicts, 25.0);
        assert_eq!(verdicts[2..4], [Verdict::Interpolated; 2]);
        assert_eq!(verdicts[5..11], [NONE; 6]);
        assert_eq!(verdicts[0], NONE);
        let mut cut = vec![OK, NONE, Verdict::Cut, OK];
        bridge(&mut cut, 25.0);
        assert_eq!(cut, [OK, NONE, Verdict::Cut, OK]);
        assert_eq!(longest(&verdicts), 1..5);
        assert_eq!(longest(&[NONE]), 0..0);
    }

    #[test]
    fn bridged_landmarks_lie_between_their_neighbours() {
        let frames = [seen(100.0, 100.0), Observation::default(), Observation::default(), seen(130.0, 106.0)];
        let verdicts = [OK, Verdict::Interpolated, Verdict::Interpolated, OK];
        let points = landmarks(&frames, &verdicts);
        let [x, y] = features::middle(&points[1]);
        let [from_x, from_y] = features::middle(&points[0]);
        assert!((x - from_x - 10.0).abs() < 1e-3 && (y - from_y - 2.0).abs() < 1e-3);
    }

    #[test]
    fn the_cycle_turns_where_the_face_rests() {
        // Swings once to and fro in 100 frames, starting at its fastest.
        let swing = |frame: usize| 300.0 + 40.0 * (frame as f32 / 100.0 * std::f32::consts::TAU).sin();
        let points: Vec<Landmarks> =
            (0..100).map(|frame| *seen(swing(frame), 200.0).landmarks().unwrap()).collect();
        let (range, turning) = rest(&points, 10, 25.0);
        assert!(range.start > 8 && range.end < 92, "{range:?}");
        assert!(turning.start < 0.55 && turning.end < 0.55, "{turning:?}");
        // One that never moves keeps every frame.
        let still = vec![points[0]; 50];
        assert_eq!(rest(&still, 10, 25.0).0, 0..50);
        assert_eq!(rest(&still[..1], 1, 25.0).0, 0..1);
    }

    #[test]
    fn of_short_footage_half_is_enough() {
        assert_eq!([1, 5, 10, 19, 200].map(|all| least(all, 25.0)), [1, 2, 5, 9, 10]);
    }

    #[test]
    fn resting_leaves_enough_frames() {
        // Fast at both ends.
        let swing = |frame: usize| 300.0 + 3.0 * (frame as f32 - 4.5).powi(2);
        let points: Vec<Landmarks> =
            (0..10).map(|frame| *seen(swing(frame), 200.0).landmarks().unwrap()).collect();
        assert_eq!(rest(&points, 5, 25.0).0, 1..9);
        assert_eq!(rest(&points, 9, 25.0).0, 0..10);
    }

    #[test]
    fn what_would_help_most_is_blamed() {
        // Nobody for a long while; then somebody who blurs now and then, and turns away once.
        let mut verdicts = vec![NONE; 40];
        verdicts.extend((0..60).map(|at| if at % 7 == 6 { Verdict::Blurred } else { OK }));
        verdicts[97] = Verdict::Profile;
        assert_eq!(to_blame(&verdicts), Some(Verdict::Blurred));
        assert_eq!(to_blame(&verdicts[..45]), Some(NONE));
        assert_eq!(to_blame(&[OK; 4]), None);
    }
}

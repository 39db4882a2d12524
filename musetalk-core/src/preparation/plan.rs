//! What was seen of all frames to what is done with them. Pure.

use std::ops::Range;

use super::PrepareOptions;
use crate::asset::{FaceBox, check_box};
use crate::networks::{Detection, Landmarks};
use crate::prepare::{
    MouthMeasure, Observation, Similarity, Turning, Verdict, bridge, edges, face_box, judge, landmarks,
    least, longest, mouth_opening, reference_box, rest, smooth, smooth_points,
};

/// What is done with every frame.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) verdicts: Vec<Verdict>,
    /// The longest usable stretch, before its ends were moved to where the face rests.
    pub(super) stretch: Range<usize>,
    /// The frames of the avatar; empty where there are none.
    pub(super) used: Range<usize>,
    /// The face of every frame of the stretch.
    pub(super) faces: Vec<FaceBox>,
    /// Its landmarks, as they are drawn into masks.
    pub(super) points: Vec<Landmarks>,
    pub(super) mouth: MouthMeasure,
    pub(super) closed: bool,
    pub(super) turning: Turning,
    /// Why no frame is used, if so.
    pub(super) refused: Option<Refused>,
}

/// Why footage makes no avatar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refused {
    /// The longest usable stretch is shorter than this many frames.
    Short { least: usize },
    /// The box of this frame's face is one that no avatar can hold.
    Outside { frame: usize },
}

impl Plan {
    /// `narrowest` is the width of the smallest usable face in pixels, `fps` the rate of the frames.
    pub(super) fn of(
        seen: &[Observation],
        size: (usize, usize),
        narrowest: f32,
        fps: f32,
        options: &PrepareOptions,
    ) -> Self {
        let mut verdicts = if options.reference {
            seen.iter()
                .map(|frame| if frame.points.is_empty() { Verdict::NoFace } else { Verdict::Ok })
                .collect()
        } else {
            judge(seen, size, narrowest)
        };
        if !options.reference {
            bridge(&mut verdicts, fps);
        }
        let stretch = longest(&verdicts);
        let least = if options.reference { 1 } else { least(seen.len(), fps) };
        let (seen, judged) = (&seen[stretch.clone()], &verdicts[stretch.clone()]);
        let raw = landmarks(seen, judged);
        let steps = Steps::of(seen, judged, &raw);
        let height = size.1 as u32;
        let mut faces: Vec<FaceBox> = if options.reference {
            let of = |frame: &Observation| {
                let fallback = frame.detected().map(truncated);
                let points = frame.landmarks().copied().unwrap_or([[0.0; 2]; 68]);
                reference_box(&points, options.bbox_shift, options.extra_margin, height, fallback)
            };
            seen.iter().map(|frame| of(frame).unwrap_or(FaceBox { x1: 0, y1: 0, x2: 0, y2: 0 })).collect()
        } else {
            let rough: Vec<_> = raw.iter().map(|points| edges(points, options.bbox_shift as f32)).collect();
            let smoothed = smooth(&rough, &steps.motions, &steps.guesses, fps);
            smoothed.iter().map(|edges| face_box(edges, options.extra_margin, height)).collect()
        };
        let points = if options.reference {
            raw.clone()
        } else {
            smooth_points(&raw, &steps.motions, &steps.guesses, fps)
        };
        let (rest, turning) = match options.reference {
            true => (0..raw.len(), Turning::STILL),
            false => rest(&points, least, fps),
        };
        let mut used = stretch.start + rest.start..stretch.start + rest.end;
        // No box that a file would refuse: only a shift or margin that is too large makes one.
        let unsound = |frame: &usize| !check_box(&faces[frame - stretch.start], size.0 as u32, height);
        let refused = match used.clone().find(unsound) {
            _ if used.len() < least => Some(Refused::Short { least }),
            Some(frame) => Some(Refused::Outside { frame }),
            None => None,
        };
        if refused.is_some() {
            used = stretch.start..stretch.start;
        }
        faces.truncate(stretch.len());
        // Of the landmarks as they were seen: smoothed ones open half as far in speech.
        let openings: Vec<f32> = raw.iter().map(mouth_opening).collect();
        let mouth = MouthMeasure::of(&openings[rest.start.min(openings.len())..rest.end.min(openings.len())]);
        let closed = mouth.wants_closed(options.idle);
        Self { verdicts, stretch, used, faces, points, mouth, closed, turning, refused }
    }

    /// The place of a frame in the lists of the stretch.
    pub(super) fn place(&self, frame: usize) -> Option<usize> {
        self.stretch.contains(&frame).then(|| frame - self.stretch.start)
    }
}

/// How the face moves from frame to frame.
struct Steps {
    motions: Vec<Option<Similarity>>,
    guesses: Vec<Similarity>,
}

impl Steps {
    fn of(seen: &[Observation], judged: &[Verdict], points: &[Landmarks]) -> Self {
        let pixels = |at: usize| {
            let trusted = at > 0 && judged[at] == Verdict::Ok && judged[at - 1] == Verdict::Ok;
            seen[at].motion.filter(|_| trusted)
        };
        // The brows, the nose and the eyes: speech moves the rest.
        let guess = |at: usize| match at.checked_sub(1) {
            Some(before) => Similarity::between(&points[before][17..48], &points[at][17..48]),
            None => Similarity::STILL,
        };
        Self { motions: (0..seen.len()).map(pixels).collect(), guesses: (0..seen.len()).map(guess).collect() }
    }
}

/// The detector's box as the reference has it: not left of or above the frame, cut to whole pixels.
fn truncated(face: &Detection) -> FaceBox {
    let cut = |edge: f32| edge.max(0.0) as i32;
    FaceBox { x1: cut(face.x1), y1: cut(face.y1), x2: cut(face.x2), y2: cut(face.y2) }
}

#[cfg(test)]
mod tests;

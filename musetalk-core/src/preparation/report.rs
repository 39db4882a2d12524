//! What was decided, for people and programs.

use std::ops::Range;

use serde_json::{Value, json};

use super::plan::{Plan, Refused};
use super::{PrepareOptions, Preparer};
use crate::asset::FaceBox;
use crate::prepare::{Idle, MouthMeasure, Observation, Turning, Verdict, to_blame};
use crate::time::FrameRate;

/// What was decided about footage, frame by frame.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PreparationReport {
    /// One for every frame that was looked at.
    pub frames: Vec<FrameReport>,
    /// The frames of the avatar, as places in [`frames`](Self::frames); empty where the footage cannot be used.
    pub used: Range<usize>,
    /// Why the footage cannot be used, and what to do.
    pub refusal: Option<String>,
    /// How the mouth moves in the frames that are used.
    pub mouth: MouthMeasure,
    /// Whether the avatar holds closed mouths made by the pack for its silence.
    pub closed_mouths: bool,
    /// How fast the face is where the cycle turns round.
    pub turning: Turning,
    /// What masks are made of: `parser` or `landmarks`.
    pub masks_from: &'static str,
    /// Pixels per row, and rows, of the frames.
    pub size: (u32, u32),
    /// The rate of the frames.
    pub fps: FrameRate,
    /// The number in the footage of the first frame that was looked at, at that rate. What is said to people, and the JSON, number frames
    /// as the footage does.
    pub first_frame: u64,
    idle: Idle,
}

/// What was decided about one frame.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FrameReport {
    /// Whether the frame can be used.
    pub verdict: Verdict,
    /// The face box, where the frame belongs to the longest usable stretch.
    pub face: Option<FaceBox>,
    /// How far the lips are apart, as a part of the distance between the eyes; none without a face.
    pub mouth_opening: Option<f32>,
    /// Faces in the picture.
    pub faces: usize,
}

impl PreparationReport {
    pub(super) fn of(
        plan: &Plan,
        seen: &[Observation],
        size: (usize, usize),
        fps: FrameRate,
        preparer: &Preparer,
    ) -> Self {
        let frames = seen.iter().zip(&plan.verdicts).enumerate();
        let frames: Vec<FrameReport> = frames
            .map(|(index, (frame, verdict))| FrameReport {
                verdict: *verdict,
                face: plan.place(index).map(|place| plan.faces[place]),
                mouth_opening: frame.landmarks().map(crate::prepare::mouth_opening),
                faces: frame.faces.len(),
            })
            .collect();
        let refusal = plan.refused.map(|refused| refusal(plan, refused, &preparer.options));
        Self {
            frames,
            used: plan.used.clone(),
            refusal,
            mouth: plan.mouth,
            closed_mouths: plan.closed,
            turning: plan.turning,
            masks_from: if preparer.parser.is_some() { "parser" } else { "landmarks" },
            size: (size.0 as u32, size.1 as u32),
            fps,
            idle: preparer.options.idle,
            first_frame: preparer.options.frames().start,
        }
    }

    /// How many frames have each verdict, the most frequent first.
    pub fn counts(&self) -> Vec<(Verdict, usize)> {
        let mut counts: Vec<(Verdict, usize)> = Vec::new();
        for frame in &self.frames {
            match counts.iter_mut().find(|(verdict, _)| *verdict == frame.verdict) {
                Some((_, count)) => *count += 1,
                None => counts.push((frame.verdict, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// What a person should know, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let all = self.frames.len();
        if !self.used.is_empty() {
            notes.push(format!(
                "{} of {all} frames are used: {} to {}, {:.1} s",
                self.used.len(),
                self.first_frame + self.used.start as u64,
                self.first_frame + self.used.end as u64 - 1,
                self.fps.time_of(self.used.len() as u64).as_secs_f64()
            ));
        }
        for (verdict, count) in self.counts().into_iter().filter(|(verdict, _)| !verdict.usable()) {
            notes.push(format!("{count} frames: {verdict}; {}", verdict.advice()));
        }
        let bridged = self.frames.iter().filter(|frame| frame.verdict == Verdict::Interpolated).count();
        if bridged > 0 {
            notes.push(format!("{bridged} frames are interpolated between their neighbours"));
        }
        notes.push(match (self.closed_mouths, self.idle) {
            (true, idle) if !self.mouth.wants_closed(idle) => {
                "idle: another clip needs closed mouths made by the pack, so they are shown in silence here too"
                    .to_owned()
            }
            (true, Idle::Auto) => format!(
                "idle: the mouth is open in {:.0} % of the frames, so closed mouths made by the pack are shown in silence",
                self.mouth.open * 100.0
            ),
            (true, _) => "idle: closed mouths made by the pack are shown in silence, as asked".to_owned(),
            (false, Idle::Footage) => "idle: the footage is shown in silence, as asked".to_owned(),
            (false, _) => format!(
                "idle: the mouth rests (open in {:.0} % of the frames), so the footage is shown in silence",
                self.mouth.open * 100.0
            ),
        });
        if self.used.len() > 1 && !self.turning.smooth() {
            notes.push(format!(
                "the face moves where the cycle turns round ({:.2} and {:.2} face widths a second): rest at the start and the end",
                self.turning.start, self.turning.end
            ));
        }
        notes
    }

    /// Everything, as JSON.
    pub fn json(&self) -> String {
        let frame = |(index, frame): (usize, &FrameReport)| {
            json!({
                "frame": self.first_frame + index as u64,
                "verdict": frame.verdict.name(),
                "used": self.used.contains(&index),
                "box": frame.face.map(|face| [face.x1, face.y1, face.x2, face.y2]),
                "mouth_opening": frame.mouth_opening,
                "faces": frame.faces,
            })
        };
        let used = [self.used.start, self.used.end].map(|at| self.first_frame + at as u64);
        let counts: serde_json::Map<String, Value> = self
            .counts()
            .into_iter()
            .map(|(verdict, count)| (verdict.name().to_owned(), count.into()))
            .collect();
        let whole = json!({
            "width": self.size.0,
            "height": self.size.1,
            "fps": [self.fps.numerator(), self.fps.denominator()],
            "frames": self.frames.len(),
            "first_frame": self.first_frame,
            "used": used,
            "refusal": self.refusal,
            "counts": counts,
            "masks_from": self.masks_from,
            "idle": if self.closed_mouths { "closed" } else { "footage" },
            "mouth": { "usual": self.mouth.usual, "largest": self.mouth.largest, "open": self.mouth.open },
            "turning": { "start": self.turning.start, "end": self.turning.end, "smooth": self.turning.smooth() },
            "notes": self.notes(),
            "each": self.frames.iter().enumerate().map(frame).collect::<Vec<_>>(),
        });
        whole.to_string()
    }
}

fn refusal(plan: &Plan, refused: Refused, options: &PrepareOptions) -> String {
    let least = match refused {
        Refused::Short { least } => least,
        Refused::Outside { frame } => {
            let (shift, margin) = (options.bbox_shift, options.extra_margin);
            return format!(
                "the face box of frame {frame} is empty or outside the picture with a bbox_shift of {shift} and an extra_margin of \
                 {margin} pixels; use smaller ones"
            );
        }
    };
    let all = plan.verdicts.len();
    let Some(blamed) = to_blame(&plan.verdicts) else {
        return format!("the footage has {all} usable frames, {least} are needed; film for longer");
    };
    let of = |wanted: Verdict| plan.verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let mut reasons = vec![(blamed, of(blamed))];
    let mut others: Vec<(Verdict, usize)> = Vec::new();
    for &verdict in plan.verdicts.iter().filter(|verdict| !verdict.usable() && **verdict != blamed) {
        if others.iter().all(|(known, _)| *known != verdict) {
            others.push((verdict, of(verdict)));
        }
    }
    others.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons.extend(others);
    let reasons: Vec<String> =
        reasons.iter().map(|(verdict, count)| format!("{verdict} in {count} of {all} frames")).collect();
    format!(
        "no stretch of the footage can be used: {}; the longest good one has {} frames, {least} are needed; {}",
        reasons.join(", "),
        plan.stretch.len(),
        blamed.advice()
    )
}

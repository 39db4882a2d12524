//! What is decided about every frame, from what was seen in it and around it.

use std::fmt;

use super::features;
use super::find_face::Observation;
use crate::networks::Landmarks;

/// What became of a frame of footage.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The face is seen well.
    Ok,
    /// It is not, but for so short a time that its place follows from the frames around.
    Interpolated,
    /// There is no face, or none that continues the person's.
    NoFace,
    /// The face is turned away too far.
    Profile,
    /// The face has too few pixels.
    TooSmall,
    /// The face shows far less detail than in the rest of the footage, or than any face in focus.
    Blurred,
    /// The picture is another one than before: what follows is a new shot.
    Cut,
    /// A second face is about as large, or inside the part that speech changes.
    TwoPeople,
    /// A part of the face is outside the picture.
    Leaving,
}

impl Verdict {
    /// Whether speech can be put on the frame.
    pub fn usable(self) -> bool {
        matches!(self, Self::Ok | Self::Interpolated)
    }

    /// What a report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Interpolated => "interpolated",
            Self::NoFace => "no face",
            Self::Profile => "profile",
            Self::TooSmall => "too small",
            Self::Blurred => "blurred",
            Self::Cut => "cut",
            Self::TwoPeople => "two people",
            Self::Leaving => "leaving",
        }
    }

    /// What the person who films can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Ok | Self::Interpolated => "nothing to do",
            Self::NoFace => "stay in the picture with a lit, uncovered face",
            Self::Profile => "face the camera",
            Self::TooSmall => "come closer to the camera, or film in a higher resolution",
            Self::Blurred => "focus on the face, move more slowly, in more light",
            Self::Cut => "film in one go",
            Self::TwoPeople => "be alone in the picture",
            Self::Leaving => "keep the whole face inside the picture",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Turned further than this a cheek hides a corner of the mouth: about 40°.
const PROFILE: f32 = 0.55;
/// Less detail than this part of the clip's usual is motion blur or lost focus.
const BLURRED: f32 = 0.4;
/// Less than this is out of focus, whatever the rest of the clip shows. What was measured, at the size at which detail is: footage of a
/// person 0.44, compressed hard 0.36, a face 60 pixels wide 0.28, drawn faces 0.22 and 0.25; that footage blurred by a Gaussian of σ
/// 1/80 of the face's width 0.20, 1/60 0.145, 1/40 0.095, with grain upon that 0.15.
const OUT_OF_FOCUS: f32 = 0.16;
/// A second face of this part of the person's width is a second person.
const SECOND: f32 = 0.5;
/// This part of the face may be outside the picture.
const OUTSIDE: f32 = 0.04;
/// A picture that changes by more than this, and several times more than usual, is a cut.
const CUT: f32 = 0.06;
const CUT_OVER_USUAL: f32 = 6.0;
/// A face that jumps by this part of its width between two frames is a cut, too.
const JUMP: f32 = 0.3;

/// Judges every frame for itself. `least` is the smallest width of a face, in pixels.
pub(crate) fn judge(seen: &[Observation], (width, height): (usize, usize), least: f32) -> Vec<Verdict> {
    let usual_change = median(seen.iter().skip(1).map(|frame| frame.change));
    let usual_detail =
        median(seen.iter().filter(|frame| !frame.points.is_empty()).map(|frame| frame.sharpness));
    let one = |index: usize| {
        let frame = &seen[index];
        let before = index.checked_sub(1).map(|before| &seen[before]);
        let jumped = before.is_some_and(|before| jumped(before, frame));
        if index > 0 && (jumped || frame.change > CUT.max(CUT_OVER_USUAL * usual_change)) {
            return Verdict::Cut;
        }
        let Some(points) = frame.landmarks() else { return Verdict::NoFace };
        let face = extent(points);
        if face[2] - face[0] < least {
            return Verdict::TooSmall;
        }
        if leaves(&face, width as f32, height as f32) {
            return Verdict::Leaving;
        }
        if features::turn(points) > PROFILE {
            return Verdict::Profile;
        }
        if second(frame, &face) {
            return Verdict::TwoPeople;
        }
        if frame.sharpness < OUT_OF_FOCUS.max(BLURRED * usual_detail) {
            return Verdict::Blurred;
        }
        Verdict::Ok
    };
    (0..seen.len()).map(one).collect()
}

fn extent(points: &Landmarks) -> [f32; 4] {
    let [x, y] = features::middle(points);
    let [width, height] = features::extent(points);
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
}

fn jumped(before: &Observation, frame: &Observation) -> bool {
    // Pixels that match are no jump, whatever the landmarks say.
    let (None, Some(a), Some(b)) = (frame.motion, before.landmarks(), frame.landmarks()) else {
        return false;
    };
    features::distance(features::middle(a), features::middle(b)) > JUMP * features::extent(a)[0]
}

fn leaves([x1, y1, x2, y2]: &[f32; 4], width: f32, height: f32) -> bool {
    let most = OUTSIDE * (x2 - x1);
    -x1 > most || -y1 > most || x2 - width > most || y2 - height > most
}

fn second(frame: &Observation, face: &[f32; 4]) -> bool {
    let own = face[2] - face[0];
    frame.faces.iter().enumerate().any(|(index, other)| {
        if frame.own == Some(index) {
            return false;
        }
        let middle = [(other.x1 + other.x2) / 2.0, (other.y1 + other.y2) / 2.0];
        let inside = (face[0]..face[2]).contains(&middle[0]) && (face[1]..face[3]).contains(&middle[1]);
        // A detector sees faces in parts of a face, too: much smaller ones inside are not people.
        let part_of_it = inside && other.width() < 0.6 * own;
        other.width() >= SECOND * own && !part_of_it
    })
}

/// 0 where there are none.
pub(crate) fn median(numbers: impl Iterator<Item = f32>) -> f32 {
    let mut numbers: Vec<f32> = numbers.collect();
    numbers.sort_by(f32::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::networks::Detection;

    /// A face looking ahead, its middle at x, y and 100 pixels wide.
    pub(crate) fn seen(x: f32, y: f32) -> Observation {
        let mut points = vec![[x, y]; 68];
        for (k, point) in points.iter_mut().take(17).enumerate() {
            let angle = (k as f32 / 16.0 - 0.5) * std::f32::consts::PI;
            *point = [x + 50.0 * angle.sin(), y - 20.0 + 75.0 * angle.cos()];
        }
        (17..27).for_each(|k| points[k] = [x - 40.0 + (k - 17) as f32 * 8.8, y - 55.0]);
        (36..42).for_each(|k| points[k] = [x - 20.0, y - 40.0]);
        (42..48).for_each(|k| points[k] = [x + 20.0, y - 40.0]);
        (27..31).for_each(|k| points[k] = [x, y - 40.0 + (k - 27) as f32 * 12.0]);
        (48..68).for_each(|k| points[k] = [x, y + 30.0]);
        let face = Detection { x1: x - 50.0, y1: y - 75.0, x2: x + 50.0, y2: y + 55.0, score: 0.9 };
        Observation { faces: vec![face], own: Some(0), points, sharpness: 1.0, ..Observation::default() }
    }

    fn verdicts(seen: &[Observation]) -> Vec<Verdict> {
        judge(seen, (640, 480), 48.0)
    }

    #[test]
    fn every_failure_has_its_name() {
        let mut frames: Vec<Observation> = (0..9).map(|k| seen(300.0 + k as f32, 240.0)).collect();
        frames[1] = Observation::default();
        let nose = &mut frames[2].points;
        (30..36).for_each(|k| nose[k][0] += 42.0);
        frames[3].points.iter_mut().for_each(|point| *point = [300.0 + (point[0] - 300.0) * 0.4, point[1]]);
        frames[4].sharpness = 0.2;
        frames[5].change = 0.3;
        let second = Detection { x1: 450.0, y1: 200.0, x2: 520.0, y2: 280.0, score: 0.8 };
        frames[6].faces.push(second);
        frames[7] = seen(30.0, 240.0);
        frames[7].motion = Some(super::super::register::Similarity::STILL);
        frames[8].motion = Some(super::super::register::Similarity::STILL);
        let expected = [
            Verdict::Ok,
            Verdict::NoFace,
            Verdict::Profile,
            Verdict::TooSmall,
            Verdict::Blurred,
            Verdict::Cut,
            Verdict::TwoPeople,
            Verdict::Leaving,
            Verdict::Ok,
        ];
        assert_eq!(verdicts(&frames), expected);
    }

    #[test]
    fn a_clip_out_of_focus_throughout_is_blurred_and_a_soft_one_is_not() {
        let clip = |sharpness: f32| {
            let mut frames: Vec<Observation> = (0..12).map(|k| seen(300.0 + k as f32, 240.0)).collect();
            frames.iter_mut().for_each(|frame| frame.sharpness = sharpness);
            verdicts(&frames)
        };
        assert_eq!(clip(0.15), [Verdict::Blurred; 12]);
        assert_eq!(clip(0.22), [Verdict::Ok; 12]);
    }

    #[test]
    fn small_faces_elsewhere_and_parts_of_the_own_one_are_no_second_person() {
        let mut frame = seen(300.0, 240.0);
        frame.faces.push(Detection { x1: 500.0, y1: 100.0, x2: 530.0, y2: 140.0, score: 0.9 });
        frame.faces.push(Detection { x1: 280.0, y1: 220.0, x2: 335.0, y2: 260.0, score: 0.7 });
        assert_eq!(verdicts(&[frame]), [Verdict::Ok]);
    }

    #[test]
    fn a_face_at_the_border_stays_and_one_that_jumps_is_a_cut() {
        assert_eq!(verdicts(&[seen(48.0, 240.0)]), [Verdict::Ok]);
        assert_eq!(verdicts(&[seen(200.0, 240.0), seen(260.0, 240.0)]), [Verdict::Ok, Verdict::Cut]);
        let mut walked = seen(260.0, 240.0);
        walked.motion = Some(super::super::register::Similarity::STILL);
        assert_eq!(verdicts(&[seen(200.0, 240.0), walked]), [Verdict::Ok, Verdict::Ok]);
    }

    #[test]
    fn lively_footage_is_not_taken_for_cuts() {
        let mut frames: Vec<Observation> = (0..20).map(|_| seen(300.0, 240.0)).collect();
        frames.iter_mut().skip(1).for_each(|frame| frame.change = 0.03);
        frames[10].change = 0.1;
        assert!(verdicts(&frames).iter().all(|verdict| *verdict == Verdict::Ok));
        frames[12].change = 0.25;
        assert_eq!(verdicts(&frames)[12], Verdict::Cut);
    }
}

//! One frame to what is seen in it: where faces are, the landmarks of one of them, how it moved since the frame before.
//!
//! ```text
//! frame ─ small ─▶ detector ─▶ the tracked face ─ crop ─▶ landmarks
//!                                  │ pixels of brows to nose, now and in a key frame ─▶ motion
//! ```
//!
//! The crop is carried along by the motion, so that the landmark network sees the face at the same place in every frame: most of its
//! noise is the noise of its crop. Every frame is compared with the same key frame for as long as both match: motions from frame to
//! frame would add up their errors.

use serde::{Deserialize, Serialize};

use super::features;
use super::register::{Patch, Similarity};
use super::sample::{Picture, Window, luma};
use crate::Result;
use crate::compose::warp::warp_affine;
use crate::networks::{Detection, FaceDetector, FaceLandmarks, Landmarks};

/// What was seen in one frame; about two kilobytes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Observation {
    /// Faces in pixels of the frame, best first.
    pub(crate) faces: Vec<Detection>,
    /// Which of them is the person.
    pub(crate) own: Option<usize>,
    /// The person's 68 landmarks in pixels of the frame; none where there is no face.
    pub(crate) points: Vec<[f32; 2]>,
    /// How the face moved since the frame before; none for the first and where both do not match.
    pub(crate) motion: Option<Similarity>,
    /// What the face was compared with; none without a face.
    pub(crate) key: Option<KeyTrace>,
    /// How different the whole picture is from the one before, 0…1.
    pub(crate) change: f32,
    /// How much detail the face shows at a fixed size; only to be compared within a clip.
    pub(crate) sharpness: f32,
}

/// How a frame hangs together with its key frame.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct KeyTrace {
    /// Frames since the key frame.
    age: u32,
    /// What the landmark network was shown of it.
    window: Window,
    /// From it to this frame.
    path: Similarity,
}

impl Observation {
    pub(crate) fn landmarks(&self) -> Option<&Landmarks> {
        self.points.as_slice().try_into().ok()
    }

    /// The detector's box of the person.
    pub(crate) fn detected(&self) -> Option<&Detection> {
        self.own.and_then(|own| self.faces.get(own))
    }
}

/// Looks at frames one after another and remembers the last.
#[derive(Debug)]
pub(crate) struct FaceFinder {
    detector: FaceDetector,
    landmarks: FaceLandmarks,
    /// Whether frames are looked at as the reference does: whole, and each for itself.
    reference: bool,
    previous: Option<Previous>,
    distant: Vec<f32>,
    /// The key frame of an interrupted analysis, until that is taken up.
    recalled: Option<Patch>,
}

/// The person as it was seen last.
#[derive(Debug)]
struct Previous {
    face: Detection,
    points: Landmarks,
    key: Key,
    /// From the key frame to the last.
    path: Similarity,
    /// Frames since.
    age: u32,
}

/// A frame that others are compared with.
#[derive(Debug)]
struct Key {
    patch: Patch,
    /// What the landmark network was shown of it.
    window: Window,
    /// Frames since.
    age: u32,
}

/// A face that is larger or smaller by this factor than in the key frame is too different to be compared well.
const OTHER_SIZE: f64 = 1.12;
/// Faces of the observation that are kept.
const MOST_FACES: usize = 8;
/// A person that was not seen for so many frames is looked for anywhere.
const FORGOTTEN: u32 = 25;
/// A picture that changed this much is of another place.
const OTHER_PLACE: f32 = 0.2;
/// The far view that changes are measured in.
const DISTANT: (usize, usize) = (40, 30);

impl FaceFinder {
    pub(crate) fn new(detector: FaceDetector, landmarks: FaceLandmarks, reference: bool) -> Self {
        Self { detector, landmarks, reference, previous: None, distant: Vec::new(), recalled: None }
    }

    /// Forgets everybody: other footage follows.
    pub(crate) fn forget(&mut self) {
        (self.previous, self.recalled) = (None, None);
        self.distant.clear();
    }

    /// Looks at the next frame.
    pub(crate) fn observe(&mut self, picture: &Picture<'_>) -> Result<Observation> {
        let frame = (picture.width, picture.height);
        if self.reference {
            return self.observe_whole(picture);
        }
        let size = self.detector.size(frame);
        let small = picture.shrunk(size);
        let scale = (frame.0 as f32 / size.0 as f32, frame.1 as f32 / size.1 as f32);
        let mut faces = self.detector.find(&small, size)?;
        faces.truncate(MOST_FACES);
        faces.iter_mut().for_each(|face| *face = face.scaled(scale.0, scale.1));
        let change = self.changed(&small, size);
        if change > OTHER_PLACE || self.previous.as_ref().is_some_and(|previous| previous.age >= FORGOTTEN) {
            self.previous = None;
        }
        let own = self.tracked(&faces);
        let mut observation = Observation { faces, own, change, ..Observation::default() };
        let Some(face) = observation.detected().copied() else {
            self.previous.iter_mut().for_each(|previous| {
                previous.age += 1;
                previous.key.age += 1;
            });
            return Ok(observation);
        };
        self.look_at(picture, face, &mut observation)?;
        Ok(observation)
    }

    /// Takes up the thread of an interrupted analysis: to be shown every frame that was observed, in order.
    pub(crate) fn recall(&mut self, picture: &Picture<'_>, seen: &[Observation], frame: usize) {
        let last = seen.len().saturating_sub(1);
        let with_face = (0..=last).rev().take(FORGOTTEN as usize).find(|&at| seen[at].key.is_some());
        if let Some((at, trace)) = with_face.and_then(|at| seen[at].key.map(|trace| (at, trace))) {
            if let (Some(points), true) = (seen[frame].landmarks(), frame + trace.age as usize == at) {
                self.recalled = Some(Patch::of(picture, points));
            }
            let observation = &seen[at];
            if let (true, Some(face), Some(points)) =
                (frame == last, observation.detected(), observation.landmarks())
                && let Some(patch) = self.recalled.take()
            {
                let age = (last - at) as u32;
                let key = Key { patch, window: trace.window, age: trace.age + age };
                self.previous = Some(Previous { face: *face, points: *points, key, path: trace.path, age });
            }
        }
        if frame == last {
            let size = self.detector.size((picture.width, picture.height));
            self.changed(&picture.shrunk(size), size);
        }
    }

    fn look_at(
        &mut self,
        picture: &Picture<'_>,
        face: Detection,
        observation: &mut Observation,
    ) -> Result<()> {
        let before = self.previous.take();
        let path = before.as_ref().and_then(|before| followed(before, picture, &face));
        let carried = before.as_ref().zip(path).map(|(before, path)| carried(&before.key.window, &path));
        let mut window = carried.unwrap_or_else(|| self.first_window(&face));
        let mut points = self.landmarks_in(picture, &window)?;
        let own = self.window(&points);
        let kept = carried.is_some_and(|window| near(&window, &own));
        if !kept {
            window = own;
            points = self.landmarks_in(picture, &window)?;
        }
        let path = path.or_else(|| {
            let before = before.as_ref()?;
            let step = Similarity::between(&before.points[17..48], &points[17..48]);
            before.key.patch.moved(picture, &step.after(&before.path))
        });
        let close = Window::around(features::middle(&points), 1.2 * face.width(), 1.2 * face.height());
        observation.sharpness = sharpness(&picture.crop(&close, (SHARP, SHARP)));
        // Motions are from frame to frame; over a gap there is none.
        observation.motion = before
            .as_ref()
            .filter(|before| before.age == 0)
            .and_then(|before| path.map(|path| path.after(&before.path.inverse())));
        observation.points = points.to_vec();
        let alike = |path: &Similarity| (1.0 / OTHER_SIZE..OTHER_SIZE).contains(&path.zoom());
        let (key, path) = match (before, path) {
            (Some(before), Some(path)) if kept && alike(&path) => {
                (Key { age: before.key.age + 1, ..before.key }, path)
            }
            _ => (Key { patch: Patch::of(picture, &points), window, age: 0 }, Similarity::STILL),
        };
        observation.key = Some(KeyTrace { age: key.age, window: key.window, path });
        self.previous = Some(Previous { face, points, key, path, age: 0 });
        Ok(())
    }

    /// The face that continues the one before, or the largest. Of equals the nearest to where the person was counts, and then the one
    /// that the detector is surer of: what it lists first.
    fn tracked(&self, faces: &[Detection]) -> Option<usize> {
        let Some(previous) = &self.previous else {
            return best(faces, |face| [face.width() * face.height(), 0.0]);
        };
        let known = &previous.face;
        let middle = |face: &Detection| [(face.x1 + face.x2) / 2.0, (face.y1 + face.y2) / 2.0];
        let away = |face: &Detection| features::distance(middle(face), middle(known));
        let best = best(faces, |face| [face.overlap(known, 0.0), -away(face)])?;
        // Somebody else, elsewhere: the person is away.
        let found = &faces[best];
        let reach = known.width().max(known.height()) * (0.5 + 0.2 * previous.age as f32).min(1.5);
        let alike = (0.5..2.0).contains(&(found.width() / known.width().max(1.0)));
        (alike && away(found) < reach).then_some(best)
    }

    fn landmarks_in(&mut self, picture: &Picture<'_>, window: &Window) -> Result<Landmarks> {
        let size = self.landmarks.size();
        let points = self.landmarks.find(&picture.crop(window, size))?;
        Ok(points.map(|point| window.place(point, size)))
    }

    /// What the landmark network is shown of a face that only the detector has seen.
    fn first_window(&self, face: &Detection) -> Window {
        let middle = [(face.x1 + face.x2) / 2.0, (face.y1 + face.y2) / 2.0];
        let side = face.width().max(face.height());
        self.shown(middle, side)
    }

    /// DWPose knows bodies, and wants to see a part of one.
    fn shown(&self, middle: [f32; 2], side: f32) -> Window {
        match self.landmarks {
            FaceLandmarks::DwPose(_) => Window::around(middle, 1.8 * side, 2.4 * side),
            _ => Window::around(middle, 1.1 * side, 1.1 * side),
        }
    }

    /// The same, of a face whose landmarks are known. They reach from the brows to the chin, the detector's boxes from the forehead.
    fn window(&self, points: &Landmarks) -> Window {
        let [width, height] = features::extent(points);
        let [x, y] = features::middle(points);
        let side = (1.25 * height).max(1.15 * width);
        let middle = [x, y - 0.08 * side];
        self.shown(middle, side)
    }

    /// How different a small picture is from the last, 0…1.
    fn changed(&mut self, small: &[u8], (width, height): (usize, usize)) -> f32 {
        let distant = luma(&Picture { rgb: small, width, height }.shrunk(DISTANT));
        let before = std::mem::replace(&mut self.distant, distant);
        let count = before.len().max(1) as f32;
        self.distant.iter().zip(&before).map(|(a, b)| (a - b).abs()).sum::<f32>() / count / 255.0
    }

    /// As the reference: detector and landmarks both on the whole frame, and the best face.
    fn observe_whole(&mut self, picture: &Picture<'_>) -> Result<Observation> {
        let size = (picture.width, picture.height);
        let mut faces = match self.detector {
            FaceDetector::S3fd(_) => self.detector.find(picture.rgb, size)?,
            _ => {
                let small = self.detector.size(size);
                let scale = (size.0 as f32 / small.0 as f32, size.1 as f32 / small.1 as f32);
                let found = self.detector.find(&picture.shrunk(small), small)?;
                found.iter().map(|face| face.scaled(scale.0, scale.1)).collect()
            }
        };
        faces.truncate(MOST_FACES);
        let small = picture.shrunk((320, 240));
        let change = self.changed(&small, (320, 240));
        let own = if faces.is_empty() { None } else { Some(0) };
        let points = match own {
            Some(_) => self.landmarks_of_whole(picture)?.to_vec(),
            None => Vec::new(),
        };
        Ok(Observation { faces, own, points, change, sharpness: 1.0, ..Observation::default() })
    }

    /// The whole frame as the box of a person (spec §5.3).
    fn landmarks_of_whole(&mut self, picture: &Picture<'_>) -> Result<Landmarks> {
        let size = self.landmarks.size();
        let whole = WholeFrame::of((picture.width, picture.height), size);
        let crop = warp_affine(picture.rgb, (picture.width, picture.height), size, &whole.forward());
        let points = self.landmarks.find(&crop)?;
        Ok(points.map(|point| whole.back(point)))
    }
}

/// A frame as the box of a person, enlarged by a quarter and to the shape of the network's input (spec §5.3).
///
/// Middle and size are kept in 32 bits and combined in 64, as the reference's arrays are: landmarks are cut to whole pixels, and 99.99999
/// is not 100.
struct WholeFrame {
    middle: [f32; 2],
    scale: [f32; 2],
    size: (usize, usize),
}

impl WholeFrame {
    fn of(frame: (usize, usize), size: (usize, usize)) -> Self {
        let (width, height) = (frame.0 as f32, frame.1 as f32);
        let aspect = size.0 as f32 / size.1 as f32;
        let (w, h) = (1.25 * width, 1.25 * height);
        let scale = if w > aspect * h { [w, w / aspect] } else { [aspect * h, h] };
        Self { middle: [width / 2.0, height / 2.0], scale, size }
    }

    /// Frame to input.
    fn forward(&self) -> [[f64; 3]; 2] {
        let zoom = self.size.0 as f64 / f64::from(self.scale[0]);
        let [x, y] = self.middle.map(f64::from);
        let (across, down) = (self.size.0 as f64 / 2.0, self.size.1 as f64 / 2.0);
        [[zoom, 0.0, across - zoom * x], [0.0, zoom, down - zoom * y]]
    }

    /// Input to frame.
    fn back(&self, point: [f32; 2]) -> [f32; 2] {
        let sides = [self.size.0, self.size.1];
        std::array::from_fn(|axis| {
            let (scale, middle) = (f64::from(self.scale[axis]), f64::from(self.middle[axis]));
            (f64::from(point[axis]) / sides[axis] as f64 * scale + middle - 0.5 * scale) as f32
        })
    }
}

/// The face with the highest rank, compared number by number; the first of equals.
fn best(faces: &[Detection], rank: impl Fn(&Detection) -> [f32; 2]) -> Option<usize> {
    let higher = |a: [f32; 2], b: [f32; 2]| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])).is_gt();
    (0..faces.len())
        .reduce(|best, next| if higher(rank(&faces[next]), rank(&faces[best])) { next } else { best })
}

/// From the key frame to this one: about as before, or as the detector's boxes say.
fn followed(before: &Previous, picture: &Picture<'_>, face: &Detection) -> Option<Similarity> {
    let middle = |face: &Detection| [f64::from(face.x1 + face.x2) / 2.0, f64::from(face.y1 + face.y2) / 2.0];
    let (now, then) = (middle(face), middle(&before.face));
    let step = Similarity { shift: [now[0] - then[0], now[1] - then[1]], ..Similarity::STILL };
    let patch = &before.key.patch;
    patch.moved(picture, &before.path).or_else(|| patch.moved(picture, &step.after(&before.path)))
}

fn carried(window: &Window, motion: &Similarity) -> Window {
    let middle = [window.left + window.width / 2.0, window.top + window.height / 2.0];
    let zoom = motion.zoom() as f32;
    let there = motion.apply(middle.map(f64::from)).map(|part| part as f32);
    Window::around(there, window.width * zoom, window.height * zoom)
}

fn near(a: &Window, b: &Window) -> bool {
    let most = 0.08 * b.width;
    let off = |x: f32, y: f32| (x - y).abs() < most;
    off(a.left + a.width / 2.0, b.left + b.width / 2.0)
        && off(a.top + a.height / 2.0, b.top + b.height / 2.0)
        && (a.width - b.width).abs() < 2.0 * most
}

/// Side of the crop whose detail is measured.
const SHARP: usize = 96;

/// The mean change of slope of a crop's brightness over its contrast.
fn sharpness(rgb: &[u8]) -> f32 {
    let luma = luma(rgb);
    let mean = luma.iter().sum::<f32>() / luma.len() as f32;
    let contrast = (luma.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / luma.len() as f32).sqrt();
    let mut sum = 0.0;
    for y in 1..SHARP - 1 {
        for x in 1..SHARP - 1 {
            let at = y * SHARP + x;
            let around = luma[at - 1] + luma[at + 1] + luma[at - SHARP] + luma[at + SHARP];
            sum += (4.0 * luma[at] - around).abs();
        }
    }
    sum / ((SHARP - 2) * (SHARP - 2)) as f32 / (contrast + 4.0)
}

#[cfg(test)]
pub(crate) mod tests;

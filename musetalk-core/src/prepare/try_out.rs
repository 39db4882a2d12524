//! Whether strange networks find faces at all: they are shown a drawn one.

use super::draw::Drawing;
use super::sample::{Picture, Window};
use crate::networks::{FaceDetector, FaceLandmarks};
use crate::{Error, ErrorKind, Result};

const SIDE: usize = 320;

/// Shows both a drawn face. That the detector sees a face in it is not asked: good ones do not take drawings for people.
///
/// # Errors
/// - [`ErrorKind::Incompatible`]: landmarks lie nowhere near, or all in one place.
pub(crate) fn try_out(mut detector: FaceDetector, mut landmarks: FaceLandmarks) -> Result<()> {
    let face = drawn();
    let picture = Picture { rgb: &face.rgb, width: SIDE, height: SIDE };
    let size = detector.size((SIDE, SIDE));
    let found = detector.find(&picture.shrunk(size), size)?;
    let incompatible = |what: &str| Err(Error::new(ErrorKind::Incompatible, what.to_owned()));
    if found.iter().any(|face| !(0.0..=1.001).contains(&face.score)) {
        return incompatible(
            "the face detector gives scores outside 0…1: it is of another kind than its tensors say",
        );
    }
    let size = landmarks.size();
    let points = landmarks.find(&picture.crop(&Window::around([160.0, 160.0], 230.0, 230.0), size))?;
    let inside = |point: &[f32; 2]| {
        let near = |at: f32, side: usize| at.is_finite() && (-0.3..1.3).contains(&(at / side as f32));
        near(point[0], size.0) && near(point[1], size.1)
    };
    if points.iter().filter(|point| inside(point)).count() < 60 {
        return incompatible(
            "the landmark network places points far outside the face: it is of another kind than its tensors say",
        );
    }
    let [width, height] = super::features::extent(&points);
    if width < 0.1 * size.0 as f32 || height < 0.1 * size.1 as f32 {
        return incompatible(
            "the landmark network places all points together: it is of another kind than its tensors say",
        );
    }
    Ok(())
}

fn drawn() -> Drawing {
    let mut face = Drawing::new(SIDE, SIDE, [120, 130, 145]);
    let mut ellipse = |x: i32, y: i32, across: i32, down: i32, colour| {
        for dy in -down..=down {
            for dx in -across..=across {
                let inside =
                    (dx * dx * down * down + dy * dy * across * across) <= across * across * down * down;
                if inside {
                    face.dot(x + dx, y + dy, colour);
                }
            }
        }
    };
    ellipse(160, 150, 85, 110, [60, 40, 30]);
    ellipse(160, 165, 75, 98, [222, 178, 150]);
    for side in [-1, 1] {
        ellipse(160 + 32 * side, 118, 20, 4, [70, 45, 35]);
        ellipse(160 + 32 * side, 138, 15, 7, [245, 245, 245]);
        ellipse(160 + 32 * side, 138, 6, 6, [50, 60, 80]);
        ellipse(160 + 7 * side, 186, 4, 3, [150, 100, 85]);
    }
    ellipse(160, 168, 7, 20, [206, 160, 132]);
    ellipse(160, 215, 28, 7, [180, 90, 90]);
    face
}

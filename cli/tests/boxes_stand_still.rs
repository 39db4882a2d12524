//! Box steadiness: a still face moved along a known smooth path, with camera noise and a usual encoding. The box goes with the face, without
//! trembling and without lagging.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::ops::ControlFlow;

use image::RgbImage;
use musetalk_core::{Device, Engine, PrepareOptions, Preparer};
use support::{Folder, film, pack_with_faces, still};

const FRAMES: usize = 150;
const SIZE: (u32, u32) = (640, 720);

/// Where the face is: x′ = zoom·x + shift, about the middle of the picture.
#[derive(Clone, Copy)]
struct Place {
    zoom: f64,
    shift: [f64; 2],
}

fn place(frame: f64) -> Place {
    let t = frame / 25.0;
    let sway =
        |size: f64, seconds: f64, phase: f64| size * (std::f64::consts::TAU * t / seconds + phase).sin();
    Place {
        zoom: 1.0 + sway(0.025, 4.3, 0.4),
        shift: [sway(28.0, 3.1, 0.0) + sway(5.0, 1.3, 1.0), sway(14.0, 2.6, 0.9)],
    }
}

impl Place {
    fn of(&self, at: f64, axis: usize) -> f64 {
        let middle = f64::from([SIZE.0, SIZE.1][axis]) / 2.0;
        (at - middle) * self.zoom + middle + self.shift[axis]
    }

    fn back(&self, at: f64, axis: usize) -> f64 {
        let middle = f64::from([SIZE.0, SIZE.1][axis]) / 2.0;
        (at - middle - self.shift[axis]) / self.zoom + middle
    }
}

/// Numbers of deviation 1, from twelve even ones.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut even = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f64 / f64::from(1_u32 << 24)
        };
        (0..4).map(|_| even()).sum::<f64>() * 3.0_f64.sqrt() - 2.0 * 3.0_f64.sqrt()
    }
}

/// The still, seen at a place, from a window whose upper left corner is at (32, 60) of it.
fn moved(still: &RgbImage, place: &Place, noise: &mut Noise) -> Vec<u8> {
    let mut frame = Vec::with_capacity((SIZE.0 * SIZE.1 * 3) as usize);
    for y in 0..SIZE.1 {
        let from_y = (place.back(f64::from(y), 1) + 60.0).clamp(0.0, f64::from(still.height()) - 2.0);
        for x in 0..SIZE.0 {
            let from_x = (place.back(f64::from(x), 0) + 32.0).clamp(0.0, f64::from(still.width()) - 2.0);
            let (left, top) = (from_x.floor(), from_y.floor());
            let (right_part, lower_part) = (from_x - left, from_y - top);
            for channel in 0..3 {
                let at =
                    |dx: u32, dy: u32| f64::from(still.get_pixel(left as u32 + dx, top as u32 + dy)[channel]);
                let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * right_part;
                let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * right_part;
                let value = upper + (lower - upper) * lower_part + 2.0 * noise.next();
                frame.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
    frame
}

fn deviation(numbers: &[f64]) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    (numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / numbers.len() as f64).sqrt()
}

#[test]
fn boxes_follow_a_known_path_within_half_a_pixel_and_without_lag() {
    let folder = Folder::new();
    let (Some(pack), Some(still)) = (pack_with_faces(&folder), still()) else { return };
    let video = folder.join("path.mp4");
    let mut noise = Noise(7);
    let frames = (0..FRAMES).map(|frame| moved(&still, &place(frame as f64), &mut noise));
    film(&video, SIZE, &["-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p"], frames);

    let builder = Engine::builder(&pack).device(Device::Cpu);
    let preparer = Preparer::load(builder, PrepareOptions::default()).unwrap();
    let fps = preparer.fps();
    let mut source = musetalk_cli::footage::open(&video, fps, fps).unwrap();
    let analysis = preparer.analyse(source.as_mut(), |_| ControlFlow::Continue(())).unwrap();
    let report = analysis.report();
    let boxes: Vec<[f64; 4]> = report
        .frames
        .iter()
        .map(|frame| {
            let face = frame.face.expect("every frame shows the face");
            [face.x1, face.y1, face.x2, face.y2].map(f64::from)
        })
        .collect();
    assert_eq!(boxes.len(), FRAMES);

    for (edge, name) in ["left", "top", "right", "bottom"].into_iter().enumerate() {
        let axis = edge % 2;
        // Where the edge is on the face; the margin below the chin is in pixels of the frame, not of the face.
        let margin = if edge == 3 { 10.0 } else { 0.0 };
        let home = |lag: f64| -> f64 {
            let at = |frame: usize| place(frame as f64 - lag).back(boxes[frame][edge] - margin, axis);
            (0..FRAMES).map(at).sum::<f64>() / FRAMES as f64
        };
        let off = |lag: f64| -> f64 {
            let home = home(lag);
            let at = |frame: usize| boxes[frame][edge] - margin - place(frame as f64 - lag).of(home, axis);
            deviation(&(0..FRAMES).map(at).collect::<Vec<_>>())
        };
        let steps = (-40..=40).map(|step| f64::from(step) / 10.0);
        let lag = steps.min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap();
        if std::env::var_os("MUSETALK_TRACE").is_some() {
            let home = home(0.0);
            let trace: Vec<String> = (0..FRAMES)
                .map(|frame| {
                    format!("{:.1}", boxes[frame][edge] - margin - place(frame as f64).of(home, axis))
                })
                .collect();
            println!("{name}: {}", trace.join(" "));
        }
        println!("{name}: deviation {:.2} px, lag {lag:.1} frames", off(0.0));
        assert!(off(0.0) <= 0.5, "{name}: the box is off by {:.2} px", off(0.0));
        assert!(lag.abs() <= 1.0, "{name}: the box lags by {lag} frames");
    }
}

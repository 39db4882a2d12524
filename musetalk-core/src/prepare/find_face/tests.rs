use super::*;
use crate::compose::filter::{Filter, pillow_resize};
use crate::networks::Landmarks;
use crate::prepare::{EdgeBlur, FaceMask, classes_of, edges, face_box, mask_of};

/// Landmarks as a network of 112 pixels sees them in a crop that suits it.
fn template() -> Landmarks {
    let seen = super::super::verdict::tests::seen(0.0, 0.0);
    // The crop is 1.375 times as high as they are, its middle 0.08 of 1.25 of that above theirs.
    let points: Landmarks = *seen.landmarks().expect("a face has landmarks");
    let [_, height] = features::extent(&points);
    let [x, y] = features::middle(&points);
    let scale = 112.0 / (1.375 * height);
    points.map(|[px, py]| [(px - x) * scale + 56.0, (py - y + 0.1 * height) * scale + 56.0])
}

fn finder(faces: Vec<Detection>) -> FaceFinder {
    FaceFinder::new(FaceDetector::Fixed(faces), FaceLandmarks::Fixed(Box::new(template())), false)
}

/// A face in the middle of a small picture of 320×240.
fn face(x: f32) -> Detection {
    Detection { x1: x - 25.0, y1: 85.0, x2: x + 25.0, y2: 150.0, score: 0.9 }
}

/// A soft pattern, moved to the right.
fn drawn(size: (usize, usize), shift: f32) -> Vec<u8> {
    let scale = size.0 as f32 / 640.0;
    let mut rgb = Vec::with_capacity(size.0 * size.1 * 3);
    for y in 0..size.1 {
        let down = (y as f32 / (7.0 * scale)).cos();
        for x in 0..size.0 {
            let at = (x as f32 - shift) / scale;
            let wave = (at / 9.0).sin() * down + 0.7 * (at / 17.0 + y as f32 / (13.0 * scale)).sin();
            rgb.extend([(128.0 + 60.0 * wave) as u8; 3]);
        }
    }
    rgb
}

#[test]
fn a_face_is_followed_to_parts_of_a_pixel_by_its_pixels() {
    let size = (640, 480);
    let mut finder = finder(vec![face(160.0)]);
    let mut seen = Vec::new();
    for frame in 0..12 {
        let rgb = drawn(size, 1.7 * frame as f32);
        seen.push(finder.observe(&Picture { rgb: &rgb, width: size.0, height: size.1 }).unwrap());
    }
    assert!(seen[0].motion.is_none());
    for (frame, pair) in seen.windows(2).enumerate() {
        let motion = pair[1].motion.expect("the pattern is found again");
        let middle = features::middle(pair[0].landmarks().unwrap()).map(f64::from);
        let there = motion.apply(middle);
        let off = (there[0] - middle[0] - 1.7).hypot(there[1] - middle[1]);
        assert!(off < 0.05, "frame {frame}: {off} pixels off");
    }
    // The landmarks go with the pixels: the network sees the same in every frame.
    let [from, to] = [0, 11].map(|at: usize| features::middle(seen[at].landmarks().unwrap()));
    assert!((to[0] - from[0] - 11.0 * 1.7).abs() < 0.2 && (to[1] - from[1]).abs() < 0.2, "{from:?} {to:?}");
}

#[test]
fn of_two_faces_the_one_that_was_followed_is_kept_and_a_strange_one_is_nobody() {
    let size = (640, 480);
    let rgb = drawn(size, 0.0);
    let picture = Picture { rgb: &rgb, width: size.0, height: size.1 };
    let mut finder = finder(vec![face(160.0)]);
    finder.observe(&picture).unwrap();
    let larger = Detection { x1: 10.0, y1: 20.0, x2: 90.0, y2: 120.0, score: 0.99 };
    finder.detector = FaceDetector::Fixed(vec![larger, face(162.0)]);
    assert_eq!(finder.observe(&picture).unwrap().own, Some(1));
    finder.detector = FaceDetector::Fixed(vec![larger]);
    let alone = finder.observe(&picture).unwrap();
    assert_eq!((alone.own, alone.points.len(), alone.faces.len()), (None, 0, 1));
    // After a second of that, the person is whoever is there.
    for _ in 0..FORGOTTEN {
        finder.observe(&picture).unwrap();
    }
    assert_eq!(finder.observe(&picture).unwrap().own, Some(0));
}

#[test]
fn of_equal_faces_the_nearest_and_then_the_surest_is_the_person() {
    let size = (640, 480);
    let rgb = drawn(size, 0.0);
    let picture = Picture { rgb: &rgb, width: size.0, height: size.1 };
    // Nobody was followed yet, both are as large: the one that the detector lists first, which is the surer one.
    let mut finder = finder(vec![face(100.0), face(220.0)]);
    assert_eq!(finder.observe(&picture).unwrap().own, Some(0));
    finder.forget();
    finder.detector = FaceDetector::Fixed(vec![face(220.0), face(100.0)]);
    assert_eq!(finder.observe(&picture).unwrap().own, Some(0));

    // Neither covers any of the place where the person was: the nearer one, wherever it is listed. The place is in pixels of the frame,
    // twice those of the detector's picture.
    let apart = |faces: [f32; 2], expected: Option<usize>| {
        let known = face(160.0).scaled(2.0, 2.0);
        let key = Key {
            patch: Patch::of(&picture, &template()),
            window: Window::around([0.0; 2], 1.0, 1.0),
            age: 0,
        };
        let finder = FaceFinder {
            previous: Some(Previous {
                face: known,
                points: template(),
                key,
                path: Similarity::STILL,
                age: 5,
            }),
            ..self::finder(Vec::new())
        };
        let faces = faces.map(|x| face(x).scaled(2.0, 2.0));
        assert!(faces.iter().all(|face| face.overlap(&known, 0.0) == 0.0));
        assert_eq!(finder.tracked(&faces), expected);
    };
    apart([212.0, 106.0], Some(0));
    apart([106.0, 212.0], Some(1));
    // As far on either side: the surer one. Both too far: nobody.
    apart([108.0, 212.0], Some(0));
    apart([212.0, 108.0], Some(0));
    apart([20.0, 300.0], None);
}

#[test]
fn whole_frames_are_seen_and_landmarks_mapped_back_as_the_reference_does() {
    // 1280×720: zoom 288/1600; the frame's middle is the input's.
    let whole = WholeFrame::of((1280, 720), (288, 384));
    let forward = whole.forward();
    assert!((forward[0][0] - 0.18).abs() < 1e-12 && (forward[0][2] - (144.0 - 0.18 * 640.0)).abs() < 1e-9);
    assert_eq!(whole.back([144.0, 192.0]), [640.0, 360.0]);
    // Half a pixel of the input is 2.78 of the frame.
    let step = whole.back([144.5, 192.5]);
    assert!((step[0] - 642.7778).abs() < 1e-3 && (step[1] - 362.7778).abs() < 1e-3, "{step:?}");
    // Portrait: the height decides.
    let whole = WholeFrame::of((704, 1216), (288, 384));
    assert_eq!(whole.scale, [1140.0, 1520.0]);
    assert_eq!(whole.back([0.0, 0.0]), [352.0 - 570.0, 608.0 - 760.0]);
}

/// Of the processor, for each of several runs: what others do on the machine at the time does not count, where the system tells.
pub(crate) fn milliseconds(runs: usize, mut work: impl FnMut(usize)) -> f64 {
    let spent = || {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        told.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok()).map(|nanos| nanos / 1e6)
    };
    let (before, started) = (spent(), std::time::Instant::now());
    (0..runs).for_each(&mut work);
    let wall = started.elapsed().as_secs_f64() * 1e3;
    before.zip(spent()).map_or(wall, |(before, after)| after - before) / runs as f64
}

/// What a frame costs beside the networks, the decoding of the video and the encoding of pictures. Run with
/// `cargo test --release -p musetalk-core --lib what_a_frame_costs -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement: it wants a release build and a quiet machine"]
fn what_a_frame_costs() {
    let size = (1920, 1080);
    let pictures: Vec<Vec<u8>> = (0..8).map(|frame| drawn(size, 3.0 * frame as f32)).collect();
    let large = Detection { x1: 120.0, y1: 60.0, x2: 190.0, y2: 190.0, score: 0.9 };
    let mut finder = finder(vec![large]);
    let picture = |at: usize| Picture { rgb: &pictures[at % 8], width: size.0, height: size.1 };
    finder.observe(&picture(0)).unwrap();
    let mut seen = Vec::new();
    let looking = milliseconds(40, |frame| seen.push(finder.observe(&picture(frame + 1)).unwrap()));
    let size_seen = finder.detector.size(size);
    let shrinking = milliseconds(20, |frame| drop(picture(frame).shrunk(size_seen)));
    let points = seen[0].landmarks().unwrap();
    let patch = Patch::of(&picture(0), points);
    let following = milliseconds(20, |frame| {
        let shift = Similarity { shift: [3.0 * (frame % 8) as f64, 0.0], ..Similarity::STILL };
        assert!(patch.moved(&picture(frame), &shift).is_some());
    });
    let face = face_box(&edges(points, 0.0), 10, 1080);
    let drawing = milliseconds(20, |_| drop(classes_of(points, &face)));
    let parsed = crate::prepare::PARSED;
    let side = face.crop().width() as usize;
    let showing = milliseconds(20, |_| {
        let square = picture(0).square(&face.crop());
        drop(pillow_resize(&square, 3, (side, side), (parsed, parsed), Filter::Bilinear));
    });
    let masking = milliseconds(20, |_| {
        let mask = mask_of(&classes_of(points, &face), &face, FaceMask::default(), EdgeBlur::Offline);
        assert!(mask.contains(&255));
    });
    let crop = picture(0).crop(&Window::around([960.0, 540.0], 400.0, 500.0), (400, 500));
    let cutting = milliseconds(20, |_| drop(crate::compose::resize::lanczos(&crop, (400, 500), (256, 256))));
    let all = looking + masking + cutting;
    println!(
        "{all:.1} ms a frame: looking {looking:.1} (of which the small picture {shrinking:.1} and the motion {following:.1}), mask \
         {masking:.1} ({side}², of which the landmarks' classes {drawing:.1}), crop {cutting:.1}; with a parser {showing:.1} \
         instead of {drawing:.1}"
    );
    assert!(all <= 10.0, "{all:.1} ms");
}

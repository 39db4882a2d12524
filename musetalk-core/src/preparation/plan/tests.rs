use super::*;
use crate::prepare::{Case, cases};

/// A frame as the reference sees it: landmarks of the whole, and the detector's box.
fn seen(points: &[[f32; 2]], found: [i32; 4]) -> Observation {
    let [x1, y1, x2, y2] = found.map(|edge| edge as f32 + 0.75);
    let face = Detection { x1, y1, x2, y2, score: 0.9 };
    Observation { faces: vec![face], own: Some(0), points: points.to_vec(), ..Observation::default() }
}

fn reference(shift: i32, margin: u32) -> PrepareOptions {
    PrepareOptions { reference: true, bbox_shift: shift, extra_margin: margin, ..PrepareOptions::default() }
}

fn edges_of(face: &FaceBox) -> [i32; 4] {
    [face.x1, face.y1, face.x2, face.y2]
}

#[test]
fn the_reference_plan_has_the_boxes_of_the_rules_in_plain_python() {
    for case in cases() {
        let size = (1280, case.height as usize);
        let frames = [seen(&case.points, case.fallback)];
        let plan = Plan::of(&frames, size, 64.0, 25.0, &reference(case.shift, case.margin));
        assert_eq!(plan.faces.iter().map(edges_of).collect::<Vec<_>>(), [case.expected]);
        assert_eq!(plan.points[0].as_slice(), case.points.as_slice(), "landmarks go into masks as they come");
    }
}

#[test]
fn the_reference_plan_smooths_bridges_and_trims_nothing() {
    // Faces that leap about; one frame has none.
    let sound = |case: &Case| {
        let [x1, y1, x2, y2] = case.expected;
        case.shift == 0 && case.height == 720 && x2 - x1 >= 8 && y2 - y1 >= 8 && x1 >= 0 && x2 < 1280
    };
    let leaping: Vec<Case> = cases().into_iter().filter(sound).collect();
    assert!(leaping.len() >= 6, "{} cases fit", leaping.len());
    let mut frames: Vec<Observation> = leaping.iter().map(|case| seen(&case.points, case.fallback)).collect();
    frames.insert(2, Observation::default());
    let plan = Plan::of(&frames, (1280, 720), 64.0, 25.0, &reference(0, 10));
    assert_eq!(plan.verdicts[..4], [Verdict::Ok, Verdict::Ok, Verdict::NoFace, Verdict::Ok]);
    assert_eq!((plan.stretch.clone(), plan.used.clone()), (3..frames.len(), 3..frames.len()));
    let alone = |frame: &Observation| {
        reference_box(frame.landmarks().unwrap(), 0, 10, 720, frame.detected().map(truncated)).unwrap()
    };
    assert_eq!(plan.faces, frames[3..].iter().map(alone).collect::<Vec<_>>());
}

//! What OpenCV and Pillow make of pictures that can be drawn here: `tests/fixtures/make_compose.py` wrote it.

use sha2::{Digest, Sha256};

const BLOB: &[u8] = include_bytes!("../../tests/fixtures/compose.bin");
const CASES: &str = include_str!("../../tests/fixtures/compose.json");

/// One operator applied to one picture.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Case {
    operator: String,
    pub(crate) source: (usize, usize),
    #[serde(default)]
    pub(crate) target: (usize, usize),
    #[serde(default)]
    pub(crate) kernel: usize,
    #[serde(default)]
    pub(crate) channels: usize,
    #[serde(default)]
    pub(crate) face: [i32; 4],
    #[serde(default)]
    pub(crate) crop: [i32; 4],
    #[serde(default)]
    pub(crate) affine: [[f64; 3]; 2],
    #[serde(default)]
    pub(crate) mask: String,
    #[serde(default)]
    pub(crate) cheeks: (u16, u16),
    pub(crate) seed: u32,
    pub(crate) style: String,
    sha256: String,
    bytes: Option<(usize, usize)>,
}

/// Every case of one operator.
pub(crate) fn cases(operator: &str) -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    let cases: Vec<_> = cases.into_iter().filter(|case| case.operator == operator).collect();
    assert!(!cases.is_empty(), "no case of {operator}");
    cases
}

impl Case {
    pub(crate) fn picture(&self, channels: usize) -> Vec<u8> {
        let mut picture = noise(self.source, channels, self.seed);
        if self.style == "extreme" {
            picture.iter_mut().for_each(|value| *value = if *value < 128 { 0 } else { 255 });
        }
        if self.style == "sparse" {
            picture.iter_mut().for_each(|value| *value = if *value < 253 { 0 } else { 255 });
        }
        if self.style == "holes" {
            picture.iter_mut().for_each(|value| *value = if *value < 2 { 0 } else { 255 });
        }
        picture
    }

    /// Fails unless `result` is the expected picture, byte for byte.
    pub(crate) fn check(&self, result: &[u8]) {
        if let Some((start, end)) = self.bytes {
            let expected = &BLOB[start..end];
            assert_eq!(result.len(), expected.len(), "{self:?}");
            if let Some(at) = (0..expected.len()).find(|&at| result[at] != expected[at]) {
                panic!("byte {at} is {}, not {}: {self:?}", result[at], expected[at]);
            }
        }
        let hash: String = Sha256::digest(result).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, self.sha256, "{self:?}");
    }
}

/// Fails unless `operator`, asked for some part of its result, gives there what the whole result shows.
pub(crate) fn parts_are_parts(case: &Case, whole: &[u8], operator: impl Fn(&super::Area) -> Vec<u8>) {
    let (width, height) = if case.target.0 > 0 { case.target } else { case.source };
    let parts = [(0, width / 3), (width / 4, width), (width / 3, 2 * width / 3), (width - 1, width)];
    for columns in parts.map(|(start, end)| start..end) {
        for rows in [0..height / 2 + 1, height / 3..height, height / 2..height / 2 + 1] {
            let area = super::Area { columns: columns.clone(), rows };
            let part = operator(&area);
            for y in area.rows.clone() {
                let row = y * width + area.columns.start..y * width + area.columns.end;
                assert_eq!(part[row.clone()], whole[row], "row {y} of {area:?}: {case:?}");
            }
        }
    }
}

/// The generator of `make_compose.py`.
pub(crate) fn noise(size: (usize, usize), channels: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size.0 * size.1 * channels).map(|_| next()).collect()
}

//! Parses: the crop of a face to what each of its pixels is (BiSeNet, spec §6).
//!
//! | tensor | shape | range |
//! |---|---|---|
//! | image | \[1, 3, 512, 512\] f32, RGB planes | (x/255 − mean) / deviation |
//! | classes | \[1, 512, 512\] u8 | 0…18 |

use super::planes;
use crate::runtime::{Answer, Network};
use crate::{Error, ErrorKind, Result};

const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

#[derive(Debug)]
pub(crate) struct FaceParser(pub(crate) Network);

impl FaceParser {
    /// Side of the picture it looks at.
    pub(crate) const SIDE: usize = 512;

    /// The class of every pixel of a packed RGB picture of [`SIDE`](Self::SIDE).
    pub(crate) fn parse(&mut self, rgb: &[u8]) -> Result<Vec<u8>> {
        let image = planes(rgb, |channel, value| (value / 255.0 - MEAN[channel]) / DEVIATION[channel]);
        let classes = match self.0.first_answer(&[(vec![1, 3, Self::SIDE, Self::SIDE], image)])? {
            Answer::Bytes(classes) => classes,
            Answer::Floats(_) => Vec::new(),
        };
        if classes.len() != Self::SIDE * Self::SIDE {
            return Err(Error::new(ErrorKind::Internal, "network face_parser gave no map of classes"));
        }
        Ok(classes)
    }
}

//! Footage of a person to what an avatar is made of.

mod board;
mod draw;
mod features;
mod find_face;
mod idle;
mod landmark_mask;
mod latent;
mod mask;
mod matte;
mod nearby;
mod overview;
mod register;
mod sample;
mod sheet;
mod smooth;
mod stretch;
mod try_out;
mod verdict;

#[cfg(test)]
pub(crate) use features::tests::{Case, cases};
pub(crate) use features::{edges, face_box, mouth_opening, reference_box};
#[cfg(test)]
pub(crate) use find_face::tests::milliseconds;
pub(crate) use find_face::{FaceFinder, Observation};
pub use idle::{Idle, MouthMeasure};
pub(crate) use landmark_mask::classes_of;
pub(crate) use latent::append_latent;
pub(crate) use mask::{CLASSES, PARSED, mask_of};
pub use mask::{EdgeBlur, FaceMask};
#[cfg(test)]
pub(crate) use mask::{cone, line};
pub use matte::Key;
pub(crate) use matte::Screen;
pub(crate) use overview::overview;
pub(crate) use register::Similarity;
pub(crate) use sample::Picture;
pub(crate) use sheet::{Sheet, Shown, chosen};
pub(crate) use smooth::{smooth, smooth_points};
pub use stretch::Turning;
pub(crate) use stretch::{bridge, landmarks, least, longest, rest, to_blame};
pub(crate) use try_out::try_out;
pub use verdict::Verdict;
pub(crate) use verdict::judge;

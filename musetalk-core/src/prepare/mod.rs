//! Footage of a person to what an avatar is made of.

mod latent;
mod mask;

pub(crate) use latent::append_latent;
pub(crate) use mask::{CLASSES, PARSED, mask_of};
pub use mask::{EdgeBlur, FaceMask};
#[cfg(test)]
pub(crate) use mask::{cone, line};

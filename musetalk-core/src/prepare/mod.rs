//! Footage of a person to what an avatar is made of.

mod latent;

pub(crate) use latent::append_latent;

//! Checkpoints to packs.

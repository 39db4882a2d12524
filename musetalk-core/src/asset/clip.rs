use super::cycle::Cycle;

/// A named run of frames of an avatar, which is played forth and back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clip {
    name: String,
    first: u32,
    frames: u32,
}

impl Clip {
    /// `first` is the number of its first frame among all of the avatar.
    pub(crate) fn new(name: String, first: u32, frames: u32) -> Self {
        Self { name, first, frames }
    }

    /// What it was called when the avatar was made: idle, listening, thinking, …
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its frames; its base cycle is twice as long.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// The positions of its base cycle, as [`Frame::cycle_index`](crate::Frame::cycle_index) counts them: forth over the first
    /// half of them, back over the second.
    pub fn positions(&self) -> std::ops::Range<u32> {
        2 * self.first..2 * (self.first + self.frames)
    }

    pub(crate) fn cycle(&self) -> Cycle {
        Cycle::new(self.first, self.frames)
    }
}

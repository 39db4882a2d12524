use std::time::Duration;

use crate::pool::Lent;
use crate::time::UtteranceId;

/// The order of bytes in one pixel.
///
/// Alpha is that of the avatar, straight and not multiplied into the colours; 255 for an avatar that has none. Three bytes have the
/// stored colours, background and all: as filmed, or the person's carried on where a green or blue screen was taken out.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Three bytes: red, green, blue.
    #[default]
    Rgb8,
    /// Four bytes: red, green, blue, alpha. Unity's `RGBA32`.
    Rgba8,
    /// Four bytes: blue, green, red, alpha. Unreal's `PF_B8G8R8A8`.
    Bgra8,
}

impl PixelFormat {
    /// Bytes in one pixel: 3 or 4.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Rgb8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
        }
    }
}

/// A rectangle of pixels; `x` and `y` are its left upper corner.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a rectangle has four numbers")]
pub struct Region {
    /// Pixels from the left edge.
    pub x: u32,
    /// Pixels from the upper edge.
    pub y: u32,
    /// Pixels per row; 0 for an empty region.
    pub width: u32,
    /// Rows; 0 for an empty region.
    pub height: u32,
}

/// What a frame is made of; it lives in the session's pool and is lent out.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffer {
    pub(crate) pixels: Vec<u8>,
    pub(crate) audio: Vec<f32>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) format: PixelFormat,
    pub(crate) index: u64,
    pub(crate) utterance: Option<UtteranceId>,
    pub(crate) utterance_frame: u64,
    pub(crate) pts: Duration,
    pub(crate) cycle_index: u32,
    pub(crate) clip: u32,
    pub(crate) region: Region,
}

/// One finished picture with the samples that sound while it is on screen.
///
/// Lent from the session's pool and given back when dropped, from any thread, also after the avatar has gone.
/// Hold only a few at a time: the pool has as many as [`AvatarOptions::frames_lent`](crate::AvatarOptions::frames_lent).
#[derive(Debug)]
pub struct Frame {
    pub(crate) buffer: Lent<FrameBuffer>,
}

impl Frame {
    /// Rows from top to bottom, `stride() · height()` bytes.
    pub fn pixels(&self) -> &[u8] {
        &self.buffer.pixels
    }

    /// Pixels per row.
    pub fn width(&self) -> u32 {
        self.buffer.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.buffer.height
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        self.buffer.width as usize * self.buffer.format.bytes()
    }

    /// How to read a pixel.
    pub fn format(&self) -> PixelFormat {
        self.buffer.format
    }

    /// The number of this picture among all that the reader has handed out, from 0. Never repeats.
    pub fn index(&self) -> u64 {
        self.buffer.index
    }

    /// The utterance whose speech this picture shows; `None` for idle and closing pictures.
    pub fn utterance(&self) -> Option<UtteranceId> {
        self.buffer.utterance
    }

    /// The number of this picture in its utterance, from 0; 0 for idle pictures.
    pub fn utterance_frame(&self) -> u64 {
        self.buffer.utterance_frame
    }

    /// When to show it.
    ///
    /// | read by | time since |
    /// |---|---|
    /// | [`next_frame`](crate::FrameReader::next_frame), speech from [`latest_at`](crate::FrameReader::latest_at) | the first sample of its utterance |
    /// | idle from [`latest_at`](crate::FrameReader::latest_at) | the reader was opened |
    /// | [`paced`](crate::FrameReader::paced) | the first call |
    pub fn pts(&self) -> Duration {
        self.buffer.pts
    }

    /// The samples that sound while this picture is on screen, mono, at the pushed rate.
    ///
    /// Those of consecutive speech frames tile the utterance exactly; the last may be short. Idle frames have none,
    /// except from [`paced`](crate::FrameReader::paced), where every frame has exactly its period's samples.
    pub fn audio(&self) -> &[f32] {
        &self.buffer.audio
    }

    /// The position in the base cycle: `0..2·frames` for an avatar of one clip; those of several stand one after another, as
    /// [`Clip::positions`](crate::Clip::positions) says.
    pub fn cycle_index(&self) -> u32 {
        self.buffer.cycle_index
    }

    /// The clip that it belongs to, as an index of [`AvatarAsset::clips`](crate::AvatarAsset::clips).
    pub fn clip(&self) -> usize {
        self.buffer.clip as usize
    }

    /// Where this picture differs from base frame [`cycle_index`](Self::cycle_index): the mouth. Empty while idle, unless the
    /// avatar [closes mouths](crate::AvatarAsset::has_closed_mouths); the whole picture while one clip gives way to another.
    pub fn region(&self) -> Region {
        self.buffer.region
    }

    /// Where this picture may differ from the one with number `previous`: the whole picture, or nothing if it is the same.
    pub fn changed_since(&self, previous: u64) -> Region {
        if previous == self.buffer.index {
            return Region::default();
        }
        Region { x: 0, y: 0, width: self.buffer.width, height: self.buffer.height }
    }
}

use musetalk_core::{Frame, PixelFormat, Region};

use crate::boundary::{Out, boundary, growing};
use crate::musetalk_status;
use crate::object::Table;
use crate::status::{Failure, Result};

/// The order of bytes in one pixel. Passed as uint32_t.
#[repr(u32)]
pub enum musetalk_pixel_format {
    /// Red, green, blue.
    Rgb8 = 0,
    /// Red, green, blue, alpha; alpha is 255 unless the avatar was prepared with it. Unity's RGBA32.
    Rgba8 = 1,
    /// Blue, green, red, alpha; alpha as above. Unreal's PF_B8G8R8A8.
    Bgra8 = 2,
}

/// A rectangle of pixels; x and y are its left upper corner. Width and height are 0 when it is empty. Never grows.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_region {
    /// Pixels from the left edge.
    pub x: u32,
    /// Pixels from the upper edge.
    pub y: u32,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// One finished picture with its sound, lent from the avatar's pool. Set struct_size before acquiring, give it back with
/// musetalk_frame_release.
///
/// When pts_nanos counts from: speech, the first sample of its utterance; idle pictures of acquire_latest, the opening of the avatar;
/// acquire_paced, the first call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_frame {
    /// sizeof(musetalk_frame) as you compiled it.
    pub struct_size: usize,
    /// Rows from top to bottom, stride * height bytes. Read only. NULL after release.
    pub pixels: *const u8,
    /// The samples that sound while this is on screen, mono, -1..1, at the avatar's rate. Speech frames tile their utterance exactly; the
    /// last may be short. Idle frames have none, except from acquire_paced, where every frame has exactly its period's.
    pub samples: *const f32,
    /// How many samples there are.
    pub sample_count: usize,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
    /// A musetalk_pixel_format.
    pub format: u32,
    /// Counts the pictures this avatar has handed out, from 0.
    pub index: u64,
    /// The utterance whose speech this shows; 0 for idle and closing pictures.
    pub utterance: u64,
    /// Its number in the utterance, from 0.
    pub utterance_frame: u64,
    /// When to show it, in nanoseconds.
    pub pts_nanos: i64,
    /// Where it differs from base frame cycle_index; empty while idle, but for closed mouths and the six pictures in which clips fade.
    pub region: musetalk_region,
    /// The base frame it was made for; see musetalk_avatar_base_frame.
    pub cycle_index: u32,
    /// The clip that base frame belongs to; see musetalk_avatar_clip.
    pub clip: u32,
    /// Private: who it is given back to. 0 after release.
    pub owner: u64,
}

growing!(musetalk_frame, owner: u64);

static FRAMES: Table<Frame> = Table::new(3, "frame");

/// Gives a frame back and empties the struct, so that a second release does nothing. NULL is fine. Never waits.
///
/// Thread safety: any thread, also after the avatar has gone; one thread at a time for one struct.
/// Returns INVALID_INPUT for a frame that was released through a copy of the struct.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_frame_release(frame: *mut musetalk_frame) -> musetalk_status {
    boundary(std::ptr::null_mut(), || {
        if frame.is_null() {
            return Ok(musetalk_status::Ok);
        }
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(frame, "frame") }?;
        let held = out.read();
        let (pixels, samples) = (std::ptr::null(), std::ptr::null());
        out.write(&musetalk_frame { pixels, samples, sample_count: 0, owner: 0, ..held });
        if held.owner != 0 {
            FRAMES.remove(held.owner, |_| ())?;
        }
        Ok(musetalk_status::Ok)
    })
}

/// Lends a frame to the host.
pub(crate) fn lend(frame: Frame, out: Out<musetalk_frame>) -> Result<()> {
    let (audio, pixels, region) = (frame.audio(), frame.pixels(), frame.region());
    let mut lent = musetalk_frame {
        struct_size: 0,
        pixels: pixels.as_ptr(),
        samples: if audio.is_empty() { std::ptr::null() } else { audio.as_ptr() },
        sample_count: audio.len(),
        width: frame.width(),
        height: frame.height(),
        stride: u32::try_from(frame.stride()).unwrap_or(u32::MAX),
        format: format_number(frame.format()),
        index: frame.index(),
        utterance: frame.utterance().map_or(0, |utterance| utterance.get()),
        utterance_frame: frame.utterance_frame(),
        pts_nanos: i64::try_from(frame.pts().as_nanos()).unwrap_or(i64::MAX),
        region: region_of(region),
        cycle_index: frame.cycle_index(),
        clip: u32::try_from(frame.clip()).unwrap_or(0),
        owner: 0,
    };
    // The buffers stay where they are when the frame moves.
    lent.owner = FRAMES.add(frame)?;
    out.write(&lent);
    Ok(())
}

fn region_of(region: Region) -> musetalk_region {
    musetalk_region { x: region.x, y: region.y, width: region.width, height: region.height }
}

pub(crate) fn format_number(format: PixelFormat) -> u32 {
    (match format {
        PixelFormat::Rgba8 => musetalk_pixel_format::Rgba8,
        PixelFormat::Bgra8 => musetalk_pixel_format::Bgra8,
        _ => musetalk_pixel_format::Rgb8,
    }) as u32
}

pub(crate) fn format_of(number: u32, name: &str) -> Result<PixelFormat> {
    match number {
        0 => Ok(PixelFormat::Rgb8),
        1 => Ok(PixelFormat::Rgba8),
        2 => Ok(PixelFormat::Bgra8),
        other => Err(Failure::invalid(format!("`{name}` is {other}, which this library does not know"))),
    }
}

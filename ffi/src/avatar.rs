use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

use musetalk_core::{
    AvatarAsset, AvatarOptions, Director, FrameReader, Interrupter, PixelFormat, UtteranceId,
};

use crate::boundary::{Out, Place, boundary, growing, optional_sized, text};
use crate::engine::ENGINES;
use crate::frame::{format_number, format_of};
use crate::half::Half;
use crate::object::Table;
use crate::status::{Failure, Result};
use crate::wake::Bell;
use crate::{musetalk_engine, musetalk_error, musetalk_status};

mod clips;
mod push;
mod read;
mod stats;

pub use clips::*;
use push::Ears;
pub use push::*;
pub use read::*;
pub use stats::*;

/// One talking face: PCM in, frames out. It has two ends, and one thread at a time may be in each: the pushing end (begin, push,
/// finish) and the acquiring end (ready and the three acquires). Everything that takes a const pointer is for any thread.
pub struct musetalk_avatar {
    _private: [u8; 0],
}

/// How an avatar listens and draws. Zero the struct and set struct_size; zero is the default of every field.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_avatar_options {
    /// sizeof(musetalk_avatar_options) as you compiled it.
    pub struct_size: usize,
    /// Rate of the pushed PCM in Hz, 8000 to 192000. 0: 24000.
    pub sample_rate: u32,
    /// A musetalk_pixel_format.
    pub format: u32,
    /// Frames that may be made ahead of the reader, 4 to 1000. 0: 12.
    pub frames_ahead: u32,
    /// Frames that you may hold at the same time, 1 to 1000. 0: 4.
    pub frames_lent: u32,
    /// Seconds of pushed PCM that may wait, 1 to 3600. 0: 120.
    pub buffer_seconds: u32,
    /// Mebibytes of decoded footage that may be held, for all avatars of the person in one format together; longer footage is decoded while it
    /// plays, two frames ahead, on a thread of its own. 0: 160, five seconds of 512 by 512. 1 holds next to nothing.
    pub preload_limit_mib: u32,
}

/// What an avatar is.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_avatar_description {
    /// sizeof(musetalk_avatar_description) as you compiled it.
    pub struct_size: usize,
    /// Audio that must be known beyond the end of a frame before it is made, at most, in nanoseconds.
    pub look_ahead_nanos: i64,
    /// Pixels per row of its frames.
    pub width: u32,
    /// Rows of its frames.
    pub height: u32,
    /// A musetalk_pixel_format.
    pub format: u32,
    /// Rate of the pushed PCM in Hz.
    pub sample_rate: u32,
    /// Frames per second as a fraction: frames …
    pub fps_numerator: u32,
    /// … in this many seconds.
    pub fps_denominator: u32,
    /// Frames of the footage; the base cycle plays them forth and back.
    pub footage_frames: u32,
    /// Positions of the base cycles of all clips: what cycle_index counts to.
    pub cycle_length: u32,
    /// Clips it can play, at least 1; see musetalk_avatar_clip.
    pub clip_count: u32,
    /// Whether the fourth byte of RGBA8 and BGRA8 is a matte, 1, or always 255, 0.
    pub has_alpha: u32,
}

growing!(musetalk_avatar_options, preload_limit_mib: u32);
growing!(musetalk_avatar_description, has_alpha: u32);

/// What stands behind a `musetalk_avatar`.
pub(crate) struct Face {
    ears: Half<Ears>,
    reader: Half<FrameReader>,
    pub(crate) interrupter: Interrupter,
    pub(crate) director: Director,
    asset: Arc<AvatarAsset>,
    format: PixelFormat,
    pub(crate) sample_rate: u32,
    /// Samples that may wait: a longer push can never be taken.
    capacity: usize,
    fps: (u32, u32),
    look_ahead: Duration,
    /// Who is told that the reader has something to read.
    pub(crate) bell: Arc<Bell>,
}

pub(crate) static AVATARS: Table<Face> = Table::new(2, "avatar");

/// Opens a prepared avatar. The first avatar of a file reads it; later ones share what was read. options may be NULL.
///
/// Ownership: free *avatar_out with musetalk_avatar_free. It keeps its engine.
/// Thread safety: any thread, and several at once on one engine.
/// Returns NOT_FOUND, IO, CORRUPT: the file cannot be used. INCOMPATIBLE: it was made for another pack. OUT_OF_MEMORY. INVALID_INPUT: an
/// option is out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_open(
    engine: *const musetalk_engine,
    asset_path: *const c_char,
    options: *const musetalk_avatar_options,
    avatar_out: *mut *mut musetalk_avatar,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let loaded = ENGINES.hold(engine as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let asset = unsafe { text(asset_path, "asset_path") }?;
        // SAFETY: as above.
        let options = checked(&unsafe { optional_sized(options, "options") }?)?;
        // SAFETY: as above.
        let out = unsafe { Place::new(avatar_out, "avatar_out") }?;
        let (format, sample_rate) = (options.format, options.sample_rate);
        let capacity = options.buffer_seconds as usize * sample_rate as usize;
        let look_ahead = loaded.engine.look_ahead(sample_rate)?;
        let avatar = loaded.engine.open_avatar_with(asset, options)?;
        let (interrupter, director, fps) = (avatar.interrupter(), avatar.director(), avatar.fps());
        let (writer, reader) = avatar.split();
        let bell = Arc::new(Bell::default());
        let rung = Arc::clone(&bell);
        // A new reader tells nobody yet.
        let _first = reader.on_news(move || rung.ring());
        let name = AVATARS.add(Face {
            ears: Half::new(Ears::new(writer, sample_rate), TWO_PUSH),
            asset: Arc::clone(reader.asset()),
            reader: Half::new(reader, TWO_ACQUIRE),
            interrupter,
            director,
            format,
            sample_rate,
            capacity,
            fps: (fps.numerator(), fps.denominator()),
            look_ahead,
            bell,
        })?;
        out.write(name as *mut musetalk_avatar);
        Ok(musetalk_status::Ok)
    })
}

/// What this avatar is.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_describe(
    avatar: *const musetalk_avatar,
    description_out: *mut musetalk_avatar_description,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(description_out, "description_out") }?;
        out.write(&musetalk_avatar_description {
            struct_size: 0,
            look_ahead_nanos: nanos(face.look_ahead),
            width: face.asset.width(),
            height: face.asset.height(),
            format: format_number(face.format),
            sample_rate: face.sample_rate,
            fps_numerator: face.fps.0,
            fps_denominator: face.fps.1,
            footage_frames: face.asset.frames(),
            cycle_length: face.asset.frames() * 2,
            clip_count: u32::try_from(face.asset.clips().len()).unwrap_or(u32::MAX),
            has_alpha: u32::from(face.asset.has_alpha()),
        });
        Ok(musetalk_status::Ok)
    })
}

/// Barge-in: cuts everything pushed so far. Queued sound and frames are dropped, the mouth closes within four frames, and push takes nothing
/// until the next begin. utterance_out, which may be NULL, receives the last utterance that this cut, or 0. Lock-free.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_interrupt(
    avatar: *const musetalk_avatar,
    utterance_out: *mut u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let cut = AVATARS.hold(avatar as u64)?.interrupter.interrupt();
        if !utterance_out.is_null() {
            // SAFETY: the caller's promise, see the crate's docs.
            unsafe { utterance_out.write(cut.map_or(0, |utterance| utterance.get())) };
        }
        Ok(musetalk_status::Ok)
    })
}

/// Cuts this utterance and all before it, and never touches a later one. Lock-free.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT for utterance 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_interrupt_through(
    avatar: *const musetalk_avatar,
    utterance: u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        let utterance = UtteranceId::new(utterance)
            .ok_or_else(|| Failure::invalid("`utterance` is 0; they count from 1"))?;
        face.interrupter.interrupt_through(utterance);
        Ok(musetalk_status::Ok)
    })
}

/// Ends the session for good: every call on both ends returns CLOSED from now on, but for a push of zero samples, and a waiting one returns
/// within 20 ms. The avatar is still to be freed. Never waits; any number of times.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_close(
    avatar: *const musetalk_avatar,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        AVATARS.hold(avatar as u64)?.interrupter.close();
        Ok(musetalk_status::Ok)
    })
}

/// Closes and frees an avatar. NULL is fine. Frames still lent stay valid until released. A thread that is inside a call on it gets CLOSED, and the
/// memory goes with the last one out.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT for one that was freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_free(avatar: *mut musetalk_avatar) -> musetalk_status {
    boundary(std::ptr::null_mut(), || {
        if !avatar.is_null() {
            AVATARS.remove(avatar as u64, |face| {
                face.interrupter.close();
                face.bell.end();
            })?;
        }
        Ok(musetalk_status::Ok)
    })
}

fn checked(raw: &musetalk_avatar_options) -> Result<AvatarOptions> {
    let mut options = AvatarOptions::default();
    options.format = format_of(raw.format, "options.format")?;
    if raw.sample_rate != 0 {
        options.sample_rate = raw.sample_rate;
    }
    if raw.frames_ahead != 0 {
        options.frames_ahead = raw.frames_ahead as usize;
    }
    if raw.frames_lent != 0 {
        options.frames_lent = raw.frames_lent as usize;
    }
    if raw.buffer_seconds != 0 {
        options.buffer_seconds = raw.buffer_seconds;
    }
    if raw.preload_limit_mib != 0 {
        options.preload_limit = u64::from(raw.preload_limit_mib) << 20;
    }
    Ok(options)
}

pub(crate) fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

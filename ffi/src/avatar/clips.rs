use std::ffi::c_char;

use super::{AVATARS, musetalk_avatar};
use crate::boundary::{Out, boundary, growing, slice_mut, text};
use crate::status::Failure;
use crate::{musetalk_error, musetalk_status};

/// A named stretch of an avatar's footage, which is played forth and back.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_clip {
    /// sizeof(musetalk_clip) as you compiled it.
    pub struct_size: usize,
    /// What it was called when the avatar was made: idle, listening, thinking, …; UTF-8, NUL-terminated.
    pub name: [c_char; 264],
    /// The first cycle_index of its base cycle …
    pub cycle_first: u32,
    /// … and how many there are.
    pub cycle_length: u32,
}

growing!(musetalk_clip, cycle_length: u32);

/// Copies the base frame at a position of a base cycle, in the avatar's format: rows from top to bottom, width * 3 or 4 bytes each, together
/// pixel_bytes. A host may keep them all on its GPU, and upload only musetalk_frame.region of each frame. Reads and decodes the frame on
/// this thread, unless the footage is short enough to be held decoded.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT when cycle_index is not below cycle_length, or pixel_bytes is not the size of a picture. CORRUPT, IO: the file was
/// changed meanwhile. OUT_OF_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_base_frame(
    avatar: *const musetalk_avatar,
    cycle_index: u32,
    pixels: *mut u8,
    pixel_bytes: usize,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        let length = face.asset.frames() * 2;
        if cycle_index >= length {
            return Err(Failure::invalid(format!(
                "`cycle_index` is {cycle_index}; it must be below {length}"
            )));
        }
        let bytes = face.asset.width() as usize * face.asset.height() as usize * face.format.bytes();
        if pixel_bytes != bytes {
            return Err(Failure::invalid(format!(
                "`pixel_bytes` is {pixel_bytes}; a picture of this avatar has {bytes}"
            )));
        }
        // SAFETY: the caller's promise, see the crate's docs.
        let pixels = unsafe { slice_mut(pixels, pixel_bytes, "pixels") }?;
        face.asset.copy_base_frame(cycle_index, face.format, pixels)?;
        Ok(musetalk_status::Ok)
    })
}

/// One of the avatar's clips, by its number from 0 on. The first is the one that plays until another is asked for.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT when clip_index is not below clip_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_clip(
    avatar: *const musetalk_avatar,
    clip_index: u32,
    clip_out: *mut musetalk_clip,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(clip_out, "clip_out") }?;
        let clips = face.asset.clips();
        let Some(clip) = clips.get(clip_index as usize) else {
            return Err(Failure::invalid(format!(
                "`clip_index` is {clip_index}; this avatar has {} clips",
                clips.len()
            )));
        };
        let positions = clip.positions();
        let mut name = [0; 264];
        // The name of a clip has at most 256 bytes, and no NUL.
        for (to, from) in name[..263].iter_mut().zip(clip.name().bytes()) {
            *to = from as c_char;
        }
        out.write(&musetalk_clip {
            struct_size: 0,
            name,
            cycle_first: positions.start,
            cycle_length: positions.end - positions.start,
        });
        Ok(musetalk_status::Ok)
    })
}

/// Asks for the clip of this name; the one asked for last counts. It changes at the next natural cut: while idle where the footage turns, or
/// after 50 frames, and with the first frame of an utterance, never inside one; the clip before fades out over six pictures. Lock-free.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT for a name that no clip has; the error lists those there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_request_clip(
    avatar: *const musetalk_avatar,
    name: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let name = unsafe { text(name, "name") }?;
        face.director.request_clip(name)?;
        Ok(musetalk_status::Ok)
    })
}

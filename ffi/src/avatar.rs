use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use musetalk_core::{
    AvatarAsset, AvatarOptions, Frame, FrameReader, Heard, Interrupter, PcmWriter, PixelFormat, UtteranceId,
};

use crate::boundary::{Out, Place, boundary, growing, optional_sized, shared, slice, text};
use crate::engine::ENGINES;
use crate::frame::{format_number, format_of, lend};
use crate::half::{Guard, Half};
use crate::object::Table;
use crate::status::{Failure, Result};
use crate::{musetalk_engine, musetalk_error, musetalk_frame, musetalk_status};

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
    /// Zero.
    pub reserved: u32,
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
    /// Positions of the base cycle: what cycle_index counts to.
    pub cycle_length: u32,
}

/// How much of an utterance the listener has heard. Never grows.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_heard {
    /// The utterance that is sounding, from 1; 0 for none.
    pub utterance: u64,
    /// Samples of it that have left the loudspeaker, at the pushed rate: from the clock of the audio device.
    pub samples: u64,
}

/// What a session has done so far. A snapshot: its numbers may be a frame apart from each other.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_stats {
    /// sizeof(musetalk_stats) as you compiled it.
    pub struct_size: usize,
    /// Frames that went through the networks.
    pub made: u64,
    /// Speech frames that needed no network, because there was silence.
    pub still: u64,
    /// Frames handed to you, idle ones included.
    pub shown: u64,
    /// Frames never made, because they would have been late.
    pub skipped: u64,
    /// Frames made but overtaken before you asked.
    pub late: u64,
    /// Periods of acquire_paced in which an utterance had no frame ready.
    pub under_runs: u64,
    /// Half of the frames were ready within this time after their audio was in, rounded up to a power of two milliseconds.
    pub latency_p50_nanos: i64,
    /// 99 of 100 were.
    pub latency_p99_nanos: i64,
    /// One call on average: resampling, spectrum, gate.
    pub listen_nanos: i64,
    /// The audio encoder.
    pub hear_nanos: i64,
    /// The generator.
    pub generate_nanos: i64,
    /// The decoder.
    pub decode_nanos: i64,
    /// Resizing, blending and copying, on your thread.
    pub compose_nanos: i64,
}

growing!(musetalk_avatar_options, reserved: u32);
growing!(musetalk_avatar_description, cycle_length: u32);
growing!(musetalk_stats, compose_nanos: i64);

/// What stands behind a `musetalk_avatar`.
pub(crate) struct Face {
    ears: Half<Ears>,
    reader: Half<FrameReader>,
    pub(crate) interrupter: Interrupter,
    asset: Arc<AvatarAsset>,
    format: PixelFormat,
    pub(crate) sample_rate: u32,
    /// Samples that may wait: a longer push can never be taken.
    capacity: usize,
    fps: (u32, u32),
    look_ahead: Duration,
}

/// The pushing end.
struct Ears {
    writer: Option<PcmWriter>,
    /// Where a conversation puts the writer back when it is over.
    parked: Arc<Mutex<Option<PcmWriter>>>,
    /// For samples of 16 bits. Has room for a second from the start.
    floats: Vec<f32>,
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
        let (interrupter, fps) = (avatar.interrupter(), avatar.fps());
        let (writer, reader) = avatar.split();
        let ears = Ears {
            writer: Some(writer),
            parked: Arc::default(),
            floats: Vec::with_capacity(sample_rate as usize),
        };
        let name = AVATARS.add(Face {
            ears: Half::new(ears),
            asset: Arc::clone(reader.asset()),
            reader: Half::new(reader),
            interrupter,
            format,
            sample_rate,
            capacity,
            fps: (fps.numerator(), fps.denominator()),
            look_ahead,
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
        });
        Ok(musetalk_status::Ok)
    })
}

/// The base frame at a position of the cycle, in the avatar's format: stride is width * 3 or 4, rows from top to bottom. A host may keep
/// them all on its GPU, and upload only musetalk_frame.region of each frame. The first call may convert the whole footage.
///
/// Ownership: the pixels belong to the avatar and live as long.
/// Thread safety: any thread.
/// Returns INVALID_INPUT when cycle_index is not below cycle_length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_base_frame(
    avatar: *const musetalk_avatar,
    cycle_index: u32,
    pixels_out: *mut *const u8,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Place::new(pixels_out, "pixels_out") }?;
        let length = face.asset.frames() * 2;
        if cycle_index >= length {
            return Err(Failure::invalid(format!(
                "`cycle_index` is {cycle_index}; it must be below {length}"
            )));
        }
        out.write(face.asset.base_frame_as(cycle_index, face.format).as_ptr());
        Ok(musetalk_status::Ok)
    })
}

/// Begins the next utterance, and finishes the one that is open. The first push after an end implies it. utterance_out, which may be
/// NULL, receives its number, from 1. Never blocks, never allocates.
///
/// Thread safety: the pushing end.
/// Returns BUFFER_FULL when more than a hundred utterances wait to be read. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_begin(
    avatar: *mut musetalk_avatar,
    utterance_out: *mut u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        let utterance = face.enter_ears()?.writer()?.begin()?;
        if !utterance_out.is_null() {
            // SAFETY: the caller's promise, see the crate's docs.
            unsafe { utterance_out.write(utterance.get()) };
        }
        Ok(musetalk_status::Ok)
    })
}

/// Appends mono PCM, float in -1..1, at the avatar's sample rate: all of it, or on a failure nothing. Never blocks, never allocates:
/// safe on an audio thread.
///
/// Ownership: the samples are copied.
/// Thread safety: the pushing end.
/// Returns BUFFER_FULL: retry after frames were read. INTERRUPTED: the utterance was cut; begin the next. INVALID_INPUT: a sample is no finite
/// number. CLOSED. Zero samples are OK and do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_push(
    avatar: *mut musetalk_avatar,
    pcm: *const f32,
    sample_count: usize,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let pcm = unsafe { slice(pcm, sample_count, "pcm", (face.capacity, musetalk_status::BufferFull)) }?;
        let mut ears = face.enter_ears()?;
        if !pcm.is_empty() {
            ears.writer()?.push(pcm)?;
        }
        Ok(musetalk_status::Ok)
    })
}

/// musetalk_avatar_push for samples of 16 bits. Allocates only for more than a second at once.
///
/// Ownership: the samples are copied.
/// Thread safety: the pushing end.
/// Returns what musetalk_avatar_push returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_push_i16(
    avatar: *mut musetalk_avatar,
    pcm: *const i16,
    sample_count: usize,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let pcm = unsafe { slice(pcm, sample_count, "pcm", (face.capacity, musetalk_status::BufferFull)) }?;
        let mut ears = face.enter_ears()?;
        let mut floats = std::mem::take(&mut ears.floats);
        floats.clear();
        floats.extend(pcm.iter().map(|&sample| f32::from(sample) / 32_768.0));
        let pushed =
            ears.writer().and_then(|writer| if pcm.is_empty() { Ok(()) } else { Ok(writer.push(&floats)?) });
        ears.floats = floats;
        pushed.map(|()| musetalk_status::Ok)
    })
}

/// Ends the utterance: every frame still owed is made. Without an open utterance there is nothing to end.
///
/// Thread safety: the pushing end.
/// Returns INTERRUPTED when the utterance was cut. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_finish(
    avatar: *mut musetalk_avatar,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        AVATARS.hold(avatar as u64)?.enter_ears()?.writer()?.finish()?;
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

/// Up to where the utterance that plays, or plays next, has its frames: start its sound when this returns OK, not before. Never waits.
///
/// Thread safety: the acquiring end.
/// Returns NO_FRAME until its first frames are ready, and leaves heard_out alone then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_ready(
    avatar: *mut musetalk_avatar,
    heard_out: *mut musetalk_heard,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Place::new(heard_out, "heard_out") }?;
        let ready = face.enter_reader()?.ready()?;
        let Some(heard) = ready else { return Ok(musetalk_status::NoFrame) };
        out.write(musetalk_heard { utterance: heard.utterance.get(), samples: heard.samples });
        Ok(musetalk_status::Ok)
    })
}

/// Waits for the next speech frame, in order, skipping none: for recording. timeout_nanos: 0 looks and returns, negative waits without limit.
///
/// Ownership: on OK, give the frame back with musetalk_frame_release.
/// Thread safety: the acquiring end. musetalk_avatar_close from any thread ends the wait.
/// Returns END_OF_UTTERANCE once for every utterance that was finished or cut; the next call goes on with the next one. TIMED_OUT. BUFFER_FULL:
/// you hold every frame that may be lent. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_acquire_next(
    avatar: *mut musetalk_avatar,
    timeout_nanos: i64,
    frame_out: *mut musetalk_frame,
    error: *mut musetalk_error,
) -> musetalk_status {
    // SAFETY: the caller's promise, see the crate's docs.
    unsafe {
        acquire(avatar, frame_out, error, musetalk_status::EndOfUtterance, |reader| {
            Ok(match timeout(timeout_nanos) {
                Some(time) => reader.next_frame_within(time)?,
                None => reader.next_frame()?,
            })
        })
    }
}

/// The newest picture due when `heard` has left the loudspeaker; frames that it overtakes are dropped. Call it once per rendered
/// picture. Never waits; draws on the calling thread. NULL, or utterance 0, or one that is unknown, cut or heard to its end, shows idle
/// footage; so does a position that stands still for 120 ms.
///
/// Ownership: on OK, give the frame back with musetalk_frame_release.
/// Thread safety: the acquiring end.
/// Returns NO_FRAME when the picture on screen is still right. BUFFER_FULL: you hold every frame that may be lent. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_acquire_latest(
    avatar: *mut musetalk_avatar,
    heard: *const musetalk_heard,
    frame_out: *mut musetalk_frame,
    error: *mut musetalk_error,
) -> musetalk_status {
    // SAFETY: the caller's promise, see the crate's docs.
    let heard = unsafe { shared(heard, "heard") }.ok().and_then(heard_of);
    // SAFETY: as above.
    unsafe {
        acquire(avatar, frame_out, error, musetalk_status::NoFrame, |reader| Ok(reader.latest_at(heard)?))
    }
}

/// The picture of the next frame period with exactly the samples of that period: speech once its first frames are ready, idle footage and
/// silence otherwise. For servers and virtual cameras: call it once per period, by any clock. Never waits.
///
/// Ownership: on OK, give the frame back with musetalk_frame_release.
/// Thread safety: the acquiring end.
/// Returns BUFFER_FULL: you hold every frame that may be lent. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_acquire_paced(
    avatar: *mut musetalk_avatar,
    frame_out: *mut musetalk_frame,
    error: *mut musetalk_error,
) -> musetalk_status {
    // SAFETY: the caller's promise, see the crate's docs.
    unsafe { acquire(avatar, frame_out, error, musetalk_status::NoFrame, |reader| Ok(Some(reader.paced()?))) }
}

/// What this session has done so far. Reads a few numbers.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_stats(
    avatar: *const musetalk_avatar,
    stats_out: *mut musetalk_stats,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(stats_out, "stats_out") }?;
        let stats = face.interrupter.stats();
        out.write(&musetalk_stats {
            struct_size: 0,
            made: stats.made,
            still: stats.still,
            shown: stats.shown,
            skipped: stats.skipped,
            late: stats.late,
            under_runs: stats.under_runs,
            latency_p50_nanos: nanos(stats.latency(0.5)),
            latency_p99_nanos: nanos(stats.latency(0.99)),
            listen_nanos: nanos(stats.listen.mean()),
            hear_nanos: nanos(stats.hear.mean()),
            generate_nanos: nanos(stats.generate.mean()),
            decode_nanos: nanos(stats.decode.mean()),
            compose_nanos: nanos(stats.compose.mean()),
        });
        Ok(musetalk_status::Ok)
    })
}

/// Ends the session for good: every call on both ends returns CLOSED from now on, and a waiting one returns within 20 ms. The avatar is
/// still to be freed. Lock-free; any number of times.
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
            AVATARS.remove(avatar as u64, |face| face.interrupter.close())?;
        }
        Ok(musetalk_status::Ok)
    })
}

/// # Safety
///
/// As for every function of the interface.
unsafe fn acquire(
    avatar: *mut musetalk_avatar,
    frame_out: *mut musetalk_frame,
    error: *mut musetalk_error,
    none: musetalk_status,
    read: impl FnOnce(&mut FrameReader) -> Result<Option<Frame>>,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: promised by the caller.
        let out = unsafe { Out::new(frame_out, "frame_out") }?;
        match read(&mut *face.enter_reader()?)? {
            Some(frame) => lend(frame, out).map(|()| musetalk_status::Ok),
            None => Ok(none),
        }
    })
}

impl Face {
    fn enter_ears(&self) -> Result<Guard<'_, Ears>> {
        self.ears.enter("pushing")
    }

    fn enter_reader(&self) -> Result<Guard<'_, FrameReader>> {
        self.reader.enter("acquiring")
    }

    /// The writer, and where to put it back. For a conversation that speaks through this avatar.
    #[cfg(feature = "realtime")]
    pub(crate) fn take_writer(&self) -> Result<(PcmWriter, Arc<Mutex<Option<PcmWriter>>>)> {
        let mut ears = self.enter_ears()?;
        ears.writer()?;
        let writer = ears.writer.take().ok_or_else(lent_out)?;
        Ok((writer, Arc::clone(&ears.parked)))
    }
}

impl Ears {
    fn writer(&mut self) -> Result<&mut PcmWriter> {
        if self.writer.is_none() {
            self.writer = self.parked.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        self.writer.as_mut().ok_or_else(lent_out)
    }
}

fn lent_out() -> Failure {
    Failure::invalid("a conversation speaks through this avatar; free it before pushing by hand")
}

fn checked(raw: &musetalk_avatar_options) -> Result<AvatarOptions> {
    if raw.reserved != 0 {
        return Err(Failure::invalid("`options.reserved` must be 0"));
    }
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
    Ok(options)
}

/// What was heard; `None` where no utterance is named.
pub(crate) fn heard_of(heard: &musetalk_heard) -> Option<Heard> {
    UtteranceId::new(heard.utterance).map(|utterance| Heard { utterance, samples: heard.samples })
}

/// `None` waits without limit.
pub(crate) fn timeout(nanos: i64) -> Option<Duration> {
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

pub(crate) fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

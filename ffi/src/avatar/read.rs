use std::time::Duration;

use musetalk_core::{Frame, FrameReader, Heard, UtteranceId};

use super::{AVATARS, Face, musetalk_avatar};
use crate::boundary::{Out, Place, boundary, shared};
use crate::frame::lend;
use crate::half::Guard;
use crate::status::Result;
use crate::{musetalk_error, musetalk_frame, musetalk_status};

/// What a second thread is told.
pub(super) const TWO_ACQUIRE: &str = "two threads are acquiring at once; one at a time may be in this end";

/// How much of an utterance the listener has heard. Never grows.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_heard {
    /// The utterance that is sounding, from 1; 0 for none.
    pub utterance: u64,
    /// Samples of it that have left the loudspeaker, at the pushed rate: from the clock of the audio device.
    pub samples: u64,
}

/// Up to where the utterance that plays, or plays next, has its frames: start its sound when this returns OK, not before. Never waits. One that is
/// ready wants to be started, or interrupted: until then acquire_latest's idle footage walks to its first frame and waits there.
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
/// footage; so does a position that stands still for 120 ms. While an utterance is ready that you have not started, idle footage walks to its
/// first frame and waits there: start it, by naming its position, or interrupt it.
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
    fn enter_reader(&self) -> Result<Guard<'_, FrameReader>> {
        self.reader.enter()
    }
}

/// What was heard; `None` where no utterance is named.
pub(crate) fn heard_of(heard: &musetalk_heard) -> Option<Heard> {
    UtteranceId::new(heard.utterance).map(|utterance| Heard { utterance, samples: heard.samples })
}

/// `None` waits without limit.
pub(crate) fn timeout(nanos: i64) -> Option<Duration> {
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

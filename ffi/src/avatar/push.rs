use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "realtime")]
use musetalk_core::ErrorKind;
use musetalk_core::PcmWriter;

use super::{AVATARS, Face, musetalk_avatar};
use crate::boundary::{IN_PARTS, boundary, slice};
use crate::half::Guard;
use crate::status::{Failure, Result};
use crate::{musetalk_error, musetalk_status};

/// What a second thread is told.
pub(super) const TWO_PUSH: &str = "two threads are pushing at once; one at a time may be in this end";

/// The pushing end.
pub(super) struct Ears {
    writer: Option<PcmWriter>,
    /// Where a conversation puts the writer back when it is over.
    parked: Arc<Mutex<Option<PcmWriter>>>,
    /// For samples of 16 bits. Has room for a second from the start.
    floats: Vec<f32>,
}

/// Begins the next utterance, and finishes the one that is open. The first push after an end implies it. utterance_out, which may be
/// NULL, receives its number, from 1. Never blocks, never allocates, as musetalk_avatar_push.
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
/// safe on an audio thread. A failure allocates no more than success, but for the sentence that names a sample that is no number, or says why a
/// session broke down.
///
/// Ownership: the samples are copied.
/// Thread safety: the pushing end.
/// Returns BUFFER_FULL: retry after frames were read. INTERRUPTED: the utterance was cut; begin the next. INVALID_INPUT: a sample is no finite
/// number, or there are more than buffer_seconds ever hold; push those in parts. CLOSED. Zero samples are always OK and do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_push(
    avatar: *mut musetalk_avatar,
    pcm: *const f32,
    sample_count: usize,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        let mut ears = face.enter_ears()?;
        // SAFETY: the caller's promise, see the crate's docs.
        let pcm = unsafe { ears.samples(pcm, sample_count, face.capacity) }?;
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
        let mut ears = face.enter_ears()?;
        // SAFETY: the caller's promise, see the crate's docs.
        let pcm = unsafe { ears.samples(pcm, sample_count, face.capacity) }?;
        if pcm.is_empty() {
            return Ok(musetalk_status::Ok);
        }
        let mut floats = std::mem::take(&mut ears.floats);
        floats.clear();
        floats.extend(pcm.iter().map(|&sample| f32::from(sample) / 32_768.0));
        let pushed = ears.writer().and_then(|writer| Ok(writer.push(&floats)?));
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

impl Face {
    fn enter_ears(&self) -> Result<Guard<'_, Ears>> {
        self.ears.enter()
    }

    /// The writer, and where to put it back. For a conversation that speaks through this avatar.
    #[cfg(feature = "realtime")]
    pub(crate) fn take_writer(&self) -> Result<(PcmWriter, Arc<Mutex<Option<PcmWriter>>>)> {
        let mut ears = self.enter_ears()?;
        match ears.writer()?.may_push() {
            // A conversation begins an utterance of its own.
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        let writer = ears.writer.take().ok_or_else(lent_out)?;
        Ok((writer, Arc::clone(&ears.parked)))
    }
}

impl Ears {
    pub(super) fn new(writer: PcmWriter, sample_rate: u32) -> Self {
        Self {
            writer: Some(writer),
            parked: Arc::default(),
            floats: Vec::with_capacity(sample_rate as usize),
        }
    }

    /// What is pushed; more than ever fits is a wrong call, unless nothing is taken any more anyway.
    ///
    /// # Safety
    ///
    /// A non-null `pcm` must be valid for `count` reads for `'a`.
    unsafe fn samples<'a, T>(&mut self, pcm: *const T, count: usize, most: usize) -> Result<&'a [T]> {
        if count > most && !pcm.is_null() {
            self.writer()?.may_push()?;
        }
        // SAFETY: promised by the caller.
        unsafe { slice(pcm, count, "pcm", (most, IN_PARTS)) }
    }

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

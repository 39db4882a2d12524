use std::ffi::c_char;

use crate::boundary::{IN_PARTS, Out, Place, boundary, flag, optional_text, shared, sized, slice, text};
use crate::object::Table;
use crate::status::{Failure, Result};
use crate::{musetalk_error, musetalk_heard, musetalk_status};

mod event;
mod options;

#[cfg(feature = "realtime")]
mod start;
#[cfg(feature = "realtime")]
mod talk;
#[cfg(feature = "realtime")]
mod told;

#[cfg(not(feature = "realtime"))]
#[path = "realtime/absent.rs"]
mod talk;

pub use event::*;
pub use options::*;
use talk::Talk;

/// A live conversation: voice in, voice out, over as many connections as it takes. It has one end, the acquiring of events; everything that
/// takes a const pointer is for any thread. The network lives on threads of the library.
///
/// A library that was built without conversations has all these functions, and they return UNSUPPORTED.
pub struct musetalk_conversation {
    _private: [u8; 0],
}

pub(crate) static CONVERSATIONS: Table<Talk> = Table::new(4, "conversation");

/// Seconds of the person's voice that are taken at once.
const MOST_SECONDS: usize = 60;
/// Bytes of a picture that are looked at, and what to do about more.
const MOST_PICTURE: (usize, &str) = (256 << 20, "send a smaller picture");

/// Begins to connect, and returns at once: READY or CLOSED among the events tells how it goes.
///
/// Ownership: free *conversation_out with musetalk_conversation_free.
/// Thread safety: any thread.
/// Returns INVALID_INPUT: an option cannot work, or the avatar was opened with another rate than the answers have. CLOSED: the avatar is closed.
/// UNAUTHORIZED: no key was given or found. UNSUPPORTED: this library was built without conversations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_start(
    options: *const musetalk_conversation_options,
    conversation_out: *mut *mut musetalk_conversation,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        // SAFETY: the caller's promise, see the crate's docs.
        let options = unsafe { sized(options, "options") }?;
        // SAFETY: as above.
        let out = unsafe { Place::new(conversation_out, "conversation_out") }?;
        // SAFETY: as above, for the texts in it.
        let talk = unsafe { Talk::start(&options) }?;
        out.write(CONVERSATIONS.add(talk)? as *mut musetalk_conversation);
        Ok(musetalk_status::Ok)
    })
}

/// What happened next. timeout_nanos: 0 looks and returns, negative waits without limit. Read often: a session whose events nobody reads is
/// closed in the end.
///
/// Ownership: on OK, give the event back with musetalk_event_release.
/// Thread safety: the acquiring end. musetalk_conversation_close from any thread ends the wait, with a CLOSED event.
/// Returns TIMED_OUT: nothing happened. END_OF_CONVERSATION: it is over, and everything was told.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_acquire_event(
    conversation: *mut musetalk_conversation,
    timeout_nanos: i64,
    event_out: *mut musetalk_event,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(event_out, "event_out") }?;
        match talk.next(crate::avatar::timeout(timeout_nanos))? {
            Some(told) => tell(told, out).map(|()| musetalk_status::Ok),
            None => Ok(musetalk_status::EndOfConversation),
        }
    })
}

/// Adds the person's voice, mono float in -1..1 at input_rate, rounded to 16 bits; what is louder is clamped, and NaN becomes silence. Keep pushing
/// between turns, silence too: the server finds their end in it.
/// What the network cannot carry is dropped, the oldest first; dropped_out, which may be NULL, receives how many samples. Never waits for
/// the network; allocates.
///
/// Ownership: the samples are copied.
/// Thread safety: any thread; from several, the voices are cut into each other.
/// Returns INVALID_INPUT for more than a minute at once. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_push(
    conversation: *const musetalk_conversation,
    pcm: *const f32,
    sample_count: usize,
    dropped_out: *mut u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let pcm = unsafe { slice(pcm, sample_count, "pcm", limit(&talk)) }?;
        // What is no number becomes 0, what is too loud the largest there is.
        let samples: Vec<i16> = pcm.iter().map(|&sample| (sample * 32_768.0).round() as i16).collect();
        // SAFETY: as above.
        unsafe { report(dropped_out, talk.push(&samples)?) }
    })
}

/// musetalk_conversation_push for samples of 16 bits. Allocates only while its ring grows.
///
/// Ownership: the samples are copied.
/// Thread safety: any thread; from several, the voices are cut into each other.
/// Returns INVALID_INPUT for more than a minute at once. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_push_i16(
    conversation: *const musetalk_conversation,
    pcm: *const i16,
    sample_count: usize,
    dropped_out: *mut u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let pcm = unsafe { slice(pcm, sample_count, "pcm", limit(&talk)) }?;
        // SAFETY: as above.
        unsafe { report(dropped_out, talk.push(pcm)?) }
    })
}

/// The person writes this; an answer is asked for. Text that is given while there is no connection is told to the next one.
///
/// Thread safety: any thread.
/// Returns CLOSED. INVALID_INPUT: there is nothing in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_send_text(
    conversation: *const musetalk_conversation,
    text: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        talk.send_text(unsafe { self::text(text, "text") }?)?;
        Ok(musetalk_status::Ok)
    })
}

/// The person shows a picture, a PNG or JPEG file of at most 10 MiB, and says `text` with it, which may be NULL; an answer is asked for.
///
/// Ownership: the bytes are copied.
/// Thread safety: any thread.
/// Returns INVALID_INPUT: it is neither, or too large. UNSUPPORTED: this server takes no pictures. NETWORK: there is no connection now. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_send_image(
    conversation: *const musetalk_conversation,
    file: *const u8,
    byte_count: usize,
    text: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let file = unsafe { slice(file, byte_count, "file", MOST_PICTURE) }?;
        // SAFETY: as above.
        let text = unsafe { optional_text(text, "text") }?;
        talk.send_image(file, text)?;
        Ok(musetalk_status::Ok)
    })
}

/// The person shows a frame of a camera: RGB, 8 bits each, rows from top to bottom without gaps, sides of 1 to 8192. Encodes a JPEG
/// whose longer side has at most 1024 pixels, on the calling thread, some milliseconds; small print is sent as a PNG file. text may be NULL.
///
/// Ownership: the pixels are copied.
/// Thread safety: any thread.
/// Returns what musetalk_conversation_send_image returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_send_pixels(
    conversation: *const musetalk_conversation,
    rgb: *const u8,
    width: u32,
    height: u32,
    text: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        let count = (width as usize).saturating_mul(height as usize).saturating_mul(3);
        // SAFETY: the caller's promise, see the crate's docs.
        let rgb = unsafe { slice(rgb, count, "rgb", MOST_PICTURE) }?;
        // SAFETY: as above.
        let text = unsafe { optional_text(text, "text") }?;
        talk.send_pixels(width, height, rgb, text)?;
        Ok(musetalk_status::Ok)
    })
}

/// Push to talk, key down: cuts what sounds, and listens.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT: turn_detection is not MANUAL. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_talk_press(
    conversation: *const musetalk_conversation,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        CONVERSATIONS.hold(conversation as u64)?.press()?;
        Ok(musetalk_status::Ok)
    })
}

/// Push to talk, key up: the turn is committed, and answered. One below 100 ms is dropped, with TURN_TOO_SHORT among the events.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT: turn_detection is not MANUAL, or the key was not down. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_talk_release(
    conversation: *const musetalk_conversation,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        CONVERSATIONS.hold(conversation as u64)?.release()?;
        Ok(musetalk_status::Ok)
    })
}

/// Cuts what is being made and what sounds, the avatar's mouth included. The model is told what was heard.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_interrupt(
    conversation: *const musetalk_conversation,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        CONVERSATIONS.hold(conversation as u64)?.interrupt();
        Ok(musetalk_status::Ok)
    })
}

/// Tells what has left the loudspeaker: the very value that musetalk_avatar_acquire_latest is given, or what musetalk_frame.utterance and
/// utterance_frame amount to. Report it often: when the person interrupts, this is what the model is told that was heard. samples of
/// UINT64_MAX say that the sound has ended.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_heard(
    conversation: *const musetalk_conversation,
    heard: *const musetalk_heard,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        if let Some(heard) = crate::avatar::heard_of(unsafe { shared(heard, "heard") }?) {
            talk.heard(heard);
        }
        Ok(musetalk_status::Ok)
    })
}

/// The number in musetalk_heard of an answer: see musetalk_event.utterance.
///
/// Thread safety: any thread.
/// Returns NO_FRAME while the avatar has not begun it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_utterance(
    conversation: *const musetalk_conversation,
    answer: u64,
    utterance_out: *mut u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Place::new(utterance_out, "utterance_out") }?;
        let utterance = talk.utterance(answer);
        if utterance == 0 {
            return Ok(musetalk_status::NoFrame);
        }
        out.write(utterance);
        Ok(musetalk_status::Ok)
    })
}

/// Answers a TOOL_CALL. output is free text, JSON by habit; NULL is an empty one. silent of 1: the model takes it in without a word.
///
/// Thread safety: any thread.
/// Returns NOT_FOUND when nobody waits for it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_tool_output(
    conversation: *const musetalk_conversation,
    call_id: *const c_char,
    output: *const c_char,
    silent: u32,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let call_id = unsafe { text(call_id, "call_id") }?;
        // SAFETY: as above.
        let output = unsafe { optional_text(output, "output") }?.unwrap_or("");
        if talk.tool_output(call_id, output, flag(silent, "silent")?) {
            return Ok(musetalk_status::Ok);
        }
        Err(Failure::new(
            musetalk_status::NotFound,
            format!("nobody waits for the output of call {call_id:?}"),
        ))
    })
}

/// Answers an APPROVAL_REQUESTED: approve is 0 or 1; reason may be NULL.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT: nobody asked, or it was answered before. NETWORK: there is no connection now. CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_approve(
    conversation: *const musetalk_conversation,
    request_id: *const c_char,
    approve: u32,
    reason: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let request_id = unsafe { text(request_id, "request_id") }?;
        // SAFETY: as above.
        let reason = unsafe { optional_text(reason, "reason") }?;
        talk.approve(request_id, flag(approve, "approve")?, reason)?;
        Ok(musetalk_status::Ok)
    })
}

/// Asks for an answer although nobody spoke: for a greeting. instructions, which may be NULL, replace the session's for this answer.
///
/// Thread safety: any thread.
/// Returns CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_respond(
    conversation: *const musetalk_conversation,
    instructions: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        talk.respond(unsafe { optional_text(instructions, "instructions") }?)?;
        Ok(musetalk_status::Ok)
    })
}

/// Changes who the model is, from the next answer on and for every later connection. NULL and an empty text leave it without instructions.
///
/// Thread safety: any thread.
/// Returns CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_instruct(
    conversation: *const musetalk_conversation,
    instructions: *const c_char,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        talk.instruct(unsafe { optional_text(instructions, "instructions") }?.unwrap_or(""))?;
        Ok(musetalk_status::Ok)
    })
}

/// What it is doing, and what it has cost so far.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_describe(
    conversation: *const musetalk_conversation,
    description_out: *mut musetalk_conversation_description,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let talk = CONVERSATIONS.hold(conversation as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(description_out, "description_out") }?;
        out.write(&talk.describe());
        Ok(musetalk_status::Ok)
    })
}

/// Ends the session: the connection is closed in an orderly way within a second, a CLOSED event is the last one, and a thread that waits for
/// events wakes. The conversation is still to be freed. Any number of times.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_close(
    conversation: *const musetalk_conversation,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        CONVERSATIONS.hold(conversation as u64)?.close();
        Ok(musetalk_status::Ok)
    })
}

/// Closes and frees a conversation. NULL is fine. Its avatar may be pushed to by hand again, or speak for another conversation, within a second.
/// A thread that is inside a call on it finishes that call, and the memory goes with the last one out.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT for one that was freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_free(
    conversation: *mut musetalk_conversation,
) -> musetalk_status {
    boundary(std::ptr::null_mut(), || {
        if !conversation.is_null() {
            CONVERSATIONS.remove(conversation as u64, Talk::end)?;
        }
        Ok(musetalk_status::Ok)
    })
}

fn limit(talk: &Talk) -> (usize, &'static str) {
    (MOST_SECONDS * talk.input_rate() as usize, IN_PARTS)
}

/// # Safety
///
/// A non-null `dropped_out` is valid for writes.
unsafe fn report(dropped_out: *mut u64, dropped: u64) -> Result<musetalk_status> {
    if !dropped_out.is_null() {
        // SAFETY: promised by the caller.
        unsafe { dropped_out.write(dropped) };
    }
    Ok(musetalk_status::Ok)
}

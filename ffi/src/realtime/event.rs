use std::ffi::{CString, c_char};

use crate::boundary::{Out, boundary, growing};
use crate::musetalk_status;
use crate::object::Table;
use crate::status::Result;

/// What happened. Pass over a value that your header does not name: later releases tell more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum musetalk_event_kind {
    /// Something this release has no word for; text is its name.
    Other = 0,
    /// Reaching the server, and agreeing on the session.
    Connecting = 1,
    /// Everything works.
    Ready = 2,
    /// The connection was lost, and is made again: status and text say why, value is the attempt, from 1.
    Reconnecting = 3,
    /// Over. status is OK when you closed it; else it and text say why.
    Closed = 4,
    /// The face should look like it is doing something else: value is a musetalk_posture.
    Posture = 5,
    /// The server took a change of the session.
    Updated = 6,
    /// The person begins to speak: id names the turn.
    SpeechStarted = 7,
    /// The person has stopped: id names the turn.
    SpeechStopped = 8,
    /// Less than 100 ms between press and release: nothing was sent.
    TurnTooShort = 9,
    /// A piece of what the person says: text, id names the turn.
    UserText = 10,
    /// All of what the person said: text, id names the turn. May come after the answer has begun.
    UserSaid = 11,
    /// What the person said could not be written down: status and text say why, id names the turn.
    UserUnwritten = 12,
    /// A stretch of speech with its speaker: text, label names who, id the turn.
    UserSegment = 13,
    /// An answer will sound: answer is its number, its first samples follow.
    Began = 14,
    /// Samples of an answer, in order, faster than they sound.
    Audio = 15,
    /// All samples of an answer were told. It sounds on.
    Ended = 16,
    /// Stop the sound of this answer now: the person speaks, or you interrupted. The avatar knows already.
    Interrupted = 17,
    /// A piece of what is being said: text, usually ahead of the sound; id names the item.
    Transcript = 18,
    /// All of what is said in a part of an answer: text; id names the item.
    Said = 19,
    /// A piece of a written answer: text; id names the item.
    Text = 20,
    /// A written answer: text; id names the item.
    Wrote = 21,
    /// The model asks for a function: name, and text is the JSON of its arguments as the model wrote it. Answer with
    /// musetalk_conversation_tool_output and this id.
    ToolCall = 22,
    /// May a remote tool run? name, label is its server, text its arguments. Answer with musetalk_conversation_approve and this id.
    ApprovalRequested = 23,
    /// An answer is over on the server; it may sound on. value is a musetalk_response_status, id names it.
    ResponseDone = 24,
    /// What may still be asked for, as JSON in text: [{"name": …, "limit": …, "remaining": …, "reset_seconds": …}, …].
    RateLimits = 25,
    /// Something was refused or went wrong, and the session goes on: status and text; name is the kind of request it is about, where known.
    Problem = 26,
}

/// What the face should look like it is doing.
#[repr(u32)]
pub enum musetalk_posture {
    /// Nothing.
    Idle = 0,
    /// The person speaks.
    Listening = 1,
    /// An answer is on its way.
    Thinking = 2,
    /// A function runs.
    Working = 3,
    /// An answer sounds.
    Speaking = 4,
}

/// How an answer went.
#[repr(u32)]
pub enum musetalk_response_status {
    /// A status of a later protocol, or none.
    Other = 0,
    /// Nothing is missing.
    Completed = 1,
    /// It was stopped, by the person's voice or by you.
    Cancelled = 2,
    /// It could not be made.
    Failed = 3,
    /// It was cut by a limit.
    Incomplete = 4,
}

/// One thing that happened in a conversation. Set struct_size before acquiring, give it back with musetalk_event_release. Which fields say
/// something is told by musetalk_event_kind; texts that say nothing are empty, never NULL.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_event {
    /// sizeof(musetalk_event) as you compiled it.
    pub struct_size: usize,
    /// A musetalk_event_kind.
    pub kind: u32,
    /// A musetalk_status; OK where nothing went wrong.
    pub status: u32,
    /// By kind.
    pub value: u32,
    /// Zero.
    pub reserved: u32,
    /// The conversation's number of the answer that sounds, from 1; 0 where the event is about none.
    pub answer: u64,
    /// The number of that answer in musetalk_heard: the avatar's own where there is one, else equal to answer. 0 while the avatar has not
    /// begun it; musetalk_conversation_utterance tells it later.
    pub utterance: u64,
    /// Mono, 16 bits, at output_rate.
    pub samples: *const i16,
    /// How many samples there are.
    pub sample_count: usize,
    /// By kind.
    pub text: *const c_char,
    /// By kind.
    pub id: *const c_char,
    /// By kind.
    pub name: *const c_char,
    /// By kind.
    pub label: *const c_char,
    /// Private: who it is given back to. 0 after release.
    pub owner: u64,
}

growing!(musetalk_event, owner: u64);

/// What an event holds.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) kind: musetalk_event_kind,
    pub(crate) status: musetalk_status,
    pub(crate) value: u32,
    pub(crate) answer: u64,
    pub(crate) utterance: u64,
    pub(crate) samples: Vec<i16>,
    pub(crate) text: CString,
    pub(crate) id: CString,
    pub(crate) name: CString,
    pub(crate) label: CString,
}

static EVENTS: Table<Told> = Table::new(5, "event");

/// Gives an event back and empties the struct, so that a second release does nothing. NULL is fine. Never waits.
///
/// Thread safety: any thread, also after the conversation has gone; one thread at a time for one struct.
/// Returns INVALID_INPUT for an event that was released through a copy of the struct.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_event_release(event: *mut musetalk_event) -> musetalk_status {
    boundary(std::ptr::null_mut(), || {
        if event.is_null() {
            return Ok(musetalk_status::Ok);
        }
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(event, "event") }?;
        let held = out.read();
        let mut empty = musetalk_event { owner: 0, sample_count: 0, samples: std::ptr::null(), ..held };
        for text in [&mut empty.text, &mut empty.id, &mut empty.name, &mut empty.label] {
            *text = c"".as_ptr();
        }
        out.write(&empty);
        if held.owner != 0 {
            EVENTS.remove(held.owner, |_| ())?;
        }
        Ok(musetalk_status::Ok)
    })
}

/// Lends an event to the host.
pub(crate) fn tell(told: Told, out: Out<musetalk_event>) -> Result<()> {
    let mut event = musetalk_event {
        struct_size: 0,
        kind: told.kind as u32,
        status: told.status as u32,
        value: told.value,
        reserved: 0,
        answer: told.answer,
        utterance: told.utterance,
        samples: if told.samples.is_empty() { std::ptr::null() } else { told.samples.as_ptr() },
        sample_count: told.samples.len(),
        text: told.text.as_ptr(),
        id: told.id.as_ptr(),
        name: told.name.as_ptr(),
        label: told.label.as_ptr(),
        owner: 0,
    };
    // What the texts and the samples point to stays where it is when `told` moves.
    event.owner = EVENTS.add(told)?;
    out.write(&event);
    Ok(())
}

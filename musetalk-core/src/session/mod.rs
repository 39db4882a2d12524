//! What happens between push and frame.
//!
//! ```text
//!  host's audio thread          the engine's one worker thread               host's render thread
//!
//!  Mouthpiece ── inbox ──▶ Listener ─▶ Timeline ─▶ batcher ─▶ networks ── outbox ──▶ Playhead ─▶ Compositor ─▶ Frame
//!   push        samples     resample    which        who is     encode,     patches    which       base frame
//!   finish      and marks   log-mel     frame,       due        generate,   in order   picture     + patch
//!                           gate        where        first      decode                 now         + mask
//!
//!  Interrupter ── one number in Control, seen by all three: every utterance up to it is cut
//! ```
//!
//! Samples are copied once, into the inbox. The worker takes from it no more than the next group of frames needs, so that a
//! burst of minutes waits there and not in intermediate forms. Patches are pooled; a reader who keeps them all stops his
//! own session. Nothing that the reader does waits for the device: idle and closing mouths are composed from what is there.

mod batcher;
pub(crate) mod compositor;
pub(crate) mod control;
pub(crate) mod footage;
mod hold;
pub(crate) mod inbox;
pub(crate) mod listener;
pub(crate) mod outbox;
mod playhead;
pub(crate) mod reader;
mod stats;
mod sync;
mod timeline;
pub(crate) mod worker;

pub use stats::{StageTime, Stats};

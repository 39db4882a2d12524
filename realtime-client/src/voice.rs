//! Where answers sound, and who listens to the person: the two ends that a host may put in.

use std::time::Duration;

use crate::protocol::Role;
use crate::session::Posture;

/// What a [`VoiceSink`] is given, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sound<'a> {
    /// An utterance begins, counted from 1.
    Begin(u64),
    /// Its next samples, at the session's output rate, faster than they sound.
    Samples(u64, &'a [i16]),
    /// It is complete.
    End(u64),
    /// Stop it now.
    Cut(u64),
    /// What the face should look like it is doing.
    Posture(Posture),
}

/// Where answers sound: an avatar, a loudspeaker, a file.
///
/// Called on a thread of this crate as soon as sound arrives, with the session locked: it must neither block nor call back. What
/// does not fit is kept by the sink, and [`tick`](Self::tick) tries again.
pub trait VoiceSink: Send {
    /// The next of an answer.
    fn take(&mut self, sound: Sound<'_>);

    /// Moves on what waits; when to be called next, `None` when nothing waits.
    fn tick(&mut self) -> Option<Duration>;

    /// Samples that wait. Beyond fifteen minutes of them an answer is cancelled.
    fn waiting(&self) -> u64;
}

/// Somebody who listens to the person besides the model: for a mood, for words, for whatever a host wants to know.
///
/// A hint becomes part of the instructions, behind those of the host, until the next one: "the person sounds upset". An answer that this
/// side asks for knows it: to what was written, to a turn of push to talk, and wherever the turn detection does not answer by itself
/// (`create_response` of `false`). A server that answers by itself may have begun before it is told, and knows it from the next answer on.
///
/// See [`Prosody`](crate::emotion::Prosody) for a simple one.
pub trait Sense: Send {
    /// The person's voice as it is sent, at the session's input rate. Called by whoever pushes it: hand work over to a
    /// thread where it takes longer than the sound.
    fn hear(&mut self, pcm: &[i16], rate: u32);

    /// What was said or written, by whom, as soon as its words are known; what the model should know because of it, as in
    /// [`hint`](Self::hint). Of what the person says by voice the words are known some time after its end, and only where the session has
    /// it transcribed.
    fn said(&mut self, role: Role, text: &str) -> Option<String>;

    /// The person has finished: what the model should know, or `None` to leave what it knows. Empty takes the last hint back.
    fn hint(&mut self) -> Option<String>;
}

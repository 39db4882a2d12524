use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::asset::{AvatarAsset, Clip};
use crate::audio::pcm;
use crate::engine::Engine;
use crate::frame::{Frame, PixelFormat};
use crate::session::Stats;
use crate::session::control::{self, Control};
use crate::session::inbox::Mouthpiece;
use crate::session::reader::Reader;
use crate::time::{FrameRate, Heard, UtteranceId};
use crate::{Error, ErrorKind, Result};

/// How one avatar listens and draws.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AvatarOptions {
    /// Rate of the pushed PCM in Hz, 8 000 to 192 000. 24 000 by default, what the Realtime API sends.
    pub sample_rate: u32,
    /// Byte order of the frames.
    pub format: PixelFormat,
    /// Frames that may be made ahead of the reader, 4 to 1000. 12 by default.
    pub frames_ahead: usize,
    /// Frames that the host may hold at the same time, 1 to 1000. 4 by default. Memory is reserved when the avatar opens and
    /// touched by use: a picture each, and one more.
    pub frames_lent: usize,
    /// Bytes of decoded footage that may be held, for all avatars of the person in one format together; longer footage is decoded
    /// while it plays, by one thread and two frames ahead. 160 MiB by default: five seconds of 512×512. 0 holds nothing.
    pub preload_limit: u64,
    /// Seconds of pushed PCM that may wait, 1 to 3600. 120 by default: servers send minutes in a burst. Memory is
    /// reserved when the avatar opens and touched by use: 4 bytes a sample.
    pub buffer_seconds: u32,
}

impl Default for AvatarOptions {
    fn default() -> Self {
        Self {
            sample_rate: 24_000,
            format: PixelFormat::Rgb8,
            frames_ahead: 12,
            frames_lent: 4,
            preload_limit: 160 << 20,
            buffer_seconds: 120,
        }
    }
}

impl AvatarOptions {
    pub(crate) fn check(&self) -> Result<()> {
        pcm::check_rate(self.sample_rate)?;
        within("frames_ahead", self.frames_ahead, 4, 1000)?;
        within("frames_lent", self.frames_lent, 1, 1000)?;
        within("buffer_seconds", self.buffer_seconds as usize, 1, 3600)
    }
}

fn within(name: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, format!("{name} is {value}; it must be {least} to {most}")))
}

/// One talking face: PCM in, frames out.
///
/// `Send`, not `Clone`: [`split`](Self::split) it for two threads. Cheap beside its [`Engine`], which it keeps alive.
#[derive(Debug)]
pub struct Avatar {
    writer: PcmWriter,
    reader: FrameReader,
}

/// The listening end of an [`Avatar`], for one audio or network thread.
///
/// Nothing here blocks or allocates. Dropping it finishes the utterance that is open.
#[derive(Debug)]
pub struct PcmWriter {
    mouthpiece: Mouthpiece,
    _engine: Engine,
}

/// The drawing end of an [`Avatar`], for one render or recording thread.
///
/// | method | for | idle frames | skips | audio |
/// |---|---|---|---|---|
/// | [`next_frame`](Self::next_frame) | recording | no | never; waits | in each frame |
/// | [`latest_at`](Self::latest_at) | who plays the sound himself | yes, from the live clock | late frames | the host's |
/// | [`paced`](Self::paced) | servers: one call, one frame period | yes | never | each frame's period exactly |
///
/// Choose one of the three and stay with it.
#[derive(Debug)]
pub struct FrameReader {
    reader: Reader,
    _engine: Engine,
}

/// Cuts utterances, ends the session and reads its figures, from any thread.
#[derive(Clone, Debug)]
pub struct Interrupter {
    control: Arc<Control>,
}

/// Asks for clips, from any thread.
#[derive(Clone, Debug)]
pub struct Director {
    control: Arc<Control>,
    asset: Arc<AvatarAsset>,
}

impl Avatar {
    pub(crate) fn new(mouthpiece: Mouthpiece, reader: Reader, engine: Engine) -> Self {
        Self {
            writer: PcmWriter { mouthpiece, _engine: engine.clone() },
            reader: FrameReader { reader, _engine: engine },
        }
    }

    /// See [`PcmWriter::begin`].
    ///
    /// # Errors
    ///
    /// Those of [`PcmWriter::begin`].
    pub fn begin(&mut self) -> Result<UtteranceId> {
        self.writer.begin()
    }

    /// See [`PcmWriter::push`].
    ///
    /// # Errors
    ///
    /// Those of [`PcmWriter::push`].
    pub fn push(&mut self, pcm: &[f32]) -> Result<()> {
        self.writer.push(pcm)
    }

    /// See [`PcmWriter::finish`].
    ///
    /// # Errors
    ///
    /// Those of [`PcmWriter::finish`].
    pub fn finish(&mut self) -> Result<()> {
        self.writer.finish()
    }

    /// See [`FrameReader::next_frame`]. `None` also when nothing was begun since the last one.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the next frame needs more sound, and nobody else could push what this would wait for:
    ///   push more, [`finish`](Self::finish) the utterance, or [`split`](Self::split) the avatar.
    /// - Those of [`FrameReader::next_frame`].
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        if !self.reader.reader.owes() {
            return Ok(None);
        }
        self.reader.reader.next_frame(None, || self.writer.mouthpiece.is_waited_for())
    }

    /// See [`FrameReader::latest_at`].
    ///
    /// # Errors
    ///
    /// Those of [`FrameReader::latest_at`].
    pub fn latest_at(&mut self, heard: Option<Heard>) -> Result<Option<Frame>> {
        self.reader.latest_at(heard)
    }

    /// See [`FrameReader::paced`].
    ///
    /// # Errors
    ///
    /// Those of [`FrameReader::paced`].
    pub fn paced(&mut self) -> Result<Frame> {
        self.reader.paced()
    }

    /// See [`FrameReader::ready`].
    ///
    /// # Errors
    ///
    /// Those of [`FrameReader::ready`].
    pub fn ready(&mut self) -> Result<Option<Heard>> {
        self.reader.ready()
    }

    /// One end for the audio thread, one for the render thread.
    pub fn split(self) -> (PcmWriter, FrameReader) {
        (self.writer, self.reader)
    }

    /// A handle for barge-in.
    pub fn interrupter(&self) -> Interrupter {
        self.reader.interrupter()
    }

    /// A handle that asks for clips.
    pub fn director(&self) -> Director {
        self.reader.director()
    }

    /// The person shown.
    pub fn asset(&self) -> &Arc<AvatarAsset> {
        self.reader.asset()
    }

    /// The rate of the frames.
    pub fn fps(&self) -> FrameRate {
        self.reader.fps()
    }

    /// What this session has done so far.
    pub fn stats(&self) -> Stats {
        self.reader.stats()
    }
}

impl PcmWriter {
    /// Begins the next utterance, and finishes the one that is open. The first push after an end implies it.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::BufferFull`]: more than a hundred utterances wait to be read.
    /// - [`ErrorKind::Closed`]: the reader has gone; or the kind of the failure that closed the session.
    pub fn begin(&mut self) -> Result<UtteranceId> {
        let number = self.mouthpiece.begin()?;
        control::utterance(number)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "an utterance was numbered 0"))
    }

    /// Appends mono samples at [`AvatarOptions::sample_rate`]: all of them or, on an error, none.
    ///
    /// Full scale is −1…1; finite values beyond are clamped. Never blocks and never allocates: safe on an audio thread.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the slice is empty, holds a NaN or an infinity, the first of which the message names, or is longer than
    ///   [`AvatarOptions::buffer_seconds`] ever hold; push it in parts.
    /// - [`ErrorKind::BufferFull`]: [`AvatarOptions::buffer_seconds`] wait already; try again once frames were read.
    /// - [`ErrorKind::Interrupted`]: the utterance was cut; [`begin`](Self::begin) the next.
    /// - [`ErrorKind::Closed`]: the reader has gone; or the kind of the failure that closed the session.
    pub fn push(&mut self, pcm: &[f32]) -> Result<()> {
        if pcm.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "pcm is empty; push at least one sample"));
        }
        pcm::check(pcm)?;
        self.mouthpiece.push(pcm)
    }

    /// Whether [`push`](Self::push) would be refused whatever it is given: for hosts that would rather know before they make the samples. Never
    /// blocks and never allocates.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Interrupted`]: the utterance was cut; [`begin`](Self::begin) the next.
    /// - [`ErrorKind::Closed`]: the reader has gone; or the kind of the failure that closed the session.
    pub fn may_push(&self) -> Result<()> {
        self.mouthpiece.may_push()
    }

    /// Ends the utterance: every frame still owed is made. Without an open utterance there is nothing to end.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Interrupted`]: the utterance was cut; there is nothing left to end.
    /// - [`ErrorKind::Closed`]: the reader has gone; or the kind of the failure that closed the session.
    pub fn finish(&mut self) -> Result<()> {
        self.mouthpiece.finish()
    }

    /// An utterance is open, every frame that its samples allow was made, and the next one needs more of them, or the end.
    pub fn is_waited_for(&self) -> bool {
        self.mouthpiece.is_waited_for()
    }
}

impl FrameReader {
    /// Waits for the next speech frame, in order; `None` once for every utterance that was finished or cut. For recording.
    ///
    /// Blocks until a frame is made: it needs its look-ahead of audio, or the end of the utterance.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::BufferFull`]: the host holds every frame that may be lent; drop one.
    /// - [`ErrorKind::Closed`]: the writer has gone and everything it pushed was read.
    /// - The kind of the failure that closed the session.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        self.reader.next_frame(None, || false)
    }

    /// [`next_frame`](Self::next_frame) that gives up after `time`, for hosts that must look elsewhere in between.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TimedOut`]: no frame was ready in time. Nothing is lost; call again.
    /// - Those of [`next_frame`](Self::next_frame).
    pub fn next_frame_within(&mut self, time: Duration) -> Result<Option<Frame>> {
        // A time beyond what a clock can count is for ever.
        self.reader.next_frame(Instant::now().checked_add(time), || false)
    }

    /// An utterance was begun whose end [`next_frame`](Self::next_frame) has not told yet.
    pub fn is_owed(&self) -> bool {
        self.reader.owes()
    }

    /// Has `told` called whenever there may be something new for [`next_frame`](Self::next_frame): a frame, the end of an utterance, or
    /// the end of the session. For hosts that wait for many things at once; they then call
    /// [`next_frame_within`](Self::next_frame_within) with no time. `false` if it was set before.
    ///
    /// Called on the engine's thread, which makes the frames of all avatars: it must not block, only wake whoever waits.
    pub fn on_news(&self, told: impl Fn() + Send + Sync + 'static) -> bool {
        self.reader.control().on_news(told)
    }

    /// The newest picture due when `heard` has left the loudspeaker; `None` if the one on screen is still right.
    ///
    /// Never waits and never allocates; draws on the calling thread, in about half a millisecond at 512×512. Poll it once per
    /// rendered picture. Frames that were overtaken are dropped, and frames that would come late are not made.
    ///
    /// `None`, or an utterance that is unknown, cut or heard to its end, shows idle footage. So does a position that stands
    /// still for 120 ms: the mouth closes, and opens again when it moves.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::BufferFull`]: the host holds every frame that may be lent; drop one.
    /// - The kind of the failure that closed the session.
    pub fn latest_at(&mut self, heard: Option<Heard>) -> Result<Option<Frame>> {
        self.reader.latest_at(heard)
    }

    /// The picture of the next frame period, with exactly the samples of that period: speech once its first three frames are
    /// ready, idle footage and silence otherwise. Never waits.
    ///
    /// Call it once per period, by any clock: sound is released only with its picture, so they cannot drift apart. A
    /// frame that is not ready holds both back; [`Stats::under_runs`] counts that.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::BufferFull`]: the host holds every frame that may be lent; drop one.
    /// - The kind of the failure that closed the session.
    pub fn paced(&mut self) -> Result<Frame> {
        self.reader.paced()
    }

    /// Up to where the utterance that plays, or plays next, has its frames. `None` until its first three are ready: start
    /// its sound then. On a device that takes longer for a frame than a frame lasts, `None` for up to 150 ms more, until
    /// the sound that such a frame hears is in: pictures that come when they are due need it. Never waits.
    ///
    /// # Errors
    ///
    /// - The kind of the failure that closed the session.
    pub fn ready(&mut self) -> Result<Option<Heard>> {
        self.reader.ready()
    }

    /// A handle for barge-in.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter { control: Arc::clone(self.reader.control()) }
    }

    /// A handle that asks for clips.
    pub fn director(&self) -> Director {
        Director { control: Arc::clone(self.reader.control()), asset: Arc::clone(self.reader.asset()) }
    }

    /// The person shown.
    pub fn asset(&self) -> &Arc<AvatarAsset> {
        self.reader.asset()
    }

    /// The rate of the frames.
    pub fn fps(&self) -> FrameRate {
        self.reader.fps()
    }

    /// What this session has done so far. Reads a few numbers; any number of times.
    pub fn stats(&self) -> Stats {
        self.reader.control().counters.read()
    }
}

impl Interrupter {
    /// Cuts everything pushed so far; the last utterance that this cut, or `None` if there was nothing to cut.
    ///
    /// Queued sound and frames are dropped, the mouth closes within four frames, and [`PcmWriter::push`] takes nothing until
    /// the next [`PcmWriter::begin`]. Lock-free, from any thread.
    pub fn interrupt(&self) -> Option<UtteranceId> {
        self.control.interrupt().and_then(control::utterance)
    }

    /// Cuts `utterance` and all before it, and never touches a later one.
    pub fn interrupt_through(&self, utterance: UtteranceId) {
        self.control.interrupt_through(utterance.get());
    }

    /// Ends the session for good: both ends return [`ErrorKind::Closed`] from now on, and a reader who waits wakes within 20 ms.
    ///
    /// For hosts that cannot drop an end while another thread is in it. Lock-free, from any thread, any number of times.
    pub fn close(&self) {
        self.control.close();
    }

    /// See [`FrameReader::stats`].
    pub fn stats(&self) -> Stats {
        self.control.counters.read()
    }
}

impl Director {
    /// Asks for the clip of this name; the one asked for last counts, until another is asked for. The first of the avatar's
    /// [`clips`](AvatarAsset::clips) plays until somebody asks. Lock-free.
    ///
    /// While idle the clip changes at the next natural cut: where the base cycle of the one on screen passes its start or its
    /// turning point, or after 50 frames, two seconds at 25 a second, if that comes first. An utterance is shown in one clip from
    /// its first frame to its last; one that begins while another clip is asked for begins in that one. A clip starts at its
    /// first frame, and the one before fades out over six pictures.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the avatar has no clip of this name; the message lists those it has.
    pub fn request_clip(&self, name: &str) -> Result<()> {
        let clips = self.asset.clips();
        match clips.iter().position(|clip| clip.name() == name) {
            Some(clip) => {
                self.control.want_clip(clip);
                Ok(())
            }
            None => {
                let names: Vec<&str> = clips.iter().map(Clip::name).collect();
                let text = format!("the avatar has no clip {name:.80?}; it has {}", names.join(", "));
                Err(Error::new(ErrorKind::InvalidInput, text))
            }
        }
    }

    /// The clips that can be asked for.
    pub fn clips(&self) -> &[Clip] {
        self.asset.clips()
    }
}

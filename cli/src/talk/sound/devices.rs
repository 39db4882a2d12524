//! The microphone and the loudspeaker. The loudspeaker is the clock: what has left it has been heard.
//!
//! A sample has left it when the device says that it sounds, which is later than when the device took it: by what waits in the system, in the
//! cable, in the headphones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{FromSample, Sample, SampleFormat, SizedSample, Stream, SupportedStreamConfig};
use musetalk_core::{Error, ErrorKind, Result};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::report;
use crate::talk::resample::{Resample, to_i16};

/// Periods that wait in front of the loudspeaker.
const LEAD: u32 = 3;
/// Sound that fits between a device and the conversation, in seconds.
const ROOM: usize = 2;

/// Whatever there is of microphone and loudspeaker.
#[derive(Debug)]
pub(in crate::talk) struct Devices {
    speaker: Option<Speaker>,
    microphone: Option<Microphone>,
}

impl Devices {
    /// Neither.
    pub(in crate::talk) fn none() -> Self {
        Self { speaker: None, microphone: None }
    }

    /// The default devices: a loudspeaker for answers of this rate, and a microphone for a server that hears at `ear_rate`. What is
    /// missing is said, and the conversation goes on without it.
    pub(in crate::talk) fn open(rate: u32, ear_rate: Option<u32>) -> Result<Self> {
        let host = cpal::default_host();
        let missing = |what: &str, why: &dyn std::fmt::Display| report::note(&format!("[no {what}: {why}]"));
        let speaker = match host.default_output_device() {
            None => Err(Error::new(ErrorKind::NotFound, "none is connected")),
            Some(device) => Speaker::open(&device, rate),
        };
        let speaker = speaker.map_err(|why| missing("loudspeaker", &why)).ok();
        let microphone = ear_rate.map(|ear_rate| match host.default_input_device() {
            None => Err(Error::new(ErrorKind::NotFound, "none is connected; type instead")),
            Some(device) => Microphone::open(&device, ear_rate),
        });
        let microphone = microphone.and_then(|opened| opened.map_err(|why| missing("microphone", &why)).ok());
        Ok(Self { speaker, microphone })
    }

    /// Until the next period is due: by the loudspeaker, where there is one that moves.
    pub(in crate::talk) fn wait(&self, due: Instant, period: Duration) {
        let Some(speaker) = &self.speaker else { return super::sleep_until(due) };
        let stuck = Instant::now() + 2 * LEAD * period;
        while speaker.waiting() > LEAD * period && Instant::now() < stuck {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the microphone has heard since the last call; `None` where there is none.
    pub(in crate::talk) fn listen(&mut self) -> Result<Option<Vec<i16>>> {
        self.microphone.as_mut().map(Microphone::listen).transpose()
    }

    /// Plays a period; what has left the loudspeaker.
    pub(in crate::talk) fn play(
        &mut self,
        sound: &[f32],
        heard: Option<(u64, u64)>,
    ) -> Result<Option<(u64, u64)>> {
        if self.speaker.as_ref().is_some_and(|speaker| speaker.shared.broken.load(Relaxed)) {
            report::note("[the loudspeaker has gone; the conversation goes on without it]");
            self.speaker = None;
        }
        match &mut self.speaker {
            Some(speaker) => speaker.play(sound, heard),
            None => Ok(heard),
        }
    }

    /// Drops what has not sounded.
    pub(in crate::talk) fn silence(&mut self) {
        if let Some(speaker) = &mut self.speaker {
            speaker.marks.clear();
            // What comes after this is of another utterance, and stays.
            speaker.shared.dropped_to.store(speaker.pushed, Relaxed);
        }
    }

    /// Whether there is a microphone.
    pub(in crate::talk) fn listens(&self) -> bool {
        self.microphone.is_some()
    }
}

/// What the thread of a device and the conversation share.
#[derive(Debug, Default)]
struct Shared {
    /// Samples that have left the ring, played or dropped.
    gone: AtomicU64,
    /// What was pushed before this is dropped and not played.
    dropped_to: AtomicU64,
    broken: AtomicBool,
}

/// What the device took last.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Taken {
    /// The first of its samples, counted as they were pushed, and the one behind the last.
    from: u64,
    to: u64,
    /// When the first of them sounds.
    sounds: Instant,
}

impl Taken {
    /// Samples that have sounded by now: those before `from` may be on their way still.
    fn sounded(&self, now: Instant, device_rate: u32) -> u64 {
        let samples = |time: Duration| (time.as_secs_f64() * f64::from(device_rate)) as u64;
        match now.checked_duration_since(self.sounds) {
            Some(since) => self.to.min(self.from + samples(since)),
            None => self.from.saturating_sub(samples(self.sounds - now) + 1),
        }
    }
}

/// No loudspeaker is later than this; a device that says so is wrong.
const LATEST: Duration = Duration::from_secs(1);
/// What a device may tell before anybody looks.
const TOLD: usize = 64;

struct Speaker {
    ring: Producer<f32>,
    taken: Consumer<Taken>,
    last: Option<Taken>,
    sounded: u64,
    shared: Arc<Shared>,
    resample: Resample,
    converted: Vec<f32>,
    rate: u32,
    device_rate: u32,
    pushed: u64,
    marks: VecDeque<Mark>,
    _stream: Stream,
}

/// Where in the sound of the device an utterance has come how far.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mark {
    at: u64,
    utterance: u64,
    samples: u64,
}

impl Speaker {
    fn open(device: &cpal::Device, rate: u32) -> Result<Self> {
        let config = device.default_output_config().map_err(failed)?;
        let device_rate = config.sample_rate().0;
        let (ring, consumer) = RingBuffer::new(device_rate as usize * ROOM);
        let shared = Arc::new(Shared::default());
        let (tell, taken) = RingBuffer::new(TOLD);
        let drain = Drain { ring: consumer, tell, shared: Arc::clone(&shared) };
        let stream = match config.sample_format() {
            SampleFormat::F32 => output::<f32>(device, &config, drain),
            SampleFormat::I32 => output::<i32>(device, &config, drain),
            SampleFormat::I16 => output::<i16>(device, &config, drain),
            SampleFormat::U16 => output::<u16>(device, &config, drain),
            other => Err(strange(other)),
        }?;
        stream.play().map_err(failed)?;
        Ok(Self {
            ring,
            taken,
            last: None,
            sounded: 0,
            shared,
            resample: Resample::new(rate, device_rate)?,
            converted: Vec::new(),
            rate,
            device_rate,
            pushed: 0,
            marks: VecDeque::new(),
            _stream: stream,
        })
    }

    /// How long what waits will sound.
    fn waiting(&self) -> Duration {
        let samples = self.pushed.saturating_sub(self.shared.gone.load(Relaxed));
        Duration::from_secs_f64(samples as f64 / f64::from(self.device_rate))
    }

    fn play(&mut self, sound: &[f32], heard: Option<(u64, u64)>) -> Result<Option<(u64, u64)>> {
        self.converted.clear();
        self.resample.push(sound, &mut self.converted)?;
        for sample in &self.converted {
            // What does not fit would be missing, and yet be passed for heard. A device that takes nothing for seconds is none.
            if self.ring.push(*sample).is_err() {
                self.shared.broken.store(true, Relaxed);
                return Ok(None);
            }
            self.pushed += 1;
        }
        self.marks.extend(heard.map(|(utterance, samples)| Mark { at: self.pushed, utterance, samples }));
        let sounded = self.sounded(Instant::now());
        Ok(heard_at(&mut self.marks, sounded, self.rate, self.device_rate))
    }

    /// Samples that have sounded, or were dropped before; never fewer than before.
    fn sounded(&mut self, now: Instant) -> u64 {
        while let Ok(taken) = self.taken.pop() {
            self.last = Some(taken);
        }
        let sounded = self.last.map_or(0, |taken| taken.sounded(now, self.device_rate));
        self.sounded = self.sounded.max(sounded);
        self.sounded
    }
}

/// What has been heard when `gone` samples have sounded. Marks that have passed are of no use any more.
fn heard_at(marks: &mut VecDeque<Mark>, gone: u64, rate: u32, device_rate: u32) -> Option<(u64, u64)> {
    let mut passed = None;
    while let Some(mark) = marks.front().filter(|mark| mark.at <= gone) {
        passed = Some((mark.utterance, mark.samples));
        marks.pop_front();
    }
    let Some(next) = marks.front() else { return passed };
    let missing = ((next.at - gone) * u64::from(rate)).div_ceil(u64::from(device_rate));
    let within = next.samples.checked_sub(missing).filter(|samples| *samples > 0);
    within.map(|samples| (next.utterance, samples)).or(passed)
}

/// The end of the ring that the device empties, on its own thread.
struct Drain {
    ring: Consumer<f32>,
    tell: Producer<Taken>,
    shared: Arc<Shared>,
}

impl Drain {
    /// Fills `frames` of a device with the next samples, silence where there are none. `latency`: until the first of them sounds.
    fn fill<T: Copy>(
        &mut self,
        out: &mut [T],
        channels: usize,
        latency: Duration,
        sample: impl Fn(f32) -> T,
    ) {
        let mut gone = self.shared.gone.load(Relaxed);
        while gone < self.shared.dropped_to.load(Relaxed) && self.ring.pop().is_ok() {
            gone += 1;
        }
        let from = gone;
        for frame in out.chunks_mut(channels) {
            let next = self.ring.pop().inspect(|_| gone += 1).unwrap_or(0.0);
            frame.fill(sample(next));
        }
        self.shared.gone.store(gone, Relaxed);
        if gone > from {
            let taken = Taken { from, to: gone, sounds: Instant::now() + latency.min(LATEST) };
            // Where nobody looks, nobody misses it.
            let _told = self.tell.push(taken).is_ok();
        }
    }
}

/// Fills every channel with what comes out of the ring.
fn output<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: &SupportedStreamConfig,
    mut drain: Drain,
) -> Result<Stream> {
    let channels = usize::from(config.channels()).max(1);
    let broken = Arc::clone(&drain.shared);
    let fill = move |out: &mut [T], about: &cpal::OutputCallbackInfo| {
        let time = about.timestamp();
        let latency = time.playback.duration_since(&time.callback).unwrap_or_default();
        drain.fill(out, channels, latency, T::from_sample);
    };
    let fails = move |_: cpal::StreamError| broken.broken.store(true, Relaxed);
    device.build_output_stream(&config.config(), fill, fails, None).map_err(failed)
}

struct Microphone {
    ring: Consumer<f32>,
    resample: Resample,
    heard: Vec<f32>,
    converted: Vec<f32>,
    _stream: Stream,
}

impl Microphone {
    fn open(device: &cpal::Device, ear_rate: u32) -> Result<Self> {
        let config = device.default_input_config().map_err(failed)?;
        let device_rate = config.sample_rate().0;
        let (producer, ring) = RingBuffer::new(device_rate as usize * ROOM);
        let stream = match config.sample_format() {
            SampleFormat::F32 => input::<f32>(device, &config, producer),
            SampleFormat::I32 => input::<i32>(device, &config, producer),
            SampleFormat::I16 => input::<i16>(device, &config, producer),
            SampleFormat::U16 => input::<u16>(device, &config, producer),
            other => Err(strange(other)),
        }?;
        stream.play().map_err(failed)?;
        let resample = Resample::new(device_rate, ear_rate)?;
        Ok(Self { ring, resample, heard: Vec::new(), converted: Vec::new(), _stream: stream })
    }

    fn listen(&mut self) -> Result<Vec<i16>> {
        self.heard.clear();
        while let Ok(sample) = self.ring.pop() {
            self.heard.push(sample);
        }
        self.converted.clear();
        self.resample.push(&self.heard, &mut self.converted)?;
        Ok(self.converted.iter().copied().map(to_i16).collect())
    }
}

/// The average of the channels goes into the ring; what does not fit is lost.
fn input<T>(device: &cpal::Device, config: &SupportedStreamConfig, mut ring: Producer<f32>) -> Result<Stream>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels()).max(1);
    let take = move |sound: &[T], _: &cpal::InputCallbackInfo| {
        for frame in sound.chunks(channels) {
            let sum: f32 = frame.iter().map(|sample| f32::from_sample(*sample)).sum();
            if ring.push(sum / channels as f32).is_err() {
                return;
            }
        }
    };
    let fails = |why: cpal::StreamError| report::note(&format!("[the microphone fails: {why}]"));
    device.build_input_stream(&config.config(), take, fails, None).map_err(failed)
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(
        ErrorKind::DeviceUnavailable,
        format!("{cause}; check the sound settings, or give --no-devices"),
    )
    .caused_by(cause)
}

fn strange(format: SampleFormat) -> Error {
    let sentence = format!("the device wants samples as {format}, which this program does not make");
    Error::new(ErrorKind::Unsupported, sentence)
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaker").field("device_rate", &self.device_rate).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Microphone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Microphone").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heard_is_what_has_left_the_device() {
        let mark = |at, utterance, samples| Mark { at, utterance, samples };
        let mut marks = VecDeque::from([mark(1_920, 1, 960), mark(3_840, 1, 1_920), mark(5_760, 2, 960)]);
        let mut heard = |gone| heard_at(&mut marks, gone, 24_000, 48_000);
        assert_eq!(heard(0), None);
        assert_eq!(heard(1), None, "half a sample is none");
        assert_eq!(heard(1_000), Some((1, 500)));
        assert_eq!(heard(1_920), Some((1, 960)));
        assert_eq!(heard(3_841), Some((1, 1_920)), "the first half sample of the next is not heard yet");
        assert_eq!(heard(3_842), Some((2, 1)));
        assert_eq!(heard(9_000), Some((2, 960)));
        assert_eq!(heard(9_000), None, "all were told");
    }

    #[test]
    fn what_the_device_took_is_heard_when_it_sounds() {
        let now = Instant::now() + Duration::from_secs(9);
        let taken = Taken { from: 4_800, to: 5_280, sounds: now };
        let at = |millis: i64| {
            let offset = Duration::from_millis(millis.unsigned_abs());
            taken.sounded(if millis < 0 { now - offset } else { now + offset }, 48_000)
        };
        assert_eq!((at(0), at(5), at(10), at(500)), (4_800, 5_040, 5_280, 5_280));
        assert!((2_399..=2_400).contains(&at(-50)), "what it took before is on its way still: {}", at(-50));
        assert_eq!(at(-5_000), 0);
    }

    #[test]
    fn dropped_samples_are_not_played_and_those_behind_them_are() {
        let (mut ring, consumer) = RingBuffer::new(64);
        let (tell, mut told) = RingBuffer::new(4);
        let shared = Arc::new(Shared::default());
        let mut drain = Drain { ring: consumer, tell, shared: Arc::clone(&shared) };
        (1..=10).for_each(|n| ring.push(n as f32).unwrap());
        let mut out = [0.0; 8];
        drain.fill(&mut out, 2, Duration::ZERO, |sample| sample);
        assert_eq!(out, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
        // Interrupted; the next utterance is there before the device asks again.
        shared.dropped_to.store(10, Relaxed);
        (11..=12).for_each(|n| ring.push(n as f32).unwrap());
        drain.fill(&mut out, 2, Duration::from_millis(30), |sample| sample);
        assert_eq!(out, [11.0, 11.0, 12.0, 12.0, 0.0, 0.0, 0.0, 0.0]);
        drain.fill(&mut out, 2, Duration::ZERO, |sample| sample);
        let taken: Vec<_> =
            std::iter::from_fn(|| told.pop().ok()).map(|taken| (taken.from, taken.to)).collect();
        assert_eq!(taken, [(0, 4), (10, 12)], "silence is nothing that was heard");
        assert_eq!(shared.gone.load(Relaxed), 12);
    }
}

use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

use crate::asset::{
    AvatarAsset, AvatarHeader, AvatarParts, AvatarWriter, FaceBox, PreparedFrame, Recorder, meta_of,
};
use crate::audio::window::{GroupSchedule, WindowPlan};
use crate::avatar::{Avatar, AvatarOptions};
use crate::device::Device;
use crate::networks::{AudioEncoder, Decoder, Encoder, FaceDetector, FaceLandmarks, Generator, Networks};
use crate::pack::{ModelPack, compatibility, light};
use crate::pool::Pool;
use crate::prepare;
use crate::runtime::{LoadOptions, Network, RuntimeLibrary, candidates};
use crate::session::compositor::Compositor;
use crate::session::control::Control;
use crate::session::footage::Footage;
use crate::session::inbox::inbox;
use crate::session::listener::Listener;
use crate::session::outbox::outbox;
use crate::session::reader::{Reader, Timing};
use crate::session::worker::{Cost, Session, Sizes, Worker};
use crate::trial::{self, SelfTest};
use crate::{Error, ErrorKind, Result};

/// A model pack loaded on one device: heavy, immutable, shared by every avatar. `Clone` shares it.
///
/// It owns one thread, which talks to the device; that thread ends when the last clone and the last avatar have gone.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Shared>);

/// How to load an [`Engine`].
#[derive(Clone, Debug)]
#[must_use = "call build()"]
pub struct EngineBuilder {
    pack: PathBuf,
    device: Device,
    threads: Option<usize>,
    spinning: bool,
    batch: Option<usize>,
    library: Option<PathBuf>,
}

/// Loads networks of one pack on one device, each when it is wanted.
#[derive(Debug)]
pub(crate) struct Loader {
    pub(crate) pack: ModelPack,
    library: RuntimeLibrary,
    options: LoadOptions,
}

impl Loader {
    pub(crate) fn network(&self, role: &'static str) -> Result<Network> {
        load(&self.library, &self.pack, role, self.options)
    }

    /// Whether the pack has a network of this role.
    pub(crate) fn has(&self, role: &str) -> bool {
        self.pack.manifest().networks.contains_key(role)
    }
}

#[derive(Debug)]
struct Shared {
    pack: ModelPack,
    device: Device,
    library: RuntimeLibrary,
    options: LoadOptions,
    plan: Arc<WindowPlan>,
    arrivals: Sender<Session>,
    wake: Sender<()>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// People that some avatar shows, so that a second avatar of the same file shares them.
    assets: Mutex<Vec<(PathBuf, Weak<AvatarAsset>)>>,
    /// The network that makes latents; loaded when a person is first prepared.
    encoder: Mutex<Option<Encoder>>,
}

impl Engine {
    /// Loads the pack in this folder on [`Device::Auto`].
    ///
    /// # Errors
    ///
    /// Those of [`EngineBuilder::build`].
    pub fn load(pack: impl AsRef<Path>) -> Result<Self> {
        Self::builder(pack).build()
    }

    /// Chooses a device, threads and batch size before loading.
    pub fn builder(pack: impl AsRef<Path>) -> EngineBuilder {
        EngineBuilder {
            pack: pack.as_ref().into(),
            device: Device::Auto,
            threads: None,
            spinning: false,
            batch: None,
            library: None,
        }
    }

    /// Opens a prepared avatar with the default options.
    ///
    /// # Errors
    ///
    /// Those of [`open_avatar_with`](Self::open_avatar_with).
    pub fn open_avatar(&self, asset: impl AsRef<Path>) -> Result<Avatar> {
        self.open_avatar_with(asset, AvatarOptions::default())
    }

    /// Opens a prepared avatar. The first avatar of a file reads it; later ones share what was read.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`], [`ErrorKind::Io`], [`ErrorKind::Corrupt`]: the file cannot be used.
    /// - [`ErrorKind::Incompatible`]: it was made for another pack, or has another format.
    /// - [`ErrorKind::InvalidInput`]: an option is out of range.
    /// - [`ErrorKind::OutOfMemory`]: there is no room for that many frames.
    pub fn open_avatar_with(&self, asset: impl AsRef<Path>, options: AvatarOptions) -> Result<Avatar> {
        options.check()?;
        let asset = self.asset(asset.as_ref())?;
        self.start_avatar(asset, options)
    }

    /// Opens an avatar of a person that is already in memory.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Incompatible`]: it was made for another pack.
    /// - [`ErrorKind::InvalidInput`]: an option is out of range.
    /// - [`ErrorKind::OutOfMemory`]: there is no room for that many frames.
    pub fn start_avatar(&self, asset: Arc<AvatarAsset>, options: AvatarOptions) -> Result<Avatar> {
        options.check()?;
        self.check_asset(&asset)?;
        let shared = &self.0;
        let (manifest, fps, rate) = (shared.pack.manifest(), shared.pack.fps(), options.sample_rate);
        let control = Arc::new(Control::new(shared.wake.clone()));
        let capacity = options.buffer_seconds as usize * rate as usize;
        let (mouthpiece, inbox) = inbox(capacity, Arc::clone(&control));
        let period = fps.first_sample(1, rate) as usize + 1;
        let image = manifest.image.size as usize;
        // Beside those on the way, the reader holds the one on screen and one that closes, and takes the next before it
        // gives either back.
        let patches = options.frames_ahead + 3;
        let (outbox, items) = outbox(patches, image * image * 3, period, Arc::clone(&control));
        let listener = Listener::new(rate, &shared.plan)?;
        let states = [manifest.audio.positions, manifest.audio.states, manifest.audio.width];
        let states = states.iter().map(|&n| n as usize).product();
        let session = Session::new(
            Arc::clone(&control),
            Arc::clone(&asset),
            (inbox, outbox),
            listener,
            (fps, rate),
            states,
        );
        // One more than is lent: footage is decoded ahead into it while the host holds all of his.
        let pictures = (0..=options.frames_lent)
            .map(|_| Compositor::buffer(&asset, options.format, period))
            .collect::<Result<_>>()?;
        let compositor = Compositor::new(&asset, options.format)?;
        let footage = Footage::new(asset, options.format, options.preload_limit, Pool::new(pictures))?;
        let reach = self.look_ahead(rate)? + fps.period();
        let timing = Timing { fps, rate, reach };
        let reader = Reader::new(items, Arc::clone(&control), (footage, compositor), timing, patches);
        shared.arrivals.send(session).map_err(|e| closed().caused_by(e.to_string()))?;
        control.wake();
        Ok(Avatar::new(mouthpiece, reader, self.clone()))
    }

    /// The pack it was loaded from.
    pub fn pack(&self) -> &ModelPack {
        &self.0.pack
    }

    /// Where the networks run; never [`Device::Auto`].
    pub fn device(&self) -> Device {
        self.0.device
    }

    /// The ONNX Runtime it uses.
    pub fn runtime(&self) -> &RuntimeLibrary {
        &self.0.library
    }

    /// Audio that must be known beyond the end of a frame before it is made, at most: the pack's
    /// look-ahead, the other frames of its group, and the resampler's own reach at the pushed rate.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: the rate is not 8 000 to 192 000 Hz.
    pub fn look_ahead(&self, sample_rate: u32) -> Result<std::time::Duration> {
        let plan = &self.0.plan;
        let group = plan.fps.first_sample(plan.groups.largest() - 1, crate::audio::SPEECH_RATE);
        let reach = crate::audio::resample::Resampler::new(sample_rate)?.look_ahead_16k();
        let samples = u64::from(plan.look_ahead) + group + u64::from(reach);
        Ok(std::time::Duration::from_nanos(samples * 1_000_000_000 / u64::from(crate::audio::SPEECH_RATE)))
    }

    /// Prepares the frames of `parts` one after another and hands them to `recorder`.
    fn record<W: Write + Seek>(&self, parts: &AvatarParts, recorder: &mut Recorder<W>) -> Result<()> {
        let size = (parts.width, parts.height);
        let mut latent = Vec::new();
        for ((rgb, &face_box), mask) in parts.frames.iter().zip(&parts.boxes).zip(&parts.masks) {
            recorder.check_picture(rgb, &face_box)?;
            // What the encoder sees is what the screen will show: the frame after its way through JPEG.
            let shown = recorder.shown(rgb)?;
            latent.clear();
            self.encode_face(shown, size, &face_box, &mut latent)?;
            recorder.frame(&PreparedFrame {
                rgb,
                alpha: None,
                face_box,
                mask,
                latent: &latent,
                closed: None,
            })?;
        }
        Ok(())
    }

    /// Appends the latents of a face: \[2·c, l, l\], masked and whole.
    fn encode_face(
        &self,
        frame: &[u8],
        size: (u32, u32),
        face: &FaceBox,
        latents: &mut Vec<f32>,
    ) -> Result<()> {
        let shared = &self.0;
        let mut slot = shared.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        let encoder = match &mut *slot {
            Some(encoder) => encoder,
            empty => empty.insert(Encoder(load(&shared.library, &shared.pack, "encoder", shared.options)?)),
        };
        prepare::append_latent(encoder, shared.pack.manifest().image, frame, size, face, latents)
    }

    fn asset(&self, path: &Path) -> Result<Arc<AvatarAsset>> {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut assets = self.0.assets.lock().unwrap_or_else(PoisonError::into_inner);
        assets.retain(|(_, asset)| asset.strong_count() > 0);
        let known =
            assets.iter().find(|(known, _)| *known == absolute).and_then(|(_, asset)| asset.upgrade());
        if let Some(asset) = known {
            return Ok(asset);
        }
        let asset = Arc::new(AvatarAsset::open(path)?);
        self.check_asset(&asset)
            .map_err(|e| Error::new(e.kind(), format!("{e}: {}", path.display())).caused_by(e))?;
        assets.push((absolute, Arc::downgrade(&asset)));
        Ok(asset)
    }

    fn check_asset(&self, asset: &AvatarAsset) -> Result<()> {
        let pack = &self.0.pack;
        check_latents(pack, asset)?;
        let (own, wanted) = (asset.fps(), pack.fps());
        if own == wanted {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Incompatible,
            format!(
                "avatar {:?} has {}/{} frames per second, pack {:?} runs at {}/{}; make it again with this pack",
                asset.name(),
                own.numerator(),
                own.denominator(),
                pack.manifest().name,
                wanted.numerator(),
                wanted.denominator()
            ),
        ))
    }
}

/// Preparing needs a loaded encoder, so it stands here and not with the files.
impl AvatarAsset {
    /// Prepares a person from frames, face boxes and masks: latents are computed by the engine's encoder, from the
    /// very pixels that will be on screen. Blocks for two encoder calls a frame.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: lists of different lengths, pictures of different sizes, a box outside its frame,
    ///   a mask that does not have the size of its box's crop.
    /// - [`ErrorKind::Internal`], [`ErrorKind::OutOfMemory`]: the encoder failed.
    pub fn from_parts(engine: &Engine, parts: &AvatarParts) -> Result<Self> {
        let meta = meta_of(engine.pack(), header_of(engine, parts)?)?;
        let mut recorder = Recorder::new(Cursor::new(Vec::new()), Path::new(""), meta)?;
        engine.record(parts, &mut recorder)?;
        Self::parse(recorder.finish()?.into_inner())
    }

    /// Prepares a person like [`from_parts`](Self::from_parts) and writes the file; under its final name there is either
    /// the whole file or nothing.
    ///
    /// # Errors
    ///
    /// - Those of [`from_parts`](Self::from_parts).
    /// - [`ErrorKind::Io`]: the file cannot be written.
    pub fn write_parts(engine: &Engine, parts: &AvatarParts, path: impl AsRef<Path>) -> Result<Self> {
        let mut writer = AvatarWriter::create(&path, engine.pack(), header_of(engine, parts)?)?;
        engine.record(parts, writer.recorder())?;
        writer.finish()?;
        Self::open(path)
    }
}

/// The header of an avatar of these parts, if they fit together.
fn header_of(engine: &Engine, parts: &AvatarParts) -> Result<AvatarHeader> {
    let (count, boxes, masks) = (parts.frames.len(), parts.boxes.len(), parts.masks.len());
    if count == 0 || boxes != count || masks != count {
        let text = format!(
            "an avatar needs as many boxes and masks as frames, and at least one: {count} frames, {boxes} boxes, {masks} masks"
        );
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(AvatarHeader::new(parts.name.clone(), parts.width, parts.height, engine.pack().fps()))
}

impl EngineBuilder {
    /// Where the networks run. [`Device::Auto`] by default.
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Threads that share one network call on the CPU, 1 to 256. All cores by default.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Whether idle worker threads spin between operations: some milliseconds faster, and a core kept busy. Off by default.
    pub fn spinning(mut self, spinning: bool) -> Self {
        self.spinning = spinning;
        self
    }

    /// Frames of different avatars that share a call at most, 1 to 64. By default 1 on the CPU, where batches gain nothing
    /// and frames would differ by a rounding with their company, and 16 elsewhere.
    pub fn max_batch(mut self, frames: usize) -> Self {
        self.batch = Some(frames);
        self
    }

    /// The ONNX Runtime library to load, instead of searching for one. The first engine of a process decides for all.
    pub fn runtime_library(mut self, path: impl AsRef<Path>) -> Self {
        self.library = Some(path.as_ref().into());
        self
    }

    /// Reads, checks and warms up the pack; full-size networks on a CPU are not warmed up.
    ///
    /// The first time, every file is compared with its SHA-256: half a second to four for each gigabyte, by processor. A receipt in
    /// the user's cache (`MUSETALK_CACHE`) spares that until a file changes; sizes and shapes are compared always. Receipts are
    /// against damage, not against somebody who can write that cache: who fears that calls [`ModelPack::verify`] first.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotFound`]: the pack or ONNX Runtime is missing; the message names every place looked at.
    /// - [`ErrorKind::Corrupt`], [`ErrorKind::Incompatible`]: the pack or the library cannot be used.
    /// - [`ErrorKind::DeviceUnavailable`], [`ErrorKind::Unsupported`]: the device does not start, is not in this build, or computes
    ///   something else than what was recorded when the pack was built.
    /// - [`ErrorKind::OutOfMemory`]: the networks do not fit.
    /// - [`ErrorKind::InvalidInput`]: an option is out of range.
    pub fn build(self) -> Result<Engine> {
        let threads = self.checked_threads()?;
        let pack = ModelPack::open(&self.pack)?;
        pack.verify_once()?;
        let library = RuntimeLibrary::load(self.library.as_deref())?;
        let plan = Arc::new(plan(&pack)?);
        self.first_that_starts(threads, |options| self.start(&pack, &library, &plan, options))
    }

    /// The networks without an engine around them, for a rendering that is not live.
    pub(crate) fn networks(self) -> Result<(ModelPack, Networks)> {
        let (loader, encoder) = self.loader()?;
        let networks = Networks {
            audio_encoder: AudioEncoder(loader.network("audio_encoder")?),
            generator: Generator(loader.network("generator")?),
            decoder: Decoder(loader.network("decoder")?),
            encoder,
        };
        Ok((loader.pack, networks))
    }

    /// The encoder on the first device that starts it, and the means to load the other networks beside it.
    pub(crate) fn loader(self) -> Result<(Loader, Encoder)> {
        let threads = self.checked_threads()?;
        let pack = ModelPack::open(&self.pack)?;
        pack.verify_once()?;
        let library = RuntimeLibrary::load(self.library.as_deref())?;
        let (options, encoder) = self.first_that_starts(threads, |options| {
            Ok((options, Encoder(load(&library, &pack, "encoder", options)?)))
        })?;
        Ok((Loader { pack, library, options }, encoder))
    }

    /// Runs every network once that the pack has a record of, and compares what this device computes with what was recorded when
    /// the pack was built. Starts no engine, holds one network at a time, and reads no checksum.
    ///
    /// `progress` hears which network is next, how many are done and how many there are, and may stop. Blocks for the loading and
    /// one first run of every network. A network that computes nonsense is no error here; [`SelfTest::check`] makes one of it.
    /// [`Device::Auto`] tests the first device that starts.
    ///
    /// Engines do this by themselves when they first load a network on a device other than the CPU, once for each pack and
    /// driver.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and
    ///
    /// - [`ErrorKind::Corrupt`]: the record is malformed, or has more or fewer numbers than its network gives.
    /// - [`ErrorKind::Cancelled`]: `progress` stopped it.
    pub fn self_test(
        self,
        mut progress: impl FnMut(&str, usize, usize) -> std::ops::ControlFlow<()>,
    ) -> Result<SelfTest> {
        let threads = self.checked_threads()?;
        let pack = ModelPack::open(&self.pack)?;
        let library = RuntimeLibrary::load(self.library.as_deref())?;
        self.first_that_starts(threads, |options| trial::of_pack(&pack, &library, options, &mut progress))
    }

    /// Runs the networks of a pack that find a face and its landmarks once, on a drawn face, and checks that what they give is a place in
    /// it and not nonsense. Starts no engine and reads no checksum.
    ///
    /// # Errors
    ///
    /// - Those of [`build`](Self::build), checksums aside.
    /// - [`ErrorKind::Incompatible`]: a network is missing, or gives numbers that are no faces and no landmarks.
    pub fn try_faces(self) -> Result<()> {
        let threads = self.checked_threads()?;
        let pack = ModelPack::open(&self.pack)?;
        let library = RuntimeLibrary::load(self.library.as_deref())?;
        self.first_that_starts(threads, |options| {
            let load = |role| load(&library, &pack, role, options);
            let is_light =
                |role| compatibility::network(pack.manifest(), role).map(|entry| light(role, entry));
            prepare::try_out(
                FaceDetector::new(load("face_detector")?, is_light("face_detector")?),
                FaceLandmarks::new(load("face_landmarks")?, is_light("face_landmarks")?),
            )
        })
    }

    fn checked_threads(&self) -> Result<usize> {
        let threads =
            self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
        if !(1..=256).contains(&threads) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("threads is {threads}; it must be 1 to 256"),
            ));
        }
        if self.batch.is_some_and(|batch| !(1..=64).contains(&batch)) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("max_batch is {}; it must be 1 to 64", self.batch.unwrap_or(0)),
            ));
        }
        Ok(threads)
    }

    fn first_that_starts<T>(
        &self,
        threads: usize,
        mut start: impl FnMut(LoadOptions) -> Result<T>,
    ) -> Result<T> {
        let mut refused = Vec::new();
        for device in candidates(self.device) {
            match start(LoadOptions { device, threads, spinning: self.spinning }) {
                Ok(started) => return Ok(started),
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(error) if self.device == Device::Auto && device != Device::Cpu => {
                    log::warn!("{device} was passed over: {error}");
                    refused.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.pop().unwrap_or_else(|| Error::new(ErrorKind::Unsupported, "this build knows no device")))
    }

    fn start(
        &self,
        pack: &ModelPack,
        library: &RuntimeLibrary,
        plan: &Arc<WindowPlan>,
        options: LoadOptions,
    ) -> Result<Engine> {
        let (image, audio) = (pack.manifest().image, &pack.manifest().audio);
        let latent = image.latent_channels as usize * (image.latent_size as usize).pow(2);
        let sizes = Sizes {
            mel: 80 * 2 * audio.positions as usize,
            context: plan.tokens() * audio.states as usize * audio.width as usize,
            latent,
            image: 3 * (image.size as usize).pow(2),
        };
        let (arrivals, arriving) = bounded(256);
        let (wake, awake) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let default = if options.device == Device::Cpu { 1 } else { 16 };
        let most = self.batch.unwrap_or(default);
        let mut worker = Worker {
            plan: Arc::clone(plan),
            encoder: AudioEncoder(load(library, pack, "audio_encoder", options)?),
            generator: Generator(load(library, pack, "generator", options)?),
            decoder: Decoder(load(library, pack, "decoder", options)?),
            buckets: (0..).map(|power| 1 << power).take_while(|&bucket| bucket <= most).collect(),
            sizes,
            arrivals: arriving,
            wake: awake,
            stop: Arc::clone(&stop),
            cost: Cost::default(),
        };
        if options.device != Device::Cpu || frame_macs(pack) <= QUICK {
            worker.warm_up()?;
        }
        let thread =
            std::thread::Builder::new().name("musetalk".to_owned()).spawn(move || worker.run()).map_err(
                |e| Error::new(ErrorKind::OutOfMemory, "the worker thread could not be started").caused_by(e),
            )?;
        Ok(Engine(Arc::new(Shared {
            pack: pack.clone(),
            device: options.device,
            library: library.clone(),
            options,
            plan: Arc::clone(plan),
            arrivals,
            wake,
            stop,
            thread: Some(thread),
            assets: Mutex::new(Vec::new()),
            encoder: Mutex::new(None),
        })))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Full means that the worker is about to look anyway.
        let _already_awake = self.wake.try_send(()).is_err();
        if let Some(thread) = self.thread.take() {
            // Waits for the call that is under way; a worker that panicked has said so already.
            let _panicked = thread.join().is_err();
        }
    }
}

/// Multiply-accumulates of a frame that two cores of a CPU do in about a third of a second.
///
/// At its first use a GPU compiles and takes memory, so that it must happen before somebody waits for a frame. On a CPU the first run
/// is like the next, and one of full-size networks would only keep the host waiting for five more seconds.
const QUICK: u64 = 50_000_000_000;

fn frame_macs(pack: &ModelPack) -> u64 {
    let networks = &pack.manifest().networks;
    ["generator", "decoder"].iter().filter_map(|role| networks.get(*role)).map(|network| network.macs).sum()
}

fn plan(pack: &ModelPack) -> Result<WindowPlan> {
    let audio = &pack.manifest().audio;
    let plan = WindowPlan {
        fps: pack.fps(),
        groups: GroupSchedule::new(&audio.groups)?,
        positions: audio.positions as usize,
        tokens_before: audio.tokens_before,
        tokens_after: audio.tokens_after,
        look_ahead: audio.look_ahead,
    };
    plan.check().map_err(|e| {
        let path = pack.folder().join("pack.json");
        Error::new(ErrorKind::Incompatible, format!("pack.json: {e}: {}", path.display())).caused_by(e)
    })?;
    Ok(plan)
}

/// Refuses an avatar whose latents another encoder made.
pub(crate) fn check_latents(pack: &ModelPack, asset: &AvatarAsset) -> Result<()> {
    if asset.encoder_identity() == pack.encoder_identity() && asset.fits(pack.manifest().image) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Incompatible,
        format!(
            "avatar {:?} was made for another pack than {:?}; make it for this one with `musetalk avatar rebuild`",
            asset.name(),
            pack.manifest().name
        ),
    ))
}

fn load(
    library: &RuntimeLibrary,
    pack: &ModelPack,
    role: &'static str,
    options: LoadOptions,
) -> Result<Network> {
    let entry = compatibility::network(pack.manifest(), role)?;
    let mut network = Network::load(library, pack.folder(), role, entry, options)?;
    trial::guard(pack, library, role, &mut network, options.device)?;
    Ok(network)
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the engine has stopped")
}

//! From a folder to a running engine: the first device that starts, its networks, its worker.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crossbeam_channel::bounded;

use super::{Engine, Shared};
use crate::audio::window::{GroupSchedule, WindowPlan};
use crate::device::Device;
use crate::networks::{AudioEncoder, Decoder, Encoder, FaceDetector, FaceLandmarks, Generator, Networks};
use crate::pack::{ModelPack, compatibility, light};
use crate::prepare;
use crate::runtime::{LoadOptions, Network, RuntimeLibrary, candidates};
use crate::session::worker::{Cost, Sizes, Worker};
use crate::trial::{self, SelfTest};
use crate::{Error, ErrorKind, Result};

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

impl EngineBuilder {
    pub(super) fn new(pack: &Path) -> Self {
        Self {
            pack: pack.into(),
            device: Device::Auto,
            threads: None,
            spinning: false,
            batch: None,
            library: None,
        }
    }

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

pub(super) fn load(
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

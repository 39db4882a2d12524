mod builder;
mod parts;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;

pub use builder::EngineBuilder;
pub(crate) use builder::Loader;

use crate::asset::AvatarAsset;
use crate::audio::window::WindowPlan;
use crate::avatar::{Avatar, AvatarOptions};
use crate::device::Device;
use crate::networks::Encoder;
use crate::pack::ModelPack;
use crate::pool::Pool;
use crate::runtime::{LoadOptions, RuntimeLibrary};
use crate::session::compositor::Compositor;
use crate::session::control::Control;
use crate::session::footage::Footage;
use crate::session::inbox::inbox;
use crate::session::listener::Listener;
use crate::session::outbox::outbox;
use crate::session::reader::{Reader, Timing};
use crate::session::worker::Session;
use crate::{Error, ErrorKind, Result};

/// A model pack loaded on one device: heavy, immutable, shared by every avatar. `Clone` shares it.
///
/// It owns one thread, which talks to the device; that thread ends when the last clone and the last avatar have gone.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Shared>);

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
        EngineBuilder::new(pack.as_ref())
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

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the engine has stopped")
}

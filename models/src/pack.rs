//! Checkpoints in, a pack out: all of it or nothing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use musetalk_core::{Error, ErrorKind, ModelPack, Result, self_test};

use crate::Precision;
use crate::checkpoint::{Checkpoint, ModelVersion, Sources};
use crate::faces;
use crate::graph::Graph;
use crate::manifest::{self, Audio, FileEntry, Image, Manifest, Network};
use crate::networks::Ending;
use crate::networks::unet::Unet;
use crate::networks::vae::Vae;
use crate::networks::whisper::Whisper;
use crate::onnx::{WeightStore, Written, hex, write_file};
use crate::progress::{Advance, Progress, Reporter};
use crate::staging::Staging;

/// The format of `pack.json` that is written.
const FORMAT: u32 = 1;

/// Tokens of 20 ms before and from the first token of a frame, as MuseTalk was trained at 25 frames a second.
const TOKENS: (usize, usize) = (4, 6);

/// Encoders up to this many positions are cheap enough for a second call per frame at the start of an utterance.
const SHORT_WINDOW: usize = 500;

/// A checkpoint larger than this becomes a graph whose weights lie in a file beside it; protobuf ends at 2 GiB.
const LARGEST_INSIDE: u64 = 256 << 20;

/// A pack to be built.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use musetalk_models::PackBuilder;
///
/// let built = PackBuilder::new("checkpoints").name("anna").build("anna.pack", |progress| {
///     eprintln!("{}: {} of {} bytes", progress.step, progress.done, progress.total);
///     ControlFlow::Continue(())
/// })?;
/// println!("{} parameters", built.parameters);
/// # Ok::<(), musetalk_models::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PackBuilder {
    from: PathBuf,
    name: Option<String>,
    description: Option<String>,
    precision: Precision,
    version: Option<ModelVersion>,
    replace: bool,
    ending: Ending,
    largest_inside: u64,
}

/// What a finished build wrote.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BuiltPack {
    /// The pack's folder.
    pub folder: PathBuf,
    /// Size of all its files.
    pub bytes: u64,
    /// Values in the checkpoints that the networks use.
    pub parameters: u64,
    /// The release that the generator is of, where its place among the checkpoints tells. `pack.json` says it in `weights`.
    pub version: Option<ModelVersion>,
    /// What a person should know about the checkpoints, each in a sentence: contradictions, choices that were made.
    pub notes: Vec<String>,
    /// Networks that were not found and are not needed to speak, each with where it comes from, licence and size.
    pub absent: Vec<String>,
}

impl PackBuilder {
    /// From a folder of checkpoints: as MuseTalk publishes them (`musetalkV15/`, `sd-vae/`, `whisper/`, …), as Hugging
    /// Face does (`unet/`, `vae/`, `whisper/` and, optionally, `origin.json`), or under any names. The networks that find
    /// faces become part of the pack where they are there.
    pub fn new(from: impl Into<PathBuf>) -> Self {
        let (name, description, precision, version) = (None, None, Precision::default(), None);
        let (replace, ending, largest_inside) = (false, Ending::Bytes, LARGEST_INSIDE);
        Self { from: from.into(), name, description, precision, version, replace, ending, largest_inside }
    }

    /// The pack's name; `origin.json`, then the name of the pack's folder, stand in for it.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// One line that a person reads; `origin.json` stands in for it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The number format of the weights; [`Precision::Fp32`] by default.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The release whose generator is packed; by default 1.5 where both are there.
    #[must_use]
    pub fn version(mut self, version: ModelVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// Whether a pack that is there already is replaced, once the new one is complete. Off by default.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Ends the decoder before it rounds and the face parser before it chooses, for measuring; the result is no pack that an engine takes.
    #[doc(hidden)]
    #[must_use]
    pub fn with_float_decoder(mut self) -> Self {
        self.ending = Ending::Floats;
        self
    }

    /// Keeps the weights of larger checkpoints than this in files beside the graphs; for tests of that way to store them.
    #[doc(hidden)]
    #[must_use]
    pub fn with_largest_inside(mut self, bytes: u64) -> Self {
        self.largest_inside = bytes;
        self
    }

    /// Builds the pack as the folder `out`, in a folder beside it that takes its name when complete.
    ///
    /// Blocks for seconds (official weights: as long as reading and writing 4 GB takes). Needs the memory of the largest
    /// tensor and of the self-test, not of the network: 0.55 GB for official weights. `progress` is called with every tensor;
    /// `ControlFlow::Break` cancels and leaves nothing.
    ///
    /// # Errors
    ///
    /// - `NotFound`: the folder, or a network that a pack needs, does not exist; the message lists all that are missing,
    ///   with where they come from, licence and size.
    /// - `Corrupt`: a file is damaged, malformed, or holds values that are not finite, or that make such values.
    /// - `Incompatible`: a tensor is missing or of another shape than its network has, or the three networks do not fit
    ///   together.
    /// - `Unsupported`: a configuration asks for something that is not built, or for a size that no reader of packs takes; a
    ///   file holds more than tensors; weights, or what they make, are too large for a pack of halves. The message names the
    ///   option, what the file holds, or the weight or node.
    /// - `InvalidInput`: `out` exists and is not a pack, is one and `replace` is off, or is a link that leads nowhere; the
    ///   folder of checkpoints holds tens of thousands of files.
    /// - `Cancelled`: `progress` said so.
    /// - `Io`: reading or writing failed.
    pub fn build(
        &self,
        out: impl AsRef<Path>,
        mut progress: impl FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<BuiltPack> {
        let reporter = Reporter::new(&mut progress);
        let staging = Staging::beside(out.as_ref(), self.replace)?;
        let filled = self.fill(&staging, &reporter)?;
        if self.ending == Ending::Bytes {
            // What gets a name is what the reader takes.
            ModelPack::open(staging.path())
                .map_err(|e| Error::new(e.kind(), format!("no pack was written: {e}")).caused_by(e))?;
        }
        reporter.finish()?;
        Ok(BuiltPack { folder: staging.publish()?, ..filled })
    }

    /// Writes all files of the pack; what is said of it has no folder yet.
    fn fill(&self, staging: &Staging, reporter: &Reporter<'_>) -> Result<BuiltPack> {
        let sources = Sources::find(&self.from, self.version, reporter)?;
        let Sources { whisper, unet, vae, .. } = &sources;
        let shapes = Shapes::configured(whisper, unet, vae)?;
        if self.ending == Ending::Bytes {
            shapes.check_limits(whisper, vae)?;
        }
        let mut pack = Parts::new(staging.path(), reporter, self.precision, self.largest_inside);
        pack.network("audio_encoder", whisper, &[""], |graph| shapes.whisper.build(whisper, graph))?;
        let (side, rows) = (shapes.vae.latent_size(), shapes.rows());
        pack.network("generator", unet, &[""], |graph| shapes.unet.build(unet, graph, side, rows))?;
        let decoder = ["decoder.", "post_quant_conv."];
        pack.network("decoder", vae, &decoder, |graph| shapes.vae.build_decoder(vae, graph, self.ending))?;
        let encoder = ["encoder.", "quant_conv."];
        pack.network("encoder", vae, &encoder, |graph| shapes.vae.build_encoder(vae, graph))?;
        faces::build(&sources, &mut pack, self.ending)?;
        pack.self_test()?;

        let checkpoints = sources.checkpoints();
        let stored = checkpoints.iter().flat_map(|(.., c)| c.files()).map(|(_, bytes)| bytes).sum();
        reporter.step("checksums", stored)?;
        let mut weights = Vec::new();
        for (network, role, checkpoint) in checkpoints {
            for (path, _) in checkpoint.files() {
                let sha256 = digest(&path, reporter)?;
                weights.push(sources.entry(network, role, &path, sha256));
            }
        }
        weights.extend(pack.published.iter().map(|(role, digest)| sources.published_entry(role, digest)));
        let encoder_identity = shapes.vae.identity(vae.digest(&encoder)?);
        let parameters = pack.networks.values().map(|network| network.parameters).sum();
        let absent = sources.absent();
        let Sources { origin, version, mut notes, .. } = sources;
        notes.append(&mut pack.notes);
        let folder_name = staging.name();
        let manifest = Manifest {
            format: FORMAT,
            name: self.name.clone().or(origin.name).unwrap_or(folder_name),
            description: self.description.clone().or(origin.description).unwrap_or_default(),
            made_by: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).into(),
            precision: self.precision,
            encoder_identity,
            image: shapes.image(),
            fps: [25, 1],
            audio: shapes.audio(),
            networks: pack.networks,
            self_test: manifest::SELF_TEST,
            files: pack.files,
            weights,
            parity: origin.parity.unwrap_or_default(),
        };
        let written = write_file(staging.path(), manifest::FILE, &manifest.to_json()?)?;
        let bytes = manifest.files.values().map(|file| file.bytes).sum::<u64>() + written.bytes;
        Ok(BuiltPack { folder: PathBuf::new(), bytes, parameters, version, notes, absent })
    }
}

/// The three configurations, which fit together.
pub(crate) struct Shapes {
    pub(crate) whisper: Whisper,
    pub(crate) unet: Unet,
    pub(crate) vae: Vae,
}

impl Shapes {
    pub(crate) fn configured(
        whisper: &Checkpoint<'_>,
        unet: &Checkpoint<'_>,
        vae: &Checkpoint<'_>,
    ) -> Result<Self> {
        let (whisper, unet, vae) =
            (Whisper::configured(whisper)?, Unet::configured(unet)?, Vae::configured(vae)?);
        let latent = vae.latent_channels;
        let pairs = [
            ("the UNet's cross_attention_dim", unet.width, "Whisper's d_model", whisper.width),
            ("the UNet's in_channels", unet.in_channels, "twice the VAE's latent_channels", 2 * latent),
            ("the UNet's out_channels", unet.out_channels, "the VAE's latent_channels", latent),
        ];
        for (what, found, other, expected) in pairs {
            if found != expected {
                let text = format!("{what} is {found}, but {other} is {expected}");
                return Err(Error::new(ErrorKind::Incompatible, text));
            }
        }
        Ok(Self { whisper, unet, vae })
    }

    /// The limits of whoever reads the pack: larger networks would only cost the time and memory of their trial.
    fn check_limits(&self, whisper: &Checkpoint<'_>, vae: &Checkpoint<'_>) -> Result<()> {
        let (audio, image) = (whisper.config(), vae.config());
        image.within("sample_size", self.vae.size, 16..=2048)?;
        image.divisible("sample_size", self.vae.size, "a pair of pixels,", 2)?;
        image.within("the side of the latents", self.vae.latent_size(), 1..=512)?;
        image.within("latent_channels", self.vae.latent_channels, 1..=64)?;
        audio.within("num_mel_bins", self.whisper.mels, 80..=80)?;
        audio.within("max_source_positions", self.whisper.positions, 20..=6000)?;
        audio.within("encoder_layers", self.whisper.layers, 1..=63)?;
        audio.within("d_model", self.whisper.width, 1..=8192)
    }

    /// Rows of audio that the generator reads for one frame.
    pub(crate) fn rows(&self) -> usize {
        (TOKENS.0 + TOKENS.1) * (self.whisper.layers + 1)
    }

    fn image(&self) -> Image {
        Image {
            size: self.vae.size,
            latent_size: self.vae.latent_size(),
            latent_channels: self.vae.latent_channels,
        }
    }

    fn audio(&self) -> Audio {
        let Whisper { width, layers, mels, positions, .. } = self.whisper;
        let groups = if positions <= SHORT_WINDOW { [1, 1, 1, 2] } else { [1, 1, 2, 3] };
        Audio {
            sample_rate: 16000,
            hop: 160,
            mels,
            positions,
            states: layers + 1,
            width,
            tokens_before: TOKENS.0,
            tokens_after: TOKENS.1,
            look_ahead: 1920,
            groups: groups.to_vec(),
        }
    }
}

/// What was written so far.
pub(crate) struct Parts<'a, 'b> {
    folder: &'a Path,
    reporter: &'a Reporter<'b>,
    precision: Precision,
    largest_inside: u64,
    files: BTreeMap<String, FileEntry>,
    networks: BTreeMap<String, Network>,
    trials: BTreeMap<&'static str, Vec<f32>>,
    /// Digests of what was taken as it is.
    published: Vec<(&'static str, String)>,
    /// What a person should know of the networks.
    notes: Vec<String>,
}

impl<'a, 'b> Parts<'a, 'b> {
    fn new(folder: &'a Path, reporter: &'a Reporter<'b>, precision: Precision, largest_inside: u64) -> Self {
        let (files, networks, trials, published, notes) = Default::default();
        Self { folder, reporter, precision, largest_inside, files, networks, trials, published, notes }
    }

    /// Builds one graph from the tensors under some prefixes of a checkpoint, and tries it.
    fn network(
        &mut self,
        name: &'static str,
        checkpoint: &Checkpoint<'_>,
        prefixes: &[&str],
        build: impl FnOnce(&mut Graph) -> Result<()>,
    ) -> Result<()> {
        self.network_in(self.precision, name, checkpoint, prefixes, build)
    }

    /// As [`network`](Self::network), in single precision whatever the pack's.
    pub(crate) fn single_network(
        &mut self,
        name: &'static str,
        checkpoint: &Checkpoint<'_>,
        prefixes: &[&str],
        build: impl FnOnce(&mut Graph) -> Result<()>,
    ) -> Result<()> {
        self.network_in(Precision::Fp32, name, checkpoint, prefixes, build)
    }

    fn network_in(
        &mut self,
        precision: Precision,
        name: &'static str,
        checkpoint: &Checkpoint<'_>,
        prefixes: &[&str],
        build: impl FnOnce(&mut Graph) -> Result<()>,
    ) -> Result<()> {
        let values = checkpoint.value_count(prefixes);
        self.reporter.step(name, 4 * values)?;
        // The two graphs of a network of halves share its weights, wherever they would lie otherwise.
        let inside = precision == Precision::Fp32 && 4 * values <= self.largest_inside;
        let store = match inside {
            true => WeightStore::Inside,
            false => WeightStore::beside(self.folder, &format!("{name}.onnx.data"))?,
        };
        let mut graph = Graph::new(name, store, precision).on_trial(checkpoint.root().place());
        let before = checkpoint.values_used();
        build(&mut graph)?;
        let parameters = checkpoint.values_used() - before;
        let built = graph.write(self.folder, name)?;
        self.networks.insert(name.into(), Network::new(&built, parameters, 4 * parameters));
        for file in built.files {
            self.list(file);
        }
        self.notes.extend(built.untried);
        if let Some(numbers) = built.trial {
            self.trials.insert(name, self_test::places(numbers.len()).map(|place| numbers[place]).collect());
        }
        Ok(())
    }

    /// Adds a network that is one file already, as `take` checks and copies it.
    pub(crate) fn published(
        &mut self,
        name: &'static str,
        file: &Path,
        take: impl FnOnce(&Path, &Path) -> Result<(Network, Written)>,
    ) -> Result<()> {
        let bytes = std::fs::metadata(file).map_err(|e| Error::io("read the size of", file, e))?.len();
        self.reporter.step(name, bytes)?;
        let (network, written) = take(file, self.folder)?;
        self.reporter.advance(written.bytes)?;
        self.networks.insert(name.into(), network);
        self.published.push((name, written.sha256.clone()));
        self.list(written);
        Ok(())
    }

    /// Writes down what the networks gave.
    fn self_test(&mut self) -> Result<()> {
        let text = serde_json::to_vec(&self.trials)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("the self-test: {e}")).caused_by(e))?;
        let written = write_file(self.folder, manifest::SELF_TEST, &text)?;
        self.list(written);
        Ok(())
    }

    fn list(&mut self, Written { name, bytes, sha256 }: Written) {
        self.files.insert(name, FileEntry { bytes, sha256 });
    }
}

fn digest(path: &Path, reporter: &dyn Advance) -> Result<String> {
    use std::io::Read;

    use sha2::Digest;

    let mut file = std::fs::File::open(path).map_err(|e| Error::io("open the checkpoint", path, e))?;
    let mut hash = sha2::Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut block).map_err(|e| Error::io("read the checkpoint", path, e))?;
        if count == 0 {
            return Ok(hex(hash));
        }
        hash.update(&block[..count]);
        reporter.advance(count as u64)?;
    }
}

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::unique::unique;
use crate::time::FrameRate;
use crate::{Error, ErrorKind, Result};

/// The format of `pack.json` that this version reads and writes.
pub const PACK_FORMAT: u32 = 1;

/// `pack.json`: what a pack holds. Its fields are specified in `models/README.md`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format; [`PACK_FORMAT`].
    pub format: u32,
    /// A short name.
    pub name: String,
    /// One line that a person reads.
    #[serde(default)]
    pub description: String,
    /// The program that wrote the pack, with its version.
    #[serde(default)]
    pub made_by: String,
    /// What the weights are stored in, and computed in on a device that has it.
    pub precision: Precision,
    /// SHA-256 of the encoder's tensors in its checkpoint, in lower-case hexadecimal: the same for every pack of that checkpoint,
    /// whatever its precision. Avatars record it.
    pub encoder_identity: String,
    /// Sizes of pictures and latents.
    pub image: ImageSizes,
    /// Frames per second the networks run at: numerator, denominator.
    pub fps: [u32; 2],
    /// How sound reaches the networks.
    pub audio: AudioLayout,
    /// The graphs by role: `audio_encoder`, `generator`, `decoder`, `encoder`, and those that only find and cut out faces:
    /// `face_detector`, `face_landmarks`, `face_parser`, any of which may be absent.
    #[serde(deserialize_with = "unique")]
    pub networks: BTreeMap<String, NetworkEntry>,
    /// Every other file of the pack by name.
    #[serde(deserialize_with = "unique")]
    pub files: BTreeMap<String, FileEntry>,
    /// Where the weights come from.
    #[serde(default)]
    pub weights: Vec<WeightsEntry>,
    /// The file with what each network answers to the inputs of [`self_test`](crate::self_test).
    #[serde(default)]
    pub self_test: Option<String>,
    /// What the graphs were compared with.
    #[serde(default)]
    pub parity: Option<Parity>,
}

/// The number format of a pack's weights, and of what its networks compute on a device that has it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats, as the reference computes. The better choice for a CPU.
    #[default]
    Fp32,
    /// 16-bit floats: half the size, and the faster one where a device computes in them; the statistics of norms and softmaxes stay
    /// in 32 bits. A CPU widens the weights once while loading.
    Fp16,
}

/// How far ONNX Runtime rewrites a graph while it loads, chosen by measurement when the pack was built.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum Optimisation {
    /// Everything, the layout of tensors included: the fastest for small graphs, and a second copy of the weights.
    All,
    /// Everything but the layout of tensors: large graphs load in a fraction of the time and memory, and run as fast.
    Extended,
}

/// Sizes of pictures and latents.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct ImageSizes {
    /// Side of the square face crop, in pixels.
    pub size: u32,
    /// Side of its latents.
    pub latent_size: u32,
    /// Channels of one latent.
    pub latent_channels: u32,
}

/// How sound reaches the networks. A token is 20 ms: 320 samples at 16 kHz, two log-mel frames.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct AudioLayout {
    /// Samples per second; always 16 000.
    pub sample_rate: u32,
    /// Samples from one log-mel frame to the next; always 160.
    pub hop: u32,
    /// Bands of the log-mel spectrum; always 80.
    pub mels: u32,
    /// Tokens that the encoder sees at once.
    pub positions: u32,
    /// Hidden states stacked per token.
    pub states: u32,
    /// Numbers in one hidden state.
    pub width: u32,
    /// Tokens that a frame reads before its first one.
    pub tokens_before: u32,
    /// Tokens that a frame reads from its first one on.
    pub tokens_after: u32,
    /// Samples that must be known beyond the end of a group of frames before it is encoded.
    pub look_ahead: u32,
    /// Frames per encoder call by position in the utterance; the last number repeats.
    pub groups: Vec<u32>,
}

/// One graph of a pack.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct NetworkEntry {
    /// The ONNX file, a name without folders.
    pub file: String,
    /// In an fp16 pack, the same graph in f32 over the same weights, which widens them once while loading: what a CPU runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widened: Option<String>,
    /// The level that ONNX Runtime loads it at.
    pub optimisation: Optimisation,
    /// What it takes, in order.
    pub inputs: Vec<TensorEntry>,
    /// What it gives, in order.
    pub outputs: Vec<TensorEntry>,
    /// Numbers it has learned.
    #[serde(default)]
    pub parameters: u64,
    /// Multiply-accumulates for one item of a batch; where sides are free, at 256×256.
    #[serde(default)]
    pub macs: u64,
}

/// One input or output of a graph.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct TensorEntry {
    /// Its name in the graph.
    pub name: String,
    /// `f32` or `u8`.
    #[serde(rename = "type")]
    pub element: String,
    /// Its dimensions; a name stands for a free one.
    pub shape: Vec<Dimension>,
}

/// One dimension of a tensor.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(untagged)]
pub enum Dimension {
    /// This many.
    Fixed(u64),
    /// As many as the call brings.
    Named(String),
}

/// A file of the pack.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Where the weights of a network come from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WeightsEntry {
    /// The role of the network.
    pub network: String,
    /// Who made them, and where they are published.
    #[serde(default)]
    pub origin: String,
    /// The licence of the weights.
    #[serde(default)]
    pub licence: String,
    /// SHA-256 of the checkpoint file.
    #[serde(default)]
    pub sha256: String,
}

/// What the graphs were compared with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Parity {
    /// The program that computed the reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// ‖x − y‖₂ / ‖y‖₂ by network.
    #[serde(default, deserialize_with = "unique")]
    pub relative_error: BTreeMap<String, f64>,
}

impl TensorEntry {
    /// Its sides for one item, free ones `free` long.
    pub(crate) fn sides(&self, free: usize) -> Vec<usize> {
        let side = |dimension: &Dimension| match dimension {
            Dimension::Fixed(n) => usize::try_from(*n).unwrap_or(usize::MAX),
            Dimension::Named(_) => free,
        };
        std::iter::once(1).chain(self.shape.iter().skip(1).map(side)).collect()
    }
}

impl Manifest {
    /// Reads the text of a `pack.json` and checks that its numbers fit together.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Incompatible`]: another format than [`PACK_FORMAT`].
    /// - [`ErrorKind::Corrupt`]: not JSON, a field is missing or unknown, or numbers contradict each other.
    pub fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        // The version first: what a later format adds must be told apart from damage.
        let version: Version =
            serde_json::from_str(text).map_err(|e| corrupt(&e.to_string()).caused_by(e))?;
        if version.format != PACK_FORMAT {
            return Err(Error::new(
                ErrorKind::Incompatible,
                format!(
                    "the pack has format {}, this version reads format {PACK_FORMAT}; build it again with `musetalk pack build`",
                    version.format
                ),
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|e| corrupt(&e.to_string()).caused_by(e))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The rate the networks run at.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: not between 1 and 120 frames per second.
    pub fn frame_rate(&self) -> Result<FrameRate> {
        FrameRate::new(self.fps[0], self.fps[1])
    }

    fn check(&self) -> Result<()> {
        let fps = self.frame_rate().map_err(|e| corrupt(&e.to_string()))?;
        let (image, audio) = (&self.image, &self.audio);
        require(
            audio.sample_rate == 16_000 && audio.hop == 160 && audio.mels == 80,
            "audio is not 80 mels at 16 000 Hz with hop 160",
        )?;
        require(
            (16..=2048).contains(&image.size) && image.size % 2 == 0,
            "image.size is not an even number in 16..2048",
        )?;
        require((1..=512).contains(&image.latent_size), "image.latent_size is not in 1..512")?;
        require((1..=64).contains(&image.latent_channels), "image.latent_channels is not in 1..64")?;
        require((20..=6_000).contains(&audio.positions), "audio.positions is not in 20..6000")?;
        require((1..=64).contains(&audio.states), "audio.states is not in 1..64")?;
        require((1..=8_192).contains(&audio.width), "audio.width is not in 1..8192")?;
        require(
            (1..=100).contains(&(audio.tokens_before.saturating_add(audio.tokens_after))),
            "audio.tokens_before + tokens_after is not in 1..100",
        )?;
        require(audio.tokens_after >= 1, "audio.tokens_after is 0")?;
        require(
            !audio.groups.is_empty() && audio.groups.len() <= 64,
            "audio.groups does not have 1 to 64 entries",
        )?;
        require(
            audio.groups.iter().all(|&g| (1..=16).contains(&g)),
            "audio.groups has a group outside 1..16",
        )?;
        // The last token that a frame reads, and the spectra below it, must be known: 520 samples from its start.
        let reach = u64::from(audio.tokens_after - 1) * 320 + 520;
        let known = u64::from(audio.look_ahead) + fps.first_sample(1, 16_000);
        require(
            audio.look_ahead >= 200 && known >= reach,
            "audio.look_ahead ends before the last token that a frame reads",
        )?;
        // What a listener waits for; the limit is a promise of the product, not of the format.
        let longest = audio.groups.iter().copied().max().unwrap_or(1);
        let ahead = u64::from(audio.look_ahead) + fps.first_sample(u64::from(longest) - 1, 16_000);
        require(ahead <= 3_200, "audio.look_ahead and groups wait for more than 200 ms beyond a frame")?;
        self.check_names()
    }

    /// Whom the manifest names, and by what.
    fn check_names(&self) -> Result<()> {
        let hexadecimal =
            |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        require(
            hexadecimal(&self.encoder_identity),
            "encoder_identity is not a SHA-256 of 64 hexadecimal digits in lower case",
        )?;
        for (role, network) in &self.networks {
            self.require_listed(&format!("network {role}"), &network.file)?;
            if let Some(widened) = &network.widened {
                self.require_listed(&format!("network {role}"), widened)?;
                require(
                    self.precision == Precision::Fp16,
                    &format!("network {role} has a widened graph, which only packs of precision fp16 have"),
                )?;
            }
        }
        if let Some(record) = &self.self_test {
            self.require_listed("self_test", record)?;
        }
        for name in self.files.keys() {
            let plain =
                !name.is_empty() && !name.contains(['/', '\\', ':', '\0']) && name != "." && name != "..";
            require(plain, &format!("file name {name:?} is not a plain name"))?;
        }
        Ok(())
    }

    fn require_listed(&self, who: &str, file: &str) -> Result<()> {
        require(
            self.files.contains_key(file),
            &format!("{who} names file {file:?}, which files does not list"),
        )
    }
}

fn require(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(corrupt(what)) }
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("pack.json: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `models/pack.schema.json` holds: the very types that read a `pack.json`, described.
    fn schema() -> String {
        let mut schema = schemars::schema_for!(Manifest);
        schema.insert("$id".to_owned(), "musetalk/pack.schema.json".into());
        let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
        text.replace("[`", "`").replace("`](crate::self_test)", "`").replace("`]", "`") + "\n"
    }

    #[test]
    fn the_published_schema_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/pack.schema.json");
        if std::env::var_os("MUSETALK_BLESS").is_some() {
            std::fs::write(&path, schema()).expect("the schema can be written");
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == schema(), "run this test with MUSETALK_BLESS=1, and look at what changed");
    }
}

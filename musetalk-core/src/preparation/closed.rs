//! Closed mouths for footage of somebody who spoke: the pack is asked what the face looks like in silence.

use crate::Result;
use crate::audio::mel::{SILENCE, scale};
use crate::engine::Loader;
use crate::networks::{AudioEncoder, Decoder, Generator};

/// Makes the face of a frame with its mouth closed.
#[derive(Debug)]
pub(super) struct ClosedMouth {
    generator: Generator,
    decoder: Decoder,
    /// What a frame in the middle of silence reads, \[tokens · states, width\].
    silence: Vec<f32>,
    prediction: Vec<f32>,
    patch: Vec<u8>,
}

impl ClosedMouth {
    /// Loads what speaks, and listens to silence once.
    pub(super) fn load(loader: &Loader) -> Result<Self> {
        let manifest = loader.pack.manifest();
        let (audio, image) = (&manifest.audio, manifest.image);
        let row = (audio.states * audio.width) as usize;
        let positions = audio.positions as usize;
        let mut states = vec![0.0; positions * row];
        {
            let mel = vec![scale(SILENCE, SILENCE); audio.mels as usize * 2 * positions];
            AudioEncoder(loader.network("audio_encoder")?).run(&mel, &mut states)?;
        }
        // Far from both ends, where an encoder hears the end of the sound.
        let tokens = (audio.tokens_before + audio.tokens_after) as usize;
        let first = (positions - tokens.min(positions)) / 2;
        let silence = states[first * row..(first + tokens).min(positions) * row].to_vec();
        let size = image.size as usize;
        Ok(Self {
            generator: Generator(loader.network("generator")?),
            decoder: Decoder(loader.network("decoder")?),
            silence,
            prediction: vec![0.0; image.latent_channels as usize * (image.latent_size as usize).pow(2)],
            patch: vec![0; 3 * size * size],
        })
    }

    /// The face of this latent, silent: RGB8, \[size, size, 3\].
    pub(super) fn patch(&mut self, latent: &[f32]) -> Result<&[u8]> {
        self.generator.run(1, latent, &self.silence, &mut self.prediction)?;
        self.decoder.run(1, &self.prediction, &mut self.patch)?;
        Ok(&self.patch)
    }
}

//! A whole clip to the states that each frame reads, a segment at a time.

use crate::Result;
use crate::audio::mel::{LogMel, MELS};
use crate::audio::window::TOKEN;
use crate::networks::AudioEncoder;
use crate::pack::AudioLayout;

/// The sound of one clip, and the states of the segments that the next frame reads: two at most.
///
/// A segment is as long as the encoder sees at once (1500 tokens, 30 s, for Whisper's) and is encoded for itself: silence after
/// its end, its ends mirrored, features scaled by its own maximum.
#[derive(Debug)]
pub(super) struct Hearing {
    pcm: Vec<f32>,
    /// Tokens that count; what comes after them is zeros.
    tokens: u64,
    positions: usize,
    /// Numbers of one token: states · width.
    row: usize,
    log_mel: LogMel,
    segment: Vec<f32>,
    mel: Vec<f32>,
    encoded: Vec<f32>,
    /// States from token `first` on.
    states: Vec<f32>,
    first: u64,
}

impl Hearing {
    /// For a clip at 16 kHz of which `tokens` tokens count.
    pub(super) fn new(pcm: Vec<f32>, tokens: u64, audio: &AudioLayout) -> Self {
        let positions = audio.positions as usize;
        let row = audio.states as usize * audio.width as usize;
        Self {
            pcm,
            tokens,
            positions,
            row,
            log_mel: LogMel::new(),
            segment: vec![0.0; positions * TOKEN as usize],
            mel: vec![0.0; MELS * 2 * positions],
            encoded: vec![0.0; positions * row],
            states: Vec::new(),
            first: 0,
        }
    }

    /// Writes the states from token `first` on into `out`, \[tokens · states, width\], token by token.
    ///
    /// Windows are asked for in the order of their frames. Encodes the next segment where the window reaches it.
    pub(super) fn context(&mut self, first: i64, encoder: &mut AudioEncoder, out: &mut [f32]) -> Result<()> {
        for (out, token) in out.chunks_exact_mut(self.row).zip(first..) {
            match u64::try_from(token).ok().filter(|&token| token < self.tokens) {
                Some(token) => {
                    while self.encoded_to() <= token {
                        self.forget_before(first);
                        self.encode_next(encoder)?;
                    }
                    let at = (token - self.first) as usize * self.row;
                    out.copy_from_slice(&self.states[at..at + self.row]);
                }
                None => out.fill(0.0),
            }
        }
        Ok(())
    }

    fn encoded_to(&self) -> u64 {
        self.first + (self.states.len() / self.row) as u64
    }

    fn forget_before(&mut self, token: i64) {
        let token = u64::try_from(token).unwrap_or(0).clamp(self.first, self.encoded_to());
        self.states.drain(..(token - self.first) as usize * self.row);
        self.first = token;
    }

    fn encode_next(&mut self, encoder: &mut AudioEncoder) -> Result<()> {
        let start = self.encoded_to() as usize * TOKEN as usize;
        let heard = &self.pcm[start..self.pcm.len().min(start + self.segment.len())];
        let (sound, silence) = self.segment.split_at_mut(heard.len());
        sound.copy_from_slice(heard);
        silence.fill(0.0);
        self.log_mel.segment(&self.segment, &mut self.mel);
        encoder.run(&self.mel, &mut self.encoded)?;
        self.states.extend_from_slice(&self.encoded);
        debug_assert_eq!(self.encoded.len(), self.positions * self.row, "a segment fills the encoder");
        Ok(())
    }
}

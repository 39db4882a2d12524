//! Brings sound to 16 kHz as a reference clip hears it: raw f32 on standard input and output, the rate as argument.
//!
//! `tests/parity/resampler.py` compares it with soxr.

use std::io::{Read as _, Write as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rate = std::env::args().nth(1).ok_or("give the sample rate in Hz")?.parse()?;
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let (words, _) = bytes.as_chunks::<4>();
    let pcm: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    let out = musetalk_core::reference::at_speech_rate(&pcm, rate)?;
    let bytes: Vec<u8> = out.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    std::io::stdout().write_all(&bytes)?;
    Ok(())
}

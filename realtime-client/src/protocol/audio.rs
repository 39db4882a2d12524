//! Samples as the wire carries them: base64 of signed 16-bit little-endian mono.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Some servers leave the padding out. The alphabet of URLs is mapped before.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Base64 of the samples, standard alphabet, with padding. Allocates the string.
pub fn encode(pcm: &[i16]) -> String {
    let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

/// Joins pieces of one stream of samples, of which any piece may end in the middle of a sample.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    odd: Option<u8>,
}

impl Decoder {
    /// The samples of the next piece; `Err` says in words why it is no base64.
    ///
    /// # Errors
    ///
    /// The text is not base64, in either alphabet. The decoder goes on as if the piece had not come.
    pub fn decode(&mut self, base64: &str) -> Result<Vec<i16>, String> {
        let bytes = if base64.contains(['-', '_']) {
            LENIENT.decode(base64.replace('-', "+").replace('_', "/"))
        } else {
            LENIENT.decode(base64)
        };
        let bytes = bytes.map_err(|e| format!("audio is not base64: {e}"))?;
        let mut pcm = Vec::with_capacity(bytes.len() / 2 + 1);
        let mut bytes = self.odd.take().into_iter().chain(bytes);
        while let Some(low) = bytes.next() {
            match bytes.next() {
                Some(high) => pcm.push(i16::from_le_bytes([low, high])),
                None => self.odd = Some(low),
            }
        }
        Ok(pcm)
    }

    /// Whether half a sample waits for its other half.
    pub fn is_odd(&self) -> bool {
        self.odd.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive_any_cut_into_pieces() {
        let pcm: Vec<i16> = (0..997).map(|n| (n * 7919 % 65_536 - 32_768) as i16).collect();
        let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        for piece in [1, 2, 3, 5, 48, 997, 4000] {
            let mut decoder = Decoder::default();
            let back: Vec<i16> = bytes
                .chunks(piece)
                .flat_map(|part| decoder.decode(&STANDARD.encode(part)).unwrap())
                .collect();
            assert_eq!(back, pcm);
            assert!(!decoder.is_odd());
        }
        assert_eq!(Decoder::default().decode(&encode(&pcm)).unwrap(), pcm);
    }

    #[test]
    fn sloppy_base64_is_read_and_nonsense_is_refused_in_words() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.decode("_-8").unwrap(), [i16::from_le_bytes([0xff, 0xef])]);
        assert!(decoder.decode("not base64!").unwrap_err().contains("base64"));
        assert!(decoder.decode("").unwrap().is_empty());
    }
}

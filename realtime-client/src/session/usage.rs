//! What a conversation has cost so far.

use crate::protocol::server_event::{CachedDetails, ResponseUsage, TokenDetails, TranscriptionUsage};

/// Counters since the session began, over all its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// Answers that told their usage.
    pub responses: u64,
    /// Tokens of writing read, without those cached.
    pub text_in: u64,
    /// Tokens of sound heard, without those cached.
    pub audio_in: u64,
    /// Tokens of pictures seen, without those cached.
    pub image_in: u64,
    /// Tokens read again from the cache.
    pub cached_in: u64,
    /// Tokens written.
    pub text_out: u64,
    /// Tokens spoken.
    pub audio_out: u64,
    /// Tokens of input transcription.
    pub transcription_tokens: u64,
    /// Seconds of input transcription, where it is billed so.
    pub transcription_seconds: f64,
}

/// What a million tokens cost, in any currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a price list is written out by the host")]
pub struct Prices {
    /// Writing read.
    pub text_in: f64,
    /// Sound heard.
    pub audio_in: f64,
    /// Pictures seen.
    pub image_in: f64,
    /// Anything read from the cache.
    pub cached_in: f64,
    /// Writing.
    pub text_out: f64,
    /// Speaking.
    pub audio_out: f64,
    /// Input transcription by tokens.
    pub transcription: f64,
    /// Input transcription by the minute.
    pub transcription_minute: f64,
}

impl Usage {
    /// Adds what a server counted; counters that would overflow stay at their largest.
    pub(crate) fn add_response(&mut self, usage: &ResponseUsage) {
        let (input, output) = (&usage.input_token_details, &usage.output_token_details);
        let cached = by_kind(input);
        for (counter, tokens) in [
            (&mut self.responses, 1),
            (&mut self.text_in, input.text_tokens.saturating_sub(cached.text_tokens)),
            (&mut self.audio_in, input.audio_tokens.saturating_sub(cached.audio_tokens)),
            (&mut self.image_in, input.image_tokens.saturating_sub(cached.image_tokens)),
            (&mut self.cached_in, input.cached_tokens),
            (&mut self.text_out, output.text_tokens),
            (&mut self.audio_out, output.audio_tokens),
        ] {
            *counter = counter.saturating_add(tokens);
        }
    }

    pub(crate) fn add_transcription(&mut self, usage: &TranscriptionUsage) {
        self.transcription_tokens = self.transcription_tokens.saturating_add(usage.total_tokens);
        self.transcription_seconds += usage.seconds.max(0.0);
    }

    /// What all this costs at these prices.
    pub fn cost(&self, prices: &Prices) -> f64 {
        let tokens = [
            (self.text_in, prices.text_in),
            (self.audio_in, prices.audio_in),
            (self.image_in, prices.image_in),
            (self.cached_in, prices.cached_in),
            (self.text_out, prices.text_out),
            (self.audio_out, prices.audio_out),
            (self.transcription_tokens, prices.transcription),
        ];
        let tokens: f64 = tokens.iter().map(|(count, price)| *count as f64 * price / 1e6).sum();
        tokens + self.transcription_seconds / 60.0 * prices.transcription_minute
    }
}

/// What was read again, by kind. Where a server tells only the sum, writing was: instructions and tools are what a cache holds first.
fn by_kind(input: &TokenDetails) -> CachedDetails {
    let told = input.cached_tokens_details.clone();
    if told != CachedDetails::default() {
        return told;
    }
    let mut left = input.cached_tokens;
    let mut some = |of: u64| {
        let taken = left.min(of);
        left -= taken;
        taken
    };
    CachedDetails {
        text_tokens: some(input.text_tokens),
        audio_tokens: some(input.audio_tokens),
        image_tokens: some(input.image_tokens),
    }
}

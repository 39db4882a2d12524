use std::time::Duration;

use crate::session::Options;
use crate::{Error, ErrorKind, Key, Provider, Result};

/// More pings are of no use.
const LEAST_PING: Duration = Duration::from_millis(100);

/// What a client needs to know before it connects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The server.
    pub provider: Provider,
    /// The key, where the server wants one.
    pub key: Option<Key>,
    /// The model; the provider's own when `None`.
    pub model: Option<String>,
    /// How the session behaves, and what the server is told first.
    pub options: Options,
    /// From the name of the host to the accepted upgrade.
    pub connect_timeout: Duration,
    /// From one ping to the next, whatever else is said; a server that shows no sign of life for twice as long has gone. 20 s.
    pub ping: Duration,
    /// Larger frames are refused, in bytes. 64 MiB by default: a whole turn with its sound fits.
    pub largest_frame: usize,
    /// Whether [`Event::Audio`](crate::session::Event::Audio) is told. Off where a voice sink plays the answers.
    pub audio_events: bool,
}

impl Config {
    /// OpenAI with the key in `OPENAI_API_KEY`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unauthorized`]: the variable is not set.
    pub fn from_env() -> Result<Self> {
        Self::of(Provider::openai())
    }

    /// This provider, with the key in its variable of the environment. Only a server by address may go without one.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unauthorized`]: the variable is not set, and the vendor wants a key.
    /// - [`ErrorKind::InvalidInput`]: what it holds cannot be a key.
    pub fn of(provider: Provider) -> Result<Self> {
        let key = match Key::from_env(&provider.key_variable) {
            Ok(key) => Some(key),
            Err(e) if e.kind() == ErrorKind::InvalidInput => return Err(e),
            Err(_) if provider.key_variable == "REALTIME_API_KEY" => None,
            Err(e) => return Err(e),
        };
        Ok(Self::new(provider, key))
    }

    /// This provider with this key.
    pub fn new(provider: Provider, key: Option<Key>) -> Self {
        let options = Options {
            capabilities: provider.capabilities,
            input_rate: provider.input_rate,
            output_rate: provider.output_rate,
            ..Options::default()
        };
        Self {
            provider,
            key,
            model: None,
            options,
            connect_timeout: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            largest_frame: 64 << 20,
            audio_events: true,
        }
    }

    pub(crate) fn address(&self) -> String {
        let model = self.model.as_deref().or(self.provider.model.as_deref());
        self.provider.address(model, self.options.session.kind)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let model = self.model.as_deref().or(self.provider.model.as_deref());
        if self.provider.name == "azure" && model.is_none() {
            return Err(Error::new(ErrorKind::InvalidInput, "name the deployment as the model"));
        }
        let leaks = |key: &Key| key.redact(&self.address()).contains(Key::SHOWN_AS);
        if self.key.as_ref().is_some_and(leaks) {
            let why = "the key stands in the provider's address; take it out of url and query: it is sent in a header";
            return Err(Error::new(ErrorKind::InvalidInput, why));
        }
        if self.largest_frame < 1024 {
            return Err(Error::new(ErrorKind::InvalidInput, "largest_frame must be at least 1024 bytes"));
        }
        if self.ping < LEAST_PING {
            return Err(Error::new(ErrorKind::InvalidInput, "ping must be at least 100 ms"));
        }
        self.options.session.check_formats(Some(self.options.input_rate), Some(self.options.output_rate))?;
        for rate in [self.options.input_rate, self.options.output_rate] {
            if !(8_000..=192_000).contains(&rate) {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("rate {rate} is not 8000 to 192000 Hz"),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::AudioFormat;

    #[test]
    fn the_key_itself_is_never_part_of_an_address() {
        let key = "inworld-0123456789";
        let mut config = Config::new(Provider::openai(), Some(Key::new(key).unwrap()));
        config.provider.query.push(("key".to_owned(), "session-7".to_owned()));
        assert!(config.check().is_ok(), "a parameter that some vendors want");
        config.provider.query.push(("key".to_owned(), key.to_owned()));
        let error = config.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!error.to_string().contains(key));
    }

    #[test]
    fn sound_that_would_be_noise_is_refused() {
        let config = |set: fn(&mut Config)| {
            let mut config = Config::new(Provider::openai(), None);
            set(&mut config);
            config.check()
        };
        assert!(
            config(|c| c.options.session.audio.input.format = Some(AudioFormat::Pcm { rate: 24_000 }))
                .is_ok()
        );
        for (kind, set) in [
            (
                ErrorKind::Unsupported,
                (|c| c.options.session.audio.input.format = Some(AudioFormat::Pcmu)) as fn(&mut Config),
            ),
            (ErrorKind::Unsupported, |c| c.options.session.audio.output.format = Some(AudioFormat::Pcma)),
            (ErrorKind::InvalidInput, |c| {
                c.options.session.audio.input.format = Some(AudioFormat::Pcm { rate: 16_000 })
            }),
            (ErrorKind::InvalidInput, |c| {
                c.options.session.audio.output.format = Some(AudioFormat::Pcm { rate: 8_000 })
            }),
            (ErrorKind::InvalidInput, |c| c.ping = Duration::ZERO),
        ] {
            assert_eq!(config(set).unwrap_err().kind(), kind);
        }
    }
}

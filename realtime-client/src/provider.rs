//! Where a server is and how it differs: data, not code.

use crate::protocol::{Dialect, SessionKind};
use crate::session::Capabilities;
use crate::{Error, ErrorKind, Result};

/// How a server wants the key.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer,
    /// In a header of this name.
    Header(String),
    /// Not at all.
    None,
}

/// A server that speaks the protocol, or nearly.
///
/// Every field may be changed; the constructors hold what is known of each vendor. `Debug` hides headers and parameters that are named
/// like secrets, and there should be none: the key is given by itself.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Provider {
    /// For messages.
    pub name: String,
    /// `ws://` or `wss://`, with the path and without the query.
    pub url: String,
    /// What the address asks for besides the model. Never a key.
    pub query: Vec<(String, String)>,
    /// Whether the address names the model.
    pub model_in_query: bool,
    /// How the key is sent.
    pub auth: Auth,
    /// Where the key is looked for when none is given.
    pub key_variable: String,
    /// Headers of every connection. Never a key.
    pub headers: Vec<(String, String)>,
    /// The model when none is given.
    pub model: Option<String>,
    /// How its session is shaped.
    pub dialect: Dialect,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The rate at which it wants the person's voice, in Hz.
    pub input_rate: u32,
    /// The rate of its own voice until it says otherwise, in Hz.
    pub output_rate: u32,
}

impl Provider {
    /// OpenAI, GA. Models are shut down every year or so: name yours.
    pub fn openai() -> Self {
        Self {
            name: "openai".to_owned(),
            url: "wss://api.openai.com/v1/realtime".to_owned(),
            query: Vec::new(),
            model_in_query: true,
            auth: Auth::Bearer,
            key_variable: "OPENAI_API_KEY".to_owned(),
            headers: Vec::new(),
            model: Some("gpt-realtime-2".to_owned()),
            dialect: Dialect::ga(),
            capabilities: Capabilities::default(),
            input_rate: 24_000,
            output_rate: 24_000,
        }
    }

    /// Azure OpenAI, GA: the resource is the first part of its host name, the model is the name of the deployment.
    pub fn azure(resource: &str) -> Self {
        Self {
            name: "azure".to_owned(),
            url: format!("wss://{resource}.openai.azure.com/openai/v1/realtime"),
            auth: Auth::Header("api-key".to_owned()),
            key_variable: "AZURE_OPENAI_API_KEY".to_owned(),
            model: None,
            ..Self::openai()
        }
    }

    /// xAI's Grok: voice and turn detection stand at the top of its session.
    pub fn xai() -> Self {
        let hoisted = ["audio.output.voice", "audio.input.turn_detection"].map(str::to_owned).to_vec();
        Self {
            name: "xai".to_owned(),
            url: "wss://api.x.ai/v1/realtime".to_owned(),
            key_variable: "XAI_API_KEY".to_owned(),
            model: Some("grok-voice-latest".to_owned()),
            dialect: Dialect { hoisted, ..Dialect::ga() },
            ..Self::openai()
        }
    }

    /// Qwen-Omni: the beta's dialect, 16 kHz in and 24 kHz out, no pictures in messages.
    pub fn qwen() -> Self {
        Self {
            name: "qwen".to_owned(),
            url: "wss://dashscope-intl.aliyuncs.com/api-ws/v1/realtime".to_owned(),
            key_variable: "DASHSCOPE_API_KEY".to_owned(),
            model: Some("qwen3-omni-flash-realtime".to_owned()),
            dialect: Dialect::beta(),
            capabilities: Capabilities {
                truncate: false,
                images: false,
                asides: false,
                mcp: false,
                update_ack: true,
            },
            input_rate: 16_000,
            ..Self::openai()
        }
    }

    /// Qwen-Omni in a region or a workspace, by its host: `dashscope.aliyuncs.com` in China, where keys of other regions are refused.
    pub fn qwen_at(host: &str) -> Self {
        Self { url: format!("wss://{host}/api-ws/v1/realtime"), ..Self::qwen() }
    }

    /// StepFun: the beta's dialect.
    pub fn stepfun() -> Self {
        Self {
            name: "stepfun".to_owned(),
            url: "wss://api.stepfun.com/v1/realtime".to_owned(),
            key_variable: "STEPFUN_API_KEY".to_owned(),
            model: Some("step-audio-2".to_owned()),
            dialect: Dialect::beta(),
            capabilities: Capabilities {
                images: false,
                asides: false,
                mcp: false,
                ..Capabilities::default()
            },
            ..Self::openai()
        }
    }

    /// Any server at this address, GA. `/realtime` is appended where the path does not end with it; a query is kept.
    ///
    /// A parameter that is named like a secret is refused, because addresses end up in logs. Where a vendor's address needs one that
    /// is none, such as the `key` of a session at Inworld, it is put into [`query`](Self::query).
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: it is no `ws://` or `wss://` address, or a key stands in it.
    pub fn at(url: &str) -> Result<Self> {
        let wrong = |why: &str| Error::new(ErrorKind::InvalidInput, why.to_owned());
        let Some(rest) = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://")) else {
            return Err(wrong("the address of a server begins with ws:// or wss://"));
        };
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let host = rest.split(['/', '?']).next().unwrap_or("");
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(wrong("the address names no host"));
        }
        let query: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let secret = query.iter().find(|(name, value)| is_secret(name, value)).map(|(name, _)| name.as_str());
        if let Some(place) = secret.or_else(|| host.contains('@').then_some("before the @")) {
            return Err(wrong(&format!(
                "a key stands in the address ({place}); take it out and set REALTIME_API_KEY to it, or give it by itself: \
                 it is sent in a header"
            )));
        }
        let path = path.trim_end_matches('/');
        let url = if path.ends_with("/realtime") { path.to_owned() } else { format!("{path}/realtime") };
        Ok(Self {
            name: host.to_owned(),
            url,
            query,
            key_variable: "REALTIME_API_KEY".to_owned(),
            model: None,
            ..Self::openai()
        })
    }

    /// By name (`openai`, `xai`, `qwen`, `qwen:HOST`, `stepfun`, `azure:RESOURCE`) or by address; `beta+` before an address means that the
    /// server there speaks the beta's dialect.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: neither; the message lists the names.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "openai" => Ok(Self::openai()),
            "xai" => Ok(Self::xai()),
            "qwen" => Ok(Self::qwen()),
            "stepfun" => Ok(Self::stepfun()),
            _ if name.contains("://") => match name.strip_prefix("beta+") {
                Some(address) => Ok(Self { dialect: Dialect::beta(), ..Self::at(address)? }),
                None => Self::at(name),
            },
            _ => match name.split_once(':') {
                Some(("azure", resource)) if is_label(resource) => Ok(Self::azure(resource)),
                Some(("qwen", host)) if host.split('.').all(is_label) => Ok(Self::qwen_at(host)),
                _ => Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "no provider {name:?}: openai, xai, qwen, qwen:HOST, stepfun, azure:RESOURCE, or a ws:// or wss:// address"
                    ),
                )),
            },
        }
    }

    /// The address of a connection.
    pub(crate) fn address(&self, model: Option<&str>, kind: SessionKind) -> String {
        let mut query: Vec<(String, String)> = self.query.clone();
        match (kind, model) {
            (SessionKind::Transcription, _) => query.push(("intent".to_owned(), "transcription".to_owned())),
            (_, Some(model)) if self.model_in_query => query.push(("model".to_owned(), escaped(model))),
            _ => {}
        }
        let pairs: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if pairs.is_empty() { self.url.clone() } else { format!("{}?{}", self.url, pairs.join("&")) }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |pairs: &[(String, String)]| -> Vec<(String, String)> {
            let shown = |(name, value): &(String, String)| {
                let value = if is_secret(name, value) { "[hidden]" } else { value };
                (name.clone(), value.to_owned())
            };
            pairs.iter().map(shown).collect()
        };
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("query", &shown(&self.query))
            .field("model_in_query", &self.model_in_query)
            .field("auth", &self.auth)
            .field("key_variable", &self.key_variable)
            .field("headers", &shown(&self.headers))
            .field("model", &self.model)
            .field("dialect", &self.dialect)
            .field("capabilities", &self.capabilities)
            .field("input_rate", &self.input_rate)
            .field("output_rate", &self.output_rate)
            .finish()
    }
}

/// Whether a parameter of an address is a secret, by its name or by how such values begin.
fn is_secret(name: &str, value: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let ends =
        ["key", "token", "secret", "password", "passwd", "pwd", "credential", "credentials", "signature"];
    let whole = ["auth", "authorization", "bearer", "jwt", "sig", "pass"];
    ends.iter().any(|end| name.ends_with(end))
        || whole.contains(&name.as_str())
        || ["sk-", "ek_", "xai-", "Bearer"].iter().any(|begin| value.starts_with(begin))
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::dialect::Shape;

    #[test]
    fn addresses_have_one_shape_for_each_purpose() {
        let talk = |provider: &Provider, model| provider.address(model, SessionKind::Realtime);
        assert_eq!(talk(&Provider::openai(), Some("m 1")), "wss://api.openai.com/v1/realtime?model=m%201");
        let azure = Provider::azure("mine");
        assert_eq!(talk(&azure, Some("d")), "wss://mine.openai.azure.com/openai/v1/realtime?model=d");
        let local = Provider::at("ws://localhost:8765/v1?x=1").unwrap();
        assert_eq!(talk(&local, None), "ws://localhost:8765/v1/realtime?x=1");
        let written = Provider::openai().address(Some("m"), SessionKind::Transcription);
        assert_eq!(written, "wss://api.openai.com/v1/realtime?intent=transcription");
    }

    #[test]
    fn every_provider_is_where_its_vendor_says() {
        for (name, address, auth, variable, shape, input_rate) in [
            (
                "openai",
                "wss://api.openai.com/v1/realtime?model=M",
                Auth::Bearer,
                "OPENAI_API_KEY",
                Shape::Nested,
                24_000,
            ),
            (
                "azure:mine",
                "wss://mine.openai.azure.com/openai/v1/realtime?model=M",
                Auth::Header("api-key".to_owned()),
                "AZURE_OPENAI_API_KEY",
                Shape::Nested,
                24_000,
            ),
            ("xai", "wss://api.x.ai/v1/realtime?model=M", Auth::Bearer, "XAI_API_KEY", Shape::Nested, 24_000),
            (
                "qwen",
                "wss://dashscope-intl.aliyuncs.com/api-ws/v1/realtime?model=M",
                Auth::Bearer,
                "DASHSCOPE_API_KEY",
                Shape::Flat,
                16_000,
            ),
            (
                "qwen:dashscope.aliyuncs.com",
                "wss://dashscope.aliyuncs.com/api-ws/v1/realtime?model=M",
                Auth::Bearer,
                "DASHSCOPE_API_KEY",
                Shape::Flat,
                16_000,
            ),
            (
                "stepfun",
                "wss://api.stepfun.com/v1/realtime?model=M",
                Auth::Bearer,
                "STEPFUN_API_KEY",
                Shape::Flat,
                24_000,
            ),
            (
                "ws://localhost:8000/v1",
                "ws://localhost:8000/v1/realtime?model=M",
                Auth::Bearer,
                "REALTIME_API_KEY",
                Shape::Nested,
                24_000,
            ),
            (
                "beta+wss://host/v1",
                "wss://host/v1/realtime?model=M",
                Auth::Bearer,
                "REALTIME_API_KEY",
                Shape::Flat,
                24_000,
            ),
        ] {
            let provider = Provider::named(name).unwrap();
            assert_eq!(provider.address(Some("M"), SessionKind::Realtime), address);
            assert_eq!((&provider.auth, provider.key_variable.as_str()), (&auth, variable), "{name}");
            assert_eq!(
                (provider.dialect.shape, provider.input_rate, provider.output_rate),
                (shape, input_rate, 24_000)
            );
        }
        for name in ["qwen:", "qwen:a/b", "qwen:a..b", "beta+http://host", "beta+openai"] {
            assert!(Provider::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_named_like_a_secret_is_not_shown() {
        let mut provider = Provider::openai();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        provider.headers = vec![pair("Authorization", "Basic dTpw"), pair("OpenAI-Project", "proj_1")];
        provider.query = vec![pair("key", "s-0123"), pair("intent", "x")];
        let shown = format!("{provider:?}");
        assert!(!shown.contains("dTpw") && !shown.contains("s-0123"), "{shown}");
        assert!(shown.contains("proj_1") && shown.contains("intent"), "{shown}");
    }

    #[test]
    fn keys_in_addresses_are_refused_without_being_repeated() {
        for url in [
            "wss://user:sk-secret@host/v1",
            "wss://host/v1?api_key=sk-secret",
            "wss://host/v1?Token=sk-secret",
            "wss://host/v1?a=b&key=0123sk-secret",
            "wss://host/v1?subscription-key=0123sk-secret",
            "wss://host/v1?xi-api-key=0123sk-secret",
            "wss://host/v1?accessToken=0123sk-secret",
            "wss://host/v1?client_secret=0123sk-secret",
            "wss://host/v1?Authorization=0123sk-secret",
            "wss://host/v1?session=sk-secret",
        ] {
            let error = Provider::at(url).unwrap_err().to_string();
            assert!(!error.contains("sk-secret"), "{error}");
            assert!(error.contains("REALTIME_API_KEY") && error.contains("header"), "{error}");
        }
        for query in [
            "model=m",
            "intent=transcription",
            "protocol=realtime",
            "keyboard=qwerty",
            "tokens=7",
            "author=x",
        ] {
            let provider = Provider::at(&format!("ws://host/v1?{query}")).unwrap();
            assert_eq!(
                provider.address(None, SessionKind::Realtime),
                format!("ws://host/v1/realtime?{query}")
            );
        }
        assert!(Provider::at("http://host").is_err() && Provider::at("wss://").is_err());
        assert!(Provider::named("azure:a.b/c").is_err() && Provider::named("azur").is_err());
    }
}

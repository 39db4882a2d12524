//! From an address to an open socket. The key leaves this file in one header and in nothing else.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::config::Config;
use crate::provider::Auth;
use crate::{Error, ErrorKind, Result};

use super::tasks::within;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a connection, or says in words why not.
pub(super) async fn dial(config: &Config) -> Result<Socket> {
    let request = request(config)?;
    // Small buffers: hundreds of sessions share a process, and a frame is flushed as soon as it is written.
    let limits = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .write_buffer_size(0)
        .max_message_size(Some(config.largest_frame))
        .max_frame_size(Some(config.largest_frame));
    let connector = Connector::Rustls(tls()?);
    let opening = connect_async_tls_with_config(request, Some(limits), true, Some(connector));
    match within(config.connect_timeout, opening).await {
        Some(Ok((socket, _))) => Ok(socket),
        Some(Err(e)) => Err(explain(config, e)),
        None => {
            let text = format!("{} did not answer within {:?}", config.provider.name, config.connect_timeout);
            Err(Error::new(ErrorKind::TimedOut, text))
        }
    }
}

fn request(config: &Config) -> Result<Request> {
    let wrong = |what: &str| {
        Error::new(ErrorKind::InvalidInput, format!("{} cannot be used: {what}", config.provider.name))
    };
    let mut request =
        config.address().into_client_request().map_err(|e| wrong(&format!("its address: {e}")))?;
    let headers = request.headers_mut();
    for (name, value) in &config.provider.headers {
        let name =
            HeaderName::try_from(name.as_str()).map_err(|_e| wrong("a header has an impossible name"))?;
        let value =
            HeaderValue::try_from(value.as_str()).map_err(|_e| wrong("a header has an impossible value"))?;
        headers.insert(name, value);
    }
    if let Some(key) = &config.key {
        let (name, value) = match &config.provider.auth {
            Auth::Bearer => ("authorization", format!("Bearer {}", key.secret())),
            Auth::Header(name) => (name.as_str(), key.secret().to_owned()),
            Auth::None => return Ok(request),
        };
        let name =
            HeaderName::try_from(name).map_err(|_e| wrong("the header of the key has an impossible name"))?;
        let mut value =
            HeaderValue::try_from(value).map_err(|_e| wrong("the key cannot stand in a header"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(request)
}

/// Mozilla's roots and this crate's own choice of cryptography, whatever else runs in the process.
fn tls() -> Result<Arc<ClientConfig>> {
    static TLS: OnceLock<std::result::Result<Arc<ClientConfig>, String>> = OnceLock::new();
    let make = || {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| e.to_string())?;
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    };
    let made = TLS.get_or_init(make).clone();
    made.map_err(|why| Error::new(ErrorKind::Internal, format!("TLS could not be set up: {why}")))
}

fn explain(config: &Config, error: WsError) -> Error {
    let name = &config.provider.name;
    let error = match error {
        WsError::Http(response) => {
            let status = response.status().as_u16();
            let body = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let body: String = body.chars().filter(|c| !c.is_control()).take(300).collect();
            let what = match status {
                300..=399 => {
                    "it sends the client elsewhere, which would take the key there; give the final address"
                }
                401 => "the key was refused; check it",
                403 => "the key may not do this, here; check its project and region",
                404 => "it has no such model or path; check the model's name and the address",
                429 => "too many requests; wait",
                500..=599 => "it is in trouble",
                _ => "it does not want to talk",
            };
            return redacted(
                config,
                ErrorKind::of_status(status),
                &format!("{name} answered {status}: {what}. {body}"),
            );
        }
        other => other,
    };
    let kind = kind_of(&error);
    let what = match kind {
        ErrorKind::Untrusted => "its certificate was refused",
        ErrorKind::Incompatible => "what answers there does not speak WebSocket",
        ErrorKind::InvalidInput => "the address cannot be used",
        _ => "no connection",
    };
    redacted(config, kind, &format!("{name}: {what}: {error}"))
}

/// The kind of what went wrong with a socket.
pub(super) fn kind_of(error: &WsError) -> ErrorKind {
    match error {
        WsError::Tls(_) => ErrorKind::Untrusted,
        WsError::Io(e) => {
            let refused = e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match refused {
                Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                    ErrorKind::Untrusted
                }
                _ => ErrorKind::Network,
            }
        }
        WsError::Url(_) | WsError::HttpFormat(_) => ErrorKind::InvalidInput,
        WsError::Protocol(_) => ErrorKind::Incompatible,
        WsError::Capacity(_) => ErrorKind::Refused,
        _ => ErrorKind::Network,
    }
}

fn redacted(config: &Config, kind: ErrorKind, text: &str) -> Error {
    let text = match &config.key {
        Some(key) => key.redact(text).into_owned(),
        None => text.to_owned(),
    };
    Error::new(kind, text)
}

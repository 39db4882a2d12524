//! From an address to an open socket. The key leaves this folder in one header and in nothing else.
//!
//! The upgrade is written here and not by the WebSocket crate, which logs the whole request, key included, to whoever listens.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::config::Config;
use crate::provider::Auth;
use crate::{Error, ErrorKind, Result};

use super::secrets::Secrets;
use super::tasks::within;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A longer answer to an upgrade is no answer to one.
const LONGEST_HEAD: usize = 16 << 10;
/// How much of a refusal is read, for how long, and how much is shown.
const LONGEST_BODY: usize = 8 << 10;
const BODY_WITHIN: Duration = Duration::from_secs(1);
const LONGEST_REFUSAL: usize = 300;

/// Opens a connection, or says in words why not.
pub(super) async fn dial(config: &Config) -> Result<Socket> {
    match within(config.connect_timeout, open(config)).await {
        Some(opened) => {
            opened.map_err(|e| redacted(config, e.kind(), &format!("{}: {e}", config.provider.name)))
        }
        None => {
            let text = format!(
                "{} did not answer within {:?}; check the address and the network",
                config.provider.name, config.connect_timeout
            );
            Err(Error::new(ErrorKind::TimedOut, text))
        }
    }
}

async fn open(config: &Config) -> Result<Socket> {
    let wrong =
        |what: &str| Error::new(ErrorKind::InvalidInput, format!("the address cannot be used: {what}"));
    let address: Uri = config.address().parse().map_err(|e| wrong(&format!("{e}")))?;
    let safe = address.scheme_str() == Some("wss");
    let host = address.host().ok_or_else(|| wrong("it names no host"))?.trim_matches(['[', ']']);
    let port = address.port_u16().unwrap_or(if safe { 443 } else { 80 });
    let request = Request::new(config, &address)?;
    if !safe && config.key.is_some() && !is_here(host) {
        log::warn!("the key goes to {host} in the open, for whoever listens in between; use wss://");
    }

    let no_connection = |e| {
        Error::new(
            ErrorKind::Network,
            format!("no connection to {host}:{port}; check the address and the network: {e}"),
        )
    };
    let stream = TcpStream::connect((host, port)).await.map_err(no_connection)?;
    stream.set_nodelay(true).map_err(no_connection)?;
    let mut stream = if safe {
        let name = ServerName::try_from(host.to_owned()).map_err(|e| wrong(&format!("{e}")))?;
        let secured = TlsConnector::from(tls()?).connect(name, stream).await.map_err(|e| untrusted(&e))?;
        MaybeTlsStream::Rustls(secured)
    } else {
        MaybeTlsStream::Plain(stream)
    };
    let rest = request.upgrade(&mut stream).await?;
    // Small buffers: hundreds of sessions share a process, and a frame is flushed as soon as it is written.
    let limits = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .write_buffer_size(0)
        .max_message_size(Some(config.largest_frame))
        .max_frame_size(Some(config.largest_frame));
    Ok(WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(limits)).await)
}

/// Whether a host is this machine, by its name.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What asks for the upgrade, and what proves that it was understood.
struct Request {
    text: String,
    accept: String,
}

impl Request {
    fn new(config: &Config, address: &Uri) -> Result<Self> {
        let key = generate_key();
        let path = address.path_and_query().map_or("/", |path| path.as_str());
        let authority = address.authority().map_or("", |authority| authority.as_str());
        let mut text = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nUser-Agent: realtime-client/{}\r\n",
            env!("CARGO_PKG_VERSION")
        );
        let mut header = |name: &str, value: &str| {
            let name_fits =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if !name_fits || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                let why = "a header has an impossible name or value";
                return Err(Error::new(ErrorKind::InvalidInput, why));
            }
            text.push_str(&format!("{name}: {value}\r\n"));
            Ok(())
        };
        for (name, value) in &config.provider.headers {
            header(name, value)?;
        }
        if let Some(key) = &config.key {
            match &config.provider.auth {
                Auth::Bearer => header("Authorization", &format!("Bearer {}", key.secret()))?,
                Auth::Header(name) => header(name, key.secret())?,
                Auth::None => {}
            }
        }
        text.push_str("\r\n");
        Ok(Self { text, accept: derive_accept_key(key.as_bytes()) })
    }

    /// Asks, and reads the answer; what came after it belongs to the socket.
    async fn upgrade(self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<Vec<u8>> {
        let broke =
            |e| Error::new(ErrorKind::Network, format!("the connection broke during the upgrade: {e}"));
        stream.write_all(self.text.as_bytes()).await.map_err(broke)?;
        stream.flush().await.map_err(broke)?;
        let mut answer = Vec::new();
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut headers);
            match response.parse(&answer) {
                Ok(httparse::Status::Complete(end)) => {
                    let status = response.code.unwrap_or(0);
                    let of = |name: &str| response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
                    let text = |name: &str| of(name).map(|h| String::from_utf8_lossy(h.value).into_owned());
                    if status != 101 {
                        let length = text("content-length").and_then(|text| text.parse().ok());
                        let rest = answer.split_off(end);
                        return Err(refused(status, rest, length, stream).await);
                    }
                    if text("sec-websocket-accept").as_deref() != Some(&self.accept) {
                        return Err(not_websocket(
                            "its answer to the upgrade does not belong to the question",
                        ));
                    }
                    return Ok(answer.split_off(end));
                }
                Ok(httparse::Status::Partial) if answer.len() < LONGEST_HEAD => {}
                Ok(httparse::Status::Partial) => {
                    return Err(not_websocket("its answer to the upgrade has no end"));
                }
                Err(e) => return Err(not_websocket(&format!("its answer to the upgrade is no HTTP: {e}"))),
            }
            if stream.read_buf(&mut answer).await.map_err(broke)? == 0 {
                return Err(Error::new(
                    ErrorKind::Network,
                    "the server dropped the connection during the upgrade",
                ));
            }
        }
    }
}

fn not_websocket(what: &str) -> Error {
    Error::new(ErrorKind::Incompatible, format!("what answers there does not speak WebSocket: {what}"))
}

/// What a refusal says, in the server's words where it has any.
async fn refused(
    status: u16,
    mut body: Vec<u8>,
    length: Option<usize>,
    stream: &mut (impl AsyncRead + Unpin),
) -> Error {
    // Without a length it is over when the server closes, or has said enough.
    let length = length.unwrap_or(LONGEST_BODY).min(LONGEST_BODY);
    let read = async { while body.len() < length && matches!(stream.read_buf(&mut body).await, Ok(1..)) {} };
    within(BODY_WITHIN, read).await;
    let body = String::from_utf8_lossy(&body);
    let (code, words) = reason(&body).unwrap_or_else(|| (String::new(), body.trim().to_owned()));
    // A page for a browser says nothing here.
    let words = if words.starts_with('<') { "" } else { &words };
    let words: String = words.chars().filter(|c| !c.is_control()).take(LONGEST_REFUSAL).collect();
    let kind = match ErrorKind::of_code(&code) {
        ErrorKind::Refused => ErrorKind::of_status(status),
        kind => kind,
    };
    let what = match kind {
        ErrorKind::Untrusted => {
            "it sends the client elsewhere, which would take the key there; give the final address"
        }
        ErrorKind::Unauthorized if status == 403 => {
            "the key may not do this, here; check its project and region"
        }
        ErrorKind::Unauthorized => "the key was refused; check it",
        ErrorKind::NotFound => "it has no such model or path; check the model's name and the address",
        ErrorKind::Quota => "the account has nothing left; see to its billing",
        ErrorKind::Busy => "too many requests; wait",
        ErrorKind::Incompatible => "it does not hold conversations over WebSocket; check the address",
        ErrorKind::InvalidInput => {
            "it cannot make sense of what it was asked; check the address and the model"
        }
        _ if status >= 500 => "it is in trouble; try later",
        _ => "it does not want to talk",
    };
    let words = if words.is_empty() { words } else { format!(" It says: {words}") };
    Error::new(kind, format!("the server answered {status}: {what}.{words}"))
}

/// Code and sentence of a refusal in JSON, also where it comes in chunks.
fn reason(body: &str) -> Option<(String, String)> {
    let tree: Value = serde_json::from_str(body.get(body.find('{')?..=body.rfind('}')?)?).ok()?;
    let error = tree.get("error").filter(|error| error.is_object()).unwrap_or(&tree);
    let text = |key: &str| error[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let sentence = text("message").or_else(|| tree["error"].as_str().map(str::to_owned));
    Some((text("code").or_else(|| text("type")).unwrap_or_default(), sentence.unwrap_or_default()))
}

/// Mozilla's roots and this crate's own choice of cryptography, whatever else runs in the process.
fn tls() -> Result<Arc<ClientConfig>> {
    static TLS: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
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

fn untrusted(error: &std::io::Error) -> Error {
    match refused_certificate(error) {
        true => Error::new(
            ErrorKind::Untrusted,
            format!("its certificate was refused; check the address, and the clock of this machine: {error}"),
        ),
        false => Error::new(ErrorKind::Network, format!("no safe connection: {error}")),
    }
}

fn refused_certificate(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented))
}

/// What went wrong with an open socket.
pub(super) fn broken(config: &Config, secrets: &Secrets, error: &WsError) -> Error {
    let (kind, what) = match error {
        WsError::Capacity(_) => {
            let most = config.largest_frame;
            return Error::new(
                ErrorKind::Refused,
                format!(
                    "the server sent a frame of more than {most} bytes; allow more with largest_frame if it should"
                ),
            );
        }
        WsError::Io(e) if refused_certificate(e) => (ErrorKind::Untrusted, "the connection is not safe"),
        WsError::Protocol(_) | WsError::Utf8(_) => {
            (ErrorKind::Refused, "the server broke the rules of WebSocket")
        }
        _ => (ErrorKind::Network, "the connection broke"),
    };
    Error::new(kind, secrets.redact(&format!("{what}: {error}")).into_owned())
}

/// Before anything was said, only the key is a secret.
fn redacted(config: &Config, kind: ErrorKind, text: &str) -> Error {
    Error::new(kind, Secrets::new(config.key.clone()).redact(text).into_owned())
}

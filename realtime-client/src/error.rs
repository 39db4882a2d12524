use std::borrow::Cow;

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms a host can act on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument, an address or a setting is wrong. Fix the call.
    InvalidInput,
    /// This server or this session cannot do what was asked.
    Unsupported,
    /// The key is missing, wrong, or may not do this. Another key may.
    Unauthorized,
    /// The account has no money or quota left. Waiting does not help.
    Quota,
    /// The server knows no such model or deployment.
    NotFound,
    /// The server speaks another protocol. Another provider profile may help.
    Incompatible,
    /// The other end is not who it should be: its certificate was refused, or it sends the client to another host.
    Untrusted,
    /// Too many requests. Retry after a pause.
    Busy,
    /// The server refused something; the message is its own.
    Refused,
    /// The network failed: no such host, no connection, a connection that broke.
    Network,
    /// The other end did not answer in time.
    TimedOut,
    /// No room is left; the message says of what.
    BufferFull,
    /// The session is over.
    Closed,
    /// A bug in this library. Please report the message.
    Internal,
}

impl ErrorKind {
    /// Whether connecting again cannot help.
    pub fn is_final(self) -> bool {
        match self {
            Self::Busy | Self::Refused | Self::Network | Self::TimedOut | Self::Closed | Self::BufferFull => {
                false
            }
            Self::InvalidInput
            | Self::Unsupported
            | Self::Unauthorized
            | Self::Quota
            | Self::NotFound
            | Self::Incompatible
            | Self::Untrusted
            | Self::Internal => true,
        }
    }

    /// The kind of an error that a server names by this code.
    pub(crate) fn of_code(code: &str) -> Self {
        match code {
            "invalid_api_key" | "account_deactivated" | "authentication_error" | "unauthorized" => {
                Self::Unauthorized
            }
            "insufficient_quota" | "billing_hard_limit_reached" => Self::Quota,
            "model_not_found" | "deployment_not_found" => Self::NotFound,
            "beta_api_shape_disabled" => Self::Incompatible,
            "rate_limit_exceeded" => Self::Busy,
            "session_expired" => Self::Closed,
            _ => Self::Refused,
        }
    }

    /// The kind of a refused upgrade.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Unauthorized,
            402 => Self::Quota,
            404 => Self::NotFound,
            408 | 425 | 429 => Self::Busy,
            200..=299 | 426 => Self::Incompatible,
            300..=399 => Self::Untrusted,
            // It would say the same again.
            400..=499 => Self::InvalidInput,
            _ => Self::Refused,
        }
    }
}

/// The one error type of this crate: a kind for the program, a sentence for the person. Never holds a key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

impl Error {
    /// An error of this kind, with the sentence a person reads.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What a host can act on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

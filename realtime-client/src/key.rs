use std::fmt;

use crate::{Error, ErrorKind, Result};

/// What local servers are given, such as `none`, is no secret and may be a part of any word. Shorter keys are hidden only where they
/// stand as a word of their own in a sentence.
const SECRET: usize = 8;

/// A secret that opens a session. Shown nowhere: not in a `Debug`, not in an error, not in a log, not in an address.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// What stands in its place.
    pub(crate) const SHOWN_AS: &str = "[key]";

    /// This key, without the white space around it.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::InvalidInput`]: it is empty, or holds characters that cannot stand in a header.
    pub fn new(secret: impl Into<String>) -> Result<Self> {
        let secret = secret.into().trim().to_owned();
        if secret.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "the key is empty"));
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            let why = "the key holds characters that no key has; was it copied whole, and nothing else?";
            return Err(Error::new(ErrorKind::InvalidInput, why));
        }
        Ok(Self(secret))
    }

    /// The key in this variable of the environment.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unauthorized`]: it is not set, or empty.
    /// - [`ErrorKind::InvalidInput`]: it cannot be a key.
    pub fn from_env(variable: &str) -> Result<Self> {
        Self::of_variable(variable, std::env::var_os(variable))
    }

    fn of_variable(variable: &str, secret: Option<std::ffi::OsString>) -> Result<Self> {
        let Some(secret) = secret.filter(|secret| !secret.to_string_lossy().trim().is_empty()) else {
            return Err(Error::new(ErrorKind::Unauthorized, format!("no key: set {variable}, or give one")));
        };
        let named = |e: Error| Error::new(e.kind(), format!("{variable}: {e}"));
        Self::new(secret.to_string_lossy()).map_err(named)
    }

    /// A secret of any form.
    pub(crate) fn any(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Whether it is so short that it is only looked for in sentences.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() < SECRET
    }

    /// A sentence without the key, however short it is.
    pub(crate) fn redact_sentence<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        if !self.is_short() || self.0.is_empty() || !text.contains(&self.0) {
            return self.redact(text);
        }
        let part_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let (mut shown, mut rest) = (String::new(), 0);
        for (at, found) in text.match_indices(&self.0) {
            let (before, after) = (&text[..at], &text[at + found.len()..]);
            if !part_of_word(before.chars().next_back()) && !part_of_word(after.chars().next()) {
                shown.push_str(&text[rest..at]);
                shown.push_str(Self::SHOWN_AS);
                rest = at + found.len();
            }
        }
        shown.push_str(&text[rest..]);
        shown.into()
    }

    /// `text` without the key: servers like to repeat it.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        if !self.is_short() && text.contains(&self.0) {
            text.replace(&self.0, Self::SHOWN_AS).into()
        } else {
            text.into()
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_empty_is_not_set_and_one_that_is_wrong_is_named() {
        let of = |secret: Option<&str>| Key::of_variable("SOME_KEY", secret.map(Into::into));
        for secret in [None, Some(""), Some("  \n")] {
            let error = of(secret).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            assert!(error.to_string().contains("set SOME_KEY"), "{error}");
        }
        let error = of(Some("sk-one two")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with("SOME_KEY: ") && !error.to_string().contains("sk-"), "{error}");
        assert_eq!(of(Some(" sk-1\n")).unwrap().secret(), "sk-1");
    }
}

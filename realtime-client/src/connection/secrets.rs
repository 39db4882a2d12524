//! What must stand in no text that leaves this crate: the key, and what remote servers of tools are told.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::Key;
use crate::protocol::ClientEvent;
use crate::protocol::secret::secrets;

/// More are not remembered; a session has a few.
const MOST: usize = 256;

/// How a secret is taken out of a text.
type How = for<'t> fn(&Key, &'t str) -> Cow<'t, str>;

#[derive(Debug, Default)]
pub(super) struct Secrets {
    key: Option<Key>,
    /// What was sent to remote servers so far.
    others: Mutex<Vec<Key>>,
}

impl Secrets {
    pub(super) fn new(key: Option<Key>) -> Self {
        Self { key, others: Mutex::default() }
    }

    /// Remembers what this event tells a remote server.
    pub(super) fn learn(&self, event: &ClientEvent) {
        match event {
            ClientEvent::SessionUpdate { session } => self.learn_tree(session),
            ClientEvent::ResponseCreate { response: Some(params) } if params.tools.is_some() => {
                self.learn_tree(&serde_json::to_value(params).unwrap_or_default());
            }
            _ => {}
        }
    }

    fn learn_tree(&self, tree: &Value) {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets(tree) {
            if others.len() < MOST && !others.iter().any(|known| known.secret() == secret) {
                others.push(Key::any(secret));
            }
        }
    }

    /// A sentence without any of them.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.without(text, Key::redact_sentence)
    }

    /// A frame of JSON without any of them, however it spells them: `\/` and `\u002b` are how some servers write what keys are made of.
    pub(super) fn redact_frame<'a>(&self, frame: &'a str) -> Cow<'a, str> {
        let plain = self.without(frame, Key::redact);
        // Names of the protocol are no sentences: short secrets are looked for only in what was meant for a person.
        let holds_sentence = plain.contains("\"message\"") && self.any_is_short();
        if !(holds_sentence || plain.contains('\\')) {
            return plain;
        }
        let Ok(mut tree) = serde_json::from_str(&plain) else { return plain };
        if self.redact_tree(&mut tree, false) { tree.to_string().into() } else { plain }
    }

    /// The same for a tree; whether there was any.
    pub(super) fn redact_tree(&self, tree: &mut Value, sentence: bool) -> bool {
        match tree {
            Value::String(text) => {
                let how: How = if sentence { Key::redact_sentence } else { Key::redact };
                let Cow::Owned(without) = self.without(text, how) else { return false };
                let changed = without != *text;
                *text = without;
                changed
            }
            Value::Array(list) => {
                list.iter_mut().fold(false, |any, inner| self.redact_tree(inner, sentence) | any)
            }
            Value::Object(map) => map
                .iter_mut()
                .fold(false, |any, (key, inner)| self.redact_tree(inner, sentence || key == "message") | any),
            _ => false,
        }
    }

    fn any_is_short(&self) -> bool {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        self.key.iter().chain(others.iter()).any(Key::is_short)
    }

    fn without<'a>(&self, text: &'a str, how: How) -> Cow<'a, str> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Cow::Borrowed(text);
        for secret in self.key.iter().chain(others.iter()) {
            if let Cow::Owned(without) = how(secret, &text) {
                text = Cow::Owned(without);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, frame: &str) -> String {
        Secrets::new(Some(Key::new(key).unwrap())).redact_frame(frame).into_owned()
    }

    #[test]
    fn a_key_is_found_however_json_spells_it() {
        let key = "sk-ab/cd+ef\"gh";
        for spelled in [r#"sk-ab/cd+ef\"gh"#, r#"sk-ab\/cd\u002Bef\u0022gh"#, r#"\u0073k-ab\u002fcd+ef\"gh"#]
        {
            let frame = format!(r#"{{"type":"error","error":{{"message":"Wrong key: {spelled}.","n":1}}}}"#);
            assert_eq!(
                told(key, &frame),
                r#"{"error":{"message":"Wrong key: [key].","n":1},"type":"error"}"#
            );
        }
        let harmless = r#"{"type":"error","error":{"message":"a \"word\""}}"#;
        assert_eq!(told(key, harmless), harmless);
    }

    #[test]
    fn a_short_key_is_hidden_in_sentences_and_breaks_no_frame() {
        let frame = r#"{"type":"error","error":{"code":"none","message":"Nonesuch: none, none. anonymous"}}"#;
        let shown = told("none", frame);
        assert_eq!(
            shown,
            r#"{"error":{"code":"none","message":"Nonesuch: [key], [key]. anonymous"},"type":"error"}"#
        );
        let secrets = Secrets::new(Some(Key::new("pw-1").unwrap()));
        assert_eq!(
            secrets.redact("the server answered 401: pw-1 is wrong, pw-12 is not"),
            "the server answered 401: [key] is wrong, pw-12 is not"
        );
    }
}

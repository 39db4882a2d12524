//! What must stand in no text that leaves this crate: the key, and what remote servers of tools are told.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::Key;
use crate::protocol::ClientEvent;
use crate::protocol::secret::secrets;

/// More are not remembered; a session has a few.
const MOST: usize = 256;

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
            // As it is, and as JSON spells it.
            let spelled = Value::from(secret).to_string();
            for text in [secret, &spelled[1..spelled.len() - 1]] {
                if others.len() < MOST && !others.iter().any(|known| known.secret() == text) {
                    others.push(Key::any(text));
                }
            }
        }
    }

    /// `text` without any of them.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Cow::Borrowed(text);
        for secret in self.key.iter().chain(others.iter()) {
            if let Cow::Owned(without) = secret.redact(&text) {
                text = Cow::Owned(without);
            }
        }
        text
    }
}

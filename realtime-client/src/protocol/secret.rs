//! What remote servers of tools must be told and nobody else may see.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde_json::{Value, json};

/// Stands for a secret.
const HIDDEN: &str = "[hidden]";

/// Something that a remote server must be told and nobody else may see: sent, and shown in no `Debug`, log or recording.
#[derive(Clone, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl<T: Into<String>> From<T> for Secret {
    fn from(secret: T) -> Self {
        Self(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([hidden])")
    }
}

/// Settings as the wire nests them. `Debug` hides the secrets of remote servers in it.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Tree(Value);

impl From<Value> for Tree {
    fn from(tree: Value) -> Self {
        Self(tree)
    }
}

impl Deref for Tree {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl DerefMut for Tree {
    fn deref_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&hidden(&self.0), f)
    }
}

/// The secrets in a session or the settings of an answer, as the wire nests them.
pub(crate) fn secrets(tree: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    for tool in tree["tools"].as_array().into_iter().flatten() {
        let headers = tool["headers"].as_object().into_iter().flatten().map(|(_, value)| value);
        found.extend(std::iter::once(&tool["authorization"]).chain(headers).filter_map(Value::as_str));
    }
    found
}

/// The same without them.
pub(crate) fn hidden(tree: &Value) -> Value {
    let mut tree = tree.clone();
    let tools = tree.get_mut("tools").and_then(Value::as_array_mut);
    for tool in tools.into_iter().flatten() {
        let tool = tool.as_object_mut();
        for (key, value) in tool.into_iter().flatten() {
            match key.as_str() {
                "authorization" => *value = json!(HIDDEN),
                "headers" => {
                    let headers = value.as_object_mut().into_iter().flatten();
                    headers.for_each(|(_, value)| *value = json!(HIDDEN));
                }
                _ => {}
            }
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::protocol::McpTool;

    #[test]
    fn secrets_are_sent_and_shown_nowhere() {
        let tool = McpTool {
            server_label: "shop".to_owned(),
            authorization: Some("oauth-1234567".into()),
            headers: Some(BTreeMap::from([("X-Team".to_owned(), "team-7654321".into())])),
            ..McpTool::default()
        };
        let tree = json!({"tools": [tool]});
        assert_eq!(secrets(&tree), ["oauth-1234567", "team-7654321"]);
        assert_eq!(tree["tools"][0]["headers"]["X-Team"], "team-7654321");
        for shown in [format!("{tool:?}"), format!("{:?}", Tree(tree.clone())), hidden(&tree).to_string()] {
            assert!(!shown.contains("1234567") && !shown.contains("7654321"), "{shown}");
            assert!(shown.contains("X-Team") && shown.contains("shop"), "{shown}");
        }
        assert_eq!(hidden(&json!({"tools": 1, "x": [2]})), json!({"tools": 1, "x": [2]}));
    }
}

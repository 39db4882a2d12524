//! The tools that a model is offered: functions of the host, and tools of remote servers that the vendor calls.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::secret::Secret;

/// A tool on offer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tool {
    /// Runs in the host.
    Function(FunctionTool),
    /// Runs on a remote server that the vendor calls.
    Mcp(Box<McpTool>),
}

impl From<FunctionTool> for Tool {
    fn from(tool: FunctionTool) -> Self {
        Self::Function(tool)
    }
}

impl From<McpTool> for Tool {
    fn from(tool: McpTool) -> Self {
        Self::Mcp(Box::new(tool))
    }
}

/// A function that runs in the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FunctionTool {
    /// How the model calls it.
    pub name: String,
    /// When to call it, and what comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
}

/// Tools of a remote server. It is named by one of `server_url`, `connector_id` and `tunnel_id`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct McpTool {
    /// How this session calls the server.
    pub server_label: String,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_url: Option<String>,
    /// A connector of the vendor's; newer models take none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<String>,
    /// A tunnel that the vendor keeps to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel_id: Option<String>,
    /// An OAuth access token for the server or the connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Secret>,
    /// Headers of the vendor's requests to the server. Their values are secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, Secret>>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_description: Option<String>,
    /// The only tools that may be used; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tools: Option<AllowedTools>,
    /// Whether the host is asked first; always when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_approval: Option<RequireApproval>,
    /// Who may call its tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_callers: Option<Vec<Caller>>,
    /// Its tools are looked for when they are needed, and not told to the model before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defer_loading: Option<bool>,
}

/// Which tools of a remote server may be used.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AllowedTools {
    /// Those of these names.
    Named(Vec<String>),
    /// Those that this fits.
    Filter(ToolFilter),
}

/// Some tools of a remote server. What is absent leaves nothing out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ToolFilter {
    /// Those of these names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_names: Option<Vec<String>>,
    /// Those that say of themselves that they change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}

/// Whether the host is asked before a remote tool runs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequireApproval {
    /// Every time.
    Always,
    /// Not at all.
    Never,
    /// For some tools always, for others never.
    Some {
        /// The host is asked about these.
        always: Option<ToolFilter>,
        /// These run unasked.
        never: Option<ToolFilter>,
    },
}

impl Serialize for RequireApproval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Always => serializer.serialize_str("always"),
            Self::Never => serializer.serialize_str("never"),
            Self::Some { always, never } => {
                let filters = [("always", always), ("never", never)];
                serializer.collect_map(filters.iter().filter_map(|(key, f)| f.as_ref().map(|f| (key, f))))
            }
        }
    }
}

/// Who calls a remote tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Caller {
    /// The model itself.
    Direct,
    /// A program that the model wrote.
    Programmatic,
}

/// Whether a model must use a tool.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// It must not.
    None,
    /// As it sees fit.
    Auto,
    /// It must use one.
    Required,
    /// It must use this one.
    Function(String),
    /// It must use a tool of this remote server.
    Mcp {
        /// The server.
        server_label: String,
        /// The tool; any when absent.
        name: Option<String>,
    },
}

impl Serialize for ToolChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Auto => serializer.serialize_str("auto"),
            Self::Required => serializer.serialize_str("required"),
            Self::Function(name) => json!({"type": "function", "name": name}).serialize(serializer),
            Self::Mcp { server_label, name: None } => {
                json!({"type": "mcp", "server_label": server_label}).serialize(serializer)
            }
            Self::Mcp { server_label, name } => {
                json!({"type": "mcp", "server_label": server_label, "name": name}).serialize(serializer)
            }
        }
    }
}

//! Tools of remote servers: how they are listed, asked for and run. Every remote server offers one tool.

use serde_json::{Value, json};

use super::{Fault, Scenario};

/// The tool that every remote server offers.
const TOOL: &str = "look_up";
/// What it answers.
const OUTPUT: &str = "It is in the third drawer.";

/// What a connection knows of remote servers.
#[derive(Debug, Default)]
pub(super) struct Remote {
    listed: Vec<String>,
    stage: Stage,
}

/// How far a call of a remote tool has come.
#[derive(Clone, Debug, Default, PartialEq)]
enum Stage {
    #[default]
    Idle,
    /// The client was asked.
    Asked { request: String, label: String },
    /// The client has answered.
    Answered { request: String, label: String, approve: bool },
    /// What came of it has not been spoken of yet.
    Ran(String),
}

/// An item of an answer, with the events that tell of it.
type Told = (Vec<Value>, Value);

impl Remote {
    /// What is said about servers that were not there before.
    pub(super) fn list(
        &mut self,
        tools: &Value,
        scenario: &Scenario,
        previous: Option<&str>,
        mut name: impl FnMut(&str) -> String,
    ) -> (Vec<Value>, Vec<String>) {
        let (mut events, mut items) = (Vec::new(), Vec::new());
        for tool in remote(tools) {
            let label = tool["server_label"].as_str().unwrap_or("").to_owned();
            if self.listed.contains(&label) {
                continue;
            }
            let id = name("mcpl");
            events.push(json!({"type": "mcp_list_tools.in_progress", "item_id": id}));
            if scenario.fault == Some(Fault::RemoteServersFail) {
                events.push(json!({"type": "mcp_list_tools.failed", "item_id": id}));
                continue;
            }
            let schema = json!({"type": "object", "properties": {"asked": {"type": "string"}}});
            let item = json!({"id": id, "type": "mcp_list_tools", "server_label": label, "tools": [
                {"name": TOOL, "description": "Knows where things are.", "input_schema": schema, "annotations": null}]});
            for kind in ["conversation.item.added", "conversation.item.done"] {
                events.push(json!({"type": kind, "previous_item_id": previous, "item": item}));
            }
            events.push(json!({"type": "mcp_list_tools.completed", "item_id": id}));
            items.push(id);
            self.listed.push(label);
        }
        (events, items)
    }

    /// The client says whether a tool may run; `false` if nobody asked.
    pub(super) fn answered(&mut self, item: &Value) -> bool {
        match std::mem::take(&mut self.stage) {
            Stage::Asked { request, label } if item["approval_request_id"] == request => {
                self.stage = Stage::Answered { request, label, approve: item["approve"] == true };
                true
            }
            stage => {
                self.stage = stage;
                false
            }
        }
    }

    /// What an answer consists of while a remote tool is called; `None` when the model may speak.
    pub(super) fn next(
        &mut self,
        tools: &Value,
        place: &Place<'_>,
        scenario: &Scenario,
        mut name: impl FnMut(&str) -> String,
    ) -> Option<Told> {
        match std::mem::take(&mut self.stage) {
            Stage::Idle => {
                let tool =
                    remote(tools).find(|tool| self.listed.iter().any(|l| tool["server_label"] == **l))?;
                let label = tool["server_label"].as_str().unwrap_or("").to_owned();
                if tool["require_approval"] == "never" {
                    return Some(self.run(&label, None, place, scenario, &name("mcp")));
                }
                let request = name("mcpr");
                let item = json!({"id": request, "type": "mcp_approval_request", "server_label": label, "name": TOOL,
                    "arguments": place.arguments()});
                self.stage = Stage::Asked { request, label };
                Some((place.whole(&item, &[]), item))
            }
            Stage::Answered { request, label, approve: true } => {
                Some(self.run(&label, Some(&request), place, scenario, &name("mcp")))
            }
            stage => {
                self.stage = stage;
                None
            }
        }
    }

    fn run(
        &mut self,
        label: &str,
        request: Option<&str>,
        place: &Place<'_>,
        scenario: &Scenario,
        id: &str,
    ) -> Told {
        let fails = scenario.fault == Some(Fault::RemoteToolsFail);
        let error = json!({"type": "tool_execution_error", "message": "The drawers are locked."});
        let item = json!({"id": id, "type": "mcp_call", "server_label": label, "name": TOOL, "arguments": place.arguments(),
            "approval_request_id": request, "output": if fails { Value::Null } else { json!(OUTPUT) },
            "error": if fails { error } else { Value::Null }});
        let (arguments, response) = (place.arguments(), place.response_id);
        let end = if fails { "response.mcp_call.failed" } else { "response.mcp_call.completed" };
        let told = [
            json!({"type": "response.mcp_call_arguments.delta", "response_id": response, "item_id": id, "output_index": 0,
                "delta": arguments}),
            json!({"type": "response.mcp_call_arguments.done", "response_id": response, "item_id": id, "output_index": 0,
                "arguments": arguments}),
            json!({"type": "response.mcp_call.in_progress", "item_id": id, "output_index": 0}),
            json!({"type": end, "item_id": id, "output_index": 0}),
        ];
        self.stage = Stage::Ran(if fails { "nothing" } else { OUTPUT }.to_owned());
        (place.whole(&item, &told), item)
    }

    /// What the model has to say about a call that is over.
    pub(super) fn words(&mut self) -> Option<String> {
        match std::mem::take(&mut self.stage) {
            Stage::Ran(output) => Some(format!("The remote tool said: {output}")),
            Stage::Answered { .. } => Some("I was not allowed to look it up.".to_owned()),
            stage => {
                self.stage = stage;
                None
            }
        }
    }
}

/// Where the item of an answer stands.
pub(super) struct Place<'a> {
    pub(super) response_id: &'a Value,
    pub(super) previous: Option<&'a str>,
    /// What the person asked.
    pub(super) said: &'a str,
}

impl Place<'_> {
    fn arguments(&self) -> String {
        json!({"asked": self.said}).to_string()
    }

    /// The life of an item, with what happens while it is made.
    fn whole(&self, item: &Value, between: &[Value]) -> Vec<Value> {
        let mut begun = item.clone();
        if item["type"] == "mcp_call" {
            begun["arguments"] = json!("");
            begun["output"] = Value::Null;
            begun["error"] = Value::Null;
        }
        let of_answer = |kind: &str, item: &Value| json!({"type": kind, "response_id": self.response_id, "output_index": 0, "item": item});
        let of_conversation =
            |kind: &str, item: &Value| json!({"type": kind, "previous_item_id": self.previous, "item": item});
        let mut events = vec![
            of_answer("response.output_item.added", &begun),
            of_conversation("conversation.item.added", &begun),
        ];
        events.extend_from_slice(between);
        events.push(of_conversation("conversation.item.done", item));
        events.push(of_answer("response.output_item.done", item));
        events
    }
}

fn remote(tools: &Value) -> impl Iterator<Item = &Value> {
    tools.as_array().into_iter().flatten().filter(|tool| tool["type"] == "mcp")
}

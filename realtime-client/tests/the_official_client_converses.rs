//! The official Python client holds a conversation with the scripted server.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

#[path = "support/python.rs"]
mod python;

use realtime_client::scripted::{Scenario, ScriptedServer};

#[test]
fn the_official_client_converses_with_the_scripted_server() {
    let Some(python) = python::with_openai() else { return };
    let mut scenario = Scenario::default();
    scenario.calls_functions = true;
    let server = ScriptedServer::start(scenario).unwrap();
    let address = server.provider().url.replace("/realtime", "");
    let printed = python.run("converse.py", &[&address]);
    assert!(printed.contains("an answer beside the conversation"), "{printed}");
    assert_eq!(server.bearer().as_deref(), Some("sk-any"));
}

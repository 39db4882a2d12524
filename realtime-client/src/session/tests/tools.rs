use super::*;
use crate::session::{Posture, ToolOutput};

fn arguments(talk: &mut Talk, response: &str, call: &str, index: u32) {
    talk.server(
        json!({"type": "response.function_call_arguments.done", "response_id": response, "item_id": call,
        "output_index": index, "call_id": call, "name": "set_mood", "arguments": "{}"}),
    );
}

fn calls(talk: &mut Talk) -> Vec<String> {
    let call = |event: Event| match event {
        Event::ToolCall { call_id, .. } => Some(call_id),
        _ => None,
    };
    talk.told().into_iter().filter_map(call).collect()
}

fn outputs(sent: &[Value]) -> Vec<&str> {
    sent.iter().filter_map(|event| event["item"]["call_id"].as_str()).collect()
}

#[test]
fn outputs_wait_for_each_other_and_the_reaction_for_the_end_of_the_answer() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    arguments(&mut talk, "r1", "c1", 0);
    arguments(&mut talk, "r1", "c2", 1);
    assert_eq!(calls(&mut talk), ["c1", "c2"]);
    assert_eq!(talk.session.posture(), Posture::Working);
    assert!(talk.session.tool_output("c2", ToolOutput::new("2")));
    assert!(talk.sent().is_empty());
    assert!(talk.session.tool_output("c1", ToolOutput::new("1")));
    let sent = talk.sent();
    assert_eq!((outputs(&sent), sent.len()), (vec!["c1", "c2"], 2));
    talk.done("r1", "completed", json!([]));
    assert_eq!(talk.sent_kinds(), ["response.create"]);
    assert!(!talk.session.tool_output("c1", ToolOutput::new("again")));
}

#[test]
fn a_call_that_is_told_three_times_runs_once() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    // The beta tells no name with the arguments.
    talk.server(json!({"type": "response.function_call_arguments.done", "response_id": "r1", "call_id": "c1", "arguments": "{}"}));
    assert!(calls(&mut talk).is_empty());
    let item = json!({"id": "f1", "type": "function_call", "name": "set_mood", "call_id": "c1", "arguments": "{}", "status": "completed"});
    talk.server(
        json!({"type": "response.output_item.done", "response_id": "r1", "output_index": 0, "item": item}),
    );
    talk.done("r1", "completed", json!([item]));
    assert_eq!(calls(&mut talk), ["c1"]);
}

#[test]
fn a_silent_output_asks_for_no_reaction() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    arguments(&mut talk, "r1", "c1", 0);
    talk.done("r1", "completed", json!([]));
    talk.session.tool_output("c1", ToolOutput::silent("ok"));
    assert_eq!(talk.sent_kinds(), ["conversation.item.create"]);
}

#[test]
fn a_call_of_a_cut_answer_gets_its_output_and_no_reaction() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    arguments(&mut talk, "r1", "c1", 0);
    talk.speech("u2");
    talk.done("r1", "cancelled", json!([]));
    talk.session.tool_output("c1", ToolOutput::new("1"));
    assert_eq!(talk.sent_kinds(), ["conversation.item.create"]);
}

#[test]
fn a_tool_that_hangs_is_answered_for_after_its_time() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    arguments(&mut talk, "r1", "c1", 0);
    talk.done("r1", "completed", json!([]));
    talk.wait(59_000);
    assert!(talk.sent().is_empty());
    talk.wait(2_000);
    let sent = talk.sent();
    assert!(sent[0]["item"]["output"].as_str().unwrap().contains("in time"));
    assert_eq!(sent[1]["type"], "response.create");
    assert!(!talk.session.tool_output("c1", ToolOutput::new("late")));
}

#[test]
fn an_approval_is_asked_once_answered_once_and_followed_by_an_answer() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    let item = json!({"id": "mcpr_1", "type": "mcp_approval_request", "server_label": "w", "name": "buy", "arguments": "{}"});
    talk.server(json!({"type": "conversation.item.done", "item": item}));
    talk.server(json!({"type": "response.output_item.done", "response_id": "r1", "item": item}));
    talk.done("r1", "completed", json!([item]));
    let asked = talk.told().iter().filter(|event| matches!(event, Event::ApprovalRequested { .. })).count();
    assert_eq!(asked, 1);
    talk.session.approve("mcpr_1", true, None).unwrap();
    assert_eq!(talk.session.approve("mcpr_1", true, None).unwrap_err().kind(), ErrorKind::InvalidInput);
    let sent = talk.sent();
    assert_eq!((&sent[0]["item"]["approve"], sent.len()), (&json!(true), 1));
    talk.wait(1_100);
    assert_eq!(talk.sent_kinds(), ["response.create"]);
}

#[test]
fn a_server_that_goes_on_by_itself_after_an_approval_is_not_asked_again() {
    let mut talk = Talk::ready();
    talk.server(
        json!({"type": "conversation.item.done", "item": {"id": "mcpr_1", "type": "mcp_approval_request"}}),
    );
    talk.session.approve("mcpr_1", false, Some("no".into())).unwrap();
    talk.sent();
    talk.begin("r2");
    talk.done("r2", "completed", json!([]));
    talk.wait(5_000);
    assert!(talk.sent().is_empty());
}

#[test]
fn answers_wait_for_the_tools_of_remote_servers() {
    let mut talk = Talk::ready();
    talk.server(json!({"type": "mcp_list_tools.in_progress", "item_id": "l1"}));
    talk.session.respond(None).unwrap();
    talk.wait(1_000);
    assert!(talk.sent().is_empty());
    talk.server(json!({"type": "mcp_list_tools.completed", "item_id": "l1"}));
    assert_eq!(talk.sent_kinds(), ["response.create"]);
}

/// The next connection, with what it is told.
fn reconnect(talk: &mut Talk) -> Vec<Value> {
    talk.session.broke(talk.now, Error::new(ErrorKind::Network, "the connection broke"), 0);
    talk.look();
    talk.connect(None);
    talk.sent();
    talk.server(json!({"type": "session.updated", "session": {}}));
    talk.sent()
}

#[test]
fn a_function_that_outlives_its_connection_is_told_to_the_next_one() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    arguments(&mut talk, "r1", "c1", 0);
    arguments(&mut talk, "r1", "c2", 1);
    talk.session.tool_output("c1", ToolOutput::new("1"));
    talk.sent();
    // The model is not asked again, or it would call again.
    let told = reconnect(&mut talk);
    assert_eq!(outputs(&told), ["c1", "c1"], "what was answered, with the call: {told:?}");
    assert_eq!(told.len(), 2);
    assert_eq!(talk.session.posture(), Posture::Working, "it still runs");
    assert!(talk.session.tool_output("c2", ToolOutput::new("2")));
    let sent = talk.sent();
    let call = json!({"type": "function_call", "call_id": "c2", "name": "set_mood", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "c2", "output": "2"});
    assert_eq!([&sent[0]["item"], &sent[1]["item"]], [&call, &output]);
    assert_eq!((sent[2]["type"].as_str(), sent.len()), (Some("response.create"), 3));
    assert!(!talk.session.tool_output("c2", ToolOutput::new("again")));
}

#[test]
fn a_function_that_answers_while_there_is_no_connection_is_told_to_the_next_one() {
    let mut talk = Talk::ready();
    talk.begin("r1");
    arguments(&mut talk, "r1", "c1", 0);
    talk.done("r1", "completed", json!([]));
    talk.session.broke(talk.now, Error::new(ErrorKind::Network, "the connection broke"), 0);
    assert!(talk.session.tool_output("c1", ToolOutput::new("1")));
    let kinds = |sent: Vec<Value>| {
        sent.iter()
            .map(|event| event["item"]["type"].as_str().unwrap_or("response").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(reconnect(&mut talk)), ["function_call", "function_call_output", "response"]);
    // A third connection knows both from the history, and is not asked a second time.
    talk.begin("r2");
    talk.audio("r2", "a2", 0, 100);
    talk.done("r2", "completed", json!([]));
    assert_eq!(kinds(reconnect(&mut talk)), ["function_call", "function_call_output"]);
}

#[test]
fn a_request_for_approval_that_dies_with_its_connection_is_said_to() {
    let mut talk = Talk::ready();
    talk.server(
        json!({"type": "conversation.item.done", "item": {"id": "mcpr_1", "type": "mcp_approval_request"}}),
    );
    talk.told();
    reconnect(&mut talk);
    let lost =
        |event: &Event| matches!(event, Event::Problem { error, .. } if error.to_string().contains("mcpr_1"));
    assert!(talk.told().iter().any(lost));
    assert_eq!(talk.session.approve("mcpr_1", true, None).unwrap_err().kind(), ErrorKind::InvalidInput);
}

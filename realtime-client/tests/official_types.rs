//! Every client event that can be emitted, with every optional field on and off, and everything that the scripted server says,
//! against the types of the official package.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

#[path = "support/python.rs"]
mod python;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use realtime_client::RealtimeClient;
use realtime_client::protocol::client_event::ResponseAudio;
use realtime_client::protocol::server_event::ResponseStatus;
use realtime_client::protocol::*;
use realtime_client::scripted::{Fault, Scenario};
use realtime_client::session::{Event, State};
use serde_json::{Value, json};
use support::*;

/// Every way to fill a record: nothing, each field alone, everything.
fn fillings<T: Default + Clone>(fields: &[fn(&mut T)]) -> Vec<T> {
    let mut all = T::default();
    let mut fillings = vec![T::default()];
    for set in fields {
        let mut alone = T::default();
        set(&mut alone);
        set(&mut all);
        fillings.push(alone);
    }
    fillings.push(all);
    fillings
}

fn function() -> FunctionTool {
    let mut function = FunctionTool::default();
    function.name = "set_mood".to_owned();
    function
}

fn tools() -> Vec<Tool> {
    let functions = fillings::<FunctionTool>(&[
        |f| f.description = Some("Changes the face.".to_owned()),
        |f| f.parameters = Some(json!({"type": "object", "properties": {}})),
    ]);
    let remote = fillings::<McpTool>(&[
        |m| m.server_url = Some("https://example.com/mcp".to_owned()),
        |m| m.connector_id = Some("connector_gmail".to_owned()),
        |m| m.tunnel_id = Some("tunnel_1".to_owned()),
        |m| m.authorization = Some("oauth-token".into()),
        |m| m.headers = Some(BTreeMap::from([("X-Team".to_owned(), "faces".into())])),
        |m| m.server_description = Some("Shops.".to_owned()),
        |m| m.allowed_tools = Some(AllowedTools::Named(vec!["buy".to_owned()])),
        |m| m.allowed_callers = Some(vec![Caller::Direct, Caller::Programmatic]),
        |m| m.defer_loading = Some(true),
        |m| m.require_approval = Some(RequireApproval::Always),
        |m| m.require_approval = Some(RequireApproval::Never),
    ]);
    let filtered = filters().into_iter().flat_map(|filter| {
        let (always, never) = (Some(filter.clone()), Some(filter.clone()));
        let mut allowed = McpTool::default();
        allowed.allowed_tools = Some(AllowedTools::Filter(filter));
        let approvals = [(None, None), (always.clone(), None), (None, never.clone()), (always, never)];
        approvals.map(|(always, never)| {
            let mut tool = allowed.clone();
            tool.require_approval = Some(RequireApproval::Some { always, never });
            tool
        })
    });
    let remote = remote.into_iter().chain(filtered);
    let named = |mut f: FunctionTool| {
        f.name = "f".to_owned();
        Tool::Function(f)
    };
    let labelled = |mut m: McpTool| {
        m.server_label = "shop".to_owned();
        Tool::from(m)
    };
    functions.into_iter().map(named).chain(remote.map(labelled)).collect()
}

fn filters() -> Vec<ToolFilter> {
    fillings::<ToolFilter>(&[|f| f.tool_names = Some(vec!["buy".to_owned()]), |f| f.read_only = Some(true)])
}

fn choices() -> Vec<ToolChoice> {
    let (server_label, name) = ("shop".to_owned(), Some("buy".to_owned()));
    vec![
        ToolChoice::None,
        ToolChoice::Auto,
        ToolChoice::Required,
        ToolChoice::Function("set_mood".to_owned()),
        ToolChoice::Mcp { server_label: server_label.clone(), name: None },
        ToolChoice::Mcp { server_label, name },
    ]
}

/// Settings that a session and a single answer share: of prompts, every way to fill one.
fn prompts() -> Vec<Prompt> {
    let variables = [
        ("name", json!("Mo")),
        ("about", json!({"type": "input_text", "text": "Faces."})),
        (
            "look",
            json!({"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,iVBORw0KGgo="}),
        ),
    ];
    let variables = BTreeMap::from(variables.map(|(key, value)| (key.to_owned(), value)));
    let mut prompts = vec![Prompt::default(); 3];
    prompts[1].version = Some("2".to_owned());
    prompts[2].variables = Some(variables);
    prompts.iter_mut().for_each(|prompt| prompt.id = "pmpt_1".to_owned());
    prompts
}

fn detections() -> Vec<TurnDetection> {
    let server = fillings::<ServerVad>(&[
        |v| v.threshold = Some(0.6),
        |v| v.prefix_padding_ms = Some(300),
        |v| v.silence_duration_ms = Some(500),
        |v| v.idle_timeout_ms = Some(6000),
        |v| v.create_response = Some(false),
        |v| v.interrupt_response = Some(false),
    ]);
    let semantic = fillings::<SemanticVad>(&[
        |v| v.eagerness = Some(Eagerness::Low),
        |v| v.eagerness = Some(Eagerness::Medium),
        |v| v.eagerness = Some(Eagerness::High),
        |v| v.eagerness = Some(Eagerness::Auto),
        |v| v.create_response = Some(true),
        |v| v.interrupt_response = Some(true),
    ]);
    let server = server.into_iter().map(TurnDetection::Server);
    let semantic = semantic.into_iter().map(TurnDetection::Semantic);
    std::iter::once(TurnDetection::Manual).chain(server).chain(semantic).collect()
}

fn named_trace(group_id: Option<&str>, metadata: Option<Value>) -> Tracing {
    Tracing::Named { workflow_name: "w".to_owned(), group_id: group_id.map(str::to_owned), metadata }
}

fn sessions() -> Vec<SessionUpdate> {
    let mut sessions = fillings::<SessionUpdate>(&[
        |s| s.model = Some("gpt-realtime-2".to_owned()),
        |s| s.instructions = Some(String::new()),
        |s| s.modality = Some(Modality::Text),
        |s| s.modality = Some(Modality::Audio),
        |s| s.audio.input.format = Some(AudioFormat::Pcm { rate: 24_000 }),
        |s| s.audio.input.format = Some(AudioFormat::Pcmu),
        |s| s.audio.output.format = Some(AudioFormat::Pcma),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::Off),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::NearField),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::FarField),
        |s| s.audio.output.voice = Some("marin".into()),
        |s| s.audio.output.voice = Some(Voice::Custom { id: "voice_1".to_owned() }),
        |s| s.audio.output.speed = Some(1.1),
        |s| s.tools = Some(Vec::new()),
        |s| s.tools = Some(tools()),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::NearFieldBy(0.5)),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::FarFieldBy(0.5)),
        |s| s.parallel_tool_calls = Some(true),
        |s| s.reasoning = Some(Effort::Xhigh.into()),
        |s| s.max_output_tokens = Some(TokenLimit::AtMost(400)),
        |s| s.max_output_tokens = Some(TokenLimit::Unlimited),
        |s| s.truncation = Some(Truncation::Auto),
        |s| s.truncation = Some(Truncation::Disabled),
        |s| s.truncation = Some(Truncation::Retain(0.8)),
        |s| s.truncation = Some(Truncation::RetainWithin { ratio: 0.8, post_instructions: 5_000 }),
        |s| s.tracing = Some(Tracing::Off),
        |s| s.tracing = Some(Tracing::Auto),
        |s| s.tracing = Some(named_trace(None, None)),
        |s| s.tracing = Some(named_trace(Some("g"), None)),
        |s| s.tracing = Some(named_trace(None, Some(json!({"room": 7})))),
        |s| s.include = Some(vec!["item.input_audio_transcription.logprobs".to_owned()]),
    ]);
    for choice in choices() {
        let mut session = SessionUpdate::default();
        session.tool_choice = Some(choice);
        sessions.push(session);
    }
    for prompt in prompts() {
        let mut session = SessionUpdate::default();
        session.prompt = Some(prompt);
        sessions.push(session);
    }
    for detection in detections() {
        let mut session = SessionUpdate::default();
        session.audio.input.turn_detection = Some(detection);
        sessions.push(session);
    }
    let mut transcriptions = fillings::<Transcription>(&[
        |t| t.language = Some("en".to_owned()),
        |t| t.languages = Some(vec!["en".to_owned(), "de".to_owned()]),
        |t| t.prompt = Some("About faces.".to_owned()),
        |t| t.keywords = Some(vec!["MuseTalk".to_owned()]),
        |t| t.delay = Some(Effort::Minimal),
    ]);
    transcriptions.iter_mut().for_each(|t| t.model = "gpt-live-transcribe".to_owned());
    transcriptions.push(Transcription::default());
    for transcription in transcriptions {
        for kind in [SessionKind::Realtime, SessionKind::Transcription] {
            let mut session = SessionUpdate::default();
            session.kind = kind;
            session.audio.input.transcription = Some(transcription.clone());
            session.audio.input.turn_detection = Some(TurnDetection::Manual);
            sessions.push(session);
        }
    }
    sessions.extend(listening());
    sessions
}

/// Sessions that only listen have a type of their own, which knows less.
fn listening() -> Vec<SessionUpdate> {
    let mut sessions = fillings::<SessionUpdate>(&[
        |s| s.audio.input.format = Some(AudioFormat::Pcm { rate: 24_000 }),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::NearFieldBy(0.5)),
        |s| s.audio.input.noise_reduction = Some(NoiseReduction::FarField),
        |s| s.audio.input.transcription = Some(Transcription::by("gpt-live-transcribe")),
        |s| s.include = Some(vec!["item.input_audio_transcription.logprobs".to_owned()]),
    ]);
    for detection in detections() {
        let mut session = SessionUpdate::default();
        session.audio.input.turn_detection = Some(detection);
        sessions.push(session);
    }
    sessions.iter_mut().for_each(|session| session.kind = SessionKind::Transcription);
    sessions
}

fn items() -> Vec<NewItem> {
    let text = UserPart::Text { text: "What do you see?".to_owned() };
    let mut parts = vec![text];
    for detail in [None, Some(Detail::Auto), Some(Detail::Low), Some(Detail::High)] {
        parts.push(UserPart::Image { image_url: "data:image/png;base64,iVBORw0KGgo=".to_owned(), detail });
    }
    for transcript in [None, Some("Hello.".to_owned())] {
        parts.push(UserPart::Audio { audio: audio::encode(&[1, 2, 3]), transcript });
    }
    let call_id = "call_7Zq".to_owned();
    let mut items = vec![
        NewItem::FunctionCall { call_id: call_id.clone(), name: "f".to_owned(), arguments: "{}".to_owned() },
        NewItem::FunctionCallOutput { call_id, output: "{\"ok\":true}".to_owned() },
    ];
    for id in [None, Some("msg_1".to_owned())] {
        items.push(NewItem::System { id: id.clone(), text: "The user is called Mo.".to_owned() });
        items.push(NewItem::User { id: id.clone(), content: parts.clone() });
        items.push(NewItem::Assistant { id, text: "A red door.".to_owned() });
    }
    let (server_label, name, arguments) = ("shop".to_owned(), "buy".to_owned(), "{}".to_owned());
    for text in [None, Some("AAABAAIA".to_owned())] {
        let transcript = Some("A red door.".to_owned());
        items.push(NewItem::AssistantVoice {
            id: text.clone().map(|_| "msg_2".to_owned()),
            audio: text.clone(),
            transcript,
        });
        items.push(NewItem::McpListTools {
            id: text.clone(),
            server_label: server_label.clone(),
            tools: vec![
                json!({"name": "buy", "input_schema": {"type": "object"}}),
                json!({"name": "sell", "input_schema": {}, "description": "Sells.", "annotations": {"readOnlyHint": false}}),
            ],
        });
        items.push(NewItem::McpCall {
            id: "mcp_1".to_owned(),
            server_label: server_label.clone(),
            name: name.clone(),
            arguments: arguments.clone(),
            approval_request_id: text.clone(),
            output: text,
        });
    }
    items.push(NewItem::McpApprovalRequest { id: "mcpr_1".to_owned(), server_label, name, arguments });
    for reason in [None, Some("too dear".to_owned())] {
        items.push(NewItem::McpApprovalResponse {
            id: "mcpa_1".to_owned(),
            approval_request_id: "mcpr_1".to_owned(),
            approve: false,
            reason,
        });
    }
    items
}

fn responses() -> Vec<ResponseParams> {
    let mut responses = fillings::<ResponseParams>(&[
        |r| r.conversation = Some(ResponseConversation::Auto),
        |r| r.conversation = Some(ResponseConversation::None),
        |r| r.modality = Some(Modality::Text),
        |r| r.instructions = Some("Name the mood.".to_owned()),
        |r| r.audio.get_or_insert_default().output.voice = Some("cedar".into()),
        |r| r.audio.get_or_insert_default().output.format = Some(AudioFormat::Pcm { rate: 24_000 }),
        |r| r.audio.get_or_insert_default().output.voice = Some(Voice::Custom { id: "voice_1".to_owned() }),
        |r| r.audio = Some(ResponseAudio::default()),
        |r| r.tools = Some(vec![Tool::Function(function())]),
        |r| r.tools = Some(tools()),
        |r| r.parallel_tool_calls = Some(false),
        |r| *r = r.clone().with_effort(Effort::Low),
        |r| r.max_output_tokens = Some(TokenLimit::AtMost(100)),
        |r| r.metadata = Some(BTreeMap::from([("topic".to_owned(), "mood".to_owned())])),
        |r| r.input = Some(Vec::new()),
        |r| r.input = Some([items(), vec![NewItem::Reference { id: "item_U".to_owned() }]].concat()),
    ]);
    for choice in choices() {
        let mut response = ResponseParams::default();
        response.tool_choice = Some(choice);
        responses.push(response);
    }
    for prompt in prompts() {
        let mut response = ResponseParams::default();
        response.prompt = Some(prompt);
        responses.push(response);
    }
    // With items that are named, every setting is of another type again.
    let named: Vec<ResponseParams> = responses
        .iter()
        .map(|response| {
            let mut response = response.clone();
            response.input = Some(vec![NewItem::Reference { id: "item_U".to_owned() }]);
            response
        })
        .collect();
    responses.extend(named);
    responses
}

fn client_events() -> Vec<ClientEvent> {
    let id = || "item_A".to_owned();
    let mut events: Vec<ClientEvent> = sessions().iter().map(ClientEvent::from).collect();
    events.extend([
        ClientEvent::Append { audio: audio::encode(&[0; 960]) },
        ClientEvent::Commit,
        ClientEvent::Clear,
        ClientEvent::ItemRetrieve { item_id: id() },
        ClientEvent::ItemTruncate { item_id: id(), content_index: 0, audio_end_ms: 1480 },
        ClientEvent::ItemDelete { item_id: id() },
        ClientEvent::ResponseCreate { response: None },
        ClientEvent::ResponseCancel { response_id: None },
        ClientEvent::ResponseCancel { response_id: Some("resp_1".to_owned()) },
        ClientEvent::OutputClear,
    ]);
    for previous_item_id in [None, Some("root".to_owned())] {
        let created = items()
            .into_iter()
            .map(|item| ClientEvent::ItemCreate { previous_item_id: previous_item_id.clone(), item });
        events.extend(created);
    }
    events
        .extend(responses().into_iter().map(|r| ClientEvent::ResponseCreate { response: Some(Box::new(r)) }));
    events
}

#[test]
fn the_checker_finds_what_it_should() {
    let Some(python) = python::with_openai() else { return };
    python.run("check.py", &["self-test"]);
}

#[test]
fn everything_a_client_can_emit_conforms() {
    let Some(python) = python::with_openai() else { return };
    let mut lines = Vec::new();
    for event in client_events() {
        lines.push(event.to_json(None, &Dialect::ga()));
        lines.push(event.to_json(Some("evt_1"), &Dialect::ga()));
    }
    let printed = python.check("client", "client", &lines);
    assert!(printed.contains("of 11 kinds"), "{printed}");
    // And there is no field that was forgotten: neither to be sent, nor to be left out.
    let printed = python.check("uncovered", "client", &lines);
    let known =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/never_sent.txt")).unwrap();
    let known: Vec<&str> = known.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), known);
}

/// A conversation with a scripted server: written, spoken into the answer, and once more.
struct Conversed {
    name: &'static str,
    scenario: Scenario,
    /// The server ends it, so there is no order to wait for.
    ends: bool,
    /// A kind of event that it must have brought about.
    shows: &'static str,
}

fn scenario(name: &'static str, shows: &'static str, set: impl FnOnce(&mut Scenario)) -> Conversed {
    let mut scenario = Scenario::default();
    scenario.answer_seconds = Some(1.0);
    set(&mut scenario);
    Conversed { name, scenario, ends: false, shows }
}

fn faulty(name: &'static str, shows: &'static str, fault: Fault) -> Conversed {
    let ends = matches!(fault, Fault::RejectedAfterUpgrade(_) | Fault::NeverGreets | Fault::StopsReading);
    Conversed { ends, ..scenario(name, shows, |scenario| scenario.fault = Some(fault)) }
}

/// All that the server can do, and every fault in which it still says something.
fn scenarios() -> Vec<Conversed> {
    let remote = |name, fault| {
        scenario(name, "mcp_list_tools.in_progress", move |scenario| {
            (scenario.calls_remote, scenario.fault) = (true, fault);
        })
    };
    vec![
        scenario("plain", "conversation.item.input_audio_transcription.completed", |_| {}),
        scenario("burst", "conversation.item.truncated", |s| s.answer_seconds = Some(60.0)),
        scenario("paced", "response.done", |s| s.pace = Duration::from_millis(2)),
        scenario("functions", "response.function_call_arguments.done", |s| s.calls_functions = true),
        scenario("items", "response.output_item.done", |s| s.items = 2),
        remote("remote", None),
        remote("remote fails", Some(Fault::RemoteToolsFail)),
        remote("remote silent", Some(Fault::RemoteServersFail)),
        // Its noise belongs to no protocol, and is left out below.
        scenario("noise", "vendor.noise", |s| s.chatters = true),
        faulty("turned away", "error", Fault::RejectedAfterUpgrade("invalid_api_key".to_owned())),
        faulty("dropped", "session.created", Fault::DropAfter(9)),
        faulty("expires", "error", Fault::ExpireAfter(9)),
        faulty("short", "session.created", Fault::ShortLife(121)),
        faulty("slow", "session.updated", Fault::Slow(Duration::from_millis(30))),
        faulty("cancels first", "input_audio_buffer.speech_started", Fault::CancelsBeforeSpeech),
        scenario("wrong order", "response.output_audio.done", |s| {
            (s.items, s.fault) = (2, Some(Fault::WrongOrder));
        }),
        faulty("broken off", "session.created", Fault::DropInside(9)),
        faulty("no money", "response.done", Fault::AnswersFail("rate_limit_exceeded".to_owned())),
        // Their sound is wrong on purpose, and is left out below.
        faulty("no base64", "response.output_audio.delta", Fault::BadBase64),
        faulty("odd", "response.output_audio.delta", Fault::OddBytes),
    ]
}

/// What both sides said.
fn converse(conversed: &Conversed) -> (Vec<Value>, Vec<Value>) {
    let server = server(conversed.scenario.clone());
    let mut functions = realtime_client::Tools::new();
    let schema = json!({"type": "object"});
    functions.add("f", "A function.", schema, |_| realtime_client::session::ToolOutput::new("1")).unwrap();
    let mut config = config(&server);
    config.options.session.audio.input.transcription = Some(Transcription::by("any"));
    let mut shop = McpTool::default();
    shop.server_label = "shop".to_owned();
    shop.server_url = Some("https://example.com/mcp".to_owned());
    config.options.session.tools = Some(vec![shop.into()]);
    let talk = RealtimeClient::builder().tools(functions).start(config).unwrap();
    let approve = |event: &Event| {
        if let Event::ApprovalRequested { request_id, .. } = event {
            talk.approve(request_id, true, Some("go on".to_owned())).unwrap();
        }
    };
    let done = |event: &Event| {
        approve(event);
        let over = matches!(event, Event::State(State::Closed(_)));
        over || matches!(event, Event::ResponseDone { status, .. } if *status != ResponseStatus::InProgress)
    };
    talk.say("Go.").unwrap();
    if conversed.ends {
        until(&talk, |event| matches!(event, Event::State(State::Closed(_) | State::Reconnecting { .. })));
        return (server.seen(), server.sent());
    }
    let spoken = |event: &Event| matches!(event, Event::Said { .. } | Event::Problem { .. });
    until(&talk, |event| {
        approve(event);
        spoken(event)
    });
    talk.heard(1, 12_000);
    speak(&talk, 5);
    until(&talk, done);
    talk.aside("mood", ResponseParams::default()).ok();
    // Nothing runs any more: an error of the server's, which the session takes for what it is.
    talk.delete_item("item_that_never_was").ok();
    wait_for(|| {
        let sent = server.sent();
        let shown = sent.iter().any(|event| event["type"] == conversed.shows);
        (shown && sent.len() > 5).then_some(())
    });
    talk.close();
    while talk.wait(PATIENCE).unwrap().is_some() {}
    (server.seen(), server.sent())
}

#[test]
fn what_both_sides_say_in_every_scenario_conforms() {
    let Some(python) = python::with_openai() else { return };
    let mut kinds = std::collections::BTreeSet::new();
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for conversed in scenarios() {
        let (seen, sent) = converse(&conversed);
        let name = conversed.name;
        assert!(sent.iter().any(|event| event["type"] == conversed.shows), "{name}: {sent:?}");
        let wrong_sound = matches!(conversed.scenario.fault, Some(Fault::BadBase64 | Fault::OddBytes));
        let lines = |events: &[Value]| -> Vec<String> {
            let ours = events.iter().filter(|event| event["type"] != "vendor.noise");
            ours.filter(|event| !(wrong_sound && event["type"] == "response.output_audio.delta"))
                .map(Value::to_string)
                .collect()
        };
        clients.extend(lines(&seen));
        servers.extend(lines(&sent));
        kinds.extend(sent.iter().filter_map(|event| event["type"].as_str().map(str::to_owned)));
    }
    python.check("client", "clients of all scenarios", &clients);
    python.check("server", "servers of all scenarios", &servers);
    for kind in [
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
    ] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
}

//! Wrong keys, wrong hosts, broken frames, dead connections: each is an event or an error in words, and the process goes on.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use realtime_client::scripted::{Fault, Scenario};
use realtime_client::session::{Event, State};
use realtime_client::{Config, ErrorKind, Key, Provider, RealtimeClient};
use rustls::pki_types::PrivatePkcs8KeyDer;
use support::*;

/// How a session ends that may not try again.
fn ends(fault: Fault) -> realtime_client::Error {
    let server = faulty(fault);
    let mut config = config(&server);
    config.options.reconnect_attempts = 0;
    let talk = RealtimeClient::builder().start(config).unwrap();
    why_closed(&talk)
}

#[test]
fn a_refused_upgrade_says_what_to_do() {
    for (status, kind, word) in [
        (401, ErrorKind::Unauthorized, "key"),
        (403, ErrorKind::Unauthorized, "region"),
        (404, ErrorKind::NotFound, "model"),
        (429, ErrorKind::Busy, "wait"),
        (500, ErrorKind::Refused, "trouble"),
    ] {
        let error = ends(Fault::Status(status));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_redirect_is_refused_and_the_key_stays() {
    let error = ends(Fault::Redirect);
    assert_eq!(error.kind(), ErrorKind::Untrusted);
    assert!(error.to_string().contains("elsewhere"), "{error}");
}

#[test]
fn who_is_turned_away_after_the_upgrade_does_not_come_back() {
    for (code, kind) in [
        ("beta_api_shape_disabled", ErrorKind::Incompatible),
        ("invalid_api_key", ErrorKind::Unauthorized),
        ("insufficient_quota", ErrorKind::Quota),
        ("model_not_found", ErrorKind::NotFound),
    ] {
        let server = faulty(Fault::RejectedAfterUpgrade(code.to_owned()));
        let talk = RealtimeClient::builder().start(config(&server)).unwrap();
        assert_eq!(why_closed(&talk).kind(), kind);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(server.connections(), 1);
    }
}

#[test]
fn answers_that_fail_for_want_of_money_end_the_session() {
    let server = faulty(Fault::AnswersFail("insufficient_quota".to_owned()));
    let talk = connect(&server);
    talk.say("Go.").unwrap();
    assert_eq!(why_closed(&talk).kind(), ErrorKind::Quota);
}

#[test]
fn nobody_there_is_an_error_in_words() {
    let mut config = Config::new(Provider::at("ws://127.0.0.1:1/v1").unwrap(), None);
    config.options.reconnect_attempts = 0;
    let talk = RealtimeClient::builder().start(config).unwrap();
    let error = why_closed(&talk);
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[test]
fn tls_with_somebody_who_speaks_none_is_no_connection() {
    let server = server(Scenario::default());
    let mut config = config(&server);
    config.provider.url = config.provider.url.replace("ws://", "wss://");
    config.options.reconnect_attempts = 0;
    let talk = RealtimeClient::builder().start(config).unwrap();
    let error = why_closed(&talk);
    assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::Untrusted), "{error:?}");
}

/// Anybody can make such a certificate: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=localhost`.
#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_before_the_key_is_sent() {
    let certificate = include_bytes!("tls/certificate.der").to_vec();
    let key = include_bytes!("tls/key.der").to_vec();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = rustls::ServerConnection::new(Arc::new(tls)).unwrap();
        let mut read = Vec::new();
        let outcome = rustls::Stream::new(&mut connection, &mut stream).read_to_end(&mut read);
        (outcome.is_err(), read)
    });
    let mut config = Config::new(
        Provider::at(&format!("wss://localhost:{port}/v1")).unwrap(),
        Some(Key::new(KEY).unwrap()),
    );
    config.options.reconnect_attempts = 5;
    let talk = RealtimeClient::builder().start(config).unwrap();
    let error = why_closed(&talk);
    assert_eq!(error.kind(), ErrorKind::Untrusted, "and it is not tried again: {error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(server.join().unwrap(), (true, Vec::new()), "not a byte came through");
}

#[test]
fn a_giant_frame_is_refused_and_the_next_connection_works() {
    let server = faulty(Fault::GiantFrame(100_000));
    let mut config = config(&server);
    config.largest_frame = 64 << 10;
    let talk = RealtimeClient::builder().start(config).unwrap();
    let events = until(&talk, |event| matches!(event, Event::State(State::Reconnecting { .. })));
    let Some(Event::State(State::Reconnecting { why, .. })) = events.last() else {
        panic!("it was just seen")
    };
    assert!(why.to_string().contains("65536 bytes"), "{why}");
    until(&talk, |event| matches!(event, Event::State(State::Ready)));
    talk.say("Go.").unwrap();
    until_done(&talk);
}

#[test]
fn sound_that_is_no_base64_is_passed_over() {
    let server = faulty(Fault::BadBase64);
    let talk = connect(&server);
    talk.say("Go.").unwrap();
    let events = until_done(&talk);
    assert!(events.iter().any(
        |event| matches!(event, Event::Malformed { kind, .. } if kind == "response.output_audio.delta")
    ));
    assert_eq!(samples(&events), 0);
}

#[test]
fn a_server_that_stops_reading_delays_nobody() {
    let server = faulty(Fault::StopsReading);
    let mut config = config(&server);
    config.ping = Duration::from_secs(2);
    let talk = RealtimeClient::builder().start(config).unwrap();
    until(&talk, |event| matches!(event, Event::State(State::Ready)));
    // More than any buffer of the system holds: what does not fit is dropped, the oldest first, and nobody waits.
    for _ in 0..2_000 {
        talk.push_audio(&[1; 24_000]);
    }
    assert!(talk.dropped_audio() > 0);
    // And it is given up, with a reason.
    let events = until(&talk, |event| matches!(event, Event::State(State::Reconnecting { .. })));
    let Some(Event::State(State::Reconnecting { why, .. })) = events.last() else {
        panic!("it was just seen")
    };
    // Which of the two is noticed first depends on the buffers of the system.
    assert_eq!(why.kind(), ErrorKind::TimedOut);
    let text = why.to_string();
    assert!(["does not read", "no sign of life"].iter().any(|words| text.contains(words)), "{why}");
}

#[test]
fn tcp_that_drops_at_any_point_is_survived() {
    let between = (1..=21).map(Fault::DropAfter);
    let inside = [1, 2, 8, 12, 17, 21].map(Fault::DropInside);
    for fault in between.chain(inside) {
        let mut scenario = Scenario::default();
        scenario.answers = vec!["Good.".to_owned()];
        scenario.fault = Some(fault);
        let server = server(scenario);
        let talk = RealtimeClient::builder().start(config(&server)).unwrap();
        talk.say("Hello?").unwrap();
        until(&talk, |event| matches!(event, Event::State(State::Reconnecting { .. })));
        until(&talk, |event| matches!(event, Event::State(State::Ready)));
        talk.say("Still there?").unwrap();
        until(&talk, |event| matches!(event, Event::Said { text, .. } if text == "Good."));
        let text =
            |event: &serde_json::Value| event["item"]["content"][0]["text"].as_str().unwrap_or("").to_owned();
        // "Good." may have answered the first question, told again; the second is on its way.
        let told = wait_for(|| {
            let told = seen(&server, "conversation.item.create");
            (text(told.last()?) == "Still there?").then_some(told)
        });
        assert!(told.iter().any(|event| text(event) == "Hello?"));
    }
}

#[test]
fn an_expired_session_goes_on_with_what_was_said() {
    let server = faulty(Fault::ExpireAfter(6));
    let talk = connect(&server);
    talk.say("I am Mo.").unwrap();
    until(&talk, |event| matches!(event, Event::State(State::Reconnecting { after, .. }) if after.is_zero()));
    until(&talk, |event| matches!(event, Event::State(State::Ready)));
    let told = wait_seen(&server, "conversation.item.create", 2);
    assert_eq!(told.last().unwrap()["item"]["content"][0]["text"], "I am Mo.");
}

#[test]
fn a_connection_is_replaced_before_it_ends_and_nobody_notices() {
    let server = faulty(Fault::ShortLife(121));
    let talk = connect(&server);
    wait_for(|| (server.connections() >= 2).then_some(()));
    wait_for(|| (server.closed() >= 1).then_some(()));
    let events = until(&talk, |event| matches!(event, Event::State(State::Ready)));
    assert!(!events.iter().any(|event| matches!(event, Event::State(State::Reconnecting { .. }))));
    drop(talk);
}

#[test]
fn acknowledgements_that_come_late_or_never_stop_nothing() {
    for fault in [Fault::Slow(Duration::from_millis(150)), Fault::NeverAcknowledges] {
        let server = faulty(fault);
        let talk = connect(&server);
        talk.say("Go.").unwrap();
        until_done(&talk);
    }
}

#[test]
fn keys_that_cannot_be_keys_are_refused_without_being_repeated() {
    for secret in ["", "  ", "sk-\u{e9}", "sk-one two", "sk-one\nx: y"] {
        let error = Key::new(secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!error.to_string().contains("sk-"));
    }
    let missing = Key::from_env("REALTIME_CLIENT_NO_SUCH_VARIABLE").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Unauthorized);
}

/// How a session ends whose upgrade is answered with these bytes; and how often it was asked for.
fn answered(answer: &'static str) -> (realtime_client::Error, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            counted.fetch_add(1, SeqCst);
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    let mut config = Config::new(Provider::at(&url).unwrap(), Some(Key::new(KEY).unwrap()));
    config.options.reconnect_attempts = 1;
    let talk = RealtimeClient::builder().start(config).unwrap();
    (why_closed(&talk), asked.load(SeqCst))
}

#[test]
fn a_refusal_that_gives_a_reason_is_understood() {
    for (answer, kind, asked, word) in [
        (
            "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 112\r\n\r\n{\"error\":{\"message\":\"You exceeded your current quota.\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}",
            ErrorKind::Quota,
            1,
            "You exceeded your current quota.",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n48\r\n{\"error\":{\"code\":\"model_not_found\",\"message\":\"There is no such model.\"}}\r\n0\r\n\r\n",
            ErrorKind::NotFound,
            1,
            "There is no such model.",
        ),
        ("HTTP/1.1 429 Too Many Requests\r\n\r\n", ErrorKind::Busy, 2, "wait"),
        ("HTTP/1.1 400 Bad Request\r\n\r\nwhat?", ErrorKind::InvalidInput, 1, "what?"),
        (
            "HTTP/1.1 404 Not Found\r\n\r\n<html>no</html>",
            ErrorKind::NotFound,
            1,
            "the model's name and the address",
        ),
        ("HTTP/1.1 402 Payment Required\r\n\r\n", ErrorKind::Quota, 1, "billing"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", ErrorKind::Incompatible, 1, "address"),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", ErrorKind::Refused, 2, "trouble"),
        ("SSH-2.0-OpenSSH_9.2\r\n", ErrorKind::Incompatible, 1, "WebSocket"),
    ] {
        let (error, times) = answered(answer);
        assert_eq!((error.kind(), times), (kind, asked), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(!error.to_string().contains(['{', '<']), "a sentence, not JSON and no page: {error}");
    }
}

#[test]
fn who_says_nothing_for_long_stays_connected() {
    let server = server(Scenario::default());
    let mut config = config(&server);
    config.ping = Duration::from_secs(1);
    let talk = start(RealtimeClient::builder(), config);
    // The microphone is open, and of silence a server says nothing.
    for _ in 0..250 {
        talk.push_audio(&[0; 480]);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.connections(), 1);
    assert!(server.pings() >= 2, "{}", server.pings());
    talk.say("Still there?").unwrap();
    let events = until_done(&talk);
    assert!(!events.iter().any(|event| matches!(event, Event::State(_))), "{events:?}");
}

#[test]
fn closing_takes_about_a_second_whatever_the_server_does() {
    for fault in [Fault::StopsReading, Fault::NeverGreets, Fault::Slow(Duration::from_secs(30))] {
        let server = faulty(fault.clone());
        let talk = RealtimeClient::builder().start(config(&server)).unwrap();
        wait_for(|| (server.connections() == 1).then_some(()));
        for _ in 0..100 {
            talk.push_audio(&[1; 24_000]);
        }
        let started = std::time::Instant::now();
        talk.close();
        while talk.wait(PATIENCE).unwrap().is_some() {}
        // A second for the farewell, and as much again for a busy machine.
        assert!(started.elapsed() < Duration::from_secs(4), "{fault:?}: {:?}", started.elapsed());
    }
}

#[test]
fn a_host_may_wait_for_ever() {
    let server = server(Scenario::default());
    let talk = RealtimeClient::builder().start(config(&server)).unwrap();
    while !matches!(talk.wait(Duration::MAX).unwrap(), Some(Event::State(State::Ready))) {}
}

//! The socket of a scripted server.

use std::net::SocketAddr;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::scripted::{Fault, MOST_SEEN, MOST_VOICED, Scenario, Script, Seen};
use crate::{Error, ErrorKind, Result};

use super::tasks::runtime;

/// 15 MiB of sound in base64, and its JSON.
const LARGEST: usize = 21 << 20;

/// Dropped, the server stops.
#[derive(Debug)]
pub(crate) struct Stop(#[expect(dead_code, reason = "its end is the message")] watch::Sender<()>);

/// Listens on a free port of the loopback interface.
pub(crate) fn listen(scenario: Scenario, seen: Seen) -> Result<(SocketAddr, Stop)> {
    let failed = |e: std::io::Error| Error::new(ErrorKind::Network, format!("no port to listen on: {e}"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopped) = watch::channel(());
    let _context = runtime()?.enter();
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    runtime()?.spawn(accept(listener, scenario, seen, stopped));
    Ok((address, Stop(stop)))
}

async fn accept(listener: TcpListener, scenario: Scenario, seen: Seen, mut stopped: watch::Receiver<()>) {
    let first = std::sync::Arc::new(AtomicUsize::new(0));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
            _ = stopped.changed() => return,
        };
        let number = first.fetch_add(1, Relaxed);
        let (scenario, seen, mut stopped) = (scenario.clone(), seen.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = serve(stream, scenario, seen, number) => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

async fn serve(mut stream: TcpStream, mut scenario: Scenario, seen: Seen, number: usize) {
    // Some things go wrong only once, or no client could ever go on.
    if number > 0
        && matches!(
            scenario.fault,
            Some(Fault::DropAfter(_) | Fault::DropInside(_) | Fault::ExpireAfter(_) | Fault::GiantFrame(_))
        )
    {
        scenario.fault = None;
    }
    let refusal = match &scenario.fault {
        Some(Fault::Status(status)) => Some(format!(
            "HTTP/1.1 {status} No\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        )),
        Some(Fault::Redirect) => Some(
            "HTTP/1.1 302 Found\r\nlocation: ws://example.invalid/v1/realtime\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
        ),
        _ => None,
    };
    if let Some(refusal) = refusal {
        let mut request = [0; 4096];
        let _read = stream.readable().await.and_then(|()| stream.try_read(&mut request));
        if stream.write_all(refusal.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        return;
    }
    let mut transcription = false;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
        .read_buffer_size(16 << 10)
        .write_buffer_size(0);
    #[expect(clippy::result_large_err, reason = "the WebSocket crate chose the type")]
    let look = |request: &Request, response: Response| {
        let mut record = seen.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.connections += 1;
        record.address = request.uri().to_string();
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        record.bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        transcription = request.uri().query().is_some_and(|query| query.contains("intent=transcription"));
        Ok(response)
    };
    if let Ok(socket) = accept_hdr_async_with_config(stream, look, Some(limits)).await {
        converse(socket, scenario, seen, transcription).await;
    }
}

async fn converse(
    mut socket: WebSocketStream<TcpStream>,
    scenario: Scenario,
    seen: Seen,
    transcription: bool,
) {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let started = Instant::now();
    let fault = scenario.fault.clone();
    let mut script = Script::new(scenario, transcription, unix);
    let mut sent = 0;
    loop {
        while let Some(event) = script.poll(started.elapsed()) {
            seen.sent(&event);
            if socket.send(Message::text(event.to_string())).await.is_err() {
                return;
            }
            sent += 1;
            if misbehave(&mut socket, &seen, fault.as_ref(), sent).await {
                return;
            }
        }
        if fault == Some(Fault::StopsReading) && sent > 1 {
            std::future::pending::<()>().await;
        }
        let due =
            script.deadline().map_or_else(|| Instant::now() + Duration::from_secs(60), |due| started + due);
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let Ok(event) = serde_json::from_str::<Value>(text.as_str()) else { return };
                    seen.heard(&event);
                    script.handle(&event, started.elapsed());
                }
                Some(Ok(Message::Close(_))) => seen.record.lock().unwrap_or_else(PoisonError::into_inner).closed += 1,
                Some(Ok(Message::Ping(_))) => seen.record.lock().unwrap_or_else(PoisonError::into_inner).pings += 1,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            () = sleep_until(due) => {}
        }
    }
}

/// `true` when the connection is over.
async fn misbehave(
    socket: &mut WebSocketStream<TcpStream>,
    seen: &Seen,
    fault: Option<&Fault>,
    sent: usize,
) -> bool {
    let close = |code: u16, reason: String| CloseFrame { code: CloseCode::from(code), reason: reason.into() };
    match fault {
        Some(Fault::RejectedAfterUpgrade(code)) => {
            let frame = close(4000, format!("invalid_request_error.{code}"));
            // Whether it arrives is the client's affair.
            drop(socket.close(Some(frame)).await);
            true
        }
        Some(Fault::DropAfter(events)) => sent >= *events,
        Some(Fault::DropInside(events)) if sent >= *events => {
            // A text frame of 1000 bytes, of which these are the first.
            drop(socket.get_mut().write_all(b"\x81\x7e\x03\xe8{\"type\":\"err").await);
            true
        }
        Some(Fault::ExpireAfter(events)) if sent >= *events => {
            let error = json!({"type": "error", "event_id": "event_x", "error": {"type": "invalid_request_error",
                "code": "session_expired", "message": "Your session hit the maximum duration of 60 minutes.",
                "param": null, "event_id": null}});
            seen.sent(&error);
            drop(socket.send(Message::text(error.to_string())).await);
            drop(socket.close(Some(close(1001, "Your session hit the maximum duration.".to_owned()))).await);
            true
        }
        Some(Fault::GiantFrame(bytes)) if sent == 2 => {
            let text = format!(r#"{{"type":"vendor.noise","x":"{}"}}"#, "x".repeat(*bytes));
            drop(socket.send(Message::text(text)).await);
            false
        }
        _ => false,
    }
}

impl Seen {
    fn heard(&self, event: &Value) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if event["type"] == "input_audio_buffer.append" {
            let length = event["audio"].as_str().map_or(0, str::len);
            record.samples += length as u64 * 3 / 8;
            return;
        }
        if record.events.len() < MOST_SEEN {
            record.events.push(event.clone());
        }
    }

    fn sent(&self, event: &Value) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.times.len() < MOST_SEEN {
            let kind = event["type"].as_str().unwrap_or("").to_owned();
            record.times.push((kind, Instant::now().into_std()));
        }
        let voice = event["type"] == "response.output_audio.delta";
        record.voiced += usize::from(voice);
        if record.sent.len() < MOST_SEEN && !(voice && record.voiced > MOST_VOICED) {
            record.sent.push(event.clone());
        }
    }
}

//! Two tasks for each connection: this one reads and keeps time, the other writes. Neither waits for the host.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::{Error, ErrorKind};

use super::dial::{Socket, broken, dial};
use super::line::{Order, Shared};
use super::tasks::{Boxed, within};

/// A frame that is not taken for so long will never be.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);
/// Servers like to drop the connection instead of closing it.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// No timer is set further ahead: what a server says of time is not to be added to a clock unseen.
const FURTHEST: Duration = Duration::from_secs(24 * 3600);

type Reader = SplitStream<Socket>;
type Writer = SplitSink<Socket, Message>;

/// The connection that serves.
struct Link {
    number: u64,
    reader: Reader,
    heard: Instant,
}

/// Serves a session until it is over.
pub(super) async fn drive(shared: Arc<Shared>) {
    let mut link: Option<Link> = None;
    let mut dialing: Option<Boxed<Result<Socket, Error>>> = None;
    loop {
        match shared.take_order() {
            Some(Order::Dial { after, keep }) => {
                if !keep {
                    link = None;
                    // Its writer closes it.
                    shared.outbox.restart();
                }
                dialing = Some(Box::pin(dial_after(Arc::clone(&shared), after)));
            }
            Some(Order::Close) => break,
            None => {}
        }
        let silence = link.as_ref().map(|link| link.heard + shared.config.ping.saturating_mul(2));
        let ahead = |due: Duration| due.saturating_sub(shared.now()).min(FURTHEST);
        let alarm = shared.alarm().map(|due| Instant::now() + ahead(due));
        let alarm = [silence, alarm].into_iter().flatten().min();
        tokio::select! {
            message = next_message(&mut link) => read(&shared, &mut link, message),
            opened = next_socket(&mut dialing) => {
                dialing = None;
                match opened {
                    Ok(socket) => link = open(&shared, socket).or(link),
                    Err(e) => shared.lost(e),
                }
            }
            () = shared.wake.notified() => {}
            () = sleep_until(alarm.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600))) => {
                if let Some(dead) = link.take_if(|link| link.heard + shared.config.ping.saturating_mul(2) <= Instant::now()) {
                    shared.broke(dead.number, Error::new(ErrorKind::TimedOut, "the server shows no sign of life"));
                }
            }
        }
    }
    // The writer sends what the session still had to say, and closes.
    shared.outbox.finish();
    if let Some(mut link) = link {
        let farewell = async { while let Some(Ok(_)) = link.reader.next().await {} };
        within(CLOSED_WITHIN, farewell).await;
    }
    shared.end();
}

async fn dial_after(shared: Arc<Shared>, after: Duration) -> Result<Socket, Error> {
    sleep_until(Instant::now() + after.saturating_sub(shared.now()).min(FURTHEST)).await;
    dial(&shared.config).await
}

async fn next_message(link: &mut Option<Link>) -> Option<Result<Message, WsError>> {
    match link {
        Some(link) => link.reader.next().await,
        None => std::future::pending().await,
    }
}

async fn next_socket(dialing: &mut Option<Boxed<Result<Socket, Error>>>) -> Result<Socket, Error> {
    match dialing {
        Some(dialing) => Pin::new(dialing).await,
        None => std::future::pending().await,
    }
}

fn open(shared: &Arc<Shared>, socket: Socket) -> Option<Link> {
    let (writer, reader) = socket.split();
    let number = shared.opened()?;
    tokio::spawn(write(Arc::clone(shared), writer, number));
    Some(Link { number, reader, heard: Instant::now() })
}

fn read(shared: &Shared, link: &mut Option<Link>, message: Option<Result<Message, WsError>>) {
    let Some(open) = link else { return };
    open.heard = Instant::now();
    let why = match message {
        Some(Ok(Message::Text(text))) => return shared.receive(open.number, text.as_str()),
        // Some servers send their JSON so.
        Some(Ok(Message::Binary(bytes))) => {
            return shared.receive(open.number, &String::from_utf8_lossy(&bytes));
        }
        Some(Ok(Message::Close(frame))) => {
            let why = farewell(frame.as_ref());
            Error::new(why.kind(), shared.secrets.redact(&why.to_string()).into_owned())
        }
        Some(Ok(_)) => return,
        Some(Err(e)) => broken(&shared.config, &shared.secrets, &e),
        None => Error::new(ErrorKind::Network, "the server dropped the connection"),
    };
    shared.broke(open.number, why);
    *link = None;
}

/// What a close means. Some reasons read `<type>.<code>`.
fn farewell(frame: Option<&CloseFrame>) -> Error {
    let Some(frame) = frame else {
        return Error::new(ErrorKind::Network, "the server closed the connection without a word");
    };
    let code = frame.reason.rsplit('.').next().unwrap_or("");
    let kind = match ErrorKind::of_code(code) {
        ErrorKind::Refused if u16::from(frame.code) == 1001 => ErrorKind::Closed,
        kind => kind,
    };
    Error::new(kind, format!("the server closed the connection: {} {}", u16::from(frame.code), frame.reason))
}

/// Writes what waits, and pings; until the connection is no longer the one, or breaks.
async fn write(shared: Arc<Shared>, mut writer: Writer, number: u64) {
    let mut pings = interval_at(Instant::now() + shared.config.ping, shared.config.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // A microphone never pauses: what waits to be sent must not keep the ping from its turn.
        let message = tokio::select! {
            _ = pings.tick() => Message::Ping(Vec::new().into()),
            frame = shared.outbox.next(number) => match frame {
                Some(frame) => Message::text(frame),
                None => break,
            },
        };
        match within(WRITTEN_WITHIN, writer.send(message)).await {
            Some(Ok(())) => {}
            // The reader learns the same, and why.
            Some(Err(_)) => return,
            None => {
                let why = Error::new(ErrorKind::TimedOut, "the server does not read what it is sent");
                shared.broke(number, why);
                return;
            }
        }
    }
    let farewell = async {
        let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // A server that has gone needs no farewell.
        let _said = writer.send(Message::Close(Some(normal))).await.is_ok();
        writer.close().await
    };
    if within(CLOSED_WITHIN, farewell).await.is_none() {
        log::debug!("the server did not take the close in time");
    }
}

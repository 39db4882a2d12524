//! A live conversation, for event loops and for threads.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use musetalk_core::UtteranceId;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use realtime_client::bridge::{Bridge, Utterances};
use realtime_client::emotion::Prosody;
use realtime_client::protocol::{
    Modality, NewItem, ResponseParams, SemanticVad, ServerVad, SessionKind, SessionUpdate, Transcription,
    TurnDetection, UserPart, Voice,
};
use realtime_client::session::{self, ToolOutput};
use realtime_client::{Config, ErrorKind, Key, Picture, Provider, RealtimeClient};

use crate::asynchronous::coroutine;
use crate::avatar::{Avatar, PcmWriter};
use crate::create::picture;
use crate::ends::Ears;
use crate::error::{closed, invalid, raise_talk, timed_out};
use crate::event::{Entry, Event, Usage, posture_name};
use crate::forked;
use crate::frame::{Heard, utterance};
use crate::pcm::Pcm;
use crate::tools::{Functions, tools_of};
use crate::waiting::Patience;
use crate::wake::Signal;

type Next = Pin<Box<dyn Future<Output = Option<session::Event>> + Send>>;

/// A live conversation over OpenAI's Realtime API, or a server that speaks it: voice in, voice out.
///
/// Connects at once; `async with` and `connect` wait until the server has taken the session, and `wait` serves threads without a loop.
/// Calls take effect at once and wait for nothing. Events come from `async for`, in one task, or from `wait`.
///
/// Args:
///     provider: `"openai"`, `"xai"`, `"qwen"`, `"stepfun"`, `"azure:RESOURCE"`, or a `ws://` or `wss://` address.
///     key: Sent in a header, shown nowhere; by default from the provider's variable of the environment, such as `OPENAI_API_KEY`.
///     model: The provider's own by default.
///     instructions: Who the model is and how it speaks.
///     voice: Such as `"marin"`.
///     speed: 0.25 to 1.5.
///     turn_detection: Who decides that the person has finished: the server by loudness or by meaning, or you, with `press` and `release`.
///     transcription: The model that writes down what the person says; off by default.
///     language: Of the person, ISO 639-1.
///     modality: Voice or writing.
///     tools: Functions that the model may call, plain or coroutines. They run by themselves, plain ones on threads of the library, coroutines in the
///         loop that runs now.
///     avatar: Answers go to this face, interruptions close its mouth. The conversation takes its listening half; read the frames as ever.
///     audio_events: Whether `Event.Audio` is told. Turn it off where only the avatar needs the sound.
///     prosody: Tell the model when the person sounds louder, higher or faster than usual.
///
/// Raises:
///     InvalidInputError: the configuration cannot work.
///     UnauthorizedError: no key was given, and the variable is not set.
#[pyclass(frozen, weakref, module = "musetalk")]
pub(crate) struct Realtime {
    client: RealtimeClient,
    /// Which utterance of the avatar is which of the conversation.
    utterances: Option<Utterances>,
    inbox: Mutex<Inbox>,
    news: Arc<Signal>,
    functions: Arc<Functions>,
}

/// What was begun to be read.
#[derive(Default)]
struct Inbox {
    next: Option<Next>,
    events: VecDeque<Event>,
    /// The last change of the connection that was told left it ready.
    ready: bool,
}

impl Inbox {
    fn take_in(&mut self, events: Vec<Event>) {
        for event in events {
            if let Event::State { state, .. } = &event {
                self.ready = state == "ready";
            }
            self.events.push_back(event);
        }
    }
}

impl Realtime {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the client, without the interpreter: its lock may be held by a thread that works.
    fn ask<R: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&RealtimeClient) -> realtime_client::Result<R> + Send,
    ) -> PyResult<R> {
        forked::check()?;
        py.detach(|| ask(&self.client)).map_err(|e| raise_talk(&e))
    }

    fn told(&self, py: Python<'_>, utterance: UtteranceId, samples: u64) {
        let heard = musetalk_core::Heard { utterance, samples };
        py.detach(|| match &self.utterances {
            Some(utterances) => utterances.heard(&self.client, heard),
            None => self.client.heard(utterance.get(), samples),
        });
    }
}

#[pymethods]
impl Realtime {
    #[new]
    #[pyo3(signature = (provider="openai", *, key=None, model=None, instructions=None, voice=None, speed=None,
        turn_detection=None, transcription=None, language=None, modality=None, tools=None, avatar=None, audio_events=true,
        prosody=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python<'_>,
        provider: &str,
        key: Option<String>,
        model: Option<String>,
        instructions: Option<String>,
        voice: Option<&str>,
        speed: Option<f64>,
        turn_detection: Option<&str>,
        transcription: Option<String>,
        language: Option<String>,
        modality: Option<&str>,
        tools: Option<&Bound<'_, PyAny>>,
        avatar: Option<&Bound<'_, PyAny>>,
        audio_events: bool,
        prosody: bool,
    ) -> PyResult<Self> {
        forked::starting(py)?;
        let provider = Provider::named(provider).map_err(|e| raise_talk(&e))?;
        let mut config = match key {
            Some(key) => Config::new(provider, Some(Key::new(key).map_err(|e| raise_talk(&e))?)),
            None => Config::of(provider).map_err(|e| raise_talk(&e))?,
        };
        config.model = model;
        config.audio_events = audio_events;
        config.options.session = update_of(instructions, voice, speed, turn_detection, modality)?;
        if transcription.is_some() || language.is_some() {
            let model = transcription.ok_or_else(|| invalid("language is given without transcription"))?;
            let mut written = Transcription::by(model);
            written.language = language;
            config.options.session.audio.input.transcription = Some(written);
        }
        let mut builder = RealtimeClient::builder();
        let mut functions = Arc::default();
        if let Some(given) = tools {
            let (tools, kept) = tools_of(given)?;
            builder = builder.tools(tools);
            functions = kept;
        }
        if prosody {
            builder = builder.sense(Prosody::new());
        }
        let mut utterances = None;
        if let Some(avatar) = avatar {
            let (ears, answers) = (ears_of(avatar)?, config.options.output_rate);
            if ears.rate != answers {
                return Err(invalid(format!(
                    "the avatar was opened for {} Hz and this server speaks at {answers}; open it with sample_rate={answers}",
                    ears.rate
                )));
            }
            let director = avatar.cast::<Avatar>().ok().map(|avatar| avatar.get().director()).transpose()?;
            let (writer, back) = ears.give(py)?;
            let mut bridge = Bridge::new(writer, ears.interrupter.clone());
            if let Some(director) = director {
                bridge = bridge.direct(director);
            }
            utterances = Some(bridge.utterances());
            // Whatever fails from here on drops the bridge, and so gives the writer back.
            builder = builder.voice(bridge.on_loan(back));
        }
        let client = py.detach(|| builder.start(config)).map_err(|e| raise_talk(&e))?;
        Ok(Self { client, utterances, inbox: Mutex::default(), news: Arc::default(), functions })
    }

    /// Connect, and wait until the server has taken the session. Takes what `Realtime` takes. The events until then are spent.
    ///
    /// Raises:
    ///     UnauthorizedError, QuotaError, NotFoundError, IncompatibleError, UntrustedError: the server will not talk.
    ///     NetworkError, TimedOutError, BusyError, RefusedError: no connection after several attempts.
    #[classmethod]
    #[pyo3(signature = (*args, **kwargs))]
    fn connect<'py>(
        cls: &Bound<'py, PyType>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        coroutine(&cls.call(args, kwargs)?, "connected")
    }

    /// Wait until the session is ready. The events until then are spent.
    fn ready<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        coroutine(slf.as_any(), "ready")
    }

    // ── the person ──

    /// Add the person's voice, mono at the provider's input rate (24 000 Hz at OpenAI); how many samples were dropped, the oldest first.
    ///
    /// Keep pushing silence between turns: the server finds their end in it.
    ///
    /// Raises:
    ///     ClosedError: the session is over.
    fn push_audio(&self, pcm: &Bound<'_, PyAny>) -> PyResult<u64> {
        let py = pcm.py();
        let samples = Pcm::of(pcm)?.ints(py)?;
        if py.detach(|| self.client.is_closed()) {
            return Err(closed("the conversation is over; start another one"));
        }
        Ok(py.detach(|| self.client.push_audio(&samples)))
    }

    #[getter]
    fn dropped_audio(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.client.dropped_audio())
    }

    /// The person writes this; an answer is asked for.
    fn say(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        self.ask(py, |client| client.say(text))
    }

    /// The person shows a picture: `(height, width, 3)`, or the bytes of a PNG or JPEG; an answer is asked for.
    #[pyo3(signature = (image, text=None, *, detail="auto"))]
    fn show(&self, image: &Bound<'_, PyAny>, text: Option<String>, detail: &str) -> PyResult<()> {
        use realtime_client::protocol::Detail;
        let detail = match detail {
            "auto" => Detail::Auto,
            "low" => Detail::Low,
            "high" => Detail::High,
            _ => return Err(invalid(format!("detail is {detail:?}; use \"auto\", \"low\" or \"high\""))),
        };
        let py = image.py();
        let (shape, bytes) = picture(image, "image")?;
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let encoded = py.detach(|| match shape[..] {
            [_] => Some(Picture::from_file(&bytes)),
            [height, width, 3] => Some(Picture::from_rgb(side(width), side(height), &bytes)),
            _ => None,
        });
        let picture = encoded
            .ok_or_else(|| {
                invalid(format!(
                    "image has the shape {shape:?}; give (height, width, 3), or the bytes of a PNG or JPEG"
                ))
            })?
            .map_err(|e| raise_talk(&e))?;
        let mut content: Vec<UserPart> = text.into_iter().map(|text| UserPart::Text { text }).collect();
        content.push(picture.part(detail));
        self.ask(py, |client| client.show(content))
    }

    /// A rule or a fact for the model, without an answer.
    fn tell(&self, py: Python<'_>, text: String) -> PyResult<()> {
        self.ask(py, |client| client.add_item(NewItem::System { id: None, text }))
    }

    /// Take an item out of the conversation, such as a picture that is of no use any more.
    fn delete_item(&self, py: Python<'_>, item_id: &str) -> PyResult<()> {
        self.ask(py, |client| client.delete_item(item_id))
    }

    /// Push to talk, key down.
    fn press(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, RealtimeClient::press)
    }

    /// Push to talk, key up.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, RealtimeClient::release)
    }

    // ── the model ──

    /// Ask for an answer, now or as soon as the one being made is done.
    #[pyo3(signature = (instructions=None))]
    fn respond(&self, py: Python<'_>, instructions: Option<String>) -> PyResult<()> {
        self.ask(py, |client| client.respond(instructions.map(instructed)))
    }

    /// Ask for an answer in writing beside the conversation; it comes back as `Event.Aside` with this tag.
    fn aside(&self, py: Python<'_>, tag: &str, instructions: String) -> PyResult<()> {
        self.ask(py, |client| client.aside(tag, instructed(instructions)))
    }

    /// Cut what is being made and what sounds.
    fn interrupt(&self, py: Python<'_>) {
        py.detach(|| self.client.interrupt());
    }

    /// What has left the loudspeaker; of the avatar's utterance where there is one, else of the conversation's. Report it often: when the person
    /// interrupts, this is what the model is told that was heard.
    fn heard(&self, py: Python<'_>, heard: Heard) -> PyResult<()> {
        let heard = heard.known()?;
        self.told(py, heard.utterance, heard.samples);
        Ok(())
    }

    /// The sound of this utterance has ended.
    #[pyo3(name = "ended", signature = (utterance))]
    fn ended(&self, py: Python<'_>, utterance: u64) -> PyResult<()> {
        self.told(py, self::utterance(utterance)?, u64::MAX);
        Ok(())
    }

    /// Change the session; what is not given stays.
    #[pyo3(signature = (*, instructions=None, voice=None, speed=None, turn_detection=None, modality=None))]
    fn update(
        &self,
        py: Python<'_>,
        instructions: Option<String>,
        voice: Option<&str>,
        speed: Option<f64>,
        turn_detection: Option<&str>,
        modality: Option<&str>,
    ) -> PyResult<()> {
        let update = update_of(instructions, voice, speed, turn_detection, modality)?;
        self.ask(py, |client| client.update(&update))
    }

    /// Answer an `Event.ToolCall` that no function took; `False` if nobody waits for it any more.
    #[pyo3(signature = (call_id, output, *, reply=true))]
    fn tool_output(&self, py: Python<'_>, call_id: &str, output: String, reply: bool) -> bool {
        let output = if reply { ToolOutput::new(output) } else { ToolOutput::silent(output) };
        py.detach(|| self.client.tool_output(call_id, output))
    }

    /// Whether a remote tool may run.
    #[pyo3(signature = (request_id, approve, reason=None))]
    fn approve(
        &self,
        py: Python<'_>,
        request_id: &str,
        approve: bool,
        reason: Option<String>,
    ) -> PyResult<()> {
        self.ask(py, |client| client.approve(request_id, approve, reason))
    }

    // ── what was and is ──

    /// What was said on both sides, in the order of the conversation.
    #[getter]
    fn history(&self, py: Python<'_>) -> Vec<Entry> {
        py.detach(|| self.client.history()).into_iter().filter_map(Entry::of).collect()
    }

    #[getter]
    fn usage(&self, py: Python<'_>) -> Usage {
        py.detach(|| self.client.usage()).into()
    }

    /// What the face should look like it is doing.
    #[getter]
    fn posture(&self, py: Python<'_>) -> &'static str {
        posture_name(py.detach(|| self.client.posture()))
    }

    /// The rate of the answers in Hz; open the avatar with it.
    #[getter]
    fn output_rate(&self, py: Python<'_>) -> u32 {
        py.detach(|| self.client.output_rate())
    }

    /// End the session: the connection is closed within a second. The events end.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.client.close());
    }

    // ── events ──

    /// The next event, for threads without a loop; `None` when the session is over. Waits without the GIL; Ctrl-C works.
    ///
    /// Raises:
    ///     TimedOutError: nothing happened in time.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Event>> {
        let patience = Patience::seconds(timeout)?;
        loop {
            forked::check()?;
            if let Some(event) = self.inbox().events.pop_front() {
                return Ok(Some(event));
            }
            match py.detach(|| self.client.wait(patience.slice())) {
                Ok(None) => return Ok(None),
                Ok(Some(event)) => {
                    let events = Event::of(py, event)?;
                    self.inbox().take_in(events);
                }
                Err(e) if e.kind() != ErrorKind::TimedOut => return Err(raise_talk(&e)),
                Err(_) if patience.is_over() => {
                    return Err(timed_out("nothing happened in time; call again"));
                }
                Err(_) => py.check_signals()?,
            }
        }
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        coroutine(slf.as_any(), "next_event")
    }

    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        coroutine(slf.as_any(), "connected")
    }

    fn __aexit__<'py>(
        slf: &Bound<'py, Self>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        coroutine(slf.as_any(), "closed")
    }

    /// An event, `None` if there is none yet, and the end of the iteration when the session is over.
    fn _poll(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        forked::check()?;
        self.news.hush();
        loop {
            let mut inbox = self.inbox();
            if let Some(event) = inbox.events.pop_front() {
                return Ok(Some(event));
            }
            let next = inbox.next.get_or_insert_with(|| {
                let client = self.client.clone();
                Box::pin(async move { client.next().await })
            });
            let waker = Waker::from(Arc::clone(&self.news));
            match next.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => return Ok(None),
                Poll::Ready(event) => {
                    inbox.next = None;
                    drop(inbox);
                    let Some(event) = event else {
                        return Err(pyo3::exceptions::PyStopAsyncIteration::new_err(()));
                    };
                    let events = Event::of(py, event)?;
                    self.inbox().take_in(events);
                }
            }
        }
    }

    fn _is_ready(&self) -> bool {
        self.inbox().ready
    }

    fn _news<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.news.future(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.news.traverse(&visit)?;
        self.functions.traverse(&visit)
    }

    fn __clear__(&self) {
        self.news.forget();
        self.functions.forget();
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<musetalk.Realtime, {}>", self.posture(py))
    }
}

fn ears_of(avatar: &Bound<'_, PyAny>) -> PyResult<Arc<Ears>> {
    if let Ok(avatar) = avatar.cast::<Avatar>() {
        return avatar.get().ears();
    }
    if let Ok(writer) = avatar.cast::<PcmWriter>() {
        return Ok(Arc::clone(&writer.get().0));
    }
    Err(invalid("avatar is neither an Avatar nor a PcmWriter"))
}

fn instructed(instructions: String) -> ResponseParams {
    let mut params = ResponseParams::default();
    params.instructions = Some(instructions);
    params
}

fn update_of(
    instructions: Option<String>,
    voice: Option<&str>,
    speed: Option<f64>,
    turn_detection: Option<&str>,
    modality: Option<&str>,
) -> PyResult<SessionUpdate> {
    if let Some(speed) = speed
        && !(0.25..=1.5).contains(&speed)
    {
        return Err(invalid(format!("speed is {speed}; give 0.25 to 1.5")));
    }
    let mut update = SessionUpdate::default();
    update.kind = SessionKind::Realtime;
    update.instructions = instructions;
    update.audio.output.voice = voice.map(Voice::from);
    update.audio.output.speed = speed;
    update.audio.input.turn_detection = match turn_detection {
        None => None,
        Some("manual") => Some(TurnDetection::Manual),
        Some("server") => Some(TurnDetection::Server(ServerVad::default())),
        Some("semantic") => Some(TurnDetection::Semantic(SemanticVad::default())),
        Some(other) => {
            return Err(invalid(format!(
                "turn_detection is {other:?}; use \"server\", \"semantic\" or \"manual\""
            )));
        }
    };
    update.modality = match modality {
        None => None,
        Some("audio") => Some(Modality::Audio),
        Some("text") => Some(Modality::Text),
        Some(other) => return Err(invalid(format!("modality is {other:?}; use \"audio\" or \"text\""))),
    };
    Ok(update)
}

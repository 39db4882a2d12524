mod kept;

use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

use self::kept::{Kept, Line, Read};
use crate::boundary::{Out, Place, boundary, growing};
use crate::callback::Listener;
use crate::engine::c_text;
use crate::status::Failure;
use crate::{musetalk_error, musetalk_finalizer, musetalk_status};

/// How much is logged. Passed as uint32_t.
#[repr(u32)]
pub enum musetalk_log_level {
    /// Nothing.
    Off = 0,
    /// Something failed that no caller is told of.
    Error = 1,
    /// Something is not as it should be, and work goes on.
    Warn = 2,
    /// What a user may want to know.
    Info = 3,
    /// What a developer may want to know.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// Takes one line: a musetalk_log_level, the part of the library that speaks, and UTF-8 without a line feed at its end. Both texts are
/// borrowed for the call. It may come from any thread, from several at once, while a call of yours is under way or not; it must neither
/// throw nor wait for a thread that is inside this library. What it causes this library to log is dropped.
pub type musetalk_log_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, level: u32, target: *const c_char, message: *const c_char),
>;

/// Has the library's log given to `callback`, instead of where it went before; NULL for nowhere, as at the start. Keys and what is said in
/// conversations are never logged.
///
/// Ownership: user_data is yours; finalizer, which may be NULL, is called once with it, when another callback was set and the last call of this
/// one has returned, on whichever thread that happens. It is called too when this call fails.
/// Thread safety: any thread, also from inside the callback.
/// Returns UNSUPPORTED when the program that this library is linked into has another log already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_log_set(
    level: u32,
    callback: musetalk_log_callback,
    user_data: *mut c_void,
    finalizer: musetalk_finalizer,
    error: *mut musetalk_error,
) -> musetalk_status {
    // Outside, so that it is let go with its finalizer also where the call is refused.
    let listener = Arc::new(Listener { callback, user_data, finalizer });
    boundary(error, move || {
        let level = filter(level)?;
        let level = if callback.is_some() { level } else { LevelFilter::Off };
        LOGGER.turn(level, |_before| Sink::Told(listener))?;
        Ok(musetalk_status::Ok)
    })
}

/// One line of the log, in your memory.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_log_line {
    /// sizeof(musetalk_log_line) as you compiled it.
    pub struct_size: usize,
    /// A musetalk_log_level.
    pub level: u32,
    /// How many lines before this one nobody read in time.
    pub lost: u32,
    /// The part of the library that speaks: UTF-8, NUL-terminated, cut between characters where it does not fit.
    pub target: [c_char; 64],
    /// What it says, without a line feed at its end; as above.
    pub message: [c_char; 944],
}

growing!(musetalk_log_line, message: [c_char; 944]);

/// Has the library's log kept for musetalk_log_read, instead of where it went before: for runtimes into which no thread of this library may call, such
/// as Mono, which then unloads no domain. 1024 lines wait at most; then the oldest goes. What an earlier call has kept goes along, and
/// readers of that one get CLOSED. musetalk_log_set ends it.
///
/// Thread safety: any thread.
/// Returns in log_out what musetalk_log_read is to be given. UNSUPPORTED: as for musetalk_log_set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_log_keep(
    level: u32,
    log_out: *mut u64,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let level = filter(level)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Place::new(log_out, "log_out") }?;
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        LOGGER.turn(level, |before| {
            Sink::Kept(number, Arc::new(before.map_or_else(Kept::default, Kept::after)))
        })?;
        out.write(number);
        Ok(musetalk_status::Ok)
    })
}

/// Takes the oldest line that was kept. timeout_nanos: 0 looks and returns, negative waits without limit.
///
/// Thread safety: any thread.
/// Returns TIMED_OUT: there is none. CLOSED: this log is not kept any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_log_read(
    log: u64,
    timeout_nanos: i64,
    line_out: *mut musetalk_log_line,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(line_out, "line_out") }?;
        // Not held while it waits: others may set another one.
        let Some(kept) = LOGGER.kept(log) else {
            return Err(Failure::new(musetalk_status::Closed, "this log is not kept (any more)"));
        };
        match kept.read(crate::avatar::timeout(timeout_nanos)) {
            Read::Nothing => {
                Err(Failure::new(musetalk_status::TimedOut, "the log said nothing in this time"))
            }
            Read::Over => Err(Failure::new(musetalk_status::Closed, "this log is not kept any more")),
            Read::Line(line, lost) => {
                out.write(&musetalk_log_line {
                    struct_size: 0,
                    level: line.level,
                    lost,
                    target: cut(&line.target),
                    message: cut(&line.message),
                });
                Ok(musetalk_status::Ok)
            }
        }
    })
}

/// As much of a text as fits, between characters, and a NUL at its end.
fn cut<const N: usize>(text: &str) -> [c_char; N] {
    let mut cut = [0; N];
    let end = text.floor_char_boundary(N - 1);
    for (to, byte) in cut.iter_mut().zip(text.bytes().take(end)) {
        // A NUL in the middle would hide the rest.
        *to = if byte == 0 { b' ' } else { byte } as c_char;
    }
    cut
}

fn filter(level: u32) -> crate::status::Result<LevelFilter> {
    Ok(match level {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        5 => LevelFilter::Trace,
        other => return Err(Failure::invalid(format!("`level` is {other}; it must be 0 to 5"))),
    })
}

/// Where lines go.
#[derive(Clone)]
enum Sink {
    Told(Arc<Listener<musetalk_log_callback>>),
    /// By the number that readers name it by.
    Kept(u64, Arc<Kept>),
}

struct Logger(RwLock<Option<Sink>>);

static LOGGER: Logger = Logger(RwLock::new(None));

impl Logger {
    /// From now on lines up to `level` go to what `sink` makes, which is given what was kept until now.
    fn turn(
        &self,
        level: LevelFilter,
        sink: impl FnOnce(Option<&Kept>) -> Sink,
    ) -> crate::status::Result<()> {
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        if !INSTALLED.get_or_init(|| log::set_logger(&LOGGER).is_ok()) {
            return Err(Failure::new(
                musetalk_status::Unsupported,
                "this program has a log of its own, which hears this library too",
            ));
        }
        let before = {
            let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
            // Inside the lock: of two threads that set it at once, one sets both.
            log::set_max_level(level);
            let kept = match &*current {
                Some(Sink::Kept(_, kept)) => Some(&**kept),
                _ => None,
            };
            let after = sink(kept);
            current.replace(after)
        };
        if let Some(Sink::Kept(_, kept)) = &before {
            kept.end();
        }
        // Outside the lock: its finalizer may call this function again.
        drop(before);
        Ok(())
    }

    fn kept(&self, number: u64) -> Option<Arc<Kept>> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(Sink::Kept(of, kept)) if *of == number => Some(Arc::clone(kept)),
            _ => None,
        }
    }
}

thread_local! {
    /// This thread is inside the callback.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What speaks here. Other crates are left out: below a certain level they log whole requests, keys included.
fn is_ours(target: &str) -> bool {
    ["musetalk", "realtime_client", "onnxruntime"].iter().any(|ours| target.starts_with(ours))
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if !is_ours(record.target()) || INSIDE.get() {
            return;
        }
        let sink = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let message = record.args().to_string();
        match sink {
            None => {}
            Some(Sink::Kept(_, kept)) => kept.add(Line {
                level: record.level() as u32,
                target: record.target().to_owned(),
                message: message.trim_end().to_owned(),
            }),
            Some(Sink::Told(listener)) => tell(listener, record, message.trim_end()),
        }
    }

    fn flush(&self) {}
}

fn tell(listener: Arc<Listener<musetalk_log_callback>>, record: &Record<'_>, message: &str) {
    let Some(callback) = listener.callback else { return };
    let (target, message) = (c_text(record.target()), c_text(message));
    INSIDE.set(true);
    // SAFETY: the host gave both, the texts live until it returns, and it does not unwind.
    unsafe { callback(listener.user_data, record.level() as u32, target.as_ptr(), message.as_ptr()) };
    // The finalizer runs inside too, if this is the last use.
    drop(listener);
    INSIDE.set(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        let bytes = |text: &str| cut::<6>(text).map(|byte| byte as u8);
        assert_eq!(bytes("abc"), *b"abc\0\0\0");
        assert_eq!(bytes("abcdefgh"), *b"abcde\0");
        assert_eq!(bytes("abcd\u{e4}"), *b"abcd\0\0");
        assert_eq!(bytes("a\0b"), *b"a b\0\0\0");
    }

    unsafe extern "C" fn hear(_: *mut c_void, _: u32, _: *const c_char, _: *const c_char) {}

    #[test]
    fn of_two_who_set_it_at_once_one_sets_both() {
        let set = |callback: musetalk_log_callback| {
            let null = std::ptr::null_mut();
            // SAFETY: nothing is pointed to.
            let status = unsafe { musetalk_log_set(5, callback, null, None, std::ptr::null_mut()) };
            assert_eq!(status, musetalk_status::Ok);
        };
        for _ in 0..2000 {
            std::thread::scope(|scope| {
                scope.spawn(|| set(Some(hear)));
                scope.spawn(|| set(None));
            });
            let heard =
                matches!(&*LOGGER.0.read().unwrap(), Some(Sink::Told(told)) if told.callback.is_some());
            assert_eq!(heard, log::max_level() == LevelFilter::Trace);
        }
        set(None);
    }
}

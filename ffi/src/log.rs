use std::cell::Cell;
use std::ffi::{c_char, c_void};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use log::{LevelFilter, Log, Metadata, Record};

use crate::boundary::boundary;
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
    boundary(error, || {
        let listener = Arc::new(Listener { callback, user_data, finalizer });
        let level = filter(level)?;
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        if !INSTALLED.get_or_init(|| log::set_logger(&LOGGER).is_ok()) {
            return Err(Failure::new(
                musetalk_status::Unsupported,
                "this program has a log of its own, which hears this library too",
            ));
        }
        let before = {
            let mut current = LOGGER.0.write().unwrap_or_else(PoisonError::into_inner);
            // Inside the lock: of two threads that set it at once, one sets both.
            log::set_max_level(if callback.is_some() { level } else { LevelFilter::Off });
            current.replace(listener)
        };
        // Outside the lock: its finalizer may call this function again.
        drop(before);
        Ok(musetalk_status::Ok)
    })
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

struct Logger(RwLock<Option<Arc<Listener<musetalk_log_callback>>>>);

static LOGGER: Logger = Logger(RwLock::new(None));

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
        let listener = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(listener) = listener else { return };
        let Some(callback) = listener.callback else { return };
        let (target, message) = (c_text(record.target()), c_text(record.args().to_string().trim_end()));
        INSIDE.set(true);
        // SAFETY: the host gave both, the texts live until it returns, and it does not unwind.
        unsafe { callback(listener.user_data, record.level() as u32, target.as_ptr(), message.as_ptr()) };
        // The finalizer runs inside too, if this is the last use.
        drop(listener);
        INSIDE.set(false);
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let heard = LOGGER.0.read().unwrap().as_ref().is_some_and(|listener| listener.callback.is_some());
            assert_eq!(heard, log::max_level() == LevelFilter::Trace);
        }
        set(None);
    }
}

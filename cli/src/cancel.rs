//! Ctrl-C, seen by whatever is running at the time.
//!
//! The first signal asks: the work in hand stops at its next step, removes what it had begun and returns
//! [`ErrorKind::Cancelled`]. The second one insists: the process ends at once.

use std::sync::atomic::{AtomicBool, Ordering};

use musetalk_core::{Error, ErrorKind, Result};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C and for a polite request to end. Call once, from `main`.
pub fn listen() {
    let heard = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(1);
        }
    });
    // Without a handler Ctrl-C still ends the process, only less tidily: not worth failing for.
    drop(heard);
}

/// Whether someone asked for the work to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Whether someone asked for the work to stop, and takes the request back: what follows may be cancelled again.
pub(crate) fn take() -> bool {
    REQUESTED.swap(false, Ordering::SeqCst)
}

/// Stops here when someone asked for it.
///
/// # Errors
///
/// [`ErrorKind::Cancelled`] after Ctrl-C.
pub fn check() -> Result<()> {
    if requested() { Err(cancelled()) } else { Ok(()) }
}

/// The error that a cancelled command ends with.
pub(crate) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "cancelled; nothing was left behind")
}

//! Functions of the host's that this library calls: with what, how long, and the last word.

use std::cell::Cell;
use std::ffi::c_void;

/// Told once that user_data is not used any more.
pub type musetalk_finalizer = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// A function of the host's with its data. Whoever calls it holds it, so that the finalizer comes after the last call.
pub(crate) struct Listener<F> {
    pub(crate) callback: F,
    pub(crate) user_data: *mut c_void,
    pub(crate) finalizer: musetalk_finalizer,
}

// SAFETY: the pointer is only handed to functions that the host has said may be called from any thread.
unsafe impl<F: Send> Send for Listener<F> {}
// SAFETY: as above, and by several at once.
unsafe impl<F: Sync> Sync for Listener<F> {}

impl<F> Drop for Listener<F> {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the host gave both, and this is the last use of either.
            unsafe { finalizer(self.user_data) };
        }
    }
}

thread_local! {
    /// This thread is inside a function of the host's from where this library may not be called.
    static BARRED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call` while every function that returns a status refuses to work on this thread.
pub(crate) fn barred<R>(call: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            BARRED.set(self.0);
        }
    }
    let _before = Before(BARRED.replace(true));
    call()
}

pub(crate) fn is_barred() -> bool {
    BARRED.get()
}

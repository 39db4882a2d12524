use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::avatar::AVATARS;
use crate::boundary::boundary;
use crate::callback::{Listener, barred};
use crate::realtime::CONVERSATIONS;
use crate::{musetalk_avatar, musetalk_conversation, musetalk_error, musetalk_finalizer, musetalk_status};

/// Something may be there to be read. It comes from the thread that makes the frames of all avatars, or that holds the conversations, or from a
/// call of yours, from several at once: set a flag or an event, and return. Every function that returns a status returns INVALID_INPUT
/// inside of it, frees and releases too, and it must not throw.
pub type musetalk_wake_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Has `callback` called whenever there may be something new for musetalk_avatar_acquire_next: a frame, the end of an utterance, the end of the
/// session. For hosts that wait for many things at once: they then acquire with a timeout of 0 until TIMED_OUT. It replaces the one before; NULL
/// for none. It is called once from inside this call, so that nothing that came before is missed, and from inside musetalk_avatar_close.
///
/// Ownership: user_data is yours; finalizer, which may be NULL, is called once with it, when another callback was set or the avatar was freed, and the
/// last call of this one has returned, on whichever thread that happens. It is called too when this call fails. What holds for the callback holds for it:
/// it cannot free or release anything of this library, so user_data must own no such thing.
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_set_wake(
    avatar: *const musetalk_avatar,
    callback: musetalk_wake_callback,
    user_data: *mut c_void,
    finalizer: musetalk_finalizer,
    error: *mut musetalk_error,
) -> musetalk_status {
    let listener = Listener { callback, user_data, finalizer };
    boundary(error, move || {
        // One that is refused is dropped here, with its finalizer, as one that is replaced is.
        AVATARS.hold(avatar as u64).inspect(|face| face.bell.set(listener)).map(|_| musetalk_status::Ok)
    })
}

/// Has `callback` called whenever there may be an event for musetalk_conversation_acquire_event, which is then called with a timeout of 0 until
/// TIMED_OUT or END_OF_CONVERSATION. All else is as with musetalk_avatar_set_wake.
///
/// Ownership: user_data is yours; finalizer, which may be NULL, is called once with it, when another callback was set or the conversation was freed, and
/// the last call of this one has returned, on whichever thread that happens. It is called too when this call fails.
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_conversation_set_wake(
    conversation: *const musetalk_conversation,
    callback: musetalk_wake_callback,
    user_data: *mut c_void,
    finalizer: musetalk_finalizer,
    error: *mut musetalk_error,
) -> musetalk_status {
    let listener = Listener { callback, user_data, finalizer };
    boundary(error, move || {
        CONVERSATIONS
            .hold(conversation as u64)
            .inspect(|talk| talk.set_wake(listener))
            .map(|_| musetalk_status::Ok)
    })
}

pub(crate) type Waker = Listener<musetalk_wake_callback>;

/// Who is told of news. Shared with the thread that has them.
#[derive(Default)]
pub(crate) struct Bell(Mutex<State>);

#[derive(Default)]
struct State {
    listener: Option<Arc<Waker>>,
    /// Nobody is told any more.
    gone: bool,
}

impl Bell {
    /// Tells this one from now on, and at once.
    pub(crate) fn set(&self, listener: Waker) {
        let listener = Arc::new(listener);
        let before = {
            let mut state = self.lock();
            // One that comes when all is over is let go without a word.
            if state.gone { Some(listener) } else { state.listener.replace(listener) }
        };
        // Outside the lock: it may be the last use, and the host's to be told.
        barred(|| drop(before));
        self.ring();
    }

    /// There may be news.
    pub(crate) fn ring(&self) {
        let listener = self.lock().listener.clone();
        let Some(listener) = listener else { return };
        barred(|| {
            if let Some(callback) = listener.callback {
                // SAFETY: the host gave both, and the finalizer has not been called: it comes when the last holder drops the listener.
                unsafe { callback(listener.user_data) };
            }
            drop(listener);
        });
    }

    /// Lets go of the host, for good.
    pub(crate) fn end(&self) {
        let before = {
            let mut state = self.lock();
            state.gone = true;
            state.listener.take()
        };
        barred(|| drop(before));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    #[derive(Default)]
    struct Host {
        calls: AtomicU32,
        ends: AtomicU32,
        after_the_end: AtomicU32,
    }

    unsafe extern "C" fn called(data: *mut c_void) {
        // SAFETY: the tests below give a `Host` that lives as long as they do.
        let host = unsafe { &*data.cast::<Host>() };
        host.calls.fetch_add(1, SeqCst);
        host.after_the_end.fetch_add(host.ends.load(SeqCst), SeqCst);
        assert_eq!(boundary(std::ptr::null_mut(), || Ok(musetalk_status::Ok)), musetalk_status::InvalidInput);
    }

    unsafe extern "C" fn ended(data: *mut c_void) {
        // SAFETY: as above.
        unsafe { &*data.cast::<Host>() }.ends.fetch_add(1, SeqCst);
    }

    fn listener(host: &Host) -> Waker {
        Listener {
            callback: Some(called),
            user_data: std::ptr::from_ref(host).cast_mut().cast(),
            finalizer: Some(ended),
        }
    }

    #[test]
    fn it_is_told_at_once_and_ends_once() {
        let (bell, host, next) = (Bell::default(), Host::default(), Host::default());
        bell.ring();
        bell.set(listener(&host));
        bell.ring();
        assert_eq!((host.calls.load(SeqCst), host.ends.load(SeqCst)), (2, 0));
        bell.set(listener(&next));
        bell.ring();
        assert_eq!((host.calls.load(SeqCst), host.ends.load(SeqCst)), (2, 1));
        bell.end();
        bell.ring();
        assert_eq!((next.calls.load(SeqCst), next.ends.load(SeqCst)), (2, 1));
        let late = Host::default();
        bell.set(listener(&late));
        assert_eq!((late.calls.load(SeqCst), late.ends.load(SeqCst)), (0, 1));
        assert_eq!(boundary(std::ptr::null_mut(), || Ok(musetalk_status::Ok)), musetalk_status::Ok);
    }

    #[test]
    fn no_call_comes_after_the_end() {
        for _ in 0..300 {
            let (bell, host) = (Bell::default(), Host::default());
            bell.set(listener(&host));
            std::thread::scope(|scope| {
                scope.spawn(|| (0..50).for_each(|_| bell.ring()));
                scope.spawn(|| (0..50).for_each(|_| bell.ring()));
                scope.spawn(|| bell.end());
            });
            assert_eq!((host.ends.load(SeqCst), host.after_the_end.load(SeqCst)), (1, 0));
        }
    }
}

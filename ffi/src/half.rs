//! One end of a session, owned by one thread at a time. C has no borrow checker, so two threads in the same end is reported as an
//! error instead of being undefined behaviour.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::status::{Failure, Result};

pub(crate) struct Half<T> {
    busy: AtomicBool,
    /// What a second thread is told.
    two: &'static str,
    value: UnsafeCell<T>,
}

// SAFETY: `value` is reached only through a `Guard`, and `busy` lets one `Guard` live at a time.
unsafe impl<T: Send> Sync for Half<T> {}

pub(crate) struct Guard<'a, T>(&'a Half<T>);

impl<T> Half<T> {
    /// `two` is the sentence for a second thread.
    pub(crate) fn new(value: T, two: &'static str) -> Self {
        Self { busy: AtomicBool::new(false), two, value: UnsafeCell::new(value) }
    }

    /// The end, unless another thread is in it.
    pub(crate) fn enter(&self) -> Result<Guard<'_, T>> {
        if self.busy.swap(true, Ordering::Acquire) {
            return Err(Failure::invalid(self.two));
        }
        Ok(Guard(self))
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this is the only guard.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only guard, and it is borrowed mutably.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_is_let_in() {
        let half = Half::new(0_u64, "two at once");
        let entered: u64 = std::thread::scope(|scope| {
            let work =
                || (0..10_000).filter(|_| half.enter().map(|mut count| *count += 1).is_ok()).count() as u64;
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(*half.enter().unwrap(), entered);
        let inside = half.enter().unwrap();
        assert!(half.enter().is_err());
        drop(inside);
        assert!(half.enter().is_ok());
    }
}

//! The atomics and rings of the hand-over. In tests every operation on them is a point where another thread may go first,
//! so that a scheduler can try the orders that a machine seldom takes.

#[cfg(not(test))]
pub(super) use std::sync::atomic::{AtomicBool, AtomicU64};

#[cfg(not(test))]
pub(super) use rtrb::{Consumer, Producer, RingBuffer};

#[cfg(test)]
pub(super) use modelled::{AtomicBool, AtomicU64, Consumer, Producer, RingBuffer};

/// Both ends of a ring for `capacity` things, which one thread writes and another reads.
pub(super) fn ring<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    RingBuffer::new(capacity)
}

#[cfg(test)]
pub(super) use modelled::under_model;

#[cfg(test)]
mod modelled {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    use rtrb::chunks::{ChunkError, ReadChunk};
    use rtrb::{PeekError, PopError, PushError};

    thread_local! {
        /// The scheduler runs all threads of a model on the thread that asked for it.
        static UNDER_MODEL: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs one execution of a model: every operation below may be followed by those of another thread.
    pub(in crate::session) fn under_model(model: impl FnOnce()) {
        struct Reset;
        impl Drop for Reset {
            fn drop(&mut self) {
                UNDER_MODEL.set(false);
            }
        }
        UNDER_MODEL.set(true);
        let _reset = Reset;
        model();
    }

    fn step() {
        if UNDER_MODEL.get() && !std::thread::panicking() {
            shuttle::thread::yield_now();
        }
    }

    #[derive(Debug)]
    pub(in crate::session) struct AtomicBool(std::sync::atomic::AtomicBool);

    impl AtomicBool {
        pub(in crate::session) fn new(value: bool) -> Self {
            Self(value.into())
        }

        pub(in crate::session) fn load(&self, order: Ordering) -> bool {
            step();
            self.0.load(order)
        }

        pub(in crate::session) fn store(&self, value: bool, order: Ordering) {
            step();
            self.0.store(value, order);
        }
    }

    #[derive(Debug)]
    pub(in crate::session) struct AtomicU64(std::sync::atomic::AtomicU64);

    impl AtomicU64 {
        pub(in crate::session) fn new(value: u64) -> Self {
            Self(value.into())
        }

        pub(in crate::session) fn load(&self, order: Ordering) -> u64 {
            step();
            self.0.load(order)
        }

        pub(in crate::session) fn store(&self, value: u64, order: Ordering) {
            step();
            self.0.store(value, order);
        }

        pub(in crate::session) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
            step();
            self.0.fetch_add(value, order)
        }

        pub(in crate::session) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
            step();
            self.0.fetch_max(value, order)
        }
    }

    pub(in crate::session) struct RingBuffer;

    impl RingBuffer {
        #[expect(clippy::new_ret_no_self, reason = "it stands for that of rtrb")]
        pub(in crate::session) fn new<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
            let (producer, consumer) = rtrb::RingBuffer::new(capacity);
            (Producer(producer), Consumer(consumer))
        }
    }

    #[derive(Debug)]
    pub(in crate::session) struct Producer<T>(rtrb::Producer<T>);

    impl<T> Producer<T> {
        pub(in crate::session) fn slots(&self) -> usize {
            step();
            self.0.slots()
        }

        pub(in crate::session) fn push(&mut self, value: T) -> Result<(), PushError<T>> {
            step();
            self.0.push(value)
        }

        pub(in crate::session) fn push_entire_slice(&mut self, slice: &[T]) -> Result<(), ChunkError>
        where
            T: Copy,
        {
            step();
            self.0.push_entire_slice(slice)
        }

        pub(in crate::session) fn is_abandoned(&self) -> bool {
            step();
            self.0.is_abandoned()
        }
    }

    #[derive(Debug)]
    pub(in crate::session) struct Consumer<T>(rtrb::Consumer<T>);

    impl<T> Consumer<T> {
        pub(in crate::session) fn slots(&self) -> usize {
            step();
            self.0.slots()
        }

        pub(in crate::session) fn is_empty(&self) -> bool {
            step();
            self.0.is_empty()
        }

        pub(in crate::session) fn peek(&self) -> Result<&T, PeekError> {
            step();
            self.0.peek()
        }

        pub(in crate::session) fn pop(&mut self) -> Result<T, PopError> {
            step();
            self.0.pop()
        }

        pub(in crate::session) fn read_chunk(
            &mut self,
            count: usize,
        ) -> Result<ReadChunk<'_, T>, ChunkError> {
            step();
            self.0.read_chunk(count)
        }
    }
}

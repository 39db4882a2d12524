//! From threads of the library to event loops of Python.
//!
//! Who rings stands on a thread that must not wait for the interpreter: the one that infers, or one that holds a session. So a thread
//! that does nothing else carries the news over.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::task::Wake;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Something that tasks wait for. Rung from any thread; whoever is woken looks for himself.
#[derive(Default)]
pub(crate) struct Signal {
    rung: AtomicBool,
    waiters: Mutex<Vec<Waiter>>,
}

/// A future of an event loop.
struct Waiter {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
}

impl Waiter {
    /// Nobody has cancelled it.
    fn waits(&self, py: Python<'_>) -> bool {
        let done = self.future.bind(py).call_method0("done").and_then(|done| done.is_truthy());
        !done.unwrap_or(true)
    }
}

impl Signal {
    /// There is news. Never blocks, never waits for the interpreter.
    pub(crate) fn ring(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        if !lock(&self.waiters).is_empty() {
            Carrier::carry(Arc::clone(self));
        }
    }

    /// Forgets what was rung. To be called before looking, so that what is rung while one looks is not lost.
    pub(crate) fn hush(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }

    /// A future of the running loop that is done at the next ring; at once if one came since [`hush`](Self::hush). Those that nobody waits for
    /// any more, because their tasks were cancelled, are forgotten here: there are never more than tasks that wait, and one.
    pub(crate) fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = running_loop(py)?;
        let future = event_loop.call_method0("create_future")?;
        let waiter = Waiter { event_loop: event_loop.unbind(), future: future.clone().unbind() };
        // Asked without the lock: who rings must not wait for Python.
        let mut waiters = std::mem::take(&mut *lock(&self.waiters));
        waiters.retain(|waiter| waiter.waits(py));
        waiters.push(waiter);
        lock(&self.waiters).append(&mut waiters);
        // What was rung while nobody was there to be woken.
        if self.rung.load(Ordering::SeqCst) {
            self.deliver(py);
        }
        Ok(future)
    }

    /// For Python's collector: a task that waits may hold what rings. Whoever rings this moment has the lock, and the collector comes again.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(waiters) = self.waiters.try_lock() else { return Ok(()) };
        for Waiter { event_loop, future } in &*waiters {
            visit.call(event_loop)?;
            visit.call(future)?;
        }
        Ok(())
    }

    /// Lets go of whoever waits, for the collector.
    pub(crate) fn forget(&self) {
        let waiters = std::mem::take(&mut *lock(&self.waiters));
        drop(waiters);
    }

    /// Wakes who waits, in their own loops.
    fn deliver(&self, py: Python<'_>) {
        let waiters = std::mem::take(&mut *lock(&self.waiters));
        for Waiter { event_loop, future } in waiters {
            let told = resolve(py).and_then(|resolve| {
                event_loop.bind(py).call_method1("call_soon_threadsafe", (resolve, future))
            });
            // A loop that was closed has nobody who waits.
            drop(told);
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let import = || PyResult::Ok(py.import("asyncio")?.getattr("get_running_loop")?.unbind());
    RUNNING.get_or_try_init(py, import)?.bind(py).call0()
}

/// Ends a future, unless its task was cancelled meanwhile.
fn resolve(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RESOLVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let import = || PyResult::Ok(py.import("musetalk._async")?.getattr("resolve")?.unbind());
    Ok(RESOLVE.get_or_try_init(py, import)?.bind(py).clone())
}

/// The thread that waits for the interpreter in the place of others.
#[derive(Default)]
struct Carrier {
    /// Each signal at most once: as many as there are tasks that wait.
    rung: Mutex<VecDeque<Arc<Signal>>>,
    more: Condvar,
}

static CARRIER: Carrier = Carrier { rung: Mutex::new(VecDeque::new()), more: Condvar::new() };

impl Carrier {
    fn carry(signal: Arc<Signal>) {
        static START: Once = Once::new();
        START.call_once(|| {
            let thread = std::thread::Builder::new().name("musetalk-wake".to_owned());
            // Without it nothing is woken; asking again is all that a task can do, and threads are out in any case.
            drop(thread.spawn(|| CARRIER.run()));
        });
        let mut rung = lock(&CARRIER.rung);
        if !rung.iter().any(|other| Arc::ptr_eq(other, &signal)) {
            rung.push_back(signal);
            CARRIER.more.notify_one();
        }
    }

    fn run(&self) {
        loop {
            let mut rung = lock(&self.rung);
            while rung.is_empty() {
                rung = self.more.wait(rung).unwrap_or_else(PoisonError::into_inner);
            }
            let signals = std::mem::take(&mut *rung);
            drop(rung);
            // An interpreter that ends takes no news; nor will it again.
            let told = Python::try_attach(|py| signals.iter().for_each(|signal| signal.deliver(py)));
            if told.is_none() {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! How far a build has come, and the caller's way to stop it.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use musetalk_core::{Error, ErrorKind, Result};

/// One report of a build that goes on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// What is being done, for a person: `"generator"`, `"checking weights"`.
    pub step: &'a str,
    /// Bytes of weights of this step dealt with so far, never more than `total`.
    pub done: u64,
    /// Bytes of weights that this step deals with; the same in every report of a step.
    pub total: u64,
}

/// What a build calls while it works. `Break` ends the build with `Cancelled` and leaves nothing behind.
pub(crate) type Callback<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'a;

/// Told of every tensor that was read; refuses to go on when the caller wants no more.
pub(crate) trait Advance {
    fn advance(&self, bytes: u64) -> Result<()>;
}

/// Counts bytes and asks the caller whether to go on.
pub(crate) struct Reporter<'a> {
    callback: RefCell<&'a mut Callback<'a>>,
    step: Cell<&'static str>,
    done: Cell<u64>,
    total: Cell<u64>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(callback: &'a mut Callback<'a>) -> Self {
        Self {
            callback: RefCell::new(callback),
            step: Cell::new(""),
            done: Cell::new(0),
            total: Cell::new(0),
        }
    }

    /// Begins a step that deals with `bytes` of weights. The one before it is complete.
    pub(crate) fn step(&self, step: &'static str, bytes: u64) -> Result<()> {
        self.finish()?;
        self.step.set(step);
        self.done.set(0);
        self.total.set(bytes);
        self.report()
    }

    /// Completes the step: layers may share a tensor, or leave one out.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.done.replace(self.total.get()) < self.total.get() { self.report() } else { Ok(()) }
    }

    fn report(&self) -> Result<()> {
        let report = Progress { step: self.step.get(), done: self.done.get(), total: self.total.get() };
        match (self.callback.borrow_mut())(report) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "the build was cancelled")),
        }
    }
}

impl Advance for Reporter<'_> {
    fn advance(&self, bytes: u64) -> Result<()> {
        self.done.set(self.done.get().saturating_add(bytes).min(self.total.get()));
        self.report()
    }
}

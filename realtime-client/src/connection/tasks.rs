//! The runtime: one for the whole process, started on first use, so that hosts need none of their own.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::{Error, ErrorKind, Result};

/// Threads that serve all connections of the process. A connection needs microseconds a second.
const THREADS: usize = 2;

/// A future of any kind.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::result::Result<Runtime, String>> = OnceLock::new();
    let start = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(THREADS).thread_name("realtime").enable_all();
        builder.build().map_err(|e| e.to_string())
    };
    RUNTIME.get_or_init(start).as_ref().map_err(|why| {
        Error::new(ErrorKind::Internal, format!("the threads for connections could not be started: {why}"))
    })
}

/// Runs it on the crate's threads.
pub(crate) fn spawn(future: Boxed<()>) -> Result<()> {
    runtime()?.spawn(future);
    Ok(())
}

/// Runs what may block, on a thread of its own.
pub(crate) fn spawn_blocking(work: Box<dyn FnOnce() + Send>) -> Result<()> {
    runtime()?.spawn_blocking(work);
    Ok(())
}

/// `None` when it took longer.
pub(crate) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(time, future).await.ok()
}

//! ONNX Runtime's telemetry: off, before the library is loaded.
//!
//! From 1.29 on, the builds that its makers publish for Linux and macOS keep an identifier of the device and a data base below the user's
//! cache folder, and send what process, model and machine they run in to a collector. The switch of its interface
//! (`DisableTelemetryEvents`) needs an environment, and by then both files are written and the first event is queued. Only the variable that it
//! reads while it is loaded stops all of it.

/// What it reads. Set by the host to anything, also to 0, it is the host's word and stays.
const SWITCH: &str = "ORT_DISABLE_TELEMETRY";

/// Has ONNX Runtime, which must not be loaded yet, keep no files and send nothing.
pub(super) fn silence() {
    if std::env::var_os(SWITCH).is_some() {
        return;
    }
    // SAFETY: What reads the environment through Rust's standard library waits; on Windows everything does, and so it does with the C library of
    // macOS and with glibc from 2.41 on. With an older one, a `getenv` in C on another thread that runs in this very moment could read a list
    // that is being replaced; it happens once in a process, while it loads its first engine, and a host that cannot exclude it sets the variable
    // itself before it starts threads, as SECURITY.md says. No safe way exists: nothing else than the environment is asked.
    unsafe { std::env::set_var(SWITCH, "1") };
}

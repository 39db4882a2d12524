//! The clock, and with the feature `device-audio` the microphone and the loudspeaker.

#[cfg(feature = "device-audio")]
mod devices;
#[cfg(not(feature = "device-audio"))]
mod none;

#[cfg(feature = "device-audio")]
pub(super) use devices::Devices;
#[cfg(not(feature = "device-audio"))]
pub(super) use none::Devices;

/// Sleeps until then.
fn sleep_until(due: std::time::Instant) {
    std::thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
}

use super::{AVATARS, musetalk_avatar, nanos};
use crate::boundary::{Out, boundary, growing};
use crate::{musetalk_error, musetalk_status};

/// What a session has done so far. A snapshot: its numbers may be a frame apart from each other.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_stats {
    /// sizeof(musetalk_stats) as you compiled it.
    pub struct_size: usize,
    /// Frames that went through the networks.
    pub made: u64,
    /// Speech frames that needed no network, because there was silence.
    pub still: u64,
    /// Frames handed to you, idle ones included.
    pub shown: u64,
    /// Frames never made, because they would have been late.
    pub skipped: u64,
    /// Frames made but overtaken before you asked.
    pub late: u64,
    /// Periods of acquire_paced in which an utterance had no frame ready.
    pub under_runs: u64,
    /// Half of the frames were ready within this time after their audio was in, rounded up to a power of two milliseconds.
    pub latency_p50_nanos: i64,
    /// 99 of 100 were.
    pub latency_p99_nanos: i64,
    /// One call on average: resampling, spectrum, gate.
    pub listen_nanos: i64,
    /// The audio encoder.
    pub hear_nanos: i64,
    /// The generator.
    pub generate_nanos: i64,
    /// The decoder.
    pub decode_nanos: i64,
    /// Resizing, blending and copying, on your thread.
    pub compose_nanos: i64,
}

growing!(musetalk_stats, compose_nanos: i64);

/// What this session has done so far. Reads a few numbers.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_avatar_stats(
    avatar: *const musetalk_avatar,
    stats_out: *mut musetalk_stats,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let face = AVATARS.hold(avatar as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(stats_out, "stats_out") }?;
        let stats = face.interrupter.stats();
        out.write(&musetalk_stats {
            struct_size: 0,
            made: stats.made,
            still: stats.still,
            shown: stats.shown,
            skipped: stats.skipped,
            late: stats.late,
            under_runs: stats.under_runs,
            latency_p50_nanos: nanos(stats.latency(0.5)),
            latency_p99_nanos: nanos(stats.latency(0.99)),
            listen_nanos: nanos(stats.listen.mean()),
            hear_nanos: nanos(stats.hear.mean()),
            generate_nanos: nanos(stats.generate.mean()),
            decode_nanos: nanos(stats.decode.mean()),
            compose_nanos: nanos(stats.compose.mean()),
        });
        Ok(musetalk_status::Ok)
    })
}

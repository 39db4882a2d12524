//! When to try again: a schedule and nothing else.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(500);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(8);

/// The pause before attempt `attempt`, counted from 0, without jitter: half a second, doubled up to eight.
pub(crate) fn nominal(attempt: u32) -> Duration {
    FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST)
}

/// The pause with jitter: between three quarters and all of the nominal one, so that clients that lost the same server do not
/// come back together. `chance` is any number.
pub(crate) fn pause(attempt: u32, chance: u64) -> Duration {
    let nominal = nominal(attempt);
    let quarter = nominal / 4;
    let share = u32::try_from(chance % 1024).unwrap_or(0);
    nominal - quarter * share / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_eight_seconds_and_never_overflow() {
        let millis: Vec<u128> = (0..7).map(|attempt| nominal(attempt).as_millis()).collect();
        assert_eq!(millis, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(nominal(u32::MAX), LONGEST);
    }

    #[test]
    fn jitter_takes_at_most_a_quarter() {
        for attempt in 0..6 {
            for chance in [0, 1, 511, 1023, u64::MAX] {
                let pause = pause(attempt, chance);
                assert!(pause <= nominal(attempt) && pause >= nominal(attempt) * 3 / 4);
            }
        }
        assert_ne!(pause(3, 0), pause(3, 1000));
    }
}

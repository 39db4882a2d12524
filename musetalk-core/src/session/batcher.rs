//! PURE. Which frames share the next device call: those that are due first.

use std::time::Duration;

/// A frame that could be made now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Candidate {
    /// Whose it is.
    pub(crate) session: usize,
    /// How long its reader can go on without it.
    pub(crate) slack: Duration,
    /// When its session was last served, as a count of calls: breaks ties in turn.
    pub(crate) served: u64,
}

/// Moves the frames of the next call to the front, most urgent first; how many they are.
///
/// Nothing waits for company: what could be made now is all that is considered. `buckets` are the batch sizes that the
/// device runs well, ascending, the first of them 1; the largest that can be filled is used.
pub(crate) fn choose(candidates: &mut [Candidate], buckets: &[usize]) -> usize {
    candidates.sort_unstable_by_key(|candidate| (candidate.slack, candidate.served, candidate.session));
    buckets.iter().copied().filter(|&bucket| bucket <= candidates.len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(session: usize, millis: u64, served: u64) -> Candidate {
        Candidate { session, slack: Duration::from_millis(millis), served }
    }

    #[test]
    fn the_earliest_deadline_goes_first_and_ties_take_turns() {
        let mut candidates = [candidate(0, 80, 1), candidate(1, 40, 9), candidate(2, 40, 3)];
        assert_eq!(choose(&mut candidates, &[1]), 1);
        assert_eq!(candidates[0].session, 2);
    }

    #[test]
    fn a_call_is_as_large_as_a_bucket_that_can_be_filled() {
        let mut candidates: Vec<Candidate> = (0..5).map(|session| candidate(session, 0, 0)).collect();
        assert_eq!(choose(&mut candidates, &[1, 2, 4, 8]), 4);
        assert_eq!(choose(&mut candidates[..1], &[1, 2, 4, 8]), 1);
        assert_eq!(choose(&mut [], &[1, 2]), 0);
    }
}

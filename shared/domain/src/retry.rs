//! How long to wait before the next try; the dice are thrown by the caller.

use std::time::Duration;

/// First wait of the queue's back-off.
const FIRST: Duration = Duration::from_secs(2);
/// Longest wait of the queue's back-off.
const CEILING: Duration = Duration::from_secs(15 * 60);
/// Longest quick wait inside one invocation.
const QUICK_CEILING: Duration = Duration::from_secs(30);
/// Tries inside one invocation, the first included.
pub const QUICK_TRIES: u32 = 3;

/// Wait before a message is seen again: full jitter under 2 s doubling to 15 min. `receive` counts from 1; `dice` is
/// any random number.
#[must_use]
pub fn queue_wait(receive: u32, dice: u64) -> Duration {
    jitter(under(receive, CEILING), dice)
}

/// Wait before a quick repeat inside one invocation: 2, 4, 8 s with jitter in the upper half. `retry` counts from 1.
#[must_use]
pub fn quick_wait(retry: u32, dice: u64) -> Duration {
    let top = under(retry, QUICK_CEILING);
    top / 2 + jitter(top / 2, dice)
}

fn under(nth: u32, ceiling: Duration) -> Duration {
    FIRST.saturating_mul(1 << nth.saturating_sub(1).min(20)).min(ceiling)
}

/// At least one second, because queues count in whole seconds and a wait of none is a busy loop.
fn jitter(top: Duration, dice: u64) -> Duration {
    let span = u64::try_from(top.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(dice % span).max(Duration::from_secs(1)).min(top.max(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_ceiling() {
        let longest = |n| (0..4000).map(|d| queue_wait(n, d * 997).as_secs()).max().unwrap();
        assert!(longest(1) < 2 + 1);
        assert!((7..=8).contains(&longest(3)));
        assert!(queue_wait(30, u64::MAX) <= CEILING);
        assert!(quick_wait(1, 0) >= Duration::from_secs(1));
        assert!(quick_wait(99, u64::MAX) <= QUICK_CEILING);
    }
}

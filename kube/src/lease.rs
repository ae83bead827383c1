//! Who leads, as a pure function of what is seen of the Lease.
//!
//! A Lease is taken over when it has not changed for its duration *by our own clock*: the times in it come from the clocks
//! of others, which may be wrong. It is written with the resourceVersion that was read, so of two that take it one fails.

use quotree_core::Time;

/// How long a Lease is good, seconds, and so how long it must stand still before another takes it.
pub const DURATION_S: i32 = 15;
/// The leader sends nothing later than this after it sent its last successful renewal, milliseconds. It is less than
/// the duration, so it has stopped before another starts.
pub const DEADLINE_MS: u64 = 10_000;
/// How often the Lease is renewed or looked at, milliseconds.
pub const RETRY_MS: u64 = 2000;

/// What matters of a Lease.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeaseFacts {
    /// `metadata.resourceVersion`.
    pub version: String,
    /// `spec.holderIdentity`; empty if it was released.
    pub holder: String,
    /// `spec.leaseDurationSeconds`, as milliseconds.
    pub duration_ms: u64,
    /// `spec.leaseTransitions`.
    pub transitions: i32,
}

/// What to do about the Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is none: create it.
    Create,
    /// It is ours: renew it.
    Renew,
    /// It is free, or its holder has not renewed it: take it.
    Take,
    /// Another holds it, and it may be taken at this time if it does not change until then.
    Wait(Time),
}

/// What was seen of the Lease.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    /// The version, and since when it stands.
    last: Option<(String, Time)>,
}

impl Observer {
    /// What to do, where `me` is our identity, which no other process ever has.
    pub fn evaluate(&mut self, me: &str, lease: Option<&LeaseFacts>, now: Time) -> Step {
        let Some(lease) = lease else { return Step::Create };
        if lease.holder == me {
            return Step::Renew;
        }
        if lease.holder.is_empty() {
            return Step::Take;
        }
        let since = match &self.last {
            Some((version, since)) if *version == lease.version => *since,
            _ => now,
        };
        self.last = Some((lease.version.clone(), since));
        let free = since.after_ms(lease.duration_ms);
        if free <= now { Step::Take } else { Step::Wait(free) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(version: &str, holder: &str) -> LeaseFacts {
        LeaseFacts { version: version.into(), holder: holder.into(), duration_ms: 15_000, transitions: 0 }
    }

    #[test]
    fn a_lease_is_taken_when_it_stood_still_by_our_clock() {
        let mut observer = Observer::default();
        let mut at = |ms: u64, lease: Option<LeaseFacts>| observer.evaluate("me", lease.as_ref(), Time(ms));
        assert_eq!(at(0, None), Step::Create);
        assert_eq!(at(100, Some(lease("1", "other"))), Step::Wait(Time(15_100)), "however old the times in it are");
        assert_eq!(at(10_000, Some(lease("2", "other"))), Step::Wait(Time(25_000)), "it was renewed");
        assert_eq!(at(24_999, Some(lease("2", "other"))), Step::Wait(Time(25_000)));
        assert_eq!(at(25_000, Some(lease("2", "other"))), Step::Take);
        assert_eq!(at(25_001, Some(lease("3", "third"))), Step::Wait(Time(40_001)), "another was faster");
        assert_eq!(at(25_002, Some(lease("4", ""))), Step::Take, "it was released");
        assert_eq!(at(25_003, Some(lease("5", "me"))), Step::Renew);
    }

    #[test]
    fn the_old_leader_stops_before_the_new_one_starts() {
        // The renewal reaches the API server after it was sent, and is seen after that.
        let (sent, seen) = (Time(0), Time(1));
        let stops = sent.after_ms(DEADLINE_MS);
        let starts = seen.after_ms(u64::try_from(DURATION_S).unwrap() * 1000);
        assert!(starts.since(stops) >= 5000, "room for the slowest write in flight to end");
    }
}

//! Workloads of which a bind failed wait for a while before they are tried again (E6).

use crate::scheduler::{
    cluster::Cluster,
    state::{BackOff, WorkloadSlot},
};

/// The longest wait, as a multiple of the first.
const LONGEST: u64 = 10;

/// Starts the clocks of workloads of which a bind failed, and puts those into the queue again that have waited long
/// enough. Events have no time, so a clock starts with the first decision after the event.
pub(super) fn end_overdue(cluster: &mut Cluster) {
    let Some(first) = cluster.policy.bind_back_off_ms else { return };
    let now = cluster.now;
    for id in cluster.backing_off.take_begun() {
        let Some(slot) = cluster.workloads.slot(id) else { continue };
        let workload = cluster.workloads.at_mut(slot);
        if workload.backs_off == BackOff::Begins {
            let until = now.after_ms(wait(first, workload.failed_binds));
            workload.backs_off = BackOff::Until(until);
            cluster.timers.insert(until);
            cluster.backing_off.wait(until, id);
        }
    }
    while let Some((until, id)) = cluster.backing_off.pop_ended(now) {
        let waits = |slot: &WorkloadSlot| cluster.workloads.at(*slot).backs_off == BackOff::Until(until);
        if let Some(slot) = cluster.workloads.slot(id).filter(waits) {
            cluster.workloads.at_mut(slot).backs_off = BackOff::Over;
            cluster.requeue_if_changed(slot);
        }
    }
}

/// How long a workload waits of which so many binds failed in a row.
fn wait(first: u64, failures: u32) -> u64 {
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(10));
    doubled.min(first.saturating_mul(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e6_the_wait_doubles_up_to_ten_times_the_first() {
        assert_eq!([1, 2, 3, 4, 5, 60].map(|failures| wait(1000, failures)), [1000, 2000, 4000, 8000, 10_000, 10_000]);
        assert_eq!(wait(u64::MAX, 9), u64::MAX);
    }
}

//! The digest of a trace: each record as numbers of fixed width, and the sum of them all.

use super::{TraceEvent, TraceRecord};
use quotree_core::{PodId, PodOutcome, StableHasher};
use std::hash::{Hash, Hasher};

impl TraceRecord {
    /// The record as numbers of fixed width: time, kind, and the fields of the kind.
    fn numbers(&self) -> [u64; 4] {
        let pod = |p: PodId| u64::from(p.workload.0) << 32 | u64::from(p.ordinal);
        let of = |kind: u64, subject: u64, more: u64| [self.at.0, kind, subject, more];
        match self.what {
            TraceEvent::Node { node, up } => of(1, u64::from(node.0), u64::from(up)),
            TraceEvent::Cordon { node, cordoned } => of(2, u64::from(node.0), u64::from(cordoned)),
            TraceEvent::Submit { workload, pods } => of(3, u64::from(workload.0), u64::from(pods)),
            TraceEvent::Join { workload, pods } => of(4, u64::from(workload.0), u64::from(pods)),
            TraceEvent::Withdraw { workload } => of(5, u64::from(workload.0), 0),
            // The node shares a number with the kind, since devices take a whole one.
            TraceEvent::Bind { pod: p, node, devices } => of(6 | u64::from(node.0) << 8, pod(p), devices.0),
            TraceEvent::Bound { pod: p } => of(7, pod(p), 0),
            TraceEvent::Evict { pod: p, rule, cause } => {
                let mut hasher = StableHasher::default();
                rule.hash(&mut hasher);
                of(8 | hasher.finish() << 8, pod(p), cause.map_or(u64::MAX, |c| u64::from(c.0)))
            }
            TraceEvent::Gone { pod: p, outcome } => of(9, pod(p), outcome_number(outcome)),
            TraceEvent::Hold { workload, victims } => of(10, u64::from(workload.0), u64::from(victims)),
            TraceEvent::Release { workload } => of(11, u64::from(workload.0), 0),
            TraceEvent::Tree { refused } => of(12, u64::from(refused.is_some()), 0),
            TraceEvent::Budget { allowed } => of(13, u64::from(allowed), 0),
            TraceEvent::BindFailed { pod: p } => of(14, pod(p), 0),
            TraceEvent::LostEviction { pod: p } => of(15, pod(p), 0),
            TraceEvent::RefusedEviction { pod: p } => of(18, pod(p), 0),
            TraceEvent::EvictionFailed { pod: p } => of(19, pod(p), 0),
            TraceEvent::Evictable { workload } => of(22, u64::from(workload.0), 0),
            TraceEvent::Restart => of(68, 0, 0),
            TraceEvent::People => of(16, 0, 0),
            TraceEvent::Refused { refusal } => of(17, u64::from(refusal), 0),
            TraceEvent::Drain { node, begins, left } => {
                of(60 | u64::from(begins) << 8, u64::from(node.0), u64::from(left))
            }
            TraceEvent::ToldToGo { pod: p, node } => of(61, pod(p), u64::from(node.0)),
            TraceEvent::Edited { workload, priority, preemptible } => {
                let (given, priority) = (u64::from(priority.is_some()), priority.unwrap_or(0));
                let preemptible = preemptible.map_or(2, u64::from);
                of(66 | given << 8 | preemptible << 16, u64::from(workload.0), u64::from(priority.cast_unsigned()))
            }
            TraceEvent::Resized { pod: p, shape } => of(67, pod(p), u64::from(shape)),
            TraceEvent::NodeChanged { node } => of(62, u64::from(node.0), 0),
            TraceEvent::Slow { node, permille } => of(63, u64::from(node.0), u64::from(permille)),
            TraceEvent::QuotaOver { quota, max, estimate_ms } => {
                of(64 | u64::from(max) << 8, u64::from(quota.0), estimate_ms.unwrap_or(u64::MAX))
            }
            TraceEvent::QuotaInside { quota, max } => of(65 | u64::from(max) << 8, u64::from(quota.0), 0),
            TraceEvent::Suspend { workload } => of(20, u64::from(workload.0), 0),
            TraceEvent::LetOut { workload, tries } => of(21, u64::from(workload.0), u64::from(tries)),
            TraceEvent::Device { node, device, healthy } => {
                of(40, u64::from(node.0), u64::from(device) << 1 | u64::from(healthy))
            }
            TraceEvent::Cells { short: (size, missing) } => of(42, u64::from(size), missing),
            TraceEvent::Relabel { node, refused } => of(41, u64::from(node.0), u64::from(refused)),
            TraceEvent::Dataset { dataset, turn } => {
                let (_, number, bytes) = turn.parts();
                of(50, u64::from(dataset) << 8 | number, bytes)
            }
        }
    }
}

const fn outcome_number(outcome: PodOutcome) -> u64 {
    match outcome {
        PodOutcome::Succeeded => 0,
        PodOutcome::Failed => 1,
        PodOutcome::Evicted => 2,
        PodOutcome::Deleted => 3,
        PodOutcome::Lost => 4,
        _ => 5,
    }
}

/// The digest of a trace so far.
#[derive(Clone, Default)]
pub(crate) struct Digest(StableHasher);

impl Digest {
    pub(crate) fn add(&mut self, record: &TraceRecord) {
        let mut bytes = [0; 32];
        for (slot, number) in bytes.chunks_exact_mut(8).zip(record.numbers()) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        self.0.write(&bytes);
    }

    pub(crate) fn value(&self) -> u128 {
        self.0.digest128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::{DeviceSet, NodeId, Rule, Time, WorkloadId};

    #[test]
    fn every_field_moves_the_digest() {
        let pod = PodId { workload: WorkloadId(1), ordinal: 0 };
        let base = TraceEvent::Bind { pod, node: NodeId(1), devices: DeviceSet(1) };
        let others = [
            TraceEvent::Bind { pod: PodId { workload: WorkloadId(2), ..pod }, node: NodeId(1), devices: DeviceSet(1) },
            TraceEvent::Bind { pod: PodId { ordinal: 1, ..pod }, node: NodeId(1), devices: DeviceSet(1) },
            TraceEvent::Bind { pod, node: NodeId(2), devices: DeviceSet(1) },
            TraceEvent::Bind { pod, node: NodeId(1), devices: DeviceSet(3) },
            TraceEvent::Evict { pod, rule: Rule::R1, cause: None },
            TraceEvent::Evict { pod, rule: Rule::R2, cause: None },
            TraceEvent::Evict { pod, rule: Rule::R2, cause: Some(WorkloadId(0)) },
            TraceEvent::Gone { pod, outcome: PodOutcome::Evicted },
            TraceEvent::Gone { pod, outcome: PodOutcome::Lost },
        ];
        let digest = |at, what| {
            let mut digest = Digest::default();
            digest.add(&TraceRecord { at: Time(at), what });
            digest.value()
        };
        let mut seen = vec![digest(0, base), digest(1, base)];
        seen.extend(others.map(|what| digest(0, what)));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}

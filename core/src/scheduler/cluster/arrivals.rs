//! When workloads were evicted. A replacement counts as having arrived when the workload that it replaces was evicted
//! (H2).

use crate::api::WorkloadId;
use std::collections::BTreeMap;

/// The most entries that are kept. Most are taken within seconds, when the controller creates the replacement. The
/// entry of a workload that nobody replaces stays until later entries push it out.
const MOST: usize = 1 << 16;

/// The generations in which workloads that have ended since were evicted. At most [`MOST`]; the oldest entry goes first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals {
    /// By workload: the number of its entry, and the generation in which the workload was evicted.
    by_id: BTreeMap<WorkloadId, (u64, u64)>,
    /// The workloads by the numbers of their entries.
    in_order: BTreeMap<u64, WorkloadId>,
    next: u64,
}

impl Arrivals {
    /// Notes when a workload was evicted.
    pub(crate) fn keep(&mut self, id: WorkloadId, evicted: u64) {
        let number = self.next;
        self.next += 1;
        if let Some((earlier, _)) = self.by_id.insert(id, (number, evicted)) {
            self.in_order.remove(&earlier);
        }
        self.in_order.insert(number, id);
        if self.in_order.len() > MOST
            && let Some((_, oldest)) = self.in_order.pop_first()
        {
            self.by_id.remove(&oldest);
        }
    }

    /// Takes out when a workload was evicted, for its replacement.
    pub(crate) fn take(&mut self, id: WorkloadId) -> Option<u64> {
        let (number, evicted) = self.by_id.remove(&id)?;
        self.in_order.remove(&number);
        Some(evicted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h2_the_oldest_arrivals_are_forgotten_first() {
        let mut arrivals = Arrivals::default();
        let most = u32::try_from(MOST).unwrap();
        for id in 0..most {
            arrivals.keep(WorkloadId(id), u64::from(id) + 7);
        }
        assert_eq!(arrivals.take(WorkloadId(3)), Some(10));
        assert_eq!(arrivals.take(WorkloadId(3)), None, "it is taken once");
        // The first is kept anew and becomes the youngest; there is room for it, but not for another one.
        arrivals.keep(WorkloadId(0), 1);
        arrivals.keep(WorkloadId(most), 2);
        arrivals.keep(WorkloadId(most + 1), 3);
        assert_eq!(arrivals.take(WorkloadId(1)), None, "the oldest is gone");
        let kept = [0, 2, most, most + 1].map(|id| arrivals.take(WorkloadId(id)));
        assert_eq!(kept, [Some(1), Some(9), Some(2), Some(3)]);
        assert_eq!(arrivals.by_id.len(), arrivals.in_order.len());
    }
}

//! Quotas above their max by no decision of the scheduler: a change of the tree lowered the max (T4), or pods were
//! found there (E1). The audit tolerates this excess, and no more (I2).

use crate::{
    api::Time,
    scheduler::state::{QuotaSlot, Row, amount_of},
};
use std::collections::BTreeMap;

/// The quotas above their max by no decision of the scheduler.
#[derive(Debug, Clone, Default)]
pub(crate) struct OverMax {
    /// The time of the first decision that saw each quota above its max; none before that decision (T4). Kept only
    /// where the policy enforces a lowered max.
    pub(super) since: BTreeMap<QuotaSlot, Option<Time>>,
    /// For each of these quotas: its usage and reservations, by resource. The audit tolerates up to this much (I2). The
    /// amounts fall as pods leave.
    pub(super) excused: BTreeMap<QuotaSlot, Row>,
}

impl OverMax {
    /// Starts the clock of quotas above their max. Gives the number of clocks that were started.
    pub(crate) fn start_clocks(&mut self, now: Time) -> usize {
        let waiting = self.since.values_mut().filter(|since| since.is_none());
        waiting.map(|since| *since = Some(now)).count()
    }

    /// Takes out the quotas that have been above their max for this long, the deepest first.
    pub(crate) fn take_overdue(&mut self, now: Time, after_ms: u64) -> Vec<QuotaSlot> {
        let is_late = |since: &Option<Time>| since.is_some_and(|since| since.after_ms(after_ms) <= now);
        let due: Vec<QuotaSlot> = self.since.iter().filter(|(_, since)| is_late(since)).map(|(q, _)| *q).collect();
        self.since.retain(|_, since| !is_late(since));
        due.into_iter().rev().collect()
    }

    /// How much of a resource the audit lets a quota use and reserve, if that is more than its max (I2).
    pub(crate) fn excused_to(&self, slot: QuotaSlot, resource: usize) -> Option<i64> {
        self.excused.get(&slot).map(|row| amount_of(row, resource))
    }

    #[cfg(test)]
    pub(crate) fn excused(&self) -> usize {
        self.excused.len()
    }
}

//! Quotas above their max, because a change of the tree lowered it (T4, I2).

use crate::{api::Time, scheduler::state::QuotaSlot};
use std::collections::{BTreeMap, BTreeSet};

/// The quotas whose max was lowered below their usage.
#[derive(Debug, Clone, Default)]
pub(crate) struct OverMax {
    /// The time of the first decision that saw each quota above its max; nothing before that decision (T4). Kept only
    /// where the policy enforces a lowered max.
    pub(super) since: BTreeMap<QuotaSlot, Option<Time>>,
    /// Quotas that a change of the tree put above their max, until they are within it again. The audit excuses them
    /// (I2).
    pub(super) excused: BTreeSet<QuotaSlot>,
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

    pub(crate) fn is_excused(&self, slot: QuotaSlot) -> bool {
        self.excused.contains(&slot)
    }

    #[cfg(test)]
    pub(crate) fn excused(&self) -> usize {
        self.excused.len()
    }
}

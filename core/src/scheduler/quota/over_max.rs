//! Quotas above their max, because a change of the tree lowered it (T4, I2).

use super::{Quotas, ledger::Ledger};
use crate::{
    api::{EnforceMax, QuotaId, Time},
    scheduler::state::keys::QuotaSlot,
};
use std::collections::{BTreeMap, BTreeSet};

/// The quotas whose max was lowered below their usage.
#[derive(Debug, Clone, Default)]
pub(crate) struct OverMax {
    /// Since which decision each has been above its max; nothing before the first decision (T4). Kept only where the
    /// policy enforces a lowered max.
    since: BTreeMap<QuotaSlot, Option<Time>>,
    /// Quotas that are above their max by a change of the tree, until they are not (I2).
    excused: BTreeSet<QuotaSlot>,
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

impl Quotas {
    fn is_charged_over_max(&self, slot: QuotaSlot) -> bool {
        self.resources().any(|r| self.ledger.charged(slot, r) > self.max(slot, r))
    }

    /// Drops the excuse of quotas that are no longer above their max.
    pub(crate) fn forget_drained(&mut self) {
        let excused = std::mem::take(&mut self.over_max.excused);
        self.over_max.excused = excused.into_iter().filter(|slot| self.is_charged_over_max(*slot)).collect();
    }

    /// Notes which quotas are above their max after a change of the tree, and since when (T4).
    pub(crate) fn note_over_max(&mut self, enforce: EnforceMax, before: &Self) {
        let slot = |quota: QuotaId| QuotaSlot::from(quota);
        let over = self.tree.ids().map(slot).filter(|slot| self.is_charged_over_max(*slot));
        self.over_max.excused = over.collect();
        if enforce == EnforceMax::Never {
            return;
        }
        let uses_more =
            |ledger: &Ledger, q: QuotaSlot| self.resources().any(|r| ledger.remaining_usage(q, r) > self.max(q, r));
        let over: Vec<QuotaId> = self.tree.ids().filter(|quota| uses_more(&self.ledger, slot(*quota))).collect();
        for quota in over {
            let since = self.slot_in(before, quota).and_then(|q| before.over_max.since.get(&q)).copied().flatten();
            self.over_max.since.insert(slot(quota), since);
        }
    }
}

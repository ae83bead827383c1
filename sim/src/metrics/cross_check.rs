//! Compares the ledger of the metrics, which is kept independently, with the scheduler's and with the usage accounts:
//! all three must agree.

use super::MetricsCollector;
use crate::world::World;
use quotree_core::{Amounts, QuotaId, Scheduler};
use std::collections::BTreeMap;

impl MetricsCollector {
    /// The first difference between the accounts and the ledger, or between the ledger and the scheduler.
    pub(crate) fn disagreement(&self, world: &World<'_>, scheduler: &Scheduler) -> Option<String> {
        self.accounts_against_totals(world).or_else(|| self.ledger_against_scheduler(world, scheduler))
    }

    fn accounts_against_totals(&self, world: &World<'_>) -> Option<String> {
        for (number, name) in (0u32..).zip(world.shapes.resources()) {
            let total = self.ledger.totals[number];
            let over_time = world.accounts.all.iter().map(|account| self.over_time(account, number, self.now));
            let [used, borrowed, starved] = over_time.fold([0; 3], |[x, y, z], [a, b, c]| [x + a, y + b, z + c]);
            let rows = [("used", used, total.used_ms), ("borrowed", borrowed, total.borrowed_ms)];
            for (what, sum, whole) in rows.into_iter().chain([("missed", starved, total.starved_ms)]) {
                if sum != whole {
                    return Some(format!("the accounts have {what} {sum} of {name} over time, the whole {whole}"));
                }
            }
        }
        None
    }

    fn ledger_against_scheduler(&self, world: &World<'_>, scheduler: &Scheduler) -> Option<String> {
        let tree = scheduler.tree();
        // The scheduler does not know the workloads that job queues hold back.
        let mut held_back: BTreeMap<(QuotaId, &str), i128> = BTreeMap::new();
        for spec in world.job_queues.suspended() {
            let Some(leaf) = tree.leaf_of(spec.namespace.as_str()) else { continue };
            for set in &spec.pods {
                for (resource, each) in set.template.request.iter() {
                    *held_back.entry((leaf, resource.as_str())).or_default() +=
                        i128::from(each) * i128::from(set.count);
                }
            }
        }
        for quota in tree.ids().filter(|q| tree.is_leaf(*q)) {
            let usage = scheduler.usage(quota);
            for (number, name) in self.governed.iter().zip(tree.governed()) {
                let cell = self.ledger.cell(quota.0, *number);
                let theirs = |row: &Amounts| i128::from(row.get(name.as_str()).unwrap_or(0));
                let (used, request) = (theirs(&usage.used), theirs(&usage.request));
                let waiting = cell.waiting - held_back.get(&(quota, name.as_str())).copied().unwrap_or(0);
                if (used, request) != (cell.used, cell.used + waiting) {
                    return Some(format!(
                        "the world has {} {name} used and {} requested under {}, the scheduler {used} and {request}",
                        cell.used,
                        cell.used + waiting,
                        tree.name(quota),
                    ));
                }
            }
        }
        None
    }
}

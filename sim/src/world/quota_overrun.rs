//! Quotas that an edit leaves with more in use than they may have: how long until that is over by itself, as it is seen at
//! the edit, and how long it really took.
//!
//! Two limits are looked at: use above a lowered `max`, and use of pods that nobody may evict above a lowered `min`, which
//! the owners of the guarantee cannot take back (A2). The estimate takes it that pods end when their work is done at the
//! speed of the moment, that those told to go are gone, and that nothing else changes; what is over admits nobody (A1).

use crate::{
    engine::Engine,
    model::Kind,
    trace::{TraceEvent, TraceRecord},
};
use quotree_core::{Name, QuotaId, Time, Usage};
use std::collections::BTreeMap;

/// Which limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    Max,
    Min,
}

/// A quota over a limit that an edit lowered.
#[derive(Debug, Clone)]
pub(crate) struct QuotaOverrun {
    pub(crate) at: Time,
    pub(crate) quota: Name,
    pub(crate) resource: Name,
    pub(crate) limit: Limit,
    /// By how much it was over, base units.
    pub(crate) over: i64,
    /// Milliseconds until it is inside by itself; absent: never.
    pub(crate) estimate_ms: Option<u64>,
    /// When it was inside.
    pub(crate) inside: Option<Time>,
    /// A later edit has taken its place.
    pub(crate) replaced: bool,
}

/// What counts against a limit.
fn counted(usage: &Usage, limit: Limit, resource: &str) -> i64 {
    let amounts = if limit == Limit::Max { &usage.used } else { &usage.used_np };
    amounts.get(resource).unwrap_or(0)
}

impl Engine<'_> {
    /// The limits of the tree by quota and resource, and what counts against each.
    fn over_limit(&self, quota: QuotaId, limit: Limit) -> Vec<(Name, i64)> {
        let tree = self.core.scheduler().tree();
        let row = if limit == Limit::Max { tree.max(quota) } else { tree.min(quota) };
        let usage = self.core.scheduler().usage(quota);
        let limits = tree.governed().cloned().zip(row.to_vec());
        let over = limits.map(|(name, most)| {
            let by = counted(&usage, limit, name.as_str()).saturating_sub(most);
            (name, by)
        });
        over.filter(|(_, by)| *by > 0).collect()
    }

    /// The tree was edited: what is over a limit now that was not before.
    pub(crate) fn find_overruns(&mut self, before: &BTreeMap<(Name, Limit, Name), i64>) {
        let now = self.overs();
        let news: Vec<_> = now.into_iter().filter(|(key, by)| before.get(key).is_none_or(|was| by > was)).collect();
        for ((quota, limit, resource), over) in news {
            let same = |overrun: &&mut QuotaOverrun| {
                (&overrun.quota, overrun.limit, &overrun.resource) == (&quota, limit, &resource)
            };
            for overrun in self.overruns.iter_mut().filter(|overrun| overrun.inside.is_none()).filter(same) {
                overrun.replaced = true;
            }
            let Some(id) = self.core.scheduler().tree().by_name(quota.as_str()) else { continue };
            let estimate_ms = self.estimate(id, limit, &resource, over);
            self.derived(TraceEvent::QuotaOver { quota: id, max: limit == Limit::Max, estimate_ms });
            let at = self.now;
            self.overruns.push(QuotaOverrun {
                at,
                quota,
                resource,
                limit,
                over,
                estimate_ms,
                inside: None,
                replaced: false,
            });
        }
    }

    /// Everything that is over a limit, and by how much.
    pub(crate) fn overs(&self) -> BTreeMap<(Name, Limit, Name), i64> {
        let tree = self.core.scheduler().tree();
        let mut all = BTreeMap::new();
        for quota in tree.ids() {
            for limit in [Limit::Max, Limit::Min] {
                let over = self.over_limit(quota, limit).into_iter();
                all.extend(over.map(|(resource, by)| ((tree.name(quota).clone(), limit, resource), by)));
            }
        }
        all
    }

    /// How long until running pods have given back so much by themselves.
    fn estimate(&self, quota: QuotaId, limit: Limit, resource: &Name, over: i64) -> Option<u64> {
        let tree = self.core.scheduler().tree();
        let number = self.world.shapes.resource(resource.as_str())?;
        let mut ends: Vec<(Time, i64)> = Vec::new();
        for unit in (0..self.world.units.len()).filter(|unit| self.world.units[*unit].live > 0) {
            let row = self.world.units[unit];
            let leaf = self.world.namespaces[row.namespace].leaf.map(QuotaId);
            let stated = self.workload_of(row.owner).is_some_and(|w| w.preemptible);
            let preemptible = self.world.edits.preemptible(self.world.controllers[row.owner].workload, stated);
            if !leaf.is_some_and(|leaf| tree.is_under(leaf, quota)) || (limit == Limit::Min && preemptible) {
                continue;
            }
            let end = self.expected_end(unit);
            for pod in self.world.pods_of(unit).map(|pod| self.world.pods[pod]).filter(|pod| pod.state.uses()) {
                let asks = self.world.shapes.rows[pod.shape].iter().find(|(r, _)| *r == number).map_or(0, |(_, n)| *n);
                let end = if pod.state.goes() { Some(self.now) } else { end };
                ends.extend(end.filter(|_| asks > 0).map(|end| (end, asks)));
            }
        }
        ends.sort_unstable();
        let mut left = over;
        for (end, asks) in ends {
            left = left.saturating_sub(asks);
            if left <= 0 {
                return Some(end.since(self.now));
            }
        }
        None
    }

    /// When the work of a unit will be done if everything stays as it is; nothing for work without end.
    fn expected_end(&self, unit: u32) -> Option<Time> {
        let row = self.world.units[unit];
        if let Kind::Training { .. } = self.kind(row.owner)? {
            return self.world.controllers[row.owner].training.as_ref()?.expected_end(self.now);
        }
        let (work, limit) = self.job_pod_work(unit);
        let left = u128::from(work.into_iter().chain(limit).min()?);
        let (done, speed) = match row.working_since {
            Some(since) => self.world.progress(unit, since, self.now),
            None => (0, super::node_speed::FULL),
        };
        let left = (left * u128::from(super::node_speed::FULL)).saturating_sub(done).div_ceil(u128::from(speed.max(1)));
        Some(self.now.after_ms(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    /// A moment has settled: what was over and is not any more.
    pub(crate) fn check_overruns(&mut self) {
        if self.overruns.iter().all(|overrun| overrun.inside.is_some() || overrun.replaced) {
            return;
        }
        let over = self.overs();
        let mut inside = Vec::new();
        for overrun in self.overruns.iter_mut().filter(|overrun| overrun.inside.is_none() && !overrun.replaced) {
            if !over.contains_key(&(overrun.quota.clone(), overrun.limit, overrun.resource.clone())) {
                overrun.inside = Some(self.now);
                inside.push((overrun.quota.clone(), overrun.limit));
            }
        }
        for (quota, limit) in inside {
            if let Some(quota) = self.core.scheduler().tree().by_name(quota.as_str()) {
                self.derived(TraceEvent::QuotaInside { quota, max: limit == Limit::Max });
            }
        }
    }

    /// Tells who watches something that follows from what happened, and is no part of it: no digest knows of it.
    fn derived(&mut self, what: TraceEvent) {
        let record = TraceRecord { at: self.now, what };
        self.watch(&record);
    }
}

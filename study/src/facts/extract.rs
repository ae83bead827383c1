//! The figures of a run, from its result.

use super::{Figure, Key};
use crate::stats::Observed;
use quotree_sim::result::{AtLeast, QuotaRow, RunResult, ShareRow, SlowdownRow, SpreadRow, TimeMap};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The figures of a run: of the whole, then of each leaf in the order of the tree.
pub(super) fn figures(result: &RunResult) -> Vec<Figure> {
    let mut all = Collected::default();
    all.run(result);
    let parents: BTreeSet<&str> = result.quotas.iter().filter_map(|quota| quota.parent.as_deref()).collect();
    let priced = result.pools.iter().any(|pool| pool.price_milli_per_hour > 0);
    for quota in result.quotas.iter().filter(|quota| !parents.contains(quota.name.as_str())) {
        all.team = Some(Arc::from(quota.name.as_str()));
        all.leaf(quota, priced);
    }
    all.figures
}

#[derive(Default)]
struct Collected {
    figures: Vec<Figure>,
    team: Option<Arc<str>>,
    resources: BTreeMap<String, Arc<str>>,
}

impl Collected {
    fn add(&mut self, measure: &str, value: impl TryInto<i128>) {
        self.bounded(measure, value, false);
    }

    fn bounded(&mut self, measure: &str, value: impl TryInto<i128>, at_least: bool) {
        self.put(measure, None, value, at_least);
    }

    fn put(&mut self, measure: &str, resource: Option<&str>, value: impl TryInto<i128>, at_least: bool) {
        let known = &mut self.resources;
        let resource = resource.map(|name| known.entry(name.to_owned()).or_insert_with(|| Arc::from(name)).clone());
        let value = value.try_into().unwrap_or(i128::MAX);
        if let Some(key) = Key::new(measure, self.team.as_ref(), resource.as_ref()) {
            self.figures.push(Figure { key, value: Observed { value, at_least } });
        }
    }

    fn run(&mut self, result: &RunResult) {
        let m = &result.metrics;
        self.waits(&m.wait, &m.first_wait, &m.turnaround, &m.slowdown);
        self.add("evictions", m.evictions);
        self.add("evictions.wasted", m.wasted_evictions);
        self.add("lost-work", m.lost_work_ms);
        for (measure, map) in [("unmet", &m.starved_unit_s), ("borrowed", &m.borrowed_unit_s), ("lent", &m.lent_unit_s)]
        {
            map.iter().for_each(|(resource, seconds)| self.put(measure, Some(resource), *seconds, false));
        }
        for (resource, permille) in &m.utilisation_permille {
            self.put("utilisation", Some(resource), *permille, false);
        }
        for (measure, count) in [
            ("jobs", m.jobs.submitted),
            ("jobs.started", m.jobs.started),
            ("jobs.succeeded", m.jobs.succeeded),
            ("jobs.failed", m.jobs.failed),
            ("pods", m.pods_submitted),
            ("pods.pending", result.namespaces.iter().map(|row| row.counts.pending).sum()),
            ("pods.succeeded", m.pods_succeeded),
            ("pods.failed", m.pods_failed),
        ] {
            self.add(measure, count);
        }
        if let Some(deadlines) = m.deadlines {
            self.add("deadlines.met", deadlines.met);
            self.add("deadlines.missed", deadlines.missed);
        }
        if let Some(jain) = m.jain_mean_permille {
            self.add("jain", jain);
        }
        if let Some(error) = m.fairness_error_mean_permille {
            self.add("unfairness", error);
        }
        self.add("share-gap", m.dominant_share_gap_permille);
        if result.pools.iter().any(|pool| pool.price_milli_per_hour > 0) {
            self.add("cost", m.cost_milli);
            self.add("cost.idle", m.cost_idle_milli);
        }
        self.add("makespan", m.makespan_ms);
        if m.node_failures > 0 {
            self.add("node-failures", m.node_failures);
        }
        if m.drained > 0 {
            self.add("drained", m.drained);
        }
        if m.failed_evictions > 0 {
            self.add("evictions.failed", m.failed_evictions);
        }
        self.add("claims.failed", result.claims.failed);
    }

    fn leaf(&mut self, quota: &QuotaRow, priced: bool) {
        let ShareRow { first_wait, turnaround, slowdown, .. } = &quota.share;
        self.waits(&quota.wait, first_wait, turnaround, slowdown);
        let share = &quota.share;
        self.add("evictions", quota.counts.evicted);
        self.add("evictions.for", share.evicted_for);
        self.add("evictions.wasted", share.wasted_evictions);
        self.add("lost-work", share.lost_work_ms);
        self.times("unmet", &share.starved_time_s, quota);
        self.times("borrowed", &share.borrowed_time_s, quota);
        self.times("used", &share.used_time_s, quota);
        self.add("pods", share.pods);
        self.add("pods.pending", quota.counts.pending);
        self.add("pods.succeeded", quota.counts.succeeded);
        self.add("pods.failed", quota.counts.failed);
        if let Some(instances) = share.instances.filter(|row| row.deadlines_met + row.deadlines_missed > 0) {
            self.add("deadlines.met", instances.deadlines_met);
            self.add("deadlines.missed", instances.deadlines_missed);
        }
        if priced {
            self.add("cost", share.cost_milli);
        }
    }

    /// Adds integrals over time (an amount times how long it lasted), for each resource that the quota governs or that its pods
    /// have used.
    fn times(&mut self, measure: &str, times: &TimeMap, quota: &QuotaRow) {
        let governed = quota.min.0.iter().chain(quota.max.0.iter()).map(|(name, _)| name.to_string());
        let names: BTreeSet<String> = governed.chain(times.0.iter().map(|(name, _)| name.to_string())).collect();
        for name in names {
            self.put(measure, Some(&name), times.get(&name) / 1000, false);
        }
    }

    fn waits(&mut self, wait: &SpreadRow, first: &SpreadRow, turnaround: &SpreadRow, slowdown: &SlowdownRow) {
        if !wait.is_empty() {
            let AtLeast { mean, p50, p95, p99, max } = wait.at_least;
            self.bounded("wait.mean", wait.mean_ms(), mean);
            self.bounded("wait.p50", wait.p50_ms, p50);
            self.bounded("wait.p95", wait.p95_ms, p95);
            self.bounded("wait.p99", wait.p99_ms, p99);
            self.bounded("wait.max", wait.max_ms, max);
        }
        if !first.is_empty() {
            self.bounded("first-wait.p50", first.p50_ms, first.at_least.p50);
            self.bounded("first-wait.p95", first.p95_ms, first.at_least.p95);
        }
        if !turnaround.is_empty() {
            self.bounded("turnaround.p50", turnaround.p50_ms, turnaround.at_least.p50);
            self.bounded("turnaround.p95", turnaround.p95_ms, turnaround.at_least.p95);
        }
        if !slowdown.is_empty() {
            self.bounded("slowdown.p50", slowdown.p50_permille, slowdown.at_least.p50);
            self.bounded("slowdown.p95", slowdown.p95_permille, slowdown.at_least.p95);
        }
    }
}

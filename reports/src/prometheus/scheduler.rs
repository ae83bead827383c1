//! The metrics of kube-scheduler: pending pods, attempts, preemptions, and the time to schedule pods.

use super::text::{Kind, Sample, Text, histogram, seconds};
use crate::report::bind_waits;
use quotree_sim::{Run, result::RunResult};
use std::collections::BTreeMap;

/// The bounds of kube-scheduler's histogram of scheduling durations: 10 ms and its nineteen doublings.
fn duration_bounds() -> Vec<u64> {
    (0..20).map(|power| 10 << power).collect()
}

/// The bounds of kube-scheduler's histogram of victims.
const VICTIM_BOUNDS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];

pub(super) fn write(run: &Run, text: &mut Text) {
    let result = &run.result;
    let m = &result.metrics;
    let gated: u64 = result.pending.iter().filter(|row| row.rule == SUSPENDED).map(|row| row.pods).sum();
    let pending: u64 = result.pending.iter().map(|row| row.pods).sum();
    let queues = [("active", 0), ("backoff", 0), ("unschedulable", pending - gated), ("gated", gated)];
    text.family(
        "scheduler_pending_pods",
        Kind::Gauge,
        "Pending pods by queue. unschedulable: the scheduler could not place them; gated: a job queue holds them back.",
        queues.map(|(queue, n)| Sample::new(&[("queue", queue)], n)),
    );
    text.family(
        "scheduler_schedule_attempts_total",
        Kind::Counter,
        "Decisions to bind a pod (scheduled), and workloads that were tried and not placed (unschedulable).",
        [("scheduled", m.pods_bound), ("unschedulable", m.failed_attempts)]
            .map(|(outcome, n)| Sample::new(&[("profile", &result.policy), ("result", outcome)], n)),
    );
    let preemptions = preemptions(result);
    text.family(
        "scheduler_preemption_attempts_total",
        Kind::Counter,
        "Decisions that selected victims for a workload.",
        [Sample::new(&[], preemptions.len())],
    );
    text.family(
        "scheduler_preemption_victims",
        Kind::Histogram,
        "Victims selected for one workload in one decision.",
        histogram(&[], &VICTIM_BOUNDS, &preemptions, |n| n.to_string()),
    );
    if let Some(history) = &run.history {
        let waits: Vec<u64> = bind_waits(history).map(|(_, ms)| ms).collect();
        text.family(
            "scheduler_pod_scheduling_sli_duration_seconds",
            Kind::Histogram,
            "Virtual time from the creation of a pod to the decision to bind it. Pods that were never bound are not in it.",
            histogram(&[], &duration_bounds(), &waits, seconds),
        );
    }
    counter(text, "quotree_decisions_total", "How often the scheduler made a decision.", m.decisions);
    counter(
        text,
        "quotree_search_bounds_hit_total",
        "Searches for victims that stopped at their limit.",
        m.search_bounds_hit,
    );
    text.family(
        "quotree_evictions_total",
        Kind::Counter,
        "Pods whose eviction was decided, by the rule that allowed it.",
        m.evictions_by_rule.iter().map(|(rule, n)| Sample::new(&[("rule", rule)], n)),
    );
    counter(
        text,
        "quotree_wasted_evictions_total",
        "Evictions for a workload that was not bound because of them.",
        m.wasted_evictions,
    );
    text.family(
        "quotree_lost_work_seconds_total",
        Kind::Counter,
        "Lost work, pod-seconds.",
        [Sample::new(&[], seconds(m.lost_work_ms))],
    );
}

/// The rule of pending rows that a job queue suspends.
pub(super) const SUSPENDED: &str = "suspended";

fn counter(text: &mut Text, name: &'static str, help: &'static str, value: u64) {
    text.family(name, Kind::Counter, help, [Sample::new(&[], value)]);
}

/// The number of victims for each workload in each decision.
fn preemptions(result: &RunResult) -> Vec<u64> {
    let mut counts: BTreeMap<(u64, &str), u64> = BTreeMap::new();
    for row in &result.evictions {
        if let Some(cause) = &row.cause {
            *counts.entry((row.at_ms, cause)).or_default() += 1;
        }
    }
    counts.into_values().collect()
}

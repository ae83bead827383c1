//! Metrics by the names of the kube-scheduler (`--compat-metrics`), for dashboards and alerts that ask for these. Names, types,
//! labels and buckets are those of `pkg/scheduler/metrics` of Kubernetes 1.37; `docs/kubernetes-monitoring.md` says what each counts
//! here, and which ones have no counterpart.

use super::metric::{Kind, Metric, Values, metrics};
use crate::{actor::Intent, watch::Uid};
use std::collections::BTreeMap;

/// Upper bounds of attempts, seconds: 1 ms, doubled 14 times.
pub const ATTEMPTS: &[f64] =
    &[0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];
/// Upper bounds of the wait of a pod, seconds: 10 ms, doubled 19 times.
pub const WAITS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36,
    1310.72, 2621.44, 5242.88,
];
/// Upper bounds of victims, pods: 1, doubled 6 times.
pub const VICTIMS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// The queues of the kube-scheduler.
const QUEUES: [&str; 4] = ["active", "backoff", "gated", "unschedulable"];
/// From so many attempts on, the label of attempts says no number, as that of the kube-scheduler.
const MANY: u32 = 15;

metrics! {
    PENDING_PODS = "scheduler_pending_pods", Gauge, ["queue"],
        "Pods that wait, by the queue in which the kube-scheduler would have them.";
    SCHEDULE_ATTEMPTS = "scheduler_schedule_attempts_total", Counter, ["result", "profile"],
        "Attempts to place a pod. Result: scheduled, unschedulable, error. Profile: its schedulerName.";
    ATTEMPT_DURATION = "scheduler_scheduling_attempt_duration_seconds", Histogram, ["result", "profile"],
        "How long an attempt took: the decision and, if there is one, the write.";
    POD_DURATION = "scheduler_pod_scheduling_sli_duration_seconds", Histogram, ["attempts"],
        "From the creation of a pod to the answer to the write that admits it.";
    PREEMPTION_ATTEMPTS = "scheduler_preemption_attempts_total", Counter, [],
        "Decisions that evict pods for others, one for each workload that gets their room.";
    PREEMPTION_VICTIMS = "scheduler_preemption_victims", Histogram, [],
        "How many pods a decision evicts for a workload.";
}

/// Shows these metrics, too. What has no labels begins with 0.
pub fn begin(values: &mut Values) {
    values.show_compat();
    QUEUES.into_iter().for_each(|queue| values.set(PENDING_PODS, &[queue], 0.0));
    values.set(PREEMPTION_ATTEMPTS, &[], 0.0);
    values.observe_times(PREEMPTION_VICTIMS, VICTIMS, &[], 0.0, 0);
}

/// Pods that wait, given why each of them does.
pub fn pending<'a>(values: &mut Values, reasons: impl IntoIterator<Item = &'a str>) {
    let mut counts: BTreeMap<&str, u32> = QUEUES.into_iter().map(|queue| (queue, 0)).collect();
    reasons.into_iter().for_each(|reason| *counts.entry(queue_of(reason)).or_default() += 1);
    counts.into_iter().for_each(|(queue, count)| values.set(PENDING_PODS, &[queue], f64::from(count)));
}

/// The queue of the kube-scheduler in which a pod would be that waits for this reason.
fn queue_of(reason: &str) -> &'static str {
    match reason {
        // It may be placed, and it is not its turn.
        "Behind" => "active",
        "BackOff" => "backoff",
        // The core does not know it: something must happen before it may be tried.
        "ForeignGate" | "WaitingForGroup" | "WaitingForMembers" | "BadGang" | "Unsupported" => "gated",
        _ => "unschedulable",
    }
}

/// Counts scheduling attempts that placed no pod: how many pods of a profile, and how long the turn took.
pub fn unschedulable(values: &mut Values, profile: &str, pods: u64, seconds: f64) {
    values.add(SCHEDULE_ATTEMPTS, &["unschedulable", profile], pods as f64);
    values.observe_times(ATTEMPT_DURATION, ATTEMPTS, &["unschedulable", profile], seconds, pods);
}

/// An admission that has ended, as [`admitted`] counts it.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// The schedulerName of the pod.
    pub profile: &'a str,
    /// Whether the pod is admitted; else the write failed for good.
    pub succeeded: bool,
    /// From the decision to the answer, seconds.
    pub seconds: f64,
    /// From the creation of the pod to the answer, seconds.
    pub waited: f64,
    /// How often the write was sent.
    pub attempts: u32,
}

/// An admission has ended.
pub fn admitted(values: &mut Values, admission: Admission<'_>) {
    let Admission { profile, succeeded, seconds, waited, attempts } = admission;
    let result = if succeeded { "scheduled" } else { "error" };
    values.add(SCHEDULE_ATTEMPTS, &[result, profile], 1.0);
    values.observe_times(ATTEMPT_DURATION, ATTEMPTS, &[result, profile], seconds, 1);
    if succeeded {
        let attempts = if attempts >= MANY { format!("{MANY}+") } else { attempts.to_string() };
        values.observe_times(POD_DURATION, WAITS, &[&attempts], waited, 1);
    }
}

/// What a decision evicts, by the workload for which. Evictions that make room for nobody are none of these.
pub fn preempted(values: &mut Values, intents: &[Intent]) {
    let mut victims: BTreeMap<&Uid, u32> = BTreeMap::new();
    for intent in intents {
        if let Intent::Evict { cause: Some(cause), .. } = intent {
            *victims.entry(&cause.uid).or_default() += 1;
        }
    }
    for count in victims.into_values() {
        values.add(PREEMPTION_ATTEMPTS, &[], 1.0);
        values.observe_times(PREEMPTION_VICTIMS, VICTIMS, &[], f64::from(count), 1);
    }
}

//! Jobs: the metrics of Kueue about workloads by cluster queue, job states, and exact quantiles of waits.

use super::{
    scheduler::SUSPENDED,
    text::{Kind, Sample, Text, histogram, seconds},
};
use quotree_core::Name;
use quotree_sim::{
    Run,
    result::{JobRow, JobState, RunResult, SpreadRow},
};
use std::collections::{BTreeMap, BTreeSet};

/// The bounds of Kueue's histograms of waits, milliseconds: 1 s, then 2.5 s and its twelve doublings.
fn bounds() -> Vec<u64> {
    std::iter::once(1000).chain((0..13).map(|power| 2500 << power)).collect()
}

/// The jobs of each leaf, by its name; also leaves without jobs.
fn by_leaf(result: &RunResult) -> BTreeMap<&str, Vec<&JobRow>> {
    let parents: BTreeSet<&str> = result.quotas.iter().filter_map(|quota| quota.parent.as_deref()).collect();
    let names = result.quotas.iter().map(|quota| quota.name.as_str()).filter(|name| !parents.contains(name));
    let mut leaves: BTreeMap<&str, Vec<&JobRow>> = names.map(|name| (name, Vec::new())).collect();
    for job in &result.jobs {
        if let Some(jobs) = job.quota.as_ref().and_then(|quota| leaves.get_mut(quota.as_str())) {
            jobs.push(job);
        }
    }
    leaves
}

pub(super) fn write(run: &Run, text: &mut Text) {
    let result = &run.result;
    let leaves = by_leaf(result);
    let mut pending: BTreeMap<&str, [u64; 2]> = leaves.keys().map(|leaf| (*leaf, [0, 0])).collect();
    for row in &result.pending {
        if let Some([active, inadmissible]) =
            row.quota.as_ref().map(Name::as_str).and_then(|quota| pending.get_mut(quota))
        {
            *(if row.rule == SUSPENDED { active } else { inadmissible }) += 1;
        }
    }
    let sample = |(leaf, [active, inadmissible]): (&str, [u64; 2])| {
        [("active", active), ("inadmissible", inadmissible)]
            .map(|(status, n)| Sample::new(&[("cluster_queue", leaf), ("status", status)], n))
    };
    text.family(
        "kueue_pending_workloads",
        Kind::Gauge,
        "Workloads that are pending at the end. active: a job queue holds them back; inadmissible: the scheduler could not place them.",
        pending.into_iter().flat_map(sample),
    );
    let count = |is: fn(&JobRow) -> u64| {
        let leaves = leaves.iter();
        leaves.map(move |(leaf, jobs)| {
            Sample::new(&[("cluster_queue", leaf)], jobs.iter().map(|job| is(job)).sum::<u64>())
        })
    };
    text.family(
        "kueue_admitted_active_workloads",
        Kind::Gauge,
        "Jobs that run at the end with all that they need.",
        count(|job| u64::from(job.state == JobState::Running)),
    );
    text.family(
        "kueue_admitted_workloads_total",
        Kind::Counter,
        "Jobs that started.",
        count(|job| u64::from(job.started_ms.is_some())),
    );
    let evicted = leaves.iter().map(|(leaf, jobs)| {
        let evictions: u64 = jobs.iter().map(|job| u64::from(job.evictions)).sum();
        Sample::new(&[("cluster_queue", leaf), ("reason", "Preempted")], evictions)
    });
    text.family(
        "kueue_evicted_workloads_total",
        Kind::Counter,
        "Evictions of jobs, by any rule; members of a gang that one decision evicts count once.",
        evicted,
    );
    preempted(run, text);
    let waits = leaves.iter().flat_map(|(leaf, jobs)| {
        let started = jobs.iter().filter(|job| job.started_ms.is_some());
        let waits: Vec<u64> = started.map(|job| job.first_wait_ms).collect();
        histogram(&[("cluster_queue", leaf)], &bounds(), &waits, seconds)
    });
    text.family(
        "kueue_admission_wait_time_seconds",
        Kind::Histogram,
        "From the submission of a job to its first full start. Jobs that never started are not in it.",
        waits,
    );
    states(result, text);
    quantiles(result, text);
}

/// Jobs that lost pods for a job of a leaf, by the reason that allowed the eviction. Members that one decision evicted
/// count once.
fn preempted(run: &Run, text: &mut Text) {
    let Some(history) = run.history.as_deref() else { return };
    let job = |pod: u32| history.pods.get(pod as usize).map(|pod| pod.job);
    let mut seen = BTreeSet::new();
    let mut counts: BTreeMap<(u32, &str), u64> = BTreeMap::new();
    for eviction in &history.evictions {
        let Some((cause, Some(leaf))) = eviction.cause else { continue };
        if !seen.insert((eviction.at_ms, job(eviction.pod), cause)) {
            continue;
        }
        let reason = if eviction.leaf == Some(leaf) { "InClusterQueue" } else { "InCohortReclamation" };
        *counts.entry((leaf, reason)).or_default() += 1;
    }
    let sample = |((leaf, reason), n): ((u32, &str), u64)| {
        let leaf = history.quotas.get(leaf as usize).map_or("", |quota| quota.name.as_str());
        Sample::new(&[("preempting_cluster_queue", leaf), ("reason", reason)], n)
    };
    text.family(
        "kueue_preempted_workloads_total",
        Kind::Counter,
        "Jobs that lost pods in a decision for a job of this leaf.",
        counts.into_iter().map(sample),
    );
}

fn states(result: &RunResult, text: &mut Text) {
    let jobs = result.metrics.jobs;
    let states = [
        ("submitted", jobs.submitted),
        ("started", jobs.started),
        ("succeeded", jobs.succeeded),
        ("failed", jobs.failed),
        ("withdrawn", jobs.withdrawn),
    ];
    text.family(
        "quotree_jobs_total",
        Kind::Counter,
        "Jobs that were submitted, and what became of them.",
        states.map(|(state, n)| Sample::new(&[("state", state)], n)),
    );
    if let Some(deadlines) = result.metrics.deadlines {
        let outcomes = [("met", deadlines.met), ("missed", deadlines.missed)];
        text.family(
            "quotree_deadlines_total",
            Kind::Counter,
            "Deadlines that were met and missed.",
            outcomes.map(|(outcome, n)| Sample::new(&[("outcome", outcome)], n)),
        );
    }
}

/// Exact quantiles of waits. A job that still waits counts with its time so far.
fn quantiles(result: &RunResult, text: &mut Text) {
    let of = |quota: &str, wait: &SpreadRow| {
        let mut samples: Vec<Sample> =
            [("0.5", wait.p50_ms), ("0.95", wait.p95_ms), ("0.99", wait.p99_ms), ("1", wait.max_ms)]
                .map(|(quantile, ms)| Sample::new(&[("quota", quota), ("quantile", quantile)], seconds(ms.into())))
                .into();
        samples.push(Sample::with("_sum", &[("quota", quota)], seconds(wait.sum_ms)));
        samples.push(Sample::with("_count", &[("quota", quota)], wait.count));
        samples
    };
    let rows = result.quotas.iter().filter(|quota| quota.wait.count > 0);
    text.family(
        "quotree_job_wait_seconds",
        Kind::Summary,
        "Waits of jobs by quota, all waits of a job together; of a job that still waits, the time so far.",
        rows.flat_map(|quota| of(&quota.name, &quota.wait)),
    );
    let open = result.quotas.iter().filter(|quota| quota.wait.count > 0);
    text.family(
        "quotree_job_wait_open",
        Kind::Gauge,
        "Jobs of a quota that still wait or never started, so that their waits are lower bounds.",
        open.map(|quota| Sample::new(&[("quota", &quota.name)], quota.wait.open)),
    );
}

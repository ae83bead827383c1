//! Jobs, pods, placements and evictions of the report.

use super::From;
use quotree_page::model::{Amount, AmountTime, Eviction, Job, JobState, Placement, PlacementEnd, Pod, Report, Shape};
use quotree_sim::history::{
    COST_PARTS, EvictionHistory, History, JobEnd, JobHistory, PlacementHistory, PodEnd, PodHistory,
};
use std::collections::BTreeMap;

/// When a job was first bound, and when it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) first_bound: Option<u64>,
    pub(super) ended: Option<u64>,
}

/// The times of each job. A job ends with its last pod, once its controller has ended.
pub(super) fn times(history: &History) -> Vec<Times> {
    let mut times = vec![Times::default(); history.jobs.len()];
    for pod in &history.pods {
        if let (Some(times), Some((at, _))) = (times.get_mut(pod.job as usize), pod.ended) {
            times.ended = times.ended.max(Some(at));
        }
    }
    for placement in &history.placements {
        let job = history.pods.get(placement.pod as usize).map_or(u32::MAX, |pod| pod.job);
        if let Some(times) = times.get_mut(job as usize) {
            times.first_bound = Some(times.first_bound.map_or(placement.bound_ms, |at| at.min(placement.bound_ms)));
        }
    }
    for (times, job) in times.iter_mut().zip(&history.jobs) {
        times.ended = times.ended.filter(|_| job.end != JobEnd::Open);
    }
    times
}

/// Every wait of a pod until it was bound: the pod, and the length.
pub(crate) fn bind_waits(history: &History) -> impl Iterator<Item = (u32, u64)> {
    let mut since: Vec<u64> = history.pods.iter().map(|pod| pod.created_ms).collect();
    history.placements.iter().map(move |placement| {
        let slot = since.get_mut(placement.pod as usize);
        let ms = slot.map_or(0, |since| {
            let ms = placement.bound_ms.saturating_sub(*since);
            *since = placement.gone.map_or(u64::MAX, |(at, _)| at);
            ms
        });
        (placement.pod, ms)
    })
}

/// How long some pod waited for a limit of this quota between two times.
pub(super) fn bound_ms(history: &History, quota: u32, from: u64, to: u64) -> u64 {
    let mut spans: Vec<(u64, u64)> = (history.waits.iter().filter(|wait| wait.why.quota == Some(quota)))
        .map(|wait| (wait.from_ms.max(from), wait.to_ms.min(to)))
        .filter(|(from, to)| from < to)
        .collect();
    spans.sort_unstable();
    let (mut sum, mut end) = (0, 0);
    for (from, to) in spans {
        sum += to.saturating_sub(from.max(end));
        end = end.max(to);
    }
    sum
}

const fn end(end: PodEnd) -> PlacementEnd {
    match end {
        PodEnd::Succeeded => PlacementEnd::Succeeded,
        PodEnd::Failed => PlacementEnd::Failed,
        PodEnd::Lost => PlacementEnd::Lost,
        PodEnd::Evicted => PlacementEnd::Evicted,
        PodEnd::Drained => PlacementEnd::Drained,
        PodEnd::Deleted => PlacementEnd::Deleted,
        PodEnd::BindFailed => PlacementEnd::BindFailed,
    }
}

/// The lost work of a pod by resource: its request times the lost time.
fn lost(shape: Option<&Shape>, lost_ms: u128) -> Vec<AmountTime> {
    let request = shape.filter(|_| lost_ms > 0).into_iter().flat_map(|shape| &shape.request);
    let row = |row: &Amount| {
        let unit_s = u128::from(row.amount.unsigned_abs()) * lost_ms / 1000;
        AmountTime { resource: row.resource, unit_s }
    };
    request.map(row).collect()
}

impl From<'_> {
    pub(super) fn work(&self, report: &mut Report) {
        let history = self.history;
        let shapes = self.shapes(report);
        let pod = |(pod, shape): (&PodHistory, &u32)| Pod {
            name: history.pod_name(self.scenario, pod),
            job: pod.job,
            role: history.role(self.scenario, pod).to_owned(),
            shape: *shape,
            created_ms: pod.created_ms,
            ended_ms: pod.ended.map(|(at, _)| at),
            end: pod.ended.map(|(_, how)| end(how)),
            replaces: pod.replaces,
            priority: None,
        };
        // The findings need none of these, and there may be a million.
        if self.whole {
            report.pods = history.pods.iter().zip(&shapes).map(pod).collect();
            report.placements = history.placements.iter().map(|placement| self.placement(placement)).collect();
        }
        let replaced = |(pod, row): (u32, &PodHistory)| row.replaces.map(|old| (old, pod));
        let replacements: BTreeMap<u32, u32> = (0u32..).zip(&history.pods).filter_map(replaced).collect();
        let row = |eviction: &EvictionHistory| Eviction {
            replacement: replacements.get(&eviction.pod).copied(),
            ..self.eviction(eviction, &shapes, report)
        };
        report.evictions = history.evictions.iter().map(row).collect();
        report.jobs = if self.whole { self.jobs(report) } else { self.brief_jobs() };
    }

    fn placement(&self, p: &PlacementHistory) -> Placement {
        Placement {
            pod: p.pod,
            node: self.node_index(p.node),
            devices: p.devices.iter().collect(),
            bound_ms: p.bound_ms,
            running_ms: p.running_ms,
            leaving_ms: p.leaving_ms,
            gone_ms: p.gone.map(|(at, _)| at),
            end: p.gone.map(|(_, how)| end(how)),
            borrowed: self.amounts(&p.borrowed),
            eviction: p.eviction,
        }
    }

    fn eviction(&self, e: &EvictionHistory, shapes: &[u32], report: &Report) -> Eviction {
        let pod = self.history.pods.get(e.pod as usize);
        let shape = shapes.get(e.pod as usize).and_then(|shape| report.shapes.get(*shape as usize));
        let (text, rule) = (e.reason.as_str(), format!(" ({})", e.rule));
        Eviction {
            at_ms: e.at_ms,
            pod: e.pod,
            job: pod.map_or(0, |pod| pod.job),
            leaf: e.leaf,
            node: self.node_index(e.node),
            devices: e.devices.iter().collect(),
            amounts: shape.map(|shape| shape.request.clone()).unwrap_or_default(),
            rule: e.rule.clone(),
            reason: text.strip_suffix(&rule).unwrap_or(text).to_owned(),
            cause: e.cause.map(|(job, _)| job),
            cause_leaf: e.cause.and_then(|(_, leaf)| leaf),
            cause_pods: e.cause_pods.clone(),
            left_ms: e.left_ms,
            cause_bound_ms: e.cause_bound_ms,
            lost_work_ms: e.lost_ms,
            lost: lost(shape, e.lost_ms),
            wasted: e.wasted,
            replacement: None,
        }
    }

    /// The progress of each job, and nothing else.
    fn brief_jobs(&self) -> Vec<Job> {
        let mut running = vec![0u32; self.history.jobs.len()];
        for p in self.history.placements.iter().filter(|p| p.gone.is_none()) {
            let job = self.history.pods.get(p.pod as usize).map_or(u32::MAX, |pod| pod.job);
            running.get_mut(job as usize).into_iter().for_each(|n| *n += 1);
        }
        let times = times(self.history).into_iter().zip(running);
        self.history.jobs.iter().zip(times).map(|(job, (times, runs))| self.outcome(job, times, runs)).collect()
    }

    /// The state of a job at the end, and its deadline.
    fn outcome(&self, job: &JobHistory, times: Times, runs: u32) -> Job {
        let deadline_ms = job.deadline_ms(self.scenario);
        Job {
            state: match job.end {
                JobEnd::Succeeded => JobState::Succeeded,
                JobEnd::Failed => JobState::Failed,
                JobEnd::Withdrawn => JobState::Withdrawn,
                JobEnd::Open if runs >= job.gang_min(self.scenario).max(1) => JobState::Running,
                JobEnd::Open if times.first_bound.is_some() => JobState::Interrupted,
                JobEnd::Open => JobState::Pending,
            },
            deadline_ms,
            deadline_met: deadline_ms.and_then(|deadline| match (job.end, times.ended) {
                (JobEnd::Succeeded, Some(at)) => Some(at <= deadline),
                (JobEnd::Open, _) if self.history.end_ms <= deadline => None,
                _ => Some(false),
            }),
            ..Job::default()
        }
    }

    fn jobs(&self, report: &Report) -> Vec<Job> {
        let history = self.history;
        let mut used: Vec<BTreeMap<u32, u128>> = vec![BTreeMap::new(); history.jobs.len()];
        let mut cost = vec![0u128; history.jobs.len()];
        let (mut lost, mut running) = (vec![0u32; history.jobs.len()], vec![0u32; history.jobs.len()]);
        for p in &history.placements {
            let Some(pod) = report.pods.get(p.pod as usize) else { continue };
            let ms = u128::from(p.gone.map_or(history.end_ms, |(at, _)| at).saturating_sub(p.bound_ms));
            let at = pod.job as usize;
            if let (Some(used), Some(shape)) = (used.get_mut(at), report.shapes.get(pod.shape as usize)) {
                for Amount { resource, amount } in &shape.request {
                    *used.entry(*resource).or_default() += u128::from(amount.unsigned_abs()) * ms;
                }
            }
            cost.get_mut(at).into_iter().for_each(|cost| *cost += p.cost_rate * ms);
            lost.get_mut(at)
                .into_iter()
                .for_each(|n| *n += u32::from(p.gone.is_some_and(|(_, how)| how == PodEnd::Lost)));
            running.get_mut(at).into_iter().for_each(|n| *n += u32::from(p.gone.is_none()));
        }
        let mut longest = vec![0u64; history.jobs.len()];
        let mut waited = vec![0u128; history.jobs.len()];
        for (pod, ms) in history.pods.iter().zip(history.longest_waits()) {
            longest.get_mut(pod.job as usize).into_iter().for_each(|most| *most = (*most).max(ms));
        }
        for (pod, ms) in history.pods.iter().zip(history.summed_waits()) {
            waited.get_mut(pod.job as usize).into_iter().for_each(|sum| *sum += u128::from(ms));
        }
        let mut evicted: BTreeMap<u32, (u32, u128)> = BTreeMap::new();
        let mut evicted_for: BTreeMap<u32, u32> = BTreeMap::new();
        for eviction in &report.evictions {
            let (times, lost_ms) = evicted.entry(eviction.job).or_default();
            (*times, *lost_ms) = (*times + 1, *lost_ms + eviction.lost_work_ms);
            eviction.cause.into_iter().for_each(|cause| *evicted_for.entry(cause).or_default() += 1);
        }
        let times = times(history);
        let row = |(number, job): (u32, &JobHistory)| {
            let at = number as usize;
            let times = times.get(at).copied().unwrap_or_default();
            let runs = running.get(at).copied().unwrap_or(0);
            let stated = job.stated(self.scenario, &history.resources);
            let of = |map: &BTreeMap<u32, u128>| {
                map.iter().map(|(resource, ms)| AmountTime { resource: *resource, unit_s: ms / 1000 }).collect()
            };
            Job {
                name: job.name(self.scenario),
                workload: self
                    .scenario
                    .workloads
                    .get(job.workload as usize)
                    .map_or_else(String::new, |w| w.name.clone()),
                kind: stated.kind.to_owned(),
                namespace: job.namespace.to_string(),
                quota: job.quota,
                user: job.user.as_ref().map(ToString::to_string),
                group: job.group.as_ref().map(ToString::to_string),
                priority: stated.priority,
                preemptible: stated.preemptible,
                submitted_ms: job.submitted_ms,
                first_bound_ms: times.first_bound,
                ended_ms: times.ended,
                gang: stated.gang.0,
                gang_min: stated.gang.1,
                request: self.amounts(&stated.request),
                longest_wait_ms: longest.get(at).copied().unwrap_or(0),
                wait_ms: waited.get(at).copied().unwrap_or(0),
                used: used.get(at).map(of).unwrap_or_default(),
                evictions: evicted.get(&number).map_or(0, |(times, _)| *times),
                evicted_for: evicted_for.get(&number).copied().unwrap_or(0),
                lost_pods: lost.get(at).copied().unwrap_or(0),
                lost_work_ms: evicted.get(&number).map_or(0, |(_, lost_ms)| *lost_ms),
                cost_milli: cost.get(at).map_or(0, |cost| cost / COST_PARTS),
                ..self.outcome(job, times, runs)
            }
        };
        (0u32..).zip(&history.jobs).map(row).collect()
    }
}

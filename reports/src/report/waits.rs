//! Waits in the report: periods, sums by rule and leaf, distributions by leaf and size.

use super::{From, work};
use quotree_core::Rule;
use quotree_page::model::{JobWaits, Report, ResourceKind, VerdictIx, Wait, WaitQuantiles, WaitSteps, WaitTime};
use quotree_sim::{history::WaitHistory, result::SpreadRow};
use std::collections::BTreeMap;

/// The most points of a distribution.
const MOST_POINTS: usize = 200;

/// The spread of the waits of jobs.
pub(super) fn of_jobs(wait: &SpreadRow) -> JobWaits {
    let chosen = wait.at_least.names().into_iter().filter(|name| matches!(*name, "p50" | "p95" | "max"));
    JobWaits {
        count: wait.count,
        p50_ms: wait.p50_ms,
        p95_ms: wait.p95_ms,
        max_ms: wait.max_ms,
        at_least: chosen.map(str::to_owned).collect(),
    }
}

impl From<'_> {
    pub(super) fn waits(&self, verdicts: &BTreeMap<(u32, u64), VerdictIx>, report: &mut Report) {
        let row = |wait: &WaitHistory| Wait {
            pod: wait.pod,
            from_ms: wait.from_ms,
            to_ms: wait.to_ms,
            rule: wait.why.rule.to_owned(),
            quota: wait.why.quota,
            resource: wait.why.resource.map(|number| self.resource(number)),
            needed: wait.why.amounts.map(|(needed, _)| needed),
            available: wait.why.amounts.map(|(_, available)| available),
            victims: wait.victims.clone(),
            victims_until_ms: wait.victims_until_ms,
            verdict: None,
        };
        let all = self.history.waits.iter();
        if !self.whole {
            // Findings name the longest wait, and waits for room while the cluster as a whole has enough free.
            let longest = report.totals.longest_wait_pod;
            let is_needed = |wait: &&WaitHistory| {
                Some(wait.pod) == longest || (wait.why.rule == Rule::P1.name() && wait.why.amounts.is_some())
            };
            report.waits = all.filter(is_needed).map(row).collect();
            return;
        }
        report.waits = all.flat_map(|wait| explained(row(wait), verdicts, report)).collect();
        report.waits.sort_by_key(|wait| (wait.from_ms, wait.pod));
        self.distributions(report);
    }

    /// Fills in the sums of waits by rule and leaf, and the distributions.
    fn distributions(&self, report: &mut Report) {
        let mut sums: BTreeMap<(&str, Option<u32>), (u128, u64)> = BTreeMap::new();
        for wait in &report.waits {
            let (ms, waits) = sums.entry((&wait.rule, self.leaf_of(wait.pod))).or_default();
            *ms += u128::from(wait.to_ms - wait.from_ms);
            *waits += 1;
        }
        let row = |((rule, quota), (wait_ms, waits)): ((&str, Option<u32>), (u128, u64))| WaitTime {
            rule: rule.to_owned(),
            quota,
            wait_ms,
            waits,
        };
        report.wait_times = sums.into_iter().map(row).collect();
        report.wait_steps = self.wait_steps(report);
    }

    fn wait_steps(&self, report: &Report) -> Vec<WaitSteps> {
        let mut groups: BTreeMap<(Option<u32>, String), (Vec<u64>, u64)> = BTreeMap::new();
        let sizes: Vec<String> = report.shapes.iter().map(|shape| size(report, shape)).collect();
        let keys = |pod: u32| {
            let shape = report.pods.get(pod as usize).map_or(0, |pod| pod.shape);
            let size = sizes.get(shape as usize).cloned().unwrap_or_default();
            let leaf = self.leaf_of(pod);
            let mut keys = vec![(None, String::new()), (None, size.clone())];
            if leaf.is_some() {
                keys.extend([(leaf, String::new()), (leaf, size)]);
            }
            keys
        };
        let mut bound = vec![false; report.pods.len()];
        for (pod, ms) in work::bind_waits(self.history) {
            bound.get_mut(pod as usize).into_iter().for_each(|bound| *bound = true);
            keys(pod).into_iter().for_each(|key| groups.entry(key).or_default().0.push(ms));
        }
        for (pod, _) in (0u32..).zip(&bound).filter(|(_, bound)| !**bound) {
            keys(pod).into_iter().for_each(|key| groups.entry(key).or_default().1 += 1);
        }
        let row = |((quota, size), (mut waits, never)): ((Option<u32>, String), (Vec<u64>, u64))| {
            let quantiles = quantiles(&mut waits);
            let (wait_ms, pods) = steps(&waits);
            WaitSteps { quota, size, wait_ms, pods, never, quantiles }
        };
        groups.into_iter().map(row).collect()
    }
}

/// Divides a wait by its full reasons: a period for each different one. The rule, the quota and the amounts are then
/// those of the full reason, since a class of equal pods shares only the brief one.
fn explained(wait: Wait, verdicts: &BTreeMap<(u32, u64), VerdictIx>, report: &Report) -> Vec<Wait> {
    let ours = verdicts.range((wait.pod, wait.from_ms)..(wait.pod, wait.to_ms));
    let mut rows = vec![wait];
    for ((_, at_ms), verdict) in ours {
        let Some(last) = rows.last_mut() else { break };
        let Some(binding) = report.verdicts.get(*verdict as usize).map(|verdict| &verdict.binding) else { continue };
        if last.verdict == Some(*verdict) || binding.rule != last.rule && !last.victims.is_empty() {
            continue;
        }
        let row = Wait {
            from_ms: *at_ms,
            rule: binding.rule.clone(),
            quota: binding.quota,
            resource: binding.resource,
            needed: binding.needed,
            available: binding.available,
            verdict: Some(*verdict),
            ..last.clone()
        };
        if last.from_ms == *at_ms {
            *last = row;
        } else {
            last.to_ms = *at_ms;
            rows.push(row);
        }
    }
    rows
}

/// The size class of a request.
fn size(report: &Report, shape: &quotree_page::model::Shape) -> String {
    let is_gpu = |resource: u32| report.resources.get(resource as usize).is_some_and(|r| r.kind == ResourceKind::Gpu);
    let gpus = shape.request.iter().find(|amount| is_gpu(amount.resource)).map_or(0, |amount| amount.amount);
    match gpus {
        0 => "no GPU",
        1..=999 => "part of a GPU",
        1_000 => "1 GPU",
        1_001..=7_999 => "2 to 7 GPUs",
        8_000 => "8 GPUs",
        _ => "more than 8 GPUs",
    }
    .to_owned()
}

/// Sorted waits as steps: the wait, and how many pods waited at most this long; reduced by rank.
fn steps(waits: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (rank, ms) in (1u64..).zip(waits) {
        match all.last_mut() {
            Some((last, pods)) if last == ms => *pods = rank,
            _ => all.push((*ms, rank)),
        }
    }
    let many = all.len();
    let kept = (0..many).filter(|i| many <= MOST_POINTS || (i + 1) * MOST_POINTS / many != i * MOST_POINTS / many);
    kept.filter_map(|i| all.get(i).copied()).unzip()
}

/// Exact quantiles by nearest rank; sorts the list.
pub(super) fn quantiles(waits: &mut [u64]) -> WaitQuantiles {
    waits.sort_unstable();
    let rank = |percent: usize| {
        let place = (waits.len() * percent).div_ceil(100).saturating_sub(1);
        waits.get(place).copied().unwrap_or(0)
    };
    WaitQuantiles {
        count: waits.len() as u64,
        sum_ms: waits.iter().map(|ms| u128::from(*ms)).sum(),
        p50_ms: rank(50),
        p95_ms: rank(95),
        p99_ms: rank(99),
        max_ms: rank(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_exact_when_few_and_end_with_the_longest() {
        assert_eq!(steps(&[0, 0, 5, 9]), (vec![0, 5, 9], vec![2, 3, 4]));
        let many: Vec<u64> = (0..1_000).collect();
        let (ms, pods) = steps(&many);
        assert_eq!((ms.len(), ms.last(), pods.last()), (200, Some(&999), Some(&1_000)));
        assert!(ms.iter().zip(&pods).all(|(ms, pods)| ms + 1 == *pods));
    }
}

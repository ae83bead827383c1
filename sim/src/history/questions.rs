//! Which waits are explained in full: all in a small run; in a large one, those that users are likely to ask about.

use super::{History, JobHistory, PodEnd, waits::SUSPENDED};
use crate::{
    model::{Predicate, Scenario, Selector},
    options::Question,
};
use quotree_core::Name;
use std::{cmp::Reverse, collections::BTreeSet};

/// Which waits are explained in full, at most `most`. If there are more waits, those of jobs that were evicted, lost
/// pods or missed their deadline come first, then those of jobs that a claim is about, then all others; within each
/// kind, the longest first. A claim about everybody prefers no job. Equal questions are asked once. A workload that a
/// job queue suspends is unknown to the scheduler and has no full reason.
///
/// If `most` allows further questions, the longest waits are explained again while they last, at moments when pods came
/// or went: the reason at the beginning of a wait may no longer apply an hour later. Takes O(n log n) of the waits and
/// placements, and O(claims x jobs).
#[must_use]
pub fn questions(scenario: &Scenario, history: &History, most: usize) -> Vec<Question> {
    let (troubled, claimed) = (troubled(scenario, history), claimed(scenario, history));
    let rank = |job: u32| match () {
        () if troubled.contains(&job) => 0,
        () if claimed.contains(&job) => 1,
        () => 2,
    };
    let job = |pod: u32| history.pods.get(pod as usize).map_or(u32::MAX, |pod| pod.job);
    let waits = history.waits.iter().filter(|wait| wait.why.rule != SUSPENDED && wait.from_ms < wait.to_ms);
    let mut ranked: Vec<_> = waits
        .map(|wait| {
            let question = Question { at_ms: wait.from_ms, pod: wait.pod };
            (rank(job(wait.pod)), Reverse(wait.to_ms - wait.from_ms), question)
        })
        .collect();
    ranked.sort_unstable();
    let mut chosen: BTreeSet<Question> = ranked.iter().map(|(.., question)| *question).take(most).collect();
    let moments = moments(history);
    ranked.sort_unstable_by_key(|(_, length, question)| (*length, *question));
    for (_, Reverse(length), Question { at_ms, pod }) in ranked {
        let from = moments.partition_point(|moment| *moment <= at_ms);
        let to = moments.partition_point(|moment| *moment < at_ms.saturating_add(length));
        let within = moments.get(from..to).unwrap_or_default();
        let each = within.len().div_ceil(AGAIN).max(1);
        for at_ms in within.iter().step_by(each) {
            if chosen.len() >= most {
                break;
            }
            chosen.insert(Question { at_ms: *at_ms, pod });
        }
    }
    chosen.into_iter().collect()
}

/// How many further questions there are about one wait at most.
const AGAIN: usize = 8;

/// The moments at which pods were placed on nodes or left them, or nodes changed their state.
fn moments(history: &History) -> Vec<u64> {
    let placed = history.placements.iter().flat_map(|row| [Some(row.bound_ms), row.gone.map(|(at, _)| at)]);
    let nodes = history.nodes.iter().flat_map(|node| node.states.iter().map(|(at, _)| Some(*at)));
    let mut moments: Vec<u64> = placed.chain(nodes).flatten().collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// Jobs that were evicted, lost pods with their nodes, or missed their deadline.
fn troubled(scenario: &Scenario, history: &History) -> BTreeSet<u32> {
    let mut jobs: BTreeSet<u32> = BTreeSet::new();
    let of = |pod: u32| history.pods.get(pod as usize).map(|pod| pod.job);
    jobs.extend(history.evictions.iter().filter_map(|eviction| of(eviction.pod)));
    let is_late = |job: &JobHistory, at: u64| job.deadline_ms(scenario).is_some_and(|deadline| at > deadline);
    for pod in &history.pods {
        let Some(job) = history.jobs.get(pod.job as usize) else { continue };
        let (at, lost) = pod.ended.map_or((history.end_ms, false), |(at, how)| (at, how == PodEnd::Lost));
        if lost || is_late(job, at) {
            jobs.insert(pod.job);
        }
    }
    jobs
}

/// Jobs that a claim selects: by their workload, namespace, user or group, or by a quota above them.
fn claimed(scenario: &Scenario, history: &History) -> BTreeSet<u32> {
    let claims = || scenario.claims.iter().map(|claim| &claim.what);
    let is_claimed = |job: &JobHistory| claims().any(|what| is_about(what, scenario, history, job));
    (0u32..).zip(&history.jobs).filter(|(_, job)| is_claimed(job)).map(|(place, _)| place).collect()
}

fn is_about(what: &Predicate, scenario: &Scenario, history: &History, job: &JobHistory) -> bool {
    let under = |name: &Name| {
        let parent = |quota: &u32| history.quotas.get(*quota as usize).and_then(|quota| quota.parent);
        let mut path = std::iter::successors(job.quota, parent).take(history.quotas.len());
        path.any(|quota| history.quotas.get(quota as usize).is_some_and(|quota| quota.name == name.as_str()))
    };
    let workload = |name: &str| scenario.workloads.get(job.workload as usize).is_some_and(|w| w.name == name);
    match (what, what.selector()) {
        (Predicate::Used { quota, .. } | Predicate::Borrowed { quota, .. }, _) | (_, Some(Selector::Quota(quota))) => {
            under(quota)
        }
        (_, Some(Selector::Namespace(name))) => job.namespace == *name,
        (_, Some(Selector::Workload(name) | Selector::Task { workflow: name, .. })) => workload(name),
        (_, Some(Selector::User(name))) => job.user.as_ref() == Some(name),
        (_, Some(Selector::Group(name))) => job.group.as_ref() == Some(name),
        (_, Some(Selector::All) | None) => false,
    }
}

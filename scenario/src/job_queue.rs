//! `queues: [JobQueue(..)]`: queues in front of leaves.

use super::{
    diagnostic::Report,
    quota::ReadTree,
    reader::{At, Fields, choice, variant},
    syntax::Node,
    values::{Ms, Positive},
};
use quotree_core::Name;
use quotree_model::{JobQueue, QueueOrder};
use std::collections::BTreeSet;

/// Reads all queues; `trees` are the tree at the start and those that events bring.
pub(crate) fn read<'a>(
    items: &[&Node],
    trees: impl Iterator<Item = &'a ReadTree> + Clone,
    report: &mut Report,
) -> Vec<JobQueue> {
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    let mut queues = Vec::new();
    for item in items {
        let Some(variant) = variant(item, &["JobQueue"], "`JobQueue(..)`", report) else { continue };
        let mut fields = variant.fields(&[], report);
        let quota = fields.required::<At<Name>>("quota", report);
        let queue = one(&mut fields, report);
        fields.finish(report);
        let Some(quota) = quota else { continue };
        if !taken.insert(quota.value.clone()) {
            report.error(quota.span, format!("a second queue for `{}`", quota.value), "has one already");
        }
        check_leaf(&quota, trees.clone(), report);
        queues.push(JobQueue { quota: quota.value, ..queue });
    }
    queues
}

fn one(fields: &mut Fields<'_>, report: &mut Report) -> JobQueue {
    let words = [("Skip", QueueOrder::Skip), ("Block", QueueOrder::Block), ("RoundRobin", QueueOrder::RoundRobin)];
    let queueing_node = fields.node("queueing");
    let queueing = queueing_node.and_then(|node| choice(node, &words, report)).unwrap_or_default();
    let max_jobs = fields.optional::<At<u32>>("max_jobs", report);
    if let Some(zero) = max_jobs.as_ref().filter(|jobs| jobs.value == 0) {
        report.error(zero.span, "`max_jobs` must be at least 1", "nothing would ever leave the queue");
    }
    let start_timeout_ms = fields.optional::<Positive>("start_timeout", report).map(|ms| ms.0);
    let backoff_ms = fields.optional::<Positive>("backoff", report).map_or(60_000, |ms| ms.0);
    let backoff_max = fields.optional::<At<Ms>>("backoff_max", report);
    if let Some(max) = backoff_max.as_ref().filter(|max| max.value.0 < backoff_ms) {
        report.error(max.span, "`backoff_max` is shorter than `backoff`", "the longest wait");
    }
    if let Some(node) = queueing_node.filter(|_| queueing == QueueOrder::RoundRobin && start_timeout_ms.is_none()) {
        report
            .error(
                node.span,
                "`RoundRobin` sends jobs back that do not start in time: it needs `start_timeout`",
                "no time",
            )
            .help("give one, such as `start_timeout: \"5m\"`");
    }
    let backoff_max_ms = backoff_max.map_or(3_600_000.max(backoff_ms), |ms| ms.value.0);
    let max_jobs = max_jobs.map(|jobs| jobs.value);
    JobQueue { quota: "".into(), queueing, max_jobs, start_timeout_ms, backoff_ms, backoff_max_ms }
}

/// A queue stands before a leaf of some tree of the scenario.
fn check_leaf<'a>(quota: &At<Name>, trees: impl Iterator<Item = &'a ReadTree> + Clone, report: &mut Report) {
    let mut quotas = trees.flat_map(|tree| &tree.spec.quotas);
    let known = quotas.clone().any(|q| q.name == quota.value);
    if !known {
        let names: BTreeSet<&str> = quotas.map(|q| q.name.as_str()).collect();
        report
            .error(quota.span, format!("there is no quota `{}`", quota.value), "unknown quota")
            .did_you_mean(quota.value.as_str(), names);
    } else if quotas.all(|q| q.name != quota.value || q.namespaces.is_empty()) {
        report.error(
            quota.span,
            format!("`{}` has no namespaces: a queue stands before a leaf", quota.value),
            "no leaf",
        );
    }
}

//! `queues: [JobQueue(..)]`: queues in front of leaves.

use crate::quota::ReadTree;
use quotree_core::Name;
use quotree_model::{JobQueue as Checked, QueueOrder};
use quotree_syntax::{At, Ms, Positive, Report, record};
use std::collections::BTreeSet;

record! {
    /// Suspends the jobs of a leaf: all workloads except Deployments, that is, what `max_jobs` of a quota counts. A job
    /// is released when it is its turn, and the max of the leaf covers it in addition to everything that is requested
    /// there.
    pub(crate) struct JobQueue in "job queue" {
        /// The leaf. It also identifies the queue for `extends`.
        quota: At<Name> => required,
        /// The order of jobs: by priority, age (O3) and id. `Skip`: a job that cannot be released is passed over.
        /// `Block`: the queue waits for such a job, and releases the next job only after the last one has started.
        /// `RoundRobin`: a job that did not start in time goes behind the jobs that were tried less often.
        queueing: At<QueueOrder> => "`Skip`",
        /// The most jobs that are released at once.
        max_jobs: At<u32> => "no limit",
        /// A job that has not started within this time of its release returns to the queue. If victims for it are still
        /// terminating, it gets the same time again.
        start_timeout: Positive => "never",
        /// The back-off of a job that has returned for the first time; each further return doubles it.
        backoff: Positive = Positive(60_000),
        /// The longest back-off.
        backoff_max: At<Ms> => "`1h`",
    }
}

/// Checks all queues; `trees` are the tree at the start and those that events result in.
pub(crate) fn check<'a>(
    written: &[JobQueue],
    trees: impl Iterator<Item = &'a ReadTree> + Clone,
    report: &mut Report,
) -> Vec<Checked> {
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    let mut queues = Vec::new();
    for read in written {
        check_fields(read, report);
        let Some(quota) = &read.quota else { continue };
        if !taken.insert(quota.value.clone()) {
            report.error(
                quota.span,
                format!("duplicate queue for `{}`", quota.value),
                "this quota already has a queue",
            );
        }
        check_leaf(quota, trees.clone(), report);
        let backoff_ms = read.backoff.0;
        queues.push(Checked {
            quota: quota.value.clone(),
            queueing: read.queueing.as_ref().map(|queueing| queueing.value).unwrap_or_default(),
            max_jobs: read.max_jobs.as_ref().map(|jobs| jobs.value),
            start_timeout_ms: read.start_timeout.map(|ms| ms.0),
            backoff_ms,
            backoff_max_ms: read.backoff_max.as_ref().map_or(3_600_000.max(backoff_ms), |ms| ms.value.0),
        });
    }
    queues
}

fn check_fields(read: &JobQueue, report: &mut Report) {
    if let Some(zero) = read.max_jobs.as_ref().filter(|jobs| jobs.value == 0) {
        report.error(zero.span, "`max_jobs` must be at least 1", "no job would ever be admitted");
    }
    if let Some(max) = read.backoff_max.as_ref().filter(|max| max.value.0 < read.backoff.0) {
        report.error(max.span, "`backoff_max` is shorter than `backoff`", "the longest back-off");
    }
    let rotates = read.queueing.as_ref().filter(|queueing| queueing.value == QueueOrder::RoundRobin);
    if let Some(queueing) = rotates.filter(|_| read.start_timeout.is_none()) {
        let title = "`RoundRobin` needs `start_timeout`: it sends back jobs that do not start in time";
        report.error(queueing.span, title, "no time").help("add one, such as `start_timeout: \"5m\"`");
    }
}

/// Reports a queue whose quota is not a leaf in any tree of the scenario.
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
            format!("`{}` has no namespaces, and a job queue needs a leaf quota", quota.value),
            "not a leaf with namespaces",
        );
    }
}

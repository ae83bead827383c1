//! Which limit binds: for what the waiting pods of a selection waited, by rule and quota, longest first.

use quotree_sim::{
    Run,
    model::{Predicate, Scenario, Selector},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A reason for which pods waited, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BindingLimit {
    /// The rule.
    pub rule: String,
    /// The quota whose limit it is, if it is one of a quota.
    pub quota: Option<String>,
    /// The resource that was missing.
    pub resource: Option<String>,
    /// The limit of that quota in that resource, base units.
    pub max: Option<i64>,
    /// The time that pods waited for it, added up, milliseconds.
    pub pod_ms: u128,
    /// Its share of all their waiting, thousandths.
    pub permille: u64,
}

/// Why the pods that a claim is about waited in a run with history. The claim is the first of the scenario that failed.
#[must_use]
pub fn binding_limits(scenario: &Scenario, run: &Run) -> Vec<BindingLimit> {
    let Some(history) = &run.history else { return Vec::new() };
    let failed = scenario.claims.iter().zip(&run.result.claims.results).find(|(_, result)| !result.passed);
    let selector = failed.and_then(|(claim, _)| selector(&claim.what));
    let below = |mut quota: Option<u32>, name: &str| {
        while let Some(row) = quota.and_then(|quota| history.quotas.get(quota as usize)) {
            if row.name == name {
                return true;
            }
            quota = row.parent;
        }
        false
    };
    let is_ours = |pod: u32| {
        let job = history.pods.get(pod as usize).and_then(|pod| history.jobs.get(pod.job as usize));
        job.is_some_and(|job| match selector {
            Some(Selector::Quota(name)) => below(job.quota, name.as_str()),
            Some(Selector::Namespace(name)) => job.namespace == *name,
            Some(Selector::User(name)) => job.user.as_ref() == Some(name),
            Some(Selector::Group(name)) => job.group.as_ref() == Some(name),
            Some(Selector::Workload(name)) => {
                scenario.workloads.get(job.workload as usize).is_some_and(|workload| workload.name == *name)
            }
            _ => true,
        })
    };
    let mut sums: BTreeMap<(&str, Option<u32>, Option<u32>), u128> = BTreeMap::new();
    for wait in history.waits.iter().filter(|wait| is_ours(wait.pod)) {
        let length = wait.to_ms.saturating_sub(wait.from_ms);
        *sums.entry((wait.why.rule, wait.why.quota, wait.why.resource)).or_default() += u128::from(length);
    }
    let all: u128 = sums.values().sum();
    let mut found: Vec<BindingLimit> = sums
        .into_iter()
        .filter(|(_, pod_ms)| *pod_ms > 0)
        .map(|((rule, quota, resource), pod_ms)| {
            let quota = quota.and_then(|quota| history.quotas.get(quota as usize));
            let max = quota.and_then(|row| row.max.iter().find(|(number, _)| Some(*number) == resource));
            BindingLimit {
                rule: rule.to_owned(),
                quota: quota.map(|row| row.name.clone()),
                resource: resource.and_then(|number| history.resources.get(number as usize)).map(ToString::to_string),
                max: max.map(|(_, amount)| *amount),
                pod_ms,
                permille: u64::try_from(pod_ms * 1000 / all.max(1)).unwrap_or(1000),
            }
        })
        .collect();
    found.sort_by_key(|limit| std::cmp::Reverse(limit.pod_ms));
    found
}

/// Whose work a claim is about.
fn selector(what: &Predicate) -> Option<&Selector> {
    what.selector()
}

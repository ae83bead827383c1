//! A row of a dump: the pods of a unit with their quota, budget and priority.

use super::{
    dump::Dump,
    place::row_namespace,
    pod_notes::{Plan, PodNote},
    units::{Candidate, Unit},
};
use crate::{MAX_MS, TraceOptions};
use quotree_core::{Name, PodTemplate, Time};
use quotree_k8s::{
    Loss, PodFacts,
    budget::{Budget, NoneAllowed, budget_of},
    names,
    stage::{Foreign, class_of, foreign, named_quota, preemptible},
};
use quotree_model::{Deletion, Limits, RowDetails, TraceRow};
use std::{collections::BTreeSet, sync::Arc};

/// The row of a unit.
pub(super) fn row(
    unit: &Unit,
    candidates: &[Candidate<'_>],
    dump: &Dump,
    options: &TraceOptions,
    (first, now): (i64, i64),
    plan: &mut Plan,
) -> Option<TraceRow> {
    let pods: Vec<&Candidate<'_>> = unit.pods(candidates).collect();
    let leader = pods.first()?.pod;
    let at = if unit.bound(candidates) { unit.created(candidates) } else { now };
    let time = |ms: i64| Time(u64::try_from(ms.saturating_sub(first)).unwrap_or(0).min(MAX_MS));
    // At the time of the dump it is terminating; it is gone when its grace period ends, or at once if that has passed.
    let deletion = leader.deleted_ms.map(|end| Deletion { from: time(now), until: time(end.max(now)) });
    let mut sets: Vec<(Arc<PodTemplate>, u32)> = Vec::new();
    for candidate in &pods {
        // The API server copies the preemption policy of the class to the pod, a manifest leaves it to the class.
        let never = class_of(candidate.pod, &dump.classes).filter(|class| class.never_preempts);
        let losses: BTreeSet<Loss> =
            candidate.placed.losses.iter().copied().chain(never.map(|_| Loss::NeverPreempts)).collect();
        for loss in losses {
            *plan.losses.entry(loss).or_default() += 1;
        }
        match sets.iter_mut().find(|(template, _)| Arc::ptr_eq(template, &candidate.placed.template)) {
            Some((_, count)) => *count += 1,
            None => sets.push((Arc::clone(&candidate.placed.template), 1)),
        }
    }
    let facts: Vec<&PodFacts> = pods.iter().map(|candidate| candidate.pod).collect();
    let (template, count) = sets.remove(0);
    let details = RowDetails {
        others: sets,
        preemptible: preemption(&facts, dump, plan),
        budget: budget(&facts, dump, plan),
        together: unit.together,
        deletion,
    };
    let runtime_limit_ms = facts.iter().filter_map(|pod| pod.runtime_limit_ms).min();
    Some(TraceRow {
        name: format!("{}/{}", leader.namespace, unit.gang.as_ref().unwrap_or(&leader.name)).into(),
        submit: time(at),
        runtime_ms: MAX_MS,
        namespace: home(leader, facts.len(), dump, options, plan),
        user: options.user.clone(),
        priority: facts.iter().filter_map(|pod| priority(pod, dump, plan)).max(),
        pods: count,
        template,
        limits: Limits { runtime_limit_ms, ..Limits::default() },
        details: (details != RowDetails::default()).then(|| Box::new(details)),
    })
}

/// The priority of a pod; `None`: that of the trace.
fn priority(pod: &PodFacts, dump: &Dump, plan: &mut Plan) -> Option<i32> {
    let class = class_of(pod, &dump.classes);
    if pod.priority.is_none()
        && class.is_none()
        && let Some(name) = &pod.priority_class
    {
        plan.tell(PodNote::NoClass, 1);
        plan.unknown.insert((PodNote::NoClass, name.clone()));
    }
    pod.priority.or(class.map(|class| class.value))
}

/// The namespace of a row. A pod that requests another leaf than that of its namespace gets an additional namespace on
/// that leaf.
fn home(pod: &PodFacts, pods: usize, dump: &Dump, options: &TraceOptions, plan: &mut Plan) -> Name {
    let namespace = row_namespace(&pod.namespace, options);
    let Some(named) = named_quota(pod) else { return namespace };
    let Some(leaf) = dump.tree.leaf(named) else {
        plan.tell(PodNote::NoQuota, pods);
        plan.unknown.insert((PodNote::NoQuota, named.clone()));
        return namespace;
    };
    if dump.tree.home(&pod.namespace) == Some(leaf) || options.namespace.is_some() {
        return namespace;
    }
    plan.tell(PodNote::Visitor, pods);
    let visitor = Name::from(format!("{namespace}@{leaf}"));
    plan.visitors.insert(visitor.clone(), leaf.clone());
    visitor
}

/// Whether the pods of a row may be evicted; `None`: as for the whole trace. A leaf must have a guarantee for pods that
/// may not be evicted (A2), so this is kept only if the dump has quotas.
fn preemption(pods: &[&PodFacts], dump: &Dump, plan: &mut Plan) -> Option<bool> {
    let pod = pods.first()?;
    let ours: Vec<Name> = pod.scheduler.iter().cloned().chain([names::DEFAULT_SCHEDULER.into()]).collect();
    let theirs = foreign(pod, &ours).is_some_and(|foreign| foreign != Foreign::Scheduler);
    let refused = !pods.iter().all(|pod| preemptible(pod));
    if !theirs && !refused {
        return None;
    }
    let leaf = named_quota(pod).and_then(|name| dump.tree.leaf(name)).or_else(|| dump.tree.home(&pod.namespace));
    if dump.tree.spec.is_some() && (refused || leaf.is_none()) {
        return Some(false);
    }
    plan.tell(if refused { PodNote::NotPreemptible } else { PodNote::Foreign }, pods.len());
    None
}

/// The budget of a row: that of its first pod that has one.
fn budget(pods: &[&PodFacts], dump: &Dump, plan: &mut Plan) -> Option<Name> {
    let budgets = dump.budgets.get(&pods.first()?.namespace)?;
    let found: Vec<Budget> = pods.iter().filter_map(|pod| budget_of(pod, budgets)).collect();
    let first = found.first()?;
    let equal = found.len() == pods.len() && found.iter().all(|budget| budget == first);
    plan.tell(PodNote::MixedBudgets, if equal { 0 } else { pods.len() });
    match first.none {
        Some(NoneAllowed::Unobserved) => plan.tell(PodNote::Unobserved, pods.len()),
        Some(NoneAllowed::Several) => plan.tell(PodNote::TwoBudgets, pods.len()),
        None => {}
    }
    plan.budgets.insert(first.name.clone(), first.allowed);
    Some(first.name.clone())
}

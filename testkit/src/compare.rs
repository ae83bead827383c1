//! Compares the decisions of the core with those of the reference, and their state afterwards.

use crate::{
    drive::brief,
    reference::{Decision, Reference},
};
use quotree_core::{Action, BlockingReason, Plan, ReleaseReason, Rule, Scheduler, Time, Verdict, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// The first difference of two plans: in an action, or in what binds a pending workload. The latter is not compared in
/// trees with lending limits (`lends`).
#[must_use]
pub fn differences(core: &Plan, reference: &Decision, lends: bool) -> Vec<String> {
    let shown =
        |action: Option<&Action>| action.map_or("nothing".to_owned(), |action| format!("{} {action:?}", brief(action)));
    for i in 0..core.actions.len().max(reference.actions.len()) {
        let (a, b) = (core.actions.get(i), reference.actions.get(i));
        if a != b {
            return vec![format!("action {i}: the core says {}\n    the reference {}", shown(a), shown(b))];
        }
    }
    let of = |verdict: &Verdict| {
        let id = verdict.workload;
        reference.verdicts.iter().filter(move |v| v.workload == id)
    };
    // With lending limits the core may try a workload again that the reference knows to be barred, and its verdict is
    // of that later moment.
    let tried = core.verdicts.iter().filter(|v| !lends && of(v).next().is_some());
    let unlike = tried.filter(|v| !of(v).any(|other| same(&v.binding, &other.binding) && v.entitled == other.entitled));
    let text = |binding: &BlockingReason, entitled: bool| format!("{}, entitled: {entitled}", binding.rule());
    unlike
        .map(|v| {
            let others: Vec<String> =
                of(v).map(|v| format!("{} {:?}", text(&v.binding, v.entitled), v.binding)).collect();
            format!(
                "{} is pending: the core says {} {:?}, the reference {others:?}",
                v.workload,
                text(&v.binding, v.entitled),
                v.binding
            )
        })
        .collect()
}

/// Whether two reasons are the same. Of missing room only the kind is compared, since the reference does not say which
/// node is closest; of all others, the amounts too.
fn same(a: &BlockingReason, b: &BlockingReason) -> bool {
    matches!((a, b), (BlockingReason::Room(_), BlockingReason::Room(_))) || a == b
}

/// Compares the explanations of both why a workload is pending now.
#[must_use]
pub fn explanations(core: &Scheduler, reference: &Reference) -> Vec<String> {
    let mut violations = Vec::new();
    for workload in core.waiting() {
        let a = core.explain(workload).map(|verdict| (verdict.binding, verdict.entitled));
        let b = reference.explain(workload);
        let alike = a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| same(&a.0, &b.0) && a.1 == b.1);
        if !alike {
            violations.push(format!("{workload}: the core explains {a:?}, the reference {b:?}"));
        }
    }
    violations
}

/// Compares which workloads are pending, and whether either asks for a decision in the next moment (R2c). The latter is
/// not compared in trees with lending limits (`lends`), where the core tries more workloads.
#[must_use]
pub fn state_differences(core: &Scheduler, reference: &Reference, now: Time, lends: bool) -> Vec<String> {
    let (a, b) = (core.waiting(), reference.waiting());
    if a != b {
        return vec![format!("by the core {a:?} wait, by the reference {b:?}")];
    }
    let soon = |wake: Option<Time>| wake.is_some_and(|wake| wake <= now.after_ms(1));
    let (a, b) = (core.next_wake(), reference.next_wake());
    if lends || soon(a) == soon(b) {
        Vec::new()
    } else {
        vec![format!("at {now:?} the core wakes at {a:?}, the reference at {b:?}")]
    }
}

/// The kinds of events in a plan, under the names by which tests count coverage.
#[must_use]
pub fn occurred(plan: &Plan) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let mut victims: BTreeMap<WorkloadId, u32> = BTreeMap::new();
    for action in &plan.actions {
        match action {
            Action::Bind { reason, pod, .. } => {
                seen.insert(if reason.entitled { "guarantee" } else { "borrowing" });
                seen.extend(reason.held.then_some("held room"));
                seen.extend((pod.ordinal > 0).then_some("gangs bound"));
            }
            Action::Evict { pod, reason } => {
                let rules = [
                    (Rule::R1, "within a leaf"),
                    (Rule::R2, "reclaim"),
                    (Rule::G3, "stale gangs"),
                    (Rule::T4, "ceilings enforced"),
                ];
                seen.extend(rules.into_iter().find(|(rule, _)| *rule == reason.rule).map(|(_, word)| word));
                seen.extend(reason.budget_broken.then_some("budgets broken"));
                seen.extend((reason.leaf.is_none()).then_some("evicted without a quota"));
                *victims.entry(pod.workload).or_default() += 1;
            }
            Action::Release { reason, .. } => {
                seen.insert(match reason {
                    ReleaseReason::NeededBy(_) => "holds taken over",
                    ReleaseReason::TimedOut => "holds timed out",
                    ReleaseReason::TreeChanged => "holds ended by an edit",
                    ReleaseReason::NodeLost(_) => "holds ended by a lost node",
                    ReleaseReason::Evicted => "holds of evicted gangs",
                    ReleaseReason::EvictFailed(_) => "holds whose victims stay",
                    ReleaseReason::Changed => "holds of changed workloads",
                    _ => "holds that no longer fit",
                });
            }
            _ => {}
        }
    }
    seen.extend(victims.values().any(|pods| *pods > 1).then_some("gang evictions"));
    seen
}

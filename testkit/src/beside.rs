//! Compares what the core decides with what the reference decides, and what both believe afterwards.

use crate::{drive::brief, reference::Reference};
use quotree_core::{Action, Binding, Plan, ReleaseReason, Rule, Scheduler, Verdict, WorkloadId};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem::discriminant,
};

/// How two plans differ: in the first action that is not the same, or in what binds a workload that waits.
#[must_use]
pub fn differences(core: &Plan, reference: &Plan) -> Vec<String> {
    let said = |action: Option<&Action>| action.map_or("nothing".to_owned(), |action| format!("{} {action:?}", brief(action)));
    for i in 0..core.actions.len().max(reference.actions.len()) {
        let (a, b) = (core.actions.get(i), reference.actions.get(i));
        if a != b {
            return vec![format!("action {i}: the core says {}\n    the reference {}", said(a), said(b))];
        }
    }
    let of = |verdict: &Verdict| {
        let id = verdict.workload;
        reference.verdicts.iter().filter(move |v| v.workload == id)
    };
    // The core sometimes tries in vain whom the reference knows to be barred; then there is nothing to compare.
    let last = |v: &Verdict| core.verdicts.iter().rfind(|other| other.workload == v.workload).is_some_and(|l| std::ptr::eq(l, v));
    let tried = core.verdicts.iter().filter(|v| last(v) && of(v).next().is_some());
    let unlike = tried.filter(|v| !of(v).any(|other| same_verdict(v, other)));
    let told = |v: &Verdict| format!("{}, entitled: {}", v.binding.rule(), v.entitled);
    unlike
        .map(|v| {
            let others: Vec<String> = of(v).map(|v| format!("{} {:?}", told(v), v.binding)).collect();
            format!("{} waits: the core says {} {:?}, the reference {others:?}", v.workload, told(v), v.binding)
        })
        .collect()
}

/// Limits are compared with their amounts, missing room by kind: the reference does not tell which node lacks least.
fn same_verdict(a: &Verdict, b: &Verdict) -> bool {
    let same = match (&a.binding, &b.binding) {
        (Binding::Room { .. }, Binding::Room { .. }) => true,
        (a, b) => discriminant(a) == discriminant(b) && a == b,
    };
    same && a.entitled == b.entitled
}

/// Who waits, by both.
#[must_use]
pub fn state_differences(core: &Scheduler, reference: &Reference) -> Vec<String> {
    let (a, b) = (core.waiting(), reference.waiting());
    if a == b { Vec::new() } else { vec![format!("by the core {a:?} wait, by the reference {b:?}")] }
}

/// What of interest a plan does, in a word each.
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
                    _ => "holds in vain",
                });
            }
            _ => {}
        }
    }
    seen.extend(victims.values().any(|pods| *pods > 1).then_some("gang evictions"));
    seen
}

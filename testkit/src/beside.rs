//! Compares what the core decides with what the reference decides, and what both believe afterwards.

use crate::{drive::brief, reference::Reference};
use quotree_core::{Action, Binding, Plan, Scheduler, Verdict};
use std::mem::discriminant;

/// How two plans differ: in the first action that is not the same, or in what binds a workload that waits.
#[must_use]
pub fn differences(core: &Plan, reference: &Plan) -> Vec<String> {
    let said =
        |action: Option<&Action>| action.map_or("nothing".to_owned(), |action| format!("{} {action:?}", brief(action)));
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
    let tried = core.verdicts.iter().filter(|v| of(v).next().is_some());
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

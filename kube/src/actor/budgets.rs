//! Disruption budgets, as the core has them: what each allows, and which limits a workload.

use super::{Live, seen::Seen};
use quotree_core::{Event, Name, NewBudget, WorkloadChange, WorkloadId};
use quotree_k8s::{
    PodFacts,
    budget::{NoneAllowed, budget_of},
};
use std::collections::{BTreeMap, BTreeSet};

/// The budget of each workload that was reported to the core.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budgets {
    of: BTreeMap<WorkloadId, Option<Name>>,
}

impl Budgets {
    /// Notes the budget of a workload that is reported.
    pub(crate) fn note(&mut self, workload: WorkloadId, budget: Option<Name>) {
        self.of.insert(workload, budget);
    }

    /// Forgets a workload that has ended.
    pub(crate) fn forget(&mut self, workload: WorkloadId) {
        self.of.remove(&workload);
    }
}

/// Reports what a budget allows. Where it is gone, nothing protects its pods any more.
pub(crate) fn allows(live: &mut Live, seen: &Seen, key: &(Name, Name)) {
    let allowed = seen.budgets.get(key).map_or(u32::MAX, |budget| budget.allowed.unwrap_or(0));
    let budget = Name::from(format!("{}/{}", key.0, key.1));
    live.apply(Event::BudgetChanged { budget: budget.clone(), allowed }, || format!("budget {budget}"));
}

/// The budget of a pod. Where several select it, the API refuses every eviction, so that budget allows none.
pub(crate) fn protecting(live: &mut Live, seen: &Seen, pod: &PodFacts) -> Option<Name> {
    let budget = budget_of(pod, &seen.budgets_in(&pod.namespace))?;
    if budget.none == Some(NoneAllowed::Several) {
        let event = Event::BudgetChanged { budget: budget.name.clone(), allowed: 0 };
        live.apply(event, || budget.name.to_string());
    }
    Some(budget.name)
}

/// Budgets of these namespaces select other pods than before: reports the workloads that have another budget now. Costs a
/// pass over all workloads.
pub(crate) fn select_anew(live: &mut Live, seen: &Seen, namespaces: &BTreeSet<Name>) {
    if namespaces.is_empty() {
        return;
    }
    let known: Vec<(WorkloadId, Option<Name>)> =
        live.budgets.of.iter().map(|(id, budget)| (*id, budget.clone())).collect();
    for (workload, before) in known {
        let Some(pod) = live.ids.pods_of(workload).find_map(|uid| seen.pods.get(uid)) else { continue };
        if namespaces.contains(&pod.facts.namespace) {
            renew(live, seen, workload, before, &pod.facts);
        }
    }
}

/// A pod has changed: other labels may be those of another budget.
pub(crate) fn follow(live: &mut Live, seen: &Seen, workload: WorkloadId) {
    let Some(pod) = live.ids.pods_of(workload).find_map(|uid| seen.pods.get(uid)) else { return };
    let Some(before) = live.budgets.of.get(&workload).cloned() else { return };
    renew(live, seen, workload, before, &pod.facts);
}

fn renew(live: &mut Live, seen: &Seen, workload: WorkloadId, before: Option<Name>, pod: &PodFacts) {
    if budget_of(pod, &seen.budgets_in(&pod.namespace)).map(|budget| budget.name) == before {
        return;
    }
    let budget = protecting(live, seen, pod);
    let named = budget.clone().map_or(NewBudget::None, NewBudget::Named);
    let change = WorkloadChange { budget: Some(named), ..WorkloadChange::of(workload) };
    let about = || format!("the budget of {}/{}", pod.namespace, pod.name);
    if live.apply(Event::WorkloadChanged(change), about) {
        live.budgets.note(workload, budget);
    }
}

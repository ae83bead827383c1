//! The quota tree and the disruption budgets, as the core has them.

use super::{Live, seen::Seen};
use quotree_core::{Event, EventError, Name, QuotaSpec, TreeSpec};
use quotree_k8s::PodFacts;
use std::collections::BTreeSet;

/// The namespace that stands for a quota that pods name by label. No namespace has a slash in its name.
fn by_label(quota: &Name) -> Name {
    format!("quota/{quota}").into()
}

/// The namespace by which the core finds the quota of a pod: that of its label, or its own.
pub(crate) fn charged_to(pod: &PodFacts) -> Name {
    quotree_k8s::stage::named_quota(pod).map_or_else(|| pod.namespace.clone(), by_label)
}

/// The tree with one more namespace for each leaf, for the pods that name the leaf by label.
pub(crate) fn with_labels(tree: &TreeSpec) -> TreeSpec {
    let parents: BTreeSet<&Name> = tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
    let labelled = |quota: &QuotaSpec| {
        let mut quota = quota.clone();
        if !parents.contains(&quota.name) {
            quota.namespaces.push(by_label(&quota.name));
        }
        quota
    };
    tree.quotas.iter().map(labelled).collect()
}

/// Reports a new tree. One that the core refuses leaves the old one in force; where that is for what runs now, it is tried
/// again when pods have ended.
pub(crate) fn replace(live: &mut Live, tree: &TreeSpec) {
    let taken = live.apply(Event::TreeChanged(with_labels(tree)), || "the quota tree".to_owned());
    let for_now = matches!(live.refused.last(), Some((_, EventError::NamespaceInUse { .. })));
    live.tree_waits = !taken && for_now;
}

/// Reports what a budget allows. Where it is gone, nothing protects its pods any more.
pub(crate) fn budget(live: &mut Live, seen: &Seen, key: &(Name, Name)) {
    let allowed = seen.budgets.get(key).map_or(u32::MAX, |budget| budget.allowed.unwrap_or(0));
    let budget = Name::from(format!("{}/{}", key.0, key.1));
    live.apply(Event::BudgetChanged { budget: budget.clone(), allowed }, || format!("budget {budget}"));
}

//! The quota tree, as the core has it.

use super::{Live, seen::Seen};
use quotree_core::{Event, EventError, Finding, Name, QuotaTree, TreeSpec};
use std::{collections::BTreeSet, sync::Arc};

/// Reports a new tree. One that the core refuses, or that lacks the leaf of a group, leaves the old one in force; where that is for
/// what runs now, or for a group, it is tried again when pods have ended or groups have gone.
pub(crate) fn replace(live: &mut Live, seen: &Seen, tree: &TreeSpec) {
    if let Some(why) = group_bound(live, seen, tree) {
        (live.tree_waits, live.tree_refused) = (true, Some((true, why)));
        return;
    }
    let taken = live.apply(Event::TreeChanged(tree.clone()), || "the quota tree".to_owned());
    let for_now = matches!(live.refused.last(), Some((_, EventError::LeavesInUse { .. })));
    live.tree_waits = !taken && for_now;
    if taken {
        live.tree = Arc::new(tree.clone());
        live.tree_refused = None;
    } else if let Some((_, error)) = live.refused.last() {
        let valid = !matches!(error, EventError::InvalidTree(_));
        let why = match error {
            EventError::InvalidTree(findings) => in_words(findings),
            error => error.to_string(),
        };
        live.tree_refused = Some((valid, why));
    }
}

/// The leaves of the tree in force that a new one lacks, and that have groups, in words.
fn group_bound(live: &Live, seen: &Seen, tree: &TreeSpec) -> Option<String> {
    // A tree that is not valid is refused for that.
    if *tree == *live.tree || QuotaTree::new(tree, live.core.policy().over_promised).is_err() {
        return None;
    }
    let (now, then) = (leaves(&live.tree), leaves(tree));
    let lost = seen.groups.iter().filter(|(_, group)| now.contains(&group.leaf) && !then.contains(&group.leaf));
    let list: Vec<String> = lost.map(|(name, group)| format!("`{}` (group `{name}`)", group.leaf)).collect();
    let why = || format!("GroupBound: leaves of groups of users must stay leaves: {}", list.join(", "));
    (!list.is_empty()).then(why)
}

/// The leaves of a tree.
fn leaves(tree: &TreeSpec) -> BTreeSet<&Name> {
    let parents: BTreeSet<&Name> = tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
    tree.quotas.iter().map(|quota| &quota.name).filter(|name| !parents.contains(name)).collect()
}

/// What is wrong with a tree.
pub(crate) fn in_words(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

//! The quota tree, as the core has it.

use super::Live;
use quotree_core::{Event, EventError, Finding, TreeSpec};

/// Reports a new tree. One that the core refuses leaves the old one in force; where that is for what runs now, it is tried
/// again when pods have ended.
pub(crate) fn replace(live: &mut Live, tree: &TreeSpec) {
    let taken = live.apply(Event::TreeChanged(tree.clone()), || "the quota tree".to_owned());
    let for_now = matches!(live.refused.last(), Some((_, EventError::LeavesInUse { .. })));
    live.tree_waits = !taken && for_now;
    if taken {
        live.tree = tree.clone();
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

/// What is wrong with a tree.
pub(crate) fn in_words(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

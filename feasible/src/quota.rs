//! What an empty quota tree refuses: the best moment that a unit can have (A1, A2, L3).

use crate::unit::Unit;
use quotree_core::{Name, Policy, QuotaId, QuotaTree, TreeSpec};
use quotree_model::{Change, TimedChange};
use std::collections::BTreeSet;

/// A limit of a quota that a unit exceeds, whatever else runs.
#[derive(Debug, Clone)]
pub(crate) struct Limit<'t> {
    pub(crate) quota: &'t Name,
    pub(crate) resource: &'t Name,
    pub(crate) wanted: i128,
    /// The max or the min.
    pub(crate) limit: i64,
    /// What siblings keep from lending, and so take from the max (L3).
    pub(crate) kept: i128,
    /// Whether the limit is the min, which non-preemptible pods must stay within (A2).
    pub(crate) is_min: bool,
}

/// The tree as it is most generous at any time of the run; nothing if events replace it, or if it is not valid. A quota
/// that an event edits has the largest of its values, and keeps nothing from lending.
pub(crate) fn most_generous(tree: &TreeSpec, policy: &Policy, changes: &[TimedChange]) -> Option<QuotaTree> {
    let mut best = tree.clone();
    for timed in changes {
        match &timed.change {
            Change::ReplaceTree { .. } | Change::MoveNamespace { .. } => return None,
            Change::EditQuota { edit, .. } if edit.namespaces.is_some() => return None,
            Change::EditQuota { quota, edit } => {
                best.quotas.iter_mut().for_each(|quota| quota.lend = None);
                let found = best.quotas.iter_mut().find(|spec| spec.name == *quota)?;
                for (resource, amount) in edit.min.iter() {
                    let before = found.min.get(resource.as_str()).unwrap_or(0);
                    found.min.set(resource.clone(), before.max(amount));
                }
                for (resource, amount) in edit.max.iter() {
                    // Where there is no max, there is none until the edit.
                    if let Some(before) = found.max.get(resource.as_str()) {
                        found.max.set(resource.clone(), before.max(amount));
                    }
                }
            }
            _ => {}
        }
    }
    let edited = changes.iter().any(|timed| matches!(timed.change, Change::EditQuota { .. }));
    // The mins of several times together may promise too much; that is no mistake here.
    let over_promised = if edited { quotree_core::OverPromised::Warn } else { policy.over_promised };
    QuotaTree::new(&best, over_promised).ok()
}

/// A tree with what it keeps from lending while nothing runs (L3).
#[derive(Debug)]
pub(crate) struct Idle<'t> {
    pub(crate) tree: &'t QuotaTree,
    /// By quota and governed resource: what the quota is charged for at its parent, and the sum of this over its children.
    charged: Vec<(i64, i64)>,
    /// Resources of which events edit a min. Before or after, they may be guaranteed to nobody, so that A2 does not count
    /// them (Q5).
    edited: BTreeSet<&'t Name>,
}

impl<'t> Idle<'t> {
    /// Costs the number of quotas times that of governed resources.
    pub(crate) fn new(tree: &'t QuotaTree, changes: &'t [TimedChange]) -> Self {
        let width = tree.governed().len();
        let mut charged = vec![(0i64, 0i64); tree.len() * width];
        // Children stand after their parents.
        for quota in tree.ids().rev() {
            for (at, floor) in tree.lend_floor(quota).iter().enumerate() {
                let Some(own) = charged.get_mut(quota.0 as usize * width + at) else { continue };
                own.0 = own.1.max(*floor);
                let own = own.0;
                if let Some(above) = tree.parent(quota).and_then(|up| charged.get_mut(up.0 as usize * width + at)) {
                    above.1 = above.1.saturating_add(own);
                }
            }
        }
        let mut edited = BTreeSet::new();
        for timed in changes {
            if let Change::EditQuota { edit, .. } = &timed.change {
                edited.extend(edit.min.iter().map(|(resource, _)| resource));
            }
        }
        Self { tree, charged, edited }
    }

    fn charged(&self, quota: QuotaId, at: usize) -> (i64, i64) {
        self.charged.get(quota.0 as usize * self.tree.governed().len() + at).copied().unwrap_or_default()
    }

    /// The first limit that keeps a unit from ever being admitted. Costs the depth of the leaf times the number of
    /// governed resources.
    pub(crate) fn limit(&self, leaf: QuotaId, unit: &Unit<'_>) -> Option<Limit<'t>> {
        let (tree, total) = (self.tree, unit.total());
        for (at, resource) in tree.governed().enumerate() {
            let Some(wanted) = total.get(resource).copied() else { continue };
            let value = |row: &[i64]| row.get(at).copied().unwrap_or(0);
            let (mut charge, mut below) = (wanted, 0);
            for quota in tree.path(leaf) {
                let (idle, children) = self.charged(quota, at);
                let kept = i128::from(children) - i128::from(below);
                let used = charge.saturating_add(kept);
                let max = value(tree.max(quota));
                if max != i64::MAX && used > i128::from(max) {
                    return Some(Limit { quota: tree.name(quota), resource, wanted, limit: max, kept, is_min: false });
                }
                charge = used.max(i128::from(value(tree.lend_floor(quota))));
                below = idle;
            }
            if !unit.preemptible && tree.is_guaranteed(resource) && !self.edited.contains(resource) {
                let short = tree.path(leaf).find(|quota| wanted > i128::from(value(tree.min(*quota))));
                if let Some(quota) = short {
                    let limit = value(tree.min(quota));
                    return Some(Limit { quota: tree.name(quota), resource, wanted, limit, kept: 0, is_min: true });
                }
            }
        }
        None
    }
}

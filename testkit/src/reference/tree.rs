//! The quota tree as a list in preorder (T1, Q2, Q3, Q5): the min and max of each quota, and what it keeps from lending.

use quotree_core::{Name, Policy, Queueing, QuotaSpec, Reclaim, TreeSpec};

/// A quota, with one amount for each governed resource.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) name: Name,
    pub(super) parent: Option<usize>,
    pub(super) min: Vec<i64>,
    /// `i64::MAX` where unlimited (Q3).
    pub(super) max: Vec<i64>,
    /// `min - lend` (L3).
    pub(super) kept: Vec<i64>,
    pub(super) weight: Option<u64>,
    pub(super) jobs: Option<u32>,
    pub(super) block: bool,
    pub(super) leaf: bool,
    namespaces: Vec<Name>,
}

/// The tree; its root is the first.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) quotas: Vec<Quota>,
    /// The resources that some quota names in min or max, by name (Q2).
    pub(super) governed: Vec<Name>,
    /// Of each governed resource, whether guarantees are judged in it (Q5).
    pub(super) counted: Vec<bool>,
}

impl Tree {
    pub(super) fn new(spec: &TreeSpec, policy: &Policy) -> Self {
        let named = |q: &QuotaSpec| q.min.iter().chain(q.max.iter()).map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let mut governed: Vec<Name> = spec.quotas.iter().flat_map(named).collect();
        governed.sort();
        governed.dedup();
        let mut tree = Self { quotas: Vec::new(), governed, counted: Vec::new() };
        for root in spec.quotas.iter().filter(|q| q.parent.is_none()) {
            tree.add(root, None, spec);
        }
        // A resource is guaranteed if some quota below the root has a min in it; in a tree of one quota, if the root has.
        let promising = if tree.quotas.len() > 1 { &tree.quotas[1..] } else { &tree.quotas[..] };
        let guaranteed = |r: usize| promising.iter().any(|quota| quota.min[r] > 0);
        let all = policy.reclaim == Reclaim::FairShare;
        tree.counted = (0..tree.governed.len()).map(|r| all || guaranteed(r)).collect();
        tree
    }

    fn add(&mut self, quota: &QuotaSpec, parent: Option<usize>, spec: &TreeSpec) {
        let of = |r: &Name, absent| quota.min.get(r.as_str()).unwrap_or(absent);
        let min: Vec<i64> = self.governed.iter().map(|r| of(r, 0)).collect();
        let lends = |r: &Name| quota.lend.as_ref().map_or(of(r, 0), |lend| lend.get(r.as_str()).unwrap_or(0));
        let kept = self.governed.iter().map(|r| (of(r, 0) - lends(r)).max(0)).collect();
        let max = self.governed.iter().map(|r| quota.max.get(r.as_str()).unwrap_or(i64::MAX)).collect();
        let below: Vec<&QuotaSpec> = spec.quotas.iter().filter(|q| q.parent.as_ref() == Some(&quota.name)).collect();
        let id = self.quotas.len();
        self.quotas.push(Quota {
            name: quota.name.clone(),
            parent,
            min,
            max,
            kept,
            weight: quota.weight,
            jobs: quota.max_jobs,
            block: quota.queueing == Queueing::Block,
            leaf: below.is_empty(),
            namespaces: quota.namespaces.clone(),
        });
        for child in below {
            self.add(child, Some(id), spec);
        }
    }

    /// Whether some quota keeps part of its min from lending (L3).
    pub(super) fn keeps_any(&self) -> bool {
        self.quotas.iter().any(|q| q.kept.iter().any(|kept| *kept > 0))
    }

    /// The leaf that a workload is charged to: the one that it names, or else that of its namespace (T1).
    pub(super) fn leaf_of(&self, quota: Option<&Name>, namespace: &Name) -> Option<usize> {
        let is_it = |q: &Quota| match quota {
            Some(name) => q.leaf && q.name == *name,
            None => q.namespaces.contains(namespace),
        };
        self.quotas.iter().position(is_it)
    }

    /// The quota and all above it, ending with the root.
    pub(super) fn path(&self, quota: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(quota), |q| self.quotas.get(*q)?.parent)
    }

    pub(super) fn is_under(&self, quota: usize, ancestor: usize) -> bool {
        self.path(quota).any(|q| q == ancestor)
    }

    /// The lowest quota that has both below it, or is one of them.
    pub(super) fn common(&self, a: usize, b: usize) -> usize {
        self.path(a).find(|q| self.is_under(b, *q)).unwrap_or(0)
    }

    pub(super) fn leaves(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.quotas.len()).filter(|q| self.quotas[*q].leaf)
    }
}

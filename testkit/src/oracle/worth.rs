//! V5's order of sets: which of several legal ones is the best.

use super::{
    picture::{Asked, Picture, Pod},
    sets::LegalSet,
};
use quotree_core::PodId;
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

/// How far a quota ends below its min: what is taken of the min, and the min.
#[derive(Debug, Clone, Copy)]
struct Part(i64, i64);

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: i64, b: i64| i128::from(a) * i128::from(b);
        cross(self.0, other.1).cmp(&cross(other.0, self.1))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Part {}

/// The keys in order: broken budgets, the highest priority, how far quotas end below min, pods, work lost, ids. The least
/// is the best.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worth {
    broken: usize,
    highest: Option<i32>,
    below: Part,
    pods: usize,
    lost: u128,
    ids: Reverse<Vec<PodId>>,
}

pub(crate) fn worth(picture: &Picture, asked: &Asked, set: &LegalSet) -> Worth {
    let gone: Vec<&Pod> =
        picture.pods.iter().enumerate().filter(|(i, _)| set.pods >> i & 1 == 1).map(|(_, pod)| pod).collect();
    let owner = |pod: &Pod| &picture.owners[pod.owner];
    let mut ids: Vec<PodId> = gone.iter().map(|pod| pod.id).collect();
    ids.sort_unstable_by_key(|id| Reverse(*id));
    let own: Vec<usize> = picture.path(asked.leaf).collect();
    let touched: BTreeSet<usize> = gone.iter().flat_map(|pod| picture.path(owner(pod).leaf)).collect();
    let mut below = Part(0, 1);
    for q in touched.into_iter().filter(|q| !own.contains(q)) {
        let quota = &picture.quotas[q];
        for r in (0..picture.names.len()).filter(|r| picture.counted[*r] && quota.min[*r] > 0) {
            let under = |pod: &&&Pod| picture.path(owner(pod).leaf).any(|p| p == q);
            let taken: i64 = gone.iter().filter(under).map(|pod| pod.row[r]).sum();
            let (before, after) = (quota.used[r].min(quota.min[r]), (quota.used[r] - taken).min(quota.min[r]));
            below = below.max(Part(before - after, quota.min[r]));
        }
    }
    Worth {
        broken: set.broken,
        highest: gone.iter().map(|pod| owner(pod).priority).max(),
        below,
        pods: gone.len(),
        lost: gone.iter().map(|pod| u128::from(picture.now.since(owner(pod).started))).sum(),
        ids: Reverse(ids),
    }
}

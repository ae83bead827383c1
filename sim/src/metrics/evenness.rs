//! Jain's index over time. The ratio of every leaf in every resource is kept, and only ratios that changed are computed
//! again. So an update costs one comparison for each leaf and one division for each resource.

use super::fairness::{INDEX_ONE, jain_index, share_ratio};
use crate::result::permille_of;

/// What a leaf uses of a resource, and its fair share, as they were last set.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    used: i128,
    share: i128,
    /// Used over share, as by [`share_ratio`]; nothing for a leaf without a share.
    ratio: Option<u128>,
}

/// For the leaves with a share of a resource: their number, the sum of their ratios, and the sum of the squares.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    leaves: u128,
    ratios: u128,
    squares: u128,
}

/// The index now, and its integral.
#[derive(Debug, Default)]
pub(crate) struct Evenness {
    /// The values, by leaf and within a leaf by governed resource.
    kept: Vec<Kept>,
    sums: Vec<Sums>,
    /// The index at the last [`settle`](Self::settle), in parts of [`INDEX_ONE`], the smallest over the resources;
    /// nothing while nothing can be compared.
    now: Option<u128>,
    area: u128,
    /// How long something could be compared, milliseconds.
    compared_ms: u128,
}

impl Evenness {
    /// Prepares for a tree with this many governed resources. The index remains as before until
    /// [`settle`](Self::settle).
    pub(crate) fn plant(&mut self, resources: usize) {
        self.kept.clear();
        self.sums = vec![Sums::default(); resources];
    }

    /// Time advances by this many milliseconds.
    pub(crate) fn advance(&mut self, ms: u128) {
        if let Some(index) = self.now {
            self.area = self.area.saturating_add(index.saturating_mul(ms));
            self.compared_ms = self.compared_ms.saturating_add(ms);
        }
    }

    /// Sets what a leaf uses of a resource, and its share; both are given by index.
    pub(crate) fn set(&mut self, leaf: usize, resource: usize, (used, share): (i128, i128)) {
        let place = leaf * self.sums.len() + resource;
        if place >= self.kept.len() {
            self.kept.resize(place + 1, Kept::default());
        }
        let (Some(kept), Some(sums)) = (self.kept.get_mut(place), self.sums.get_mut(resource)) else { return };
        if (kept.used, kept.share) == (used, share) {
            return;
        }
        if let Some(old) = kept.ratio {
            (sums.leaves, sums.ratios, sums.squares) = (sums.leaves - 1, sums.ratios - old, sums.squares - old * old);
        }
        *kept = Kept { used, share, ratio: share_ratio(used, share) };
        if let Some(new) = kept.ratio {
            (sums.leaves, sums.ratios, sums.squares) = (sums.leaves + 1, sums.ratios + new, sums.squares + new * new);
        }
    }

    /// Computes the index after all leaves are set. A resource counts if at least two leaves have a share of it, and
    /// one of them uses some.
    pub(crate) fn settle(&mut self) {
        let compared = self.sums.iter().filter(|sums| sums.leaves > 1);
        self.now = compared.filter_map(|s| jain_index((s.leaves, s.ratios, s.squares), INDEX_ONE)).min();
    }

    /// The mean over the time in which something could be compared, thousandths, rounded to the nearest; nothing if
    /// nothing ever could.
    pub(crate) fn mean_permille(&self) -> Option<u64> {
        (self.compared_ms > 0).then(|| permille_of(self.area, INDEX_ONE.saturating_mul(self.compared_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_weighted_by_time_and_leaves_out_times_without_a_comparison() {
        let mut jain = Evenness::default();
        jain.plant(1);
        jain.settle();
        jain.advance(5_000);
        assert_eq!(jain.mean_permille(), None, "nobody has a share");
        jain.set(0, 0, (10, 10));
        jain.settle();
        jain.advance(5_000);
        assert_eq!(jain.mean_permille(), None, "one leaf is compared with nobody");
        // (1 + 0)^2 / (2 (1 + 0)) = 0.5 for 3 s, then (1 + 0.5)^2 / (2 (1 + 0.25)) = 0.9 for 1 s.
        jain.set(1, 0, (0, 10));
        jain.settle();
        jain.advance(3_000);
        jain.set(1, 0, (5, 10));
        jain.settle();
        jain.advance(1_000);
        assert_eq!(jain.mean_permille(), Some(600));
    }

    #[test]
    fn of_several_resources_the_worst_counts_at_every_moment() {
        let mut jain = Evenness::default();
        jain.plant(2);
        for (leaf, used) in [[10, 10], [10, 0]].into_iter().enumerate() {
            for (resource, used) in used.into_iter().enumerate() {
                jain.set(leaf, resource, (used, 10));
            }
        }
        jain.settle();
        jain.advance(1);
        assert_eq!(jain.mean_permille(), Some(500));
    }
}

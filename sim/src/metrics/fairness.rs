//! Fairness figures: how far the usage of leaves is from their fair shares (F1) and from each other.
//!
//! Only integers are used. Ratios are computed in parts of 2^40, rounded down, before they are summed or squared, so
//! the figures are the same on every machine, and more precise than they are displayed.

/// A leaf of the tree; each list has one number for each governed resource.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) used: Vec<i128>,
    /// What it uses and its pending pods request.
    pub(crate) demand: Vec<i128>,
    pub(crate) share: Vec<i128>,
}

impl Leaf {
    pub(crate) fn wants(&self) -> bool {
        self.demand.iter().any(|d| *d > 0)
    }
}

const ONE: u128 = 1 << 40;

/// `part / whole` in parts of [`ONE`], at most 2^20; nothing if the whole is 0.
fn ratio(part: i128, whole: i128) -> Option<u128> {
    let whole = u128::try_from(whole).ok().filter(|w| *w > 0)?;
    let part = u128::try_from(part).unwrap_or(0).min(whole.saturating_mul(1 << 20));
    Some(part.saturating_mul(ONE) / whole)
}

/// Jain's index over used/share of the leaves that have a share, thousandths: 1000 if all use the same fraction of
/// their share. With several resources, the worst index; 1000 if there is nothing to compare.
pub(crate) fn jain_permille(leaves: &[Leaf], resources: usize) -> u64 {
    (0..resources).filter_map(|r| jain_of(leaves, r)).min().unwrap_or(1000)
}

fn jain_of(leaves: &[Leaf], resource: usize) -> Option<u64> {
    let parts: Vec<u128> =
        leaves.iter().filter_map(|l| share_ratio(*l.used.get(resource)?, *l.share.get(resource)?)).collect();
    let squares: u128 = parts.iter().map(|x| x.saturating_mul(*x)).fold(0, u128::saturating_add);
    let index = jain_index((parts.len() as u128, parts.iter().sum(), squares), 1000)?;
    u64::try_from(index).ok()
}

/// A leaf's usage over its share, in parts of 2^20 and at most 2^20, so that 10^5 squares fit 128 bits; nothing for a
/// leaf without a share.
pub(super) fn share_ratio(used: i128, share: i128) -> Option<u128> {
    ratio(used, share).map(|x| x >> 20)
}

/// The value 1 of the index that is kept over time.
pub(super) const INDEX_ONE: u128 = 1 << 30;

/// Jain's index from the number of ratios, their sum and the sum of their squares, in parts of `one`, rounded to the
/// nearest; nothing where all ratios are 0.
pub(super) fn jain_index((count, sum, squares): (u128, u128, u128), one: u128) -> Option<u128> {
    let below = squares.checked_mul(count).filter(|b| *b > 0)?;
    let above = sum.checked_mul(sum)?;
    // Scaled down together where `one` times the square would not fit.
    let shift = (u128::BITS - one.leading_zeros() + 1).saturating_sub(above.leading_zeros());
    let (above, below) = (above >> shift, (below >> shift).max(1));
    Some((above * one + below / 2) / below)
}

/// The sum of the shortfalls against the fair share over all leaves with demand, one number for each governed resource.
pub(crate) fn shortfalls(leaves: &[Leaf], resources: usize) -> Vec<i128> {
    let short = |l: &Leaf, r: usize| match (l.share.get(r), l.used.get(r), l.demand.get(r)) {
        (Some(share), Some(used), Some(demand)) if *demand > 0 => (share - used).max(0),
        _ => 0,
    };
    (0..resources).map(|r| leaves.iter().map(|l| short(l, r)).sum()).collect()
}

/// The largest shortfall over capacity of all resources, thousandths.
pub(crate) fn error_permille(shortfalls: &[i128], capacity: &[i128]) -> u64 {
    let worst = shortfalls.iter().zip(capacity).filter_map(|(short, all)| ratio(*short, *all)).max().unwrap_or(0);
    permille(worst)
}

/// Largest minus smallest dominant share (the greatest used/capacity of any resource) of leaves with demand, thousandths.
pub(crate) fn gap_permille(leaves: &[Leaf], capacity: &[i128]) -> u64 {
    let dominant = |l: &Leaf| l.used.iter().zip(capacity).filter_map(|(u, c)| ratio(*u, *c)).max().unwrap_or(0);
    let shares: Vec<u128> = leaves.iter().filter(|l| l.wants()).map(dominant).collect();
    match (shares.iter().max(), shares.iter().min()) {
        (Some(most), Some(least)) => permille(most - least),
        _ => 0,
    }
}

/// Parts of [`ONE`] to thousandths, rounded to the nearest.
fn permille(parts: u128) -> u64 {
    u64::try_from((parts * 1000 + ONE / 2) / ONE).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(used: i128, demand: i128, share: i128) -> Leaf {
        Leaf { used: vec![used], demand: vec![demand], share: vec![share] }
    }

    #[test]
    fn jain_of_equal_parts_is_one_and_of_a_monopoly_one_over_n() {
        assert_eq!(jain_permille(&[leaf(5, 5, 10), leaf(50, 90, 100)], 1), 1000);
        assert_eq!(jain_permille(&[leaf(40, 40, 10), leaf(0, 9, 10), leaf(0, 9, 10), leaf(0, 9, 10)], 1), 250);
        // (1 + 0.5)^2 / (2 (1 + 0.25)) = 0.9
        assert_eq!(jain_permille(&[leaf(10, 10, 10), leaf(5, 10, 10)], 1), 900);
        assert_eq!(jain_permille(&[], 1), 1000);
        assert_eq!(jain_permille(&[leaf(5, 5, 0)], 1), 1000);
    }

    #[test]
    fn large_amounts_stay_exact_enough_and_do_not_overflow() {
        let tera: i128 = i128::from(i64::MAX);
        let many: Vec<Leaf> = (0..10_000).map(|i| leaf(tera / (1 + i % 2), tera, tera)).collect();
        assert_eq!(jain_permille(&many, 1), 900);
        assert_eq!(error_permille(&shortfalls(&many, 1), &[tera * 10_000]), 250);
        assert_eq!(gap_permille(&many, &[tera]), 500);
    }

    #[test]
    fn shortfall_counts_leaves_with_demand_only() {
        let leaves = [leaf(5, 20, 10), leaf(0, 0, 10), leaf(30, 30, 10)];
        assert_eq!(shortfalls(&leaves, 1), [5]);
        assert_eq!(error_permille(&[5], &[40]), 125);
        assert_eq!(gap_permille(&leaves, &[40]), 625);
    }
}

//! Which leaf lends to which. Of what leaves borrow, that part counts as lent which other leaves leave unused of their
//! guarantees. Each unused guarantee lends in proportion to its size, and each borrower borrows from every lender in
//! proportion to what it borrows. Amounts are whole: the n-th amount of a list ends where the scaled sum of the first
//! n, rounded down, ends. So the parts of a lender add up exactly to what it lends.

use super::{cluster::small, rows::LoanHistory};
use std::collections::BTreeMap;

/// What is lent at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lent {
    /// What each lender lends.
    pub(super) lenders: Vec<(u32, i128)>,
    /// Amounts by lender and borrower; those that are 0 are left out.
    pub(super) pairs: Vec<((u32, u32), i128)>,
}

/// Divides what leaves borrow over the guarantees that others leave unused; amounts are above 0. Overwrites `lent`.
pub(super) fn split(borrowed: &[(u32, i128)], idle: &[(u32, i128)], lent: &mut Lent) {
    let sum = |all: &[(u32, i128)]| all.iter().map(|(_, amount)| *amount).sum::<i128>();
    let (most, room) = (sum(borrowed), sum(idle));
    let total = most.min(room);
    lent.lenders.clear();
    lent.pairs.clear();
    if total <= 0 {
        return;
    }
    // Numbers of 64 bits multiply and divide many times faster.
    let is_small = total.checked_mul(most.max(room)).is_some_and(|product| u64::try_from(product).is_ok());
    let scaled = if is_small { scaled_small } else { scaled };
    let (mut before, mut lenders) = (0, 0);
    for (lender, amount) in idle {
        lenders += amount;
        let end = scaled(total, lenders, room);
        let part = end - before;
        before = end;
        lent.lenders.push((*lender, part));
        let (mut given, mut borrowers) = (0, 0);
        for (borrower, amount) in borrowed {
            borrowers += amount;
            let end = scaled(part, borrowers, most);
            if end > given {
                lent.pairs.push(((*lender, *borrower), end - given));
            }
            given = end;
        }
    }
}

/// `total * part / whole`, rounded down; exact while the product fits.
fn scaled(total: i128, part: i128, whole: i128) -> i128 {
    match total.checked_mul(part) {
        Some(product) => product.checked_div(whole).unwrap_or(0),
        None => total.checked_div(whole).unwrap_or(0).saturating_mul(part),
    }
}

/// As [`scaled`], for numbers whose product fits 64 bits.
fn scaled_small(total: i128, part: i128, whole: i128) -> i128 {
    let [total, part, whole] = [total, part, whole].map(|amount| u64::try_from(amount).unwrap_or(0));
    total.wrapping_mul(part).checked_div(whole).unwrap_or(0).into()
}

/// A current loan.
#[derive(Debug, Clone, Copy)]
struct Open {
    lender: u32,
    borrower: u32,
    amount: i128,
    /// Its integral since the last change of the loans of this resource, and its largest amount.
    unit_ms: i128,
    most: i64,
}

/// The current loans of a resource.
#[derive(Debug, Default)]
struct Now {
    since: u64,
    loans: Vec<Open>,
}

/// All loans over time.
#[derive(Debug, Default)]
pub(super) struct Loans {
    /// Earlier loans, by resource, lender and borrower.
    sums: BTreeMap<(u32, u32, u32), (i128, i64)>,
    /// Current loans, by resource.
    now: BTreeMap<u32, Now>,
}

impl Now {
    /// Extends the current loans until now.
    fn advance(&mut self, now: u64) {
        let ms = i128::from(now.saturating_sub(self.since));
        self.since = now;
        for loan in self.loans.iter_mut().filter(|_| ms > 0) {
            loan.unit_ms += loan.amount * ms;
            loan.most = loan.most.max(small(loan.amount));
        }
    }

    /// Adds the current loans of a resource to the earlier ones.
    fn close(&mut self, resource: u32, sums: &mut BTreeMap<(u32, u32, u32), (i128, i64)>) {
        for loan in self.loans.drain(..).filter(|loan| loan.most > 0) {
            let (sum, most) = sums.entry((resource, loan.lender, loan.borrower)).or_default();
            (*sum, *most) = (*sum + loan.unit_ms, (*most).max(loan.most));
        }
    }
}

impl Loans {
    /// Sets the current loans of a resource, by lender and borrower.
    pub(super) fn set(&mut self, resource: u32, now: u64, pairs: impl Iterator<Item = ((u32, u32), i128)> + Clone) {
        let open = self.now.entry(resource).or_default();
        open.advance(now);
        // Mostly the same lend to the same, with other amounts.
        let are_same =
            open.loans.iter().map(|loan| (loan.lender, loan.borrower)).eq(pairs.clone().map(|(pair, _)| pair));
        if are_same {
            open.loans.iter_mut().zip(pairs).for_each(|(loan, (_, amount))| loan.amount = amount);
            return;
        }
        open.close(resource, &mut self.sums);
        let row = |((lender, borrower), amount)| Open { lender, borrower, amount, unit_ms: 0, most: 0 };
        open.loans.extend(pairs.map(row));
    }

    /// All loans of a run that ends at `end`.
    pub(super) fn finish(mut self, end: u64) -> Vec<LoanHistory> {
        for (resource, open) in &mut self.now {
            open.advance(end);
            open.close(*resource, &mut self.sums);
        }
        let row =
            |((resource, lender, borrower), (unit_ms, most))| LoanHistory { resource, lender, borrower, unit_ms, most };
        self.sums.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_guarantees_lend_in_proportion() {
        // 10 are borrowed; 12 and 4 lie idle: they lend 7 and 3 (7.5 and 2.5, the first sum rounded down).
        let split = |borrowed: &[(u32, i128)], idle: &[(u32, i128)]| {
            let mut lent = Lent { lenders: vec![(9, 9)], pairs: vec![((9, 9), 9)] };
            split(borrowed, idle, &mut lent);
            lent
        };
        let lent = split(&[(1, 4), (2, 6)], &[(3, 12), (4, 4)]);
        assert_eq!(lent.lenders, [(3, 7), (4, 3)]);
        // Of 7: 2.8 and 4.2; of 3: 1.2 and 1.8.
        assert_eq!(lent.pairs, [((3, 1), 2), ((3, 2), 5), ((4, 1), 1), ((4, 2), 2)]);
        // No more than is idle is lent; the rest of what is borrowed belongs to nobody.
        assert_eq!(split(&[(1, 9)], &[(2, 5)]).lenders, [(2, 5)]);
        assert_eq!((split(&[], &[(2, 5)]), split(&[(1, 9)], &[])), (Lent::default(), Lent::default()));
    }

    #[test]
    fn loans_are_integrated() {
        let mut loans = Loans::default();
        loans.set(0, 1_000, [((2, 1), 5)].into_iter());
        loans.set(0, 1_000, [((2, 1), 3)].into_iter());
        loans.set(0, 3_000, [((2, 1), 4), ((3, 1), 1)].into_iter());
        loans.set(0, 4_000, std::iter::empty());
        let row = |lender, unit_ms, most| LoanHistory { resource: 0, lender, borrower: 1, unit_ms, most };
        assert_eq!(loans.finish(9_000), [row(2, 6_000 + 4_000, 4), row(3, 1_000, 1)]);
    }
}

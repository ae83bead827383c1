//! The ledger of one quota as a value for reports (L1, L2).

use super::quotas::Quotas;
use crate::{
    api::{QuotaId, Usage},
    scheduler::state::{QuotaSlot, Row, amount_of},
};

impl Quotas {
    /// The ledger of a quota; nothing in use for an id of another tree.
    pub(crate) fn usage(&self, quota: QuotaId) -> Usage {
        if quota.0 as usize >= self.tree.len() {
            return Usage::default();
        }
        let (q, ledger) = (QuotaSlot::from(quota), &self.ledger);
        let named = |row: &[i64]| self.tree.named(row, 0);
        let borrowed: Row = self.tree.min(quota).iter().zip(ledger.used.row(q)).map(|(m, u)| (u - m).max(0)).collect();
        Usage {
            used: named(ledger.used.row(q)),
            used_np: named(ledger.used_np.row(q)),
            request: named(ledger.request.row(q)),
            held: named(ledger.held.row(q)),
            freeing: named(ledger.leaving.row(q)),
            borrowed: named(&borrowed),
            lent: named(&self.lent(quota)),
            pods: *ledger.pods.at(q),
            jobs: *ledger.jobs.at(q),
        }
    }

    /// What siblings borrow of a quota's unused min (L2). What siblings borrow in total is attributed to the siblings
    /// with unused min, in proportion to their unused min. Units that remain after rounding go to the earlier siblings.
    fn lent(&self, quota: QuotaId) -> Row {
        let Some(parent) = self.tree.parent(quota) else { return Row::new() };
        let siblings = self.tree.children(parent);
        let used = |q: &QuotaId, r| amount_of(self.ledger.used.row((*q).into()), r);
        let idle = |q: &QuotaId, r| i128::from((self.min((*q).into(), r) - used(q, r)).max(0));
        let over = |q: &QuotaId, r| i128::from((used(q, r) - self.min((*q).into(), r)).max(0));
        let lent = |r: usize| {
            let unused: i128 = siblings.iter().map(|q| idle(q, r)).sum();
            let borrowed: i128 = siblings.iter().map(|q| over(q, r)).sum::<i128>().min(unused);
            let before: i128 = siblings.iter().take_while(|q| **q != quota).map(|q| idle(q, r)).sum();
            let part = |upto: i128| (upto * borrowed).checked_div(unused).unwrap_or(0);
            i64::try_from(part(before + idle(&quota, r)) - part(before)).unwrap_or(i64::MAX)
        };
        self.resources().map(lent).collect()
    }
}

//! The quotas: what each uses, who is admitted, what each is due.

pub(crate) mod admission;
pub(crate) mod fair_share;
pub(crate) mod ledger;
pub(crate) mod lending;

//! The quotas: the tree, the ledger of what each quota uses, and the tests that admission and preemption need.

mod admission;
mod fair_share;
mod gates;
mod ledger;
mod lending;
mod over_max;
mod pending_change;
mod quotas;
mod shares;
mod usage;

pub(crate) use fair_share::Capacity;
pub(crate) use gates::{Demand, Gates, NOTHING};
pub(crate) use ledger::Ledger;
pub(crate) use pending_change::PendingChange;
pub(crate) use quotas::Quotas;
pub use shares::FairShares;

//! How holds will change the usage of quotas (H1).

use crate::scheduler::state::{HoldId, QuotaSlot, Row};
use std::collections::BTreeMap;

/// How the usage of quotas will change once the workload of a hold is placed and its victims are gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct PendingChange {
    /// The leaf of the workload that holds.
    pub(crate) leaf: QuotaSlot,
    /// The request of the workload that holds.
    pub(crate) total: Row,
    /// What victims that have not left yet will free, by leaf.
    pub(crate) freed: BTreeMap<QuotaSlot, Row>,
}

/// The pending changes in the order of their holds, and the part of `reserved` that belongs to them. Used only where
/// some quota has a lend floor.
#[derive(Debug, Clone, Default)]
pub(super) struct LendingReservations {
    pub(super) changes: BTreeMap<HoldId, PendingChange>,
    pub(super) needs: Vec<(QuotaSlot, Row)>,
}

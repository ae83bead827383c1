//! The pending workloads with the same request, arranged over the quota tree.

use super::order::PendingKey;
use crate::scheduler::{
    quota::Admission,
    state::{AskId, QuotaSlot},
};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;

/// The pending workloads of one leaf with the same request, in order (O1). If the first of them cannot be placed,
/// neither can the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestQueue {
    pub(crate) ask: AskId,
    pub(crate) leaf: QuotaSlot,
}

/// Which tournament: among all workloads, or among those that are within min on their whole path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contest {
    Any,
    Entitled,
}

pub(super) const BOTH: &[Contest] = &[Contest::Any, Contest::Entitled];

/// One value for each [`Contest`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PerContest<T> {
    pub(super) any: T,
    pub(super) entitled: T,
}

impl<T> PerContest<T> {
    pub(super) fn get(&self, contest: Contest) -> &T {
        match contest {
            Contest::Any => &self.any,
            Contest::Entitled => &self.entitled,
        }
    }

    pub(super) fn get_mut(&mut self, contest: Contest) -> &mut T {
        match contest {
            Contest::Any => &mut self.any,
            Contest::Entitled => &mut self.entitled,
        }
    }
}

/// One quota in the tournament of one class.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) admission: Admission,
    /// Whether `admission` is kept up to date.
    pub(super) tracked: bool,
    /// At a leaf: its pending workloads, in `any` only. Above: the winners of the quotas below.
    pub(super) keys: PerContest<BTreeSet<PendingKey>>,
    /// The workload that this quota passes to its parent.
    pub(super) winner: PerContest<Option<PendingKey>>,
    /// Whether workloads of this class are pending here, not below.
    pub(super) is_queue: bool,
    /// Whether the queue is due (see [`Tournament`](super::tournament::Tournament)).
    pub(super) due: bool,
    pub(super) retry_on_event: bool,
    /// Whether its head could not be placed although every quota admits it. Then the queue is not ready before the next
    /// event or the end of a hold.
    pub(super) suspended: bool,
}

/// All pending workloads with one request.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestClass {
    pub(super) entries: IndexMap<QuotaSlot, Entry, FxBuildHasher>,
    /// How many are pending.
    pub(super) count: u32,
    /// Whether some node may have room for the request.
    pub(super) room: bool,
}

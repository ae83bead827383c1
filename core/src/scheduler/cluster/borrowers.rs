//! The leaves from which something could be reclaimed at all, counted by what they use (W2).
//!
//! A search for victims that could find nothing is then skipped: for example where nobody borrows, or where a workload
//! needs GPUs and others have borrowed only cores.

use super::victim_index::VictimIndex;
use crate::{
    api::{Policy, Unquotaed},
    scheduler::{
        quota::Quotas,
        state::{QuotaSlot, Table, narrow},
    },
};
use smallvec::SmallVec;

/// The leaves that are above their min in some resource and have a possible victim.
#[derive(Debug, Clone)]
pub(crate) struct Borrowers {
    /// Whether pods without a quota may be victims (A4).
    takes_unquotaed: bool,
    /// For each leaf: the resources that it uses, by index; nothing if it is not one of these leaves.
    uses: Table<QuotaSlot, Option<SmallVec<[u32; 4]>>>,
    /// For each resource: how many of these leaves use it.
    users: Vec<u32>,
    count: u32,
}

impl Borrowers {
    pub(super) fn new(quotas: &Quotas, policy: &Policy) -> Self {
        Self {
            takes_unquotaed: policy.unquotaed == Unquotaed::Schedule,
            uses: quotas.ledger.slots().map(|_| None).collect(),
            users: quotas.resources().map(|_| 0).collect(),
            count: 0,
        }
    }

    /// Updates the entry of a leaf whose usage or first possible victim has changed.
    pub(super) fn update(&mut self, leaf: QuotaSlot, quotas: &Quotas, victims: &VictimIndex) {
        let is_one = !victims.of(leaf).is_empty()
            && if leaf == quotas.ledger.no_quota() { self.takes_unquotaed } else { quotas.borrows(leaf) };
        let used = |r: &usize| quotas.ledger.remaining_usage(leaf, *r) > 0;
        let now = is_one.then(|| quotas.resources().filter(used).map(narrow).collect::<SmallVec<[u32; 4]>>());
        self.count += u32::from(is_one);
        now.iter().flatten().for_each(|r| self.users.get_mut(*r as usize).into_iter().for_each(|users| *users += 1));
        if let Some(before) = std::mem::replace(self.uses.at_mut(leaf), now) {
            self.count -= 1;
            before.iter().for_each(|r| self.users.get_mut(*r as usize).into_iter().for_each(|users| *users -= 1));
        }
    }

    /// Whether there is no such leaf.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether one of these leaves uses a resource.
    pub(super) fn use_any(&self, resource: usize) -> bool {
        self.users.get(resource).is_some_and(|users| *users > 0)
    }
}

//! Leaves whose entitled workloads cannot be chosen, because another workload of the leaf goes before them (O1).
//!
//! Inside a leaf priority goes before entitlement. So the search for the first entitled workload skips a leaf whose
//! first workload may be tried and is not entitled: that workload *hides* the entitled ones behind it. The search
//! reports such a leaf, and later searches skip it as long as nothing in the leaf has changed and the hiding workload
//! may still be tried: it is due, or the limits of all quotas above admit it. Lines keep the largest requests of many
//! hiding workloads, so that one comparison with the limits is enough for a whole part.

use super::{
    entry::LineKey,
    hider::Hider,
    request_class::{Contest, RequestQueue},
    tournament::Tournament,
};
use crate::scheduler::state::{AskId, QuotaSlot, Ratio};

impl Tournament {
    /// Notes what hides the entitled workloads of a leaf, if that cannot end before the leaf changes.
    pub(crate) fn note_hidden(&mut self, leaf: QuotaSlot, by: LineKey) {
        let ask = AskId(by.1);
        let row = self.rows.at(leaf);
        let [_, entitled] = &row.offered;
        // What hides others would save a search that looks at offers.
        if self.only_leaf().is_some() {
            return;
        }
        let Some((first, _)) = entitled.first() else { return };
        let (Some(waiting), class) = (self.queues.get(&RequestQueue { ask, leaf }), self.classes.at(ask)) else {
            return;
        };
        // One that is not preemptible may become one that cannot run (O4) if no limit says that it still can. A class
        // that has found no room once is asked for room at its turn (W2).
        let is_due = waiting.due && class.is_preemptible();
        let is_ready = waiting.open && class.failed.is_none() && row.gates.admits(&class.demand) && self.limits_decide;
        if by.0 >= *first || !is_due && !is_ready {
            return;
        }
        let needs = (!is_due).then(|| class.demand.clone());
        self.rows.at_mut(leaf).hider = Some(Hider { ask, needs });
        self.hiding.insert(leaf);
        self.offer(leaf, Contest::Entitled, |_| Ratio::default());
    }

    /// Whether a queue is known to hide the entitled workloads of its leaf.
    pub(super) fn is_hider(&self, queue: RequestQueue) -> bool {
        self.rows.at(queue.leaf).hider.as_ref().is_some_and(|hider| hider.ask == queue.ask)
    }

    /// Forgets what hides the entitled workloads of a leaf, so that the next search looks at the leaf again.
    pub(super) fn forget_hider(&mut self, leaf: QuotaSlot) {
        if self.rows.at_mut(leaf).hider.take().is_some() {
            self.hiding.remove(&leaf);
        }
    }

    /// Makes searches look again at the leaves where a class hides others, since the class has found no room.
    pub(super) fn forget_hiders_of(&mut self, ask: AskId) {
        let hides = |leaf: &&QuotaSlot| self.rows.at(**leaf).hider.as_ref().is_some_and(|hider| hider.ask == ask);
        self.dirty.extend(self.classes.at(ask).leaves.iter().filter(hides).copied());
    }

    /// If nodes have changed, makes searches look again at all leaves where something hides others: the hiding workload
    /// may now be one that cannot run (O4).
    pub(crate) fn note_node_changes(&mut self, changes: u64) {
        if std::mem::replace(&mut self.node_changes, changes) != changes {
            self.dirty.extend(self.hiding.iter().copied());
        }
    }
}

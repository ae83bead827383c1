//! For which requests there may be room on some node (W2).
//!
//! A class has room until it fails for lack of room. Then its queues are *closed*, until a node changes on which one of
//! its pods fits. While few nodes have changed in a decision, the search for the next workload tests them itself: so of
//! thousands of requests that would fit there, only the first in order is tested. At the end of the decision, the
//! closed classes that may still fit on these nodes get *hope*: their queues are opened, and the nodes are tested again
//! at their turn.

use super::{
    entry::{Labels, LineKey, Requests, Seen, within},
    order::PendingKey,
    request_class::{FreshNode, RequestQueue, bit},
    tournament::Tournament,
};
use crate::{
    api::{Time, WorkloadId},
    scheduler::{
        quota::Demand,
        state::{AskId, NodeSlot, Ratio, ResourceId, WorkloadSlot},
    },
};
use std::cmp::Reverse;

impl Tournament {
    /// Notes that no node has room for a class at this moment.
    pub(crate) fn note_failure(&mut self, ask: AskId, failure: u64) {
        self.set_room(ask, false);
        if self.classes.at_mut(ask).failed.replace(failure).is_none() {
            self.forget_hiders_of(ask);
        }
    }

    /// When a class last failed for lack of room. Nothing if it has not since it was enqueued.
    pub(crate) fn failed(&self, ask: AskId) -> Option<u64> {
        self.classes.at(ask).failed
    }

    /// Notes that a node has changed on which a class without room may fit.
    pub(crate) fn give_hope(&mut self, ask: AskId) {
        self.set_room(ask, true);
    }

    /// Sets whether some node may have room for a class.
    fn set_room(&mut self, ask: AskId, room: bool) {
        let class = self.classes.at_mut(ask);
        if class.room == room || class.leaves.is_empty() {
            return;
        }
        class.room = room;
        self.count_room(ask, room);
        self.list_closed(ask, !room);
        let class = self.classes.at(ask);
        let (is_gang, is_large) = (!class.single, class.is_large());
        if !room && is_gang {
            self.without_room.push(ask);
        }
        if !is_large {
            self.open_and_close(ask);
        }
    }

    pub(super) fn count_room(&mut self, ask: AskId, room: bool) {
        if let Some(count) = self.rooms.get_mut((ask.0 % u64::BITS) as usize) {
            *count = if room { *count + 1 } else { count.saturating_sub(1) };
            self.roomy = if *count > 0 { self.roomy | bit(ask) } else { self.roomy & !bit(ask) };
        }
    }

    /// Opens or closes the queues of a class.
    pub(super) fn open_and_close(&mut self, ask: AskId) {
        let class = self.classes.at(ask);
        let open = class.is_open();
        for leaf in class.leaves.clone() {
            let queue = RequestQueue { ask, leaf };
            self.change(queue, |waiting| waiting.open = open && !waiting.suspended);
        }
    }

    /// The classes of gangs without room that have pending workloads.
    pub(crate) fn gangs_without_room(&mut self) -> Vec<AskId> {
        self.without_room.retain(|ask| {
            let class = self.classes.at(*ask);
            !class.room && !class.single && !class.leaves.is_empty()
        });
        self.without_room.sort_unstable();
        self.without_room.dedup();
        self.without_room.clone()
    }

    /// Notes a node that has changed.
    pub(crate) fn note_fresh(&mut self, node: NodeSlot) {
        if self.fresh.iter().all(|fresh| fresh.node != node) {
            self.fresh.push(FreshNode { node, free: Demand::new() });
        }
    }

    /// Updates what the changed nodes have available: `available` of each of the first `resources` resources.
    pub(crate) fn measure_fresh(&mut self, resources: usize, available: impl Fn(NodeSlot, ResourceId) -> i64) {
        for FreshNode { node, free } in &mut self.fresh {
            free.resize(resources, 0);
            (0..).zip(free).for_each(|(resource, free)| *free = available(*node, resource));
        }
    }

    /// How many nodes were noted as changed.
    pub(crate) fn fresh_nodes(&self) -> usize {
        self.fresh.len()
    }

    /// Whether some closed request may fit on a changed node.
    pub(super) fn may_fit_fresh(&self, seen: Seen<'_>) -> bool {
        seen.labels.closed && self.fresh.iter().any(|fresh| within(seen.closed, &fresh.free))
    }

    /// The closed classes that may fit on a changed node. Forgets these nodes.
    pub(crate) fn take_fresh(&mut self) -> Vec<AskId> {
        let mut found = Vec::new();
        let may_fit = |_: Option<LineKey>, seen: Seen<'_>| self.may_fit_fresh(seen);
        self.closed_classes.any(may_fit, |(_, ask)| {
            found.push(AskId(ask));
            false
        });
        self.fresh.clear();
        found
    }

    /// Adds a class to the closed classes, or takes it out.
    pub(super) fn list_closed(&mut self, ask: AskId, closed: bool) {
        let class = self.classes.at(ask);
        if !class.single {
            return;
        }
        let key = (UNORDERED, ask.0);
        if closed {
            let labels = Labels { closed: true, ..Labels::default() };
            self.closed_classes.insert(key, labels, Requests::same(&class.demand));
        } else {
            self.closed_classes.remove(key);
        }
    }
}

/// The key of closed classes, which have no order.
const UNORDERED: PendingKey = PendingKey {
    share: Ratio { over: 0, of: 0 },
    priority: Reverse(0),
    submitted: Time(0),
    id: WorkloadId(0),
    slot: WorkloadSlot(0),
};

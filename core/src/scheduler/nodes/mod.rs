//! The nodes: what each has free, what holds keep on it, and which pods stand there (P1).
//!
//! A pool without nodes is one node. Amounts are kept per resource and, where a resource comes as devices, per device;
//! "available" is free without what holds keep for others (H1). Which node a pod gets is in [`pick`].

mod class;
mod devices;
mod domains;
mod index;
mod layout;
mod node;
mod pick;
mod reindex;
mod reservation;
mod score;
#[cfg(test)]
mod tests;

pub(crate) use class::RuledOut;
pub(crate) use devices::NodeDevices;
pub(crate) use node::Node;
pub(crate) use reservation::NodeReservation;

use crate::scheduler::state::interner::{Interner, Template};
use crate::{
    api::{DeviceSet, EventError, NodeId, NodeSpec, Policy},
    scheduler::state::table::Table,
};
use class::Class;
use domains::Domains;
use index::ClassIndex;
use indexmap::IndexMap;
use layout::{devices_of, scored};
use rustc_hash::FxBuildHasher;
use score::Scorer;
use score::fragmentation::Fragments;
use score::ranking::Rankings;
use smallvec::SmallVec;

/// The place of a node in the table; reused after the node is gone.
pub(crate) type NodeSlot = u32;
/// A pod by the place of its workload and its ordinal.
pub(crate) type PodRef = (u32, u32);

/// Where on a node a pod stands: which devices of which bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Assignment {
    pub(crate) node: NodeSlot,
    pub(crate) devices: DeviceSet,
}

/// All nodes, with an index by placement score for each class of equal labels and taints.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    nodes: Table<Node>,
    pub(crate) by_id: IndexMap<NodeId, NodeSlot, FxBuildHasher>,
    spare: Vec<NodeSlot>,
    /// How often what nodes have changed.
    pub(crate) changes: u64,
    classes: IndexMap<Class, ClassIndex, FxBuildHasher>,
    /// Per template: the classes it may stand on, and how many classes were looked at.
    suitable: Table<(Vec<u32>, usize)>,
    scorer: Scorer,
    /// Where scores depend on the pod, these stand in for the scores in the classes.
    rankings: Rankings,
    fragments: Fragments,
    domains: Domains,
}

impl Nodes {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            nodes: Table::default(),
            by_id: IndexMap::default(),
            changes: 0,
            spare: Vec::new(),
            classes: IndexMap::default(),
            suitable: Table::default(),
            scorer: Scorer::new(policy.placement),
            rankings: Rankings::default(),
            fragments: Fragments::new(&policy.typical),
            domains: Domains::default(),
        }
    }

    pub(crate) fn at(&self, slot: NodeSlot) -> &Node {
        self.nodes.at(slot)
    }

    pub(crate) fn slot(&self, id: NodeId) -> Option<NodeSlot> {
        self.by_id.get(&id).copied()
    }

    /// All nodes that are up, in order of their ids.
    pub(crate) fn sorted(&self) -> Vec<NodeSlot> {
        let mut ids: Vec<_> = self.by_id.iter().map(|(id, slot)| (*id, *slot)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Adds a node, empty.
    pub(crate) fn add(&mut self, spec: NodeSpec, interner: &mut Interner) -> Result<NodeSlot, EventError> {
        let (total, banks) = devices_of(&spec, interner)?;
        let class = self.class(&spec);
        let mut node = Node {
            id: spec.id,
            class,
            up: true,
            free: total.clone(),
            reserved: vec![0; total.len()],
            total,
            banks,
            pods: Vec::new(),
            scored: scored(&spec, interner)?,
            clusters: SmallVec::new(),
            score: 0,
            usable: 0,
            spec,
        };
        node.reserve_unhealthy();
        let id = node.id;
        let slot = match self.spare.pop() {
            Some(slot) => {
                *self.nodes.at_mut(slot) = node;
                slot
            }
            None => self.nodes.push(node),
        };
        self.by_id.insert(id, slot);
        self.changes += 1;
        self.domains.insert(&self.nodes.at(slot).spec, slot);
        self.look_at_kind(slot, interner);
        self.enter(slot);
        Ok(slot)
    }

    /// Whether a node could become this.
    pub(crate) fn check(&self, spec: &NodeSpec, interner: &mut Interner) -> Result<(), EventError> {
        devices_of(spec, interner).map(drop)
    }

    /// Replaces what is known of a node; pods stay. Other devices may come only where nobody has or any_lend_limit any.
    pub(crate) fn change(&mut self, slot: NodeSlot, spec: NodeSpec, interner: &mut Interner) -> Result<(), EventError> {
        let (total, banks) = devices_of(&spec, interner)?;
        let scored = scored(&spec, interner)?;
        self.changes += 1;
        self.leave(slot);
        self.domains.remove(&self.nodes.at(slot).spec);
        self.domains.insert(&spec, slot);
        let class = self.class(&spec);
        let node = self.nodes.at_mut(slot);
        node.release_unhealthy();
        node.scored = scored;
        let width = total.len().max(node.total.len());
        let mut free: Vec<i64> = total.iter().copied().chain(std::iter::repeat(0)).take(width).collect();
        for (r, free) in free.iter_mut().enumerate() {
            let value = |row: &[i64]| row.get(r).copied().unwrap_or_default();
            *free -= value(&node.total) - value(&node.free);
        }
        node.reserved.resize(width, 0);
        if node.spec.same_devices(&spec) {
            for (bank, new) in node.banks.iter_mut().zip(&banks) {
                bank.order = new.order;
            }
        } else {
            node.banks = banks;
        }
        (node.free, node.total, node.spec, node.class) = (free, total, spec, class);
        node.total.resize(width, 0);
        node.reserve_unhealthy();
        self.look_at_kind(slot, interner);
        self.enter(slot);
        Ok(())
    }

    /// Forgets a node; its pods must have been taken off.
    pub(crate) fn remove(&mut self, slot: NodeSlot) {
        self.leave(slot);
        let node = self.nodes.at_mut(slot);
        node.up = false;
        let id = node.id;
        self.by_id.swap_remove(&id);
        self.changes += 1;
        self.domains.remove(&self.nodes.at(slot).spec);
        self.spare.push(slot);
        self.rankings.touch(slot);
    }

    /// Makes a node larger, or smaller again, for asking what would happen.
    pub(crate) fn enlarge(&mut self, id: NodeId, resource: Option<usize>, by: i64) {
        let (Some(slot), Some(resource)) = (self.slot(id), resource) else { return };
        self.leave(slot);
        self.changes += 1;
        let node = self.nodes.at_mut(slot);
        let width = node.total.len().max(resource + 1);
        for row in [&mut node.total, &mut node.free, &mut node.reserved] {
            row.resize(width, 0);
        }
        for row in [&mut node.total, &mut node.free] {
            if let Some(cell) = row.get_mut(resource) {
                *cell = cell.saturating_add(by);
            }
        }
        self.enter(slot);
    }

    fn class(&mut self, spec: &NodeSpec) -> u32 {
        let entry = self.classes.entry(Class::of(spec));
        let index = entry.index();
        entry.or_default();
        crate::scheduler::state::table::narrow(index)
    }

    /// Puts a pod on its spot.
    pub(crate) fn put(&mut self, spot: Assignment, template: &Template, pod: PodRef) {
        self.leave(spot.node);
        let node = self.nodes.at_mut(spot.node);
        node.shift(template, spot.devices, 1);
        node.pods.push(pod);
        self.enter(spot.node);
    }

    /// Takes a pod off its spot.
    pub(crate) fn take(&mut self, spot: Assignment, template: &Template, pod: PodRef) {
        self.leave(spot.node);
        let node = self.nodes.at_mut(spot.node);
        node.shift(template, spot.devices, -1);
        if let Some(at) = node.pods.iter().position(|p| *p == pod) {
            node.pods.swap_remove(at);
        }
        self.enter(spot.node);
    }

    /// Puts a pod on its spot or takes it off without telling the index: to be undone before the index is asked.
    pub(crate) fn shift_quietly(&mut self, spot: Assignment, template: &Template, pod: PodRef, off: bool) {
        let node = self.nodes.at_mut(spot.node);
        node.shift(template, spot.devices, if off { -1 } else { 1 });
        if !off {
            node.pods.push(pod);
        } else if let Some(at) = node.pods.iter().position(|p| *p == pod) {
            node.pods.swap_remove(at);
        }
    }

    /// Changes what holds keep on a node by `sign` times these amounts.
    pub(crate) fn reserve(&mut self, node: NodeSlot, kept: &NodeReservation, sign: i64) {
        self.leave(node);
        self.nodes.at_mut(node).reserve(kept, sign);
        self.enter(node);
    }
}

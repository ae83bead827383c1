//! All nodes of the cluster, and every change of a node.

use super::{
    class::Class,
    domains::Domains,
    freed::FreedNodes,
    index::ClassIndex,
    layout::{devices_of, scored},
    node::Node,
    reservation::NodeReservation,
    score::{Scorer, fragmentation::Fragmentation, ranking::Rankings},
    shapes::Shapes,
    shortfall::Shortfall,
    under_way::UnderWay,
};
use crate::{
    api::{EventError, NodeId, NodeSpec, Policy},
    scheduler::state::{Assignment, Interner, NodeSlot, PodRef, Table, Template, TemplateId, amount_of, narrow},
};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Classes of labels and taints are never freed where there are fewer than this.
pub(super) const LEAST_SWEPT: usize = 1 << 8;

/// All nodes, with an index by placement score for each class of equal labels and taints.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    pub(super) rows: Table<NodeSlot, Node>,
    pub(super) by_id: IndexMap<NodeId, NodeSlot, FxBuildHasher>,
    pub(super) free_slots: Vec<NodeSlot>,
    /// How often the capacity of nodes has changed.
    pub(super) changes: u64,
    pub(super) classes: IndexMap<Class, ClassIndex, FxBuildHasher>,
    /// When there are this many classes, those without nodes are looked for.
    pub(crate) sweep_at: usize,
    /// For each template: the classes that it may be placed on, and how many classes have been tested.
    pub(super) suitable: Table<TemplateId, (Vec<u32>, usize)>,
    pub(super) scorer: Scorer,
    /// The order of nodes where scores depend on the pod; replaces the order within classes.
    pub(super) rankings: Rankings,
    pub(super) fragmentation: Fragmentation,
    pub(super) domains: Domains,
    pub(super) shapes: Shapes,
    pub(super) under_way: UnderWay,
    pub(crate) freed: FreedNodes,
    /// What all nodes together have free, by resource. A node whose pods use more than it has counts as 0.
    pub(super) spare: Vec<i128>,
    /// Nodes that lack room for their pods by no decision of the scheduler: they were made smaller, or pods were found
    /// on them. The audit tolerates a lack of up to this much (I8).
    pub(super) excused: BTreeMap<NodeSlot, Shortfall>,
}

impl Nodes {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            rows: Table::default(),
            by_id: IndexMap::default(),
            free_slots: Vec::new(),
            changes: 0,
            classes: IndexMap::default(),
            sweep_at: LEAST_SWEPT,
            suitable: Table::default(),
            scorer: Scorer::new(policy.placement),
            rankings: Rankings::default(),
            fragmentation: Fragmentation::new(&policy.typical),
            domains: Domains::default(),
            shapes: Shapes::default(),
            under_way: UnderWay::default(),
            freed: FreedNodes::default(),
            spare: Vec::new(),
            excused: BTreeMap::new(),
        }
    }

    /// Forgets what is known about a template, since its id will be issued again.
    pub(crate) fn forget_template(&mut self, id: TemplateId) {
        if self.suitable.get(id).is_some() {
            *self.suitable.at_mut(id) = Default::default();
        }
        self.rankings.forget(id);
    }

    pub(crate) fn at(&self, slot: NodeSlot) -> &Node {
        self.rows.at(slot)
    }

    pub(crate) fn slot(&self, id: NodeId) -> Option<NodeSlot> {
        self.by_id.get(&id).copied()
    }

    /// How many nodes are up.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All nodes that are up, in the order of their ids.
    pub(crate) fn sorted(&self) -> Vec<NodeSlot> {
        let mut ids: Vec<_> = self.by_id.iter().map(|(id, slot)| (*id, *slot)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, slot)| slot).collect()
    }

    /// How often the capacity of nodes has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// What all nodes have of a resource, base units.
    pub(crate) fn capacity(&self, resource: usize) -> i64 {
        let has = |node: &NodeSlot| amount_of(&self.at(*node).total, resource);
        self.by_id.values().map(has).fold(0, i64::saturating_add)
    }

    /// What all nodes together have free of a resource, whether reserved or not, base units.
    pub(crate) fn spare(&self, resource: usize) -> i64 {
        let spare = self.spare.get(resource).copied().unwrap_or_default();
        i64::try_from(spare).unwrap_or(i64::MAX)
    }

    /// Adds a node without pods.
    pub(crate) fn add(&mut self, spec: NodeSpec, interner: &mut Interner) -> Result<NodeSlot, EventError> {
        let (total, devices) = devices_of(&spec, interner)?;
        let class = self.class(&spec);
        let mut node = Node {
            id: spec.id,
            class,
            up: true,
            free: total.clone(),
            reserved: vec![0; total.len()],
            total,
            devices,
            pods: IndexSet::default(),
            scored: scored(&spec, interner)?,
            clusters: SmallVec::new(),
            score: 0,
            usable: 0,
            spec,
        };
        node.reserve_unhealthy();
        let id = node.id;
        let slot = match self.free_slots.pop() {
            Some(slot) => {
                *self.rows.at_mut(slot) = node;
                slot
            }
            None => self.rows.push(node),
        };
        self.by_id.insert(id, slot);
        self.changes += 1;
        self.domains.insert(&self.rows.at(slot).spec, slot);
        self.shapes.add(self.rows.at(slot));
        self.count_typical_pods(slot, interner);
        self.enter(slot);
        self.freed.note(slot);
        Ok(slot)
    }

    /// Checks whether a node could have this specification.
    pub(crate) fn check(&self, spec: &NodeSpec, interner: &mut Interner) -> Result<(), EventError> {
        devices_of(spec, interner).map(drop)
    }

    /// Replaces the specification of a node; its pods stay. Its devices may change only where no pod uses any and no
    /// hold reserves any.
    pub(crate) fn change(&mut self, slot: NodeSlot, spec: NodeSpec, interner: &mut Interner) -> Result<(), EventError> {
        let (total, devices) = devices_of(&spec, interner)?;
        let scored = scored(&spec, interner)?;
        self.changes += 1;
        self.leave(slot);
        self.domains.remove(&self.rows.at(slot).spec);
        self.shapes.remove(self.rows.at(slot));
        self.domains.insert(&spec, slot);
        let class = self.class(&spec);
        let node = self.rows.at_mut(slot);
        node.release_unhealthy();
        node.scored = scored;
        let width = total.len().max(node.total.len());
        let mut free: Vec<i64> = total.iter().copied().chain(std::iter::repeat(0)).take(width).collect();
        for (r, free) in free.iter_mut().enumerate() {
            *free -= amount_of(&node.total, r) - amount_of(&node.free, r);
        }
        node.reserved.resize(width, 0);
        if node.spec.same_devices(&spec) {
            for (old, new) in node.devices.iter_mut().zip(&devices) {
                old.order = new.order;
            }
        } else {
            node.devices = devices;
        }
        (node.free, node.total, node.spec, node.class) = (free, total, spec, class);
        node.total.resize(width, 0);
        node.reserve_unhealthy();
        self.shapes.add(self.rows.at(slot));
        self.count_typical_pods(slot, interner);
        self.enter(slot);
        self.excuse(slot);
        self.freed.note(slot);
        self.give_back_classes();
        Ok(())
    }

    /// Removes a node. Its pods must have been taken off before.
    pub(crate) fn remove(&mut self, slot: NodeSlot) {
        self.freed.forget(slot);
        self.excused.remove(&slot);
        self.leave(slot);
        let node = self.rows.at_mut(slot);
        node.up = false;
        let id = node.id;
        self.by_id.swap_remove(&id);
        self.changes += 1;
        self.domains.remove(&self.rows.at(slot).spec);
        self.shapes.remove(self.rows.at(slot));
        self.free_slots.push(slot);
        self.rankings.touch(slot);
        self.give_back_classes();
    }

    /// Makes a node larger, or smaller again, to test what advice would change.
    pub(crate) fn enlarge(&mut self, id: NodeId, resource: Option<usize>, by: i64) {
        let (Some(slot), Some(resource)) = (self.slot(id), resource) else { return };
        self.leave(slot);
        self.changes += 1;
        let node = self.rows.at_mut(slot);
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
        narrow(index)
    }

    /// Places a pod.
    pub(crate) fn put(&mut self, at: Assignment, template: &Template, pod: PodRef) {
        self.change_usage(at.node, |node| node.put(template, at.devices, pod));
    }

    /// Places a pod on the node where it was found, whether it fits or not.
    pub(crate) fn put_anyway(&mut self, at: Assignment, template: &Template, pod: PodRef) {
        self.leave(at.node);
        let node = self.rows.at_mut(at.node);
        node.widen(template);
        node.put(template, at.devices, pod);
        self.enter(at.node);
    }

    /// Takes a pod off its node.
    pub(crate) fn take(&mut self, at: Assignment, template: &Template, pod: PodRef) {
        self.change_usage(at.node, |node| node.take(template, at.devices, pod));
    }

    /// Places a pod, or takes it off, without updating the index. The caller must reverse this before it uses the
    /// index.
    pub(crate) fn move_unindexed(&mut self, at: Assignment, template: &Template, pod: PodRef, off: bool) {
        let node = self.rows.at_mut(at.node);
        if off {
            node.take(template, at.devices, pod);
        } else {
            node.put(template, at.devices, pod);
        }
    }

    /// Adds `sign` times these amounts to what holds reserve on a node.
    pub(crate) fn reserve(&mut self, node: NodeSlot, amounts: &NodeReservation, sign: i64) {
        self.change_usage(node, |row| row.reserve(amounts, sign));
    }

    /// What a pod uses on its node, by resource and device.
    pub(crate) fn footprint(&self, at: Assignment, template: &Template) -> NodeReservation {
        self.rows.at(at.node).footprint(at.devices, template)
    }

    #[cfg(test)]
    pub(crate) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// Whether a pod has an unhealthy device.
    pub(crate) fn is_unhealthy(&self, at: Assignment) -> bool {
        self.at(at.node).spec.unhealthy.0 & at.devices.0 != 0
    }
}

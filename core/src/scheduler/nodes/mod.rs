//! The nodes: what each has free, what holds keep on it, and which pods stand there (P1).
//!
//! A pool without nodes is one node. Amounts are kept per resource and, where a resource comes as devices, per device;
//! "available" is free without what holds keep for others (H1).

mod fragments;
mod index;
mod points;
mod ranking;
mod score;
#[cfg(test)]
mod tests;

use super::shapes::{Devices, ResourceId, Shapes, Template, TemplateId, spread};
use crate::{
    event::EventError,
    ids::{Name, NodeId},
    plan::DeviceSet,
    policy::{Placement, Policy},
    spec::{NodeSpec, PodTemplate},
    table::Table,
};
use fragments::Fragments;
use index::ClassIndex;
use indexmap::IndexMap;
use ranking::{Rankings, UNFIT};
use rustc_hash::FxBuildHasher;
use score::Scorer;
use smallvec::SmallVec;

/// The place of a node in the table; reused after the node is gone.
pub(crate) type NodeSlot = u32;
/// A pod by the place of its workload and its ordinal.
pub(crate) type PodRef = (u32, u32);

/// Devices of one resource on one node.
#[derive(Debug, Clone)]
pub(crate) struct Bank {
    pub(crate) resource: ResourceId,
    pub(crate) each: i64,
    pub(crate) free: SmallVec<[i64; 8]>,
    pub(crate) reserved: SmallVec<[i64; 8]>,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) spec: NodeSpec,
    class: u32,
    pub(crate) up: bool,
    /// Allocatable, free and kept for holds, by resource.
    pub(crate) total: Vec<i64>,
    pub(crate) free: Vec<i64>,
    pub(crate) reserved: Vec<i64>,
    pub(crate) banks: SmallVec<[Bank; 1]>,
    pub(crate) pods: Vec<PodRef>,
    /// The resources that placement scores: cpu and devices where the node has any, else everything.
    scored: SmallVec<[ResourceId; 4]>,
    /// How many pods of each kind that clustering tells apart stand here.
    clusters: SmallVec<[(u32, u32); 2]>,
    score: u64,
    /// What typical pods could use of it, for `fgd`.
    usable: i128,
}

/// Where on a node a pod stands: which devices of which bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spot {
    pub(crate) node: NodeSlot,
    pub(crate) devices: DeviceSet,
}

impl Node {
    pub(crate) fn available(&self, resource: ResourceId) -> i64 {
        let at = usize::from(resource);
        let value = |row: &[i64]| row.get(at).copied().unwrap_or_default();
        value(&self.free) - value(&self.reserved)
    }

    /// What each device has available.
    fn devices(&self) -> impl Iterator<Item = i64> + Clone {
        let bank = self.banks.first();
        bank.into_iter().flat_map(|bank| bank.free.iter().zip(&bank.reserved)).map(|(free, reserved)| free - reserved)
    }

    /// How the template's request falls on this node's devices; nothing if it cannot at all.
    pub(crate) fn device_ask(&self, template: &Template) -> Option<Option<Devices>> {
        let Some(bank) = self.banks.first() else { return Some(None) };
        if let Some(ask) = template.devices.iter().find(|ask| ask.resource == bank.resource) {
            return Some(Some(*ask));
        }
        let plain = template.request.iter().find(|(resource, _)| *resource == bank.resource);
        match plain {
            None => Some(None),
            Some((resource, amount)) => spread(*resource, *amount, bank.each).map(Some),
        }
    }

    /// The fullest devices that fit the pod, lowest index first; nothing if it does not fit (P1). Some placement policies
    /// give it others: [`Nodes::devices`].
    pub(crate) fn choose(&self, template: &Template) -> Option<DeviceSet> {
        if template.request.iter().any(|(resource, amount)| self.available(*resource) < *amount) {
            return None;
        }
        let Some(ask) = self.device_ask(template)? else { return Some(DeviceSet::default()) };
        let bank = self.banks.first()?;
        let mut fitting: SmallVec<[(i64, u32); 8]> = SmallVec::new();
        for (i, (free, reserved)) in (0u32..).zip(bank.free.iter().zip(&bank.reserved)) {
            if free - reserved >= ask.each {
                fitting.push((free - reserved, i));
            }
        }
        let count = ask.count as usize;
        if fitting.len() < count {
            return None;
        }
        fitting.sort_unstable();
        Some(DeviceSet(fitting.iter().take(count).fold(0, |set, (_, i)| set | 1 << i)))
    }

    /// Adds `sign` times the pod's footprint to what is used.
    fn shift(&mut self, template: &Template, devices: DeviceSet, sign: i64) {
        for (resource, amount) in &template.request {
            if let Some(free) = self.free.get_mut(usize::from(*resource)) {
                *free -= sign * amount;
            }
        }
        let ask = self.device_ask(template).flatten();
        let each = ask.map_or(0, |ask| ask.each);
        if let Some(bank) = self.banks.first_mut() {
            if let Some(ask) = ask {
                let cluster = points::cluster(ask.count, ask.each, bank.each);
                count(&mut self.clusters, cluster, sign);
            }
            for device in devices.iter() {
                if let Some(free) = bank.free.get_mut(device as usize) {
                    *free -= sign * each;
                }
            }
        }
    }
}

fn count(clusters: &mut SmallVec<[(u32, u32); 2]>, cluster: u32, sign: i64) {
    match clusters.iter_mut().find(|(known, _)| *known == cluster) {
        Some((_, pods)) => *pods = pods.saturating_add_signed(if sign < 0 { -1 } else { 1 }),
        None => clusters.push((cluster, 1)),
    }
    clusters.retain(|(_, pods)| *pods > 0);
}

/// All nodes, with an index by placement score for each class of equal labels and taints.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    nodes: Table<Node>,
    pub(crate) by_id: IndexMap<NodeId, NodeSlot, FxBuildHasher>,
    spare: Vec<NodeSlot>,
    classes: IndexMap<Class, ClassIndex, FxBuildHasher>,
    /// Per template: the classes it may stand on, and how many classes were looked at.
    suitable: Table<(Vec<u32>, usize)>,
    scorer: Scorer,
    /// Where scores depend on the pod, these stand in for the scores in the classes.
    rankings: Rankings,
    fragments: Fragments,
}

/// What selectors and tolerations look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Class {
    labels: Vec<(Name, Name)>,
    taints: Vec<Name>,
}

impl Class {
    fn of(spec: &NodeSpec) -> Self {
        let (mut labels, mut taints) = (spec.labels.clone(), spec.taints.clone());
        labels.sort_unstable();
        taints.sort_unstable();
        Self { labels, taints }
    }

    fn tolerated(&self, template: &Template) -> bool {
        self.taints.iter().all(|taint| template.tolerations.contains(taint))
    }

    fn lets_on(&self, template: &PodTemplate) -> bool {
        self.taints.iter().all(|taint| template.tolerations.contains(taint)) && self.has(&template.selector)
    }

    fn selected(&self, template: &Template) -> bool {
        self.has(&template.selector)
    }

    fn has(&self, selector: &[(Name, Vec<Name>)]) -> bool {
        let has = |(label, values): &(Name, Vec<Name>)| {
            self.labels.iter().any(|(name, value)| name == label && values.contains(value))
        };
        selector.iter().all(has)
    }
}

impl Nodes {
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            nodes: Table::default(),
            by_id: IndexMap::default(),
            spare: Vec::new(),
            classes: IndexMap::default(),
            suitable: Table::default(),
            scorer: Scorer::new(policy.placement),
            rankings: Rankings::default(),
            fragments: Fragments::new(&policy.typical),
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
    pub(crate) fn add(&mut self, spec: NodeSpec, shapes: &mut Shapes) -> Result<NodeSlot, EventError> {
        let (total, banks) = lay_out(&spec, shapes)?;
        let class = self.class(&spec);
        let node = Node {
            id: spec.id,
            class,
            up: true,
            free: total.clone(),
            reserved: vec![0; total.len()],
            total,
            banks,
            pods: Vec::new(),
            scored: scored(&spec, shapes)?,
            clusters: SmallVec::new(),
            score: 0,
            usable: 0,
            spec,
        };
        let id = node.id;
        let slot = match self.spare.pop() {
            Some(slot) => {
                *self.nodes.at_mut(slot) = node;
                slot
            }
            None => self.nodes.push(node),
        };
        self.by_id.insert(id, slot);
        self.look_at_kind(slot, shapes);
        self.enter(slot);
        Ok(slot)
    }

    /// Replaces labels, taints, schedulability and amounts; pods stay. `false` when they would not fit its devices.
    pub(crate) fn change(&mut self, slot: NodeSlot, spec: NodeSpec, shapes: &mut Shapes) -> Result<(), EventError> {
        let (total, banks) = lay_out(&spec, shapes)?;
        let shape = |banks: &[Bank]| banks.iter().map(|b| (b.resource, b.each, b.free.len())).collect::<Vec<_>>();
        let old = self.nodes.at(slot);
        if shape(&old.banks) != shape(&banks) && !old.pods.is_empty() {
            let resource = shapes.resource_name(banks.first().or(old.banks.first()).map_or(0, |b| b.resource));
            return Err(EventError::BadDevices { resource, why: "the devices of a node with pods cannot change" });
        }
        let scored = scored(&spec, shapes)?;
        self.leave(slot);
        let class = self.class(&spec);
        let node = self.nodes.at_mut(slot);
        node.scored = scored;
        let mut free = total.clone();
        for (r, free) in free.iter_mut().enumerate() {
            let value = |row: &[i64]| row.get(r).copied().unwrap_or_default();
            *free -= value(&node.total) - value(&node.free);
        }
        node.reserved.resize(total.len(), 0);
        if shape(&node.banks) != shape(&banks) {
            node.banks = banks;
        }
        (node.free, node.total, node.spec, node.class) = (free, total, spec, class);
        self.look_at_kind(slot, shapes);
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
        self.spare.push(slot);
        self.rankings.touch(slot);
    }

    /// Makes a node larger, or smaller again, for asking what would happen.
    pub(crate) fn enlarge(&mut self, id: NodeId, resource: Option<usize>, by: i64) {
        let (Some(slot), Some(resource)) = (self.slot(id), resource) else { return };
        self.leave(slot);
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
        crate::table::narrow(index)
    }

    /// Puts a pod on its spot.
    pub(crate) fn put(&mut self, spot: Spot, template: &Template, pod: PodRef) {
        self.leave(spot.node);
        let node = self.nodes.at_mut(spot.node);
        node.shift(template, spot.devices, 1);
        node.pods.push(pod);
        self.enter(spot.node);
    }

    /// Takes a pod off its spot.
    pub(crate) fn take(&mut self, spot: Spot, template: &Template, pod: PodRef) {
        self.leave(spot.node);
        let node = self.nodes.at_mut(spot.node);
        node.shift(template, spot.devices, -1);
        if let Some(at) = node.pods.iter().position(|p| *p == pod) {
            node.pods.swap_remove(at);
        }
        self.enter(spot.node);
    }

    /// Puts a pod on its spot or takes it off without telling the index: to be undone before the index is asked.
    pub(crate) fn shift_quietly(&mut self, spot: Spot, template: &Template, pod: PodRef, off: bool) {
        let node = self.nodes.at_mut(spot.node);
        node.shift(template, spot.devices, if off { -1 } else { 1 });
        if !off {
            node.pods.push(pod);
        } else if let Some(at) = node.pods.iter().position(|p| *p == pod) {
            node.pods.swap_remove(at);
        }
    }

    /// Changes what holds keep on a node by `sign` times these amounts.
    pub(crate) fn reserve(&mut self, node: NodeSlot, kept: &Kept, sign: i64) {
        self.leave(node);
        let row = self.nodes.at_mut(node);
        for (resource, amount) in &kept.resources {
            if let Some(cell) = row.reserved.get_mut(usize::from(*resource)) {
                *cell += sign * amount;
            }
        }
        if let Some(bank) = row.banks.first_mut() {
            for (device, amount) in &kept.devices {
                if let Some(cell) = bank.reserved.get_mut(*device as usize) {
                    *cell += sign * amount;
                }
            }
        }
        self.enter(node);
    }

    /// The footprint of a pod on its node, by resource and device.
    pub(crate) fn footprint(&self, spot: Spot, template: &Template) -> Kept {
        let node = self.nodes.at(spot.node);
        let each = node.device_ask(template).flatten().map_or(0, |ask| ask.each);
        Kept {
            resources: template.request.clone(),
            devices: spot.devices.iter().map(|device| (device, each)).collect(),
        }
    }

    /// The best node with room for one pod, and its devices there (P1, P2). `draw` decides for `random`.
    pub(crate) fn pick(&mut self, id: TemplateId, template: &Template, draw: u64) -> Option<Spot> {
        self.look_at_new_classes(id, template);
        if self.scorer.placement.by_pod() {
            return self.pick_by_pod(id, template, draw);
        }
        let mut best: Option<(u64, NodeId, Spot)> = None;
        for class in &self.suitable.at(id).0 {
            let Some((_, index)) = self.classes.get_index_mut(*class as usize) else { continue };
            let found = index.first_fit(&self.nodes, template);
            if let Some((score, spot)) = found {
                let key = (score, self.nodes.at(spot.node).id);
                if best.as_ref().is_none_or(|(s, n, _)| key < (*s, *n)) {
                    best = Some((key.0, key.1, spot));
                }
            }
        }
        best.map(|(_, _, spot)| spot)
    }

    /// The same where the score depends on the pod.
    fn pick_by_pod(&mut self, id: TemplateId, template: &Template, draw: u64) -> Option<Spot> {
        let (nodes, suitable) = (&self.nodes, &self.suitable.at(id).0);
        let (scorer, fragments) = (&self.scorer, &self.fragments);
        let rate = |slot: NodeSlot| {
            let node = nodes.at(slot);
            if !node.up || !node.spec.schedulable || suitable.binary_search(&node.class).is_err() {
                return UNFIT;
            }
            let points = scorer.points(node, template, fragments, node.usable);
            points.map_or(UNFIT, |(points, _)| u64::from(100u32.saturating_sub(points)) << 32 | u64::from(node.id.0))
        };
        let best = match scorer.placement {
            Placement::Random { seed } => self.rankings.nth(id, nodes.len(), rate, |of| score::drawn(seed, draw, of)),
            _ => self.rankings.least(id, nodes.len(), rate),
        };
        if best == UNFIT {
            return None;
        }
        let node = self.slot(NodeId(best as u32))?;
        let devices = match self.scorer.placement {
            Placement::Random { seed } => score::drawn_devices(self.at(node), template, seed, draw)?,
            _ => self.devices(node, template)?,
        };
        Some(Spot { node, devices })
    }

    /// The devices a pod would get on a node by this placement policy; nothing if it does not fit (P1, P2). Those that
    /// `random` draws it gets only where the node was drawn, too.
    pub(crate) fn devices(&self, slot: NodeSlot, template: &Template) -> Option<DeviceSet> {
        let node = self.at(slot);
        match self.scorer.placement {
            Placement::Fgd => {
                let usable = self.fragments.usable(node);
                self.fragments.points(node, template, usable).map(|(_, devices)| devices)
            }
            _ => node.choose(template),
        }
    }

    /// Whether the template may stand on this node at all: up, schedulable, tolerated and selected.
    pub(crate) fn is_suitable(&self, slot: NodeSlot, template: &Template) -> bool {
        let node = self.nodes.at(slot);
        let class = self.classes.get_index(node.class as usize);
        node.up && node.spec.schedulable && class.is_some_and(|(c, _)| c.tolerated(template) && c.selected(template))
    }

    /// Why a node is out of the question whatever is free on it: (cordoned, tainted, unselected).
    pub(crate) fn ruled_out(&self, slot: NodeSlot, template: &Template) -> Option<RuledOut> {
        let node = self.nodes.at(slot);
        let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
        if !node.spec.schedulable {
            return Some(RuledOut::Cordoned);
        }
        match class {
            Some(class) if !class.tolerated(template) => Some(RuledOut::Tainted),
            Some(class) if !class.selected(template) => Some(RuledOut::Unselected),
            _ => None,
        }
    }

    fn look_at_new_classes(&mut self, id: TemplateId, template: &Template) {
        if self.suitable.len() <= id as usize {
            self.suitable.resize_with(id as usize + 1, Default::default);
        }
        let (suitable, seen) = self.suitable.at_mut(id);
        for at in *seen..self.classes.len() {
            let class = self.classes.get_index(at).map(|(class, _)| class);
            if class.is_some_and(|c| c.tolerated(template) && c.selected(template)) {
                suitable.push(crate::table::narrow(at));
            }
        }
        *seen = self.classes.len();
    }

    /// Counts the typical pods for the kind of a node, where the policy looks at them.
    fn look_at_kind(&mut self, slot: NodeSlot, shapes: &Shapes) {
        if self.scorer.placement == Placement::Fgd {
            let node = self.nodes.at(slot);
            let class = self.classes.get_index(node.class as usize).map(|(class, _)| class);
            self.fragments.sees(node, shapes, |template| class.is_some_and(|class| class.lets_on(template)));
        }
    }

    fn leave(&mut self, slot: NodeSlot) {
        if self.scorer.placement.by_pod() {
            return;
        }
        let node = self.nodes.at(slot);
        if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
            index.remove(node.score, node.id);
        }
    }

    fn enter(&mut self, slot: NodeSlot) {
        if self.scorer.sees(self.nodes.at(slot)) {
            self.rescore();
            return;
        }
        let node = self.nodes.at_mut(slot);
        if self.scorer.placement.by_pod() {
            if self.scorer.placement == Placement::Fgd {
                node.usable = self.fragments.usable(node);
            }
            self.rankings.touch(slot);
            return;
        }
        node.score = self.scorer.score(node);
        let node = self.nodes.at(slot);
        if !(node.up && node.spec.schedulable) {
            return;
        }
        if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
            index.insert(node.score, slot, node);
        }
    }

    /// The largest node has grown: every score is measured anew.
    fn rescore(&mut self) {
        if self.scorer.placement.by_pod() {
            self.rankings.clear();
            return;
        }
        for (_, index) in &mut self.classes {
            *index = ClassIndex::default();
        }
        let slots: Vec<NodeSlot> = self.by_id.values().copied().collect();
        for slot in slots {
            let score = self.scorer.score(self.nodes.at(slot));
            self.nodes.at_mut(slot).score = score;
            let node = self.nodes.at(slot);
            if !(node.up && node.spec.schedulable) {
                continue;
            }
            if let Some((_, index)) = self.classes.get_index_mut(node.class as usize) {
                index.insert(score, slot, node);
            }
        }
    }
}

/// Why a node is out of the question whatever is free on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuledOut {
    Cordoned,
    Tainted,
    Unselected,
}

/// Amounts on one node, by resource and by device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) resources: SmallVec<[(ResourceId, i64); 4]>,
    pub(crate) devices: SmallVec<[(u32, i64); 4]>,
}

impl Kept {
    pub(crate) fn add(&mut self, other: &Self) {
        merge(&mut self.resources, &other.resources, 1);
        merge(&mut self.devices, &other.devices, 1);
    }

    /// Subtracts, never below 0.
    pub(crate) fn cover(&mut self, other: &Self) {
        merge(&mut self.resources, &other.resources, -1);
        merge(&mut self.devices, &other.devices, -1);
    }

    /// Drops what is covered.
    pub(crate) fn clip(&mut self) {
        self.resources.retain(|(_, amount)| *amount > 0);
        self.devices.retain(|(_, amount)| *amount > 0);
    }
}

fn merge<K: Copy + Eq>(into: &mut SmallVec<[(K, i64); 4]>, from: &[(K, i64)], sign: i64) {
    for (key, amount) in from {
        match into.iter_mut().find(|(k, _)| k == key) {
            Some((_, sum)) => *sum += sign * amount,
            None => into.push((*key, sign * amount)),
        }
    }
}

fn scored(spec: &NodeSpec, shapes: &mut Shapes) -> Result<SmallVec<[ResourceId; 4]>, EventError> {
    let counts = |name: &Name| name == "cpu" || name.as_str().contains('/');
    let some = spec.allocatable.iter().any(|(name, _)| counts(name));
    spec.allocatable.iter().filter(|(name, _)| !some || counts(name)).map(|(name, _)| shapes.resource(name)).collect()
}

fn lay_out(spec: &NodeSpec, shapes: &mut Shapes) -> Result<(Vec<i64>, SmallVec<[Bank; 1]>), EventError> {
    if let Some((resource, amount)) = spec.allocatable.iter().find(|(_, amount)| *amount < 0) {
        return Err(EventError::NegativeAmount { resource: resource.clone(), amount });
    }
    let mut total = Vec::new();
    for (name, amount) in spec.allocatable.iter() {
        let at = usize::from(shapes.resource(name)?);
        if total.len() <= at {
            total.resize(at + 1, 0);
        }
        if let Some(cell) = total.get_mut(at) {
            *cell = amount;
        }
    }
    let mut banks = SmallVec::new();
    for devices in &spec.devices {
        let bad = |why| Err(EventError::BadDevices { resource: devices.resource.clone(), why });
        if devices.count > 64 || devices.each <= 0 {
            return bad("a node has at most 64 devices, each of a positive amount");
        }
        if !banks.is_empty() {
            return bad("a node has one kind of devices");
        }
        let sum = devices.each.checked_mul(i64::from(devices.count));
        if sum.is_none() || spec.allocatable.get(devices.resource.as_str()) != sum {
            return bad("the allocatable amount must be the number of devices times the amount of each");
        }
        let cells = |value| (0..devices.count).map(|_| value).collect();
        let resource = shapes.resource(&devices.resource)?;
        banks.push(Bank { resource, each: devices.each, free: cells(devices.each), reserved: cells(0) });
    }
    Ok((total, banks))
}

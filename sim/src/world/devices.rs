//! Devices that become unhealthy and recover, nodes that are relabelled, and guaranteed cells that become unavailable.

use super::{NONE, State, World, access, access::Attempt, nodes, pod_lifecycle};
use crate::{
    model::{
        Change, DeviceChange, GpuMode, Gpus, Scenario,
        cells::{self, Short},
        set_label,
    },
    people::Refusal,
    trace::TraceEvent,
};
use quotree_core::{DeviceSet, Event, EventError, Name, NodeId, NodeSpec, PodOutcome, QuotaTree, TreeSpec};
use quotree_words::Names;
use std::{borrow::Cow, collections::BTreeMap};

/// The state of the devices of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// The unhealthy devices, by node.
    unhealthy: BTreeMap<u32, u64>,
    /// Nodes that were relabelled or edited, in their current form.
    relabelled: BTreeMap<u32, NodeSpec>,
    /// The devices of each pod; only kept if some device of the scenario fails together with its pods.
    given: Option<BTreeMap<u32, DeviceSet>>,
    /// Whether guaranteed cells were missing at the last check.
    cells_short: bool,
    /// Whether some tree of the scenario guarantees cells and the first nodes have joined.
    has_cells: bool,
    watches: bool,
}

impl Devices {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let takes = |change: &Change| matches!(change, Change::Devices(DeviceChange::Unhealthy { lost: true, .. }));
        let takes = scenario.events.iter().any(|event| takes(&event.change));
        let brings_cells = |change: &Change| match change {
            Change::ReplaceTree { tree } => !cells::guaranteed(tree).is_empty(),
            Change::EditQuota { edit, .. } => edit.cells.as_ref().is_some_and(|cells| !cells.is_empty()),
            _ => false,
        };
        let has_cells = !cells::guaranteed(&scenario.tree).is_empty()
            || scenario.events.iter().any(|event| brings_cells(&event.change));
        Self { given: takes.then(BTreeMap::new), has_cells, ..Self::default() }
    }

    /// Records that a pod is bound with these devices of its node.
    pub(crate) fn give(&mut self, pod: u32, devices: DeviceSet) {
        if let Some(given) = &mut self.given {
            given.insert(pod, devices);
        }
    }

    /// Records an edited node.
    pub(crate) fn edit(&mut self, node: u32, spec: NodeSpec) {
        self.relabelled.insert(node, spec);
    }

    /// The current form of a node, with its edits and the health of its devices; `spec` is its form in the scenario.
    pub(crate) fn now(&self, node: u32, spec: NodeSpec) -> NodeSpec {
        let mut spec = self.relabelled.get(&node).cloned().unwrap_or(spec);
        spec.unhealthy = DeviceSet(self.unhealthy.get(&node).copied().unwrap_or(0));
        spec
    }
}

/// The guaranteed cells that cannot be split out of these nodes, if there are any.
pub(crate) fn missing_cells<'n>(tree: &QuotaTree, up: impl Iterator<Item = Cow<'n, NodeSpec>>) -> Option<Short> {
    let specs: TreeSpec = tree.ids().filter_map(|quota| tree.spec(quota).cloned()).collect();
    let wanted = cells::guaranteed(&specs);
    if wanted.is_empty() { None } else { cells::short(&wanted, up) }
}

/// Starts reporting of missing cells, once the first nodes have joined.
pub(crate) fn watch_cells(world: &mut World<'_>) {
    world.devices.watches = world.devices.has_cells;
    check_cells(world);
}

/// After a change of nodes, devices or quotas: reports when guaranteed cells become unavailable, or available again.
pub(crate) fn check_cells(world: &mut World<'_>) {
    if !world.devices.watches {
        return;
    }
    let up = world.nodes.ids().filter(|node| world.nodes[*node].up);
    let specs = up.filter_map(|node| nodes::spec_of(world, node)).map(Cow::Owned);
    let short = missing_cells(world.trees.current(), specs);
    if short.is_some() != std::mem::replace(&mut world.devices.cells_short, short.is_some()) {
        world.trace(TraceEvent::Cells { short: short.map_or((0, 0), |short| (short.size, short.missing)) });
        if let Some(short) = short {
            let attempt = Attempt { what: "guaranteed cells".to_owned(), by: None, account: NONE };
            access::note(world, attempt, &Refusal::CellsShort { why: short.to_string() });
        }
    }
}

/// Makes a device unhealthy or healthy. (The engine handles relabelling, since the scheduler may refuse it.)
pub(crate) fn change(world: &mut World<'_>, change: &DeviceChange) {
    let number = |node: &usize| u32::try_from(*node).unwrap_or(u32::MAX);
    match change {
        DeviceChange::Unhealthy { node, device, lost } => fail_device(world, number(node), *device, *lost),
        DeviceChange::Healthy { node, device } => {
            set_unhealthy(world, number(node), *device, false);
            world.trace(TraceEvent::Device { node: NodeId(number(node)), device: *device, healthy: true });
            nodes::report(world, number(node));
        }
        DeviceChange::Relabel { .. } => {}
    }
}

/// Changes the health of a device; the capacity of the cluster changes with it.
fn set_unhealthy(world: &mut World<'_>, node: u32, device: u32, unhealthy: bool) {
    let before = nodes::spec_of(world, node);
    let (all, one) = (world.devices.unhealthy.entry(node).or_default(), 1u64 << (device & 63));
    *all = if unhealthy { *all | one } else { *all & !one };
    if let (Some(before), Some(after), true) = (before, nodes::spec_of(world, node), world.nodes[node].up) {
        nodes::resize(world, &before, -1);
        nodes::resize(world, &after, 1);
    }
}

/// Makes a device unhealthy. With `lost`, the pods that use it fail.
fn fail_device(world: &mut World<'_>, node: u32, device: u32, lost: bool) {
    set_unhealthy(world, node, device, true);
    world.trace(TraceEvent::Device { node: NodeId(node), device, healthy: false });
    nodes::report(world, node);
    let Some(given) = world.devices.given.as_ref().filter(|_| lost) else { return };
    let here = |pod: u32| world.pods[pod].node == node && world.pods[pod].state.holds_resources();
    let pods = given.iter().filter(|(pod, devices)| devices.has(device) && here(**pod));
    let pods: Vec<u32> = pods.map(|(pod, _)| *pod).collect();
    for pod in &pods {
        let id = world.id_of(*pod);
        nodes::ended(world, *pod, State::Failed, PodOutcome::Lost);
        world.tell(Event::PodGone { pod: id, outcome: PodOutcome::Lost });
    }
    pod_lifecycle::lost(world, &pods);
}

/// A node as it is now, and as it would be with new labels or a new mode of its GPUs.
pub(crate) fn relabelled(
    world: &World<'_>,
    node: u32,
    labels: &[(Name, Name)],
    mode: Option<(GpuMode, &Gpus)>,
) -> Option<(NodeSpec, NodeSpec)> {
    let before = nodes::spec_of(world, node)?;
    let mut spec = before.clone();
    for (label, value) in labels {
        set_label(&mut spec, label, value);
    }
    if let Some((mode, gpus)) = mode {
        gpus.mark(mode, &mut spec);
    }
    Some((before, spec))
}

/// Relabels a node.
pub(crate) fn relabel(world: &mut World<'_>, node: u32, before: &NodeSpec, spec: NodeSpec) {
    world.trace(TraceEvent::Relabel { node: NodeId(node), refused: false });
    if world.nodes[node].up {
        nodes::resize(world, before, -1);
        nodes::resize(world, &spec, 1);
    }
    world.devices.relabelled.insert(node, spec);
    check_cells(world);
}

/// Records that the scheduler refused to relabel a node, which stays unchanged.
pub(crate) fn refuse_relabel(world: &mut World<'_>, node: u32, by: Option<&Name>, error: &EventError) {
    let names = world.names();
    let mut why = error.to_string();
    if let EventError::DevicesInUse { node, pods } = error {
        let pods: Vec<String> = pods.iter().map(|pod| names.pod(*pod).into_owned()).collect();
        why = format!("the devices of {} are used and may not change: {}", names.node(*node), pods.join(", "));
    }
    let what = format!("relabel {}", names.node(NodeId(node)));
    world.trace(TraceEvent::Relabel { node: NodeId(node), refused: true });
    access::note(world, Attempt { what, by, account: NONE }, &Refusal::Invalid { what: why });
}

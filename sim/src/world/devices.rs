//! Devices that fall ill and get well, and nodes that are relabelled.

use super::{NONE, State, access::Attempt};
use crate::{
    engine::Engine,
    model::{
        Change, DeviceChange, GpuMode, Gpus, Scenario,
        cells::{self, Short},
        set_label,
    },
    options::RunError,
    people::Refusal,
    text::Names,
    trace::TraceEvent,
};
use quotree_core::{DeviceSet, Event, EventError, Name, NodeId, NodeSpec, PodOutcome, TreeSpec};
use std::collections::BTreeMap;

/// What became of devices.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// The ill ones, by node.
    ill: BTreeMap<u32, u64>,
    /// Nodes that were relabelled or edited, as they are since.
    relabelled: BTreeMap<u32, NodeSpec>,
    /// Which devices each pod has, while a device of the scenario takes its pods along.
    given: Option<BTreeMap<u32, DeviceSet>>,
    /// Whether guaranteed cells could not be had when it was last looked.
    cells_short: bool,
    /// Whether any tree of the scenario guarantees cells, and whether the nodes of the start are there.
    has_cells: bool,
    watches: bool,
}

impl Devices {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let takes = |change: &Change| matches!(change, Change::Devices(DeviceChange::Ill { lost: true, .. }));
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

    /// A pod gets these devices of its node.
    pub(crate) fn give(&mut self, pod: u32, devices: DeviceSet) {
        if let Some(given) = &mut self.given {
            given.insert(pod, devices);
        }
    }

    /// A node is something else from now on.
    pub(crate) fn edit(&mut self, node: u32, spec: NodeSpec) {
        self.relabelled.insert(node, spec);
    }

    /// A node as it was relabelled and as its devices are, out of what it is by the scenario.
    pub(crate) fn now(&self, node: u32, spec: NodeSpec) -> NodeSpec {
        let mut spec = self.relabelled.get(&node).cloned().unwrap_or(spec);
        spec.unhealthy = DeviceSet(self.ill.get(&node).copied().unwrap_or(0));
        spec
    }
}

impl Engine<'_> {
    /// The guaranteed cells that cannot be had now, if there are such.
    pub(crate) fn cells_short(&self) -> Option<Short> {
        let core = self.core.scheduler();
        let tree: TreeSpec = core.tree().ids().filter_map(|quota| core.tree().spec(quota).cloned()).collect();
        let wanted = cells::guaranteed(&tree);
        let up = (0..self.world.nodes.len()).filter(|node| self.world.nodes[*node].up && !wanted.is_empty());
        cells::short(&wanted, up.filter_map(|node| core.node_spec(NodeId(node))))
    }

    /// The nodes of the start are there: from here on it is told when guaranteed cells cannot be had.
    pub(crate) fn watch_cells(&mut self) {
        self.world.devices.watches = self.world.devices.has_cells;
        self.look_at_cells();
    }

    /// Nodes, devices or quotas changed: whether the guaranteed cells can be had is told when it changes.
    pub(crate) fn look_at_cells(&mut self) {
        if !self.world.devices.watches {
            return;
        }
        let short = self.cells_short();
        if short.is_some() != std::mem::replace(&mut self.world.devices.cells_short, short.is_some()) {
            self.trace(TraceEvent::Cells { short: short.map_or((0, 0), |short| (short.size, short.missing)) });
            self.notes_of_cells(short);
        }
    }

    /// A shortage of cells goes into the notes of the run.
    fn notes_of_cells(&mut self, short: Option<Short>) {
        let Some(short) = short else { return };
        let attempt = Attempt { what: "guaranteed cells".to_owned(), by: None, account: NONE };
        self.note(attempt, &Refusal::CellsShort { why: short.to_string() });
    }

    pub(crate) fn change_devices(&mut self, change: &DeviceChange, by: Option<&Name>) -> Result<(), RunError> {
        let number = |node: &usize| u32::try_from(*node).unwrap_or(u32::MAX);
        match change {
            DeviceChange::Ill { node, device, lost } => self.fall_ill(number(node), *device, *lost),
            DeviceChange::Well { node, device } => {
                self.set_ill(number(node), *device, false);
                self.trace(TraceEvent::Device { node: NodeId(number(node)), device: *device, healthy: true });
                self.tell_node(number(node))
            }
            DeviceChange::Relabel { node, labels, mode } => {
                self.relabel((number(node), by), labels, mode.as_ref().map(|(mode, gpus)| (*mode, &**gpus)))
            }
        }
    }

    /// A device is ill or well from now on, and the capacity is without it or with it.
    fn set_ill(&mut self, node: u32, device: u32, ill: bool) {
        let before = self.spec_of(node);
        let (all, one) = (self.world.devices.ill.entry(node).or_default(), 1u64 << (device & 63));
        *all = if ill { *all | one } else { *all & !one };
        if let (Some(before), Some(after), true) = (before, self.spec_of(node), self.world.nodes[node].up) {
            self.resize(&before, -1);
            self.resize(&after, 1);
        }
    }

    /// The scheduler is told how a node is now, if it is there.
    fn tell_node(&mut self, node: u32) -> Result<(), RunError> {
        match self.spec_of(node).filter(|_| self.world.nodes[node].up) {
            Some(spec) => self.feed(Event::NodeChanged(spec)),
            None => Ok(()),
        }
    }

    fn fall_ill(&mut self, node: u32, device: u32, lost: bool) -> Result<(), RunError> {
        self.set_ill(node, device, true);
        self.trace(TraceEvent::Device { node: NodeId(node), device, healthy: false });
        self.tell_node(node)?;
        let Some(given) = self.world.devices.given.as_ref().filter(|_| lost) else { return Ok(()) };
        let here = |pod: u32| self.world.pods[pod].node == node && self.world.pods[pod].state.uses();
        let pods = given.iter().filter(|(pod, devices)| devices.has(device) && here(**pod));
        let pods: Vec<u32> = pods.map(|(pod, _)| *pod).collect();
        let mut units: Vec<u32> = pods.iter().map(|pod| self.world.pods[*pod].unit).collect();
        for pod in &pods {
            let id = self.world.id_of(*pod);
            self.ended(*pod, State::Failed, PodOutcome::Lost);
            self.feed(Event::PodGone { pod: id, outcome: PodOutcome::Lost })?;
        }
        units.sort_unstable();
        units.dedup();
        for unit in units {
            if !self.still_trains(unit) {
                self.interrupt(unit);
            }
            self.after_loss(unit, true)?;
        }
        self.members_lost(&pods);
        Ok(())
    }

    /// A node gets other labels, or its GPUs another mode. A refusal is kept for the report and changes nothing.
    fn relabel(
        &mut self,
        (node, by): (u32, Option<&Name>),
        labels: &[(Name, Name)],
        mode: Option<(GpuMode, &Gpus)>,
    ) -> Result<(), RunError> {
        let Some(before) = self.spec_of(node) else { return Ok(()) };
        let mut spec = before.clone();
        for (label, value) in labels {
            set_label(&mut spec, label, value);
        }
        if let Some((mode, gpus)) = mode {
            gpus.mark(mode, &mut spec);
        }
        let up = self.world.nodes[node].up;
        if let Err(error) = if up { self.core.apply(Event::NodeChanged(spec.clone())) } else { Ok(()) } {
            let mut why = error.to_string();
            if let EventError::DevicesInUse { node, pods } = &error {
                let names = self.names();
                let pods: Vec<String> = pods.iter().map(|pod| names.pod(*pod).into_owned()).collect();
                why = format!("the devices of {} are used and may not change: {}", names.node(*node), pods.join(", "));
            }
            let what = format!("relabel {}", self.names().node(NodeId(node)));
            self.trace(TraceEvent::Relabel { node: NodeId(node), refused: true });
            self.note(Attempt { what, by, account: NONE }, &Refusal::Invalid { what: why });
            return Ok(());
        }
        self.dirty |= up;
        self.trace(TraceEvent::Relabel { node: NodeId(node), refused: false });
        if up {
            self.resize(&before, -1);
            self.resize(&spec, 1);
        }
        self.world.devices.relabelled.insert(node, spec);
        self.look_at_cells();
        Ok(())
    }
}

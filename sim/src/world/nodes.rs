//! Nodes: coming, going with their pods, and closed to new ones.

use super::{NONE, State};
use crate::{driver::Engine, options::RunError, trace::Traced};
use quotree_core::{Event, NodeId, NodeSpec, PodOutcome};

/// A node's state in the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeState {
    pub(crate) up: bool,
    pub(crate) cordoned: bool,
}

impl NodeState {
    pub(crate) fn of(spec: &NodeSpec) -> Self {
        Self { up: false, cordoned: !spec.schedulable }
    }
}

impl Engine<'_> {
    /// A node comes. One that is there already stays as it is.
    pub(crate) fn node_up(&mut self, node: u32) -> Result<(), RunError> {
        let Some(spec) = self.spec_of(node).filter(|_| !self.world.nodes[node].up) else {
            return Ok(());
        };
        self.resize(&spec, 1);
        self.world.nodes[node].up = true;
        self.trace(Traced::Node { node: NodeId(node), up: true });
        self.feed(Event::NodeUp(spec))
    }

    /// A node is lost with its pods. Takes time linear in all pods.
    pub(crate) fn node_down(&mut self, node: u32) -> Result<(), RunError> {
        let Some(spec) = self.spec_of(node).filter(|_| self.world.nodes[node].up) else {
            return Ok(());
        };
        self.resize(&spec, -1);
        self.world.nodes[node].up = false;
        self.trace(Traced::Node { node: NodeId(node), up: false });
        self.feed(Event::NodeDown { node: NodeId(node) })?;
        let here = |p: &u32| self.world.pods[*p].node == node && self.world.pods[*p].state.uses();
        let lost: Vec<u32> = self.world.pods.ids().filter(here).collect();
        let mut units: Vec<u32> = lost.iter().map(|p| self.world.pods[*p].unit).collect();
        for pod in &lost {
            self.ended(*pod, State::Failed, PodOutcome::Lost);
        }
        units.sort_unstable();
        units.dedup();
        for unit in units {
            if !self.still_trains(unit) {
                self.interrupt(unit);
            }
            self.after_loss(unit, true)?;
        }
        self.members_lost(&lost);
        Ok(())
    }

    /// A node takes no new pods, or does again.
    pub(crate) fn cordon(&mut self, node: u32, cordoned: bool) -> Result<(), RunError> {
        if node >= self.world.nodes.len() {
            return Ok(());
        }
        self.world.nodes[node].cordoned = cordoned;
        self.trace(Traced::Cordon { node: NodeId(node), cordoned });
        match self.spec_of(node).filter(|_| self.world.nodes[node].up) {
            Some(spec) => self.feed(Event::NodeChanged(spec)),
            None => Ok(()),
        }
    }

    /// What the scheduler is told of a node now.
    pub(crate) fn spec_of(&self, node: u32) -> Option<NodeSpec> {
        let spec = self.scenario.cluster.nodes.get(node as usize)?.spec.clone();
        let mut spec = self.world.devices.now(node, spec);
        spec.id = NodeId(node);
        spec.schedulable = !self.world.nodes[node].cordoned;
        Some(spec)
    }

    pub(crate) fn resize(&mut self, spec: &NodeSpec, sign: i128) {
        for (name, amount) in spec.allocatable.iter() {
            if let Some(resource) = self.world.shapes.resource(name.as_str()) {
                self.figures.ledger.resize(resource, sign * i128::from(amount));
            }
        }
    }

    /// A pod ended, whatever the scheduler knows of it.
    pub(crate) fn ended(&mut self, pod: u32, state: State, outcome: PodOutcome) {
        self.tell_end(pod, state, outcome == PodOutcome::Lost);
        self.set_state(pod, state);
        self.world.pods[pod].node = NONE;
        let id = self.world.id_of(pod);
        self.trace(Traced::Gone { pod: id, outcome });
    }
}

//! Nodes: coming, going with their pods, and closed to new ones. Several things can hold a node down at once; it is up when
//! none does.

use super::State;
use crate::{engine::Engine, model::Node, options::RunError, trace::TraceEvent};
use quotree_core::{Amounts, Event, NodeId, NodeSpec, PodOutcome};

/// A node's state in the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeState {
    pub(crate) up: bool,
    pub(crate) cordoned: bool,
    /// It did not join yet, or was taken out.
    pub(crate) absent: bool,
    /// It was there at some time.
    pub(crate) known: bool,
    /// `NodeDown` was said, and no `NodeUp` since.
    stopped: bool,
    /// What else holds it down: faults, outages, its rack. It is up when nothing does.
    causes: u32,
    /// Thousandths of full speed at which work goes on it.
    pub(crate) permille: u32,
    /// Pods that use it.
    pub(crate) pods: u32,
}

impl NodeState {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            up: false,
            cordoned: !node.spec.schedulable,
            absent: node.spare,
            known: !node.spare,
            stopped: false,
            causes: 0,
            permille: 1000,
            pods: 0,
        }
    }
}

/// What a node has without its ill devices.
pub(crate) fn healthy(spec: &NodeSpec) -> Amounts {
    let mut amounts = spec.allocatable.clone();
    for devices in &spec.devices {
        let ill = spec.unhealthy.iter().filter(|device| *device < devices.count).count();
        let ill = i64::try_from(ill).unwrap_or(i64::MAX).saturating_mul(devices.each);
        if let Some(amount) = amounts.get(devices.resource.as_str()).filter(|_| ill > 0) {
            amounts.set(devices.resource.clone(), amount.saturating_sub(ill).max(0));
        }
    }
    amounts
}

impl Engine<'_> {
    /// A node is started. One that is up already stays as it is.
    pub(crate) fn node_up(&mut self, node: u32) -> Result<(), RunError> {
        if node < self.world.nodes.len() {
            self.world.nodes[node].stopped = false;
            self.settle_node(node)?;
        }
        Ok(())
    }

    /// A node is stopped: it is lost with its pods.
    pub(crate) fn node_down(&mut self, node: u32) -> Result<(), RunError> {
        if node < self.world.nodes.len() {
            self.world.nodes[node].stopped = true;
            self.settle_node(node)?;
        }
        Ok(())
    }

    /// One more thing holds a node down, or one less.
    pub(crate) fn hold_down(&mut self, node: u32, down: bool) -> Result<(), RunError> {
        let causes = &mut self.world.nodes[node].causes;
        *causes = if down { *causes + 1 } else { causes.saturating_sub(1) };
        self.settle_node(node)
    }

    /// A node joins, or is taken out for good.
    pub(crate) fn set_absent(&mut self, node: u32, absent: bool) -> Result<(), RunError> {
        if self.world.nodes[node].absent == absent {
            return Ok(());
        }
        let state = &mut self.world.nodes[node];
        (state.absent, state.known) = (absent, true);
        self.world.fleet.count(node, self.now, !absent);
        self.settle_node(node)
    }

    /// A node is up when it is there and nothing holds it down.
    fn settle_node(&mut self, node: u32) -> Result<(), RunError> {
        let state = self.world.nodes[node];
        let stands = !state.absent && !state.stopped && state.causes == 0;
        match (state.up, stands) {
            (false, true) => self.node_comes(node),
            (true, false) => self.node_goes(node),
            _ => Ok(()),
        }
    }

    fn node_comes(&mut self, node: u32) -> Result<(), RunError> {
        let Some(spec) = self.spec_of(node) else {
            return Ok(());
        };
        self.resize(&spec, 1);
        self.world.nodes[node].up = true;
        self.trace(TraceEvent::Node { node: NodeId(node), up: true });
        self.feed(Event::NodeUp(spec))
    }

    /// A node is lost with its pods.
    fn node_goes(&mut self, node: u32) -> Result<(), RunError> {
        let Some(spec) = self.spec_of(node) else {
            return Ok(());
        };
        self.resize(&spec, -1);
        self.world.nodes[node].up = false;
        self.trace(TraceEvent::Node { node: NodeId(node), up: false });
        self.feed(Event::NodeDown { node: NodeId(node) })?;
        let lost = self.world.pods_on(node);
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
        self.trace(TraceEvent::Cordon { node: NodeId(node), cordoned });
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

    /// The capacity has what a node's healthy devices and other resources are, or has it no more.
    pub(crate) fn resize(&mut self, spec: &NodeSpec, sign: i128) {
        for (name, amount) in healthy(spec).iter() {
            if let Some(resource) = self.world.shapes.resource(name.as_str()) {
                self.figures.ledger.resize(resource, sign * i128::from(amount));
            }
        }
    }

    /// A pod ended, whatever the scheduler knows of it.
    pub(crate) fn ended(&mut self, pod: u32, state: State, outcome: PodOutcome) {
        self.tell_end(pod, state, outcome == PodOutcome::Lost);
        self.set_state(pod, state);
        self.world.takes_off(pod);
        self.discharge(pod);
        let id = self.world.id_of(pod);
        self.trace(TraceEvent::Gone { pod: id, outcome });
    }
}

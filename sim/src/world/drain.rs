//! Drains: a node is closed, and its pods are told to go by the world, not by the scheduler, which hears of it. A pod goes
//! when its disruption budget lets it: while fewer of the budget's pods than allowed are gone, leaving or not yet running
//! again. A gang that would fall below its minimum goes whole (G2), elastic members go one by one. At the end of the time
//! given, what is left is killed, or the drain has failed and the node stays closed.

use super::{EDIT, NodeEvent, State, WorldEvent};
use crate::{engine::Engine, options::RunError, trace::TraceEvent};
use quotree_core::{Event, NodeId};

/// A drain that goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    kill: bool,
    /// The node is taken out when it is empty, at the end of the time at the latest.
    pub(crate) removes: bool,
    pub(crate) epoch: u32,
}

/// What drains did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drained {
    /// Pods told to go.
    pub(crate) pods: u64,
    /// Drains begun: the number of the last one.
    epochs: u32,
    /// Drains whose time was over before the node was empty.
    pub(crate) failed: u64,
}

impl Engine<'_> {
    /// A drain begins; one that goes on already is replaced.
    pub(crate) fn drain(&mut self, node: u32, within: Option<u64>, kill: bool, removes: bool) -> Result<(), RunError> {
        let fleet = &mut self.world.fleet;
        fleet.drained.epochs += 1;
        let epoch = fleet.drained.epochs;
        let removes = removes || fleet.drains.get(&node).is_some_and(|drain| drain.removes);
        fleet.drains.insert(node, Drain { kill, removes, epoch });
        if let Some(ms) = within {
            self.queue.schedule(self.now.after_ms(ms), EDIT, WorldEvent::Node(NodeEvent::DrainOver { node, epoch }));
        }
        let left = self.world.nodes[node].pods;
        self.trace(TraceEvent::Drain { node: NodeId(node), begins: true, left });
        if !self.world.nodes[node].cordoned {
            self.cordon(node, true)?;
        }
        self.drain_goes_on(node)
    }

    /// Every drain does what it can now.
    pub(crate) fn drains_go_on(&mut self) -> Result<(), RunError> {
        let nodes: Vec<u32> = self.world.fleet.drains.keys().copied().collect();
        nodes.into_iter().try_for_each(|node| self.drain_goes_on(node))
    }

    fn drain_goes_on(&mut self, node: u32) -> Result<(), RunError> {
        let Some(drain) = self.world.fleet.drains.get(&node).copied() else {
            return Ok(());
        };
        if !self.world.nodes[node].cordoned && !drain.removes {
            // Somebody opened the node again.
            return self.end_drain(node);
        }
        for pod in self.world.pods_on(node) {
            if !self.world.pods[pod].state.stays() {
                continue;
            }
            let going = self.who_goes_with(pod);
            if self.budget_lets(pod, going.len()) {
                self.tell_to_go(&going, node)?;
            }
        }
        if self.world.nodes[node].pods == 0 { self.end_drain(node) } else { Ok(()) }
    }

    fn end_drain(&mut self, node: u32) -> Result<(), RunError> {
        let Some(drain) = self.world.fleet.drains.remove(&node) else {
            return Ok(());
        };
        let left = self.world.nodes[node].pods;
        self.trace(TraceEvent::Drain { node: NodeId(node), begins: false, left });
        if drain.removes { self.set_absent(node, true) } else { Ok(()) }
    }

    /// The time of a drain is over.
    pub(crate) fn drain_over(&mut self, node: u32, epoch: u32) -> Result<(), RunError> {
        let Some(drain) = self.world.fleet.drains.get(&node).copied().filter(|drain| drain.epoch == epoch) else {
            return Ok(());
        };
        if self.world.nodes[node].pods > 0 {
            self.world.fleet.drained.failed += 1;
        }
        if drain.kill {
            for pod in self.world.pods_on(node) {
                if self.world.pods[pod].state.stays() {
                    let going = self.who_goes_with(pod);
                    self.tell_to_go(&going, node)?;
                }
            }
            for pod in self.world.pods_on(node) {
                // With one pod of a unit, others may have been taken back.
                if self.world.pods[pod].state.goes() {
                    self.set_state(pod, State::Leaving);
                    self.gone(pod)?;
                }
            }
        }
        self.end_drain(node)
    }

    /// The pods that must go if this one does: itself, or all of its gang that stays where it is.
    fn who_goes_with(&self, pod: u32) -> Vec<u32> {
        let (unit, role) = (self.world.pods[pod].unit, self.world.pods[pod].role);
        let owner = self.world.units[unit].owner;
        let training = self.world.controllers[owner].training.as_ref().filter(|t| t.unit == Some(unit));
        if training.is_some_and(|t| t.is_whole_without(role)) {
            return vec![pod];
        }
        self.world.pods_of(unit).filter(|p| self.world.pods[*p].state.stays()).collect()
    }

    /// Whether a disruption budget lets so many pods more go.
    fn budget_lets(&self, pod: u32, count: usize) -> bool {
        let owner_of = |owner: u32| self.workload_of(owner);
        let owner = self.world.units[self.world.pods[pod].unit].owner;
        let Some(budget) = owner_of(owner).and_then(|workload| workload.budget.as_ref()) else {
            return true;
        };
        let Some(allowed) = self.world.fleet.budgets.get(budget) else {
            return true;
        };
        let guarded =
            self.world.controllers.ids().filter(|o| owner_of(*o).is_some_and(|w| w.budget.as_ref() == Some(budget)));
        let missing: usize = guarded.map(|owner| self.missing(owner)).sum();
        missing.saturating_add(count) <= *allowed as usize
    }

    /// How many pods of a workload do not run: they wait, are being bound, leave, or are still to be made anew.
    fn missing(&self, owner: u32) -> usize {
        let state = &self.world.controllers[owner];
        let pods = state.units.iter().flat_map(|unit| self.world.pods_of(*unit));
        let away = |pod: &u32| {
            let state = self.world.pods[*pod].state;
            state.lives() && state != State::Running
        };
        pods.filter(away).count() + state.retrying as usize
    }

    /// Pods of one unit are told to go: the scheduler hears it, and each leaves after its grace.
    fn tell_to_go(&mut self, pods: &[u32], node: u32) -> Result<(), RunError> {
        let Some(unit) = pods.first().map(|pod| self.world.pods[*pod].unit) else {
            return Ok(());
        };
        for pod in pods {
            let id = self.world.id_of(*pod);
            self.world.fleet.drained.pods += 1;
            let account = self.world.units[unit].account;
            self.world.accounts.all[account].drained += 1;
            self.trace(TraceEvent::ToldToGo { pod: id, node: NodeId(node) });
            self.tell_drained(unit, id, NodeId(node));
            self.feed(Event::PodLeaving { pod: id })?;
            self.request_eviction(*pod);
            self.world.not_evicted(*pod);
        }
        if self.still_trains(unit) {
            self.pace(self.world.units[unit].owner);
        } else if pods.iter().any(|pod| self.world.pods[*pod].state == State::Leaving) {
            self.interrupt(unit);
        }
        Ok(())
    }
}

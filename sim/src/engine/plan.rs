//! Making a plan come true: binds and evictions with the world's delays, and the accounts of both.

use super::Engine;
use crate::{
    metrics::Eviction,
    options::RunError,
    trace::TraceEvent,
    world::{OUTCOME, State, WorldEvent},
};
use quotree_core::{Action, EvictReason, NodeId, Plan, PodId, ReleaseReason, Time};

impl Engine<'_> {
    /// Enacts a plan.
    pub(crate) fn enact(&mut self, plan: Plan) -> Result<(), RunError> {
        self.figures.decisions += 1;
        self.figures.bounds_hit += plan.verdicts.iter().filter(|v| !v.bounds_hit.is_empty()).count() as u64;
        self.tell_plan(&plan);
        self.world.fleet.notes(&plan);
        let mut touched: Vec<u32> = Vec::new();
        let evictions_before = self.figures.evictions.all.len();
        for action in plan.actions {
            match action {
                Action::Bind { pod, node, devices, .. } => {
                    let place = self.bind(pod, node)?;
                    self.world.devices.give(place, devices);
                    self.trace(TraceEvent::Bind { pod, node, devices });
                    if self.world.units[pod.workload.0].count > 1 && touched.last() != Some(&pod.workload.0) {
                        touched.push(pod.workload.0);
                    }
                    self.request_bind(place);
                }
                Action::Evict { pod, reason } => {
                    self.trace(TraceEvent::Evict { pod, rule: reason.rule, cause: reason.cause });
                    let place = self.evict(pod, reason)?;
                    touched.push(pod.workload.0);
                    self.request_eviction(place);
                }
                Action::Hold { workload, victims, .. } => self.trace(TraceEvent::Hold { workload, victims }),
                Action::Release { workload, reason } => {
                    match reason {
                        ReleaseReason::NeededBy(taker) => self.figures.evictions.taken_over(workload, taker),
                        // Its workload goes on waiting, and finds those who leave still leaving.
                        ReleaseReason::TreeChanged => {}
                        _ => self.figures.evictions.in_vain(workload),
                    }
                    self.trace(TraceEvent::Release { workload });
                }
                _ => {}
            }
        }
        touched.sort_unstable();
        touched.dedup();
        self.account(&touched, evictions_before);
        Ok(())
    }

    /// The outcome of a decision comes after a delay; without one it happens at this moment; without end, never.
    pub(crate) fn outcome(&mut self, delay: Option<u64>, event: WorldEvent) {
        match delay {
            Some(0) => self.immediate.push(event),
            Some(ms) => self.queue.schedule(self.now.after_ms(ms), OUTCOME, event),
            None => {}
        }
    }

    fn bind(&mut self, id: PodId, node: NodeId) -> Result<u32, RunError> {
        let there = node.0 < self.world.nodes.len() && self.world.nodes[node.0].up;
        let place = self.world.find(id).filter(|p| self.world.pods[*p].state == State::Waiting && there);
        let Some(pod) = place else {
            return Err(RunError::Impossible { at: self.now, what: format!("bind {id} to {node}") });
        };
        let wait = self.now.since(self.world.pods[pod].at);
        self.set_state(pod, State::Binding);
        self.world.puts_on(pod, node.0);
        self.charge(pod, node.0);
        let unit = &self.world.units[id.workload.0];
        self.figures.waited(unit.account, wait);
        self.figures.evictions.placed(id.workload);
        self.figures.last_change = Some(self.now);
        Ok(pod)
    }

    fn evict(&mut self, id: PodId, reason: EvictReason) -> Result<u32, RunError> {
        let place = self.world.find(id).filter(|p| self.world.pods[*p].state.stays());
        let Some(pod) = place else {
            return Err(RunError::Impossible { at: self.now, what: format!("evict {id}") });
        };
        let inside_min = reason.cause.is_some_and(|cause| self.violates_guarantee(pod, cause.0));
        let tree = self.old_trees.len();
        self.figures.evictions.add(Eviction::new(self.now, pod, reason, (tree, inside_min)));
        self.figures.last_change = Some(self.now);
        Ok(pod)
    }

    /// What a plan did to the units it touched: gangs that shrank or fell apart, work that is lost.
    fn account(&mut self, touched: &[u32], evictions_before: usize) {
        for unit in touched {
            let owner = self.world.units[*unit].owner;
            let evicted = self.figures.evictions.all.get(evictions_before..).unwrap_or_default();
            let first = evicted.iter().position(|e| self.world.pods[e.pod].unit == *unit);
            let training = self.world.controllers[owner].training.as_ref().filter(|t| t.unit == Some(*unit));
            let whole = match training {
                Some(training) => training.is_whole(),
                None => {
                    let unit = &self.world.units[*unit];
                    unit.active == unit.first_count
                }
            };
            if !whole && self.world.units[*unit].active > 0 && !self.was_lost(*unit) {
                self.figures.partial_gangs += 1;
            }
            let Some(first) = first else {
                continue;
            };
            if self.world.units[*unit].active == 0 {
                self.figures.evictions.went_whole(evictions_before, |pod| self.world.pods[pod].unit == *unit);
            }
            let nth = self.world.units[*unit].evictions + 1;
            self.world.units[*unit].evictions = nth;
            self.figures.evictions.thrash.again(nth);
            let account = self.world.units[*unit].account;
            self.world.accounts.all[account].thrash.again(nth);
            let told = self.world.pods_of(*unit).any(|p| self.world.pods[p].state == State::Leaving);
            if whole {
                self.pace(owner);
            } else if told {
                let lost = self.interrupt(*unit);
                if let Some(eviction) = self.figures.evictions.all.get_mut(evictions_before + first) {
                    eviction.lost_ms = lost;
                }
            }
        }
    }

    /// Whether a member of a gang was lost with a node, or its bind failed: that the gang is not whole is not the
    /// scheduler's doing.
    fn was_lost(&self, unit: u32) -> bool {
        self.world.unreliable.failed_to_bind(unit)
            || self.world.pods_of(unit).any(|p| self.world.pods[p].state == State::Failed)
    }

    /// A pod changes its state; counts, ledger and the gang it is in follow.
    pub(crate) fn set_state(&mut self, pod: u32, to: State) {
        let now: Time = self.now;
        let from = self.world.count(pod, to, now);
        let (unit, role) = (self.world.pods[pod].unit, self.world.pods[pod].role);
        if matches!(to, State::Succeeded | State::Failed) {
            self.figures.last_end = now;
            let account = self.world.units[unit].account;
            self.world.accounts.all[account].last_end = now;
        }
        if let Some(training) = self.world.controllers[self.world.units[unit].owner].training.as_mut() {
            // A new run counts its members from nothing: those of the one before have all ended by then.
            if training.unit.is_none_or(|present| present == unit) {
                training.count(role, from, to);
            }
        }
        self.enter(pod, from, to);
        self.serve(pod, from, to);
    }
}

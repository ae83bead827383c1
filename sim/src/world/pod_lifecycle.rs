//! What becomes of units: they run, do their work, are interrupted, and are made up for.
//!
//! The rules are the same for a lone pod and for a gang: work begins when all of it runs that must, and when it falls
//! apart (by eviction or by the loss of a node) the rest is taken back and its controller starts it anew.

use super::{CONTROLLER, End, OUTCOME, State, WorldEvent, progress::kept_and_lost};
use crate::{engine::Engine, model::Kind, options::RunError};
use quotree_core::{Event, PodOutcome, Time};

impl Engine<'_> {
    /// A planned bind comes true.
    pub(crate) fn bound(&mut self, pod: u32) -> Result<(), RunError> {
        if self.world.pods[pod].state != State::Binding {
            return Ok(());
        }
        self.tell_runs(pod);
        self.set_state(pod, State::Running);
        let id = self.world.id_of(pod);
        self.trace(crate::trace::TraceEvent::Bound { pod: id });
        self.feed(Event::PodBound { pod: id, at: self.now })?;
        let unit_id = self.world.pods[pod].unit;
        let unit = self.world.units[unit_id];
        if self.world.controllers[unit.owner].training.is_some() {
            self.pace(unit.owner);
        } else if unit.running == unit.first_count {
            self.world.units[unit_id].working_since = Some(self.now);
            self.change_pace(unit_id, self.now);
            let paced = self.world.fleet.paces.contains_key(&unit_id);
            if let Some(ms) = self.job_pod_works(unit_id).filter(|_| !paced) {
                self.finish_at(self.now.after_ms(ms), unit_id, 0);
            }
        }
        Ok(())
    }

    /// The work of a unit will be done then.
    pub(crate) fn finish_at(&mut self, at: Time, unit: u32, epoch: u32) {
        self.queue.schedule(at, OUTCOME, WorldEvent::Finished { unit, epoch });
    }

    /// Whether nothing will come of an event, now or ever: what it was about has ended in another way. A run does not go
    /// on for such events.
    pub(crate) fn is_stale(&self, event: WorldEvent) -> bool {
        match event {
            WorldEvent::Bound(pod) => self.world.pods[pod].state != State::Binding,
            WorldEvent::BindFailed(pod) => self.world.pods[pod].state != State::Binding,
            WorldEvent::EvictAgain(pod) => self.world.pods[pod].state != State::Unreached,
            WorldEvent::Gone(pod) => self.world.pods[pod].state != State::Leaving,
            WorldEvent::Finished { unit, epoch } => {
                let owner = self.world.units[unit].owner;
                let training = self.world.controllers[owner].training.as_ref();
                let pace = || self.world.fleet.paces.get(&unit).map_or(0, |pace| pace.epoch);
                let replaced = match training {
                    Some(t) => t.epoch != epoch || t.unit != Some(unit),
                    None => pace() != epoch,
                };
                replaced || self.world.units[unit].working_since.is_none()
            }
            WorldEvent::Node(what) => self.is_node_stale(what),
            WorldEvent::StartTimeout { unit, tries } => self.has_started(unit, tries),
            WorldEvent::BackOffOver(unit) => !self.world.job_queues.is_suspended(unit),
            WorldEvent::Dataset { dataset, epoch } => self.is_old_news(dataset, epoch),
            WorldEvent::Arrive(owner) => self.world.controllers[owner].closed,
            WorldEvent::Deadline(owner) => !self.world.controllers[owner].due,
            WorldEvent::RowDeadline { owner, row } => !self.is_row_due(owner, row),
            _ => false,
        }
    }

    /// The work of a unit is done: its pods end well, and what still waits of it is taken back.
    pub(crate) fn finished(&mut self, unit: u32, epoch: u32) -> Result<(), RunError> {
        if self.is_stale(WorldEvent::Finished { unit, epoch }) {
            return Ok(());
        }
        let owner = self.world.units[unit].owner;
        if self.job_pod_is_late(unit)? || self.training_is_late(owner)? {
            return Ok(());
        }
        self.world.units[unit].working_since = None;
        self.stop_reading(unit);
        for pod in self.world.pods_of(unit) {
            let state = self.world.pods[pod].state;
            if state.stays() || state.works() {
                let id = self.world.id_of(pod);
                self.ended(pod, State::Succeeded, PodOutcome::Succeeded);
                self.feed(Event::PodGone { pod: id, outcome: PodOutcome::Succeeded })?;
            }
        }
        if let Some(training) = self.world.controllers[owner].training.as_mut() {
            training.unit = None;
        }
        self.withdraw(unit, State::Deleted)?;
        match self.kind(owner) {
            Some(Kind::Job { .. }) => self.job_pod_succeeded(owner),
            Some(Kind::Training { .. }) => self.over(owner, End::Succeeded),
            _ => {
                self.row_over(unit, true);
                Ok(())
            }
        }
    }

    /// The work of a unit stops here: what was not saved is lost. Gives how much, in pod-milliseconds.
    pub(crate) fn interrupt(&mut self, unit_id: u32) -> u128 {
        let now = self.now;
        let owner = self.world.units[unit_id].owner;
        let kind = self.kind(owner);
        let unit = &mut self.world.units[unit_id];
        let Some(since) = unit.working_since.take() else {
            return 0;
        };
        unit.ran_ms = unit.ran_ms.saturating_add(now.since(since));
        let ran = self.world.worked_ms(unit_id, since, now);
        let unit = &self.world.units[unit_id];
        let lost = match kind {
            Some(kind @ (Kind::Job { .. } | Kind::Trace { .. })) if unit.left_ms != u64::MAX => {
                let (step, cost) = kind.checkpoints();
                // What reads knows what it has done; what checkpoints cost is part of that.
                let (kept, lost) = match self.stop_job(unit_id) {
                    Some(done) => kept_and_lost(done, step, 0),
                    None => kept_and_lost(ran, step, cost),
                };
                let unit = &mut self.world.units[unit_id];
                unit.left_ms -= kept.min(unit.left_ms);
                u128::from(lost) * u128::from(unit.first_count)
            }
            Some(Kind::Training { .. }) => self.break_training(owner),
            _ => 0,
        };
        let account = self.world.units[unit_id].account;
        self.world.accounts.all[account].lost_ms += lost;
        self.figures.lost_ms += lost;
        lost
    }

    /// An evicted pod has left.
    pub(crate) fn gone(&mut self, pod: u32) -> Result<(), RunError> {
        if self.world.pods[pod].state != State::Leaving {
            return Ok(());
        }
        let (id, unit, role) = (self.world.id_of(pod), self.world.pods[pod].unit, self.world.pods[pod].role);
        self.ended(pod, State::Evicted, PodOutcome::Evicted);
        self.feed(Event::PodGone { pod: id, outcome: PodOutcome::Evicted })?;
        if self.still_trains(unit) {
            let after = self.now.after_ms(self.scenario.world.recreate_delay_ms);
            self.queue.schedule(after, CONTROLLER, WorldEvent::Rejoin { unit, role });
            return Ok(());
        }
        self.after_loss(unit, false)
    }

    /// Pods of a unit have ended before their work was done: what is left of it is taken back, and its controller is told.
    pub(crate) fn after_loss(&mut self, unit: u32, by_node: bool) -> Result<(), RunError> {
        let owner = self.world.units[unit].owner;
        if let Some(training) = self.world.controllers[owner].training.as_ref() {
            if training.unit != Some(unit) {
                return Ok(());
            }
            if training.is_whole() {
                self.pace(owner);
                return Ok(());
            }
            if by_node && self.waits_for_members(unit) {
                return self.begin_to_wait(owner);
            }
        }
        let leaving = self.world.pods_of(unit).filter(|p| self.world.pods[*p].state.goes()).count();
        if leaving > 0 && self.world.units[unit].active == 0 && !by_node {
            return Ok(());
        }
        if let Some(training) = self.world.controllers[owner].training.as_mut() {
            training.unit = None;
        }
        self.withdraw(unit, State::Deleted)?;
        let delay = match self.kind(owner) {
            Some(Kind::Job { .. }) if by_node => self.job_pod_lost(owner)?,
            Some(Kind::Trace { .. }) if by_node => self.row_lost(unit)?,
            Some(Kind::Training { .. }) => self.may_restart(owner)?.then_some(0),
            _ => Some(0),
        };
        if let Some(delay) = delay.filter(|_| !self.world.controllers[owner].closed) {
            self.world.controllers[owner].retrying += 1;
            if let Some(Kind::Trace { .. }) = self.kind(owner) {
                self.world.row_retries.insert((owner, unit));
            }
            let after = self.now.after_ms(self.scenario.world.recreate_delay_ms.saturating_add(delay));
            self.queue.schedule(after, CONTROLLER, WorldEvent::Retry(unit));
        }
        Ok(())
    }

    /// Whether a unit is the present run of a training and has every role's minimum.
    pub(crate) fn still_trains(&self, unit: u32) -> bool {
        let owner = self.world.units[unit].owner;
        self.world.controllers[owner].training.as_ref().is_some_and(|t| t.unit == Some(unit) && t.is_whole())
    }

    /// Elastic members were lost with their node, and the training goes on without them until they are made up for.
    pub(crate) fn members_lost(&mut self, lost: &[u32]) {
        let after = self.now.after_ms(self.scenario.world.recreate_delay_ms);
        for pod in lost {
            let (unit, role) = (self.world.pods[*pod].unit, self.world.pods[*pod].role);
            if self.still_trains(unit) || self.waits_for_members(unit) {
                self.queue.schedule(after, CONTROLLER, WorldEvent::Rejoin { unit, role });
            }
        }
    }

    /// The controller makes up for a unit that was evicted or lost.
    pub(crate) fn retry(&mut self, unit_id: u32) -> Result<(), RunError> {
        let unit = self.world.units[unit_id];
        let owner = unit.owner;
        self.world.controllers[owner].retrying -= 1;
        self.world.row_retries.remove(&(owner, unit_id));
        if self.world.controllers[owner].closed {
            return Ok(());
        }
        self.timeline.replacing = Some(unit_id);
        let made = match self.kind(owner) {
            Some(Kind::Deployment { .. }) => self.replace_replica(owner, unit_id),
            Some(Kind::Job { .. }) => self.retry_job_pod(owner, unit_id),
            Some(Kind::Training { .. }) => self.start_training(owner, unit.evictions),
            Some(Kind::Trace { .. }) => self.submit_row(owner, unit.number, Some(unit_id)),
            Some(Kind::Workflow { .. }) | None => Ok(()),
        };
        self.timeline.replacing = None;
        made
    }
}

//! Rows of a trace: each a gang of equal pods that runs for the time the trace says, from the moment all of it runs.
//! A row that is evicted or lost is submitted again, with the work before it that was not saved; one that runs for too long,
//! or is lost too often, fails.

use super::{CONTROLLER, State, WorldEvent, submit::Order};
use crate::{
    engine::Engine,
    model::{Kind, Limits, TraceRow},
    options::RunError,
    text::time_text,
};
use quotree_core::PodSet;
use smallvec::smallvec;
use std::sync::Arc;

/// How a row keeps to its limits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowLimits {
    /// Where its deadline is counted, as long as that is neither met nor missed.
    due: Option<u32>,
    /// Losses so far.
    losses: u32,
}

impl<'a> Engine<'a> {
    /// A row of a trace and what it must keep to.
    fn row(&self, owner: u32, row: u32) -> Option<(&'a TraceRow, Limits)> {
        let Some(Kind::Trace { rows, limits, .. }) = self.scenario.workloads.get(owner as usize).map(|w| &w.kind)
        else {
            return None;
        };
        rows.get(row as usize).map(|row| (row, row.limits.or(*limits)))
    }

    /// A row is submitted: for the first time, or in place of a unit of it that was lost.
    pub(crate) fn submit_row(&mut self, owner: u32, row: u32, lost: Option<u32>) -> Result<(), RunError> {
        let place = self.world.row_places.get(&owner).and_then(|p| p.get(row as usize)).copied();
        let (Some((traced, limits)), Some(place)) = (self.row(owner, row), place) else {
            return Ok(());
        };
        if self.world.controllers[owner].closed
            || traced.pods == 0
            || (lost.is_none() && !self.lets_in(owner, Some(row)))
        {
            return Ok(());
        }
        let set = PodSet { template: Arc::clone(&traced.template), count: traced.pods, min: traced.pods };
        if lost.is_none() {
            let account = self.account_of(owner, row, place.namespace);
            self.world.accounts.all[account].outcomes.submitted += 1;
            if let Some(ms) = limits.deadline_ms {
                self.world.row_limits.entry((owner, row)).or_default().due = Some(account);
                self.queue.schedule(self.now.after_ms(ms), CONTROLLER, WorldEvent::RowDeadline { owner, row });
            }
        }
        let before = lost.map(|unit| self.world.units[unit]);
        let order = Order {
            owner,
            namespace: place.namespace,
            priority: traced.priority,
            number: row,
            turn: before.map_or(0, |unit| unit.turn + 1),
            left_ms: before.map_or(traced.runtime_ms, |unit| unit.left_ms),
            ran_ms: before.map_or(0, |unit| unit.ran_ms),
            evictions: before.map_or(0, |unit| unit.evictions),
            sets: smallvec![(set, place.shape)],
        };
        self.submit(order).map(drop)
    }

    /// How long a unit of a row may run.
    pub(crate) fn row_limit(&self, owner: u32, row: u32) -> Option<u64> {
        self.row(owner, row)?.1.runtime_limit_ms
    }

    /// A unit of a row was lost with its node; gives after how long it is submitted again, if it is.
    pub(crate) fn row_lost(&mut self, unit: u32) -> Result<Option<u64>, RunError> {
        let (owner, row) = (self.world.units[unit].owner, self.world.units[unit].number);
        let Some(most) = self.row(owner, row).and_then(|(_, limits)| limits.backoff_limit) else { return Ok(Some(0)) };
        let keeping = self.world.row_limits.entry((owner, row)).or_default();
        keeping.losses += 1;
        let losses = keeping.losses;
        if losses <= most {
            return Ok(Some(0));
        }
        self.fail_row(unit, format!("lost with its node: {losses} times; its backoff_limit is {most}"))?;
        Ok(None)
    }

    /// A unit of a row has run for too long.
    pub(crate) fn row_ran_too_long(&mut self, unit: u32, limit_ms: u64) -> Result<(), RunError> {
        self.fail_row(unit, format!("reached its runtime limit of {}", time_text(limit_ms)))
    }

    /// A row gives up: what is there of it is taken back, and why is told.
    fn fail_row(&mut self, unit: u32, why: String) -> Result<(), RunError> {
        let (owner, row) = (self.world.units[unit].owner, self.world.units[unit].number);
        let what = self.row(owner, row).map_or_else(String::new, |(traced, _)| traced.name.to_string());
        self.failed(what, why);
        self.interrupt(unit);
        self.withdraw(unit, State::Failed)?;
        self.row_over(unit, false);
        Ok(())
    }

    /// A row is over, done or not.
    pub(crate) fn row_over(&mut self, unit: u32, done: bool) {
        let (owner, row, account) = {
            let unit = &self.world.units[unit];
            (unit.owner, unit.number, unit.account)
        };
        let due = self.world.row_limits.remove(&(owner, row)).and_then(|keeping| keeping.due);
        let outcomes = &mut self.world.accounts.all[account].outcomes;
        *(if done { &mut outcomes.succeeded } else { &mut outcomes.failed }) += 1;
        if let Some(account) = due {
            let outcomes = &mut self.world.accounts.all[account].outcomes;
            *(if done { &mut outcomes.met } else { &mut outcomes.missed }) += 1;
        }
    }

    /// Whether a row's deadline is neither met nor missed yet.
    pub(crate) fn is_row_due(&self, owner: u32, row: u32) -> bool {
        self.world.row_limits.get(&(owner, row)).is_some_and(|keeping| keeping.due.is_some())
    }

    /// A row is not done at its deadline.
    pub(crate) fn row_is_late(&mut self, owner: u32, row: u32) {
        let due = self.world.row_limits.get_mut(&(owner, row)).and_then(|keeping| keeping.due.take());
        if let Some(account) = due {
            self.world.accounts.all[account].outcomes.missed += 1;
        }
    }
}

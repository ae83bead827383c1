//! Why pods wait, over time. The pods of a class share their reason ([`WaitClasses`]). A workload that has a reservation
//! (H1), or that its job queue suspends, has its own reason for that time.

use super::{quotas::Quotas, rows::Why};
use crate::{
    trace::TraceEvent,
    wait_classes::WaitClasses,
    world::{Fact, State, World},
};
use quotree_core::{Action, BlockingReason, Plan, Rule, Scheduler, WorkloadId};
use std::collections::BTreeMap;

/// The rule name for workloads that their job queue suspends.
pub(super) const SUSPENDED: &str = "suspended";

/// The reasons of a class.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// The reasons, each with the time from which it applied.
    pub(super) reasons: Vec<(u64, Why)>,
}

/// A period in which a core workload has a reason of its own.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) from: u64,
    pub(super) to: Option<u64>,
    pub(super) rule: &'static str,
}

/// All classes, and what is waiting now.
#[derive(Debug, Default)]
pub(super) struct Waits {
    classes: WaitClasses,
    /// The reasons, by number of the class.
    reasons: Vec<Class>,
    /// How many pods of each core workload are waiting.
    pods: Vec<u32>,
    pub(super) own: BTreeMap<u32, Vec<Own>>,
}

impl Waits {
    /// The class of a core workload.
    pub(super) fn class_of(&self, unit: u32) -> Option<&Class> {
        self.reasons.get(self.classes.known(unit)? as usize)
    }

    /// Receives a fact of the world.
    pub(super) fn on(&mut self, fact: &Fact, world: &World<'_>) {
        match *fact {
            Fact::Pod { pod, from, to } if (from == State::Waiting) != (to == State::Waiting) => {
                self.shift(world, pod, to == State::Waiting);
            }
            Fact::Suspended { unit } | Fact::StartTimedOut { unit, .. } => self.begin(unit, world.now.0, SUSPENDED),
            Fact::Trace(TraceEvent::LetOut { workload, .. }) => {
                self.end(workload.0, world.now.0);
                let class = self.classes.number(world, workload.0);
                self.classes.ask_for(class, workload.0);
            }
            Fact::Trace(TraceEvent::Release { workload }) => self.end(workload.0, world.now.0),
            _ => {}
        }
    }

    /// Counts a pod that begins to wait, or stops waiting.
    fn shift(&mut self, world: &World<'_>, pod: u32, begins: bool) {
        let unit = world.pods[pod].unit;
        let class = self.classes.number(world, unit);
        self.classes.shift(class, unit, begins);
        if begins {
            // What it waits for now may be something else than when the scheduler last tried one of the class.
            self.classes.ask_for(class, unit);
        }
        let place = unit as usize;
        if place >= self.pods.len() {
            self.pods.resize(place + 1, 0);
        }
        let Some(pods) = self.pods.get_mut(place) else { return };
        *pods = if begins { *pods + 1 } else { pods.saturating_sub(1) };
        if *pods == 0 {
            self.end(unit, world.now.0);
        }
    }

    fn begin(&mut self, unit: u32, now: u64, rule: &'static str) {
        let all = self.own.entry(unit).or_default();
        if all.last().is_none_or(|own| own.to.is_some()) {
            all.push(Own { from: now, to: None, rule });
        }
    }

    fn end(&mut self, unit: u32, now: u64) {
        if let Some(own) = self.own.get_mut(&unit).and_then(|all| all.last_mut()) {
            own.to.get_or_insert(now);
        }
    }

    /// Receives the plan of a decision.
    pub(super) fn decided(&mut self, plan: &Plan, world: &World<'_>, quotas: &Quotas) {
        for verdict in &plan.verdicts {
            self.told(world, verdict.workload.0, &verdict.binding, quotas);
        }
        for action in &plan.actions {
            if let Action::Hold { workload, .. } = action {
                self.begin(workload.0, world.now.0, Rule::H1.name());
            }
        }
    }

    /// Records a reason that the scheduler gave.
    fn told(&mut self, world: &World<'_>, unit: u32, reason: &BlockingReason, quotas: &Quotas) {
        if matches!(reason, BlockingReason::Held { .. }) || unit >= world.units.len() {
            return;
        }
        let number = self.classes.number(world, unit);
        self.classes.told(number, world.now.0);
        let place = number as usize;
        if place >= self.reasons.len() {
            self.reasons.resize_with(place + 1, Class::default);
        }
        let Some(class) = self.reasons.get_mut(place) else { return };
        let amounts = reason.amounts();
        let resource = amounts.and_then(|(name, ..)| world.shapes.resource(name.as_str()));
        let why = Why {
            rule: reason.rule().name(),
            quota: reason.quota().map(|quota| quotas.place(quota)),
            resource,
            amounts: amounts.map(|(_, needed, available)| (needed, available)),
        };
        let now = world.now.0;
        match class.reasons.last_mut() {
            Some((_, last)) if last.is_at(&why) => {}
            Some((at, last)) if *at == now => *last = why,
            _ => class.reasons.push((now, why)),
        }
    }

    /// After all events of this time: records the first reason of workloads that the scheduler has not tried.
    pub(super) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler, quotas: &Quotas) {
        for unit in self.classes.take_untold(world.now.0) {
            if let Some(reason) = scheduler.bound_by(WorkloadId(unit)) {
                self.told(world, unit, &reason, quotas);
            }
        }
    }
}

impl Class {
    /// The reasons in a period, each with its beginning and end; nothing where no reason was recorded yet.
    pub(super) fn between(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, u64, &Why)> {
        let first = self.reasons.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let rest = self.reasons.get(first..).unwrap_or_default();
        let ends = rest.iter().skip(1).map(|(at, _)| *at).chain([u64::MAX]);
        rest.iter()
            .zip(ends)
            .map(move |((at, why), end)| ((*at).max(from), end.min(to), why))
            .take_while(move |(at, ..)| *at < to)
            .filter(|(at, end, _)| at < end)
    }
}

impl Why {
    /// Whether another reason has the same rule at the same quota and resource.
    fn is_at(&self, other: &Self) -> bool {
        (self.rule, self.quota, self.resource) == (other.rule, other.quota, other.resource)
    }
}

//! Why pods wait, over time. Workloads of one namespace with equal requests form a class and share their reason: the one
//! of the workload of the class that the scheduler tried last. A workload that has a reservation (H1), or that its job
//! queue suspends, has its own reason for that time.

use super::{quotas::Quotas, rows::Why};
use crate::{
    trace::TraceEvent,
    world::{Fact, NONE, State, World},
};
use quotree_core::{Action, BlockingReason, Plan, Rule, Scheduler, WorkloadId};
use std::collections::BTreeMap;

/// The rule of workloads that their job queue suspends.
pub(super) const SUSPENDED: &str = "suspended";

/// Workloads of one namespace with equal requests.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// Pods that wait.
    pods: u64,
    /// When the scheduler last gave a reason.
    told: Option<u64>,
    /// From when on which reason applied.
    pub(super) reasons: Vec<(u64, Why)>,
}

/// A time with a reason of its own.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) from: u64,
    pub(super) to: Option<u64>,
    pub(super) rule: String,
}

/// All classes, and what waits now.
#[derive(Debug, Default)]
pub(super) struct Waits {
    pub(super) classes: Vec<Class>,
    numbers: BTreeMap<(u32, u32, u32), u32>,
    /// The class of each core workload.
    of: Vec<u32>,
    /// Pods of each core workload that wait.
    pods: Vec<u32>,
    pub(super) own: BTreeMap<u32, Vec<Own>>,
    /// Classes of which a workload began to wait although none did before, with that workload.
    fresh: BTreeMap<u32, u32>,
}

impl Waits {
    /// The class of a core workload.
    pub(super) fn class_of(&self, unit: u32) -> Option<&Class> {
        self.classes.get(*self.of.get(unit as usize)? as usize)
    }

    fn number(&mut self, world: &World<'_>, unit: u32) -> u32 {
        let place = unit as usize;
        if place >= self.of.len() {
            self.of.resize(place + 1, NONE);
            self.pods.resize(place + 1, 0);
        }
        if let Some(class) = self.of.get(place).filter(|class| **class != NONE) {
            return *class;
        }
        let record = &world.units[unit];
        let shape = world.pods[record.first_pod].shape;
        let next = u32::try_from(self.classes.len()).unwrap_or(NONE);
        let number = *self.numbers.entry((record.namespace, shape, record.first_count)).or_insert(next);
        if number == next {
            self.classes.push(Class::default());
        }
        if let Some(slot) = self.of.get_mut(place) {
            *slot = number;
        }
        number
    }

    /// A fact of the world.
    pub(super) fn on(&mut self, fact: &Fact, world: &World<'_>) {
        match *fact {
            Fact::Pod { pod, from, to } if (from == State::Waiting) != (to == State::Waiting) => {
                self.shift(world, pod, to == State::Waiting);
            }
            Fact::Suspended { unit } | Fact::StartTimedOut { unit, .. } => self.begin(unit, world.now.0, SUSPENDED),
            Fact::Trace(TraceEvent::LetOut { workload, .. }) => {
                self.end(workload.0, world.now.0);
                let class = self.number(world, workload.0);
                self.fresh.insert(class, workload.0);
            }
            Fact::Trace(TraceEvent::Release { workload }) => self.end(workload.0, world.now.0),
            _ => {}
        }
    }

    /// A pod begins to wait, or waits no more.
    fn shift(&mut self, world: &World<'_>, pod: u32, begins: bool) {
        let unit = world.pods[pod].unit;
        let number = self.number(world, unit);
        let Some(class) = self.classes.get_mut(number as usize) else { return };
        if begins && class.pods == 0 {
            self.fresh.insert(number, unit);
        }
        let Some(pods) = self.pods.get_mut(unit as usize) else { return };
        *pods = if begins { *pods + 1 } else { pods.saturating_sub(1) };
        if *pods == 0 {
            self.end(unit, world.now.0);
        }
    }

    fn begin(&mut self, unit: u32, now: u64, rule: &str) {
        let all = self.own.entry(unit).or_default();
        if all.last().is_none_or(|own| own.to.is_some()) {
            all.push(Own { from: now, to: None, rule: rule.to_owned() });
        }
    }

    fn end(&mut self, unit: u32, now: u64) {
        if let Some(own) = self.own.get_mut(&unit).and_then(|all| all.last_mut()) {
            own.to.get_or_insert(now);
        }
    }

    /// The scheduler has decided.
    pub(super) fn decided(&mut self, plan: &Plan, world: &World<'_>, quotas: &Quotas) {
        for verdict in &plan.verdicts {
            self.told(world, verdict.workload.0, &verdict.binding, quotas);
        }
        for action in &plan.actions {
            if let Action::Hold { workload, .. } = action {
                self.begin(workload.0, world.now.0, &Rule::H1.to_string());
            }
        }
    }

    /// The scheduler gave a reason.
    fn told(&mut self, world: &World<'_>, unit: u32, reason: &BlockingReason, quotas: &Quotas) {
        if matches!(reason, BlockingReason::Held { .. }) || unit >= world.units.len() {
            return;
        }
        let number = self.number(world, unit);
        let Some(class) = self.classes.get_mut(number as usize) else { return };
        let amounts = reason.amounts();
        let resource = amounts.and_then(|(name, ..)| world.shapes.resource(name.as_str()));
        class.told = Some(world.now.0);
        let why = Why {
            rule: reason.rule().to_string(),
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

    /// All events of this time have been handled: workloads that the scheduler has not tried get their first reason.
    pub(super) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler, quotas: &Quotas) {
        for (number, unit) in std::mem::take(&mut self.fresh) {
            let class = self.classes.get(number as usize);
            if class.is_some_and(|class| class.pods > 0 && class.told != Some(world.now.0))
                && let Some(reason) = scheduler.bound_by(WorkloadId(unit))
            {
                self.told(world, unit, &reason, quotas);
            }
        }
    }
}

impl Class {
    /// The reasons from one time to another, with the times; nothing where none was given yet.
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
    /// Whether another reason is the same rule at the same place.
    fn is_at(&self, other: &Self) -> bool {
        (&self.rule, self.quota, self.resource) == (&other.rule, other.quota, other.resource)
    }
}

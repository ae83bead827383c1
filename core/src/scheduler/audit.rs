//! The invariants, recomputed from scratch: nothing here trusts what the scheduler keeps (I1 to I8).
//!
//! [`audit`] looks at a state, [`audit_plan`] at a plan and the state it was made from. That replay equals record (I12)
//! is [`Log::replay`](crate::Log::replay); that no pair of workloads evicts each other twice (I7) only the caller can
//! see, since a workload that comes back has a new id.

use super::{
    PodState, Scheduler,
    candidates::{Right, Seeker},
    ledger::{Account, Ledger, cell},
    nodes::{Kept, PodRef},
    trial::Trial,
};
use crate::{
    ids::{PodId, QuotaId, WorkloadId},
    plan::{Action, Plan, Rule},
    tree::UNLIMITED,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Its number: 1 for I1.
    pub invariant: u8,
    /// What is wrong, with names and numbers.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}: {}", self.invariant, self.what)
    }
}

/// Recomputes the invariants of a state and tells which are broken: the ledger (I1), ceilings (I2), that every hold can
/// come true (I4), gangs (I6), nodes and devices (I8). Takes time linear in everything there is.
#[must_use]
pub fn audit(scheduler: &Scheduler) -> Vec<Breach> {
    let mut found = Vec::new();
    scheduler.audit_ledger(&mut found);
    scheduler.audit_ceilings(&mut found);
    scheduler.audit_gangs(&mut found);
    scheduler.audit_nodes(&mut found);
    found
}

/// Checks a plan against the state it was made from: nobody at or under its guarantee is reclaimed from (I3), every
/// eviction places its cause (I4), no single victim can be spared (I5).
///
/// Checks the first hold of a plan in full; later ones stand on what the earlier actions changed.
#[must_use]
pub fn audit_plan(before: &Scheduler, plan: &Plan) -> Vec<Breach> {
    let mut found = Vec::new();
    let placed: BTreeSet<WorkloadId> = plan
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Hold { workload, .. } => Some(*workload),
            Action::Bind { pod, .. } => Some(pod.workload),
            _ => None,
        })
        .collect();
    for action in &plan.actions {
        let Action::Evict { pod, reason } = action else { continue };
        if let Some(cause) = reason.cause.filter(|cause| !placed.contains(cause)) {
            found.push(breach(4, format!("{pod} is evicted for {cause}, which is not placed")));
        }
        if reason.rule == Rule::R2 && reason.over <= 0 {
            found.push(breach(3, format!("{pod} is reclaimed from a leaf at or under its min")));
        }
    }
    let first_evicts = matches!(plan.actions.first(), Some(Action::Evict { .. }));
    if first_evicts {
        before.clone().audit_minimal(plan, &mut found);
    }
    found
}

fn breach(invariant: u8, what: String) -> Breach {
    Breach { invariant, what }
}

impl Scheduler {
    fn audit_ledger(&self, found: &mut Vec<Breach>) {
        let mut fresh = Ledger::new(&self.tree);
        for slot in self.workloads.sorted() {
            let workload = self.workloads.at(slot);
            let account = workload.account;
            let request = self.requested(workload);
            fresh.each(account, |ledger, q| ledger.request.add(q, &request));
            let placed = workload.pods.iter().any(|p| p.state.is_some_and(|s| s != PodState::Waiting));
            if placed || workload.hold.is_some() {
                fresh.each(account, |ledger, q| *ledger.jobs.at_mut(q) += 1);
            }
            for (ordinal, pod) in (0u32..).zip(&workload.pods) {
                let Some(state) = pod.state.filter(|state| *state != PodState::Waiting) else { continue };
                let governed = self.workloads.governed((slot, ordinal), &self.shapes);
                fresh.use_up(account, governed, workload.preemptible);
                fresh.each(account, |ledger, q| *ledger.pods.at_mut(q) += 1);
                if state == PodState::Leaving {
                    fresh.each(account, |ledger, q| ledger.leaving.add(q, governed));
                }
            }
        }
        for hold in self.holds.values() {
            let account = self.workloads.at(hold.slot).account;
            let total = &self.shapes.get(hold.ask).total;
            fresh.hold(account, total, self.workloads.at(hold.slot).preemptible);
        }
        for q in 0..=self.ledger.outside() {
            let columns = [
                ("used", self.ledger.used.row(q), fresh.used.row(q)),
                ("used_np", self.ledger.used_np.row(q), fresh.used_np.row(q)),
                ("leaving", self.ledger.leaving.row(q), fresh.leaving.row(q)),
                ("request", self.ledger.request.row(q), fresh.request.row(q)),
                ("held", self.ledger.held.row(q), fresh.held.row(q)),
            ];
            for (column, running, recounted) in columns.iter().filter(|(_, running, recounted)| running != recounted) {
                found.push(breach(
                    1,
                    format!("{column} of {} is {running:?}, the recount says {recounted:?}", self.label(q)),
                ));
            }
            let counts = [
                ("pods", *self.ledger.pods.at(q), *fresh.pods.at(q)),
                ("jobs", *self.ledger.jobs.at(q), *fresh.jobs.at(q)),
            ];
            for (column, running, recounted) in counts.iter().filter(|(_, running, recounted)| running != recounted) {
                found.push(breach(
                    1,
                    format!("{column} of {} is {running}, the recount says {recounted}", self.label(q)),
                ));
            }
        }
    }

    fn label(&self, account: Account) -> String {
        self.quota(account).map_or_else(|| "those without a quota".to_owned(), |q| format!("`{}`", self.tree.name(q)))
    }

    /// Use, and what holds keep, stay within every ceiling that was not lowered under them.
    fn audit_ceilings(&self, found: &mut Vec<Breach>) {
        for quota in self.tree.ids().filter(|q| !self.over_by_edit.contains(&q.0)) {
            for r in 0..self.tree.width() {
                let reserved = cell(self.ledger.reserved.row(quota.0), r);
                let (used, max) = (cell(self.ledger.used.row(quota.0), r) + reserved, self.max(quota.0, r));
                if max != UNLIMITED && used > max {
                    let what = format!("{} is charged {used} of resource {r}, its max is {max}", self.label(quota.0));
                    found.push(breach(2, what));
                }
            }
        }
    }

    fn audit_gangs(&self, found: &mut Vec<Breach>) {
        for slot in self.workloads.sorted() {
            let workload = self.workloads.at(slot);
            if workload.standing().next().is_some() && workload.below_minimum() && !workload.lost_some {
                found.push(breach(6, format!("{} runs below its minimum by our own doing", workload.id)));
            }
        }
    }

    fn audit_nodes(&self, found: &mut Vec<Breach>) {
        let mut standing: BTreeMap<u32, Vec<PodRef>> = BTreeMap::new();
        for slot in self.workloads.sorted() {
            for (ordinal, pod) in (0u32..).zip(&self.workloads.at(slot).pods) {
                if pod.state.is_some_and(|state| state != PodState::Waiting) {
                    standing.entry(pod.spot.node).or_default().push((slot, ordinal));
                }
            }
        }
        for slot in self.nodes.sorted() {
            let node = self.nodes.at(slot);
            let mut free = node.total.clone();
            let mut kept = Kept::default();
            for pod in standing.get(&slot).into_iter().flatten() {
                let Some(row) = self.workloads.pod(*pod) else { continue };
                let template = self.shapes.templates.at(self.workloads.at(pod.0).template(pod.1));
                kept.add(&self.nodes.footprint(row.spot, template));
            }
            for (r, amount) in &kept.resources {
                if let Some(free) = free.get_mut(usize::from(*r)) {
                    *free -= amount;
                }
            }
            if free != node.free {
                found.push(breach(1, format!("free on {} is {:?}, the recount says {free:?}", node.id, node.free)));
            }
            if let Some(bank) = node.banks.first() {
                let mut devices: Vec<i64> = bank.free.iter().map(|_| bank.each).collect();
                for (device, amount) in &kept.devices {
                    if let Some(free) = devices.get_mut(*device as usize) {
                        *free -= amount;
                    }
                }
                if devices[..] != bank.free[..] || devices.iter().any(|free| *free < 0) {
                    found
                        .push(breach(8, format!("devices of {} have {devices:?} free, kept {:?}", node.id, bank.free)));
                }
            }
            if node.is_crowded() && !self.shrunk.contains(&slot) {
                found.push(breach(8, format!("{} has less free than is kept on it", node.id)));
            }
        }
    }

    /// No victim of the plan's first hold can be spared (V2): whoever is put back makes the plan fail.
    fn audit_minimal(&mut self, plan: &Plan, found: &mut Vec<Breach>) {
        let mut victims: Vec<(PodId, Rule)> = Vec::new();
        let mut cause = None;
        for action in &plan.actions {
            match action {
                Action::Evict { pod, reason } => victims.push((*pod, reason.rule)),
                Action::Hold { workload, .. } => {
                    cause = Some(*workload);
                    break;
                }
                _ => return,
            }
        }
        let Some(slot) = cause.and_then(|id| self.workloads.slot(id)) else { return };
        let Some((ask, _)) = self.workloads.at(slot).waits else { return };
        let ask = self.shapes.get(ask).clone();
        let account = self.workloads.at(slot).account;
        let right = if victims.iter().any(|(_, rule)| *rule == Rule::R1) { Right::Priority } else { Right::Reclaim };
        let mut units: BTreeMap<WorkloadId, Vec<PodRef>> = BTreeMap::new();
        for (pod, _) in &victims {
            if let Some(slot) = self.workloads.slot(pod.workload) {
                units.entry(pod.workload).or_default().push((slot, pod.ordinal));
            }
        }
        for spared in units.keys() {
            let mut trial = Trial::default();
            for pod in units.iter().filter(|(id, _)| *id != spared).flat_map(|(_, pods)| pods) {
                self.try_without(&mut trial, *pod);
            }
            let seeker = Seeker { slot, account, ask: &ask, right, break_budgets: true };
            let covered = self.rest_is_legal(&seeker, &units, *spared);
            let fits =
                self.barred(&ask, account).is_none() && self.place(slot).map(|spots| self.lift_off(&spots)).is_some();
            self.undo(trial);
            if fits && covered && right == Right::Reclaim {
                found.push(breach(5, format!("{spared} could be spared by {cause:?}")));
            }
        }
    }

    /// Whether everybody but the spared one may still be taken, with all others gone (R2a).
    fn rest_is_legal(&self, seeker: &Seeker, units: &BTreeMap<WorkloadId, Vec<PodRef>>, spared: WorkloadId) -> bool {
        let Some(reach) = self.reach(seeker.ask, seeker.account) else { return false };
        units.iter().filter(|(id, _)| **id != spared).flat_map(|(_, pods)| pods.first()).all(|pod| {
            let victim = self.workloads.at(pod.0).account;
            let common = self.tree.common(QuotaId(seeker.account), QuotaId(victim));
            self.tree.is_under(common, QuotaId(reach))
        })
    }
}

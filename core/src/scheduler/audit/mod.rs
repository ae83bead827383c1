//! The invariants, recomputed from scratch (I1 to I12).
//!
//! [`audit`] looks at a state: I1, I2, I6, I8 and I11. [`audit_plan`] looks at a plan and the state it was made from: I3, I4
//! and I5. An [`Auditor`] looks at both after every step, and remembers what it must: I7, I9. That names and order do not
//! matter (I10) is a law of two runs, and that replay equals record (I12) is [`Log::replay`](crate::Log::replay).

mod auditor;
mod plan;

pub use auditor::Auditor;
pub use plan::audit_plan;

use crate::scheduler::{
    PodState, Scheduler,
    nodes::{NodeReservation, PodRef},
    quota::ledger::{Ledger, QuotaSlot, cell},
};
use crate::tree::UNLIMITED;
use std::{collections::BTreeMap, fmt};

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

/// Recomputes the invariants of a state and tells which are broken: the ledger (I1), ceilings (I2), gangs (I6), nodes and
/// devices (I8), fair shares (I11). Takes time linear in everything there is.
#[must_use]
pub fn audit(scheduler: &Scheduler) -> Vec<Breach> {
    let mut found = Vec::new();
    scheduler.audit_ledger(&mut found);
    scheduler.audit_ceilings(&mut found);
    scheduler.audit_gangs(&mut found);
    scheduler.audit_nodes(&mut found);
    scheduler.audit_shares(&mut found);
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
            let leaf = workload.leaf;
            let request = self.requested(workload);
            fresh.each(leaf, |ledger, q| ledger.request.add(q, &request));
            let placed = workload.pods.iter().any(|p| p.state.is_some_and(|s| s != PodState::Waiting));
            if placed || workload.hold.is_some() {
                fresh.each(leaf, |ledger, q| *ledger.jobs.at_mut(q) += 1);
            }
            for (ordinal, pod) in (0u32..).zip(&workload.pods) {
                let Some(state) = pod.state.filter(|state| *state != PodState::Waiting) else { continue };
                let governed = self.workloads.governed((slot, ordinal), &self.interner);
                fresh.use_up(leaf, governed, workload.preemptible);
                fresh.each(leaf, |ledger, q| *ledger.pods.at_mut(q) += 1);
                if state == PodState::Leaving {
                    fresh.each(leaf, |ledger, q| ledger.leaving.add(q, governed));
                }
            }
        }
        for hold in self.holds.values() {
            let leaf = self.workloads.at(hold.slot).leaf;
            let total = &self.interner.get(hold.ask).total;
            fresh.hold(leaf, total, self.workloads.at(hold.slot).preemptible);
        }
        for q in 0..=self.ledger.no_quota() {
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

    fn label(&self, leaf: QuotaSlot) -> String {
        self.quota(leaf).map_or_else(|| "those without a quota".to_owned(), |q| format!("`{}`", self.tree.name(q)))
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
            if workload.evicted_whole && workload.hold.is_some() {
                found.push(breach(6, format!("{} was evicted whole and holds room for more of it", workload.id)));
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
            let mut kept = NodeReservation::default();
            for pod in standing.get(&slot).into_iter().flatten() {
                let Some(row) = self.workloads.pod(*pod) else { continue };
                let template = self.interner.templates.at(self.workloads.at(pod.0).template(pod.1));
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
            for (place, bank) in (0u8..).zip(&node.banks) {
                let mut devices: Vec<i64> = bank.free.iter().map(|_| bank.each).collect();
                for ((_, device), amount) in kept.devices.iter().filter(|((at, _), _)| *at == place) {
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

    /// What is shared out among children is what their parent has or what they can use, whichever is less, and nobody
    /// gets more than that (I11).
    fn audit_shares(&self, found: &mut Vec<Breach>) {
        let shares = self.fair_shares();
        let share = |q: u32, r: usize| shares.get(q as usize).map_or(0, |row| cell(row, r));
        for r in 0..self.tree.width() {
            let demand = self.demands(r);
            let can_use = |q: u32| i128::from(cell(&demand, q as usize));
            for quota in self.tree.ids() {
                if i128::from(share(quota.0, r)) > can_use(quota.0) {
                    let what = format!("{} gets more of resource {r} than it can use", self.label(quota.0));
                    found.push(breach(11, what));
                }
                let children = self.tree.children(quota);
                if children.is_empty() {
                    continue;
                }
                let given: i128 = children.iter().map(|q| i128::from(share(q.0, r))).sum();
                let usable: i128 = children.iter().map(|q| can_use(q.0)).sum();
                let due = usable.min(share(quota.0, r).into());
                if given != due {
                    let what = format!("children of {} get {given} of resource {r}, not {due}", self.label(quota.0));
                    found.push(breach(11, what));
                }
            }
        }
    }
}

//! The invariants of a state: ledger (I1), max (I2), gangs (I6), nodes and devices (I8), fair shares (I11).

use super::breach::{Breach, breach};
use crate::{
    api::PodState,
    scheduler::{
        Scheduler,
        cluster::Cluster,
        nodes::NodeReservation,
        quota::{Ledger, Quotas},
        state::{NodeSlot, PodRef, QuotaSlot, amount_of},
    },
    tree::UNLIMITED,
};
use std::collections::BTreeMap;

/// Recomputes the invariants of a state and gives those that are broken: the ledger (I1), max (I2), gangs (I6), nodes
/// and devices (I8), fair shares (I11). Takes time linear in the size of the state.
#[must_use]
pub fn audit(scheduler: &Scheduler) -> Vec<Breach> {
    let cluster = &scheduler.cluster;
    let mut found = Vec::new();
    audit_ledger(cluster, &mut found);
    audit_max(&cluster.quotas, &mut found);
    audit_gangs(cluster, &mut found);
    audit_nodes(cluster, &mut found);
    audit_shares(&cluster.quotas, &scheduler.fair_shares(), &mut found);
    found
}

/// The ledger as it must be, computed from the pods and holds of all workloads.
fn recount(cluster: &Cluster) -> Ledger {
    let workloads = &cluster.workloads;
    let mut ledger = Ledger::new(&cluster.quotas.tree);
    for slot in workloads.sorted() {
        let workload = workloads.at(slot);
        let leaf = workload.leaf;
        let request = workloads.requested(slot);
        ledger.each(leaf, |ledger, q| ledger.request.add(q, &request, 1));
        if workload.is_on_nodes() || workload.hold.is_some() {
            ledger.each(leaf, |ledger, q| *ledger.jobs.at_mut(q) += 1);
        }
        for (ordinal, pod) in workload.ordinals().filter(|(_, pod)| pod.is_on_node()) {
            let governed = workloads.governed(slot.pod(ordinal));
            ledger.add_usage(leaf, governed, workload.preemptible, 1);
            ledger.each(leaf, |ledger, q| *ledger.pods.at_mut(q) += 1);
            if pod.state == Some(PodState::Terminating) {
                ledger.each(leaf, |ledger, q| ledger.leaving.add(q, governed, 1));
            }
        }
    }
    for (_, hold) in cluster.holds.iter() {
        let workload = workloads.at(hold.slot);
        ledger.add_held(workload.leaf, &workloads.interner.ask(hold.ask).total, workload.preemptible, 1);
    }
    ledger
}

fn audit_ledger(cluster: &Cluster, found: &mut Vec<Breach>) {
    let (ledger, recounted) = (&cluster.quotas.ledger, recount(cluster));
    for q in ledger.slots() {
        let label = || label(&cluster.quotas, q);
        let columns = [
            ("used", ledger.used.row(q), recounted.used.row(q)),
            ("used_np", ledger.used_np.row(q), recounted.used_np.row(q)),
            ("leaving", ledger.leaving.row(q), recounted.leaving.row(q)),
            ("request", ledger.request.row(q), recounted.request.row(q)),
            ("held", ledger.held.row(q), recounted.held.row(q)),
        ];
        for (column, kept, counted) in columns.iter().filter(|(_, kept, counted)| kept != counted) {
            found.push(breach(
                1,
                format!("the ledger of {} has {column} {kept:?}, a recount of the pods gives {counted:?}", label()),
            ));
        }
        let counts =
            [("pods", *ledger.pods.at(q), *recounted.pods.at(q)), ("jobs", *ledger.jobs.at(q), *recounted.jobs.at(q))];
        for (column, kept, counted) in counts.iter().filter(|(_, kept, counted)| kept != counted) {
            found.push(breach(1, format!("the ledger of {} has {kept} {column}, a recount gives {counted}", label())));
        }
    }
}

fn label(quotas: &Quotas, slot: QuotaSlot) -> String {
    let quota = quotas.quota_id(slot);
    quota.map_or_else(|| "pods without a quota".to_owned(), |q| format!("`{}`", quotas.tree.name(q)))
}

/// Usage and reservations are within every max, except for the excess that existed when a change of the tree lowered
/// the max, or when a pod was found there (I2).
fn audit_max(quotas: &Quotas, found: &mut Vec<Breach>) {
    for slot in quotas.tree.ids().map(QuotaSlot::from) {
        for r in quotas.resources() {
            let reserved = amount_of(quotas.ledger.reserved.row(slot), r);
            let (used, max) = (amount_of(quotas.ledger.used.row(slot), r) + reserved, quotas.max(slot, r));
            let most = quotas.over_max.excused_to(slot, r).unwrap_or(max).max(max);
            if max != UNLIMITED && used > most {
                let what = format!("{} is charged {used} of resource {r}, and its max is {max}", label(quotas, slot));
                found.push(breach(2, what));
            }
        }
    }
}

fn audit_gangs(cluster: &Cluster, found: &mut Vec<Breach>) {
    for slot in cluster.workloads.sorted() {
        let workload = cluster.workloads.at(slot);
        if workload.has_active() && workload.is_below_minimum() && !workload.lost_some {
            found.push(breach(6, format!("{} runs below its minimum, and has not lost a pod", workload.id)));
        }
        if workload.evicted_whole && workload.hold.is_some() {
            found.push(breach(6, format!("{} was evicted as a whole, and still has a hold", workload.id)));
        }
    }
}

fn audit_nodes(cluster: &Cluster, found: &mut Vec<Breach>) {
    let (workloads, nodes) = (&cluster.workloads, &cluster.nodes);
    let mut on_node: BTreeMap<NodeSlot, Vec<PodRef>> = BTreeMap::new();
    for slot in workloads.sorted() {
        for (ordinal, pod) in workloads.at(slot).ordinals().filter(|(_, pod)| pod.is_on_node()) {
            on_node.entry(pod.assignment.node).or_default().push(slot.pod(ordinal));
        }
    }
    for slot in nodes.sorted() {
        let node = nodes.at(slot);
        let mut free = node.total.clone();
        let mut used = NodeReservation::default();
        for pod in on_node.get(&slot).into_iter().flatten() {
            let Some(row) = workloads.pod(*pod) else { continue };
            used.add(&nodes.footprint(row.assignment, workloads.template(*pod)), 1);
        }
        for (r, amount) in &used.resources {
            if let Some(free) = free.get_mut(usize::from(*r)) {
                *free -= amount;
            }
        }
        if free != node.free {
            found
                .push(breach(1, format!("{} has {:?} free, a recount of its pods gives {free:?}", node.id, node.free)));
        }
        for (place, devices) in (0u8..).zip(&node.devices) {
            let mut free: Vec<i64> = devices.free.iter().map(|_| devices.each).collect();
            for ((_, device), amount) in used.devices.iter().filter(|((at, _), _)| *at == place) {
                if let Some(free) = free.get_mut(*device as usize) {
                    *free -= amount;
                }
            }
            if free[..] != devices.free[..] {
                let what = format!("devices of {} have {:?} free, a recount gives {free:?}", node.id, devices.free);
                found.push(breach(8, what));
            }
        }
        if !nodes.is_excused(slot) {
            found.push(breach(8, format!("{} has less free than is reserved on it", node.id)));
        }
    }
}

/// The shares of the children sum to what their parent has or what they can use, whichever is less, and none is more
/// than its quota can use (I11).
fn audit_shares(quotas: &Quotas, shares: &[Vec<i64>], found: &mut Vec<Breach>) {
    let share = |q: u32, r: usize| shares.get(q as usize).map_or(0, |row| amount_of(row, r));
    for r in quotas.resources() {
        let demand = quotas.demands(r);
        let can_use = |q: u32| i128::from(amount_of(&demand, q as usize));
        for quota in quotas.tree.ids() {
            let label = || label(quotas, quota.into());
            if i128::from(share(quota.0, r)) > can_use(quota.0) {
                found
                    .push(breach(11, format!("the fair share of {} in resource {r} is more than it can use", label())));
            }
            let children = quotas.tree.children(quota);
            if children.is_empty() {
                continue;
            }
            let given: i128 = children.iter().map(|q| i128::from(share(q.0, r))).sum();
            let usable: i128 = children.iter().map(|q| can_use(q.0)).sum();
            let due = usable.min(share(quota.0, r).into());
            if given != due {
                found.push(breach(
                    11,
                    format!("the children of {} have fair shares of {given} in resource {r}, not {due}", label()),
                ));
            }
        }
    }
}

//! Holds that are due: ends those that lasted too long (H2), and binds workloads whose victims are gone (H3).

use super::{
    lifecycle::{end, release, restore},
    settle::fits_when_settled,
};
use crate::{
    api::{Action, Plan, ReleaseReason},
    scheduler::{
        cluster::{Cluster, Hold},
        placement::{place, place_as_reserved},
        state::{Ask, PodRef},
    },
};

/// Ends the holds that lasted longer than the policy allows and still have victims there (H2).
pub(crate) fn expire(cluster: &mut Cluster, plan: &mut Plan) {
    let Some(timeout) = cluster.policy.hold_timeout_ms else { return };
    let now = cluster.now;
    let is_late = |hold: &Hold| hold.since.after_ms(timeout) <= now && !hold.victims.is_empty();
    for id in cluster.holds.ids_where(is_late) {
        let late: Vec<PodRef> =
            cluster.holds.get(id).into_iter().flat_map(|hold| hold.victims.iter().copied()).collect();
        release(cluster, id, ReleaseReason::TimedOut, plan);
        // They took too long to leave: no other workload waits for them either.
        for pod in late.into_iter().map(|pod| cluster.workloads.id_of(pod)) {
            cluster.holds.unclaimed_terminating.remove(&pod);
            cluster.holds.late.insert(pod);
        }
    }
}

/// Binds the workloads whose victims are all gone (H3), the oldest hold first.
pub(crate) fn bind_ready(cluster: &mut Cluster, plan: &mut Plan) {
    for id in cluster.holds.take_ready() {
        let Some(hold) = cluster.holds.get(id).filter(|hold| hold.victims.is_empty()).cloned() else { continue };
        let slot = hold.slot;
        let ask: Ask = cluster.workloads.interner.ask(hold.ask).clone();
        let leaf = cluster.workloads.at(slot).leaf;
        end(cluster, id);
        // It counts as a job already, so the limit on jobs does not apply.
        let admitted = cluster.quotas.admits(&Ask { job: false, ..ask.clone() }, leaf);
        if !admitted && cluster.quotas.ledger.has_lend_limit(leaf) && fits_when_settled(cluster, slot, &ask) {
            // The plan counted on what victims of other holds free (L3).
            restore(cluster, id, hold);
            continue;
        }
        let placed = match admitted {
            true => place_as_reserved(cluster, &hold.assignments).or_else(|| place(cluster, slot)),
            false => None,
        };
        match placed {
            Some(pods) => cluster.bind(slot, &ask, pods, true, plan),
            None => {
                let workload = cluster.workloads.at(slot).id;
                plan.actions.push(Action::Release { workload, reason: ReleaseReason::NoLongerFits });
                cluster.requeue(slot);
            }
        }
    }
}

//! Preemption: looks for victims whose eviction lets a pending workload be placed, and evicts no more than necessary
//! (R1 to R8, V1 to V4).
//!
//! - [`eligibility`]: who may be a victim; [`protection`](mod@protection): why a workload may not.
//! - [`contested`](mod@contested): what is lacking, and in which resources a victim's quotas must be above their
//!   guarantee for it.
//! - [`victim_leaf`]: which leaves may be preempted from.
//! - [`candidates`]: the next victim of a leaf, in the order of [`order`](crate::scheduler::queue::order).
//! - [`sets`]: the search over sets of victims, where that order finds nothing; [`gather`] and [`set_cost`] are its
//!   parts.
//! - [`search`]: the search for a plan; [`make_room`], [`growth`] and [`prune`] are its parts.

mod candidates;
mod contested;
mod eligibility;
mod findings;
mod gather;
mod growth;
mod lenders;
mod make_room;
mod plan;
mod protection;
mod prune;
mod search;
mod set_cost;
mod sets;
mod vain;
mod victim_leaf;

pub(crate) use candidates::{Steps, better_candidate, first_victim};
pub(crate) use contested::{contested, lacking_for_one_more, uses};
pub(crate) use eligibility::{
    PreemptionKind, Preemptor, Resources, could_preempt, could_preempt_at_all, displaces, reclaims_by_share,
    reclaims_from,
};
pub(crate) use findings::SearchFindings;
#[cfg(test)]
pub(crate) use lenders::check_lenders;
pub(crate) use plan::PreemptionPlan;
pub(crate) use protection::protection;
pub(crate) use victim_leaf::VictimLeaf;

use crate::{
    api::{BlockingReason, Bound, Room},
    scheduler::{
        cluster::Cluster,
        placement::{closest, domains, within},
        state::{Ask, WorkloadSlot},
    },
};
use search::find_plan_here;

/// Looks for a plan by one kind of preemption. Where the pods must share a domain, returns the cheapest plan over all
/// domains (V3). Notes in `found` what stopped the search, and which bounds cut it short.
pub(crate) fn find_plan(
    cluster: &mut Cluster,
    slot: WorkloadSlot,
    ask: &Ask,
    kind: PreemptionKind,
    found: &mut SearchFindings,
) -> Option<PreemptionPlan> {
    if !could_preempt(cluster, slot, ask, kind) {
        return None;
    }
    let Some(mut domains) = domains(cluster, slot) else { return find_plan_here(cluster, slot, ask, kind, found) };
    let most = cluster.policy.bounds.nodes as usize;
    found.note(Bound::Nodes, domains.len() > most);
    domains.truncate(most);
    let mut best: Option<PreemptionPlan> = None;
    let mut stops: Vec<BlockingReason> = Vec::new();
    for domain in domains {
        let mut here = SearchFindings { in_full: found.in_full, ..SearchFindings::default() };
        let plan = within(cluster, &domain, |cluster| find_plan_here(cluster, slot, ask, kind, &mut here));
        here.bounds.into_iter().for_each(|bound| found.note(bound, true));
        stops.extend(here.stops.into_iter().map(|stop| match stop {
            BlockingReason::Room(room) => BlockingReason::Room(Room { within: Some(domain.clone()), ..room }),
            other => other,
        }));
        let Some(plan) = plan else { continue };
        if best.as_ref().is_none_or(|best| plan.cost(cluster) < best.cost(cluster)) {
            best = Some(plan);
        }
    }
    if best.is_none() {
        found.stops.extend(closest(stops));
    }
    best
}

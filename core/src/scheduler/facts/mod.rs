//! How an event changes the state. It is checked first, then applied; an event that is refused changes nothing.

mod evict_failed;
mod found;
mod node;
mod place;
mod pod;
mod pod_changed;
mod spared;
mod tree;
mod workload;

use crate::{
    api::{Event, EventError},
    scheduler::{cluster::Cluster, preempt::reclaims_by_share},
};
use found::Found;
use spared::About;

/// Applies an event to the state. Returns whether the next decision must look at what changed.
pub(super) fn apply(cluster: &mut Cluster, event: Event) -> Result<bool, EventError> {
    let about = About::of(&event);
    let changes_choices = change(cluster, event)?;
    about.end_sparing(cluster);
    Ok(changes_choices)
}

fn change(cluster: &mut Cluster, event: Event) -> Result<bool, EventError> {
    match event {
        Event::NodeUp(spec) => node::up(cluster, spec)?,
        Event::NodeChanged(spec) => node::changed(cluster, spec)?,
        Event::NodeDown { node } => node::down(cluster, node)?,
        // One that waits behind others changes nothing for them.
        Event::WorkloadSubmitted(spec) => {
            let replaces = spec.replaces.is_some();
            return Ok(workload::submitted(cluster, spec)? || replaces || awaits_event(cluster));
        }
        Event::WorkloadChanged(change) => workload::changed(cluster, change)?,
        Event::WorkloadWithdrawn { workload } => workload::withdrawn(cluster, workload)?,
        // Where nobody is evicted, a pod that runs is for decisions the same as one that is being bound.
        Event::PodBound { pod, at, elsewhere } => {
            let moves = elsewhere.is_some();
            pod::bound(cluster, pod, at, elsewhere)?;
            return Ok(moves || cluster.policy.has_victims() || awaits_event(cluster));
        }
        Event::BindFailed { pod } => pod::bind_failed(cluster, pod)?,
        Event::PodGone { pod, outcome } => pod::gone(cluster, pod, outcome)?,
        Event::PodLeaving { pod } => pod::leaving(cluster, pod)?,
        Event::TreeChanged(spec) => tree::changed(cluster, &spec)?,
        Event::BudgetChanged { budget, allowed } => {
            cluster.evictions.note_budget(budget.clone(), cluster.generation);
            cluster.budgets.insert(budget, allowed);
        }
        Event::Tick => {}
        Event::EvictFailed { pod } => evict_failed::undo(cluster, pod, evict_failed::Why::Failed)?,
        Event::EvictWithdrawn { pod } => evict_failed::undo(cluster, pod, evict_failed::Why::Withdrawn)?,
        Event::PodChanged { pod, template } => pod_changed::pod_changed(cluster, pod, &template)?,
        Event::PodFound { pod, node, devices, state, since } => {
            found::found(cluster, pod, &Found { node, devices, state, since })?;
        }
    }
    Ok(true)
}

/// Whether any event, whatever it is about, may lead to another try.
fn awaits_event(cluster: &Cluster) -> bool {
    cluster.queue.tournament.awaits_event() || reclaims_by_share(&cluster.policy)
}

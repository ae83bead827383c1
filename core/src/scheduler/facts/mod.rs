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
    scheduler::cluster::Cluster,
};
use found::Found;
use spared::About;

/// Applies an event to the state.
pub(super) fn apply(cluster: &mut Cluster, event: Event) -> Result<(), EventError> {
    let about = About::of(&event);
    change(cluster, event)?;
    about.end_sparing(cluster);
    Ok(())
}

fn change(cluster: &mut Cluster, event: Event) -> Result<(), EventError> {
    match event {
        Event::NodeUp(spec) => node::up(cluster, spec),
        Event::NodeChanged(spec) => node::changed(cluster, spec),
        Event::NodeDown { node } => node::down(cluster, node),
        Event::WorkloadSubmitted(spec) => workload::submitted(cluster, spec),
        Event::WorkloadChanged(change) => workload::changed(cluster, change),
        Event::WorkloadWithdrawn { workload } => workload::withdrawn(cluster, workload),
        Event::PodBound { pod, at, elsewhere } => pod::bound(cluster, pod, at, elsewhere),
        Event::BindFailed { pod } => pod::bind_failed(cluster, pod),
        Event::PodGone { pod, outcome } => pod::gone(cluster, pod, outcome),
        Event::PodLeaving { pod } => pod::leaving(cluster, pod),
        Event::TreeChanged(spec) => tree::changed(cluster, &spec),
        Event::BudgetChanged { budget, allowed } => {
            cluster.evictions.note_budget(budget.clone(), cluster.generation);
            cluster.budgets.insert(budget, allowed);
            Ok(())
        }
        Event::Tick => Ok(()),
        Event::EvictFailed { pod } => evict_failed::undo(cluster, pod, evict_failed::Why::Failed),
        Event::EvictWithdrawn { pod } => evict_failed::undo(cluster, pod, evict_failed::Why::Withdrawn),
        Event::PodChanged { pod, template } => pod_changed::pod_changed(cluster, pod, &template),
        Event::PodFound { pod, node, devices, state, since } => {
            found::found(cluster, pod, &Found { node, devices, state, since })
        }
    }
}

//! The resource `pods`: how many pods a node takes, or a quota allows. No resource name has a special meaning in the
//! scheduler. So where a scenario limits `pods`, this code makes each pod request one, as Kubernetes does. A scenario
//! that never mentions `pods` is not changed.

use quotree_core::{Amounts, Name, PodTemplate, TreeSpec};
use quotree_model::{Change, Cluster, NodeChange, TimedChange, Workload};
use std::{collections::BTreeMap, sync::Arc};

/// The resource that counts pods.
const PODS: &str = "pods";

/// One pod, in base units.
const ONE: i64 = 1000;

/// The amount of a node without a limit, in base units: as many pods as a scenario may have.
const ANY: i64 = 10_000_000 * ONE;

/// If a quota or a node limits `pods` at some time of the run, makes each pod request one where it does not state its
/// request, and gives nodes that state no limit room for any number.
pub(crate) fn count<'a>(
    trees: impl Iterator<Item = &'a TreeSpec>,
    changes: &[TimedChange],
    cluster: &mut Cluster,
    workloads: impl Iterator<Item = &'a mut Workload>,
) {
    let names = |amounts: &Amounts| amounts.get(PODS).is_some();
    let edits = |timed: &TimedChange| match &timed.change {
        Change::Nodes(NodeChange::Edit { allocatable, .. }) => names(allocatable),
        _ => false,
    };
    let governed = trees.flat_map(|tree| &tree.quotas).any(|quota| names(&quota.min) || names(&quota.max));
    if !governed && !cluster.nodes.iter().any(|node| names(&node.spec.allocatable)) && !changes.iter().any(edits) {
        return;
    }
    for node in &mut cluster.nodes {
        state(&mut node.spec.allocatable, ANY);
    }
    // Rows that share a template still do.
    let mut counted: BTreeMap<Arc<PodTemplate>, Arc<PodTemplate>> = BTreeMap::new();
    for workload in workloads {
        workload.kind.change_templates(&mut |template| {
            let with = counted.entry(Arc::clone(template)).or_insert_with(|| {
                let mut with = PodTemplate::clone(template);
                state(&mut with.request, ONE);
                Arc::new(with)
            });
            *template = Arc::clone(with);
        });
    }
}

/// Sets the amount of `pods` where the scenario states none.
fn state(amounts: &mut Amounts, amount: i64) {
    if amounts.get(PODS).is_none() {
        amounts.set(Name::from(PODS), amount);
    }
}

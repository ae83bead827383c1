//! The resource `pods`: how many pods a node takes, or a quota allows. The scheduler knows no names of resources. So
//! where a scenario limits `pods`, each pod requests one here, as Kubernetes counts it. A scenario that nowhere names
//! `pods` is left as it is.

use quotree_core::{Amounts, Name, PodTemplate, TreeSpec};
use quotree_model::{Change, Cluster, NodeChange, TimedChange, Workload};
use std::{collections::BTreeMap, sync::Arc};

/// The resource that counts pods.
const PODS: &str = "pods";

/// One pod, in base units.
const ONE: i64 = 1000;

/// What a node without a limit takes: as many pods as a scenario may have, in base units.
const ANY: i64 = 10_000_000 * ONE;

/// Where a quota or a node limits `pods` at some time of the run: each pod requests one, unless it says otherwise, and a
/// node that does not say takes any number.
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

/// Sets the amount of `pods` where none is stated.
fn state(amounts: &mut Amounts, amount: i64) {
    if amounts.get(PODS).is_none() {
        amounts.set(Name::from(PODS), amount);
    }
}

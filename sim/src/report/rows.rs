//! The rows of the result: quotas, namespaces, workloads, nodes, evictions, and pending workloads.

use super::breakdown::Sums;
use crate::{
    metrics::Eviction,
    model::Kind,
    result::{EvictionRow, InstancesRow, NamespaceRow, NodeRow, QuantityMap, QuotaRow, ShareRow, TaskRow, WorkloadRow},
    view::RunView,
    world::{Input, Outcomes, WorldNames, healthy, pod_name, spec_of},
};
use quotree_core::{Name, QuotaId};
use quotree_words::{self as words, Names};
use std::collections::BTreeMap;

pub(super) fn quotas(view: &RunView<'_>) -> Vec<QuotaRow> {
    let (scheduler, tree) = (view.scheduler, view.tree());
    let mut sums = Sums::new(view, tree.len(), |account| {
        let leaf = view.world.namespaces[account.key.namespace].leaf;
        leaf.into_iter().flat_map(|leaf| tree.path(QuotaId(leaf))).map(|quota| quota.0).collect()
    });
    let mut row = |quota: QuotaId| {
        let usage = scheduler.usage(quota);
        let work = sums.take(quota.0);
        QuotaRow {
            name: tree.name(quota).to_string(),
            parent: tree.parent(quota).map(|p| tree.name(p).to_string()),
            min: QuantityMap(tree.spec(quota).map(|s| s.min.clone()).unwrap_or_default()),
            max: QuantityMap(tree.spec(quota).map(|s| s.max.clone()).unwrap_or_default()),
            used: QuantityMap(usage.used),
            request: QuantityMap(usage.request),
            borrowed: QuantityMap(usage.borrowed),
            lent: QuantityMap(usage.lent),
            held: QuantityMap(usage.held),
            counts: work.counts,
            wait: work.wait,
            share: work.share,
        }
    };
    tree.ids().map(&mut row).collect()
}

/// Namespaces in the order of the tree, then those on no leaf in order of their appearance.
pub(super) fn namespaces(view: &RunView<'_>) -> Vec<NamespaceRow> {
    let tree = view.tree();
    let mut all: Vec<_> = view.world.namespaces.iter().zip(0u32..).collect();
    all.sort_by_key(|(n, _)| n.leaf.unwrap_or(u32::MAX));
    let mut sums = Sums::new(view, all.len(), |account| vec![account.key.namespace]);
    let row = |(n, number): (&crate::world::Namespace, u32)| {
        let work = sums.take(number);
        NamespaceRow {
            name: n.name.to_string(),
            quota: n.leaf.map(|leaf| tree.name(QuotaId(leaf)).to_string()),
            counts: work.counts,
            wait: work.wait,
            share: work.share,
        }
    };
    all.into_iter().map(row).collect()
}

pub(super) fn workloads(view: &RunView<'_>) -> Vec<WorkloadRow> {
    let world = view.world;
    let mut sums =
        Sums::new(view, view.world.scenario.workloads.len(), |account| vec![world.tallies[account.key.tally].workload]);
    let outcomes = world.outcomes();
    let of = |tally: u32| outcomes.get(tally as usize).copied().unwrap_or_default();
    let inputs = input_by_tally(view);
    let row = |(workload, index): (&crate::model::Workload, u32)| {
        let tallies = world.tallies_of(index);
        let (work, whole) = (sums.take(index), of(tallies.start));
        let told = workload.arrivals.is_some() || workload.has_deadlines();
        let tasks = match &workload.kind {
            Kind::Workflow { tasks } => tasks.as_slice(),
            _ => &[],
        };
        let task = |(task, tally): (&crate::model::Task, u32)| TaskRow {
            name: task.name.to_string(),
            kind: task.kind.name(),
            instances: instances(&of(tally)),
        };
        WorkloadRow {
            name: workload.name.clone(),
            namespace: workload.namespace.to_string(),
            user: workload.user.as_ref().map(Name::to_string),
            kind: workload.kind_name(),
            counts: work.counts,
            refused: work.refused,
            wait: work.wait,
            // The row itself has both of these.
            share: ShareRow { instances: None, input: None, ..work.share },
            instances: (told || !tasks.is_empty() || whole.failed > 0).then(|| instances(&whole)),
            tasks: tasks.iter().zip(tallies.start + 1..).map(task).collect(),
            input: workload.kind.reads_any().then(|| {
                let mut sum = Input::default();
                tallies.clone().filter_map(|tally| inputs.get(&tally)).for_each(|input| sum.join(input));
                super::datasets::input(&sum)
            }),
        }
    };
    view.world.scenario.workloads.iter().zip(0u32..).map(row).collect()
}

/// The input of workloads, by tally.
fn input_by_tally(view: &RunView<'_>) -> BTreeMap<u32, Input> {
    let mut inputs: BTreeMap<u32, Input> = BTreeMap::new();
    for (account, input) in view.world.datasets.inputs(view.now()) {
        inputs.entry(view.world.accounts.all[account].key.tally).or_default().join(&input);
    }
    inputs
}

pub(super) fn instances(outcomes: &Outcomes) -> InstancesRow {
    InstancesRow {
        submitted: outcomes.submitted,
        succeeded: outcomes.succeeded,
        failed: outcomes.failed,
        withdrawn: outcomes.withdrawn,
        active: outcomes.active(),
        skipped: outcomes.skipped,
        deadlines_met: outcomes.met,
        deadlines_missed: outcomes.missed,
    }
}

pub(super) fn nodes(view: &RunView<'_>) -> Vec<NodeRow> {
    let views: std::collections::BTreeMap<_, _> =
        view.scheduler.nodes().into_iter().map(|view| (view.id.0, view)).collect();
    let states = view.world.nodes.iter();
    let row = |(i, (node, state)): (u32, (&crate::model::Node, &crate::world::NodeState))| {
        let (view, spec) = (views.get(&i), spec_of(view.world, i));
        let devices = spec.iter().flat_map(|spec| &spec.devices).map(|devices| devices.count).max().unwrap_or(0);
        let ill = spec.iter().flat_map(|spec| spec.unhealthy.iter()).filter(|device| *device < devices);
        NodeRow {
            name: node.name.clone(),
            pool: node.pool.to_string(),
            up: state.up,
            schedulable: state.up && !state.cordoned,
            pods: view.map_or(0, |v| v.pods.len() as u64),
            unhealthy: ill.count() as u64,
            capacity: QuantityMap(spec.as_ref().map(|spec| spec.allocatable.clone()).unwrap_or_default()),
            allocatable: QuantityMap(spec.as_ref().map(healthy).unwrap_or_default()),
            used: QuantityMap(view.map(|v| v.used.clone()).unwrap_or_default()),
        }
    };
    // Nodes that never joined have no row.
    let known = |(_, (_, state)): &(u32, (_, &crate::world::NodeState))| state.known;
    (0u32..).zip(view.world.scenario.cluster.nodes.iter().zip(states)).filter(known).map(row).collect()
}

pub(super) fn evictions(view: &RunView<'_>) -> Vec<EvictionRow> {
    let row = |e: &Eviction| {
        let tree = view.world.trees.of_version(e.tree);
        let names = WorldNames { world: view.world, tree };
        let unit = &view.world.units[view.world.pods[e.pod].unit];
        let workload = view.world.workload_of(unit.owner);
        EvictionRow {
            at_ms: e.at.0,
            pod: pod_name(view.world, e.pod),
            workload: workload.map_or_else(String::new, |w| w.name.clone()),
            user: user_of(view, unit.account),
            namespace: view.world.namespaces[unit.namespace].name.to_string(),
            leaf: e.reason.leaf.map(|q| tree.name(q).to_string()),
            cause: e.reason.cause.map(|c| names.workload(c).into_owned()),
            rule: e.reason.rule.to_string(),
            reason: words::evicted(&e.reason, &names),
            lost_ms: u64::try_from(e.lost_ms).unwrap_or(u64::MAX),
            failed: e.failed,
        }
    };
    view.metrics.evictions.all.iter().map(row).collect()
}

/// The name of the user of an account.
pub(super) fn user_of(view: &RunView<'_>, account: u32) -> Option<String> {
    let accounts = &view.world.accounts;
    accounts.user_name(accounts.all[account].key.user).map(Name::to_string)
}

//! The rows of the result: quotas, namespaces, workloads, nodes, evictions, and who waits.

use super::{Wait, people::Sums, wait_summary};
use crate::{
    engine::Engine,
    model::Kind,
    result::{
        EvictionRow, InstancesRow, NamespaceRow, NodeRow, PendingRow, QuantityMap, QuotaRow, ShareRow, TaskRow,
        WaitRow, WorkloadRow,
    },
    text::{self, Names},
    world::{Input, Outcomes, State, WorldNames, healthy, pod_name, unit_name},
};
use quotree_core::{Name, QuotaId, WorkloadId};
use std::collections::BTreeMap;

/// The row of these waits.
pub(crate) fn wait_of<'a>(waits: impl Iterator<Item = &'a Wait>) -> WaitRow {
    wait_summary(&mut waits.map(|w| w.ms).collect::<Vec<_>>())
}

pub(super) fn quotas(engine: &Engine<'_>) -> Vec<QuotaRow> {
    let (scheduler, tree) = (engine.core.scheduler(), engine.core.scheduler().tree());
    let mut sums = Sums::new(engine, tree.len(), |account| {
        let leaf = engine.world.namespaces[account.key.namespace].leaf;
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
            running: work.running,
            pending: work.pending,
            succeeded: work.succeeded,
            failed: work.failed,
            evicted: work.evicted,
            wait: work.wait,
            used_time_s: work.used_time_s,
            lost_work_ms: work.lost_work_ms,
            share: work.share,
        }
    };
    tree.ids().map(&mut row).collect()
}

/// Namespaces of the tree in its order, then those on no leaf as they came up.
pub(super) fn namespaces(engine: &Engine<'_>) -> Vec<NamespaceRow> {
    let tree = engine.core.scheduler().tree();
    let mut all: Vec<_> = engine.world.namespaces.iter().zip(0u32..).collect();
    all.sort_by_key(|(n, _)| n.leaf.unwrap_or(u32::MAX));
    let mut sums = Sums::new(engine, all.len(), |account| vec![account.key.namespace]);
    let row = |(n, number): (&crate::world::Namespace, u32)| {
        let work = sums.take(number);
        NamespaceRow {
            name: n.name.to_string(),
            quota: n.leaf.map(|leaf| tree.name(QuotaId(leaf)).to_string()),
            running: work.running,
            pending: work.pending,
            succeeded: work.succeeded,
            failed: work.failed,
            evicted: work.evicted,
            wait: work.wait,
            used_time_s: work.used_time_s,
            lost_work_ms: work.lost_work_ms,
            share: work.share,
        }
    };
    all.into_iter().map(row).collect()
}

pub(super) fn workloads(engine: &Engine<'_>) -> Vec<WorkloadRow> {
    let world = &engine.world;
    let mut sums =
        Sums::new(engine, engine.scenario.workloads.len(), |account| vec![world.tallies[account.key.tally].workload]);
    let outcomes = world.outcomes();
    let of = |tally: u32| outcomes.get(tally as usize).copied().unwrap_or_default();
    let inputs = input_by_tally(engine);
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
            running: work.running,
            pending: work.pending,
            succeeded: work.succeeded,
            failed: work.failed,
            evicted: work.evicted,
            refused: work.refused,
            wait: work.wait,
            used_time_s: work.used_time_s,
            lost_work_ms: work.lost_work_ms,
            // Both of these stand in the row itself.
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
    engine.scenario.workloads.iter().zip(0u32..).map(row).collect()
}

/// What was read, by tally.
fn input_by_tally(engine: &Engine<'_>) -> BTreeMap<u32, Input> {
    let mut inputs: BTreeMap<u32, Input> = BTreeMap::new();
    for (account, input) in engine.world.datasets.inputs(engine.now) {
        inputs.entry(engine.world.accounts.all[account].key.tally).or_default().join(&input);
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

pub(super) fn nodes(engine: &Engine<'_>) -> Vec<NodeRow> {
    let views: std::collections::BTreeMap<_, _> =
        engine.core.scheduler().nodes().into_iter().map(|view| (view.id.0, view)).collect();
    let states = engine.world.nodes.iter();
    let row = |(i, (node, state)): (u32, (&crate::model::Node, &crate::world::NodeState))| {
        let (view, spec) = (views.get(&i), engine.spec_of(i));
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
    // Nodes that never joined are none.
    let known = |(_, (_, state)): &(u32, (_, &crate::world::NodeState))| state.known;
    (0u32..).zip(engine.scenario.cluster.nodes.iter().zip(states)).filter(known).map(row).collect()
}

pub(super) fn evictions(engine: &Engine<'_>) -> Vec<EvictionRow> {
    let tree = engine.core.scheduler().tree();
    let row = |e: &super::Eviction| {
        let tree = engine.old_trees.get(e.tree).unwrap_or(tree);
        let names = WorldNames { scenario: engine.scenario, world: &engine.world, tree };
        let unit = &engine.world.units[engine.world.pods[e.pod].unit];
        let workload = engine.workload_of(unit.owner);
        EvictionRow {
            at_ms: e.at.0,
            pod: pod_name(engine.scenario, &engine.world, e.pod),
            workload: workload.map_or_else(String::new, |w| w.name.clone()),
            user: user_of(engine, unit.account),
            namespace: engine.world.namespaces[unit.namespace].name.to_string(),
            leaf: e.reason.leaf.map(|q| tree.name(q).to_string()),
            cause: e.reason.cause.map(|c| names.workload(c).into_owned()),
            rule: e.reason.rule.to_string(),
            reason: text::evicted(&e.reason, &names),
            lost_ms: u64::try_from(e.lost_ms).unwrap_or(u64::MAX),
        }
    };
    engine.figures.evictions.all.iter().map(row).collect()
}

pub(super) fn pending(engine: &Engine<'_>) -> Vec<PendingRow> {
    let tree = engine.core.scheduler().tree();
    let waiting = engine.core.scheduler().waiting().into_iter().take(engine.options.pending_rows);
    let row = |(i, id): (usize, WorkloadId)| {
        if id.0 >= engine.world.units.len() {
            return None;
        }
        let unit = &engine.world.units[id.0];
        let first = engine.world.pods_of(id.0).find(|p| engine.world.pods[*p].state == State::Waiting);
        let workload = engine.workload_of(unit.owner);
        let verdict = (i < engine.options.explained_rows).then(|| engine.core.scheduler().explain(id)).flatten();
        let names = engine.names();
        let namespace = &engine.world.namespaces[unit.namespace];
        Some(PendingRow {
            pod: first.map_or_else(
                || unit_name(engine.scenario, &engine.world, id.0),
                |p| pod_name(engine.scenario, &engine.world, p),
            ),
            workload: workload.map_or_else(String::new, |w| w.name.clone()),
            user: user_of(engine, unit.account),
            namespace: namespace.name.to_string(),
            quota: namespace.leaf.map(|leaf| tree.name(QuotaId(leaf)).to_string()),
            since_ms: unit.created.0,
            rule: verdict.as_ref().map_or_else(String::new, |v| v.binding.rule().to_string()),
            reason: verdict.as_ref().map_or_else(String::new, |v| text::verdict(v, &names)),
            verdict: verdict
                .as_ref()
                .map_or(serde_json::Value::Null, |v| text::verdict_json(v, &names, engine.options.named_pods)),
        })
    };
    let mut rows: Vec<PendingRow> = waiting.enumerate().filter_map(row).collect();
    let left = engine.options.pending_rows.saturating_sub(rows.len());
    rows.extend(engine.world.job_queues.suspended().take(left).map(|spec| suspended(engine, spec.id.0)));
    rows
}

/// Who submitted what a account has, by name.
fn user_of(engine: &Engine<'_>, account: u32) -> Option<String> {
    let accounts = &engine.world.accounts;
    accounts.user_name(accounts.all[account].key.user).map(Name::to_string)
}

/// The row of a unit that a job queue keeps from the scheduler.
fn suspended(engine: &Engine<'_>, id: u32) -> PendingRow {
    let unit = &engine.world.units[id];
    let namespace = &engine.world.namespaces[unit.namespace];
    let tree = engine.core.scheduler().tree();
    PendingRow {
        pod: pod_name(engine.scenario, &engine.world, unit.first_pod),
        workload: engine.workload_of(unit.owner).map_or_else(String::new, |w| w.name.clone()),
        user: user_of(engine, unit.account),
        namespace: namespace.name.to_string(),
        quota: namespace.leaf.map(|leaf| tree.name(QuotaId(leaf)).to_string()),
        since_ms: unit.created.0,
        rule: "suspended".to_owned(),
        reason: engine.why_suspended(id),
        verdict: serde_json::Value::Null,
    }
}

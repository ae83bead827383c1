//! A claim that compares a tenant's waits with those of a separate run: the same demand on nothing but the tenant's
//! guarantee, to see whether sharing made it wait longer.

use super::{RunAlone, selector::predicate};
use crate::{
    model::{Change, Cluster, Kind, Node, Scenario, Selector, TraceRow, Workload},
    options::{RunError, RunOptions},
    result::WaitRow,
    view::RunView,
};
use quotree_core::{Amounts, Name, NodeSpec, PodTemplate, QuotaId, QuotaSpec, QuotaTree, TreeSpec};
use std::{collections::BTreeMap, sync::Arc};

/// Compares the mean wait of a tenant with that in a separate run. The claim holds if the mean wait is at most
/// `permille` thousandths of the other.
pub(super) fn compare(
    view: &RunView<'_>,
    of: &Selector,
    permille: u64,
    run: RunAlone<'_>,
) -> Result<(bool, String), RunError> {
    let tree = view.tree();
    let quota = match of {
        Selector::Quota(name) => tree.by_name(name.as_str()),
        Selector::Namespace(name) => tree.leaf_of(name.as_str()),
        Selector::Workload(name) | Selector::Task { workflow: name, .. } => {
            let workload = view.world.scenario.workloads.iter().find(|w| w.name == *name);
            workload.and_then(|w| tree.leaf_of(w.namespace.as_str()))
        }
        Selector::Group(name) => {
            view.world.access.tenants.leaf_of(name.as_str()).and_then(|leaf| tree.by_name(leaf.as_str()))
        }
        Selector::User(_) => common_quota(view, of),
        Selector::All => Some(QuotaId(0)),
    };
    let Some(quota) = quota else {
        return Ok((false, "it has no quota on which to run alone".to_owned()));
    };
    let is_ours = |namespace: &Name, user: Option<&Name>| match of {
        Selector::Namespace(ours) => namespace == ours,
        Selector::User(ours) => user == Some(ours),
        _ => tree.leaf_of(namespace.as_str()).is_some_and(|leaf| tree.is_under(leaf, quota)),
    };
    let scenario = restricted(view.world.scenario, tree, quota, &is_ours);
    let options = RunOptions {
        until: view.options.until,
        seed: Some(view.world.seed),
        judge: false,
        fairness_integral: false,
        pending_rows: 0,
        ..RunOptions::default()
    };
    let alone = run(&scenario, &options)?.result.metrics.wait;
    let mut ours = view.metrics.waits.iter().filter(|w| {
        let key = view.world.accounts.all[w.account].key;
        is_ours(&view.world.namespaces[key.namespace].name, view.world.accounts.user_name(key.user))
    });
    let shared = crate::metrics::wait_summary(&mut ours.by_ref().map(|w| w.ms).collect::<Vec<_>>());
    Ok(verdict(&shared, &alone, permille))
}

/// The lowest quota that contains all work of a user.
fn common_quota(view: &RunView<'_>, of: &Selector) -> Option<QuotaId> {
    let tree = view.tree();
    let is_ours = predicate(of, view);
    let accounts = view.world.accounts.all.iter().filter(|account| is_ours(account));
    let mut leaves = accounts.filter_map(|account| view.world.namespaces[account.key.namespace].leaf).map(QuotaId);
    let first = leaves.next()?;
    Some(leaves.fold(first, |common, leaf| tree.path(common).find(|q| tree.is_under(leaf, *q)).unwrap_or(common)))
}

/// Whether work in a namespace, by a user, belongs to the tenant.
type IsOurs<'a> = &'a dyn Fn(&Name, Option<&Name>) -> bool;

fn verdict(shared: &WaitRow, alone: &WaitRow, permille: u64) -> (bool, String) {
    let mean = |row: &WaitRow| row.sum_ms.checked_div(u128::from(row.count)).unwrap_or(0);
    let seen = format!(
        "mean wait {} ms of {} pods; alone {} ms of {} pods",
        mean(shared),
        shared.count,
        mean(alone),
        alone.count
    );
    let left = shared.sum_ms.saturating_mul(u128::from(alone.count)).saturating_mul(1000);
    let right = alone.sum_ms.saturating_mul(u128::from(shared.count)).saturating_mul(u128::from(permille));
    (left <= right && shared.count >= alone.count, seen)
}

/// The scenario with only this tenant's demand, on a pool as large as its guarantee.
fn restricted(full: &Scenario, tree: &QuotaTree, quota: QuotaId, is_ours: IsOurs<'_>) -> Scenario {
    let guarantee = tree.named(tree.min(quota), i64::MIN);
    let mut pool = full.cluster.total().unwrap_or_default();
    for (name, amount) in guarantee.iter() {
        pool.set(name.clone(), amount);
    }
    let node = Node::new("alone".to_owned(), Name::from("alone"), NodeSpec::new(0, pool));
    let mut places = BTreeMap::new();
    let mut workloads = Vec::new();
    for (index, workload) in full.workloads.iter().enumerate() {
        if let Some(overrun) = cut_workload(workload, is_ours) {
            places.insert(index, workloads.len());
            workloads.push(overrun);
        }
    }
    let edits = full.events.iter().filter_map(|event| {
        let moved = |index: &usize| places.get(index).copied();
        let change = match &event.change {
            Change::Scale { workload, replicas } => Change::Scale { workload: moved(workload)?, replicas: *replicas },
            Change::Withdraw { workload } => Change::Withdraw { workload: moved(workload)? },
            Change::EditWorkload { workload, priority, preemptible } => {
                Change::EditWorkload { workload: moved(workload)?, priority: *priority, preemptible: *preemptible }
            }
            same @ (Change::SetClass { .. } | Change::People(_)) => same.clone(),
            _ => return None,
        };
        Some(crate::model::TimedChange { at: event.at, by: event.by.clone(), change })
    });
    Scenario {
        name: format!("{} alone", full.name),
        events: edits.collect(),
        cluster: Cluster { nodes: vec![node], is_pool: true, ..Cluster::default() },
        faults: Vec::new(),
        tree: cut_tree(tree, quota, &guarantee),
        people: full.people.clone(),
        datasets: full.datasets.clone(),
        workloads,
        claims: Vec::new(),
        about: String::new(),
        policy_name: full.policy_name.clone(),
        policy: full.policy.clone(),
        queues: full.queues.clone(),
        world: full.world.clone(),
        seed: full.seed,
        digest: full.digest,
    }
}

/// The quotas below `quota`, which becomes the root; no max is larger than its guarantee.
fn cut_tree(tree: &QuotaTree, quota: QuotaId, guarantee: &Amounts) -> TreeSpec {
    let below = tree.ids().filter(|q| tree.is_under(*q, quota));
    below
        .filter_map(|q| {
            let mut spec: QuotaSpec = tree.spec(q)?.clone();
            for (name, most) in guarantee.iter() {
                let max = spec.max.get(name.as_str()).unwrap_or(i64::MAX).min(most);
                spec.max.set(name.clone(), max);
            }
            if q == quota {
                spec.parent = None;
            }
            Some(spec)
        })
        .collect()
}

fn cut_workload(workload: &Workload, is_ours: IsOurs<'_>) -> Option<Workload> {
    let plain =
        |template: &PodTemplate| Arc::new(PodTemplate { request: template.request.clone(), ..PodTemplate::default() });
    let mut overrun = workload.clone();
    match &mut overrun.kind {
        Kind::Trace { rows, .. } => {
            let ours = rows.iter().filter(|r| is_ours(&r.namespace, r.user.as_ref().or(workload.user.as_ref())));
            let ours: Vec<TraceRow> = ours.map(|r| TraceRow { template: plain(&r.template), ..r.clone() }).collect();
            if ours.is_empty() {
                return None;
            }
            *rows = ours.into();
            return Some(overrun);
        }
        kind => make_plain(kind, &plain),
    }
    is_ours(&workload.namespace, workload.user.as_ref()).then_some(overrun)
}

/// Reduces requests to their amounts, since a pool has no labels, taints or devices.
fn make_plain(kind: &mut Kind, plain: &dyn Fn(&PodTemplate) -> Arc<PodTemplate>) {
    match kind {
        Kind::Deployment { template, .. } | Kind::Job { template, .. } => *template = plain(template),
        Kind::Training { roles, .. } => roles.iter_mut().for_each(|r| r.template = plain(&r.template)),
        Kind::Workflow { tasks } => tasks.iter_mut().for_each(|task| make_plain(&mut task.kind, plain)),
        Kind::Trace { .. } => {}
    }
}

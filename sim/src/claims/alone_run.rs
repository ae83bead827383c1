//! A claim that compares a tenant's waits with those of a separate run. That run has the demand of this tenant alone,
//! on a cluster as large as the tenant's guarantee. So the claim shows whether sharing made the tenant wait longer.

use super::{RunAlone, selector::predicate};
use crate::{
    metrics::spread,
    model::{Change, Cluster, Kind, Node, Scenario, Selector, TraceRow, Workload},
    options::{RunError, RunOptions},
    result::SpreadRow,
    view::RunView,
    world::JobRecord,
};
use quotree_core::{Amounts, Name, NodeSpec, PodTemplate, QuotaId, QuotaSpec, QuotaTree, Time, TreeSpec};
use quotree_syntax::time_text;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How a tenant's waits compare with those in a run without other tenants.
pub(super) struct Comparison {
    pub(super) holds: bool,
    pub(super) seen: String,
    /// Why nothing could be compared.
    pub(super) vacuous: Option<String>,
}

/// Compares the mean wait of a tenant's jobs with that in a separate run; for `All`, does so for every leaf that has
/// jobs. The claim holds if the mean wait is at most `permille` thousandths of that in the separate run, and no fewer
/// jobs started.
pub(super) fn compare(
    view: &RunView<'_>,
    of: &Selector,
    permille: u64,
    run: RunAlone<'_>,
) -> Result<Comparison, RunError> {
    if *of != Selector::All {
        return compare_one(view, of, permille, run);
    }
    let (tree, world) = (view.tree(), view.world);
    let leaves: BTreeSet<u32> = world
        .jobs
        .iter()
        .filter_map(|job| world.namespaces[world.accounts.all[job.account].key.namespace].leaf)
        .collect();
    let nobody = || Comparison { holds: true, seen: String::new(), vacuous: Some("no leaf has a job".to_owned()) };
    let mut whole: Option<Comparison> = None;
    for leaf in leaves {
        let name = tree.name(QuotaId(leaf));
        let one = compare_one(view, &Selector::Quota(name.clone()), permille, run)?;
        let named = |text: String| format!("{name}: {text}");
        let one = Comparison { seen: named(one.seen), vacuous: one.vacuous.map(named), ..one };
        if !one.holds {
            return Ok(one);
        }
        // One that says nothing weighs more than those that hold.
        if whole.as_ref().is_none_or(|whole| whole.vacuous.is_none()) {
            whole = Some(one);
        }
    }
    Ok(whole.unwrap_or_else(nobody))
}

fn compare_one(view: &RunView<'_>, of: &Selector, permille: u64, run: RunAlone<'_>) -> Result<Comparison, RunError> {
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
        let seen = "it has no quota, so it cannot be run alone for comparison".to_owned();
        return Ok(Comparison { holds: false, seen, vacuous: None });
    };
    let is_ours = |namespace: &Name, user: Option<&Name>| match of {
        Selector::Namespace(ours) => namespace == ours,
        Selector::User(ours) => user == Some(ours),
        _ => tree.leaf_of(namespace.as_str()).is_some_and(|leaf| tree.is_under(leaf, quota)),
    };
    let scenario = restricted(view.world.scenario, tree, quota, &is_ours);
    let options = RunOptions {
        until: view.options.until,
        // Both are followed for the same time, since jobs that wait count with the time so far.
        horizon: Some(view.now()),
        seed: Some(view.world.seed),
        judge: false,
        fairness_integral: false,
        job_rows: 0,
        pending_rows: 0,
        ..RunOptions::default()
    };
    let alone = run(&scenario, &options)?.result;
    let world = view.world;
    let ours = world.jobs.iter().filter(|job| {
        let key = world.accounts.all[job.account].key;
        is_ours(&world.namespaces[key.namespace].name, world.accounts.user_name(key.user))
    });
    let ours: Vec<&JobRecord> = ours.collect();
    let end = view.now().max(Time(alone.end_ms));
    let shared = Tenant {
        wait: spread(&mut ours.iter().map(|job| job.wait(end)).collect::<Vec<_>>()),
        started: ours.iter().filter(|job| job.started().is_some()).count() as u64,
    };
    Ok(verdict(&shared, &Tenant { wait: alone.metrics.wait, started: alone.metrics.jobs.started }, permille))
}

/// The jobs of a tenant in one run.
struct Tenant {
    wait: SpreadRow,
    started: u64,
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

fn verdict(shared: &Tenant, alone: &Tenant, permille: u64) -> Comparison {
    let told = |tenant: &Tenant| {
        let bound = if tenant.wait.at_least.mean { "at least " } else { "" };
        let mean = time_text(tenant.wait.mean_ms());
        format!("{bound}{mean}, {} of {} jobs started", tenant.started, tenant.wait.count)
    };
    let seen = format!("mean wait {}; run alone: mean wait {}", told(shared), told(alone));
    let vacuous = match (shared.wait.count, alone.started) {
        (0, _) => Some("it has no jobs".to_owned()),
        (_, 0) => Some(format!("run alone on nothing but its guarantee, none of its jobs starts ({seen})")),
        _ => None,
    };
    let left = shared.wait.sum_ms.saturating_mul(u128::from(alone.wait.count)).saturating_mul(1000);
    let right = alone.wait.sum_ms.saturating_mul(u128::from(shared.wait.count)).saturating_mul(u128::from(permille));
    Comparison { holds: left <= right && shared.started >= alone.started, seen, vacuous }
}

/// The scenario with the demand of this tenant alone, on a pool as large as the tenant's guarantee.
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
            Change::Resize { workload, request } => {
                Change::Resize { workload: moved(workload)?, request: request.clone() }
            }
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
            let ours: Vec<TraceRow> = ours.cloned().collect();
            if ours.is_empty() {
                return None;
            }
            *rows = ours.into();
            overrun.kind.change_templates(&mut |template| *template = plain(template));
            return Some(overrun);
        }
        kind => make_plain(kind, &plain),
    }
    is_ours(&workload.namespace, workload.user.as_ref()).then_some(overrun)
}

/// Reduces requests to their amounts, since the pool has no labels, taints or devices.
fn make_plain(kind: &mut Kind, plain: &dyn Fn(&PodTemplate) -> Arc<PodTemplate>) {
    match kind {
        Kind::Deployment { template, .. } | Kind::Job { template, .. } => *template = plain(template),
        Kind::Training { roles, .. } => roles.iter_mut().for_each(|r| r.template = plain(&r.template)),
        Kind::Workflow { tasks } => tasks.iter_mut().for_each(|task| make_plain(&mut task.kind, plain)),
        Kind::Trace { .. } => {}
    }
}

//! Composes the result of a run at its end from a view of it: the head and the metrics here, the rows in the
//! submodules.

mod beyond;
mod breakdown;
mod datasets;
mod jobs;
mod pending;
mod pools;
mod rows;

pub(crate) use jobs::{JobFigures, figures as job_figures};
pub(crate) use pools::{cost_milli, node_ms, paid_milli};

use crate::{
    model::Workload,
    result::{BreachRow, ClaimSummary, DeadlineRow, EndReason, JobQueueRow, Metrics, RunResult, permille_of},
    view::RunView,
    world::{Counts, Thrash},
};
use quotree_core::SEMANTICS_VERSION;
use std::collections::BTreeMap;

/// The result of a run.
pub(crate) fn result_of(view: &RunView<'_>, claims: ClaimSummary, events: u64, breaches: &[BreachRow]) -> RunResult {
    RunResult {
        scenario: view.world.scenario.name.clone(),
        seed: view.world.seed,
        semantics: SEMANTICS_VERSION,
        policy: view.world.scenario.policy_name.clone(),
        scenario_digest: format!("{:032x}", view.world.scenario.digest),
        digest: format!("{:032x}", view.digest.value()),
        end_s: view.now().0 / 1000,
        end_ms: view.now().0,
        end: end_reason(view),
        quiet_ms: view.quiet_since.map(|since| since.0),
        events,
        quotas: rows::quotas(view),
        namespaces: rows::namespaces(view),
        users: breakdown::users(view),
        groups: breakdown::groups(view),
        workloads: rows::workloads(view),
        jobs: jobs::rows(view),
        datasets: datasets::rows(view),
        nodes: rows::nodes(view),
        pools: pools::pools(view),
        quota_drains: pools::overruns(view),
        evictions: rows::evictions(view),
        pending: pending::pending(view),
        metrics: metrics(view),
        claims,
        refusals: view.world.access.refusals.all.iter().map(|refused| refused.row.clone()).collect(),
        breaches: breaches.to_vec(),
        failures: view.world.failures.clone(),
        worst_outage: None,
        starts_at: view.world.scenario.world.starts_at,
    }
}

/// Why the run ended now.
fn end_reason(view: &RunView<'_>) -> EndReason {
    if view.is_stopped {
        return EndReason::Stopped;
    }
    match (view.options.until, view.world.scenario.world.until, view.quiet_since) {
        (Some(at), Some(until), _) if at >= until => EndReason::Until,
        (Some(_), ..) => EndReason::At,
        (None, Some(_), _) => EndReason::Until,
        (None, None, Some(since)) if since < view.now() => EndReason::Horizon,
        (None, None, _) => EndReason::Quiet,
    }
}

fn metrics(view: &RunView<'_>) -> Metrics {
    let figures = view.metrics;
    let accounts = &view.world.accounts.all;
    let (mut thrash, mut counts) = (Thrash::default(), Counts::default());
    for account in accounts.iter() {
        thrash.add(&account.thrash);
        counts.add(&account.counts);
    }
    let mut by_rule: BTreeMap<String, u64> = BTreeMap::new();
    for eviction in &figures.evictions.all {
        *by_rule.entry(eviction.reason.rule.to_string()).or_default() += 1;
    }
    let [jain_permille, fairness_error_permille, dominant_share_gap_permille] = view.metrics.fairness(view.scheduler);
    let over_time = view.options.fairness_integral.then(|| view.metrics.fairness_over_time());
    let jobs = jobs::figures(view, &view.world.jobs.ids().collect::<Vec<_>>());
    let mut metrics = Metrics {
        pods_submitted: counts.made,
        pods_bound: figures.bound,
        pods_succeeded: counts.succeeded,
        pods_failed: counts.failed,
        evictions: figures.evictions.all.len() as u64,
        evictions_by_rule: by_rule,
        wasted_evictions: figures.evictions.wasted(view.is_quiet()),
        failed_evictions: figures.evictions.failed(),
        thrash_max: thrash.most,
        thrash_permille: thrash.permille(),
        lost_work_ms: accounts.iter().map(|account| account.lost_ms).sum(),
        node_failures: view.world.fleet.failures,
        drained: view.world.fleet.drained.pods,
        failed_drains: view.world.fleet.drained.failed,
        cost_milli: cost_milli(view, None),
        cost_idle_milli: pools::cost_idle_milli(view),
        jobs: jobs::counts(view),
        wait: jobs.wait,
        first_wait: jobs.first_wait,
        turnaround: jobs.turnaround,
        slowdown: jobs.slowdown,
        makespan_ms: accounts.iter().map(|account| account.last_end.0).max().unwrap_or(0),
        jain_permille,
        jain_mean_permille: over_time.and_then(|(jain, _)| jain),
        fairness_error_permille,
        fairness_error_mean_permille: over_time.map(|(_, error)| error),
        dominant_share_gap_permille,
        decisions: figures.decisions,
        failed_attempts: figures.failed_attempts,
        search_bounds_hit: figures.bounds_hit,
        job_queues: (!view.world.scenario.queues.is_empty()).then(|| JobQueueRow {
            let_out: accounts.iter().map(|account| account.let_out).sum(),
            start_timeouts: accounts.iter().map(|account| account.start_timeouts).sum(),
        }),
        deadlines: deadlines(view),
        ..Metrics::default()
    };
    integrals(view, &mut metrics);
    metrics
}

/// Absent if no workload has a deadline.
fn deadlines(view: &RunView<'_>) -> Option<DeadlineRow> {
    view.world.scenario.workloads.iter().any(Workload::has_deadlines).then(|| {
        let all = view.world.accounts.all.iter().map(|account| account.outcomes);
        all.fold(DeadlineRow::default(), |sum, o| DeadlineRow { met: sum.met + o.met, missed: sum.missed + o.missed })
    })
}

fn integrals(view: &RunView<'_>, metrics: &mut Metrics) {
    for (i, name) in view.world.shapes.resources().enumerate() {
        let total = view.metrics.ledger.totals[u32::try_from(i).unwrap_or(u32::MAX)];
        if total.capacity_ms > 0 {
            metrics.utilisation_permille.insert(name.to_string(), permille_of(total.used_ms, total.capacity_ms));
        }
        if total.governed {
            let mut put = |map: fn(&mut Metrics) -> &mut BTreeMap<String, u128>, ms: u128| {
                map(metrics).insert(name.to_string(), ms / 1000);
            };
            put(|m| &mut m.borrowed_unit_s, total.borrowed_ms);
            put(|m| &mut m.lent_unit_s, total.lent_ms);
            put(|m| &mut m.starved_unit_s, total.starved_ms);
            if view.options.fairness_integral {
                put(|m| &mut m.fairness_error_unit_s, view.metrics.short_ms(i));
            }
        }
    }
}

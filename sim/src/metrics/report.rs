//! The result of a run: its head and its figures.

use super::{Figures, datasets, fleet, people, rows};
use crate::{
    engine::Engine,
    model::Workload,
    result::{ClaimSummary, DeadlineRow, JobQueueRow, Metrics, RunResult},
};
use quotree_core::SEMANTICS_VERSION;
use std::collections::BTreeMap;

/// Everything that a run tells.
pub(crate) fn result_of(engine: &Engine<'_>, claims: ClaimSummary) -> RunResult {
    RunResult {
        scenario: engine.scenario.name.clone(),
        seed: engine.seed,
        semantics: SEMANTICS_VERSION,
        policy: engine.scenario.policy_name.clone(),
        scenario_digest: format!("{:032x}", engine.scenario.digest),
        digest: format!("{:032x}", engine.digest.value()),
        end_s: engine.now.0 / 1000,
        end_ms: engine.now.0,
        events: engine.events,
        quotas: rows::quotas(engine),
        namespaces: rows::namespaces(engine),
        users: people::users(engine),
        groups: people::groups(engine),
        workloads: rows::workloads(engine),
        datasets: datasets::rows(engine),
        nodes: rows::nodes(engine),
        pools: fleet::pools(engine),
        quota_drains: fleet::overruns(engine),
        evictions: rows::evictions(engine),
        pending: rows::pending(engine),
        metrics: metrics(engine),
        claims,
        refusals: engine.world.refusals.all.iter().map(|refused| refused.row.clone()).collect(),
        breaches: engine.breaches.clone(),
        failures: engine.failures.clone(),
    }
}

fn metrics(engine: &Engine<'_>) -> Metrics {
    let figures = &engine.figures;
    let counts = engine.world.namespaces.iter().fold(crate::world::Counts::default(), |mut sum, n| {
        sum.add(&n.counts);
        sum
    });
    let mut by_rule: BTreeMap<String, u64> = BTreeMap::new();
    for eviction in &figures.evictions.all {
        *by_rule.entry(eviction.reason.rule.to_string()).or_default() += 1;
    }
    let [jain_permille, fairness_error_permille, dominant_share_gap_permille] = engine.fairness();
    let mut metrics = Metrics {
        pods_submitted: counts.made,
        pods_bound: figures.waits.len() as u64,
        pods_succeeded: counts.succeeded,
        pods_failed: counts.failed,
        evictions: figures.evictions.all.len() as u64,
        evictions_by_rule: by_rule,
        wasted_evictions: figures.evictions.wasted(engine.ended),
        thrash_max: figures.evictions.thrash.most,
        thrash_permille: figures.evictions.thrash.permille(),
        lost_work_ms: figures.lost_ms,
        node_failures: engine.world.fleet.failures,
        drained: engine.world.fleet.drained.pods,
        failed_drains: engine.world.fleet.drained.failed,
        cost_milli: engine.cost_milli(None),
        cost_idle_milli: engine.cost_idle_milli(),
        wait: rows::wait_of(figures.waits.iter()),
        makespan_ms: figures.last_end.0,
        jain_permille,
        fairness_error_permille,
        dominant_share_gap_permille,
        decisions: figures.decisions,
        search_bounds_hit: figures.bounds_hit,
        job_queues: (!engine.scenario.queues.is_empty())
            .then_some(JobQueueRow { let_out: figures.let_out, start_timeouts: figures.start_timeouts }),
        deadlines: deadlines(engine),
        ..Metrics::default()
    };
    integrals(engine, figures, &mut metrics);
    metrics
}

/// Absent where no workload has one.
fn deadlines(engine: &Engine<'_>) -> Option<DeadlineRow> {
    engine.scenario.workloads.iter().any(Workload::has_deadlines).then(|| {
        let all = engine.world.accounts.all.iter().map(|account| account.outcomes);
        all.fold(DeadlineRow::default(), |sum, o| DeadlineRow { met: sum.met + o.met, missed: sum.missed + o.missed })
    })
}

fn integrals(engine: &Engine<'_>, figures: &Figures, metrics: &mut Metrics) {
    for (i, name) in engine.world.shapes.resources().enumerate() {
        let total = figures.ledger.totals[u32::try_from(i).unwrap_or(u32::MAX)];
        if total.capacity_ms > 0 {
            metrics.utilisation_permille.insert(name.to_string(), permille(total.used_ms, total.capacity_ms));
        }
        if total.governed {
            let mut put = |map: fn(&mut Metrics) -> &mut BTreeMap<String, u128>, ms: u128| {
                map(metrics).insert(name.to_string(), ms / 1000);
            };
            put(|m| &mut m.borrowed_unit_s, total.borrowed_ms);
            put(|m| &mut m.lent_unit_s, total.lent_ms);
            put(|m| &mut m.starved_unit_s, total.starved_ms);
            if engine.options.fairness_integral {
                put(|m| &mut m.fairness_error_unit_s, figures.short_ms.get(i).copied().unwrap_or(0));
            }
        }
    }
}

/// Utilisation in thousandths, rounded to the nearest.
pub(crate) fn permille(part: u128, whole: u128) -> u64 {
    // Scaled down together where a thousand times the part would not fit.
    let shift = 11u32.saturating_sub(part.leading_zeros());
    let (part, whole) = (part >> shift, whole >> shift);
    let rounded = (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0);
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

//! Worst-case outages: every domain that may be the one is tried, each in a run of its own.

use crate::{args::Watch, exit::Trouble, interrupt, runner, terminal::Terminal};
use quotree_core::Name;
use quotree_reports::{many, moment};
use quotree_sim::{
    Run, RunOptions, Scenario,
    result::{EndReason, RunResult, WorstOutage},
};
use rayon::prelude::*;
use std::{cmp::Reverse, num::NonZeroU32};

/// How bad a run is: how long jobs wait in sum, then lost work, then evictions.
fn badness(result: &RunResult) -> (u128, u128, u64) {
    let metrics = &result.metrics;
    (metrics.wait.sum_ms, metrics.lost_work_ms, metrics.evictions)
}

/// The number of the worst of these runs, and what is said about it; of equal ones, the first.
fn worst_of(seen: &[(Name, (u128, u128, u64))]) -> Option<(usize, WorstOutage)> {
    let (at, (domain, bad)) = seen.iter().enumerate().min_by_key(|(at, (_, bad))| (Reverse(*bad), *at))?;
    let (mildest, least) = seen.iter().min_by_key(|(_, bad)| *bad)?;
    let (wait_ms, lost_work_ms, evictions) = *bad;
    let (domain, mildest, tried) = (domain.clone(), mildest.clone(), seen.len() as u64);
    Some((at, WorstOutage { domain, tried, wait_ms, lost_work_ms, evictions, mildest, mildest_wait_ms: least.0 }))
}

/// What is said about a choice.
pub(super) fn sentence(worst: &WorstOutage) -> String {
    let span = |ms: u128| moment(u64::try_from(ms).unwrap_or(u64::MAX));
    let others = match worst.tried {
        1 => String::new(),
        _ => format!(", with the mildest, {}, {}", worst.mildest, span(worst.mildest_wait_ms)),
    };
    format!(
        "worst outage of {}: {}, with which jobs wait {} in sum{others}",
        many(worst.tried, "domain"),
        worst.domain,
        span(worst.wait_ms)
    )
}

/// The scenario with its worst outage, and the choice; the scenario itself where it has no worst-case outage. Every
/// domain is tried with this seed up to the end of the scenario, so the choice does not depend on `--at`.
///
/// # Errors
/// If a run does not end, or was interrupted.
pub(super) fn settle(
    scenario: Scenario,
    seed: Option<u64>,
    terminal: Terminal,
) -> Result<(Scenario, Option<WorstOutage>), Trouble> {
    let names = scenario.outage_candidates();
    if names.is_empty() {
        return Ok((scenario, None));
    }
    let options = RunOptions {
        seed,
        judge: false,
        fairness_integral: false,
        pending_rows: 0,
        job_rows: 0,
        ..RunOptions::default()
    };
    let watch = Watch { doublecheck: false, audit: false, audit_every: NonZeroU32::MIN };
    let pool = super::threads(None)?;
    let seen: Result<Vec<_>, Trouble> = pool.install(|| {
        let one = |(at, name): (usize, Name)| {
            let run = runner::run(&scenario.with_outage_of(at), &options, watch, &mut &interrupt::STOP)?;
            if run.result.end == EndReason::Stopped {
                return Err(Trouble::interrupted("the worst outage is not known"));
            }
            Ok((name, badness(&run.result)))
        };
        names.into_par_iter().enumerate().map(one).collect()
    });
    let Some((at, worst)) = worst_of(&seen?) else { return Ok((scenario, None)) };
    terminal.complain(&sentence(&worst));
    Ok((scenario.with_outage_of(at), Some(worst)))
}

/// Runs a scenario with each domain in turn. The result is that of the worst one, but a claim holds only if it does with
/// each: one that fails is that of the first domain with which it fails, which it names. Without a worst-case outage,
/// the only run.
///
/// # Errors
/// If a run does not end, or an invariant is violated.
pub(super) fn run_each(scenario: &Scenario, options: &RunOptions, watch: Watch) -> Result<Run, Trouble> {
    let names = scenario.outage_candidates();
    if names.is_empty() {
        return runner::run(scenario, options, watch, &mut &interrupt::STOP);
    }
    let (mut seen, mut worst): (Vec<(Name, _)>, Option<Run>) = (Vec::new(), None);
    let mut failed: Vec<Option<quotree_sim::result::ClaimResult>> = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        let run = runner::run(&scenario.with_outage_of(at), options, watch, &mut &interrupt::STOP)?;
        if run.result.end == EndReason::Stopped {
            return Ok(run);
        }
        failed.resize(run.result.claims.results.len(), None);
        for (slot, claim) in failed.iter_mut().zip(&run.result.claims.results) {
            if slot.is_none() && !claim.passed {
                let mut claim = claim.clone();
                claim.seen = format!("with the outage of {name}: {}", claim.seen);
                *slot = Some(claim);
            }
        }
        let bad = badness(&run.result);
        seen.push((name, bad));
        if worst.as_ref().is_none_or(|before| bad > badness(&before.result)) {
            worst = Some(run);
        }
    }
    let mut run = worst.ok_or_else(|| Trouble::fault("no domain was tried"))?;
    run.result.worst_outage = worst_of(&seen).map(|(_, worst)| worst);
    let claims = &mut run.result.claims;
    for (claim, failed) in claims.results.iter_mut().zip(failed) {
        if let Some(failed) = failed {
            *claim = failed;
        }
    }
    let failing = claims.results.iter().filter(|claim| !claim.passed).count();
    (claims.failed, claims.passed) = (failing as _, (claims.results.len() - failing) as _);
    Ok(run)
}

/// Refuses a scenario with a worst-case outage, for verbs that run a scenario as it is.
///
/// # Errors
/// If it has one.
pub(super) fn refuse(scenario: &Scenario) -> Result<(), Trouble> {
    if scenario.outage_candidates().is_empty() {
        return Ok(());
    }
    Err(Trouble::invalid(format!(
        "`{}` has a worst-case outage, which `run`, `check`, `diff`, `explain` and `inspect` try out, with one seed; here, name the \
         nodes of the outage instead of `worst`",
        scenario.name
    )))
}

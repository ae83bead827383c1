//! Worst-case outages: every domain that may be the one is tried, each in a run of its own.

use quotree_core::Name;
use quotree_reports::{many, moment};
use quotree_sim::{
    Run, Scenario,
    result::{ClaimResult, EndReason, RunResult, WorstOutage},
};
use std::cmp::Reverse;

use crate::Facts;

/// How bad a run is: by the sum of the waits, then by lost work, then by evictions.
pub type Badness = (u128, u128, u64);

/// How bad a run is.
#[must_use]
pub const fn badness(result: &RunResult) -> Badness {
    let metrics = &result.metrics;
    (metrics.wait.sum_ms, metrics.lost_work_ms, metrics.evictions)
}

/// The number of the worst of these runs, and what is said about it; of equal ones, the first. Nothing if there are none.
#[must_use]
pub fn worst_of(seen: &[(Name, Badness)]) -> Option<(usize, WorstOutage)> {
    let (at, (domain, bad)) = seen.iter().enumerate().min_by_key(|(at, (_, bad))| (Reverse(*bad), *at))?;
    let (mildest, least) = seen.iter().min_by_key(|(_, bad)| *bad)?;
    let (wait_ms, lost_work_ms, evictions) = *bad;
    let (domain, mildest, tried) = (domain.clone(), mildest.clone(), seen.len() as u64);
    Some((at, WorstOutage { domain, tried, wait_ms, lost_work_ms, evictions, mildest, mildest_wait_ms: least.0 }))
}

/// What is said about a choice, in a sentence without its end.
#[must_use]
pub fn worst_sentence(worst: &WorstOutage) -> String {
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

/// Runs a scenario with each domain in turn. The result is that of the worst one, but a claim holds only if it does with each: one that
/// fails is that of the first domain with which it fails, which it names. Without a worst-case outage, the only run. A run that was stopped
/// is returned as it is.
///
/// # Errors
/// The first one of `run`.
pub fn run_each<E>(scenario: &Scenario, mut run: impl FnMut(&Scenario) -> Result<Run, E>) -> Result<Run, E> {
    let names = scenario.outage_candidates();
    let (mut seen, mut worst): (Vec<(Name, Badness)>, Option<Run>) = (Vec::new(), None);
    let mut failed: Vec<Option<ClaimResult>> = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        let run = run(&scenario.with_outage_of(at))?;
        if run.result.end == EndReason::Stopped {
            return Ok(run);
        }
        failed.resize(run.result.claims.results.len(), None);
        for (slot, claim) in failed.iter_mut().zip(&run.result.claims.results) {
            if slot.is_none() && !claim.passed {
                let seen = format!("with the outage of {name}: {}", claim.seen);
                *slot = Some(ClaimResult { seen, ..claim.clone() });
            }
        }
        let bad = badness(&run.result);
        seen.push((name, bad));
        if worst.as_ref().is_none_or(|before| bad > badness(&before.result)) {
            worst = Some(run);
        }
    }
    let Some(mut run_of_worst) = worst else { return run(scenario) };
    run_of_worst.result.worst_outage = worst_of(&seen).map(|(_, worst)| worst);
    let claims = &mut run_of_worst.result.claims;
    for (claim, failed) in claims.results.iter_mut().zip(failed) {
        if let Some(failed) = failed {
            *claim = failed;
        }
    }
    let failing = claims.results.iter().filter(|claim| !claim.passed).count();
    (claims.failed, claims.passed) = (failing as _, (claims.results.len() - failing) as _);
    Ok(run_of_worst)
}

/// The domains of the worst outages of runs, each with how often it is the worst, the most frequent first: `gpu-rack-1 (18), gpu-rack-0
/// (2)`. Only the name where it is the same in all; nothing without worst-case outages.
#[must_use]
pub fn worst_domains<'f>(runs: impl IntoIterator<Item = &'f Facts>) -> Option<String> {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for domain in runs.into_iter().filter_map(|facts| facts.worst_outage.as_deref()) {
        match counts.iter_mut().find(|(name, _)| *name == domain) {
            Some((_, count)) => *count += 1,
            None => counts.push((domain, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    match counts.as_slice() {
        [] => None,
        [(name, _)] => Some((*name).to_owned()),
        several => Some(several.iter().map(|(name, count)| format!("{name} ({count})")).collect::<Vec<_>>().join(", ")),
    }
}

/// A scenario with the outage that was the worst in a run of it.
#[must_use]
pub fn with_worst_of(scenario: &Scenario, facts: &Facts) -> Scenario {
    let names = scenario.outage_candidates();
    let chosen = names.iter().position(|name| Some(name.as_str()) == facts.worst_outage.as_deref());
    chosen.map_or_else(|| scenario.clone(), |at| scenario.with_outage_of(at))
}

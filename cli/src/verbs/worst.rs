//! Worst-case outages, for verbs that show one run: the domains are tried in parallel, and the run is that of the worst.

use crate::{args::Watch, exit::Trouble, interrupt, runner, terminal::Terminal};
use quotree_core::Name;
use quotree_sim::{
    RunOptions, Scenario,
    result::{EndReason, WorstOutage},
};
use quotree_study::{badness, worst_of, worst_sentence};
use rayon::prelude::*;
use std::num::NonZeroU32;

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
    terminal.complain(&worst_sentence(&worst));
    Ok((scenario.with_outage_of(at), Some(worst)))
}

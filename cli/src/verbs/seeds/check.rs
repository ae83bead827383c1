//! `quotree check --seeds`: the claims of one scenario over the seeds.

use crate::{
    args::Check as Args,
    exit::{Exit, Trouble},
    files::Disk,
    interrupt,
    terminal::Terminal,
    verbs::{baseline, study},
};
use quotree_reports::{CheckOutcome, Checked};
use quotree_sim::RunOptions;
use quotree_study::{Cases, Facts, Runner, Seeds, Study, Verdict, claim_results, verdict_json};
use std::path::Path;

/// Fills in what a scenario that was loaded claims, over several seeds, and what its baseline says. Returns the outcome file to write, if
/// any; nothing if it was interrupted.
pub(in crate::verbs) fn judge(
    checked: &mut Checked,
    args: &Args,
    seeds: &Seeds,
    before: Option<baseline::Before>,
    terminal: Terminal,
) -> Option<Option<baseline::Draft>> {
    match over_seeds(checked, args, seeds, before, terminal) {
        Ok(judged) => judged,
        Err(trouble) => {
            checked.outcome = if trouble.exit == Exit::Fault { CheckOutcome::Fault } else { CheckOutcome::Invalid };
            checked.trouble = trouble.message;
            (trouble.exit != Exit::Interrupted).then_some(None)
        }
    }
}

fn over_seeds(
    checked: &mut Checked,
    args: &Args,
    seeds: &Seeds,
    before: Option<baseline::Before>,
    terminal: Terminal,
) -> Result<Option<Option<baseline::Draft>>, Trouble> {
    let jobs = study::threads(args.jobs);
    let study = Study {
        file: checked.file.clone(),
        base: study::settings(&args.edits),
        cases: Cases::one(),
        seeds: seeds.clone(),
    };
    let disk = Disk::of(Path::new(&checked.file));
    let prepared = study::prepare_quietly(study, &disk, false, jobs, terminal)?;
    let runner = Runner::new(jobs, &interrupt::STOP);
    let options = RunOptions { audit: args.watch.audit, audit_every: args.watch.audit_every, ..runner.options };
    let runner = Runner { options, ..runner };
    let outcomes = study::run_all(&runner, &prepared, terminal)?;
    if study::interrupted(&outcomes).is_some() {
        return Ok(None);
    }
    let runs: Vec<(u64, &Facts)> = outcomes.of(&prepared, 0).collect();
    let verdict = Verdict::of(&prepared.claims, &runs, args.over.must_hold);
    checked.digest = runs.first().map(|(_, facts)| facts.digest.clone()).unwrap_or_default();
    checked.outcome = if verdict.holds() { CheckOutcome::Passed } else { CheckOutcome::Failed };
    checked.claims = claim_results(&verdict);
    checked.over_seeds = Some((prepared.seeds.len() as u64, verdict_json(&prepared.seeds, &verdict)));
    let digest = prepared.cases.first().map_or(0, |case| case.digest);
    Ok(Some(before.and_then(|before| baseline::judge(before, checked, digest, &runs, args))))
}

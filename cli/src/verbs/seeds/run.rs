//! `quotree run --seeds`: every figure and every claim over the seeds.

use crate::{
    args::{Format, Run as Args},
    exit::{Exit, Outcome},
    files::{self, Disk},
    interrupt,
    terminal::Terminal,
    verbs::{pretty, study},
};
use quotree_sim::RunOptions;
use quotree_study::{Cases, Facts, Runner, Seeds, Study, Verdict, seeds_json, seeds_text};

/// Runs a scenario with several seeds and prints every figure and claim over them.
pub(in crate::verbs) fn run(args: &Args, seeds: &Seeds, terminal: Terminal) -> Outcome {
    let jobs = study::threads(args.jobs.jobs);
    let study = Study {
        file: files::slashed(&args.file),
        base: study::settings(&args.how.edits),
        cases: Cases::one(),
        seeds: seeds.clone(),
    };
    let disk = Disk::of(&args.file);
    let prepared = study::prepare(study, &disk, false, jobs, terminal)?;
    let runner = Runner::new(jobs, &interrupt::STOP);
    let options = RunOptions { audit: args.watch.audit, audit_every: args.watch.audit_every, ..runner.options };
    let runner = Runner { options, ..runner };
    let outcomes = study::run_all(&runner, &prepared, terminal)?;
    let runs: Vec<(u64, &Facts)> = outcomes.of(&prepared, 0).collect();
    let verdict = Verdict::of(&prepared.claims, &runs, args.over.must_hold);
    terminal.show(&match args.format {
        Format::Json => pretty(&seeds_json(&prepared, &runs, &verdict)),
        Format::Text => seeds_text(&prepared, &runs, &verdict, terminal.style),
    })?;
    if let Some(sentence) = study::interrupted(&outcomes) {
        terminal.complain(&sentence);
        return Ok(Exit::Interrupted);
    }
    Ok(if verdict.holds() { Exit::Fine } else { Exit::ClaimFailed })
}

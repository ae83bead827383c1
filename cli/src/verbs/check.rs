//! `quotree check`: runs scenarios in parallel and checks their claims. Prints one line each, in the order of the files.

use super::run::is_stdout;
use crate::{
    args::{Check as Args, Format, How},
    digests,
    exit::{Exit, Outcome, Trouble},
    files, load, runner,
    terminal::Terminal,
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use quotree_reports::{CheckOutcome, Checked, Checks, Remark};
use quotree_sim::{
    RunOptions,
    scenario::{Loaded, Severity},
};
use rayon::prelude::*;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The result of one file.
struct Judged {
    checked: Checked,
    /// The digest of all plans, if digests are compared.
    plans: Option<u64>,
}

pub(super) fn check(args: &Args, terminal: Terminal) -> Outcome {
    let paths = files::scenarios(&args.paths)?;
    if paths.is_empty() {
        return Err(Trouble::invalid(
            "no scenario found: no file in these paths is a scenario (*.ron, *.yaml, *.json)",
        ));
    }
    let to_stdout = args.markdown.as_deref().is_some_and(is_stdout);
    if to_stdout && args.format == Format::Json {
        return Err(Trouble::invalid("only one of `--format json` and `--markdown -` can go to stdout"));
    }
    let pool = super::threads(args.jobs)?;
    let bar = progress(terminal, paths.len());
    let judged: Vec<Judged> = pool.install(|| {
        let judge_one = |path: &PathBuf| {
            let judged = judge(path, args, terminal);
            bar.inc(1);
            judged
        };
        paths.par_iter().map(judge_one).collect()
    });
    bar.finish_and_clear();
    let checked: Vec<Checked> = judged.iter().map(|one| one.checked.clone()).collect();
    let checks = Checks(&checked);
    if let Some(path) = &args.junit {
        files::write(path, &checks.junit())?;
    }
    if let Some(path) = args.markdown.as_deref().filter(|path| !is_stdout(path)) {
        files::write(path, &checks.markdown())?;
    }
    if args.annotate {
        terminal.complain(checks.annotations().trim_end());
    }
    terminal.show(&match args.format {
        Format::Json => super::pretty(&checks.json()),
        Format::Text if to_stdout => checks.markdown(),
        Format::Text => checks.text(),
    })?;
    let exit = checked.iter().map(|one| exit_of(one.outcome)).max().unwrap_or(Exit::Fine);
    let Some(path) = &args.pins.digests else { return Ok(exit) };
    let of_file =
        |one: &Judged| Some((one.checked.file.clone(), format!("{}-{:016x}", one.checked.digest, one.plans?)));
    let compared = digests::compare(path, &judged.iter().filter_map(of_file).collect(), args.pins.bless)?;
    terminal.complain(&compared.text);
    Ok(exit.max(compared.exit))
}

const fn exit_of(outcome: CheckOutcome) -> Exit {
    match outcome {
        CheckOutcome::Passed => Exit::Fine,
        CheckOutcome::Failed => Exit::ClaimFailed,
        CheckOutcome::Invalid => Exit::Invalid,
        CheckOutcome::Fault => Exit::Fault,
    }
}

fn progress(terminal: Terminal, files: usize) -> ProgressBar {
    const WORTH_SHOWING: usize = 4;
    let shown = terminal.watched && files >= WORTH_SHOWING;
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(Some(files as u64), target)
}

fn judge(path: &Path, args: &Args, terminal: Terminal) -> Judged {
    let started = Instant::now();
    let mut judged = loaded_and_run(path, args, terminal);
    judged.checked.took = started.elapsed();
    judged
}

fn loaded_and_run(path: &Path, args: &Args, terminal: Terminal) -> Judged {
    let loaded = load::load(path, &How { seed: None, policy: None });
    let mut checked = Checked {
        file: files::slashed(path),
        scenario: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        outcome: CheckOutcome::Invalid,
        claims: Vec::new(),
        remarks: remarks(&loaded, args.deny_warnings),
        digest: String::new(),
        trouble: String::new(),
        took: Duration::ZERO,
    };
    let is_denied = args.deny_warnings && !checked.remarks.is_empty();
    let Some(scenario) = loaded.scenario.as_ref().filter(|_| !is_denied) else {
        checked.trouble = load::refusal(&loaded, terminal.style.colour);
        return Judged { checked, plans: None };
    };
    checked.scenario.clone_from(&scenario.name);
    let options = RunOptions { record: args.pins.digests.is_some(), ..RunOptions::default() };
    let mut plans = None;
    match runner::run(scenario, &options, args.watch, &mut ()) {
        Ok(run) => {
            plans = run.log.as_ref().map(digests::of_plans);
            checked.digest = run.result.digest;
            checked.claims = run.result.claims.results;
            let is_fine = checked.claims.iter().all(|claim| claim.passed);
            checked.outcome = if is_fine { CheckOutcome::Passed } else { CheckOutcome::Failed };
        }
        Err(trouble) => {
            checked.outcome = if trouble.exit == Exit::Fault { CheckOutcome::Fault } else { CheckOutcome::Invalid };
            checked.trouble = trouble.message;
        }
    }
    Judged { checked, plans }
}

/// What loading a scenario found. Where warnings are denied, they are errors.
fn remarks(loaded: &Loaded, deny_warnings: bool) -> Vec<Remark> {
    let remark = |found: &quotree_sim::scenario::Diagnostic| Remark {
        is_error: deny_warnings || found.severity == Severity::Error,
        file: found.place.path.clone(),
        line: found.place.line,
        column: found.place.column,
        title: found.title.clone(),
    };
    loaded.diagnostics.iter().map(remark).collect()
}

//! `quotree check`: runs scenarios in parallel and checks their claims. Prints one line each, in the order of the files.

use super::baseline;
use crate::{
    args::{Check as Args, Format},
    digests,
    exit::{Exit, Outcome, Trouble},
    files, interrupt, load, runner,
    terminal::Terminal,
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use quotree_reports::{
    CheckOutcome, Checked, Remark, check_annotations, check_json, check_junit, check_markdown, check_text,
};
use quotree_sim::{
    RunOptions, Scenario,
    result::EndReason,
    scenario::{Diagnostic, Loaded, Severity},
};
use quotree_study::Facts;
use rayon::prelude::*;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub(super) fn check(args: &Args, terminal: Terminal) -> Outcome {
    let mut paths = files::scenarios(&args.paths)?;
    // As `scenarios/*.yaml` names them, too.
    paths.retain(|path| !baseline::is_one(path));
    if paths.is_empty() {
        return Err(Trouble::invalid(
            "no scenario found: no file in these paths is a scenario (*.ron, *.yaml, *.json)",
        ));
    }
    let to_stdout = args.markdown.as_deref().is_some_and(files::is_standard);
    if to_stdout && args.format == Format::Json {
        return Err(Trouble::invalid("only one of `--format json` and `--markdown -` can go to stdout"));
    }
    if args.over.seeds.is_some() && args.digests.is_some() {
        return Err(Trouble::invalid("`--digests` pins one run of each scenario: leave out `--seeds`"));
    }
    baseline::check(args, &paths)?;
    let outcomes = baseline::outputs(args, &paths);
    let named = [&args.junit, &args.markdown, &args.digests].into_iter().filter_map(Option::as_deref);
    files::outputs(named.chain(outcomes.iter().map(PathBuf::as_path)))?;
    if let Some(path) = &args.digests {
        digests::read(path, args.bless)?;
    }
    // With several seeds, the runs of one scenario go on at the same time.
    let pool = super::threads(if args.over.seeds.is_some() { Some(1) } else { args.jobs })?;
    let guard = interrupt::watch();
    let bar = progress(terminal, paths.len());
    let judged: Vec<Judged> = pool.install(|| {
        let check_one = |path: &PathBuf| {
            if interrupt::is_asked() {
                return None;
            }
            let judged = judge(path, args, terminal);
            bar.inc(1);
            judged
        };
        paths.par_iter().filter_map(check_one).collect()
    });
    let (mut checked, mut plans, mut drafts) = (Vec::new(), Vec::new(), Vec::new());
    for one in judged {
        checked.push(one.checked);
        plans.push(one.plans);
        drafts.extend(one.draft);
    }
    bar.finish_and_clear();
    drop(guard);
    if checked.len() < paths.len() {
        terminal.show(&match args.format {
            Format::Json => super::pretty(&check_json(&checked)),
            Format::Text => check_text(&checked),
        })?;
        let (ended, all) = (checked.len(), paths.len());
        terminal.complain(&format!("interrupted: {ended} of {all} scenarios were checked; no file was written"));
        return Ok(Exit::Interrupted);
    }
    if let Some(path) = &args.junit {
        files::write(path, &check_junit(&checked))?;
    }
    if let Some(path) = args.markdown.as_deref().filter(|path| !files::is_standard(path)) {
        files::write(path, &check_markdown(&checked))?;
    }
    if args.annotate {
        terminal.command(&check_annotations(&checked));
    }
    terminal.show(&match args.format {
        Format::Json => super::pretty(&check_json(&checked)),
        Format::Text if to_stdout => check_markdown(&checked),
        Format::Text => check_text(&checked),
    })?;
    if !drafts.is_empty() {
        terminal.complain(&baseline::write(&drafts)?);
    }
    if let Some(sentence) = baseline::lacking(&checked) {
        terminal.complain(&sentence);
    }
    let exit = checked.iter().map(|one| exit_of(one.outcome)).max().unwrap_or(Exit::Fine);
    let Some(path) = &args.digests else { return Ok(exit) };
    let of_file =
        |(one, plans): (&Checked, Option<u64>)| Some((one.file.clone(), format!("{}-{:016x}", one.digest, plans?)));
    let digests = checked.iter().zip(plans).filter_map(of_file).collect();
    let compared = digests::compare(path, &digests, args.bless)?;
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

/// A scenario that was checked.
struct Judged {
    checked: Checked,
    /// The digest of all plans, if digests are compared.
    plans: Option<u64>,
    /// Its outcome file, if that is to be written.
    draft: Option<baseline::Draft>,
}

/// Runs a scenario, checks its claims, and compares it with its baseline. Nothing if it was interrupted.
fn judge(path: &Path, args: &Args, terminal: Terminal) -> Option<Judged> {
    let started = Instant::now();
    let loaded = load::load(path, &args.edits);
    let mut checked = Checked {
        file: files::slashed(path),
        scenario: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        outcome: CheckOutcome::Invalid,
        claims: Vec::new(),
        remarks: remarks(&loaded, args.deny_warnings),
        digest: String::new(),
        trouble: String::new(),
        over_seeds: None,
        baseline: None,
        starts_at: loaded.scenario.as_ref().and_then(|scenario| scenario.world.starts_at),
        took: Duration::ZERO,
    };
    let is_denied = args.deny_warnings && !checked.remarks.is_empty();
    let Some(scenario) = loaded.scenario.as_ref().filter(|_| !is_denied) else {
        checked.trouble = load::refusal(&loaded, terminal.style.colour);
        checked.took = started.elapsed();
        return Some(Judged { checked, plans: None, draft: None });
    };
    checked.scenario.clone_from(&scenario.name);
    let before = match baseline::read(path, args, terminal.style.colour) {
        Ok(before) => before,
        Err((trouble, wrong)) => {
            checked.trouble = trouble;
            checked.remarks.extend(wrong);
            checked.took = started.elapsed();
            return Some(Judged { checked, plans: None, draft: None });
        }
    };
    if let Some(seeds) = &args.over.seeds {
        let judged = super::seeds::judge(&mut checked, args, seeds, before, terminal);
        checked.took = started.elapsed();
        return judged.map(|draft| Judged { checked, plans: None, draft });
    }
    let options = RunOptions { record: args.digests.is_some(), ..RunOptions::default() };
    let (mut plans, mut draft) = (None, None);
    let run = |scenario: &Scenario| runner::run(scenario, &options, args.watch, &mut &interrupt::STOP);
    match quotree_study::run_each(scenario, run) {
        Ok(run) if run.result.end == EndReason::Stopped => return None,
        Ok(run) => {
            plans = run.log.as_ref().map(digests::of_plans);
            let facts = Facts::of(&run);
            checked.digest = run.result.digest;
            checked.claims = run.result.claims.results;
            let is_fine = checked.claims.iter().all(|claim| claim.passed);
            checked.outcome = if is_fine { CheckOutcome::Passed } else { CheckOutcome::Failed };
            let runs = [(scenario.seed, &facts)];
            draft = before.and_then(|before| baseline::judge(before, &mut checked, scenario.digest, &runs, args));
        }
        Err(trouble) => {
            checked.outcome = if trouble.exit == Exit::Fault { CheckOutcome::Fault } else { CheckOutcome::Invalid };
            checked.trouble = trouble.message;
        }
    }
    checked.took = started.elapsed();
    Some(Judged { checked, plans, draft })
}

/// The errors and warnings of loading a scenario. With `--deny-warnings`, warnings count as errors.
fn remarks(loaded: &Loaded, deny_warnings: bool) -> Vec<Remark> {
    let remark = |found: &Diagnostic| Remark {
        is_error: deny_warnings || found.severity == Severity::Error,
        file: found.place.path.clone(),
        line: found.place.line,
        column: found.place.column,
        title: found.title.clone(),
    };
    loaded.diagnostics.iter().map(remark).collect()
}

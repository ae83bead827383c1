//! What the verbs that run a scenario many times have in common: the cases are checked, the runs are run, with progress.

use super::shell;
use crate::{
    args::Edits,
    exit::{Exit, Trouble},
    files::Disk,
    interrupt::{self, STOP},
    load,
    progress::Runs,
    snippets,
    terminal::Terminal,
};
use quotree_reports::{count, many};
use quotree_sim::scenario::{Diagnostic, Loaded, Setting, Severity};
use quotree_study::{Failure, Outcomes, Prepared, Ran, Refused, Runner, Study};
use std::{num::NonZeroUsize, ops::ControlFlow};

/// The number of threads: at most one for each core.
pub(super) fn threads(jobs: Option<usize>) -> NonZeroUsize {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    jobs.and_then(NonZeroUsize::new).map_or(cores, |jobs| jobs.min(cores))
}

/// The settings of `--policy` and `--set`.
pub(super) fn settings(edits: &Edits) -> Vec<Setting> {
    let policy = edits.policy.as_deref().map(Setting::policy);
    policy.into_iter().chain(edits.set.iter().map(Setting::new)).collect()
}

/// Checks all cases of a study. Warnings about the scenario are printed.
///
/// # Errors
/// If the study is refused, or interrupted.
pub(super) fn prepare<'d>(
    study: Study,
    disk: &'d Disk,
    skip_invalid: bool,
    jobs: NonZeroUsize,
    terminal: Terminal,
) -> Result<Prepared<'d>, Trouble> {
    let prepared = prepare_quietly(study, disk, skip_invalid, jobs, terminal)?;
    warn(&prepared, &[], terminal);
    Ok(prepared)
}

/// Prints the warnings of a study, without those that are known.
pub(super) fn warn(prepared: &Prepared<'_>, known: &[Diagnostic], terminal: Terminal) {
    let (diagnostics, sources) = &prepared.warnings;
    let new: Vec<Diagnostic> = diagnostics.iter().filter(|one| !known.contains(one)).cloned().collect();
    if prepared.cases.len() == 1 {
        let drawn = snippets::draw(&new, sources, terminal.colour_errors);
        if !drawn.is_empty() {
            terminal.draw(&drawn);
        }
    } else if !new.is_empty() {
        // Most are about one setting, such as fewer nodes than guarantees.
        let case = prepared.cases.iter().find(|case| case.invalid.is_none());
        let case = case.map(|case| prepared.study.cases.named(&case.values)).unwrap_or_default();
        let count = many(new.len() as u64, "warning");
        let file = shell::word(&prepared.study.file);
        terminal.complain(&format!("{count} with {case}; `quotree validate {file}` shows those of the file"));
    }
}

/// As [`prepare`], but prints no warnings.
///
/// # Errors
/// If the study is refused, or interrupted.
pub(super) fn prepare_quietly<'d>(
    study: Study,
    disk: &'d Disk,
    skip_invalid: bool,
    jobs: NonZeroUsize,
    terminal: Terminal,
) -> Result<Prepared<'d>, Trouble> {
    let _guard = interrupt::watch();
    let progress = Runs::new(terminal, "checked");
    let prepared = study.prepare(disk, skip_invalid, (jobs, &STOP), &mut |done, of| progress.done(done, of));
    drop(progress);
    prepared.map_err(|refused| refusal(&refused, terminal))
}

/// What is wrong with a scenario, without what only should be known.
fn without_warnings(loaded: &Loaded) -> Loaded {
    let mut loaded = loaded.clone();
    loaded.diagnostics.retain(|found| found.severity == Severity::Error);
    loaded
}

fn refusal(refused: &Refused, terminal: Terminal) -> Trouble {
    match refused {
        Refused::Sentence(why) => Trouble::invalid(why),
        // A wrong path or file is wrong with every value: it is said once.
        Refused::Invalid { alike: true, first, .. } => {
            let drawn = first.first().map(|(_, one)| load::refusal(&without_warnings(one), terminal.colour_errors));
            Trouble { exit: Exit::Invalid, message: drawn.unwrap_or_default() }
        }
        Refused::Invalid { invalid, all, first, .. } => {
            let mut message = String::new();
            let mut last = String::new();
            for (case, loaded) in first {
                let drawn = load::refusal(&without_warnings(loaded), terminal.colour_errors);
                // The same mistake in several settings is said once.
                if drawn != last {
                    message += &format!("with {case}:\n{drawn}\n");
                    last = drawn;
                }
            }
            let what = if invalid == all {
                "every setting is invalid".to_owned()
            } else {
                let are = if *invalid == 1 { "is" } else { "are" };
                format!("{} of {} settings {are} invalid", count(*invalid as u128), count(*all as u128))
            };
            let message = format!("{}\n\nerror: {what}; nothing was run", message.trim_end());
            Trouble { exit: Exit::Invalid, message }
        }
        _ => Trouble::interrupted("nothing was run"),
    }
}

/// Runs these runs of a study, with progress. `also` sees each outcome first, and may end the work with an error.
///
/// # Errors
/// That of `also`.
pub(super) fn run(
    runner: &Runner<'_>,
    study: &Prepared<'_>,
    numbers: &[usize],
    outcomes: &mut Outcomes,
    (what, terminal): (&str, Terminal),
    also: &mut dyn FnMut(usize, &Ran) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let _guard = interrupt::watch();
    let progress = Runs::new(terminal, what);
    let (mut done, mut trouble) = (0, None);
    runner.run(study, numbers, &mut |number, ran| {
        if let Err(error) = also(number, &ran) {
            trouble = Some(error);
            return ControlFlow::Break(());
        }
        outcomes.keep(number, ran);
        done += 1;
        progress.done(done, numbers.len());
        ControlFlow::Continue(())
    });
    trouble.map_or(Ok(()), Err)
}

/// Runs all runs of a study.
///
/// # Errors
/// If one of them fails.
pub(super) fn run_all(runner: &Runner<'_>, study: &Prepared<'_>, terminal: Terminal) -> Result<Outcomes, Trouble> {
    let mut outcomes = Outcomes::none(study);
    let numbers: Vec<usize> = (0..study.runs()).collect();
    run(runner, study, &numbers, &mut outcomes, (&study.name, terminal), &mut |_, _| Ok(()))?;
    match failure(study, &outcomes) {
        Some(trouble) => Err(trouble),
        None => Ok(outcomes),
    }
}

/// The failed runs of a study as one message: the first of them, and how many.
pub(super) fn failure(study: &Prepared<'_>, outcomes: &Outcomes) -> Option<Trouble> {
    let failed: Vec<(usize, &Failure)> = outcomes.failed().collect();
    let (number, first) =
        failed.iter().max_by_key(|(number, failure)| (failure.is_fault, std::cmp::Reverse(*number)))?;
    let message = format!("{}: {}", run_of(study, *number), first.why);
    let more = match failed.len() {
        1 => String::new(),
        n => format!("\n{} of {} failed", count(n as u128), many(study.runs() as u64, "run")),
    };
    let message = format!("{message}{more}");
    Some(if first.is_fault { Trouble::fault(message) } else { Trouble::invalid(message) })
}

/// A run in words: `` `lab` with cluster.gpu.count=8, seed 3 ``.
fn run_of(study: &Prepared<'_>, number: usize) -> String {
    let Some((case, seed)) = study.run(number) else { return String::new() };
    let values = study.cases.get(case).map(|case| study.study.cases.named(&case.values)).unwrap_or_default();
    let with = if values.is_empty() { String::new() } else { format!(" with {values}") };
    format!("`{}`{with}, seed {seed}", study.name)
}

/// The sentence about an interruption, and its exit code; nothing if there was none.
pub(super) fn interrupted(outcomes: &Outcomes) -> Option<String> {
    let (ended, all) = (outcomes.ended(), outcomes.runs.len());
    (interrupt::is_asked() && ended < all).then(|| {
        format!(
            "interrupted: {} of {} runs ended; what is shown is about these",
            count(ended as u128),
            count(all as u128)
        )
    })
}

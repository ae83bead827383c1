//! Runs a scenario with progress, twice with `--doublecheck`, and sorts errors into invalid input and internal errors.

use crate::{
    args::Watch,
    exit::{Exit, Trouble},
    interrupt,
    progress::Progress,
    terminal::Terminal,
};
use quotree_core::Time;
use quotree_sim::{
    Observer, Run, RunError, RunOptions, Scenario,
    result::EndReason,
    trace::{RunNames, TraceRecord},
};
use std::{io::Write, num::NonZeroU32, ops::ControlFlow, time::Instant};

/// Runs a scenario and, with `--doublecheck`, once more on another thread to compare the results.
///
/// # Errors
/// If the run does not end, the two runs differ, or an invariant is violated.
pub(crate) fn run(
    scenario: &Scenario,
    options: &RunOptions,
    watch: Watch,
    observer: &mut (dyn Observer + Send),
) -> Result<Run, Trouble> {
    let options = RunOptions { audit: watch.audit, audit_every: watch.audit_every, ..options.clone() };
    let _guard = interrupt::watch();
    let run = quotree_sim::run(scenario, &options, observer).map_err(|error| trouble(scenario, &error))?;
    if watch.doublecheck && run.result.end != EndReason::Stopped {
        let again = std::thread::scope(|scope| scope.spawn(|| quotree_sim::run(scenario, &options, &mut ())).join());
        let again = again.map_err(|_| Trouble::fault(format!("`{}`: the second run panicked", scenario.name)))?;
        let again = again.map_err(|error| trouble(scenario, &error))?;
        let summaries = [&run, &again].map(|run| quotree_reports::summary_json(&run.result));
        if summaries.first() != summaries.last() {
            return Err(Trouble::fault(format!(
                "`{}`: the two runs differ, digests {} and {}",
                scenario.name, run.result.digest, again.result.digest
            )));
        }
    }
    if !run.result.breaches.is_empty() {
        let breaches: Vec<_> = run
            .result
            .breaches
            .iter()
            .map(|breach| format!("\n  at {}: {}", quotree_reports::moment(breach.at_ms), breach.what))
            .collect();
        return Err(Trouble::fault(format!(
            "`{}` violates invariants ({} violations):{}",
            scenario.name,
            run.result.breaches.len(),
            breaches.concat()
        )));
    }
    Ok(run)
}

/// Runs a scenario for its state, with progress, without extra checks.
///
/// # Errors
/// If the run does not end.
pub(crate) fn run_plain(scenario: &Scenario, options: &RunOptions, terminal: Terminal) -> Result<Run, Trouble> {
    run_quietly(scenario, options, terminal, &scenario.name)
}

fn run_quietly(scenario: &Scenario, options: &RunOptions, terminal: Terminal, what: &str) -> Result<Run, Trouble> {
    let mut watcher = Watcher::<std::io::Sink>::new(terminal, what, None);
    let watch = Watch { doublecheck: false, audit: false, audit_every: NonZeroU32::MIN };
    let run = run(scenario, options, watch, &mut watcher)?;
    if run.result.end == EndReason::Stopped {
        let at = quotree_reports::moment(run.result.end_ms);
        return Err(Trouble::interrupted(format!("`{what}` had run up to {at} of simulated time; nothing is shown")));
    }
    Ok(run)
}

/// Collects the full reasons of at most this many waits, in a second, identical run that ends with the last of these
/// waits.
///
/// # Errors
/// As for [`run`].
pub(crate) fn explain(
    scenario: &Scenario,
    run: &mut Run,
    seed: Option<u64>,
    most: usize,
    terminal: Terminal,
) -> Result<(), Trouble> {
    let Some(history) = &run.history else { return Ok(()) };
    let questions = quotree_sim::history::questions(scenario, history, most);
    let Some(last) = questions.last() else { return Ok(()) };
    let (started, asked, all) = (Instant::now(), questions.len(), history.waits.len());
    let until = Some(Time(last.at_ms));
    let options = RunOptions {
        seed,
        until,
        explain: questions,
        judge: false,
        fairness_integral: false,
        job_rows: 0,
        pending_rows: 0,
        ..RunOptions::default()
    };
    let what = format!("{}, reasons of waits", scenario.name);
    run.explained = match run_quietly(scenario, &options, terminal, &what) {
        Err(Trouble { exit: Exit::Interrupted, .. }) => {
            terminal.complain("interrupted: the report has no full reasons of waits");
            return Ok(());
        }
        explained => explained?.explained,
    };
    if terminal.watched {
        let took = started.elapsed().as_secs_f64();
        terminal.complain(&format!("a second run explained {asked} of {all} waits in full, in {took:.1} s"));
    }
    Ok(())
}

/// The error with its exit code: invalid input, or an internal error.
fn trouble(scenario: &Scenario, error: &RunError) -> Trouble {
    let message = format!("`{}`: {error}", scenario.name);
    if quotree_study::is_fault(error) { Trouble::fault(message) } else { Trouble::invalid(message) }
}

/// Shows progress and, with `--out`, writes the trace.
pub(crate) struct Watcher<W> {
    progress: Progress,
    trace: Option<W>,
    /// The first failure to write the trace; the run continues without it.
    pub(crate) failed: Option<std::io::Error>,
}

impl<W: Write> Watcher<W> {
    pub(crate) fn new(terminal: Terminal, what: &str, trace: Option<W>) -> Self {
        Self { progress: Progress::new(terminal, what), trace, failed: None }
    }

    /// The trace, all of which was written.
    ///
    /// # Errors
    /// The first failure to write.
    pub(crate) fn finish(mut self) -> std::io::Result<Option<W>> {
        match (self.failed.take(), &mut self.trace) {
            (Some(error), _) => return Err(error),
            (None, Some(trace)) => trace.flush()?,
            (None, None) => {}
        }
        Ok(self.trace)
    }
}

impl<W: Write> Observer for Watcher<W> {
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        if let Some(trace) = &mut self.trace
            && let Err(error) = writeln!(trace, "{}", record.json(names))
        {
            self.failed = Some(error);
            self.trace = None;
        }
    }

    fn progress(&mut self, now: Time, events: u64) -> ControlFlow<()> {
        self.progress.at(now, events);
        if interrupt::is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

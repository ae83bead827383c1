//! Runs the runs of a study, on several threads.

use crate::{
    facts::Facts,
    parallel::{self, Stop},
    study::Prepared,
    worst,
};
use quotree_core::{EventError, Time};
use quotree_sim::{RunError, RunOptions, result::EndReason};
use serde::{Deserialize, Serialize};
use std::{
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Why a run has no facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whether quotree is at fault, not the scenario.
    pub is_fault: bool,
    /// What went wrong, in a sentence.
    pub why: String,
}

/// The outcome of a run.
pub type Ran = Result<Facts, Failure>;

/// How the runs of a study are run.
#[derive(Debug)]
pub struct Runner<'s> {
    /// How many threads. Does not affect results.
    pub jobs: NonZeroUsize,
    /// Stops all runs when asked.
    pub stop: &'s Stop,
    /// The options of every run, but for the seed.
    pub options: RunOptions,
}

impl<'s> Runner<'s> {
    /// A runner that keeps no rows, only what [`Facts`] need.
    #[must_use]
    pub fn new(jobs: NonZeroUsize, stop: &'s Stop) -> Self {
        let options = RunOptions { job_rows: 0, pending_rows: 0, explained_rows: 0, ..RunOptions::default() };
        Self { jobs, stop, options }
    }

    /// Runs these runs of a study. `done` gets the number and the outcome of each, as they come, and may end the work. A run that is
    /// stopped has no outcome.
    pub fn run(&self, study: &Prepared<'_>, numbers: &[usize], done: &mut dyn FnMut(usize, Ran) -> ControlFlow<()>) {
        let mut counts = vec![0_usize; study.cases.len()];
        for (case, _) in numbers.iter().filter_map(|number| study.run(*number)) {
            counts.iter_mut().skip(case).take(1).for_each(|count| *count += 1);
        }
        // A scenario is freed when the last run of its case has ended.
        let left: Vec<AtomicUsize> = counts.into_iter().map(AtomicUsize::new).collect();
        let work = |number: usize| {
            let (case, seed) = study.run(number)?;
            let ran = self.one(study, case, seed);
            if left.get(case).is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) == 1) {
                study.free(case);
            }
            ran
        };
        parallel::each(numbers, self.jobs, self.stop, &work, done);
    }

    /// Runs the first case of two studies with each seed of the first one, so that they can be compared pair by pair. Where one of two
    /// runs ends by itself before the other, its figures are taken up to the end of the other. `done` gets the place of the seed.
    pub fn pairs(
        &self,
        a: &Prepared<'_>,
        b: &Prepared<'_>,
        done: &mut dyn FnMut(usize, Result<(Facts, Facts), Failure>) -> ControlFlow<()>,
    ) {
        let places: Vec<usize> = (0..a.seeds.len()).collect();
        let work = |place: usize| self.pair(a, b, *a.seeds.get(place)?);
        parallel::each(&places, self.jobs, self.stop, &work, done);
    }

    fn pair(&self, a: &Prepared<'_>, b: &Prepared<'_>, seed: u64) -> Option<Result<(Facts, Facts), Failure>> {
        let ran = (self.one(a, 0, seed)?, self.one(b, 0, seed)?);
        let (mut first, mut second) = match ran {
            (Ok(first), Ok(second)) => (first, second),
            (Err(failure), _) | (_, Err(failure)) => return Some(Err(failure)),
        };
        let ends = (first.end_ms, second.end_ms);
        for (study, facts, end) in [(a, &mut first, ends.1), (b, &mut second, ends.0)] {
            let goes_on = study.scenario(0).is_some_and(|scenario| scenario.world.until.is_none());
            if facts.end_ms < end && goes_on {
                let options = RunOptions { horizon: Some(Time(end)), ..self.options.clone() };
                match (Runner { options, ..*self }).one(study, 0, seed)? {
                    Ok(longer) => *facts = longer,
                    Err(failure) => return Some(Err(failure)),
                }
            }
        }
        Some(Ok((first, second)))
    }

    /// Runs a case with a seed; nothing if it was stopped.
    fn one(&self, study: &Prepared<'_>, case: usize, seed: u64) -> Option<Ran> {
        let Some(scenario) = study.scenario(case) else {
            return Some(Err(Failure { is_fault: false, why: "the scenario is invalid".to_owned() }));
        };
        let options = RunOptions { seed: Some(seed), ..self.options.clone() };
        let mut observer = self.stop;
        // A scenario with a worst-case outage is run with each domain.
        match worst::run_each(&scenario, |scenario| quotree_sim::run(scenario, &options, &mut observer)) {
            Ok(run) if run.result.end == EndReason::Stopped => None,
            Ok(run) => Some(match run.result.breaches.first() {
                None => Ok(Facts::of(&run)),
                Some(breach) => {
                    let at = quotree_reports::moment(breach.at_ms);
                    Err(Failure { is_fault: true, why: format!("an invariant is violated at {at}: {}", breach.what) })
                }
            }),
            Err(RunError::Stopped { .. }) => None,
            Err(error) => Some(Err(Failure { is_fault: is_fault(&error), why: error.to_string() })),
        }
    }
}

/// Whether an error of a run is one of quotree, not of the scenario.
#[must_use]
pub const fn is_fault(error: &RunError) -> bool {
    !matches!(
        error,
        RunError::Tree(_)
            | RunError::TooManyEvents { .. }
            | RunError::AfterTheEnd { .. }
            | RunError::TooManyPods { .. }
            | RunError::Refused { error: EventError::Overflow { .. }, .. }
    )
}

/// The outcomes of a study, by the number of the run.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// The outcome of each run; nothing for one that has not ended.
    pub runs: Vec<Option<Ran>>,
}

impl Outcomes {
    /// No run has ended yet.
    #[must_use]
    pub fn none(study: &Prepared<'_>) -> Self {
        Self { runs: vec![None; study.runs()] }
    }

    /// Keeps the outcome of a run.
    pub fn keep(&mut self, number: usize, ran: Ran) {
        if let Some(slot) = self.runs.get_mut(number) {
            *slot = Some(ran);
        }
    }

    /// How many runs have ended.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.runs.iter().flatten().count()
    }

    /// The facts of the runs of a case that ended well, each with its seed.
    pub fn of<'o>(&'o self, study: &'o Prepared<'_>, case: usize) -> impl Iterator<Item = (u64, &'o Facts)> {
        let ran = |number: usize| Some((study.run(number)?.1, self.runs.get(number)?.as_ref()?.as_ref().ok()?));
        study.runs_of(case).filter_map(ran)
    }

    /// The runs that failed: number, and why.
    pub fn failed(&self) -> impl Iterator<Item = (usize, &Failure)> {
        self.runs.iter().enumerate().filter_map(|(number, ran)| Some((number, ran.as_ref()?.as_ref().err()?)))
    }
}

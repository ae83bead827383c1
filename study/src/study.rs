//! A study: a scenario, the settings it is run with, and the seeds. First all settings are checked; then the runs are numbered.

use crate::{
    axis::{Axis, MOST_RUNS},
    parallel::{self, Stop},
    seeds::Seeds,
    snapshot::Snapshot,
};
use quotree_sim::{
    Scenario,
    model::Predicate,
    scenario::{Diagnostic, Loaded, Loader, Setting, Severity, Source, load_with},
};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

/// What to run: a scenario under every combination of values, with every seed.
#[derive(Debug, Clone)]
pub struct Study {
    /// The file of the scenario.
    pub file: String,
    /// Changes that all runs have, before those of the axes.
    pub base: Vec<Setting>,
    /// The cases: the changes of each, by their names.
    pub cases: Cases,
    /// The seeds.
    pub seeds: Seeds,
}

/// The cases of a study.
#[derive(Debug, Clone)]
pub enum Cases {
    /// The product of all values; the last axis changes fastest.
    Product(Vec<Axis>),
    /// Named lists of changes.
    Named(Vec<(String, Vec<Setting>)>),
}

impl Cases {
    /// One case, the scenario as it is.
    #[must_use]
    pub const fn one() -> Self {
        Self::Product(Vec::new())
    }

    /// How many there are; saturates.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Product(axes) => axes.iter().fold(1, |product, axis| product.saturating_mul(axis.values.len())),
            Self::Named(cases) => cases.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the columns that tell the cases apart.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Product(axes) => axes.iter().map(|axis| axis.path.as_str()).collect(),
            Self::Named(_) => vec!["case"],
        }
    }

    /// The values of a case, one for each column.
    #[must_use]
    pub fn values(&self, case: usize) -> Vec<&str> {
        match self {
            Self::Product(axes) => {
                places(axes, case).map(|(axis, place)| axis.values.get(place).map_or("", String::as_str)).collect()
            }
            Self::Named(cases) => cases.get(case).map(|(name, _)| name.as_str()).into_iter().collect(),
        }
    }

    /// The changes of a case.
    fn settings(&self, case: usize) -> Vec<Setting> {
        match self {
            Self::Product(axes) => places(axes, case).filter_map(|(axis, place)| axis.setting(place)).collect(),
            Self::Named(cases) => cases.get(case).map_or_else(Vec::new, |(_, settings)| settings.clone()),
        }
    }
}

/// The place of a case on each axis.
fn places(axes: &[Axis], case: usize) -> impl Iterator<Item = (&Axis, usize)> {
    let mut stride = axes.iter().fold(1_usize, |product, axis| product.saturating_mul(axis.values.len()));
    axes.iter().map(move |axis| {
        stride = stride.checked_div(axis.values.len()).unwrap_or(1);
        (axis, case.checked_div(stride).unwrap_or(0).checked_rem(axis.values.len()).unwrap_or(0))
    })
}

/// Why a study is not run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Refused {
    /// There would be too many runs, or the study says something twice; a sentence.
    Sentence(String),
    /// Some cases are invalid: how many of how many, and for each of the first ones its values and what is wrong.
    Invalid {
        /// How many cases are invalid.
        invalid: usize,
        /// How many there are.
        all: usize,
        /// Whether all are invalid, for the same reason: whatever is wrong is not the value.
        alike: bool,
        /// The first of them.
        first: Vec<(String, Loaded)>,
    },
    /// It was stopped while the cases were checked.
    Stopped,
}

/// A case that was checked.
#[derive(Debug)]
pub struct Case {
    /// Its values, one for each column of the study.
    pub values: Vec<String>,
    /// The digest of the scenario with these values; 0 if that is invalid.
    pub digest: u128,
    /// What is wrong with it, if it is invalid: its first error.
    pub invalid: Option<String>,
    /// The scenario, while it is needed.
    scenario: Mutex<Option<Arc<Scenario>>>,
}

/// What a claim says, as far as a study needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimText {
    /// The claim as written.
    pub claim: String,
    /// Its line.
    pub line: u32,
    /// Why it should hold.
    pub because: Option<String>,
    /// Whether it pins one run: a digest, or an outcome file. Other seeds say nothing about it.
    pub pins_one_run: bool,
}

/// A study whose cases are checked. Its runs are numbered: all seeds of the first case, then all of the second.
#[derive(Debug)]
pub struct Prepared<'l> {
    /// The study.
    pub study: Study,
    /// The cases.
    pub cases: Vec<Case>,
    /// The seeds, which all cases have in common, so that they can be compared pair by pair.
    pub seeds: Vec<u64>,
    /// The name of the scenario.
    pub name: String,
    /// The policy of the first valid case.
    pub policy: String,
    /// The claims of the first valid case.
    pub claims: Vec<ClaimText>,
    /// Warnings about the first valid case, and its sources.
    pub warnings: (Vec<Diagnostic>, Vec<Source>),
    files: Snapshot<'l>,
}

/// The most cases whose scenarios stay in memory from the check on.
const KEPT: usize = 16;
/// The most invalid cases that are reported in full.
const REPORTED: usize = 3;

impl Study {
    /// Checks all cases, in parallel, and numbers the runs.
    ///
    /// # Errors
    /// [`Refused`], before anything runs. With `skip_invalid` only if all cases are invalid.
    pub fn prepare<'l>(
        self,
        loader: &'l (dyn Loader + Sync),
        skip_invalid: bool,
        (jobs, stop): (NonZeroUsize, &Stop),
        checked: &mut dyn FnMut(usize, usize),
    ) -> Result<Prepared<'l>, Refused> {
        let all = self.cases.len();
        self.check_size(all)?;
        let files = Snapshot::new(loader);
        let load = |case: usize| {
            let settings: Vec<Setting> = self.base.iter().cloned().chain(self.cases.settings(case)).collect();
            load_with(&self.file, &settings, &files)
        };
        let mut cases: Vec<Option<Case>> = (0..all).map(|_| None).collect();
        let (mut first, mut done) = (None::<(usize, u64, Loaded)>, 0);
        let mut reported: BTreeMap<usize, Loaded> = BTreeMap::new();
        let numbers: Vec<usize> = (0..all).collect();
        parallel::each(&numbers, jobs, stop, &|case| Some(load(case)), &mut |case, mut loaded: Loaded| {
            done += 1;
            checked(done, all);
            let scenario = loaded.scenario.take();
            let digest = scenario.as_ref().map_or(0, |scenario| scenario.digest);
            if let Some(scenario) = &scenario
                && first.as_ref().is_none_or(|(number, ..)| case < *number)
            {
                let about = Loaded { scenario: Some(scenario.clone()), ..loaded.clone() };
                first = Some((case, scenario.seed, about));
            }
            let values = self.cases.values(case).into_iter().map(str::to_owned).collect();
            let error = loaded.diagnostics.iter().find(|found| found.severity == Severity::Error);
            let title = error.map_or_else(|| "it is invalid".to_owned(), |error| error.title.clone());
            let invalid = scenario.is_none().then_some(title);
            if invalid.is_some() {
                // In full only the first ones: there may be many, each with all its files.
                reported.insert(case, loaded);
                if reported.len() > REPORTED {
                    reported.pop_last();
                }
            }
            let kept = scenario.filter(|_| all <= KEPT).map(Arc::new);
            if let Some(slot) = cases.get_mut(case) {
                *slot = Some(Case { values, digest, invalid, scenario: Mutex::new(kept) });
            }
            ControlFlow::Continue(())
        });
        let cases: Vec<Case> = cases.into_iter().flatten().collect();
        if cases.len() < all {
            return Err(Refused::Stopped);
        }
        let invalid = cases.iter().filter(|case| case.invalid.is_some()).count();
        let Some((_, own, about)) = first.filter(|_| skip_invalid || invalid == 0) else {
            let named = |(case, loaded): (usize, Loaded)| {
                (cases.get(case).map(|case| self.cases.named(&case.values)).unwrap_or_default(), loaded)
            };
            let first = reported.into_iter().map(named).collect();
            let why = || cases.iter().map(|case| &case.invalid);
            let alike = invalid == all && why().all(|one| Some(one) == why().next());
            return Err(Refused::Invalid { invalid, all, alike, first });
        };
        let seeds = self.seeds.of(own).map_err(Refused::Sentence)?;
        let Some(scenario) = about.scenario else { return Err(Refused::Stopped) };
        let claims = scenario.claims.iter().map(ClaimText::of).collect();
        let (name, policy) = (scenario.name, scenario.policy_name);
        let warnings = (about.diagnostics, about.sources);
        Ok(Prepared { study: self, cases, seeds, name, policy, claims, warnings, files })
    }

    fn check_size(&self, cases: usize) -> Result<(), Refused> {
        let runs = cases.saturating_mul(self.seeds.len());
        if runs > MOST_RUNS {
            let count = |n: usize| quotree_reports::count(n as u128);
            let runs = if runs == usize::MAX { "far more runs".to_owned() } else { format!("{} runs", count(runs)) };
            return Err(Refused::Sentence(format!(
                "that would be {runs} ({} settings, {} seeds); one study has at most {}",
                count(cases),
                count(self.seeds.len()),
                count(MOST_RUNS)
            )));
        }
        let Cases::Product(axes) = &self.cases else { return Ok(()) };
        for (place, axis) in axes.iter().enumerate() {
            if axis.path == "seed" {
                let option = axis.option;
                return Err(Refused::Sentence(format!(
                    "the seeds of a study are given by `--seeds`, not by `{option} seed=..`"
                )));
            }
            let other = axes.iter().skip(place + 1).find(|other| other.path == axis.path);
            if other.is_some_and(|other| axis.values.len() > 1 || other.values.len() > 1) {
                let path = &axis.path;
                return Err(Refused::Sentence(format!(
                    "`{path}` is set twice: give all its values in one `--set {path}=..`"
                )));
            }
        }
        Ok(())
    }
}

impl Cases {
    /// A case in words: `cluster.gpu.count=8, policy.order=Fifo`.
    #[must_use]
    pub fn named(&self, values: &[String]) -> String {
        match self {
            Self::Named(_) => values.join(", "),
            Self::Product(_) => {
                let pairs = self.columns().into_iter().zip(values);
                pairs.map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

impl ClaimText {
    fn of(claim: &quotree_sim::model::Claim) -> Self {
        Self {
            claim: claim.text.clone(),
            line: claim.line,
            because: claim.because.clone(),
            pins_one_run: matches!(claim.what, Predicate::Digest(_) | Predicate::SameAs { .. }),
        }
    }
}

impl Prepared<'_> {
    /// How many runs there are.
    #[must_use]
    pub const fn runs(&self) -> usize {
        self.cases.len() * self.seeds.len()
    }

    /// The case and the seed of a run.
    #[must_use]
    pub fn run(&self, number: usize) -> Option<(usize, u64)> {
        let case = number.checked_div(self.seeds.len())?;
        Some((case, *self.seeds.get(number % self.seeds.len())?)).filter(|(case, _)| *case < self.cases.len())
    }

    /// The numbers of the runs of a case.
    #[must_use]
    pub const fn runs_of(&self, case: usize) -> std::ops::Range<usize> {
        case * self.seeds.len()..(case + 1) * self.seeds.len()
    }

    /// The scenario of a valid case, loaded again if it is not in memory. Files are as they were when first read.
    pub fn scenario(&self, case: usize) -> Option<Arc<Scenario>> {
        let mut kept = self.cases.get(case)?.scenario.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            let settings: Vec<Setting> =
                self.study.base.iter().cloned().chain(self.study.cases.settings(case)).collect();
            *kept = load_with(&self.study.file, &settings, &self.files).scenario.map(Arc::new);
        }
        kept.clone()
    }

    /// Frees the scenario of a case, unless there are so few cases that all stay.
    pub(crate) fn free(&self, case: usize) {
        if let Some(case) = self.cases.get(case).filter(|_| self.cases.len() > KEPT) {
            *case.scenario.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

//! Compares an outcome with its baseline.

use super::{
    Baseline,
    tolerance::{self, DEFAULT},
    write::value_text,
};
use crate::{
    facts::{Better, Facts, Key},
    gate::{amount, show},
    stats::{Observed, Spread},
};
use quotree_reports::BaselineFigure;
use std::collections::{BTreeMap, BTreeSet};

/// The measures that an outcome holds, unless a tolerance names more.
const HELD: [&str; 14] = [
    "wait.p50",
    "wait.p95",
    "wait.max",
    "evictions",
    "lost-work",
    "unmet",
    "borrowed",
    "used",
    "jobs.failed",
    "deadlines.missed",
    "jain",
    "unfairness",
    "share-gap",
    "cost",
];

/// The outcome of a scenario, as far as a baseline holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The digest of the scenario.
    pub(super) scenario: String,
    /// The seeds that were run.
    pub(super) seeds: Vec<u64>,
    /// The figures: of the whole run, then of each team. Over several seeds, their means, rounded down.
    pub(super) figures: Vec<(Key, Observed)>,
}

impl Outcome {
    /// The outcome of runs, each with its seed, as a file can state it. Also holds the figures that the tolerances of a baseline name.
    #[must_use]
    pub fn of(scenario_digest: u128, runs: &[(u64, &Facts)], before: Option<&Baseline>) -> Self {
        let mut values: BTreeMap<&Key, Vec<Observed>> = BTreeMap::new();
        let mut order: Vec<&Key> = Vec::new();
        for figure in runs.iter().flat_map(|(_, facts)| &facts.figures) {
            let is_held =
                HELD.contains(&figure.key.measure().name) || before.is_some_and(|before| before.names(&figure.key));
            if is_held {
                let of_key = values.entry(&figure.key).or_default();
                if of_key.is_empty() {
                    order.push(&figure.key);
                }
                of_key.push(figure.value);
            }
        }
        // A figure that only a later seed has would stand behind the other teams.
        let teams: Vec<_> = order.iter().map(|key| &key.team).fold(Vec::new(), |mut teams, team| {
            if !teams.contains(&team) {
                teams.push(team);
            }
            teams
        });
        order.sort_by_cached_key(|key| teams.iter().position(|team| *team == &key.team));
        let mean = |key: &&Key| {
            let mean = Spread::of(values.get(*key)?.iter().copied()).mean()?;
            Some(((*key).clone(), Observed { value: amount::rounded(key, mean.value), ..mean }))
        };
        let figures = order.iter().filter_map(mean).collect();
        let seeds = runs.iter().map(|(seed, _)| *seed).collect();
        Self { scenario: format!("{scenario_digest:032x}"), seeds, figures }
    }
}

impl Baseline {
    /// Whether a tolerance names this very figure, so that it is held even if others of its kind are not.
    fn names(&self, key: &Key) -> bool {
        let of_team = self.tolerances.contains_key(&key.to_string());
        of_team || self.tolerances.contains_key(&key.name())
    }

    /// Whether a figure is not compared.
    pub(super) fn ignores(&self, key: &Key) -> bool {
        self.tolerance(key).is_ok_and(|tolerance| tolerance.accepts_everything())
    }

    /// Whether an outcome is of the same scenario.
    #[must_use]
    pub fn is_of(&self, outcome: &Outcome) -> bool {
        self.scenario == outcome.scenario
    }

    /// Compares an outcome with this baseline: first the figures of the file, then those that it lacks, then tolerances of figures that
    /// there are not.
    #[must_use]
    pub fn compare(&self, outcome: &Outcome) -> Vec<BaselineFigure> {
        let mut seen: BTreeMap<&Key, Observed> = outcome.figures.iter().map(|(key, value)| (key, *value)).collect();
        let mut rows: Vec<BaselineFigure> = self
            .figures
            .iter()
            .filter(|held| !self.ignores(&held.key))
            .map(|held| self.row(&held.key, held.line, Some(held.value), seen.remove(&held.key)))
            .collect();
        let is_new = |key: &Key| {
            seen.contains_key(key) && !self.ignores(key) && !self.figures.iter().any(|held| held.key == *key)
        };
        let new = outcome.figures.iter().filter(|(key, _)| is_new(key));
        rows.extend(new.map(|(key, value)| self.row(key, 1, None, Some(*value))));
        rows.extend(self.pointless(outcome));
        rows
    }

    fn row(&self, key: &Key, line: usize, baseline: Option<Observed>, seen: Option<Observed>) -> BaselineFigure {
        let tolerance = self.tolerance(key);
        let passed = match (&tolerance, baseline, seen) {
            (Ok(tolerance), Some(baseline), Some(seen)) => tolerance.accepts(baseline, seen),
            _ => false,
        };
        let says = match (&tolerance, baseline, seen) {
            (Err(error), ..) => error.clone(),
            (_, None, _) => format!(
                "{} is new: the baseline does not have it",
                seen.map_or_else(String::new, |seen| value_text(key, seen))
            ),
            (_, Some(_), None) => "this run does not have it".to_owned(),
            (_, Some(before), Some(now)) => format!("{}{}", show::both(key, baseline, seen), better(key, before, now)),
        };
        let exact = |value: Option<Observed>| value.map(|value| value_text(key, value));
        let (expected, seen) = (exact(baseline), exact(seen));
        let tolerance = tolerance.map_or_else(|_| String::new(), |tolerance| tolerance.text);
        BaselineFigure { figure: key.to_string(), line, expected, seen, tolerance, passed, says }
    }

    /// Tolerances that no figure has: a team that is gone, or misspelt.
    fn pointless(&self, outcome: &Outcome) -> Vec<BaselineFigure> {
        let keys = outcome.figures.iter().map(|(key, _)| key).chain(self.figures.iter().map(|held| &held.key));
        let used: BTreeSet<String> = keys.flat_map(tolerance::names).collect();
        let pointless = |(name, (text, line)): (&String, &(String, usize))| {
            // That of all teams may be of figures that this run happens not to have.
            let is_of_a_team = name != DEFAULT && name.contains(" of ");
            (is_of_a_team && !used.contains(name)).then(|| BaselineFigure {
                figure: name.clone(),
                line: *line,
                expected: None,
                seen: None,
                tolerance: text.clone(),
                passed: false,
                says: "this tolerance is of no figure of this run: mend or remove it".to_owned(),
            })
        };
        self.tolerances.iter().filter_map(pointless).collect()
    }
}

/// Whether a change is for the better: `, worse`.
fn better(key: &Key, before: Observed, now: Observed) -> &'static str {
    let grew = now.value > before.value;
    match key.measure().better {
        _ if now.value == before.value => "",
        Better::Neither => "",
        Better::More if grew => ", better",
        Better::Less if !grew => ", better",
        _ => ", worse",
    }
}

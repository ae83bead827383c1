//! Claims: each is evaluated at its time, and reports what was measured and when. Claims read a view of the run and
//! change nothing.
//!
//! `At` is evaluated after all events of its time. `Always`, `Never`, `Eventually` and `Within` are evaluated after
//! every decision and, where a claim is about durations, also just before time advances. A claim with an outcome is not
//! evaluated again.

mod alone_run;
mod eviction_claims;
mod expected;
mod guarantee;
mod job_times;
mod measure;
mod nodes;
mod selector;
mod shares;
mod vacuity;

use crate::{
    model::{Claim, Predicate, Scenario, When},
    options::{Run, RunError, RunOptions},
    result::{ClaimFigure, ClaimResult, ClaimSummary},
    view::RunView,
};
use guarantee::Starved;
use measure::Seen;
use quotree_core::Time;
use quotree_syntax::time_text;
use quotree_words as words;
use selector::Selection;

/// Runs another scenario. The engine passes this function, since claims do not depend on the engine.
pub(crate) type RunAlone<'r> = &'r dyn Fn(&Scenario, &RunOptions) -> Result<Run, RunError>;

/// How many pending workloads a failed claim explains.
const EXPLAINED: usize = 3;

/// A claim and its state.
struct ClaimState<'a> {
    claim: &'a Claim,
    selection: Selection,
    by: Selection,
    /// How many evictions were examined so far, and how many of them count.
    looked_at: usize,
    counted: u64,
    /// For each workload, the works that have evicted it so far.
    takers: eviction_claims::Takers,
    /// The outcome, once it is decided.
    outcome: Option<Outcome>,
}

struct Outcome {
    holds: bool,
    seen: String,
    value: Option<ClaimFigure>,
    /// The last time at which the claim did not hold.
    breach_to: Time,
    /// Whether it would hold only because there is nothing to judge.
    vacuous: bool,
    /// What the reader should know although the claim holds.
    note: Option<String>,
    at: Time,
    explanations: Vec<String>,
}

/// All claims of a run.
pub(crate) struct ClaimEvaluator<'a> {
    claims: Vec<ClaimState<'a>>,
    /// Times at which some claim is evaluated, latest first.
    times: Vec<Time>,
    starved: Option<Starved>,
    /// Whether some claim is evaluated after every decision.
    busy: bool,
    /// Whether some of these is about durations, which also grow between events.
    durations: bool,
}

impl<'a> ClaimEvaluator<'a> {
    pub(crate) fn new(scenario: &'a Scenario, options: &RunOptions) -> Self {
        let too_late = |when: When| match when {
            When::At(t) | When::Within(t, _) => options.until.is_some_and(|until| t > until),
            _ => false,
        };
        let judged = |claim: &'a Claim| ClaimState {
            claim,
            selection: Selection::new(claim.what.selector().cloned()),
            by: Selection::new(match &claim.what {
                Predicate::Evictions { by, .. } => by.clone(),
                _ => None,
            }),
            looked_at: 0,
            counted: 0,
            takers: eviction_claims::Takers::new(),
            outcome: None,
        };
        let claims: Vec<ClaimState<'_>> =
            scenario.claims.iter().filter(|c| options.judge && !too_late(c.when)).map(judged).collect();
        let mut times: Vec<Time> = claims.iter().flat_map(|c| times_of(c.claim.when)).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.dedup();
        let guarantees = claims.iter().any(|c| matches!(c.claim.what, Predicate::Guaranteed { .. }));
        let busy = claims.iter().any(|c| !matches!(c.claim.when, When::At(_) | When::Final));
        let durations = |claim: &ClaimState<'_>| {
            let lasts = !matches!(claim.claim.when, When::At(_) | When::Final);
            lasts && matches!(claim.claim.what, Predicate::Guaranteed { .. } | Predicate::JobTime { .. })
        };
        let durations = claims.iter().any(durations);
        Self { claims, times, starved: guarantees.then(Starved::default), busy, durations }
    }

    /// The next time at which an `At` claim is evaluated.
    pub(crate) fn next_time(&self) -> Option<Time> {
        self.times.last().copied()
    }

    /// Evaluates the claims about times up to `time`, once all events up to then have been handled.
    pub(crate) fn at(&mut self, time: Time, view: &RunView<'_>) {
        self.times.pop_if(|t| *t <= time);
        for claim in &mut self.claims {
            match claim.claim.when {
                When::At(t) if t == time => claim.settle(view, self.starved.as_ref(), time),
                // What happens after the end of its interval does not matter.
                When::Within(_, to) if time == to => claim.settle(view, self.starved.as_ref(), time),
                When::Within(from, to) if from <= time && time <= to => {
                    claim.look(view, self.starved.as_ref(), time, true);
                }
                When::Eventually(by) if time <= by => claim.look(view, self.starved.as_ref(), time, false),
                _ => {}
            }
        }
    }

    /// Evaluates claims about durations before time advances to `next`, since durations grow until then.
    pub(crate) fn before(&mut self, next: Time, view: &RunView<'_>) {
        if !self.durations {
            return;
        }
        let starved = self.starved.as_ref();
        let grows = |claim: &&mut ClaimState<'_>| match claim.claim.what {
            Predicate::Guaranteed { .. } => starved.is_some_and(|starved| !starved.is_empty()),
            Predicate::JobTime { .. } => true,
            _ => false,
        };
        for claim in self.claims.iter_mut().filter(grows) {
            claim.watch(view, starved, next);
        }
    }

    /// Evaluates claims after a decision of the scheduler.
    pub(crate) fn decided(&mut self, view: &RunView<'_>) {
        if self.busy {
            for claim in &mut self.claims {
                claim.watch(view, self.starved.as_ref(), view.now());
            }
        }
    }

    /// Evaluates claims after all events of this time have been handled.
    pub(crate) fn settled(&mut self, view: &RunView<'_>) {
        if let Some(starved) = &mut self.starved {
            starved.look(view);
        }
    }

    /// Evaluates the remaining claims at the end of the run, and returns all results in the order of the file, and whether
    /// all runs for comparison were finished. A claim that was not decided before the run was stopped has no result.
    pub(crate) fn finish(mut self, view: &RunView<'_>, run: RunAlone<'_>) -> Result<(ClaimSummary, bool), RunError> {
        let (mut summary, mut finished) = (ClaimSummary::default(), !view.is_stopped);
        for claim in &mut self.claims {
            if let Predicate::NotWorseThanAlone { of, permille } = &claim.claim.what
                && finished
            {
                match alone_run::compare(view, of, *permille, run) {
                    Err(RunError::Stopped { .. }) => finished = false,
                    compared => {
                        let compared = compared?;
                        claim.decide(view, (compared.holds, Seen::Text(compared.seen)), compared.vacuous, view.now());
                    }
                }
            }
            if !view.is_stopped && claim.is_lasting() {
                claim.close(view, self.starved.as_ref());
            }
            let claimed = claim.claim;
            let Some(outcome) = claim.outcome.take() else {
                continue;
            };
            summary.passed += u64::from(outcome.holds);
            summary.failed += u64::from(!outcome.holds);
            let (expected, expected_value) = expected::expected(&claimed.what, claimed.when);
            summary.results.push(ClaimResult {
                claim: claimed.text.clone(),
                line: claimed.line,
                because: claimed.because.clone(),
                passed: outcome.holds,
                vacuous: outcome.vacuous,
                seen: outcome.seen,
                note: outcome.note,
                at_ms: Some(outcome.at.0),
                explanations: outcome.explanations,
                expected,
                expected_value,
                seen_value: outcome.value,
                breach_to_ms: (!outcome.holds).then_some(outcome.breach_to.0),
            });
        }
        Ok((summary, finished))
    }
}

fn times_of(when: When) -> Vec<Time> {
    match when {
        When::At(t) | When::Eventually(t) => vec![t],
        When::Within(from, to) => vec![from, to],
        _ => Vec::new(),
    }
}

impl ClaimState<'_> {
    /// Evaluates a claim that is evaluated after every decision.
    fn watch(&mut self, view: &RunView<'_>, starved: Option<&Starved>, now: Time) {
        match self.claim.when {
            When::Always => self.look(view, starved, now, true),
            When::Never => self.never(view, starved, now),
            When::Eventually(by) if now <= by => self.look(view, starved, now, false),
            When::Within(from, to) if from <= now && now <= to => self.look(view, starved, now, true),
            _ => {}
        }
    }

    /// A claim about something that must never hold is decided as soon as it holds.
    fn never(&mut self, view: &RunView<'_>, starved: Option<&Starved>, now: Time) {
        if !self.is_lasting() || self.outcome.as_ref().is_some_and(|outcome| outcome.holds) {
            return;
        }
        let (holds, seen) = self.measure(view, starved, now);
        match &mut self.outcome {
            Some(failed) if holds => failed.breach_to = now.min(view.now()),
            None if holds => self.conclude(view, false, seen, now),
            _ => {}
        }
    }

    /// Evaluates the claim. The first failure decides it if `deciding_failure` is set, otherwise the first success.
    fn look(&mut self, view: &RunView<'_>, starved: Option<&Starved>, now: Time, deciding_failure: bool) {
        let is_open = self.outcome.as_ref().is_none_or(|outcome| deciding_failure && !outcome.holds);
        if !is_open || !self.is_lasting() {
            return;
        }
        let (holds, seen) = self.measure(view, starved, now);
        if let Some(failed) = &mut self.outcome {
            if !holds {
                failed.breach_to = now.min(view.now());
            }
            return;
        }
        // That nothing is there yet decides nothing.
        let empty = |claim: &mut Self| holds && !claim.claim.allow_empty && claim.vacuous(view).is_some();
        if holds != deciding_failure && !empty(self) {
            self.conclude(view, holds, seen, now);
        }
    }

    /// Whether it can be evaluated while the run goes on.
    const fn is_lasting(&self) -> bool {
        !matches!(self.claim.what, Predicate::NotWorseThanAlone { .. })
    }

    fn settle(&mut self, view: &RunView<'_>, starved: Option<&Starved>, now: Time) {
        if self.outcome.is_none() && self.is_lasting() {
            let (holds, seen) = self.measure(view, starved, now);
            self.conclude(view, holds, seen, now);
        }
    }

    /// Decides the claim at the end of the run.
    fn close(&mut self, view: &RunView<'_>, starved: Option<&Starved>) {
        if self.outcome.is_some() {
            return;
        }
        let now = view.now();
        let cut_short = !view.is_quiet() && view.options.until.is_some_and(|until| until <= now);
        match self.claim.when {
            // A claim about the end is not evaluated where the caller stopped the run before it.
            When::Final if cut_short => {}
            When::Eventually(by) if cut_short && by > now => {}
            // A world in which nothing more can happen stays as it is, but it ends where the scenario says so.
            When::At(time) | When::Within(time, _)
                if time > now && (!view.is_quiet() || view.world.scenario.world.until.is_some()) =>
            {
                let ended = format!("the run ended earlier, at {}", time_text(now.0));
                self.conclude(view, false, Seen::Text(ended), now);
            }
            When::At(time) => self.settle(view, starved, time),
            When::Final => self.settle(view, starved, now),
            When::Always | When::Within(..) => {
                let lasts = match self.claim.when {
                    _ if !view.is_quiet() => now,
                    When::Within(_, to) => to,
                    _ => Time(u64::MAX),
                };
                self.look(view, starved, lasts, true);
                if self.outcome.is_none() {
                    let (_, seen) = self.measure(view, starved, now);
                    self.conclude(view, true, seen, now);
                }
            }
            When::Never => {
                let (holds, seen) = self.measure(view, starved, now);
                self.conclude(view, !holds, seen, now);
            }
            When::Eventually(by) => {
                // Had it held in time, it would be decided, unless it says nothing.
                let (holds, seen) = self.measure(view, starved, now);
                self.conclude(view, holds && now <= by, seen, now);
            }
        }
    }

    fn conclude(&mut self, view: &RunView<'_>, holds: bool, seen: Seen, at: Time) {
        let nothing = if holds { self.vacuous(view) } else { None };
        self.decide(view, (holds, seen), nothing, at);
    }

    /// Decides a claim. `vacuous` is the reason why there was nothing to judge, if so.
    fn decide(&mut self, view: &RunView<'_>, (holds, seen): (bool, Seen), vacuous: Option<String>, at: Time) {
        let at = if at == Time(u64::MAX) { view.now() } else { at };
        let (value, seen, breach_to) = (seen.figure(), seen.to_string(), at);
        let note = self.note(view).filter(|_| holds);
        let outcome = match vacuous.filter(|_| holds) {
            Some(why) if self.claim.allow_empty => {
                Outcome { holds, seen, value, breach_to, vacuous: false, note: Some(why), at, explanations: Vec::new() }
            }
            Some(why) => {
                let seen = format!("vacuous: {why}");
                Outcome {
                    holds: false,
                    seen,
                    value: None,
                    breach_to,
                    vacuous: true,
                    note: None,
                    at,
                    explanations: Vec::new(),
                }
            }
            None => {
                let explanations = if holds { Vec::new() } else { self.explanations(view) };
                Outcome { holds, seen, value, breach_to, vacuous: false, note, at, explanations }
            }
        };
        self.outcome = Some(outcome);
    }

    /// Why the selected workloads are pending.
    fn explanations(&mut self, view: &RunView<'_>) -> Vec<String> {
        self.selection.resolve(view);
        let waiting = view.scheduler.waiting();
        let mut ours = waiting.into_iter().filter(|id| self.selection.has(view, id.0));
        let first: Vec<_> = ours.by_ref().take(EXPLAINED).collect();
        let more = ours.count();
        let names = view.world.names();
        let told = first.into_iter().filter_map(|id| {
            let verdict = view.scheduler.explain(id)?;
            let name = crate::world::unit_name(view.world, id.0);
            Some(format!("{name} is pending. {}", words::verdict(&verdict, &names)))
        });
        told.chain((more > 0).then(|| format!("… and {more} more, which are in `pending` of the run"))).collect()
    }
}

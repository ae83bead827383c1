//! Claims: each is judged at its time, and tells what was seen and when.
//!
//! `At` is judged after everything at that time has settled; `Always`, `Never`, `Eventually` and `Within` after every
//! decision, and, where a claim speaks of durations, also just before time moves on. A claim that is settled is not looked
//! at again.

mod alone_run;
mod eviction_claims;
mod guarantee;
mod measure;
mod nodes;
mod selector;
mod shares;

use crate::{
    engine::Engine,
    model::{Claim, FairnessFigure, Of, Scenario, What, When},
    options::{RunError, RunOptions},
    result::{ClaimResult, ClaimSummary},
    text,
};
use guarantee::Starved;
use quotree_core::Time;
use selector::Selection;

/// How many waiting workloads are explained under a failed claim.
const EXPLAINED: usize = 3;

/// A claim and how it stands.
struct ClaimState<'a> {
    claim: &'a Claim,
    whose: Selection,
    by: Selection,
    /// Evictions looked at so far, and how many of them count.
    looked_at: usize,
    counted: u64,
    /// Who was evicted for whom so far.
    takers: eviction_claims::Takers,
    /// Settled: whether it holds, what was seen, and when.
    outcome: Option<Outcome>,
}

struct Outcome {
    holds: bool,
    seen: String,
    at: Time,
    explanations: Vec<String>,
}

/// All claims of a run.
pub(crate) struct ClaimEvaluator<'a> {
    claims: Vec<ClaimState<'a>>,
    /// Times at which some claim is judged, latest first.
    times: Vec<Time>,
    starved: Option<Starved>,
    /// Whether some claim is judged after every decision.
    busy: bool,
}

impl<'a> ClaimEvaluator<'a> {
    pub(crate) fn new(scenario: &'a Scenario, options: &RunOptions) -> Self {
        let too_late = |when: When| match when {
            When::At(t) | When::Within(t, _) => options.until.is_some_and(|until| t > until),
            _ => false,
        };
        let judged = |claim: &'a Claim| ClaimState {
            claim,
            whose: Selection::new(whose(&claim.what).cloned()),
            by: Selection::new(match &claim.what {
                What::Evictions { by, .. } => by.clone(),
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
        let guarantees = claims.iter().any(|c| matches!(c.claim.what, What::Guaranteed { .. }));
        let busy = claims.iter().any(|c| !matches!(c.claim.when, When::At(_) | When::Final));
        Self { claims, times, starved: guarantees.then(Starved::default), busy }
    }

    /// The next time at which a claim is judged.
    pub(crate) fn next_time(&self) -> Option<Time> {
        self.times.last().copied()
    }

    /// Everything up to `time` has settled.
    pub(crate) fn at(&mut self, time: Time, engine: &Engine<'_>) {
        self.times.pop_if(|t| *t <= time);
        for claim in &mut self.claims {
            match claim.claim.when {
                When::At(t) if t == time => claim.settle(engine, self.starved.as_ref(), time),
                // What comes after its end says nothing about it.
                When::Within(_, to) if time == to => claim.settle(engine, self.starved.as_ref(), time),
                When::Within(from, to) if from <= time && time <= to => {
                    claim.look(engine, self.starved.as_ref(), time, true);
                }
                When::Eventually(by) if time <= by => claim.look(engine, self.starved.as_ref(), time, false),
                _ => {}
            }
        }
    }

    /// Time is about to move on to `next`: durations grow until then.
    pub(crate) fn before(&mut self, next: Time, engine: &Engine<'_>) {
        let Some(starved) = self.starved.as_ref().filter(|s| !s.is_empty()) else {
            return;
        };
        for claim in self.claims.iter_mut().filter(|c| matches!(c.claim.what, What::Guaranteed { .. })) {
            claim.watch(engine, Some(starved), next);
        }
    }

    /// The scheduler has decided.
    pub(crate) fn decided(&mut self, engine: &Engine<'_>) {
        if self.busy {
            for claim in &mut self.claims {
                claim.watch(engine, self.starved.as_ref(), engine.now);
            }
        }
    }

    /// A moment has settled.
    pub(crate) fn settled(&mut self, engine: &Engine<'_>) {
        if let Some(starved) = &mut self.starved {
            starved.look(engine);
        }
    }

    /// The run is over: judges what is left and gives all results in the order of the file.
    pub(crate) fn finish(mut self, engine: &Engine<'_>) -> Result<ClaimSummary, RunError> {
        let mut summary = ClaimSummary::default();
        for claim in &mut self.claims {
            if let What::NotWorseThanAlone { of, permille } = &claim.claim.what {
                let (holds, seen) = alone_run::compare(engine, of, *permille)?;
                claim.conclude(engine, holds, seen, engine.now);
            }
            claim.close(engine, self.starved.as_ref());
            let claimed = claim.claim;
            let Some(outcome) = claim.outcome.take() else {
                continue;
            };
            summary.passed += u64::from(outcome.holds);
            summary.failed += u64::from(!outcome.holds);
            summary.results.push(ClaimResult {
                claim: claimed.text.clone(),
                line: claimed.line,
                because: claimed.because.clone(),
                passed: outcome.holds,
                seen: outcome.seen,
                at_ms: Some(outcome.at.0),
                explanations: outcome.explanations,
            });
        }
        Ok(summary)
    }
}

fn times_of(when: When) -> Vec<Time> {
    match when {
        When::At(t) | When::Eventually(t) => vec![t],
        When::Within(from, to) => vec![from, to],
        _ => Vec::new(),
    }
}

/// Whose pods a claim speaks of.
const fn whose(what: &What) -> Option<&Of> {
    match what {
        What::Pods { of, .. }
        | What::Instances { of, .. }
        | What::Deadlines { of, .. }
        | What::Verdict { of, .. }
        | What::Wait { of, .. }
        | What::LostWork { of, .. }
        | What::UsedTime { of, .. }
        | What::InputWait { of, .. }
        | What::NotWorseThanAlone { of, .. } => Some(of),
        What::Share(claim) => Some(&claim.of),
        What::Evictions { of, .. } | What::Refused { of, .. } => of.as_ref(),
        _ => None,
    }
}

impl ClaimState<'_> {
    /// A claim that is judged again and again is judged now.
    fn watch(&mut self, engine: &Engine<'_>, starved: Option<&Starved>, now: Time) {
        match self.claim.when {
            When::Always => self.look(engine, starved, now, true),
            When::Never => self.never(engine, starved, now),
            When::Eventually(by) if now <= by => self.look(engine, starved, now, false),
            When::Within(from, to) if from <= now && now <= to => self.look(engine, starved, now, true),
            _ => {}
        }
    }

    /// What must never hold is settled the first time it does.
    fn never(&mut self, engine: &Engine<'_>, starved: Option<&Starved>, now: Time) {
        if self.outcome.is_some() || !self.is_lasting() {
            return;
        }
        let (holds, seen) = self.measure(engine, starved, now);
        if holds {
            self.conclude(engine, false, seen.to_string(), now);
        }
    }

    /// Settles the claim if it does (not) hold now: the first failure, or the first success, decides.
    fn look(&mut self, engine: &Engine<'_>, starved: Option<&Starved>, now: Time, deciding_failure: bool) {
        if self.outcome.is_some() || !self.is_lasting() {
            return;
        }
        let (holds, seen) = self.measure(engine, starved, now);
        if holds != deciding_failure {
            self.conclude(engine, holds, seen.to_string(), now);
        }
    }

    /// Whether it can be judged while the run goes on.
    const fn is_lasting(&self) -> bool {
        !matches!(self.claim.what, What::NotWorseThanAlone { .. })
    }

    fn settle(&mut self, engine: &Engine<'_>, starved: Option<&Starved>, now: Time) {
        if self.outcome.is_none() && self.is_lasting() {
            let (holds, seen) = self.measure(engine, starved, now);
            self.conclude(engine, holds, seen.to_string(), now);
        }
    }

    /// The run is over.
    fn close(&mut self, engine: &Engine<'_>, starved: Option<&Starved>) {
        if self.outcome.is_some() {
            return;
        }
        let now = engine.now;
        let cut_short = !engine.ended && engine.options.until.is_some_and(|until| until <= now);
        match self.claim.when {
            // What is claimed of the end is not judged where the caller stopped the run before it.
            When::Final if cut_short => {}
            When::Eventually(by) if cut_short && by > now => {}
            // A world in which nothing more can happen stays as it is.
            When::At(time) | When::Within(time, _) if time > now && !engine.ended => {
                self.conclude(engine, false, format!("the run ended earlier, at {}", text::time_text(now.0)), now);
            }
            When::At(time) => self.settle(engine, starved, time),
            When::Final => self.settle(engine, starved, now),
            When::Always | When::Within(..) => {
                let lasts = match self.claim.when {
                    _ if !engine.ended => now,
                    When::Within(_, to) => to,
                    _ => Time(u64::MAX),
                };
                self.look(engine, starved, lasts, true);
                if self.outcome.is_none() {
                    let (_, seen) = self.measure(engine, starved, now);
                    self.conclude(engine, true, seen.to_string(), now);
                }
            }
            When::Never => {
                let (holds, seen) = self.measure(engine, starved, now);
                self.conclude(engine, !holds, seen.to_string(), now);
            }
            When::Eventually(_) => {
                let (_, seen) = self.measure(engine, starved, now);
                self.conclude(engine, false, seen.to_string(), now);
            }
        }
    }

    fn conclude(&mut self, engine: &Engine<'_>, holds: bool, seen: String, at: Time) {
        let at = if at == Time(u64::MAX) { engine.now } else { at };
        let explanations = if holds { Vec::new() } else { self.explanations(engine) };
        self.outcome = Some(Outcome { holds, seen, at, explanations });
    }

    /// Why those wait whom the claim speaks of.
    fn explanations(&mut self, engine: &Engine<'_>) -> Vec<String> {
        self.whose.resolve(engine);
        let waiting = engine.core.scheduler().waiting();
        let ours = waiting.into_iter().filter(|id| self.whose.has(engine, id.0)).take(EXPLAINED);
        let names = engine.names();
        let told = ours.filter_map(|id| {
            let verdict = engine.core.scheduler().explain(id)?;
            let name = crate::world::unit_name(engine.scenario, &engine.world, id.0);
            Some(format!("{name} is pending. {}", text::verdict(&verdict, &names)))
        });
        told.collect()
    }
}

/// The place of a fairness figure in [`Engine::fairness`].
const fn place(figure: FairnessFigure) -> usize {
    match figure {
        FairnessFigure::Jain => 0,
        FairnessFigure::FairnessError => 1,
        FairnessFigure::DominantShareGap => 2,
    }
}

//! Claims over seeds: in how many they hold, what that says about all seeds, and whether one seed could have decided it.

use crate::{
    facts::Facts,
    stats::{Interval, Share},
    study::ClaimText,
};
use serde::Serialize;

/// A claim over the seeds of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The claim as written.
    pub claim: String,
    /// Its line.
    pub line: u32,
    /// Why it should hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// In how many runs it holds.
    pub held: u64,
    /// In how many runs it was judged.
    pub runs: u64,
    /// Whether the claim counts as holding: it holds in at least the demanded share of the runs.
    pub holds: bool,
    /// The share of all seeds with which it holds, at 95 % confidence; absent where all runs are the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Whether the runs decide it: the demanded share is outside of the interval, or all runs are the same run.
    pub decided: bool,
    /// Whether it was judged by the run of one seed only, because it pins that run (a digest, an outcome file).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The first seeds with which it does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failing_seeds: Vec<u64>,
    /// What was observed with the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Whether it holds with the first seed, which a single run would have.
    pub first_holds: bool,
}

/// How many failing seeds are listed.
const LISTED: usize = 8;

impl Judged {
    /// Whether the claim holds with some seeds and fails with others, so that a run with one seed can mislead.
    #[must_use]
    pub const fn one_seed_misleads(&self) -> bool {
        self.held > 0 && self.held < self.runs
    }
}

/// All claims of a case over its runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The share of seeds with which a claim must hold, ten-thousandths.
    pub share: Share,
    /// Whether all runs are the same run: the seed has no influence.
    pub same_run: bool,
    /// The claims, in the order of the file.
    pub claims: Vec<Judged>,
}

impl Verdict {
    /// Judges the claims of a case by its runs, each with its seed, in the order of the seeds.
    #[must_use]
    pub fn of(claims: &[ClaimText], runs: &[(u64, &Facts)], share: Share) -> Self {
        let same_run = is_same_run(runs);
        let judge = |(index, claim): (usize, &ClaimText)| judged(index, claim, runs, share, same_run);
        Self { share, same_run, claims: claims.iter().enumerate().filter_map(judge).collect() }
    }

    /// Whether all claims hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.claims.iter().all(|claim| claim.holds)
    }

    /// The claims that the runs do not decide.
    pub fn undecided(&self) -> impl Iterator<Item = &Judged> {
        self.claims.iter().filter(|claim| !claim.decided)
    }
}

/// Whether several runs are one and the same run.
#[must_use]
pub fn is_same_run(runs: &[(u64, &Facts)]) -> bool {
    let mut digests = runs.iter().map(|(_, facts)| &facts.digest);
    let first = digests.next();
    runs.len() > 1 && digests.all(|digest| Some(digest) == first)
}

fn judged(index: usize, claim: &ClaimText, runs: &[(u64, &Facts)], share: Share, same_run: bool) -> Option<Judged> {
    // A claim about a time that the runs did not reach has no outcome.
    let outcome = |(seed, facts): &(u64, &Facts)| Some((*seed, facts.claims.get(index)?.clone()));
    let judged = runs.iter().filter_map(outcome);
    let outcomes: Vec<_> = if claim.pins_one_run { judged.take(1).collect() } else { judged.collect() };
    let (_, first) = outcomes.first()?;
    let held = outcomes.iter().filter(|(_, outcome)| outcome.holds).count() as u64;
    let count = outcomes.len() as u64;
    let failing: Vec<_> = outcomes.iter().filter(|(_, outcome)| !outcome.holds).collect();
    let certain = same_run || claim.pins_one_run;
    Some(Judged {
        claim: claim.claim.clone(),
        line: claim.line,
        because: claim.because.clone(),
        held,
        runs: count,
        holds: share.is_reached(held, count),
        interval: (!certain).then(|| Interval::of(held, count)),
        decided: certain || !Interval::includes(held, count, share),
        pinned: claim.pins_one_run,
        failing_seeds: failing.iter().take(LISTED).map(|(seed, _)| *seed).collect(),
        seen: failing.first().map(|(_, outcome)| outcome.seen.clone()),
        first_holds: first.holds,
    })
}

//! Gates: conditions on the figures of two runs under which a change is refused, as in `diff --fail-if 'wait.p95 of nlp > +10%'`. All
//! arithmetic is of integers.

pub(crate) mod amount;
mod parse;
pub(crate) mod show;

pub use parse::GateError;

use crate::{
    facts::{ClaimFact, Facts, Key},
    judged::Verdict,
    stats::{Observed, Share},
    study::ClaimText,
};
use std::fmt;

/// A condition under which a change is refused.
///
/// ```
/// use quotree_study::Gate;
/// let gate = Gate::parse("wait.p95 of nlp > +10%").unwrap();
/// assert_eq!(gate.to_string(), "wait.p95 of nlp > +10%");
/// assert_eq!(Gate::parse("wait.p95 > 10 %%").unwrap_err().column, 12);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// As it was written.
    text: String,
    /// The figure that is compared.
    pub key: Key,
    op: Op,
    bound: Bound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Less,
    AtMost,
    AtLeast,
    More,
}

/// What a figure is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The figure of the second run, in the unit of the figure.
    Value(i128),
    /// The second minus the first, in the unit of the figure.
    Change(i128),
    /// The change in ten-thousandths of the first.
    Relative(i128),
}

impl Bound {
    /// The two numbers to compare, what is judged and what bounds it; nothing if the run that is needed lacks the figure.
    pub(crate) fn sides(self, a: Option<i128>, b: Option<i128>) -> Option<(i128, i128)> {
        let change = || Some(b? - a?);
        Some(match self {
            Self::Value(bound) => (b?, bound),
            Self::Change(bound) => (change()?, bound),
            // Change / first against bound / 10,000, without a division: from nothing, any growth is infinite.
            Self::Relative(bound) => (change()?.saturating_mul(10_000), bound.saturating_mul(a?)),
        })
    }
}

impl Op {
    fn holds(self, left: i128, right: i128) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::AtLeast => left >= right,
            Self::More => left > right,
        }
    }
}

/// What a gate says of two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gated {
    /// Whether the change is refused.
    pub fails: bool,
    /// The figure in the first run; nothing if the run does not have it.
    pub a: Option<Observed>,
    /// The figure in the second run.
    pub b: Option<Observed>,
    /// What was observed, in a clause: `5m → 7m (+40 %)`.
    pub seen: String,
}

impl Gate {
    /// Judges two runs. A figure that a run does not have, such as the wait of a team without jobs, cannot be judged, which fails: a gate
    /// must not open because there was nothing to see.
    #[must_use]
    pub fn judge(&self, first: &Facts, second: &Facts) -> Gated {
        let (a, b) = (first.get(&self.key), second.get(&self.key));
        let seen = show::both(&self.key, a, b);
        let sides = self.bound.sides(a.map(|a| a.value), b.map(|b| b.value));
        let judged = sides.map(|(seen, bound)| self.op.holds(seen, bound));
        match judged {
            Some(fails) => Gated { fails, a, b, seen },
            None => Gated { fails: true, a, b, seen: format!("{seen}; there is nothing to judge") },
        }
    }

    /// Judges several pairs of runs, each with its seed, in the order of the seeds, as claims over seeds are judged: that it does not fail
    /// must hold with the demanded share of the seeds.
    #[must_use]
    pub fn over_seeds(gates: &[Self], runs: &[(u64, &Facts, &Facts)], share: Share) -> Verdict {
        let claim = |gate: &Self| ClaimText { claim: gate.text.clone(), line: 0, because: None, pins_one_run: false };
        let claims: Vec<ClaimText> = gates.iter().map(claim).collect();
        let facts = |(seed, a, b): &(u64, &Facts, &Facts)| {
            let fact = |gate: &Self| {
                let Gated { fails, seen, .. } = gate.judge(a, b);
                ClaimFact { holds: !fails, seen, value: None }
            };
            let claims = gates.iter().map(fact).collect();
            let digest = format!("{} {}", a.digest, b.digest);
            (*seed, Facts { digest, end_ms: b.end_ms, claims, worst_outage: None, figures: Vec::new() })
        };
        let facts: Vec<(u64, Facts)> = runs.iter().map(facts).collect();
        let facts: Vec<(u64, &Facts)> = facts.iter().map(|(seed, facts)| (*seed, facts)).collect();
        Verdict::of(&claims, &facts, share)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

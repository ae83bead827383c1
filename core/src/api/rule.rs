//! The rules, as reasons and verdicts cite them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule, as reasons cite it; [`doc`](Self::doc) gives what it says. The order of the variants is part of digests: a
/// new one is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are the rule numbers; `Rule::doc` tells what each one says")]
pub enum Rule {
    A1,
    A2,
    A4,
    A5,
    O2,
    P1,
    R1,
    R2,
    R2a,
    R2b,
    R2c,
    R5,
    R6,
    R7,
    R8,
    G1,
    G2,
    G3,
    H1,
    T4,
    V1,
    V5,
    O4,
}

impl Rule {
    /// What the rule says in one sentence, and where the rule book states it.
    ///
    /// ```
    /// use quotree_core::Rule;
    /// let doc = Rule::R2b.doc();
    /// assert_eq!(doc.link, "docs/rules.md#r2b");
    /// assert!(doc.sentence.contains("guarantee"));
    /// ```
    #[must_use]
    pub fn doc(self) -> RuleDoc {
        let link = format!("docs/rules.md#{}", format!("{self:?}").to_lowercase());
        RuleDoc { link, sentence: self.sentence() }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::A1 => "on every quota of the path, use plus request must stay within max",
            Self::A2 => "non-preemptible use plus request must stay within min on the whole path",
            Self::A4 => "a pod whose namespace is on no leaf has no quota",
            Self::A5 => "a quota admits at most max_jobs workloads at once",
            Self::O2 => "in a leaf with strict queueing, no workload passes the first",
            Self::P1 => "a node must be schedulable, match the pod's demands and have the room",
            Self::R1 => {
                "in its own leaf a workload may displace strictly lower priorities, without making the leaf borrow more"
            }
            Self::R2 => "a leaf within its guarantee reclaims it from leaves above theirs",
            Self::R2a => "only a workload whose side stays within its guarantee may reclaim",
            Self::R2b => "a leaf at or under its guarantee is not reclaimed from",
            Self::R2c => "non-preemptible pods, terminating pods and pods in their protected runtime are no victims",
            Self::R5 => "a victim must help: its eviction frees room or quota that is missing",
            Self::R6 => "nobody is evicted unless the whole workload can be placed afterwards",
            Self::R7 => "an exhausted disruption budget protects its pods",
            Self::R8 => "the policy switches this kind of preemption off",
            Self::G1 => "a gang is placed whole or not at all",
            Self::G2 => "a gang that would fall below its minimum is evicted whole",
            Self::G3 => "a gang below its minimum for too long is evicted whole",
            Self::H1 => "a preemptor reserves what it needs of the room it waits for",
            Self::T4 => "use above a lowered max is evicted after the stated time",
            Self::V1 => "victims are picked in order: lowest priority, largest overuse, latest started",
            Self::V5 => "where picking in order finds nothing for an entitled workload, sets of victims are searched",
            Self::O4 => "a workload that cannot run, whatever ends, holds up nobody",
        }
    }
}

/// What is written about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDoc {
    /// Its place in the rule book, from the root of the repository.
    pub link: String,
    /// The rule in one sentence.
    pub sentence: &'static str,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::R2a => f.write_str("R2(a)"),
            Self::R2b => f.write_str("R2(b)"),
            Self::R2c => f.write_str("R2(c)"),
            rule => write!(f, "{rule:?}"),
        }
    }
}

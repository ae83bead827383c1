//! The rules, as reasons and verdicts cite them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule of the rule book, as reasons cite it; [`doc`](Self::doc) gives what it says. The order of the variants is part of digests: a
/// new one is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are the rule numbers; `Rule::doc` says what each one demands")]
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
    E2,
    R9,
    E6,
}

impl Rule {
    /// The number of the rule, as reasons cite it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A1 => "A1",
            Self::A2 => "A2",
            Self::A4 => "A4",
            Self::A5 => "A5",
            Self::O2 => "O2",
            Self::P1 => "P1",
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::R2a => "R2(a)",
            Self::R2b => "R2(b)",
            Self::R2c => "R2(c)",
            Self::R5 => "R5",
            Self::R6 => "R6",
            Self::R7 => "R7",
            Self::R8 => "R8",
            Self::G1 => "G1",
            Self::G2 => "G2",
            Self::G3 => "G3",
            Self::H1 => "H1",
            Self::T4 => "T4",
            Self::V1 => "V1",
            Self::V5 => "V5",
            Self::O4 => "O4",
            Self::E2 => "E2",
            Self::R9 => "R9",
            Self::E6 => "E6",
        }
    }

    /// The rule in one sentence, and where the rule book states it.
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
            Self::A1 => "on every quota from the leaf to the root, usage plus request must stay within max",
            Self::A2 => {
                "on every quota from the leaf to the root, the usage of non-preemptible pods plus request must stay within min"
            }
            Self::A4 => {
                "a pod whose namespace is attached to no leaf quota stays pending, unless the policy lets it run without a quota"
            }
            Self::A5 => "a quota admits at most max_jobs workloads at once",
            Self::O2 => "in a leaf with strict queueing, no workload starts before the first of the queue",
            Self::P1 => {
                "a node must take new pods, match the node selector and tolerations of the pod, and have enough free"
            }
            Self::R1 => {
                "in its own leaf a workload may preempt pods of lower priority, without making the leaf borrow more"
            }
            Self::R2 => "a leaf that uses less than its guarantee reclaims it from leaves that use more than theirs",
            Self::R2a => {
                "a workload may reclaim only if the quotas on its own branch stay within their guarantees with it"
            }
            Self::R2b => "nothing is reclaimed from a branch of which a quota uses no more than its guarantee",
            Self::R2c => {
                "non-preemptible pods, terminating pods and pods in their protected runtime are not evicted for others"
            }
            Self::R5 => "a pod is evicted only if that frees room or quota that the preemptor lacks",
            Self::R6 => "no pod is evicted unless all pods that the preemptor needs can be placed afterwards",
            Self::R7 => "a disruption budget that allows no more evictions protects its pods",
            Self::R8 => "the policy switches this kind of preemption off",
            Self::G1 => "the minimum of a gang is placed together or not at all",
            Self::G2 => "a gang that would fall below its minimum is evicted as a whole",
            Self::G3 => "a gang that is below its minimum for too long is evicted as a whole",
            Self::H1 => "a preemptor reserves the room that it needs until its victims are gone",
            Self::T4 => "pods above a max that was lowered are evicted after the time that the policy states",
            Self::V1 => "victims are picked in order: lowest priority, largest overuse, latest started",
            Self::V5 => {
                "if victims in that order do not make enough room for an entitled workload, other sets of victims are searched"
            }
            Self::O4 => "a workload that cannot run with these quotas and nodes, whatever ends, does not block others",
            Self::E2 => {
                "a workload of which an eviction failed is not evicted again before something is reported about it"
            }
            Self::E6 => "a workload of which a bind failed waits for a while before it is tried again",
            Self::R9 => "a workload that asks not to evict others waits for room, and nobody is evicted for it",
        }
    }
}

/// The text about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDoc {
    /// Its place in the rule book, from the root of the repository.
    pub link: String,
    /// The rule in one sentence.
    pub sentence: &'static str,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

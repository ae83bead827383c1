//! Findings: what happened in the run, as sentences whose parts are data. Readers can print them in any form, and
//! programs can count them.

use super::{Amount, AmountTime, Ms};
use serde::{Deserialize, Serialize};

/// A sentence about the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind of finding.
    pub kind: FindingKind,
    /// Its importance; findings are sorted by it, the largest first. It is usually in thousandths of the worst case of
    /// this kind.
    pub weight: u64,
    /// The most relevant moment: the worst one.
    pub at_ms: Ms,
    /// When it began, if it took time. For something that holds throughout, the beginning of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<Ms>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<Ms>,
    /// The sentence, in pieces; subjects and amounts are pieces of their own.
    pub pieces: Vec<Piece>,
}

impl Finding {
    /// Whether the finding is about the whole of a run that ends at this time.
    #[must_use]
    pub fn is_of_whole_run(&self, end_ms: Ms) -> bool {
        self.from_ms == Some(0) && self.to_ms.is_some_and(|to| to >= end_ms)
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A claim failed, or an invariant was violated.
    Failed,
    /// A leaf used guarantees that others did not use.
    Borrowed,
    /// A guarantee was reclaimed by eviction.
    TakenBack,
    /// Another eviction: by priority, because of a lowered max, or of a gang below its minimum.
    Evicted,
    /// A leaf did not get its guarantee although its pods were pending.
    Missed,
    /// Enough was free on all nodes together, but not on one node.
    Fragmented,
    /// A long wait.
    Waited,
    /// Nodes failed, were drained, or joined or left.
    Incident,
    /// The tree was edited; with the effects of the edit.
    QuotaEdit,
    /// A submission or an edit was refused.
    Refused,
    /// A deadline was missed, a job failed, or work was lost.
    Lost,
    /// Something is unfinished at the end.
    Unfinished,
    /// Resources were idle, although pods were pending or because none were.
    Idle,
    /// Any other finding.
    Note,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Words, including the spaces between pieces.
    Text(String),
    /// A name, which is a link to its details.
    Subject {
        /// What kind of thing it is.
        kind: SubjectKind,
        /// The name, equal to the `name` in its table.
        name: String,
    },
    /// An amount with its unit.
    Amount(Amount),
    /// An amount integrated over time, with its unit.
    AmountTime(AmountTime),
    /// A duration.
    Span(Ms),
    /// A moment.
    Moment(Ms),
    /// A number.
    Count(u64),
    /// Thousandths of a whole.
    Permille(u64),
    /// Money, thousandths.
    MoneyMilli(u128),
    /// A rule.
    Rule(String),
}

/// The kind of thing that a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say it")]
pub enum SubjectKind {
    Quota,
    Job,
    Pod,
    Node,
    User,
    Group,
    Rack,
    Dataset,
}

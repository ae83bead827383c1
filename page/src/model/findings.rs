//! What happened, in sentences whose parts are data: readers can print them in any form, and machines can count them.

use super::{Amount, AmountTime, Ms};
use serde::{Deserialize, Serialize};

/// A sentence about the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind of finding.
    pub kind: FindingKind,
    /// How much it matters; the largest first. Thousandths of the run's worst case of this kind are a good measure.
    pub weight: u64,
    /// The moment to look at: the worst one.
    pub at_ms: Ms,
    /// When it began and ended, if it took time. Equal to the run for what holds throughout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<Ms>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<Ms>,
    /// The sentence. Subjects and amounts are among its pieces.
    pub pieces: Vec<Piece>,
}

impl Finding {
    /// Whether it holds throughout a run that ends then.
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
    /// Somebody ran on what others lent.
    Borrowed,
    /// A guarantee was taken back by eviction.
    TakenBack,
    /// Another eviction: by priority, by a drain of a quota, of a stale gang.
    Evicted,
    /// A guarantee was not given to pods that waited for it.
    Missed,
    /// Enough was free in all, but not on one node.
    Fragmented,
    /// A long wait.
    Waited,
    /// Nodes failed, or came and went.
    Incident,
    /// The tree was edited, and what came of it.
    QuotaEdit,
    /// A submission or an edit was refused.
    Refused,
    /// A deadline was missed, a job failed, or work was lost.
    Lost,
    /// Something is unfinished at the end.
    Unfinished,
    /// What there was lay idle although somebody asked for it, or nobody asked.
    Idle,
    /// A finding of no other kind.
    Note,
}

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Words, with the spaces between pieces.
    Text(String),
    /// A name, which opens its story.
    Subject {
        /// What kind of thing it is.
        kind: SubjectKind,
        /// The name, equal to the `name` in its table.
        name: String,
    },
    /// An amount with its unit.
    Amount(Amount),
    /// An integral with its unit.
    AmountTime(AmountTime),
    /// A span.
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

/// What a name is the name of.
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

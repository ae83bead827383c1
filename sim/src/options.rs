//! What a run can be asked for besides the scenario, and what it gives back.

use crate::{result::RunResult, text::time_text};
use quotree_core::{EventError, Finding, Log, Time};
use serde::Serialize;

/// How to run a scenario. The default judges its claims, keeps no log and checks no invariants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// Check the invariants after every decision and tell what is broken in [`RunResult::breaches`]. Takes time linear in
    /// everything there is, every time.
    pub audit: bool,
    /// Keep the log of all facts and decisions ([`Run::log`]). Takes memory for every fact.
    pub record: bool,
    /// Stop after everything that happens at this time; claims about later times are then not judged.
    pub until: Option<Time>,
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// Tell the story of this pod, or of all pods of this workload ([`Run::story`]).
    pub timeline_of: Option<String>,
    /// Integrate the fairness error over time. Takes time linear in the tree at every moment in which something happens.
    pub fairness_integral: bool,
    /// Whether claims are judged at all.
    pub judge: bool,
    /// How many waiting workloads are listed at the end, oldest id first; the counts are always complete.
    pub pending_rows: usize,
    /// How many of those listed are explained; explaining may search the whole cluster.
    pub explained_rows: usize,
    /// How many pods each list of an explanation names; the counts are always complete.
    pub named_pods: usize,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            audit: false,
            record: false,
            until: None,
            seed: None,
            timeline_of: None,
            fairness_integral: true,
            judge: true,
            pending_rows: 10_000,
            explained_rows: 1_000,
            named_pods: 8,
        }
    }
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// What came out.
    pub result: RunResult,
    /// Everything the scheduler was told and asked, where it was to be recorded.
    pub log: Option<Log>,
    /// The story that was asked for, in order of time.
    pub timeline: Vec<TimelineEntry>,
    /// What became of the pods in it, by age.
    pub timeline_pods: Vec<TimelinePod>,
}

/// Something that happened to a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When, milliseconds.
    pub at_ms: u64,
    /// To whom: a pod, or a workload of several pods as one.
    pub pod: String,
    /// What, in a word.
    pub event: TimelineEvent,
    /// What, in a sentence without its subject.
    pub what: String,
    /// The rule that bound it, or by which it was evicted or evicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Who else: its victim, for whom it was evicted, whom it replaces, or who replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// How long it had waited, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_ms: Option<u64>,
    /// Why it waits, as in `summary.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<serde_json::Value>,
}

/// What can happen to a pod in its story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimelineEvent {
    /// It was created.
    Submitted,
    /// It joined a workload that was there.
    Joined,
    /// It waits, for another reason than before.
    Waits,
    /// It was given a node.
    Bound,
    /// It runs, where that came later than the decision.
    Runs,
    /// Another pod is evicted for it.
    Evicts,
    /// It is evicted.
    Evicted,
    /// It has evicted, and holds the room until its victims have left.
    Holds,
    /// It holds no more, and was not bound.
    Released,
    /// It ended, or left.
    Ended,
    /// Its controller made another one in its place.
    Recreated,
    /// Its bind failed, and it waits again.
    BindFailed,
    /// Its node is drained, and it was told to go.
    Drained,
    /// The request to evict it was lost, and it runs on for now.
    EvictionLost,
    /// It stands in a job queue, unknown to the scheduler.
    Suspended,
    /// Its job queue let it out.
    LetOut,
}

/// What became of a pod in a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelinePod {
    /// Which.
    pub pod: String,
    /// What it is doing, or how it ended: waiting, binding, running, leaving, succeeded, failed, evicted or deleted.
    pub state: String,
    /// Since when, milliseconds.
    pub since_ms: u64,
    /// Where it is, if anywhere.
    pub node: Option<String>,
    /// The pod or workload in whose place it was made.
    pub replaces: Option<String>,
    /// The pod or workload that was made in its place.
    pub replaced_by: Option<String>,
}

/// Why a run came to no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The quota tree of the scenario is not valid.
    #[error("the quota tree is invalid ({} findings), first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Tree(Vec<Finding>),
    /// The scheduler refused a fact: the simulated world and the scheduler disagree about what there is.
    #[error("at {} the scheduler refused the event about {what}: {error}", time_text(.at.0))]
    Refused {
        /// When.
        at: Time,
        /// What it was told, with names.
        what: String,
        /// Why it refused.
        error: EventError,
    },
    /// The scheduler decided about a pod that does not exist, or is in no state for it.
    #[error("at {} the scheduler made an impossible decision: {what}", time_text(.at.0))]
    Impossible {
        /// When.
        at: Time,
        /// What, with ids.
        what: String,
    },
    /// More events than the scenario allows.
    #[error("more than {most} events by {}; if that is intended, raise `max_events`", time_text(.at.0))]
    TooManyEvents {
        /// When.
        at: Time,
        /// The most that are allowed.
        most: u64,
    },
    /// Decisions at one moment do not come to an end.
    #[error("at {} the scheduler does not settle: {rounds} decisions at one moment, and each changed the state", time_text(.at.0))]
    Unsettled {
        /// When.
        at: Time,
        /// How many decisions there were.
        rounds: u32,
    },
    /// More pods than can be numbered.
    #[error("more than {most} pods in one run, which is the most that can be numbered")]
    TooManyPods {
        /// The most.
        most: u32,
    },
}

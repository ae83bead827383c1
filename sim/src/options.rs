//! What a run can be asked for besides the scenario, and what it gives back.

use crate::result::RunResult;
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
    pub story_of: Option<String>,
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
            story_of: None,
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
    pub story: Vec<StoryLine>,
}

/// Something that happened to a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryLine {
    /// When, milliseconds.
    pub at_ms: u64,
    /// To whom: a pod, or a workload of several pods as one.
    pub pod: String,
    /// What, in a sentence.
    pub what: String,
}

/// Why a run came to no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The quota tree of the scenario is not valid.
    #[error("the quota tree has {} findings, the first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Tree(Vec<Finding>),
    /// The scheduler refused a fact: the simulated world and the scheduler disagree about what there is.
    #[error("at {} ms the scheduler refused {what}: {error}", .at.0)]
    Refused {
        /// When.
        at: Time,
        /// What it was told, with names.
        what: String,
        /// Why it refused.
        error: EventError,
    },
    /// The scheduler decided about a pod that does not exist, or is in no state for it.
    #[error("at {} ms the scheduler decided the impossible: {what}", .at.0)]
    Impossible {
        /// When.
        at: Time,
        /// What, with ids.
        what: String,
    },
    /// More events than the scenario allows.
    #[error("more than {most} events by {} ms: raise `max_events` if that is meant", .at.0)]
    TooManyEvents {
        /// When.
        at: Time,
        /// The most that are allowed.
        most: u64,
    },
    /// Decisions at one moment do not come to an end.
    #[error("the scheduler still changes its mind at {} ms after {rounds} decisions at that moment", .at.0)]
    Unsettled {
        /// When.
        at: Time,
        /// How many decisions there were.
        rounds: u32,
    },
    /// More pods than can be numbered.
    #[error("more than {most} pods in one run")]
    TooManyPods {
        /// The most.
        most: u32,
    },
}

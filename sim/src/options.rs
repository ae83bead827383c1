//! The options of a run, its outcome, and its errors.

use crate::{
    history::{History, VerdictHistory},
    result::RunResult,
};
use quotree_core::{EventError, Finding, Log, Time};
use quotree_syntax::time_text;
use serde::Serialize;
use std::num::NonZeroU32;

/// How to run a scenario. The default evaluates its claims, keeps no log and checks no invariants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// Check the invariants after every decision and report broken ones in [`RunResult::breaches`]. Every check takes time
    /// linear in the size of the cluster.
    pub audit: bool,
    /// With `audit`: check only the first of every N decisions in full. The check that two workloads do not evict
    /// each other again and again (I7) covers all decisions.
    pub audit_every: NonZeroU32,
    /// Keep the log of all events and decisions ([`Run::log`]). Takes memory for every event.
    pub record: bool,
    /// Stop after all events of this time; claims about later times are then not evaluated. This time may not be after
    /// the `until` of the scenario.
    pub until: Option<Time>,
    /// Integrate all figures up to this time, so that they can be compared with those of a longer run. This applies if
    /// the run ends by itself before, and neither the scenario nor `until` gives an end.
    pub horizon: Option<Time>,
    /// A seed in place of the scenario's.
    pub seed: Option<u64>,
    /// Write the timeline of this pod, or of all pods of this workload ([`Run::timeline`]).
    pub timeline_of: Option<String>,
    /// Integrate the fairness error over time. Takes time linear in the tree at every time with an event.
    pub fairness_integral: bool,
    /// Collect the history for the report ([`Run::history`]): series, and a row for each job, pod, wait and eviction.
    pub history: bool,
    /// Which pods are explained in full, and when ([`Run::explained`]); [`questions`](crate::history::questions)
    /// computes such a list.
    pub explain: Vec<Question>,
    /// Whether claims are evaluated at all.
    pub judge: bool,
    /// How many jobs are listed at the end, in order of submission. The default is all of them.
    pub job_rows: usize,
    /// How many waiting workloads are listed at the end, oldest id first. The default is all of them.
    pub pending_rows: usize,
    /// How many of these rows are explained in full, which may search the whole cluster. The others have only the limit
    /// that binds, and no verdict.
    pub explained_rows: usize,
    /// A bound on the cost of all full explanations at the end: how many pending workloads they may copy together,
    /// since each explanation copies the state several times. At least one row is explained in full; where fewer than
    /// ten are affordable, they come without advice. By default, all `explained_rows` are affordable with 3,000 pending
    /// workloads, and 3 without advice with a million.
    pub explained_state: usize,
    /// How many pods each list of an explanation names; the counts are always complete.
    pub named_pods: usize,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            audit: false,
            audit_every: NonZeroU32::MIN,
            record: false,
            until: None,
            horizon: None,
            seed: None,
            timeline_of: None,
            fairness_integral: true,
            history: false,
            explain: Vec::new(),
            judge: true,
            job_rows: usize::MAX,
            pending_rows: usize::MAX,
            explained_rows: 1_000,
            explained_state: 3_000_000,
            named_pods: 8,
        }
    }
}

/// A question why a pod waits at a moment, after all events of that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// The moment, milliseconds.
    pub at_ms: u64,
    /// The pod, numbered as in [`History::pods`].
    pub pod: u32,
}

/// A restart of the scheduler in a run (E4).
#[derive(Debug, Clone)]
pub struct Restart {
    /// When.
    pub at: Time,
    /// The log up to it, if requested. What follows is in the log of the next restart, or in that of the run.
    pub before: Option<Log>,
    /// With how many events the log after it begins by which the new scheduler learns what a LIST shows.
    pub listed: usize,
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The result.
    pub result: RunResult,
    /// The log of everything that the scheduler received and decided since its last restart, if requested.
    pub log: Option<Log>,
    /// The restarts of the scheduler, in order.
    pub restarts: Vec<Restart>,
    /// The requested timeline, in order of time.
    pub timeline: Vec<TimelineEntry>,
    /// The pods of the timeline at the end of the run, oldest first.
    pub timeline_pods: Vec<TimelinePod>,
    /// The history, if requested.
    pub history: Option<Box<History>>,
    /// The requested full reasons, by time and pod. There is none for a pod that did not wait at that moment.
    pub explained: Vec<VerdictHistory>,
}

/// An entry of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When, milliseconds.
    pub at_ms: u64,
    /// The pod, or the workload if the entry concerns all its pods.
    pub pod: String,
    /// The kind of event.
    pub event: TimelineEvent,
    /// What happened, in a sentence without its subject.
    pub what: String,
    /// The rule that blocks the pod, or by which it is evicted or evicts others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The other pod or workload: its victim, the preemptor that it was evicted for, the one that it replaces, or its
    /// replacement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// How long it had been pending, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_ms: Option<u64>,
    /// Why it is pending, as in `summary.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<serde_json::Value>,
}

/// The kinds of events in a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimelineEvent {
    /// It was created.
    Submitted,
    /// It joined a workload that existed.
    Joined,
    /// It is pending, for another reason than before.
    Waits,
    /// The scheduler decided to bind it to a node.
    Bound,
    /// It runs, if that happened later than the decision.
    Runs,
    /// Another pod is evicted for it.
    Evicts,
    /// It is evicted.
    Evicted,
    /// It has evicted pods, and has a reservation until they are gone.
    Holds,
    /// Its reservation ended before it was bound.
    Released,
    /// It ended, or an evicted pod is gone.
    Ended,
    /// Its controller created a replacement.
    Recreated,
    /// Its bind failed, and it is pending again.
    BindFailed,
    /// Its node is drained, and it is terminating.
    Drained,
    /// The request to evict it was lost, and it keeps running for now.
    EvictionLost,
    /// The API refuses to evict it, and it keeps running for now.
    EvictionRefused,
    /// Its refused eviction was given up, and it goes on.
    EvictionFailed,
    /// It requests other amounts (E5).
    Resized,
    /// A job queue suspends it: the scheduler does not know it.
    Suspended,
    /// Its job queue released it.
    LetOut,
}

/// A pod of a timeline at the end of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelinePod {
    /// Its name.
    pub pod: String,
    /// Its state: waiting, binding, running, leaving, succeeded, failed, evicted or deleted.
    pub state: String,
    /// Since when, milliseconds.
    pub since_ms: u64,
    /// Its node, if it has one.
    pub node: Option<String>,
    /// The pod or workload that it replaces.
    pub replaces: Option<String>,
    /// The pod or workload that replaces it.
    pub replaced_by: Option<String>,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The quota tree of the scenario is not valid.
    #[error("the quota tree is invalid ({} findings), first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Tree(Vec<Finding>),
    /// The scheduler refused an event: the simulated world and the scheduler disagree.
    #[error("at {} the scheduler refused the event about {what}: {error}", time_text(.at.0))]
    Refused {
        /// The time.
        at: Time,
        /// The event, with names.
        what: String,
        /// Why the scheduler refused it.
        error: EventError,
    },
    /// The scheduler decided about a pod that does not exist or is in the wrong state.
    #[error("at {} the scheduler made an impossible decision: {what}", time_text(.at.0))]
    Impossible {
        /// The time.
        at: Time,
        /// The action, with ids.
        what: String,
    },
    /// More events than the scenario allows.
    #[error("more than {most} events by {}; if that is intended, raise `max_events`", time_text(.at.0))]
    TooManyEvents {
        /// The time.
        at: Time,
        /// The largest number allowed.
        most: u64,
    },
    /// The decisions at one time do not end.
    #[error("at {} the scheduler does not settle: {rounds} decisions at one moment, and each changed the state", time_text(.at.0))]
    Unsettled {
        /// The time.
        at: Time,
        /// How many decisions there were.
        rounds: u32,
    },
    /// The requested end of the run is after the end of the scenario.
    #[error(
        "{} is after the end of the scenario, which has `until: {}`; give a time up to that, or raise `until`",
        time_text(.at.0), time_text(.until.0)
    )]
    AfterTheEnd {
        /// The time that was asked for.
        at: Time,
        /// The end of the scenario.
        until: Time,
    },
    /// The observer stopped a run within a claim that compares with other runs.
    #[error("stopped at {}", time_text(.at.0))]
    Stopped {
        /// The time that this run had reached.
        at: Time,
    },
    /// There are more pods than can be numbered.
    #[error("more than {most} pods in one run, which is the most that can be numbered")]
    TooManyPods {
        /// The largest number.
        most: u32,
    },
}

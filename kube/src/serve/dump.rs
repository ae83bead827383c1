//! `/debug/dump`: what the scheduler knows, as JSON, for a bug report. A [twin](Twin) of the core makes it beside the loop, by pages,
//! so that no page delays a decision or needs memory for the whole cluster.
//!
//! It has names, uids, amounts and reasons, as a recording has. Environments, commands, images, annotations and secrets are not read
//! by the scheduler at all, so they cannot be in it.

use crate::{
    actor::{Twin, Why},
    write::queue::{WriteView, Writes},
};
use quotree_core::{NodeId, Time, WorkloadId};
use serde_json::{Map, Value, json};
use std::{fmt, str::FromStr, sync::Arc};
use tokio::sync::oneshot;

/// The form of a dump. A reader of another one must not guess.
pub const FORMAT: &str = "quotree-dump/1";
/// How many nodes and pods a page has, if the request does not say.
pub const LIMIT: usize = 1000;
/// How many nodes and pods a page may have at most.
pub const MOST: usize = 10_000;

/// A request for a page.
#[derive(Debug)]
pub struct Request {
    /// What the process says of itself.
    pub head: Map<String, Value>,
    /// Which page.
    pub page: Page,
    /// Where the text of the page goes.
    pub answer: oneshot::Sender<Result<String, Expired>>,
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Where it begins; none: the first one.
    pub from: Option<Cursor>,
    /// How many nodes and pods it has. The pods of a workload stay together, so a page may have more, by one workload.
    pub limit: usize,
}

/// Where a page begins. As text it is the `continue` token of the page before.
///
/// ```
/// use quotree_kube::serve::dump::Cursor;
/// let cursor: Cursor = "2-workload-17".parse().unwrap();
/// assert_eq!(cursor.to_string(), "2-workload-17");
/// assert!("2-pod-17".parse::<Cursor>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// How often the core had begun anew. Ids are given anew then.
    pub begun: u64,
    /// The first that is on the page.
    pub next: Place,
}

/// A place in a dump: nodes come before workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At a node.
    Node(NodeId),
    /// At a workload.
    Workload(WorkloadId),
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.next {
            Place::Node(id) => write!(f, "{}-node-{}", self.begun, id.0),
            Place::Workload(id) => write!(f, "{}-workload-{}", self.begun, id.0),
        }
    }
}

/// A text that is no `continue` token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a `continue` token of a dump")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let mut parts = text.splitn(3, '-');
        let (Some(begun), Some(kind), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoCursor);
        };
        let (begun, id) = (begun.parse().map_err(|_| NoCursor)?, id.parse().map_err(|_| NoCursor)?);
        let next = match kind {
            "node" => Place::Node(NodeId(id)),
            "workload" => Place::Workload(WorkloadId(id)),
            _ => return Err(NoCursor),
        };
        Ok(Self { begun, next })
    }
}

/// The core has begun anew since the page before was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the scheduler has rebuilt its state since the page before: begin again, without `continue`")]
pub struct Expired;

/// What the loop adds to the first page: what a twin of its core cannot know. Costs no pass over all pods.
#[derive(Debug, Clone, Default)]
pub struct LoopState {
    /// The time of the loop.
    pub now: Time,
    /// Why the newest quota tree is not in force, if it is not.
    pub tree_refused: Option<String>,
    /// The kinds of objects that were listed.
    pub listed: Vec<&'static str>,
    /// How many facts and failures the next turn takes.
    pub pending: usize,
    /// What is to be written.
    pub writes: Writes,
    /// Pods of ours that the core does not know, as they were last looked at, and why.
    pub not_reported: Arc<[Why]>,
}

impl LoopState {
    /// As fields, with at most so many pods that the core does not know.
    fn fields(&self, most: usize) -> Map<String, Value> {
        let write = |one: &WriteView| {
            let WriteView { verb, pod, tries, since, not_before } = one;
            let mut fields = json!({
                "verb": verb, "pod": format!("{}/{}", pod.namespace, pod.name), "uid": pod.uid,
                "ageSeconds": seconds(self.now.since(*since)), "tries": tries,
            });
            if let (Some(at), Some(fields)) = (not_before, fields.as_object_mut()) {
                fields.insert("notBefore".to_owned(), stamp(*at).into());
            }
            fields
        };
        let why = |why: &Why| {
            let Why { pod, reason, message } = why;
            json!({ "pod": format!("{}/{}", pod.namespace, pod.name), "uid": pod.uid, "reason": reason, "message": message })
        };
        let Writes { in_flight, queued, waiting, dropped } = &self.writes;
        let fields = [
            ("treeRefused", json!(self.tree_refused)),
            ("listed", json!(self.listed)),
            ("pendingFacts", self.pending.into()),
            (
                "writes",
                json!({
                    "inFlight": in_flight.iter().map(write).collect::<Vec<_>>(),
                    "queued": queued.iter().map(write).collect::<Vec<_>>(), "waiting": waiting, "droppedReports": dropped,
                }),
            ),
            ("notReported", self.not_reported.iter().take(most).map(why).collect()),
            ("notReportedCount", self.not_reported.len().into()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Request {
    /// Answers by a twin that has got all input of the core, and by what the loop adds.
    pub fn answer(self, twin: &Twin, state: &LoopState) {
        let Self { head, page, answer } = self;
        let made = twin.page(page).map(|(fields, next)| {
            let first = if page.from.is_none() { state.fields(page.limit) } else { Map::new() };
            text(head, first.into_iter().chain(fields), next)
        });
        // Whoever has asked may be gone.
        let _ = answer.send(made);
    }
}

/// The text of a page.
pub(super) fn text(
    head: Map<String, Value>,
    fields: impl IntoIterator<Item = (String, Value)>,
    next: Option<Cursor>,
) -> String {
    let mut all = head;
    if let Some(next) = next {
        all.insert("metadata".to_owned(), json!({ "continue": next.to_string() }));
    }
    all.extend(fields);
    format!("{}\n", Value::Object(all))
}

/// A time as RFC 3339.
pub(crate) fn stamp(time: Time) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

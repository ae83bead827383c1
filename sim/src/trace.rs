//! The trace of a run: its records, their legend, and its digest.
//!
//! Every event and every decision is one [`TraceRecord`]. All records are added to one 128-bit digest as numbers of
//! fixed width, so two runs with the same digest had the same events at the same times. An [`Observer`] receives each
//! record as it happens. As JSON (one object per line of `trace.jsonl`) a record has `at_ms`, `what`, and the fields of
//! its kind:
//!
//! | `what` | fields | meaning |
//! |---|---|---|
//! | `node_up`, `node_down` | `node` | a node joined, or was lost with its pods |
//! | `cordon`, `uncordon` | `node` | a node takes no new pods, or takes them again |
//! | `submit` | `workload`, `pods` | a workload (a single pod, or a gang) was created |
//! | `suspend` | `workload` | a job queue keeps a workload from the scheduler, when it is created or when it did not start in time |
//! | `let_out` | `workload`, `tries` | its job queue released it; `tries` counts its releases |
//! | `join` | `workload`, `pods` | pods joined a workload |
//! | `withdraw` | `workload` | a workload was deleted with its pods |
//! | `bind` | `pod`, `node`, `devices` | the scheduler chose a node |
//! | `bound` | `pod` | the pod runs |
//! | `bind_failed` | `pod` | the bind failed: the pod waits again |
//! | `evict` | `pod`, `rule`, `cause` | the scheduler evicts a pod, by this rule, for this workload |
//! | `lost_eviction` | `pod` | the request to evict a pod was lost: it runs on until the next one |
//! | `refused_eviction` | `pod` | the API refused to evict a pod: it runs on while the request is sent again |
//! | `eviction_failed` | `pod` | the scheduler gave the refused eviction up, and evicts no pod of the workload until there is news (E2) |
//! | `evictable` | `workload` | there is news: the API would evict a pod of this workload again |
//! | `gone` | `pod`, `outcome` | the pod ended |
//! | `hold` | `workload`, `victims` | a workload has a reservation, and waits for this many pods to leave |
//! | `release` | `workload` | the reservation of a workload ended before it was bound |
//! | `tree` | | the quota tree was replaced |
//! | `refused_tree` | `of`, `by`, `reason`, `why` | an edit of the quota tree was refused |
//! | `device_ill`, `device_well` | `node`, `device` | a device became unhealthy, or healthy again |
//! | `relabel`, `refused_relabel` | `node` | a node got other labels or its GPUs another mode, or this was refused because pods use them |
//! | `cells_short`, `cells_whole` | `size`, `missing` | guaranteed cells cannot be split out of the healthy devices, or can be again |
//! | `budget` | `allowed` | a disruption budget was set |
//! | `restart` | | the scheduler was restarted, and goes on from what a LIST shows (E4) |
//! | `people` | | users or groups were edited |
//! | `refused` | `of`, `by`, `reason`, `why` | a submission or an edit was refused |
//! | `drain`, `drain_over` | `node`, `left` | a drain of a node begins or ends, with this many pods left |
//! | `told_to_go` | `pod`, `node` | the drain of a node told a pod to leave |
//! | `edited` | `workload`, `priority`, `preemptible` | a workload was edited; `null`: unchanged |
//! | `resized` | `pod` | a pod was resized in place: it requests other amounts (E5) |
//! | `node_changed` | `node` | a node was relabelled or resized |
//! | `slow` | `node`, `permille` | the speed of work on a node, thousandths of full speed |
//! | `quota_over` | `quota`, `limit`, `estimate_ms` | an edit left a quota over a limit, probably for so long; not in the digest |
//! | `quota_inside` | `quota`, `limit` | the quota is within the limit again; not in the digest |
//! | `dataset` | `dataset`, `turn`, `bytes` | a dataset became `bound` or `unbound`, its preload reads (`loading`) or is done (`loaded`), its cache `evicted` or `lost` bytes |

mod digest;

pub(crate) use digest::Digest;

use crate::result::RefusalRow;
use quotree_core::{DeviceSet, NodeId, PodId, PodOutcome, QuotaId, Rule, Time, WorkloadId};
use quotree_words::Names;
use serde_json::{Map, Value, json};
use std::{borrow::Cow, ops::ControlFlow};

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceRecord {
    /// The time.
    pub at: Time,
    /// What happened.
    pub what: TraceEvent,
}

/// The kinds of records; the table at the head of the module explains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the legend at the head of the module")]
pub enum TraceEvent {
    Node { node: NodeId, up: bool },
    Cordon { node: NodeId, cordoned: bool },
    Submit { workload: WorkloadId, pods: u32 },
    Join { workload: WorkloadId, pods: u32 },
    Withdraw { workload: WorkloadId },
    Bind { pod: PodId, node: NodeId, devices: DeviceSet },
    Bound { pod: PodId },
    Evict { pod: PodId, rule: Rule, cause: Option<WorkloadId> },
    Gone { pod: PodId, outcome: PodOutcome },
    Hold { workload: WorkloadId, victims: u32 },
    Release { workload: WorkloadId },
    Tree { refused: Option<u32> },
    Budget { allowed: u32 },
    BindFailed { pod: PodId },
    LostEviction { pod: PodId },
    RefusedEviction { pod: PodId },
    EvictionFailed { pod: PodId },
    Evictable { workload: WorkloadId },
    Restart,
    People,
    Refused { refusal: u32 },
    Drain { node: NodeId, begins: bool, left: u32 },
    ToldToGo { pod: PodId, node: NodeId },
    Edited { workload: WorkloadId, priority: Option<i32>, preemptible: Option<bool> },
    Resized { pod: PodId, shape: u32 },
    NodeChanged { node: NodeId },
    Slow { node: NodeId, permille: u32 },
    QuotaOver { quota: QuotaId, max: bool, estimate_ms: Option<u64> },
    QuotaInside { quota: QuotaId, max: bool },
    Suspend { workload: WorkloadId },
    LetOut { workload: WorkloadId, tries: u32 },
    Device { node: NodeId, device: u32, healthy: bool },
    Relabel { node: NodeId, refused: bool },
    Cells { short: (u32, u64) },
    Dataset { dataset: u32, turn: DatasetTurn },
}

/// What happens to a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatasetTurn {
    /// Its first cache worker started to run.
    Bound,
    /// Its last cache worker is gone.
    Unbound,
    /// Its preload begins to read, or reads again.
    Loading,
    /// Its preload is done.
    Loaded,
    /// At the end of a pass, the full cache evicted bytes.
    Evicted {
        /// How many.
        bytes: u64,
    },
    /// A cache worker is gone, and with it its part of the cache.
    Lost {
        /// How many bytes.
        bytes: u64,
    },
}

impl DatasetTurn {
    /// The event as a word and as a number, and the bytes.
    const fn parts(self) -> (&'static str, u64, u64) {
        match self {
            Self::Bound => ("bound", 0, 0),
            Self::Unbound => ("unbound", 1, 0),
            Self::Loading => ("loading", 2, 0),
            Self::Loaded => ("loaded", 3, 0),
            Self::Evicted { bytes } => ("evicted", 4, bytes),
            Self::Lost { bytes } => ("lost", 5, bytes),
        }
    }
}

impl TraceRecord {
    /// The record as a JSON object with names, one line of `trace.jsonl`.
    #[must_use]
    pub fn json(&self, names: &dyn RunNames) -> Value {
        let mut map = Map::new();
        let kind = match self.what {
            TraceEvent::Node { up: true, .. } => "node_up",
            TraceEvent::Node { up: false, .. } => "node_down",
            TraceEvent::Cordon { cordoned: true, .. } => "cordon",
            TraceEvent::Cordon { cordoned: false, .. } => "uncordon",
            TraceEvent::Submit { .. } => "submit",
            TraceEvent::Join { .. } => "join",
            TraceEvent::Withdraw { .. } => "withdraw",
            TraceEvent::Bind { .. } => "bind",
            TraceEvent::Bound { .. } => "bound",
            TraceEvent::Evict { .. } => "evict",
            TraceEvent::Gone { .. } => "gone",
            TraceEvent::Hold { .. } => "hold",
            TraceEvent::Release { .. } => "release",
            TraceEvent::Tree { refused: None } => "tree",
            TraceEvent::Tree { refused: Some(_) } => "refused_tree",
            TraceEvent::Budget { .. } => "budget",
            TraceEvent::BindFailed { .. } => "bind_failed",
            TraceEvent::LostEviction { .. } => "lost_eviction",
            TraceEvent::RefusedEviction { .. } => "refused_eviction",
            TraceEvent::EvictionFailed { .. } => "eviction_failed",
            TraceEvent::Evictable { .. } => "evictable",
            TraceEvent::Restart => "restart",
            TraceEvent::People => "people",
            TraceEvent::Refused { .. } => "refused",
            TraceEvent::Drain { begins: true, .. } => "drain",
            TraceEvent::Drain { begins: false, .. } => "drain_over",
            TraceEvent::ToldToGo { .. } => "told_to_go",
            TraceEvent::Edited { .. } => "edited",
            TraceEvent::Resized { .. } => "resized",
            TraceEvent::NodeChanged { .. } => "node_changed",
            TraceEvent::Slow { .. } => "slow",
            TraceEvent::QuotaOver { .. } => "quota_over",
            TraceEvent::QuotaInside { .. } => "quota_inside",
            TraceEvent::Suspend { .. } => "suspend",
            TraceEvent::LetOut { .. } => "let_out",
            TraceEvent::Device { healthy: false, .. } => "device_ill",
            TraceEvent::Device { healthy: true, .. } => "device_well",
            TraceEvent::Cells { short: (_, 0) } => "cells_whole",
            TraceEvent::Cells { .. } => "cells_short",
            TraceEvent::Relabel { refused: false, .. } => "relabel",
            TraceEvent::Relabel { refused: true, .. } => "refused_relabel",
            TraceEvent::Dataset { .. } => "dataset",
        };
        map.insert("at_ms".into(), self.at.0.into());
        map.insert("what".into(), kind.into());
        let mut put = |key: &str, value: Value| drop(map.insert(key.into(), value));
        match self.what {
            TraceEvent::Node { node, .. } | TraceEvent::Cordon { node, .. } | TraceEvent::Relabel { node, .. } => {
                put("node", json!(names.node(node)));
            }
            TraceEvent::Cells { short: (size, missing) } => {
                if missing > 0 {
                    put("size", size.into());
                    put("missing", missing.into());
                }
            }
            TraceEvent::Device { node, device, .. } => {
                put("node", json!(names.node(node)));
                put("device", device.into());
            }
            TraceEvent::Submit { workload, pods } | TraceEvent::Join { workload, pods } => {
                put("workload", json!(names.workload(workload)));
                put("pods", pods.into());
            }
            TraceEvent::Withdraw { workload }
            | TraceEvent::Release { workload }
            | TraceEvent::Suspend { workload }
            | TraceEvent::Evictable { workload } => {
                put("workload", json!(names.workload(workload)));
            }
            TraceEvent::Bind { pod, node, devices } => {
                put("pod", json!(names.pod(pod)));
                put("node", json!(names.node(node)));
                put("devices", devices.iter().collect());
            }
            TraceEvent::Bound { pod }
            | TraceEvent::BindFailed { pod }
            | TraceEvent::LostEviction { pod }
            | TraceEvent::RefusedEviction { pod }
            | TraceEvent::EvictionFailed { pod }
            | TraceEvent::Resized { pod, .. } => put("pod", json!(names.pod(pod))),
            TraceEvent::Evict { pod, rule, cause } => {
                put("pod", json!(names.pod(pod)));
                put("rule", rule.to_string().into());
                put("cause", json!(cause.map(|c| names.workload(c))));
            }
            TraceEvent::Gone { pod, outcome } => {
                put("pod", json!(names.pod(pod)));
                put("outcome", outcome_word(outcome).into());
            }
            TraceEvent::Hold { workload, victims } => {
                put("workload", json!(names.workload(workload)));
                put("victims", victims.into());
            }
            TraceEvent::LetOut { workload, tries } => {
                put("workload", json!(names.workload(workload)));
                put("tries", tries.into());
            }
            TraceEvent::Tree { refused: Some(refusal) } | TraceEvent::Refused { refusal } => {
                if let Some(row) = names.refusal(refusal) {
                    put("of", row.what.as_str().into());
                    put("by", json!(row.by));
                    put("reason", row.reason.into());
                    put("why", row.why.as_str().into());
                }
            }
            TraceEvent::Tree { refused: None } | TraceEvent::Restart | TraceEvent::People => {}
            TraceEvent::Dataset { dataset, turn } => {
                let (word, _, bytes) = turn.parts();
                put("dataset", json!(names.dataset(dataset)));
                put("turn", word.into());
                put("bytes", bytes.into());
            }
            TraceEvent::Budget { allowed } => put("allowed", allowed.into()),
            TraceEvent::Drain { node, left, .. } => {
                put("node", json!(names.node(node)));
                put("left", left.into());
            }
            TraceEvent::ToldToGo { pod, node } => {
                put("pod", json!(names.pod(pod)));
                put("node", json!(names.node(node)));
            }
            TraceEvent::Edited { workload, priority, preemptible } => {
                put("workload", json!(names.workload(workload)));
                put("priority", json!(priority));
                put("preemptible", json!(preemptible));
            }
            TraceEvent::NodeChanged { node } => put("node", json!(names.node(node))),
            TraceEvent::Slow { node, permille } => {
                put("node", json!(names.node(node)));
                put("permille", permille.into());
            }
            TraceEvent::QuotaOver { quota, max, estimate_ms } => {
                put("quota", json!(names.tree().name(quota)));
                put("limit", json!(if max { "max" } else { "min" }));
                put("estimate_ms", json!(estimate_ms));
            }
            TraceEvent::QuotaInside { quota, max } => {
                put("quota", json!(names.tree().name(quota)));
                put("limit", json!(if max { "max" } else { "min" }));
            }
        }
        Value::Object(map)
    }
}

/// How a pod ended, as a word.
pub(crate) const fn outcome_word(outcome: PodOutcome) -> &'static str {
    match outcome {
        PodOutcome::Succeeded => "succeeded",
        PodOutcome::Failed => "failed",
        PodOutcome::Evicted => "evicted",
        PodOutcome::Deleted => "deleted",
        PodOutcome::Lost => "lost",
        _ => "ended",
    }
}

/// The names of everything in a trace: those that the scheduler's reasons need, and those of objects that exist only in
/// a simulation.
pub trait RunNames: Names {
    /// A refused submission or edit, by its index in the run's refusals.
    fn refusal(&self, refusal: u32) -> Option<&RefusalRow>;
    /// The name of a dataset, by its index in the scenario.
    fn dataset(&self, place: u32) -> Cow<'_, str>;
}

/// An observer of a run. Both methods do nothing by default; `()` observes nothing.
pub trait Observer {
    /// Called for each record of the trace. `names` has the names of everything in the record.
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        let _ = (record, names);
    }

    /// Called once for every time with events: the run has reached this time after this many events. A break stops the run
    /// there: it ends with what is known so far, as [`EndReason::Stopped`](crate::result::EndReason::Stopped).
    fn progress(&mut self, now: Time, events: u64) -> ControlFlow<()> {
        let _ = (now, events);
        ControlFlow::Continue(())
    }
}

impl Observer for () {}

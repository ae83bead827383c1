//! Writes the right column of rule tables: what the scheduler did, and what is pending.

use super::RECREATED;
use quotree_core::{Action, BlockingReason, ReleaseReason, Scheduler, WorkloadId};

/// Consecutive actions of one kind on one workload: written as one, with a count of pods.
struct Group {
    verb: &'static str,
    workload: WorkloadId,
    pods: u32,
    rest: String,
}

/// The actions and the pending workloads in the notation of rule tables.
pub(super) fn outcome(core: &Scheduler, actions: &[Action], nodes: usize, shows_holds: bool) -> String {
    let mut groups: Vec<Group> = Vec::new();
    for action in actions {
        let Some(next) = group(action, nodes, shows_holds) else { continue };
        match groups.last_mut() {
            Some(last) if last.takes(&next) => {
                last.pods += 1;
                // Pods of a gang that goes whole (G2) follow a first one; a later reclaim or preemption names its own rule.
                if next.rest.starts_with(" by R") {
                    last.rest = next.rest;
                }
            }
            _ => groups.push(next),
        }
    }
    let mut parts: Vec<String> = groups.iter().map(Group::text).collect();
    let pending: Vec<String> = core.waiting().into_iter().map(|workload| reason(core, workload)).collect();
    if !pending.is_empty() {
        parts.push(format!("pending {}", pending.join(", ")));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

impl Group {
    fn takes(&self, next: &Self) -> bool {
        let same = self.verb == next.verb && self.workload == next.workload;
        same && (next.verb == "evict" || self.rest == next.rest)
    }

    fn text(&self) -> String {
        let Self { verb, workload, pods, rest } = self;
        let count = if *pods > 1 { format!(" x{pods}") } else { String::new() };
        format!("{verb} {}{count}{rest}", shown(*workload))
    }
}

fn group(action: &Action, nodes: usize, shows_holds: bool) -> Option<Group> {
    let (verb, workload, rest) = match action {
        Action::Bind { pod, node, .. } => {
            let on = if nodes > 1 { format!(" on node {}", node.0) } else { String::new() };
            ("bind", pod.workload, on)
        }
        Action::Evict { pod, reason } => ("evict", pod.workload, format!(" by {}", reason.rule)),
        Action::Hold { workload, .. } if shows_holds => ("hold", *workload, String::new()),
        Action::Release { workload, reason } => ("release", *workload, format!(": {}", released(*reason))),
        _ => return None,
    };
    Some(Group { verb, workload, pods: 1, rest })
}

fn released(reason: ReleaseReason) -> String {
    match reason {
        ReleaseReason::NoLongerFits => "no longer fits".to_owned(),
        ReleaseReason::TimedOut => "timed out".to_owned(),
        ReleaseReason::NeededBy(workload) => format!("needed by {}", shown(workload)),
        ReleaseReason::TreeChanged => "tree changed".to_owned(),
        ReleaseReason::NodeLost(node) => format!("node {} lost", node.0),
        ReleaseReason::Evicted => "evicted".to_owned(),
        ReleaseReason::Changed => "changed".to_owned(),
        ReleaseReason::EvictFailed(pod) => format!("eviction of {} failed", shown(pod.workload)),
        other => format!("{other:?}"),
    }
}

/// `2': A1 at root`: the rule that keeps the workload pending, and where.
fn reason(core: &Scheduler, workload: WorkloadId) -> String {
    let Some(verdict) = core.explain(workload) else { return format!("{}: no reason", shown(workload)) };
    let at = match verdict.binding {
        BlockingReason::Ceiling { quota, .. }
        | BlockingReason::Guarantee { quota, .. }
        | BlockingReason::Jobs { quota, .. } => format!(" at {}", core.tree().name(quota)),
        _ => String::new(),
    };
    format!("{}: {}{at}", shown(workload), verdict.binding.rule())
}

/// The number of a workload; each dash says that it was recreated once.
fn shown(workload: WorkloadId) -> String {
    format!("{}{}", workload.0 % RECREATED, "'".repeat((workload.0 / RECREATED) as usize))
}

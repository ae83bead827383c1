//! Why the scheduler evicted, released or bound something, each as one sentence.

use super::{Names, with_unit};
use quotree_core::{BindReason, EvictReason, Placement, QuotaId, ReleaseReason, Rule};
use std::borrow::Cow;

/// Why a pod was evicted: the rule, then a sentence that names the preemptor.
#[must_use]
pub fn evicted(reason: &EvictReason, names: &dyn Names) -> String {
    let quota = |q: QuotaId| names.tree().name(q).as_str();
    let leaf = reason.leaf.map_or("a namespace without a quota", quota);
    let preemptor = reason.cause.map_or(Cow::Borrowed("no workload"), |cause| names.workload(cause));
    let why = match (reason.rule, &reason.resource) {
        (Rule::R1, _) => {
            format!("{preemptor} preempts a pod of priority {} in its own leaf {leaf}", reason.priority)
        }
        (Rule::R2, Some(resource)) => {
            let over = with_unit(resource, reason.over);
            format!("{preemptor} reclaims its guaranteed quota; {leaf} was {over} above its min")
        }
        (Rule::R2, None) if reason.leaf.is_none() => {
            format!("{preemptor} reclaims its guaranteed quota; pods without a quota are evicted first (A4)")
        }
        (Rule::R2, None) => format!("{preemptor} reclaims its guaranteed quota from {leaf}"),
        (Rule::G2, _) => {
            format!("{preemptor} needs room, and the whole gang is evicted, since it would fall below its minimum")
        }
        (Rule::G3, _) => "its gang had fewer pods than its minimum for longer than `stale_after`".to_owned(),
        (Rule::T4, _) => {
            format!("{} used more than its max after the max was lowered", reason.common.map_or(leaf, quota))
        }
        (rule, _) => format!("{} (for {preemptor})", rule.doc().sentence),
    };
    let budget = if reason.budget_broken { "; this exceeds its disruption budget (R7)" } else { "" };
    let chosen = match reason.chosen_by {
        Rule::V5 => "; victims in the usual order would not have made enough room, this set does (V5)",
        _ => "",
    };
    format!("{}: {why}{budget}{chosen}", reason.rule)
}

/// Why a reservation ended.
#[must_use]
pub fn released(reason: ReleaseReason, names: &dyn Names) -> String {
    match reason {
        ReleaseReason::NoLongerFits => "its victims are gone, but it no longer fits".to_owned(),
        ReleaseReason::TimedOut => "it lasted longer than `hold_timeout`".to_owned(),
        ReleaseReason::NeededBy(who) => format!("{} goes before it and needs the room", names.workload(who)),
        ReleaseReason::TreeChanged => "the quota tree was replaced".to_owned(),
        ReleaseReason::NodeLost(node) => format!("node {} is gone or has changed", names.node(node)),
        ReleaseReason::Evicted => "its whole gang was evicted".to_owned(),
        ReleaseReason::EvictFailed(pod) => format!("the eviction of {} failed", names.pod(pod)),
        ReleaseReason::Changed => "what it asks for has changed".to_owned(),
        _ => "the reservation ended".to_owned(),
    }
}

/// What limits a pod that is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargedTo {
    /// A leaf quota, in a tree that limits or guarantees something.
    Quota,
    /// A leaf quota, in a tree without any amount.
    EmptyTree,
    /// No quota: its namespace is attached to no leaf.
    Nothing,
}

/// Why a pod was bound to its node: the quota it uses, the capacity it takes, and the placement score.
#[must_use]
pub fn bound(reason: BindReason, charged: ChargedTo) -> String {
    let quota = match (charged, reason.entitled) {
        (ChargedTo::Nothing, _) => "without a quota, ",
        (ChargedTo::EmptyTree, _) => "",
        (ChargedTo::Quota, true) => "within its guarantee, ",
        (ChargedTo::Quota, false) => "borrowing above its guarantee, ",
    };
    let room = if reason.held { "on its reservation" } else { "on free capacity" };
    let placement = match reason.placement {
        Placement::BestFit => "best fit",
        Placement::Binpack => "binpack",
        Placement::Spread => "spread",
        Placement::Random { .. } => "random",
        Placement::DotProduct => "dot product",
        Placement::GpuPacking => "GPU packing",
        Placement::GpuClustering => "GPU clustering",
        Placement::Fgd => "fragmentation gradient descent",
        Placement::LeastGpus => "least GPUs",
        _ => "placement",
    };
    format!("{quota}{room}, by {placement}")
}

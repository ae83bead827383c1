//! Why the scheduler evicted, released or bound something, each as one sentence.

use super::{Names, with_unit};
use quotree_core::{BindReason, EvictReason, Placement, QuotaId, ReleaseReason, Rule};
use std::borrow::Cow;

/// Why a pod was evicted: the rule, then a sentence that names the preemptor.
#[must_use]
pub fn evicted(reason: &EvictReason, names: &dyn Names) -> String {
    let quota = |q: QuotaId| names.tree().name(q).as_str();
    let leaf = reason.leaf.map_or("no quota", quota);
    let preemptor = reason.cause.map_or(Cow::Borrowed("no workload"), |cause| names.workload(cause));
    let why = match (reason.rule, &reason.resource) {
        (Rule::R1, _) => {
            format!("{preemptor} preempts a pod of lower priority ({}) in its leaf {leaf}", reason.priority)
        }
        (Rule::R2, Some(resource)) => {
            let over = with_unit(resource, reason.over);
            format!("{preemptor} reclaims its guaranteed quota; {leaf} was {over} above its min")
        }
        (Rule::R2, None) => format!("{preemptor} reclaims its guaranteed quota from {leaf}"),
        (Rule::G2, _) => format!("its gang is evicted whole to make room for {preemptor}"),
        (Rule::G3, _) => "its gang had fewer pods than its minimum for too long".to_owned(),
        (Rule::T4, _) => format!("{} uses more than its max, which was lowered", reason.common.map_or(leaf, quota)),
        (rule, _) => format!("{} (for {preemptor})", rule.doc().sentence),
    };
    let budget = if reason.budget_broken { "; this violates its disruption budget (R7)" } else { "" };
    let chosen = match reason.chosen_by {
        Rule::V5 => "; picking in victim order made no room, this set of victims does (V5)",
        _ => "",
    };
    format!("{}: {why}{budget}{chosen}", reason.rule)
}

/// Why a reservation ended.
#[must_use]
pub fn released(reason: ReleaseReason, names: &dyn Names) -> String {
    match reason {
        ReleaseReason::NoLongerFits => "its victims are gone, but it no longer fits".to_owned(),
        ReleaseReason::TimedOut => "the reservation timed out".to_owned(),
        ReleaseReason::NeededBy(who) => format!("{} comes first and needs the room", names.workload(who)),
        ReleaseReason::TreeChanged => "the quota tree was replaced".to_owned(),
        ReleaseReason::NodeLost(node) => format!("node {} is gone or has changed", names.node(node)),
        ReleaseReason::Evicted => "its gang was evicted whole".to_owned(),
        _ => "the reservation ended".to_owned(),
    }
}

/// Why a pod was bound to its node: the quota it uses, the capacity it takes, and the placement score.
#[must_use]
pub fn bound(reason: BindReason) -> String {
    let quota = if reason.entitled { "within its guarantee" } else { "borrowing" };
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
    format!("{quota}, {room}, by {placement}")
}

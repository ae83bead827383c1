//! Sentences for people out of the scheduler's reasons, and the same reasons as JSON with names.
//!
//! One renderer for everybody: stories, reports and claims say the same thing in the same words. What ids are called is the
//! business of [`Names`], so that a simulation and a live cluster can share it.

mod json;

pub use json::verdict_json;

use quotree_core::{
    BindReason, Binding, Bound, EvictReason, Help, Name, NodeId, NodeTally, Placement, PodId, QuantityText, QuotaId,
    QuotaTree, ReleaseReason, Rule, Unit, Verdict, WorkloadId,
};
use std::{borrow::Cow, fmt::Write};

/// What ids are called.
pub trait Names {
    /// The tree that quota ids are of.
    fn tree(&self) -> &QuotaTree;
    /// The name of a workload.
    fn workload(&self, id: WorkloadId) -> Cow<'_, str>;
    /// The name of a pod.
    fn pod(&self, id: PodId) -> Cow<'_, str>;
    /// The name of a node.
    fn node(&self, id: NodeId) -> Cow<'_, str>;
    /// How many pods a workload has: a lone one is called a pod, several a gang.
    fn pods(&self, id: WorkloadId) -> u32;
}

/// An amount without its resource's name, as a Kubernetes quantity.
pub(crate) fn amount(resource: &Name, amount: i64) -> QuantityText {
    QuantityText { amount, unit: Unit::of(resource.as_str()) }
}

fn at(tree: &QuotaTree, resource: &Name, row: &[i64]) -> i64 {
    let place = tree.governed().position(|name| name == resource);
    place.and_then(|i| row.get(i).copied()).unwrap_or(0)
}

fn plural(n: u32, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Why a workload waits, in a sentence: the binding rule, who holds what is missing, what protects it from being taken,
/// and what would help.
#[must_use]
pub fn verdict(verdict: &Verdict, names: &dyn Names) -> String {
    let mut text = format!("{}: {}", verdict.binding.rule(), binding(verdict, names));
    if let Some(resource) = resource_of(&verdict.binding)
        && !verdict.holders.is_empty()
    {
        text += "; held by: ";
        for (i, holder) in verdict.holders.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let (used, borrowed) = (amount(resource, holder.used), amount(resource, holder.borrowed));
            let quota = names.tree().name(holder.quota);
            let _ = write!(text, "{comma}{quota} {} {used}", plural(holder.pods, "pod"));
            if holder.borrowed > 0 {
                let _ = write!(text, " ({borrowed} borrowed)");
            }
        }
    }
    for protected in &verdict.protected {
        let _ =
            write!(text, "; {} not taken: {} {}", plural(protected.pods, "pod"), protected.rule, protected.rule.says());
    }
    for bound in &verdict.bounds_hit {
        let _ = write!(text, "; the search was cut short by its bound on {}", bound_word(*bound));
    }
    if let Some(help) = verdict.helps.first() {
        let _ = write!(text, "; {} would help", help_text(help, names));
    }
    text
}

/// What binds, without its rule.
fn binding(verdict: &Verdict, names: &dyn Names) -> String {
    let tree = names.tree();
    let who = match names.pods(verdict.workload) {
        0 | 1 => "the pod asks".to_owned(),
        n => format!("the gang of {n} asks"),
    };
    match &verdict.binding {
        Binding::NoQuota => "its namespace is on no leaf of the quota tree".to_owned(),
        Binding::Ceiling { quota, resource, needed, available } => {
            let max = at(tree, resource, tree.max(*quota));
            format!(
                "{} may use {} {resource} at most, {} are used, {who} {}",
                tree.name(*quota),
                amount(resource, max),
                amount(resource, max.saturating_sub(*available)),
                amount(resource, *needed),
            )
        }
        Binding::Guarantee { quota, resource, needed, available } => {
            let min = at(tree, resource, tree.min(*quota));
            format!(
                "it may not be evicted and so must fit the guarantee of {}: {} {resource}, {} are used, {who} {}",
                tree.name(*quota),
                amount(resource, min),
                amount(resource, min.saturating_sub(*available)),
                amount(resource, *needed),
            )
        }
        Binding::Jobs { quota, limit } => {
            format!("{} admits {} at once, and they are there", tree.name(*quota), plural(*limit, "workload"))
        }
        Binding::Behind { head } => format!("its leaf keeps the line, and {} is before it", names.workload(*head)),
        Binding::Room { resource, needed, available, nodes, placed } => {
            let mut text = match resource {
                Some(resource) => format!(
                    "a pod asks {} {resource}, and no node that suits has more than {} free",
                    amount(resource, *needed),
                    amount(resource, *available),
                ),
                None => "no node suits".to_owned(),
            };
            text += &tally(nodes);
            if *placed > 0 {
                let _ = write!(text, "; {} of it had room", plural(*placed, "pod"));
            }
            text
        }
        Binding::Held { leaving } => format!("it has evicted and waits for {} to leave", plural(*leaving, "pod")),
        _ => verdict.binding.rule().says().to_owned(),
    }
}

fn tally(nodes: &NodeTally) -> String {
    let parts = [
        (nodes.full, "full"),
        (nodes.fragmented, "fragmented"),
        (nodes.tainted, "tainted"),
        (nodes.unselected, "without the labels"),
        (nodes.unschedulable, "cordoned"),
    ];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
    if told.is_empty() {
        return format!(" ({})", plural(nodes.total, "node"));
    }
    format!(" ({}: {})", plural(nodes.total, "node"), told.join(", "))
}

const fn resource_of(binding: &Binding) -> Option<&Name> {
    match binding {
        Binding::Ceiling { resource, .. } | Binding::Guarantee { resource, .. } => Some(resource),
        Binding::Room { resource, .. } => resource.as_ref(),
        _ => None,
    }
}

const fn bound_word(bound: Bound) -> &'static str {
    match bound {
        Bound::Nodes => "nodes",
        Bound::Candidates => "candidates",
        _ => "steps",
    }
}

fn help_text(help: &Help, names: &dyn Names) -> String {
    match help {
        Help::MoreMin { quota, resource, by } => {
            format!("{} {resource} more min for {}", amount(resource, *by), names.tree().name(*quota))
        }
        Help::MoreMax { quota, resource, by } => {
            format!("{} {resource} more max for {}", amount(resource, *by), names.tree().name(*quota))
        }
        Help::FreeOnNode { node, resource, by } => {
            format!("{} {resource} more free on {}", amount(resource, *by), names.node(*node))
        }
        _ => "another change".to_owned(),
    }
}

/// Why a pod was evicted, in a sentence.
#[must_use]
pub fn evicted(reason: &EvictReason, names: &dyn Names) -> String {
    let tree = names.tree();
    let quota = |q: QuotaId| tree.name(q).as_str();
    let leaf = reason.leaf.map_or("no quota", quota);
    let cause = reason.cause.map_or(Cow::Borrowed("nobody"), |c| names.workload(c));
    let mut text = format!("{}: ", reason.rule);
    match (reason.rule, &reason.resource) {
        (Rule::R1, _) => {
            let _ = write!(text, "{cause} goes before its priority {} in {leaf}", reason.priority);
        }
        (Rule::R2, Some(resource)) => {
            let over = amount(resource, reason.over);
            let _ = write!(
                text,
                "{cause} takes back what its side is guaranteed; {leaf} was {over} {resource} above its min"
            );
        }
        (Rule::R2, None) => {
            let _ = write!(text, "{cause} takes back what its side is guaranteed from {leaf}");
        }
        (Rule::G2, _) => {
            let _ = write!(text, "its gang goes whole for {cause}");
        }
        (Rule::G3, _) => text += "its gang was below its minimum for too long",
        (Rule::T4, _) => {
            let over = reason.common.map_or(leaf, quota);
            let _ = write!(text, "{over} is above its lowered max");
        }
        (rule, _) => {
            let _ = write!(text, "{} (for {cause})", rule.says());
        }
    }
    if reason.budget_broken {
        text += "; its disruption budget is broken (R7)";
    }
    text
}

/// Why a hold ended, in a sentence.
#[must_use]
pub fn released(reason: ReleaseReason, names: &dyn Names) -> String {
    match reason {
        ReleaseReason::NoLongerFits => "its victims are gone and it does not fit any more".to_owned(),
        ReleaseReason::TimedOut => "its hold timed out".to_owned(),
        ReleaseReason::NeededBy(who) => format!("{} goes before it and needs the room", names.workload(who)),
        ReleaseReason::TreeChanged => "the quota tree was replaced".to_owned(),
        ReleaseReason::NodeLost(node) => format!("{} is gone or changed", names.node(node)),
        _ => "its hold ended".to_owned(),
    }
}

/// Why a pod was bound where it was, in a sentence.
#[must_use]
pub fn bound(reason: BindReason) -> String {
    let quota = if reason.entitled { "within its guarantee" } else { "borrowing" };
    let room = if reason.held { "in the room it had made" } else { "in free room" };
    let placement = match reason.placement {
        Placement::BestFit => "best fit",
        Placement::Binpack => "binpack",
        Placement::Spread => "spread",
        Placement::Random { .. } => "random",
        _ => "placement",
    };
    format!("{quota}, {room}, by {placement}")
}

//! Why a workload is pending, in a sentence (X1): what blocks it, who holds what is missing, what else blocks it, why each
//! pod that holds room was not preempted, and which change would help.

use super::{Names, amount, at, plural, with_unit};
use quotree_core::{
    BlockingReason, Bound, CannotRun, Domain, Help, Holder, Level, NodeTally, Protected, Protection, QuotaId, Room,
    Verdict, WorkloadId,
};
use std::fmt::Write;

/// Why a workload is pending, in a sentence. Clauses are separated by `; `: first what blocks it, then `held by: ..`,
/// `also ..`, `.. not preempted because ..`, `would help: ..`.
#[must_use]
pub fn verdict(verdict: &Verdict, names: &dyn Names) -> String {
    let mut text = obstacle(verdict, &verdict.binding, names);
    let held = holders(&verdict.binding, &verdict.holders, names);
    if !held.is_empty() {
        let _ = write!(text, "; held by: {}", held.join(", "));
    }
    for also in verdict.also.iter().filter(|also| says_more(&also.binding)) {
        let _ = write!(text, "; also {}", obstacle(verdict, &also.binding, names));
    }
    if let Some(why) = &verdict.cannot_run {
        let _ =
            write!(text, "; it cannot run whatever else ends, so it holds up nobody (O4): {}", cannot_run(why, names));
    }
    for class in verdict.protected.iter().filter(|class| class.shield != Protection::NoHelp) {
        let _ = write!(text, "; {} not preempted because {}", plural(class.pods, "pod"), protection(class, names));
    }
    for limit in &verdict.bounds_hit {
        let _ = write!(text, "; the search for victims stopped at its limit of {}", search_limit(*limit));
    }
    if let Some(help) = verdict.helps.first() {
        let _ = write!(text, "; would help: {}", advice(help, names));
    }
    text
}

/// What blocks a workload, without the rest of a verdict, which is costly to find for many. Where room is missing, that is
/// all that is known.
pub(crate) fn in_brief(workload: WorkloadId, binding: BlockingReason, names: &dyn Names) -> String {
    if binding.room().is_some() {
        return format!("{}: no node has room", binding.rule());
    }
    let brief = Verdict {
        workload,
        binding,
        entitled: false,
        holders: Vec::new(),
        also: Vec::new(),
        protected: Vec::new(),
        cannot_run: None,
        bounds_hit: Vec::new(),
        helps: Vec::new(),
    };
    obstacle(&brief, &brief.binding, names)
}

/// Whether an obstacle gets a clause. Full nodes get none if no victim was eligible anyway.
fn says_more(binding: &BlockingReason) -> bool {
    let BlockingReason::Room(room) = binding else { return true };
    let victims = room.closest.iter().any(|near| !near.taken.is_empty()) || !room.without.is_empty();
    victims || room.resource.is_none() || (room.is_fragmented() && room.nodes.total > 1)
}

/// Why a workload cannot run (O4).
#[must_use]
pub(super) fn cannot_run(why: &CannotRun, names: &dyn Names) -> String {
    let name = |quota: &QuotaId| names.tree().name(*quota).as_str();
    match why {
        CannotRun::AboveMax { quota, resource, needed, max } => {
            let (needed, max) = (with_unit(resource, *needed), with_unit(resource, *max));
            format!("it requests {needed}, and the max of {} is {max}", name(quota))
        }
        CannotRun::AboveGuarantee { quota, resource, needed, available } => {
            let (needed, left) = (with_unit(resource, *needed), with_unit(resource, *available));
            format!("it is not preemptible and requests {needed}, and {left} is left of the min of {}", name(quota))
        }
        CannotRun::TooLarge { pods, most, within } => {
            let place = match within {
                None => "all suitable nodes together",
                Some(Level::Node) => "no suitable node",
                Some(Level::Rack) => "no rack",
                Some(Level::Zone) => "no zone",
                Some(_) => "no part of the cluster",
            };
            match (within, most) {
                (None, 0) => "no suitable node would hold such a pod, even if it were empty".to_owned(),
                (None, most) => {
                    format!("{place} would hold {most} of the {pods} pods that must run together, even if empty")
                }
                (Some(_), most) => {
                    format!(
                        "{place} would hold the {pods} pods that must run together, even if empty (the best holds {most})"
                    )
                }
            }
        }
        _ => "its request is too large".to_owned(),
    }
}

/// The leaves whose pods use what is missing: `lab 16 cpu in 4 pods (8 cpu borrowed)`.
#[must_use]
pub fn holders(of: &BlockingReason, holders: &[Holder], names: &dyn Names) -> Vec<String> {
    let holders = holders.iter().map(|holder| {
        let quota = holder.quota.map_or("no quota", |quota| names.tree().name(quota).as_str());
        let pods = plural(u32::try_from(holder.pods.len()).unwrap_or(u32::MAX), "pod");
        let Some((resource, ..)) = of.amounts() else { return format!("{quota} {pods}") };
        let used = with_unit(resource, holder.used);
        match holder.borrowed {
            0 => format!("{quota} {used} in {pods}"),
            borrowed => format!("{quota} {used} in {pods} ({} borrowed)", with_unit(resource, borrowed)),
        }
    });
    holders.collect()
}

/// One reason that blocks the workload, after its rule.
#[must_use]
pub fn obstacle(verdict: &Verdict, binding: &BlockingReason, names: &dyn Names) -> String {
    format!("{}: {}", binding.rule(), blocking(verdict, binding, names))
}

/// One reason that blocks the workload, without its rule.
fn blocking(verdict: &Verdict, binding: &BlockingReason, names: &dyn Names) -> String {
    let tree = names.tree();
    let name = |quota: &QuotaId| tree.name(*quota).as_str();
    let who = match names.pods(verdict.workload) {
        0 | 1 => "the pod".to_owned(),
        n => format!("the gang of {n}"),
    };
    match binding {
        BlockingReason::NoQuota => "its namespace is attached to no leaf quota".to_owned(),
        BlockingReason::Ceiling { quota, resource, needed, available } => {
            let max = at(tree, resource, tree.max(*quota));
            format!(
                "{who} requests {}, {} uses {} of its max of {}",
                with_unit(resource, *needed),
                name(quota),
                amount(resource, max.saturating_sub(*available)),
                with_unit(resource, max),
            )
        }
        BlockingReason::Guarantee { quota, resource, needed, available } => {
            let min = at(tree, resource, tree.min(*quota));
            format!(
                "non-preemptible pods must fit within min: {} has min {}, {} in use by non-preemptible pods, and {who} \
                 requests {}",
                name(quota),
                with_unit(resource, min),
                amount(resource, min.saturating_sub(*available)),
                amount(resource, *needed),
            )
        }
        BlockingReason::Jobs { quota, limit } => {
            format!("{} already has {} admitted, which is its max_jobs", name(quota), plural(*limit, "workload"))
        }
        BlockingReason::Behind { head } => {
            format!("{} is ahead of it in the strict queue of its leaf (`queueing: Block`)", names.workload(*head))
        }
        BlockingReason::Room(missing) => room(missing, names),
        BlockingReason::Held { leaving } => {
            let them = if *leaving == 1 { "it" } else { "them" };
            format!("it has evicted {} and waits for {them} to terminate", plural(*leaving, "pod"))
        }
        BlockingReason::Settling { leaving } => {
            format!("it fits once {} gone, so it evicts no others", are(*leaving, "terminating pod"))
        }
        BlockingReason::Unentitled { quota, resource, needed, available } => format!(
            "with {who}, {} would be {} above its guarantee, so it may not reclaim from other quotas",
            name(quota),
            with_unit(resource, needed.saturating_sub(*available)),
        ),
        BlockingReason::Growth { quota, resource, needed, available } => format!(
            "evicting every eligible pod would still leave {} borrowing {} more than now",
            name(quota),
            with_unit(resource, needed.saturating_sub(*available)),
        ),
        _ => binding.rule().doc().sentence.to_owned(),
    }
}

/// `1 pod is`, `2 pods are`.
fn are(n: u32, one: &str) -> String {
    format!("{} {}", plural(n, one), if n == 1 { "is" } else { "are" })
}

/// What the best node lacks (P1), and whether the cluster is fragmented (S4).
fn room(missing: &Room, names: &dyn Names) -> String {
    let inside = missing.within.as_ref().map_or_else(String::new, |domain| {
        format!("its pods must run in one topology domain, and the best is {}: ", domain_name(domain, names))
    });
    let Some((resource, nearest)) = missing.resource.as_ref().zip(missing.closest.first()) else {
        return format!("{inside}no node is eligible{}", tally(&missing.nodes, ""));
    };
    let free = amount(resource, missing.available);
    let (so_far, then) = match missing.placed {
        0 => (String::new(), ""),
        1 => ("1 of its pods fits, and the next: ".to_owned(), "then "),
        placed => (format!("{placed} of its pods fit, and the next: "), "then "),
    };
    let free = match u32::try_from(nearest.taken.len() + missing.without.len()).unwrap_or(u32::MAX) {
        0 => format!("{then}has {free} free"),
        victims => format!("would have {free} free after evicting {}", plural(victims, "eligible pod")),
    };
    let node = names.node(nearest.node);
    let mut text = format!(
        "{inside}{so_far}a pod requests {}, the closest node ({node}) {free}",
        with_unit(resource, missing.needed)
    );
    if missing.is_fragmented() && missing.nodes.total > 1 {
        let free = amount(resource, missing.free);
        let _ = write!(text, ", {free} free in the cluster, but no single node has enough (fragmented)");
    }
    text + &tally(&missing.nodes, then)
}

/// The name of a topology domain.
pub(crate) fn domain_name(domain: &Domain, names: &dyn Names) -> String {
    match domain {
        Domain::Node(node) => names.node(*node).into_owned(),
        Domain::Rack { zone: Some(zone), rack } => format!("rack {rack} of zone {zone}"),
        Domain::Rack { zone: None, rack } => format!("rack {rack}"),
        Domain::Zone(zone) => format!("zone {zone}"),
        _ => "a part of the cluster".to_owned(),
    }
}

/// What rules the nodes out; `then`, where pods of the workload itself count as placed.
fn tally(nodes: &NodeTally, then: &str) -> String {
    if nodes.full == nodes.total && nodes.total > 1 {
        return format!(" (all {} nodes are {then}full)", nodes.total);
    }
    let parts = [
        (nodes.full, "full"),
        (nodes.fragmented, "with fragmented devices"),
        (nodes.tainted, "tainted"),
        (nodes.unselected, "not matching its node selector"),
        (nodes.unschedulable, "cordoned"),
        (nodes.elsewhere, "outside that domain"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
    if parts.is_empty() {
        return format!(" ({})", plural(nodes.total, "node"));
    }
    format!(" ({}: {})", plural(nodes.total, "node"), parts.join(", "))
}

/// Why a class of pods was not preempted, before its rule.
#[must_use]
pub fn protection(class: &Protected, names: &dyn Names) -> String {
    let name = |quota: &QuotaId| names.tree().name(*quota).as_str();
    let (they_are, them, their) = if class.pods == 1 { ("it is", "it", "its") } else { ("they are", "them", "their") };
    let why = match &class.shield {
        Protection::OwnWorkload => format!("{they_are} part of the same workload"),
        Protection::Leaving => format!("{they_are} already terminating"),
        Protection::JustBound => format!("{they_are} bound at this very moment"),
        Protection::NonPreemptible => format!("{they_are} not preemptible"),
        Protection::ProtectedRuntime => format!("{they_are} within {their} protected runtime"),
        Protection::Priority => format!("{they_are} in the same leaf and {their} priority is not lower"),
        Protection::NotEntitled { quota, resource, by } => {
            let above = with_unit(resource, *by);
            format!("{} would be {above} above its guarantee and so may not reclaim", name(quota))
        }
        Protection::WithinGuarantee { quota, resource } => {
            format!("{} is within its guarantee of {resource}", name(quota))
        }
        Protection::Budget { budget } => format!("the disruption budget {budget} allows no more evictions"),
        Protection::Policy => "the policy switches this kind of preemption off".to_owned(),
        Protection::NotEnough => format!("evicting {them} and all other eligible victims would not be enough"),
        Protection::NoHelp => format!("evicting {them} would not help"),
        _ => class.shield.rule().doc().sentence.to_owned(),
    };
    format!("{why} ({})", class.shield.rule())
}

/// What the search for victims counts towards its limit.
pub(super) const fn search_limit(limit: Bound) -> &'static str {
    match limit {
        Bound::Nodes => "nodes",
        Bound::Candidates => "candidates",
        Bound::Sets => "sets of victims",
        _ => "steps",
    }
}

/// A change that would help, as an instruction.
pub(super) fn advice(help: &Help, names: &dyn Names) -> String {
    let name = |quota: &QuotaId| names.tree().name(*quota).as_str();
    match help {
        Help::MoreMin { quota, resource, by, from: None } => {
            format!("raise min of {} by {}", name(quota), with_unit(resource, *by))
        }
        Help::MoreMin { quota, resource, by, from: Some(giver) } => {
            format!("move {} of min from {} to {}", with_unit(resource, *by), name(giver), name(quota))
        }
        Help::MoreMax { quota, resource, by } => {
            format!("raise max of {} by {}", name(quota), with_unit(resource, *by))
        }
        Help::FreeOnNode { node, resource, by } => {
            format!("free {} more {resource} on {}", amount(resource, *by), names.node(*node))
        }
        Help::MoreJobs { quota, limit } => format!("raise max_jobs of {} to {limit}", name(quota)),
        Help::Preemptible { workload } => format!("make {} preemptible", names.workload(*workload)),
        Help::Uncordon { node } => format!("uncordon {}", names.node(*node)),
        _ => "another change".to_owned(),
    }
}

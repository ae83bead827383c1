//! Why a workload is pending, in a sentence (X1): what blocks it, who holds what is missing, what else blocks it, why each
//! pod that holds room was not preempted, and which change would help.

use super::{Names, Requested, at, decimal, plural, with_unit};
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
        let _ = write!(
            text,
            "; it cannot run with these quotas and nodes, so no workload waits behind it (O4): {}",
            cannot_run(why, names)
        );
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

/// What blocks a workload, without the rest of a verdict, which would be costly to compute for many workloads. Where
/// room is missing, the text does not name nodes.
#[must_use]
pub fn in_brief(workload: WorkloadId, binding: BlockingReason, names: &dyn Names) -> String {
    if binding.room().is_some() {
        return format!("{}: no node has enough room", binding.rule());
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

/// Whether an obstacle gets a clause of its own. Full nodes get none if no pod was eligible as a victim anyway.
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
            format!("it requests {needed}, more than the max of {}, which is {max}", name(quota))
        }
        CannotRun::AboveGuarantee { quota, resource, needed, available } => {
            let (needed, left) = (with_unit(resource, *needed), with_unit(resource, *available));
            let name = name(quota);
            format!(
                "it is not preemptible and requests {needed}, and other non-preemptible pods leave {left} of the min of {name}"
            )
        }
        CannotRun::TooLarge { pods, most, within } => {
            let place = match within {
                None | Some(Level::Node) => "node",
                Some(Level::Rack) => "rack",
                Some(Level::Zone) => "zone",
                Some(_) => "topology domain",
            };
            match (within, most) {
                (None, 0) => {
                    "such a pod does not fit on any node, even on an empty one: add larger nodes, or request less"
                        .to_owned()
                }
                (None, most) => format!(
                    "{pods} pods must run together, and all suitable nodes have room for {most} of them, even when empty: add \
                     nodes, or let at most {most} have to run together"
                ),
                (Some(_), 0) => format!(
                    "{pods} pods must run together in one {place}, and no {place} has room for any of them, even when empty: add \
                     larger nodes, or request less"
                ),
                (Some(_), most) => format!(
                    "{pods} pods must run together in one {place}, and no {place} has room for more than {most} of \
                     them, even when empty: add nodes to one, or let at most {most} have to run together"
                ),
            }
        }
        _ => "it requests too much".to_owned(),
    }
}

/// The leaves whose pods use what is missing: `lab 16 cpu in 4 pods (8 cpu borrowed)`.
#[must_use]
pub fn holders(of: &BlockingReason, holders: &[Holder], names: &dyn Names) -> Vec<String> {
    let holders = holders.iter().map(|holder| {
        let quota = holder.quota.map_or("without a quota:", |quota| names.tree().name(quota).as_str());
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

/// An obstacle of the workload, as the text after its rule.
#[must_use]
pub fn obstacle(verdict: &Verdict, binding: &BlockingReason, names: &dyn Names) -> String {
    format!("{}: {}", binding.rule(), blocking(verdict, binding, names))
}

/// An obstacle of the workload, without its rule.
#[must_use]
pub fn blocking(verdict: &Verdict, binding: &BlockingReason, names: &dyn Names) -> String {
    let tree = names.tree();
    let name = |quota: &QuotaId| tree.name(*quota).as_str();
    let who = || requester(names.requested(verdict.workload));
    let requests = |resource, needed| requests(names.requested(verdict.workload), &with_unit(resource, needed));
    match binding {
        BlockingReason::NoQuota => {
            "its namespace is attached to no leaf quota, and with `unquotaed: Refuse` such pods stay pending".to_owned()
        }
        BlockingReason::Ceiling { quota, resource, needed, available } => {
            let (max, name) = (at(tree, resource, tree.max(*quota)), name(quota));
            let (used, max_text) = (max.saturating_sub(*available), with_unit(resource, max));
            let limit = match (available, used) {
                (..0, _) => {
                    format!("{name} already uses {}, more than its max of {max_text}", with_unit(resource, used))
                }
                (_, 0) => format!("the max of {name} is only {max_text}"),
                _ => format!("{name} already uses {} of its max of {max_text}", decimal(resource, used)),
            };
            format!("{}, and {limit}", requests(resource, *needed))
        }
        BlockingReason::Guarantee { quota, resource, needed, available } => {
            let min = at(tree, resource, tree.min(*quota));
            let (used, min_text) = (min.saturating_sub(*available), with_unit(resource, min));
            let used = match used {
                0 => format!(", which is {min_text}"),
                used => format!(": non-preemptible pods already use {} of {min_text}", decimal(resource, used)),
            };
            let requests = requests(resource, *needed);
            format!("{requests} and is not preemptible, so it must fit within the min of {}{used}", name(quota))
        }
        BlockingReason::Jobs { quota, limit } => {
            let name = name(quota);
            format!(
                "{name} admits at most {} at once (`max_jobs`), and has admitted as many",
                plural(*limit, "workload")
            )
        }
        BlockingReason::Behind { head } => {
            format!("{} is ahead of it in the strict queue of its leaf (`queueing: Block`)", names.workload(*head))
        }
        BlockingReason::Room(missing) => room(missing, verdict.cannot_run.is_some(), names),
        // It has evicted them, or found them terminating.
        BlockingReason::Held { leaving } => {
            format!("it waits for {} to terminate, and what that frees is reserved for it", plural(*leaving, "pod"))
        }
        BlockingReason::Settling { leaving } => {
            format!("it fits once {} gone, so it evicts no others", are(*leaving, "terminating pod"))
        }
        BlockingReason::BackOff { failures: 1, .. } => "its last bind failed, and it is not tried again yet".to_owned(),
        BlockingReason::BackOff { failures, .. } => {
            format!("its last {failures} binds failed, and it is not tried again yet")
        }
        BlockingReason::Unentitled { quota, resource, needed, available } => format!(
            "with {}, {} would use {} more than its guarantee, so it may not reclaim from other quotas",
            who(),
            name(quota),
            with_unit(resource, needed.saturating_sub(*available)),
        ),
        BlockingReason::Growth { quota, resource, needed, available } => format!(
            "even if every eligible pod of its leaf were evicted, {} would borrow {} more than now",
            name(quota),
            with_unit(resource, needed.saturating_sub(*available)),
        ),
        _ => binding.rule().doc().sentence.to_owned(),
    }
}

/// Which pods request room, and how much: `the gang of 5 pods requests 8 cpu for its minimum of 4`.
fn requests(requested: Requested, amount: &str) -> String {
    match requested {
        Requested::All(0 | 1) => format!("the pod requests {amount}"),
        Requested::All(pods) => format!("the gang of {pods} pods requests {amount}"),
        Requested::Minimum { pods, min } => {
            format!("the gang of {pods} pods requests {amount} for its minimum of {}", plural(min, "pod"))
        }
        Requested::More { pods, more } => {
            format!("the gang of {pods} pods requests {amount} for {more} more of them")
        }
    }
}

/// Which pods request room, without an amount.
fn requester(requested: Requested) -> String {
    match requested {
        Requested::All(0 | 1) => "this pod".to_owned(),
        Requested::All(_) => "this gang".to_owned(),
        Requested::Minimum { min, .. } => format!("the minimum of this gang ({})", plural(min, "pod")),
        Requested::More { more, .. } => format!("{} of this gang", plural(more, "more pod")),
    }
}

/// A number of things with the verb: `1 pod is`, `2 pods are`.
fn are(n: u32, one: &str) -> String {
    format!("{} {}", plural(n, one), if n == 1 { "is" } else { "are" })
}

/// What the closest node lacks (P1), and whether the cluster is fragmented (S4). It is not if empty nodes would not do either, or if it is
/// the workload itself that has taken the room.
fn room(missing: &Room, is_hopeless: bool, names: &dyn Names) -> String {
    let inside = missing.within.as_ref().map_or_else(String::new, |domain| {
        format!("its pods must run in one topology domain, and most of them fit in {}: ", domain_name(domain, names))
    });
    let Some((resource, nearest)) = missing.resource.as_ref().zip(missing.closest.first()) else {
        return match missing.nodes.total {
            0 => format!("{inside}the cluster has no node"),
            _ => format!("{inside}no node is eligible{}", tally(&missing.nodes, "")),
        };
    };
    let (so_far, requests, then) = match missing.placed {
        0 => (String::new(), "a pod requests", ""),
        1 => ("1 of its pods fits, ".to_owned(), "the next one requests", "then "),
        placed => (format!("{placed} of its pods fit, "), "the next one requests", "then "),
    };
    let free = with_unit(resource, missing.available);
    let which = if missing.nodes.total == 1 { "only" } else { "closest" };
    let node = format!("the {which} node ({})", names.node(nearest.node));
    let free = match u32::try_from(nearest.taken.len() + missing.without.len()).unwrap_or(u32::MAX) {
        0 => format!("{node} {then}has {free} free"),
        victims => format!("{node} would have {free} free after the eviction of {}", plural(victims, "eligible pod")),
    };
    let mut text = match resource.as_str() {
        "pods" => format!("{inside}{so_far}{node} {then}has reached its limit of pods"),
        _ => format!("{inside}{so_far}{requests} {}, and {free}", with_unit(resource, missing.needed)),
    };
    if missing.is_fragmented() && missing.nodes.total > 1 {
        let free = with_unit(resource, missing.free);
        let _ = write!(text, ", although all suitable nodes together {then}have {free} free: ");
        let own = is_hopeless || missing.placed > 0;
        text.push_str(if own { "each has too little" } else { "the cluster is fragmented" });
        if missing.nodes.full == missing.nodes.total {
            return text;
        }
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

/// What rules the nodes out. `then` is added if pods of the workload itself count as placed. Empty for a single node
/// that lacks room, since the sentence has named it already.
fn tally(nodes: &NodeTally, then: &str) -> String {
    if nodes.full == nodes.total {
        return match nodes.total {
            0 | 1 => String::new(),
            total => format!(" (none of the {total} nodes {then}has enough free)"),
        };
    }
    let parts = [
        (nodes.full, "with too little free"),
        (nodes.fragmented, "with enough free in sum, but not on single devices"),
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
    let (they_are, they_were, them, their) = match class.pods {
        1 => ("it is", "it was", "it", "its"),
        _ => ("they are", "they were", "them", "their"),
    };
    let why = match &class.shield {
        Protection::OwnWorkload => format!("{they_are} part of the same workload"),
        Protection::Leaving => format!("{they_are} already terminating"),
        Protection::JustBound => format!("{they_were} bound by this decision"),
        Protection::NonPreemptible => format!("{they_are} not preemptible"),
        Protection::ProtectedRuntime => format!("{they_are} within {their} protected runtime"),
        Protection::Priority => format!("{they_are} in the same leaf and {their} priority is not lower"),
        Protection::NotEntitled { quota, resource, by } => {
            let (above, name) = (with_unit(resource, *by), name(quota));
            format!("{name} would use {above} more than its guarantee, so it may not reclaim from {them}")
        }
        Protection::WithinGuarantee { quota, resource } => {
            format!("{} uses no more than its guarantee of {resource}", name(quota))
        }
        Protection::Budget { budget } => format!("the disruption budget {budget} allows no more evictions"),
        Protection::Policy => "the policy switches this kind of preemption off".to_owned(),
        Protection::NotEnough => format!("evicting {them} and all other eligible pods would not make enough room"),
        Protection::NoHelp => format!("evicting {them} would free nothing that is missing"),
        Protection::EvictFailed => format!("an eviction of {them} failed"),
        Protection::EvictsNobody => "at its own wish, nobody is evicted for the pending workload".to_owned(),
        _ => class.shield.rule().doc().sentence.to_owned(),
    };
    format!("{why} ({})", class.shield.rule())
}

/// What the bound of the search for victims counts.
#[must_use]
pub const fn search_limit(limit: Bound) -> &'static str {
    match limit {
        Bound::Nodes => "nodes",
        Bound::Candidates => "candidates",
        Bound::Sets => "sets of victims",
        _ => "steps",
    }
}

/// A change that would help, as an instruction.
#[must_use]
pub fn advice(help: &Help, names: &dyn Names) -> String {
    let name = |quota: &QuotaId| names.tree().name(*quota).as_str();
    match help {
        Help::MoreMin { quota, resource, by, from: None } => {
            format!("raise the min of {} by {}", name(quota), with_unit(resource, *by))
        }
        Help::MoreMin { quota, resource, by, from: Some(giver) } => {
            format!("move a min of {} from {} to {}", with_unit(resource, *by), name(giver), name(quota))
        }
        Help::MoreMax { quota, resource, by } => {
            format!("raise the max of {} by {}", name(quota), with_unit(resource, *by))
        }
        Help::FreeOnNode { node, resource, .. } if resource.as_str() == "pods" => {
            format!("remove a pod from {}", names.node(*node))
        }
        Help::FreeOnNode { node, resource, by } => {
            format!("free another {} on {}", with_unit(resource, *by), names.node(*node))
        }
        Help::MoreJobs { quota, limit } => format!("raise the max_jobs of {} to {limit}", name(quota)),
        Help::Preemptible { workload } => format!("make {} preemptible", names.workload(*workload)),
        Help::Uncordon { node } => format!("uncordon {}", names.node(*node)),
        _ => "another change".to_owned(),
    }
}

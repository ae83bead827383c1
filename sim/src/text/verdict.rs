//! Why a workload waits, in a sentence (X1): what binds, who holds what is missing, what else is in the way, what protects
//! the pods that were not taken, and what would help.

use super::{Names, amount, at, plural};
use quotree_core::{
    BlockingReason, Bound, Domain, Help, Holder, Name, NodeTally, Protected, Protection, QuotaId, Room, Verdict,
};
use std::fmt::Write;

/// Why a workload waits, in a sentence. Clauses are parted by `; `: the first is what binds, then `held by: ..`, `also ..`,
/// `.. not taken: ..`, `.. would help`.
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
    for class in verdict.protected.iter().filter(|class| class.shield != Protection::NoHelp) {
        let _ = write!(text, "; {} not taken: {}", plural(class.pods, "pod"), shield(class, names));
    }
    for bound in &verdict.bounds_hit {
        let _ = write!(text, "; the search was cut short by its bound on {}", bound_word(*bound));
    }
    if let Some(help) = verdict.helps.first() {
        let _ = write!(text, "; {} would help", help_text(help, names));
    }
    text
}

/// Whether an obstacle is worth a clause: that nodes are full, too, where nobody could be taken anyway, is not.
fn says_more(binding: &BlockingReason) -> bool {
    let BlockingReason::Room(room) = binding else { return true };
    let taken = room.closest.iter().any(|near| !near.taken.is_empty()) || !room.without.is_empty();
    taken || room.resource.is_none() || (room.is_fragmented() && room.nodes.total > 1)
}

/// Who holds what is missing, leaf by leaf: `lab 4 pods 16 (8 borrowed)`.
#[must_use]
pub fn holders(of: &BlockingReason, holders: &[Holder], names: &dyn Names) -> Vec<String> {
    let told = holders.iter().map(|holder| {
        let quota = holder.quota.map_or("no quota", |quota| names.tree().name(quota).as_str());
        let pods = plural(u32::try_from(holder.pods.len()).unwrap_or(u32::MAX), "pod");
        let Some((resource, ..)) = of.amounts() else { return format!("{quota} {pods}") };
        let used = amount(resource, holder.used);
        match holder.borrowed {
            0 => format!("{quota} {pods} {used}"),
            borrowed => format!("{quota} {pods} {used} ({} borrowed)", amount(resource, borrowed)),
        }
    });
    told.collect()
}

/// One thing in the way, with its rule.
#[must_use]
pub fn obstacle(verdict: &Verdict, binding: &BlockingReason, names: &dyn Names) -> String {
    format!("{}: {}", binding.rule(), what_binds(verdict, binding, names))
}

/// What binds, without its rule.
fn what_binds(verdict: &Verdict, binding: &BlockingReason, names: &dyn Names) -> String {
    let tree = names.tree();
    let name = |quota: &QuotaId| tree.name(*quota).as_str();
    let who = match names.pods(verdict.workload) {
        0 | 1 => "the pod asks".to_owned(),
        n => format!("the gang of {n} asks"),
    };
    match binding {
        BlockingReason::NoQuota => "its namespace is on no leaf of the quota tree".to_owned(),
        BlockingReason::Ceiling { quota, resource, needed, available } => {
            let max = at(tree, resource, tree.max(*quota));
            format!(
                "{} may use {} {resource} at most, {} are used, {who} {}",
                name(quota),
                amount(resource, max),
                amount(resource, max.saturating_sub(*available)),
                amount(resource, *needed),
            )
        }
        BlockingReason::Guarantee { quota, resource, needed, available } => {
            let min = at(tree, resource, tree.min(*quota));
            format!(
                "it may not be evicted and so must fit the guarantee of {}: {} {resource}, {} are used, {who} {}",
                name(quota),
                amount(resource, min),
                amount(resource, min.saturating_sub(*available)),
                amount(resource, *needed),
            )
        }
        BlockingReason::Jobs { quota, limit } => {
            format!("{} admits {} at once, and they are there", name(quota), plural(*limit, "workload"))
        }
        BlockingReason::Behind { head } => {
            format!("its leaf keeps the line, and {} is before it", names.workload(*head))
        }
        BlockingReason::Room(missing) => room(missing, names),
        BlockingReason::Held { leaving } => {
            format!("it has evicted and waits for {} to leave", plural(*leaving, "pod"))
        }
        BlockingReason::Settling { leaving } => {
            format!("{} are leaving anyway, and then it fits", plural(*leaving, "pod"))
        }
        BlockingReason::Unentitled { quota, resource, needed, available } => format!(
            "with it {} would be {} {resource} above its guarantee, so it may not reclaim past it",
            name(quota),
            amount(resource, needed.saturating_sub(*available)),
        ),
        BlockingReason::Growth { quota, resource, needed, available } => format!(
            "with all it may displace gone, {} would still borrow {} {resource} more than now",
            name(quota),
            amount(resource, needed.saturating_sub(*available)),
        ),
        _ => binding.rule().doc().sentence.to_owned(),
    }
}

/// What room is missing (P1), and whether it is fragmented (S4).
fn room(missing: &Room, names: &dyn Names) -> String {
    let inside = missing.within.as_ref().map_or_else(String::new, |domain| {
        format!("of where its pods may stand together {} comes closest: ", domain_name(domain, names))
    });
    let Some((resource, nearest)) = missing.resource.as_ref().zip(missing.closest.first()) else {
        return format!("{inside}no node suits{}", tally(&missing.nodes));
    };
    let node = names.node(nearest.node);
    let mut text = format!(
        "{inside}a pod asks {} {resource}, and {node}, which comes closest, has {} free",
        amount(resource, missing.needed),
        amount(resource, missing.available),
    );
    let taken = u32::try_from(nearest.taken.len() + missing.without.len()).unwrap_or(u32::MAX);
    if taken > 0 {
        let _ = write!(
            text,
            " once {} that may be taken {} gone",
            plural(taken, "pod"),
            if taken == 1 { "is" } else { "are" }
        );
    }
    if missing.is_fragmented() && missing.nodes.total > 1 {
        let _ = write!(text, ", though {} are in all", amount(resource, missing.free));
    }
    text += &tally(&missing.nodes);
    if missing.placed > 0 {
        let _ = write!(text, ", {} of it had room", plural(missing.placed, "pod"));
    }
    text
}

/// What a part of the topology is called.
pub(crate) fn domain_name(domain: &Domain, names: &dyn Names) -> String {
    match domain {
        Domain::Node(node) => names.node(*node).into_owned(),
        Domain::Rack { zone: Some(zone), rack } => format!("rack {rack} of zone {zone}"),
        Domain::Rack { zone: None, rack } => format!("rack {rack}"),
        Domain::Zone(zone) => format!("zone {zone}"),
        _ => "a part of the cluster".to_owned(),
    }
}

fn tally(nodes: &NodeTally) -> String {
    let parts = [
        (nodes.full, "full"),
        (nodes.fragmented, "fragmented"),
        (nodes.tainted, "tainted"),
        (nodes.unselected, "without the labels"),
        (nodes.unschedulable, "cordoned"),
        (nodes.elsewhere, "elsewhere"),
    ];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
    if told.is_empty() {
        return format!(" ({})", plural(nodes.total, "node"));
    }
    format!(" ({}: {})", plural(nodes.total, "node"), told.join(", "))
}

/// What protects a class of pods, with its rule.
#[must_use]
pub fn shield(class: &Protected, names: &dyn Names) -> String {
    let name = |quota: &QuotaId| names.tree().name(*quota).as_str();
    let (are, their) = if class.pods == 1 { ("is", "its") } else { ("are", "their") };
    let why = match &class.shield {
        Protection::OwnWorkload => "of the workload itself".to_owned(),
        Protection::Leaving => "leaving already".to_owned(),
        Protection::JustBound => format!("{are} only just being bound"),
        Protection::NonPreemptible => "may not be evicted".to_owned(),
        Protection::ProtectedRuntime => format!("in {their} protected runtime"),
        Protection::Priority => format!("of the same leaf, and {their} priority is not lower"),
        Protection::NotEntitled { quota, resource, by } => {
            format!("{} would be {} {resource} above its guarantee", name(quota), amount(resource, *by))
        }
        Protection::WithinGuarantee { quota, resource } => {
            format!("{} is within its guarantee of {resource}", name(quota))
        }
        Protection::Budget { budget } => format!("the disruption budget {budget} is exhausted"),
        Protection::Policy => "the policy switches this off".to_owned(),
        Protection::NotEnough => format!("{are} not enough, even with all others that may be taken"),
        Protection::NoHelp => "would not help".to_owned(),
        _ => class.shield.rule().doc().sentence.to_owned(),
    };
    format!("{} {why}", class.shield.rule())
}

pub(crate) const fn bound_word(bound: Bound) -> &'static str {
    match bound {
        Bound::Nodes => "nodes",
        Bound::Candidates => "candidates",
        _ => "steps",
    }
}

/// A change that would help.
pub(crate) fn help_text(help: &Help, names: &dyn Names) -> String {
    let more = |resource: &Name, by: i64, what: &str, quota: QuotaId| {
        format!("{} {resource} more {what} for {}", amount(resource, by), names.tree().name(quota))
    };
    match help {
        Help::MoreMin { quota, resource, by, from: None } => more(resource, *by, "min", *quota),
        Help::MoreMin { quota, resource, by, from: Some(giver) } => {
            format!("{}, given up by {}", more(resource, *by, "min", *quota), names.tree().name(*giver))
        }
        Help::MoreMax { quota, resource, by } => more(resource, *by, "max", *quota),
        Help::FreeOnNode { node, resource, by } => {
            format!("{} {resource} more free on {}", amount(resource, *by), names.node(*node))
        }
        Help::MoreJobs { quota, limit } => {
            format!("{} at once in {}", plural(*limit, "workload"), names.tree().name(*quota))
        }
        Help::Preemptible { workload } => format!("to let {} be evicted", names.workload(*workload)),
        Help::Uncordon { node } => format!("to uncordon {}", names.node(*node)),
        _ => "another change".to_owned(),
    }
}

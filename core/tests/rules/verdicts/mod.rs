//! X1 to X3: whole verdicts, told in short: the rule, where it binds and what is missing, in brackets who holds it (leaf,
//! amount, what of it is borrowed, workloads); then whom which rule protects, bounds that were hit, and what would help.
//!
//! Of missing room: asked / on the closest node, what is free in all, the tally of nodes, then the closest ones, with how
//! many resources they lack and the workloads that count as gone there.

mod helps;
mod limits;
mod protected;
mod room;

use quotree_core::{
    BlockingReason, Help, Holder, NearMissNode, NodeTally, PodId, Policy, Protection, QuotaId, Room, Scheduler,
    Verdict, WorkloadId,
};
use quotree_testkit::table::Game;

/// A tree, a cluster, rows, whom to ask about, and what is told.
type World<'a> = (&'a str, &'a str, &'a [&'a str], u32, &'a [&'a str]);

/// Plays the rows and compares what is told of each workload that is asked about; all that differs is shown at once.
fn told(policy: &Policy, worlds: &[World<'_>]) {
    let mut wrong = String::new();
    for (tree, cluster, rows, workload, wanted) in worlds {
        let mut game = Game::new(tree, cluster, policy.clone()).unwrap();
        let came: Vec<String> = rows.iter().map(|row| game.row(row).unwrap()).collect();
        assert_eq!(game.broken(), Vec::<String>::new(), "{tree} {rows:?}");
        let verdict = game.core().explain(WorkloadId(*workload));
        let told = verdict.map_or_else(|| vec!["waits for nothing".to_owned()], |verdict| lines(game.core(), &verdict));
        if told != *wanted {
            wrong +=
                &format!("\n{tree} on {cluster}: {rows:?}\n  came {came:?}\n  told  {told:#?}\n  wanted {wanted:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn lines(core: &Scheduler, verdict: &Verdict) -> Vec<String> {
    let mut lines: Vec<String> =
        verdict.obstacles().map(|(binding, holders)| obstacle(core, binding, holders)).collect();
    lines[0] += if verdict.entitled { ", entitled" } else { "" };
    lines.extend(verdict.protected.iter().map(|class| {
        assert!(class.who.is_empty() || class.who.len() == class.pods as usize, "all are named, or none");
        format!("{}: {} {}", shield(core, &class.shield), class.pods, workloads(&class.who))
    }));
    lines.extend(verdict.bounds_hit.iter().map(|bound| format!("bound {bound:?}")));
    lines.extend(verdict.helps.iter().map(|change| help(core, change)));
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

fn obstacle(core: &Scheduler, binding: &BlockingReason, holders: &[Holder]) -> String {
    let rule = binding.rule();
    let what = match binding {
        BlockingReason::NoQuota => String::new(),
        BlockingReason::Behind { head } => format!("behind {}", head.0),
        BlockingReason::Jobs { quota, limit } => format!("{} {limit} jobs", core.tree().name(*quota)),
        BlockingReason::Held { leaving } => format!("holds, {leaving} leave"),
        BlockingReason::Settling { leaving } => format!("{leaving} leave"),
        BlockingReason::Room(room) => self::room(room),
        BlockingReason::Ceiling { .. }
        | BlockingReason::Guarantee { .. }
        | BlockingReason::Unentitled { .. }
        | BlockingReason::Growth { .. } => {
            let (name, needed, available) = binding.amounts().unwrap();
            format!("{} {name} {needed}/{available}", core.tree().name(binding.quota().unwrap()))
        }
        other => format!("{other:?}"),
    };
    let holders: Vec<String> = holders
        .iter()
        .map(|holder| {
            let borrowed = if holder.borrowed > 0 { format!("+{}", holder.borrowed) } else { String::new() };
            format!("{} {}{borrowed}: {}", name(core, holder.quota), holder.used, workloads(&holder.pods))
        })
        .collect();
    let holders = if holders.is_empty() { String::new() } else { format!(" [{}]", holders.join("; ")) };
    format!("{rule} {what}{holders}")
}

fn room(room: &Room) -> String {
    let Room { resource, needed, available, free, nodes, placed, stand_on, without, closest, .. } = room;
    let NodeTally { total, unschedulable, tainted, unselected, full, fragmented, .. } = *nodes;
    let name = resource.as_ref().map_or("-", |name| name.as_str());
    let mut text = format!("{name} {needed}/{available} of {free}, nodes {total}");
    for (count, why) in [
        (unschedulable, "cordoned"),
        (tainted, "tainted"),
        (unselected, "other"),
        (full, "full"),
        (fragmented, "in pieces"),
    ] {
        text += &if count > 0 { format!(" {why} {count}") } else { String::new() };
    }
    text += &if *placed > 0 {
        format!(", {placed} stand on {:?}", ids(stand_on.iter().map(|n| n.0)))
    } else {
        String::new()
    };
    text += &if without.is_empty() { String::new() } else { format!(", without {}", workloads(without)) };
    for NearMissNode { node, resource, lacks, needed, available, taken } in closest {
        text += &format!(", n{} {resource} {needed}/{available}", node.0);
        text += &if *lacks > 1 { format!(" and {} more", lacks - 1) } else { String::new() };
        text += &if taken.is_empty() { String::new() } else { format!(" without {}", workloads(taken)) };
    }
    text
}

fn shield(core: &Scheduler, shield: &Protection) -> String {
    let what = match shield {
        Protection::NotEntitled { quota, resource, by } => {
            format!(" above {} {resource} by {by}", core.tree().name(*quota))
        }
        Protection::WithinGuarantee { quota, resource } => format!(" within {} {resource}", core.tree().name(*quota)),
        Protection::Budget { budget } => format!(" budget {budget}"),
        other => format!(" {other:?}"),
    };
    format!("{}{what}", shield.rule())
}

fn help(core: &Scheduler, help: &Help) -> String {
    let tree = core.tree();
    match help {
        Help::MoreMin { quota, resource, by, from } => {
            let from = from.map_or_else(String::new, |from| format!(" from {}", tree.name(from)));
            format!("help: min {} {resource} {by}{from}", tree.name(*quota))
        }
        Help::MoreMax { quota, resource, by } => format!("help: max {} {resource} {by}", tree.name(*quota)),
        Help::FreeOnNode { node, resource, by } => format!("help: n{} {resource} {by}", node.0),
        Help::MoreJobs { quota, limit } => format!("help: jobs {} {limit}", tree.name(*quota)),
        Help::Preemptible { workload } => format!("help: {} preemptible", workload.0),
        Help::Uncordon { node } => format!("help: uncordon n{}", node.0),
        other => format!("{other:?}"),
    }
}

fn name(core: &Scheduler, quota: Option<QuotaId>) -> String {
    quota.map_or_else(|| "-".to_owned(), |quota| core.tree().name(quota).to_string())
}

fn workloads(pods: &[PodId]) -> String {
    ids(pods.iter().map(|pod| pod.workload.0))
}

fn ids(ids: impl Iterator<Item = u32>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(" ")
}

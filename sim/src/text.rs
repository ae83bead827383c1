//! Sentences for people out of the scheduler's reasons, and the same reasons as JSON with names.
//!
//! One renderer for everybody: stories, reports and claims say the same thing in the same words. What ids are called is the
//! business of [`Names`], so that a simulation and a live cluster can share it.

mod json;
mod verdict;

pub use json::verdict_json;
pub(crate) use verdict::{bound_word, help_text};
pub use verdict::{holders, obstacle, shield, verdict};

use crate::result::RefusalRow;
use quotree_core::{
    BindReason, EvictReason, Name, NodeId, Placement, PodId, QuantityText, QuotaId, QuotaTree, ReleaseReason, Rule,
    Unit, WorkloadId,
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
    /// What was refused, and why, by its place in the run's refusals.
    fn refusal(&self, refusal: u32) -> Option<&RefusalRow> {
        let _ = refusal;
        None
    }
    /// How many pods a workload has: a lone one is called a pod, several a gang.
    fn pods(&self, id: WorkloadId) -> u32;
    /// The name of a dataset, by its place in the scenario.
    fn dataset(&self, place: u32) -> Cow<'_, str> {
        format!("dataset-{place}").into()
    }
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
            let _ = write!(text, "{} (for {cause})", rule.doc().sentence);
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
        ReleaseReason::Evicted => "its gang was evicted whole".to_owned(),
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
        Placement::DotProduct => "dot product",
        Placement::GpuPacking => "GPU packing",
        Placement::GpuClustering => "GPU clustering",
        Placement::Fgd => "fragmentation gradient descent",
        _ => "placement",
    };
    format!("{quota}, {room}, by {placement}")
}

/// A time as scenarios write it: `1h30m`, `250ms`, `0s`.
///
/// ```
/// let texts = [0, 250, 90_000, 5_400_000, 86_400_001].map(quotree_sim::text::time_text);
/// assert_eq!(texts, ["0s", "250ms", "1m30s", "1h30m", "1d1ms"]);
/// ```
#[must_use]
pub fn time_text(ms: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    let (mut left, mut out) = (ms, String::new());
    for (size, unit) in UNITS {
        if left >= size {
            out += &format!("{}{unit}", left / size);
            left %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use quotree_core::{
        Amounts, BlockingReason, Help, Holder, NearMissNode, NodeTally, Obstacle, OverPromised, Protected, Protection,
        QuotaSpec, Room, Verdict,
    };

    struct World(QuotaTree);

    impl Names for World {
        fn tree(&self) -> &QuotaTree {
            &self.0
        }
        fn workload(&self, id: WorkloadId) -> Cow<'_, str> {
            format!("job-{}", id.0).into()
        }
        fn pod(&self, id: PodId) -> Cow<'_, str> {
            format!("job-{}-{}", id.workload.0, id.ordinal).into()
        }
        fn node(&self, id: NodeId) -> Cow<'_, str> {
            format!("n{}", id.0).into()
        }
        fn pods(&self, id: WorkloadId) -> u32 {
            id.0
        }
    }

    fn world() -> World {
        let cpu = |n: i64| Amounts::new().with("cpu", n * 1000);
        let spec = [
            QuotaSpec::new("root", None).min(cpu(40)).max(cpu(40)),
            QuotaSpec::new("root.a", Some("root")).min(cpu(10)).max(cpu(20)).namespace("a"),
        ];
        World(QuotaTree::new(&spec.into_iter().collect(), OverPromised::Error).unwrap())
    }

    #[test]
    fn x1_verdicts_name_the_rule_the_amounts_and_the_holders() {
        let leaf = QuotaId(1);
        let resource = Name::from("cpu");
        let bindings = [
            BlockingReason::NoQuota,
            BlockingReason::Ceiling { quota: leaf, resource: resource.clone(), needed: 5000, available: 0 },
            BlockingReason::Guarantee { quota: leaf, resource: resource.clone(), needed: 1500, available: 1000 },
            BlockingReason::Jobs { quota: leaf, limit: 2 },
            BlockingReason::Behind { head: WorkloadId(9) },
            BlockingReason::Room(Room {
                resource: Some(resource.clone()),
                needed: 5000,
                available: 4000,
                free: 6000,
                nodes: NodeTally { total: 10, full: 9, unschedulable: 1, ..NodeTally::default() },
                placed: 0,
                stand_on: vec![],
                without: vec![],
                within: None,
                closest: vec![NearMissNode {
                    node: NodeId(3),
                    resource: resource.clone(),
                    lacks: 1,
                    needed: 5000,
                    available: 4000,
                    taken: vec![WorkloadId(4).pod(0)],
                }],
            }),
            BlockingReason::Held { leaving: 1 },
            BlockingReason::Settling { leaving: 2 },
            BlockingReason::Growth { quota: leaf, resource: resource.clone(), needed: 3000, available: 1000 },
        ];
        let mut told = String::new();
        for (pods, binding) in (1..).zip(bindings) {
            let cited = matches!(binding, BlockingReason::Ceiling { .. });
            let why = Verdict {
                workload: WorkloadId(pods),
                binding,
                entitled: false,
                holders: if cited {
                    vec![Holder {
                        quota: Some(leaf),
                        pods: (0..4).map(|i| WorkloadId(i).pod(0)).collect(),
                        used: 20_000,
                        borrowed: 10_000,
                    }]
                } else {
                    vec![]
                },
                also: if cited {
                    let unentitled = BlockingReason::Unentitled {
                        quota: leaf,
                        resource: resource.clone(),
                        needed: 5000,
                        available: -2000,
                    };
                    vec![Obstacle { binding: unentitled, holders: vec![] }]
                } else {
                    vec![]
                },
                protected: if cited {
                    let shield = Protection::WithinGuarantee { quota: leaf, resource: resource.clone() };
                    vec![
                        Protected { shield, pods: 3, who: vec![] },
                        Protected { shield: Protection::NoHelp, pods: 7, who: vec![] },
                    ]
                } else {
                    vec![]
                },
                bounds_hit: Vec::new(),
                helps: if cited {
                    vec![Help::MoreMax { quota: leaf, resource: resource.clone(), by: 5000 }]
                } else {
                    vec![]
                },
            };
            let world = world();
            told += &verdict(&why, &world);
            told.push('\n');
            assert_eq!(verdict_json(&why, &world, 8)["rule"], why.binding.rule().to_string());
        }
        expect![[r#"
            A4: its namespace is on no leaf of the quota tree
            A1: root.a may use 20 cpu at most, 20 are used, the gang of 2 asks 5; held by: root.a 4 pods 20 (10 borrowed); also R2(a): with it root.a would be 7 cpu above its guarantee, so it may not reclaim past it; 3 pods not taken: R2(b) root.a is within its guarantee of cpu; 5 cpu more max for root.a would help
            A2: it may not be evicted and so must fit the guarantee of root.a: 10 cpu, 9 are used, the gang of 3 asks 1500m
            A5: root.a admits 2 workloads at once, and they are there
            O2: its leaf keeps the line, and job-9 is before it
            P1: a pod asks 5 cpu, and n3, which comes closest, has 4 free once 1 pod that may be taken is gone, though 6 are in all (10 nodes: 9 full, 1 cordoned)
            H1: it has evicted and waits for 1 pod to leave
            H1: 2 pods are leaving anyway, and then it fits
            R1: with all it may displace gone, root.a would still borrow 2 cpu more than now
        "#]].assert_eq(&told);
    }

    #[test]
    fn evictions_say_for_whom_and_by_which_rule() {
        let mut told = String::new();
        for rule in [Rule::R1, Rule::R2, Rule::G2, Rule::G3, Rule::T4] {
            let cause = (!matches!(rule, Rule::G3 | Rule::T4)).then_some(WorkloadId(3));
            let leaf = Some(QuotaId(1));
            let (common, resource) = (Some(QuotaId(0)), Some(Name::from("cpu")));
            let budget_broken = rule == Rule::R1;
            let reason = EvictReason { rule, cause, leaf, common, resource, over: 2500, priority: -1, budget_broken };
            told += &evicted(&reason, &world());
            told.push('\n');
        }
        expect![[r#"
            R1: job-3 goes before its priority -1 in root.a; its disruption budget is broken (R7)
            R2: job-3 takes back what its side is guaranteed; root.a was 2500m cpu above its min
            G2: its gang goes whole for job-3
            G3: its gang was below its minimum for too long
            T4: root is above its lowered max
        "#]]
        .assert_eq(&told);
    }
}

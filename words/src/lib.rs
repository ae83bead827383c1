//! The scheduler's reasons as English sentences, and the same reasons as JSON with names in place of ids.
//!
//! There is one renderer, so that timelines, reports, claims and a live cluster use the same words. [`Names`] translates
//! ids to names; a simulation and a live cluster each implement it.
//!
//! ```
//! use quotree_core::{Amounts, Event, NodeId, NodeSpec, PodId, Policy, QuotaSpec, QuotaTree, Scheduler, Time};
//! use quotree_core::{WorkloadId, WorkloadSpec};
//! use quotree_words::{Names, verdict};
//! use std::borrow::Cow;
//!
//! /// Two jobs on one node, named by their ids.
//! struct Cluster<'a>(&'a QuotaTree);
//!
//! impl Names for Cluster<'_> {
//!     fn tree(&self) -> &QuotaTree {
//!         self.0
//!     }
//!     fn workload(&self, id: WorkloadId) -> Cow<'_, str> {
//!         format!("job-{}", id.0).into()
//!     }
//!     fn pod(&self, id: PodId) -> Cow<'_, str> {
//!         format!("job-{}-{}", id.workload.0, id.ordinal).into()
//!     }
//!     fn node(&self, _: NodeId) -> Cow<'_, str> {
//!         "the only node".into()
//!     }
//!     fn pods(&self, _: WorkloadId) -> u32 {
//!         1
//!     }
//! }
//!
//! let cpus = |count: i64| Amounts::new().with("cpu", count * 1000);
//! let tree = [QuotaSpec::new("lab", None).min(cpus(4)).max(cpus(4)).namespace("lab")];
//! let mut scheduler = Scheduler::new(&tree.into_iter().collect(), Policy::default()).unwrap();
//! scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpus(8))))?;
//! for job in 1..=2 {
//!     scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(job, "lab", Time(0), cpus(3))))?;
//! }
//! scheduler.decide(Time(0));
//!
//! let pending = scheduler.verdict(WorkloadId(2)).unwrap();
//! let text = verdict(&pending, &Cluster(scheduler.tree()));
//! assert!(text.starts_with("A1: the pod requests 3 cpu, and lab already uses 3 of its max of 4 cpu"), "{text}");
//! # Ok::<(), quotree_core::EventError>(())
//! ```

mod action;
mod json;
mod verdict;

pub use action::{ChargedTo, bound, evicted, released};
pub use json::verdict_json;
pub use verdict::{advice, blocking, holders, in_brief, obstacle, protection, search_limit, verdict};

use quotree_core::{Name, NodeId, PodId, QuantityText, QuotaTree, Unit, WorkloadId};
use std::borrow::Cow;

/// Translates ids to names.
pub trait Names {
    /// The quota tree to which quota ids refer.
    fn tree(&self) -> &QuotaTree;
    /// The name of a workload.
    fn workload(&self, id: WorkloadId) -> Cow<'_, str>;
    /// The name of a pod.
    fn pod(&self, id: PodId) -> Cow<'_, str>;
    /// The name of a node.
    fn node(&self, id: NodeId) -> Cow<'_, str>;
    /// The number of pods that a workload has now, ended ones not counted: sentences call one pod "the pod", several "the gang".
    fn pods(&self, id: WorkloadId) -> u32;
    /// The pods that a pending workload requests room for (G1).
    fn requested(&self, id: WorkloadId) -> Requested {
        Requested::All(self.pods(id))
    }
}

/// The pods of a workload that are placed together or not at all (G1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// All of its pods, this many.
    All(u32),
    /// The minimum of a gang of which no pod is placed.
    Minimum {
        /// How many pods it has.
        pods: u32,
        /// How many of them must be placed together.
        min: u32,
    },
    /// Further pods of a gang of which some are placed already.
    More {
        /// How many pods it has.
        pods: u32,
        /// How many more are placed together: those that it lacks of its minimum, or one.
        more: u32,
    },
}

/// An amount with its resource: `5 cpu`, `0.5 nvidia.com/gpu`, `16Gi memory`, `1500 bytes of memory`.
#[must_use]
pub fn with_unit(resource: &Name, amount: i64) -> String {
    let is_plain = Unit::of(resource.as_str()) == Unit::Bytes && amount % 1024 != 0;
    let of = if is_plain { " bytes of" } else { "" };
    format!("{}{of} {resource}", decimal(resource, amount))
}

/// An amount without its resource as sentences show it: `1.5` where the quantity is `1500m`.
fn decimal(resource: &Name, amount: i64) -> String {
    self::amount(resource, amount).decimal()
}

/// An amount without its resource, as a Kubernetes quantity.
#[must_use]
pub fn amount(resource: &Name, amount: i64) -> QuantityText {
    QuantityText { amount, unit: Unit::of(resource.as_str()) }
}

/// The amount of one resource in a row of governed resources.
fn at(tree: &QuotaTree, resource: &Name, row: &[i64]) -> i64 {
    let place = tree.governed().position(|name| name == resource);
    place.and_then(|i| row.get(i).copied()).unwrap_or(0)
}

fn plural(n: u32, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use quotree_core::{
        Amounts, BlockingReason, EvictReason, Help, Holder, NearMissNode, NodeTally, Obstacle, OverPromised, Protected,
        Protection, QuotaId, QuotaSpec, Room, Rule, Verdict,
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
            BlockingReason::BackOff { failures: 3, until: Some(quotree_core::Time(9)) },
            BlockingReason::Growth { quota: leaf, resource: resource.clone(), needed: 3000, available: 1000 },
        ];
        let mut told = String::new();
        for (pods, binding) in (1..).zip(bindings) {
            let cited = matches!(binding, BlockingReason::Ceiling { .. });
            let why = Verdict {
                workload: WorkloadId(pods),
                binding,
                cannot_run: None,
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
            A4: its namespace is attached to no leaf quota, and with `unquotaed: Refuse` such pods stay pending
            A1: the gang of 2 pods requests 5 cpu, and root.a already uses 20 of its max of 20 cpu; held by: root.a 20 cpu in 4 pods (10 cpu borrowed); also R2(a): with this gang, root.a would use 7 cpu more than its guarantee, so it may not reclaim from other quotas; 3 pods not preempted because root.a uses no more than its guarantee of cpu (R2(b)); would help: raise the max of root.a by 5 cpu
            A2: the gang of 3 pods requests 1.5 cpu and is not preemptible, so it must fit within the min of root.a: non-preemptible pods already use 9 of 10 cpu
            A5: root.a admits at most 2 workloads at once (`max_jobs`), and has admitted as many
            O2: job-9 is ahead of it in the strict queue of its leaf (`queueing: Block`)
            P1: a pod requests 5 cpu, and the closest node (n3) would have 4 cpu free after the eviction of 1 eligible pod, although all suitable nodes together have 6 cpu free: the cluster is fragmented (10 nodes: 9 with too little free, 1 cordoned)
            H1: it waits for 1 pod to terminate, and what that frees is reserved for it
            H1: it fits once 2 terminating pods are gone, so it evicts no others
            E6: its last 3 binds failed, and it is not tried again yet
            R1: even if every eligible pod of its leaf were evicted, root.a would borrow 2 cpu more than now
        "#]].assert_eq(&told);
    }

    #[test]
    fn evictions_name_the_preemptor_and_the_rule() {
        let mut told = String::new();
        for rule in [Rule::R1, Rule::R2, Rule::G2, Rule::G3, Rule::T4] {
            let cause = (!matches!(rule, Rule::G3 | Rule::T4)).then_some(WorkloadId(3));
            let leaf = Some(QuotaId(1));
            let (common, resource) = (Some(QuotaId(0)), Some(Name::from("cpu")));
            let budget_broken = rule == Rule::R1;
            let chosen_by = if rule == Rule::R2 { Rule::V5 } else { Rule::V1 };
            let (over, priority) = (2500, -1);
            let reason = EvictReason { rule, chosen_by, cause, leaf, common, resource, over, priority, budget_broken };
            told += &evicted(&reason, &world());
            told.push('\n');
        }
        expect![[r#"
            R1: job-3 preempts a pod of priority -1 in its own leaf root.a; this exceeds its disruption budget (R7)
            R2: job-3 reclaims its guaranteed quota; root.a was 2.5 cpu above its min; victims in the usual order would not have made enough room, this set does (V5)
            G2: job-3 needs room, and the whole gang is evicted, since it would fall below its minimum
            G3: its gang had fewer pods than its minimum for longer than `stale_after`
            T4: root used more than its max after the max was lowered
        "#]]
        .assert_eq(&told);
    }
}

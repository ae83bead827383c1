//! Compares the values that are kept up to date with their plain definitions, in random worlds.

use super::Scheduler;
use super::{
    cluster::{Cluster, Trial},
    cycle, hold,
    quota::FairShares,
    state::{Ask, NodeSlot, QuotaSlot},
};
use crate::api::{
    Action, Amounts, Event, Name, NodeId, NodeSpec, Plan, PlanVerdicts, PodId, PodOutcome, PodState, Policy,
    Preemption, Queueing, QuotaSpec, Reclaim, Time, TreeSpec, WorkloadId, WorkloadSpec,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

fn amounts(cpu: i64, memory: i64) -> Amounts {
    Amounts::new().with("cpu", cpu * 1000).with("memory", memory)
}

/// Leaves at two depths, with and without a guarantee of memory.
fn tree() -> TreeSpec {
    let leaf = |name: &str, parent, cpu, memory| {
        QuotaSpec::new(name, Some(parent)).min(amounts(cpu, memory)).max(amounts(14, 16)).namespace(name)
    };
    let strict = |quota| QuotaSpec { queueing: Queueing::Block, ..quota };
    [
        QuotaSpec::new("root", None).min(amounts(16, 16)).max(amounts(16, 16)),
        leaf("a", "root", 3, 2),
        QuotaSpec::new("team", Some("root")).min(amounts(8, 8)).max(amounts(14, 16)),
        leaf("b", "team", 4, 2),
        leaf("c", "team", 4, 6),
        leaf("d", "root", 2, 0),
        strict(leaf("e", "root", 3, 6)),
    ]
    .into_iter()
    .collect()
}

fn label(number: u8) -> Name {
    Name::from(number.to_string())
}

/// A step of a random world: what happens, and two numbers that choose the workload or node.
type Step = (u8, u8, u8);

struct World {
    /// This scheduler looks for unused requests at every decision, and for unused classes whenever a node goes.
    scheduler: Scheduler,
    /// This scheduler never frees unused requests and classes. It must decide the same.
    keeps_all: Scheduler,
    /// This scheduler reports everything that a try finds, so it predicts no failures. It must try the same queues and
    /// decide the same.
    foresees_nothing: Scheduler,
    /// This scheduler looks at everything in each decision, also where nothing has changed. It must decide the same.
    looks_always: Scheduler,
    now: u64,
    next: u32,
    kept_shares: FairShares,
}

impl World {
    fn new(reclaim: Reclaim, preemption: Preemption, hold_timeout_ms: Option<u64>) -> Self {
        let new = |verdicts| {
            let policy = Policy { reclaim, preemption, verdicts, hold_timeout_ms, ..Policy::default() };
            let mut scheduler = Scheduler::new(&tree(), policy).unwrap();
            for (id, size) in [(0, 6), (1, 6), (2, 4)] {
                scheduler.apply(Event::NodeUp(NodeSpec::new(id, amounts(size, size)))).unwrap();
            }
            scheduler
        };
        let mut scheduler = new(PlanVerdicts::Brief);
        let foresees_nothing = new(PlanVerdicts::Full { up_to: u32::MAX });
        let (mut keeps_all, looks_always) = (scheduler.clone(), scheduler.clone());
        scheduler.cluster.workloads.interner.sweep_at = 0;
        keeps_all.cluster.workloads.interner.sweep_at = usize::MAX;
        keeps_all.cluster.nodes.sweep_at = usize::MAX;
        let kept_shares = FairShares::default();
        Self { scheduler, keeps_all, foresees_nothing, looks_always, now: 0, next: 0, kept_shares }
    }

    fn pods_in(&self, states: &[PodState]) -> Vec<PodId> {
        let views = (0..self.next).filter_map(|id| self.scheduler.workload(WorkloadId(id)));
        views.flat_map(|view| view.pods).filter(|pod| states.contains(&pod.state)).map(|pod| pod.id).collect()
    }

    fn apply(&mut self, event: Event) {
        self.keeps_all.apply(event.clone()).unwrap();
        self.foresees_nothing.apply(event.clone()).unwrap();
        self.looks_always.apply(event.clone()).unwrap();
        self.looks_always.has_changed = true;
        self.scheduler.apply(event).unwrap();
    }

    fn step(&mut self, (what, a, b): Step) {
        self.now += u64::from(b % 3);
        let terminating = self.pods_in(&[PodState::Terminating]);
        let running = self.pods_in(&[PodState::Running]);
        self.scheduler.cluster.nodes.sweep_at = 0;
        match what % 10 {
            0..=3 => {
                let leaf = ["a", "b", "c", "d", "e"][usize::from(a) % 5];
                let request = amounts(1 + i64::from(b % 5), i64::from(b % 3));
                let mut spec = WorkloadSpec::pod(self.next, leaf, Time(self.now), request.clone());
                if a > 200 {
                    spec = WorkloadSpec::gang(self.next, leaf, Time(self.now), request, 2);
                }
                spec.priority = i32::from(b % 2);
                if a % 4 == 3 {
                    let z = vec![("z".into(), vec![label(b % 6)])];
                    spec.pods.iter_mut().for_each(|set| Arc::make_mut(&mut set.template).selector.clone_from(&z));
                }
                self.next += 1;
                self.apply(Event::WorkloadSubmitted(spec));
            }
            4 | 5 if !terminating.is_empty() => {
                let pod = terminating[usize::from(a) % terminating.len()];
                self.apply(Event::PodGone { pod, outcome: PodOutcome::Evicted });
            }
            6 if !running.is_empty() => {
                let pod = running[usize::from(a) % running.len()];
                self.apply(Event::PodGone { pod, outcome: PodOutcome::Succeeded });
            }
            7 if !running.is_empty() => {
                self.apply(Event::PodLeaving { pod: running[usize::from(a) % running.len()] });
            }
            // Small nodes come, are relabelled and go.
            8 | 9 => {
                let id = 3 + u32::from(a % 3);
                let mut node = NodeSpec::new(id, amounts(2, 2));
                node.labels = vec![("z".into(), label(b % 6))];
                match (self.scheduler.node(NodeId(id)), b % 2) {
                    (None, _) => return self.apply(Event::NodeUp(node)),
                    (Some(_), 0) => self.apply(Event::NodeChanged(node)),
                    (Some(_), _) => self.apply(Event::NodeDown { node: NodeId(id) }),
                }
                let up = self.scheduler.nodes().into_iter().filter_map(|node| self.scheduler.node_spec(node.id));
                let labels: BTreeSet<_> = up.map(|node| &node.labels).collect();
                assert_eq!(
                    self.scheduler.cluster.nodes.classes(),
                    labels.len(),
                    "classes that no node has are given back"
                );
            }
            _ => {}
        }
        self.check();
        let plan = self.scheduler.decide(Time(self.now));
        assert_eq!(plan, self.keeps_all.decide(Time(self.now)), "giving back changes no decision");
        assert_eq!(plan, self.look_anyway(), "what waits behind others changes no decision");
        let all_tries = self.foresees_nothing.decide(Time(self.now));
        assert_eq!(plan.actions, all_tries.actions, "what is foreseen changes no decision");
        let tried = |plan: &Plan| -> Vec<_> {
            plan.verdicts.iter().map(|verdict| (verdict.workload, verdict.binding.rule(), verdict.entitled)).collect()
        };
        assert_eq!(tried(&plan), tried(&all_tries), "and no verdict");
        self.scheduler.cluster.workloads.interner.sweep_at = 0;
        for action in plan.actions {
            if let Action::Bind { pod, .. } = action {
                self.apply(Event::bound(pod, Time(self.now)));
            }
        }
        self.check();
    }

    /// The decision of the scheduler that never takes a decision for one that would find nothing.
    fn look_anyway(&mut self) -> Plan {
        let Scheduler { cluster, has_changed } = &mut self.looks_always;
        let mut plan = Plan::default();
        cluster.now = Time(self.now);
        cycle::run(cluster, std::mem::take(has_changed), &mut plan);
        cluster.generation += 1;
        Plan { generation: cluster.generation, ..plan }
    }

    fn check(&mut self) {
        self.scheduler.refresh_fair_shares(&mut self.kept_shares);
        assert_eq!(self.kept_shares.rows(), self.scheduler.fair_shares(), "shares kept outside");
        let mut cluster = self.scheduler.cluster.clone();
        cluster.refresh_shares();
        if cluster.policy.reclaim == Reclaim::FairShare {
            let anew = self.scheduler.fair_shares();
            let slots = cluster.quotas.tree.ids().map(QuotaSlot::from);
            let kept: Vec<Vec<i64>> =
                slots.map(|q| cluster.quotas.resources().map(|r| cluster.quotas.guarantee(q, r)).collect()).collect();
            assert_eq!(kept, anew, "shares kept inside");
        }
        check_under_way(&cluster);
        check_waiting(&mut cluster);
    }
}

/// Compares what is terminating or expected on each node with a count of pods and holds.
fn check_under_way(cluster: &Cluster) {
    let mut wanted: BTreeMap<(NodeSlot, usize), (u32, u32, i64)> = BTreeMap::new();
    let mut add = |pod, at: NodeSlot, promised: bool| {
        for r in 0..2 {
            let row = wanted.entry((at, r)).or_default();
            let uses = cluster.workloads.template(pod).amount(r);
            (row.0, row.1, row.2) = (
                row.0 + u32::from(!promised),
                row.1 + u32::from(promised),
                row.2 + if promised { -uses } else { uses },
            );
        }
    };
    for slot in cluster.workloads.sorted() {
        for (ordinal, pod) in cluster.workloads.at(slot).ordinals() {
            if pod.state == Some(PodState::Terminating) {
                add(slot.pod(ordinal), pod.assignment.node, false);
            }
        }
    }
    for (_, hold) in cluster.holds.iter() {
        hold.assignments.iter().for_each(|(pod, at)| add(*pod, at.node, true));
    }
    for node in cluster.nodes.sorted() {
        for r in 0..2 {
            let wanted = wanted.get(&(node, r)).copied().unwrap_or_default();
            assert_eq!(cluster.nodes.under_way(node, r), wanted, "on {node:?}");
        }
    }
}

/// Checks for each pending workload the order of the leaves that it may reclaim from, also while a victim is evicted on
/// trial, and whether it fits in the settled state.
fn check_waiting(cluster: &mut Cluster) {
    for slot in cluster.workloads.sorted() {
        let Some(ask) = cluster.queue.pending(slot) else { continue };
        let ask: Ask = cluster.workloads.interner.ask(ask).clone();
        if cluster.holds.terminating() > 0 {
            let (told, tried) =
                (hold::fits_when_settled(cluster, slot, &ask), hold::fits_when_settled_on_trial(cluster, slot, &ask));
            assert_eq!(told, tried, "whether {:?} fits when all is settled", cluster.workloads.at(slot).id);
        }
        super::preempt::check_lenders(cluster, slot, &ask);
        let first = cluster.quotas.ledger.slots().find_map(|leaf| cluster.victims.of(leaf).last().map(|key| key.slot));
        let Some(victim) = first else { continue };
        let mut trial = Trial::default();
        for ordinal in cluster.workloads.at(victim).active().map(|(ordinal, _)| ordinal).collect::<Vec<_>>() {
            cluster.trial_evict(&mut trial, victim.pod(ordinal));
        }
        super::preempt::check_lenders(cluster, slot, &ask);
        cluster.undo(trial);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_kept_is_what_it_would_be_anew(
        steps in prop::collection::vec(any::<Step>(), 1..60),
        by_share in any::<bool>(),
        preempts in any::<bool>(),
        hold_timeout_ms in prop::option::of(1u64..9),
    ) {
        let reclaim = if by_share { Reclaim::FairShare } else { Reclaim::Min };
        let preemption = if preempts { Preemption::Auto } else { Preemption::None };
        let mut world = World::new(reclaim, preemption, hold_timeout_ms);
        steps.into_iter().for_each(|step| world.step(step));
    }
}

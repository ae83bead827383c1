//! Metamorphic laws, each with a sentence for a name. Random worlds are played twice, the second time with a change
//! that must not matter (I10), or must not make anything worse.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use proptest::{prelude::*, test_runner::RngSeed};
use quotree_core::{
    Action, Amounts, Entry, Event, Log, NodeSpec, PodOutcome, Policy, Queueing, QuotaSpec, Scheduler, Time, TreeSpec,
    WorkloadId, WorkloadSpec,
};
use quotree_testkit::{
    drive::{Play, drive},
    generate::{Kinds, worlds},
    worlds::{Job, Quota, Step, Units, World},
};
use std::collections::BTreeMap;

fn cases(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    let rng_seed = if usual.rng_seed == RngSeed::Random { RngSeed::Fixed(2026) } else { usual.rng_seed };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 500, ..usual }
}

/// The actions, in order, without the steps.
fn done(world: &World) -> Vec<String> {
    let played = drive(world, Play::AT_ONCE);
    played.trace.into_iter().filter(|line| line.contains("   ")).collect()
}

fn times(units: Units, k: i64) -> Units {
    units.map(|n| if n < 0 { n } else { n * k })
}

fn scaled(world: &World, k: i64) -> World {
    let mut world = world.clone();
    for quota in &mut world.quotas {
        (quota.min, quota.max) = (times(quota.min, k), times(quota.max, k));
        quota.lend = quota.lend.map(|lend| times(lend, k));
    }
    world.nodes.iter_mut().for_each(|node| *node = times(*node, k));
    for step in &mut world.steps {
        match step {
            Step::Submit(job) => job.ask = times(job.ask, k),
            Step::Edit(_, min, max) => (*min, *max) = (times(*min, k), times(*max, k)),
            _ => {}
        }
    }
    world
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn scaling_all_quantities_changes_no_decision(world in worlds(Kinds::WILD), k in 2i64..1000) {
        let world = World { devices: false, ..world };
        prop_assert_eq!(done(&world), done(&scaled(&world, k)), "{:?}", world);
    }

    #[test]
    fn an_idle_leaf_changes_no_decision(world in worlds(Kinds::WILD)) {
        prop_assume!(world.quotas.len() > 1);
        let more = world.clone().quota(Quota::new(Some(0), [0; 3], [0; 3]));
        prop_assert_eq!(done(&world), done(&more), "{:?}", world);
    }

    #[test]
    fn names_change_no_decision(world in worlds(Kinds::WILD)) {
        let log = drive(&world, Play::AT_ONCE).log;
        let renamed = Scheduler::new(&other_names(&log.tree), log.policy.clone()).unwrap();
        prop_assert_eq!(plans(&log, fresh(&log), Event::clone), plans(&log, renamed, renamed_event), "{:?}", world);
    }

    #[test]
    fn a_node_that_nobody_may_use_changes_no_decision(world in worlds(Kinds { knobs: false, ..Kinds::WILD })) {
        let log = drive(&world, Play::AT_ONCE).log;
        let mut more = fresh(&log);
        let mut node = NodeSpec::new(1000, Amounts::new().with("cpu", 1000));
        node.taints.push("nobody".into());
        more.apply(Event::NodeUp(node)).unwrap();
        prop_assert_eq!(plans(&log, fresh(&log), Event::clone), plans(&log, more, Event::clone), "{:?}", world);
    }

    #[test]
    fn a_leaf_split_in_equal_children_runs_as_many_pods(
        half in 1i64..5, other in 0i64..6, spare in 0i64..4, pods in prop::collection::vec(0usize..3, 1..24),
    ) {
        let all = 2 * half + other + spare;
        let one = World::new(&[[all, 0, 0]])
            .quota(Quota::new(None, [2 * half + other, 0, 0], [all, 0, 0]))
            .quota(Quota::new(Some(0), [2 * half, 0, 0], [all, 0, 0]))
            .quota(Quota::new(Some(0), [other, 0, 0], [all, 0, 0]));
        let two = one.clone().quota(Quota::new(Some(1), [half, 0, 0], [all, 0, 0])).quota(Quota::new(Some(1), [half, 0, 0], [all, 0, 0]));
        // Each pod of the leaf has a twin: each of the two children gets one.
        let job = |leaf| Step::Submit(Job { leaf, ask: [1, 0, 0], count: 1, min: 1, priority: 0, preemptible: true, traits: Default::default() });
        let steps = |children: [usize; 2]| {
            pods.iter().flat_map(move |who| match who {
                0 => vec![job(2)],
                _ => children.iter().map(|leaf| job(*leaf)).collect(),
            })
        };
        let whole = steps([1, 1]).fold(one, World::then);
        let split = steps([3, 4]).fold(two, World::then);
        prop_assert_eq!(running(&whole), running(&split), "{:?}\n{:?}", whole, split);
    }

    #[test]
    fn capacity_never_delays_a_queue_that_is_alone(
        jobs in prop::collection::vec((1i64..5, 1u64..30, 0u64..10), 1..20), few in 4i64..8, more in 0i64..8,
    ) {
        let (small, large) = (starts(&jobs, few), starts(&jobs, few + more));
        prop_assert!(small.iter().zip(&large).all(|(small, large)| large <= small), "{small:?} {large:?}");
    }
}

fn fresh(log: &Log) -> Scheduler {
    Scheduler::new(&log.tree, log.policy.clone()).unwrap()
}

/// The plans of a scheduler that gets the events of another one.
fn plans(log: &Log, mut scheduler: Scheduler, told: impl Fn(&Event) -> Event) -> Vec<Vec<Action>> {
    let mut plans = Vec::new();
    for entry in &log.entries {
        match entry {
            Entry::Event(event) => scheduler.apply(told(event)).unwrap(),
            Entry::Decide { at, .. } => plans.push(scheduler.decide(*at).actions),
        }
    }
    plans
}

/// How many pods run at the end, of quota 2 and of all others.
fn running(world: &World) -> (u32, u32) {
    let played = drive(world, Play::AT_ONCE);
    assert!(played.violations.is_empty(), "{:?}", played.violations);
    let mut core = fresh(&played.log);
    for entry in &played.log.entries {
        match entry {
            Entry::Event(event) => core.apply(event.clone()).unwrap(),
            Entry::Decide { at, .. } => _ = core.decide(*at),
        }
    }
    let pods = |name| core.tree().by_name(name).map_or(0, |q| core.usage(q).pods);
    (pods("q2"), pods("q0") - pods("q2"))
}

/// When each job starts: in one leaf, strictly in order, and each runs for its time.
fn starts(jobs: &[(i64, u64, u64)], cores: i64) -> Vec<u64> {
    let cpu = |n| Amounts::new().with("cpu", n * 1000);
    let mut root = QuotaSpec::new("root", None).namespace("ns");
    root.queueing = Queueing::Block;
    let tree: TreeSpec = [root].into_iter().collect();
    let mut core = Scheduler::new(&tree, Policy::default()).unwrap();
    core.apply(Event::NodeUp(NodeSpec::new(0, cpu(cores)))).unwrap();
    let mut due: BTreeMap<(u64, u32), bool> = BTreeMap::new();
    let mut clock = 0;
    for (id, (_, _, gap)) in (0u32..).zip(jobs) {
        clock += gap;
        due.insert((clock, id), false);
    }
    let mut started = vec![0; jobs.len()];
    while let Some(((now, id), ends)) = due.pop_first() {
        let workload = WorkloadId(id);
        if ends {
            core.apply(Event::PodGone { pod: workload.pod(0), outcome: PodOutcome::Succeeded }).unwrap();
        } else {
            let (cores, _, _) = jobs[id as usize];
            core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "ns", Time(now), cpu(cores)))).unwrap();
        }
        for action in core.decide(Time(now)).actions {
            let Action::Bind { pod, .. } = action else { panic!("{action:?}") };
            core.apply(Event::bound(pod, Time(now))).unwrap();
            let id = pod.workload.0;
            started[id as usize] = now;
            due.insert((now + jobs[id as usize].1, id), true);
        }
    }
    started
}

/// The same tree with names that sort in reverse order.
fn other_names(tree: &TreeSpec) -> TreeSpec {
    tree.quotas
        .iter()
        .cloned()
        .map(|mut quota| {
            quota.name = renamed(quota.name.as_str()).into();
            quota.parent = quota.parent.map(|parent| renamed(parent.as_str()).into());
            quota.namespaces.iter_mut().for_each(|ns| *ns = renamed(ns.as_str()).into());
            quota
        })
        .collect()
}

fn renamed(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_digit() { char::from(b'9' - (c as u8 - b'0')) } else { c }).collect()
}

fn renamed_event(event: &Event) -> Event {
    match event.clone() {
        Event::WorkloadSubmitted(mut spec) => {
            spec.namespace = renamed(spec.namespace.as_str()).into();
            Event::WorkloadSubmitted(spec)
        }
        Event::TreeChanged(tree) => Event::TreeChanged(other_names(&tree)),
        event => event,
    }
}

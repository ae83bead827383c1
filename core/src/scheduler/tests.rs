//! The demo, and tests that need access to the state inside a scheduler.

use super::state::Assignment;
use crate::*;

fn cpu(n: i64) -> Amounts {
    Amounts::new().with("cpu", n * 1000)
}

fn demo_tree() -> TreeSpec {
    let leaf = |name, parent, ns| QuotaSpec::new(name, Some(parent)).min(cpu(10)).max(cpu(20)).namespace(ns);
    [
        QuotaSpec::new("root", None).min(cpu(40)).max(cpu(40)),
        QuotaSpec::new("root.a", Some("root")).min(cpu(20)).max(cpu(40)),
        leaf("root.a.1", "root.a", "namespace1"),
        leaf("root.a.2", "root.a", "namespace2"),
        QuotaSpec::new("root.b", Some("root")).min(cpu(20)).max(cpu(40)),
        leaf("root.b.1", "root.b", "namespace3"),
        leaf("root.b.2", "root.b", "namespace4"),
    ]
    .into_iter()
    .collect()
}

/// A world in which everything happens at once and evicted pods are recreated.
struct World {
    scheduler: Scheduler,
    now: u64,
    next: u32,
    owner: Vec<usize>,
    evictions: usize,
}

impl World {
    fn new(nodes: &[i64]) -> Self {
        let mut scheduler = Scheduler::new(&demo_tree(), Policy::default()).unwrap();
        for (id, size) in (0..).zip(nodes) {
            scheduler.apply(Event::NodeUp(NodeSpec::new(id, cpu(*size)))).unwrap();
        }
        Self { scheduler, now: 0, next: 0, owner: Vec::new(), evictions: 0 }
    }

    fn submit(&mut self, ns: usize) {
        let pod = WorkloadSpec::pod(self.next, &format!("namespace{ns}"), Time(self.now), cpu(5));
        self.owner.push(ns);
        self.next += 1;
        self.scheduler.apply(Event::WorkloadSubmitted(pod)).unwrap();
    }

    fn settle(&mut self) {
        for _ in 0..100 {
            let before = self.scheduler.clone();
            let plan = self.scheduler.decide(Time(self.now));
            assert_eq!(audit(&self.scheduler), []);
            assert_eq!(audit_plan(&before, &plan), []);
            if plan.is_empty() {
                return;
            }
            for action in plan.actions {
                match action {
                    Action::Bind { pod, .. } => {
                        self.scheduler.apply(Event::bound(pod, Time(self.now))).unwrap();
                    }
                    Action::Evict { pod, .. } => {
                        self.evictions += 1;
                        let outcome = PodOutcome::Evicted;
                        self.scheduler.apply(Event::PodGone { pod, outcome }).unwrap();
                        self.submit(self.owner[pod.workload.0 as usize]);
                    }
                    _ => {}
                }
                assert_eq!(audit(&self.scheduler), []);
            }
        }
        panic!("does not settle");
    }

    fn rows(&self) -> Vec<(usize, usize)> {
        let mut rows = vec![(0, 0); 4];
        for id in (0..self.next).map(WorkloadId) {
            let Some(view) = self.scheduler.workload(id) else { continue };
            let row = &mut rows[self.owner[id.0 as usize] - 1];
            if view.pods[0].state == PodState::Running { row.0 += 1 } else { row.1 += 1 }
        }
        rows
    }
}

#[test]
fn demo_comes_out_on_every_cluster() {
    for nodes in [&[40][..], &[56], &[10, 10, 10, 10]] {
        let mut world = World::new(nodes);
        let wanted: [(&[(usize, usize)], usize); 4] = [
            (&[(4, 1), (0, 0), (0, 0), (0, 0)], 0),
            (&[(4, 1), (4, 1), (0, 0), (0, 0)], 0),
            (&[(3, 2), (3, 2), (2, 3), (0, 0)], 2),
            (&[(2, 3), (2, 3), (2, 3), (2, 3)], 4),
        ];
        for (ns, (rows, evictions)) in (1..).zip(wanted) {
            world.now += 60_000;
            (0..5).for_each(|_| world.submit(ns));
            world.settle();
            assert_eq!((world.rows().as_slice(), world.evictions), (rows, evictions), "after nginx{ns} on {nodes:?}");
        }
    }
}

#[test]
fn demo_places_and_evicts_nobody_where_no_pod_fits() {
    let mut world = World::new(&[4; 10]);
    for ns in 1..=4 {
        (0..5).for_each(|_| world.submit(ns));
        world.settle();
    }
    assert_eq!(world.rows(), [(0, 5); 4]);
    let verdict = world.scheduler.explain(WorkloadId(0)).unwrap();
    assert_eq!(verdict.binding.rule(), Rule::P1);
}

#[test]
fn i9_the_audit_notices_who_was_passed_over() {
    let tree: TreeSpec = [QuotaSpec::new("a", None).min(cpu(9)).max(cpu(9)).namespace("a")].into_iter().collect();
    let mut scheduler = Scheduler::new(&tree, Policy::default()).unwrap();
    scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpu(5)))).unwrap();
    for id in [1, 2] {
        scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "a", Time(0), cpu(4)))).unwrap();
    }
    let pod = WorkloadId(1).pod(0);
    assert_eq!(scheduler.decide(Time(0)).actions.len(), 1);
    scheduler.apply(Event::bound(pod, Time(0))).unwrap();
    scheduler.apply(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
    // Room came free on the node. The scheduler is made to forget that, and which workload it must retry.
    scheduler.cluster.nodes.freed.settle();
    scheduler.cluster.queue.tournament.take_retries();
    let before = scheduler.clone();
    let plan = scheduler.decide(Time(1));
    assert_eq!(plan.actions, []);
    let found = Auditor::new().decision(&before, &plan, &scheduler, Time(1));
    assert_eq!(found.iter().map(|breach| breach.invariant).collect::<Vec<_>>(), [9]);
}

#[test]
fn t4_who_is_over_by_an_edit_is_excused_no_longer_than_that() {
    let tree = |max| [QuotaSpec::new("a", None).max(cpu(max)).namespace("a")].into_iter().collect::<TreeSpec>();
    let mut scheduler = Scheduler::new(&tree(9), Policy::default()).unwrap();
    scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpu(9)))).unwrap();
    for id in [1, 2] {
        scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "a", Time(0), cpu(4)))).unwrap();
    }
    assert_eq!(scheduler.decide(Time(0)).actions.len(), 2);
    scheduler.apply(Event::TreeChanged(tree(8))).unwrap();
    assert_eq!(scheduler.cluster.quotas.over_max.excused(), 0, "nobody is over");
    scheduler.apply(Event::TreeChanged(tree(4))).unwrap();
    scheduler.apply(Event::NodeChanged(NodeSpec::new(0, cpu(4)))).unwrap();
    scheduler.decide(Time(1));
    assert_eq!((scheduler.cluster.quotas.over_max.excused(), scheduler.cluster.nodes.excused()), (1, 1));
    scheduler.apply(Event::PodGone { pod: WorkloadId(1).pod(0), outcome: PodOutcome::Succeeded }).unwrap();
    scheduler.decide(Time(2));
    assert_eq!(
        (scheduler.cluster.quotas.over_max.excused(), scheduler.cluster.nodes.excused()),
        (0, 0),
        "what stands is just the ceiling"
    );
}

#[test]
fn requests_that_nobody_has_any_more_are_given_back() {
    let mut scheduler = Scheduler::new(&demo_tree(), Policy::default()).unwrap();
    scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpu(40)))).unwrap();
    for id in 0..5000 {
        let request = Amounts::new().with("cpu", 1 + i64::from(id));
        scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "namespace1", Time(0), request))).unwrap();
        assert_eq!(scheduler.decide(Time(0)).actions.len(), 1);
        let pod = WorkloadId(id).pod(0);
        scheduler.apply(Event::bound(pod, Time(0))).unwrap();
        scheduler.apply(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
    }
    assert!(scheduler.cluster.workloads.interner.issued() <= 1100, "one runs at a time");
}

#[test]
fn e1_what_is_found_is_excused_and_no_more() {
    let tree = [QuotaSpec::new("a", None).max(cpu(5)).namespace("a")].into_iter().collect::<TreeSpec>();
    let mut scheduler = Scheduler::new(&tree, Policy::default()).unwrap();
    scheduler.apply(Event::NodeUp(NodeSpec::new(0, cpu(6)))).unwrap();
    for id in [1, 2, 3] {
        scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "a", Time(0), cpu(4)))).unwrap();
    }
    let found = |id: u32| {
        let (node, devices, state, since) = (NodeId(0), DeviceSet::default(), FoundState::Running, Time(0));
        Event::PodFound { pod: WorkloadId(id).pod(0), node, devices, state, since }
    };
    scheduler.apply(found(1)).unwrap();
    assert_eq!((scheduler.cluster.quotas.over_max.excused(), scheduler.cluster.nodes.excused()), (0, 0), "it fits");
    scheduler.apply(found(2)).unwrap();
    assert_eq!((scheduler.cluster.quotas.over_max.excused(), scheduler.cluster.nodes.excused()), (1, 1));
    assert_eq!(audit(&scheduler), []);
    // One more on the same node, by a plan that no rule allows.
    let mut broken = scheduler.clone();
    let pod = broken.cluster.workloads.slot(WorkloadId(3)).unwrap().pod(0);
    let at = Assignment { node: broken.cluster.nodes.slot(NodeId(0)).unwrap(), devices: DeviceSet::default() };
    broken.cluster.nodes.put(at, broken.cluster.workloads.template(pod), pod);
    broken.cluster.charge(pod, at, PodState::Binding);
    broken.cluster.set_admitted(pod.workload, true);
    assert_eq!(audit(&broken).iter().map(|breach| breach.invariant).collect::<Vec<_>>(), [2, 8]);
    scheduler.apply(Event::PodGone { pod: WorkloadId(1).pod(0), outcome: PodOutcome::Succeeded }).unwrap();
    scheduler.decide(Time(1));
    assert_eq!((scheduler.cluster.quotas.over_max.excused(), scheduler.cluster.nodes.excused()), (0, 0));
}

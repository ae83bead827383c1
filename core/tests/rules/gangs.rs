//! G1 to G3: gangs are admitted and evicted whole.

use crate::{by, check};
use quotree_core::{
    Action, Amounts, Event, NodeSpec, PodId, PodOutcome, PodSet, PodTemplate, Policy, Recorder, Time, WorkloadChange,
    WorkloadId, WorkloadSpec,
};
use quotree_testkit::table;

#[test]
fn g1_all_or_nothing() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 1 to a: 1", "bind 1"),
            ("submit 2 to a: 1 x4", "pending 2: A1 at a"),
            ("submit 3 to a: 1 x3", "bind 3 x3; pending 2: A1 at a"),
        ],
    );
}

#[test]
fn g1_all_or_nothing_on_nodes() {
    check(
        "root 99/99; a<root 99/99",
        "3 3 3",
        &[
            ("submit 1 to a: 2 x4", "pending 1: P1"),
            ("submit 2 to a: 2 x3", "bind 2 on node 0; bind 2 on node 1; bind 2 on node 2; pending 1: P1"),
        ],
    );
}

#[test]
fn g1_elastic_members_are_placed_when_there_is_room() {
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 1 to a: 2", "bind 1"),
            ("submit 2 to a: 1 x4 min 2", "bind 2 x2; pending 2: A1 at a"),
            ("finish 1", "bind 2 x2"),
        ],
    );
}

#[test]
fn g2_a_gang_is_evicted_whole_rather_than_below_its_minimum() {
    check(
        "root 4/4; a<root 1/4; b<root 0/4",
        "4",
        &[
            ("submit 1 to b: 1 x4", "bind 1 x4"),
            ("submit 2 to a: 1", "evict 1 x4 by R2; bind 2; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn g2_elastic_members_are_evicted_one_by_one_and_first() {
    check(
        "root 5/5; a<root 3/5; b<root 0/5",
        "5",
        &[
            ("submit 1 to b: 1 x4 min 2", "bind 1 x4"),
            ("submit 5 to b: 1", "bind 5"),
            ("no recreation; submit 2 to a: 1", "evict 1 by R2; bind 2"),
            ("submit 3 to a: 1", "evict 1 by R2; bind 3"),
            ("submit 4 to a: 1", "evict 5 by R2; bind 4"),
        ],
    );
}

#[test]
fn g2_added_pods_are_elastic() {
    check(
        "root 3/3; a<root 1/3; b<root 0/3",
        "3",
        &[
            ("submit 1 to b: 1 x2", "bind 1 x2"),
            ("grow 1 by 1", "bind 1"),
            ("no recreation; submit 2 to a: 1", "evict 1 by R2; bind 2"),
        ],
    );
}

#[test]
fn g3_a_gang_below_its_minimum_for_too_long_is_evicted_whole() {
    let policy = Policy { stale_after_ms: Some(2500), ..Policy::default() };
    table::check(
        "root 4/4; a<root 4/4",
        "4",
        policy,
        &[
            ("no recreation; submit 1 to a: 1 x3", "bind 1 x3"),
            ("fail 1", "nothing"),
            ("wait 10 ms", "nothing"),
            ("wait 600 ms", "evict 1 x2 by G3"),
        ],
    );
}

/// KAI #1968: members that finish one by one are no loss to a gang, however long the others take.
#[test]
fn g3_members_that_finish_one_by_one_leave_no_stale_gang() {
    let cpu = |n: i64| Amounts::new().with("cpu", n);
    let policy = Policy { stale_after_ms: Some(60_000), ..Policy::default() };
    let mut core = Recorder::new(&table::tree("root 4/4; a<root 4/4 ns=a").unwrap(), policy).unwrap();
    core.apply(Event::NodeUp(NodeSpec::new(0, cpu(4000)))).unwrap();
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::gang(1, "a", Time(0), cpu(1000), 4))).unwrap();
    assert_eq!(core.decide(Time(0)).actions.len(), 4);
    for ordinal in 0..4 {
        let pod = PodId { workload: WorkloadId(1), ordinal };
        core.apply(Event::bound(pod, Time(0))).unwrap();
    }
    for ordinal in 0..4 {
        let at = Time(50_000 + u64::from(ordinal) * 40_000);
        let pod = PodId { workload: WorkloadId(1), ordinal };
        core.apply(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
        assert_eq!(core.decide(at).actions, [], "at {at:?}");
        core.apply(Event::Tick).unwrap();
        assert_eq!(core.decide(at.after_ms(39_000)).actions, [], "39 s after {at:?}");
        assert_eq!(quotree_core::audit(core.scheduler()), []);
    }
}

#[test]
fn g2_r5_the_elastic_member_that_helps_is_evicted_not_the_last_one() {
    check(
        "root 4/4; a<root 4/4",
        "2 2",
        &[
            ("submit 1 to a: 1 x3 min 1", "bind 1 x2 on node 0; bind 1 on node 1"),
            ("submit 2 to a: 1 non-preemptible", "bind 2 on node 1"),
            ("submit 3 to a: 2 priority 1", "evict 1 x2 by R1; bind 3 on node 0"),
        ],
    );
}

#[test]
fn g2_a_gang_at_its_minimum_is_evicted_no_earlier_than_others() {
    // The elastic member of gang 1 is first in victim order; after that 2 started later, and is enough.
    check(
        "root 5/5; a<root 5/5",
        "1 4",
        &[
            ("submit 1 to a: 1 x3 min 2", "bind 1 on node 0; bind 1 x2 on node 1"),
            ("submit 2 to a: 2", "bind 2 on node 1"),
            ("submit 3 to a: 2 priority 3", "evict 2 by R1; bind 3 on node 1; pending 2': A1 at a"),
        ],
    );
}

#[test]
fn g1_a_gang_that_lacks_more_than_its_pending_pods_asks_for_nothing() {
    check(
        "root 3/3; a<root 3/3",
        "3",
        &[
            ("submit 1 to a: 1 x4 min 3", "bind 1 x3; pending 1: A1 at a"),
            ("fail 1; fail 1", "nothing"),
            ("grow 1 by 1", "bind 1 x2"),
        ],
    );
}

#[test]
fn l1_a_pod_that_others_delete_leaves_for_nobody() {
    // 1 is drained: it counts until it is gone, and no plan evicts it. b, which is guaranteed its 2 cores, waits for
    // them and evicts nobody else (H1).
    check(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            ("submit 1 to a: 2; submit 2 to a: 2", "bind 1; bind 2"),
            ("terminate 1", "nothing"),
            ("submit 3 to b: 2", "pending 3: H1"),
            ("gone 1", "bind 3; pending 1': A1 at root"),
        ],
    );
}

#[test]
fn g2_a_gang_that_others_delete_whole_asks_for_nothing() {
    // Two of four members are bound and there is room for no more; when both leave, the two pending ones ask for
    // nothing.
    check(
        "root 4/4; a<root 4/4",
        "4",
        &[
            ("submit 1 to a: 2 x4 min 2", "bind 1 x2; pending 1: A1 at a"),
            ("terminate 1", "nothing"),
            ("submit 2 to a: 4", "pending 2: H1"),
            ("gone 1", "bind 2; pending 1': A1 at a"),
        ],
    );
}

fn role(cpu: i64, count: u32, min: u32) -> PodSet {
    let request = Amounts::new().with("cpu", cpu * 1000);
    PodSet { template: PodTemplate { request, ..PodTemplate::default() }.into(), count, min }
}

/// Submits a job of two roles to `b`, which borrows, and lets all of its pods run.
fn two_roles(tree: &str, first: PodSet, second: PodSet) -> Recorder {
    let mut core = Recorder::new(&table::tree(tree).unwrap(), Policy::default()).unwrap();
    core.apply(Event::NodeUp(NodeSpec::new(0, Amounts::new().with("cpu", 4000)))).unwrap();
    let pods = [first, second].into_iter().collect();
    let job = WorkloadSpec { pods, ..WorkloadSpec::pod(1, "b", Time(0), Amounts::new()) };
    core.apply(Event::WorkloadSubmitted(job)).unwrap();
    for _ in 0..9 {
        for action in core.decide(Time(0)).actions {
            if let Action::Bind { pod, .. } = action {
                core.apply(Event::bound(pod, Time(0))).unwrap();
            }
        }
    }
    core
}

#[test]
fn g2_each_role_has_its_own_minimum() {
    let mut core = two_roles("root 4/4; a<root 2/4 ns=a; b<root 0/4 ns=b", role(1, 1, 1), role(1, 3, 1));
    let request = Amounts::new().with("cpu", 1000);
    core.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(2, "a", Time(1), request))).unwrap();
    let plan = core.decide(Time(1));
    let evicted: Vec<u32> = plan
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Evict { pod, .. } => Some(pod.ordinal),
            _ => None,
        })
        .collect();
    assert_eq!(evicted, [3]);
}

#[test]
fn g1_added_pods_with_another_template_ask_for_their_own_request() {
    let mut core = two_roles("root 9/9; b<root 9/9 ns=b", role(1, 1, 1), role(1, 1, 1));
    let change = WorkloadChange { add_pods: Some(role(2, 1, 0)), ..WorkloadChange::of(WorkloadId(1)) };
    core.apply(Event::WorkloadChanged(change)).unwrap();
    assert_eq!(core.decide(Time(1)).actions.len(), 1);
    let b = core.scheduler().tree().by_name("b").unwrap();
    assert_eq!(core.scheduler().usage(b).used.get("cpu"), Some(4000));
}

#[test]
fn g2_pending_pods_of_a_gang_that_is_evicted_whole_ask_for_nothing() {
    // The controller creates another workload in its place.
    check(
        "root 4/4; a<root 2/4; b<root 0/4",
        "2",
        &[
            ("slow evictions; submit 1 to b: 1 x4 min 2", "bind 1 x2; pending 1: P1"),
            ("submit 2 to a: 2", "evict 1 x2 by R2; hold 2; pending 2: H1"),
        ],
    );
}

#[test]
fn g3_a_gang_that_was_stale_and_grew_again_can_get_stale_again() {
    table::check(
        "root 9/9; a<root 9/9",
        "9",
        by(|policy| policy.stale_after_ms = Some(1500)),
        &[
            ("slow evictions; no recreation; submit 1 to a: 1 x2", "bind 1 x2"),
            ("fail 1", "nothing"),
            ("wait 1 ms", "nothing"),
            ("wait 1 ms", "evict 1 by G3"),
            ("grow 1 by 2", "bind 1 x2"),
            ("gone 1", "nothing"),
            ("fail 1", "nothing"),
            ("wait 1 ms", "nothing"),
            ("wait 1 ms", "evict 1 by G3"),
        ],
    );
}

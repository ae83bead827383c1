//! Messages that need a whole run: what a pending workload is told at the end, beyond the verdict of one decision.
#![expect(clippy::unwrap_used, reason = "these are tests; a helper of one may fail like the test itself")]

use expect_test::{Expect, expect};
use quotree_core::Time;
use quotree_sim::{
    RunOptions, run,
    scenario::{MapLoader, load},
};

/// The reason that a pod is given at a time, or at the end, one clause a line.
fn check_reason(text: &str, at_ms: Option<u64>, pod: &str, wanted: &Expect) {
    let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
    let options = RunOptions { until: at_ms.map(Time), judge: false, ..RunOptions::default() };
    let rows = run(&scenario, &options, &mut ()).unwrap().result.pending;
    let row = rows.into_iter().find(|row| row.pod == pod).unwrap();
    wanted.assert_eq(&(row.reason.as_str().replace("; ", "\n") + "\n"));
}

#[test]
fn o4_a_gang_larger_than_the_cluster_is_told_how_many_fit() {
    let text = include_str!("../../scenarios/regressions/volcano-665-gang-too-large.ron");
    check_reason(
        text,
        None,
        "spark-exec-0",
        &expect![[r#"
            P1: 10 of its pods fit, the next one requests 4 cpu, and the closest node (n-0) then has 2 cpu free, although all suitable nodes together then have 20 cpu free: each has too little
            it cannot run with these quotas and nodes, so no workload waits behind it (O4): 12 pods must run together, and all suitable nodes have room for 10 of them, even when empty: add nodes, or let at most 10 have to run together
        "#]],
    );
}

#[test]
fn o2_who_is_passed_is_told_how_often_and_what_would_stop_it() {
    let text = include_str!("../../scenarios/regressions/kai-1969-passed-for-ever.ron");
    check_reason(
        text,
        None,
        "big-w-0",
        &expect![[r#"
        A1: the gang of 4 pods requests 32 nvidia.com/gpu, and root already uses 32 of its max of 32 nvidia.com/gpu
        held by: root 32 nvidia.com/gpu in 16 pods
        16 pods not preempted because they are in the same leaf and their priority is not lower (R1)
        passed by: 336 younger workloads of no higher priority started while it waited, which `queueing: Block` on root would stop (O2)
    "#]],
    );
}

#[test]
fn h3_a_reservation_names_the_pods_that_it_waits_for() {
    let text = include_str!("../../scenarios/faults/long-grace.ron");
    check_reason(
        text,
        Some(660_000),
        "owner-1",
        &expect![[r#"
        H1: it waits for 4 pods to terminate, and what that frees is reserved for it
        waits for: tenant-5, tenant-6, tenant-7, tenant-8
    "#]],
    );
}

#[test]
fn a_job_in_its_back_off_is_told_what_would_keep_it_from_starting_now() {
    let text = include_str!("../../scenarios/queues/one-gpu-on-each-node.ron");
    check_reason(
        text,
        None,
        "two-1",
        &expect![[r#"
            position 1 of 1 in the job queue of root: it did not start within `start_timeout`, and its next attempt is in 43m
            it requests 2 nvidia.com/gpu (root uses 6 nvidia.com/gpu of its max of 8 nvidia.com/gpu)
            released now, it would wait: P1: a pod requests 2 nvidia.com/gpu, and the closest node (n-0) has 1 nvidia.com/gpu free, although all suitable nodes together have 2 nvidia.com/gpu free: the cluster is fragmented
            held by: root 6 nvidia.com/gpu in 2 pods
            2 pods not preempted because they are in the same leaf and their priority is not lower (R1)
            would help: free another 1 nvidia.com/gpu on n-0
        "#]],
    );
}

/// A gang of 5 pods with a minimum of 4, and 2 cores each, in a leaf with this max. A job of the same leaf ends after 1 minute.
fn gang_of_five(max: u32, cpu_of_job: u32) -> String {
    format!(
        r#"Scenario(
            name: "gang-of-five",
            cluster: [NodePool(name: "n", count: 1, allocatable: {{"cpu": "20"}})],
            quota: Quota(name: "root", min: {{"cpu": "20"}}, max: {{"cpu": "20"}}, children: [
                Quota(name: "a", min: {{"cpu": "4"}}, max: {{"cpu": "{max}"}}, namespaces: ["a"]),
            ]),
            world: World(until: "10m"),
            workloads: [
                Job(name: "first", namespace: "a", request: {{"cpu": "{cpu_of_job}"}}, runtime: "1m"),
                Training(name: "gang", namespace: "a", submit: "1s", runtime: "1h", framework: Custom, roles: [
                    Role(name: "worker", replicas: 5, min: 4, request: {{"cpu": "2"}}),
                ]),
            ],
        )"#
    )
}

#[test]
fn g1_a_gang_requests_its_minimum_and_later_one_more_pod() {
    check_reason(
        &gang_of_five(9, 4),
        Some(2_000),
        "gang-worker-0",
        &expect![[r#"
        A1: the gang of 5 pods requests 8 cpu for its minimum of 4 pods, and a already uses 4 of its max of 9 cpu
        held by: a 4 cpu in 1 pod
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        would help: raise the max of a by 3 cpu
    "#]],
    );
    check_reason(
        &gang_of_five(9, 1),
        None,
        "gang-worker-4",
        &expect![[r#"
        A1: the gang of 5 pods requests 2 cpu for 1 more of them, and a already uses 8 of its max of 9 cpu
        held by: a 8 cpu in 4 pods (4 cpu borrowed)
        4 pods not preempted because they are part of the same workload (R2(c))
        would help: raise the max of a by 1 cpu
    "#]],
    );
}

//! Messages that need a whole run: what a pending workload is told at the end, beyond the verdict of one decision.
#![expect(clippy::unwrap_used, reason = "these are tests; a helper of one may fail like the test itself")]

use quotree_core::Time;
use quotree_sim::{
    RunOptions, run,
    scenario::{MapLoader, load},
};

/// The reason that a pod is given at a time, or at the end, clause by clause.
fn reason(text: &str, at_ms: Option<u64>, pod: &str) -> Vec<String> {
    let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
    let options = RunOptions { until: at_ms.map(Time), judge: false, ..RunOptions::default() };
    let rows = run(&scenario, &options, &mut ()).unwrap().result.pending;
    let row = rows.into_iter().find(|row| row.pod == pod).unwrap();
    row.reason.split("; ").map(str::to_owned).collect()
}

#[test]
fn o4_a_gang_larger_than_the_cluster_is_told_how_many_fit() {
    let text = include_str!("../../scenarios/regressions/volcano-665-gang-too-large.ron");
    assert_eq!(
        reason(text, None, "spark-exec-0"),
        [
            "P1: 10 of its pods fit, and the next: a pod requests 4 cpu, the closest node (n-0) then has 2 free, 20 free in \
             the cluster, but no single node has enough (fragmented) (all 10 nodes are then full)",
            "it cannot run whatever else ends, so it holds up nobody (O4): all suitable nodes together would hold 10 of the \
             12 pods that must run together, even if empty",
        ]
    );
}

#[test]
fn o2_who_is_passed_is_told_how_often_and_what_would_stop_it() {
    let text = include_str!("../../scenarios/regressions/kai-1969-passed-for-ever.ron");
    assert_eq!(
        reason(text, None, "big-w-0"),
        [
            "A1: the gang of 4 requests 32 nvidia.com/gpu, root uses 32 of its max of 32 nvidia.com/gpu",
            "held by: root 32 nvidia.com/gpu in 16 pods",
            "16 pods not preempted because they are in the same leaf and their priority is not lower (R1)",
            "passed by: 336 younger workloads of no higher priority started while it waited, which `queueing: Block` on \
             root would stop (O2)",
        ]
    );
}

#[test]
fn h3_a_reservation_names_the_pods_that_it_waits_for() {
    let text = include_str!("../../scenarios/faults/long-grace.ron");
    assert_eq!(
        reason(text, Some(660_000), "owner-1"),
        [
            "H1: it has evicted 4 pods and waits for them to terminate",
            "waits for: tenant-5, tenant-6, tenant-7, tenant-8",
        ]
    );
}

#[test]
fn a_job_in_its_back_off_is_told_what_would_keep_it_from_starting_now() {
    let text = include_str!("../../scenarios/queues/one-gpu-on-each-node.ron");
    assert_eq!(
        reason(text, None, "two-1"),
        [
            "position 1 of 1 in the job queue of root: it did not start in time, its next attempt is in 43m",
            "it requests 2 nvidia.com/gpu (root uses 6 nvidia.com/gpu of its max of 8 nvidia.com/gpu)",
            "released now, it would wait: P1: a pod requests 2 nvidia.com/gpu, the closest node (n-0) has 1 free, 2 free in \
             the cluster, but no single node has enough (fragmented) (all 2 nodes are full)",
            "held by: root 6 nvidia.com/gpu in 2 pods",
            "2 pods not preempted because they are in the same leaf and their priority is not lower (R1)",
            "would help: free 1 more nvidia.com/gpu on n-0",
        ]
    );
}

//! Limits of quotas, and whose pods use what is missing (X1; A1, A2, A5, O2).

use super::explain;
use expect_test::expect;

/// b borrows 2 cpu, and one of 10 is left. With 2 more, a would be one above its min, so it may not reclaim.
#[test]
fn x1_a_full_cluster_names_who_uses_it_and_how_much_of_it_is_borrowed() {
    let verdict = explain(
        "root 10/10; a<root 4/10; b<root 4/10; c<root 1/10",
        "10",
        &["submit 1 to a: 3", "submit 2 to b: 6", "submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 9 of its max of 10 cpu
        held by: b 6 cpu in 1 pod (2 cpu borrowed), a 3 cpu in 1 pod
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        1 pod not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from it (R2(a))
        would help: raise the min of a by 1 cpu
        --
        A1, P1: used by b (2), a (1)
        R2(a): used by a (1)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 1 cpu free
        R1 protects 1
        R2(a) protects 2
    "#]]
    .assert_eq(&verdict);
}

/// x is at its max, which a and b use. c is not below x, so its pod is not named.
#[test]
fn x1_a_full_parent_names_the_queues_below_it_only() {
    let verdict = explain(
        "root 9/9; x<root 4/4; a<x 2/4; b<x 2/4; c<root 1/9",
        "9",
        &["submit 1 to a: 1; submit 2 to b: 2; submit 3 to c: 1; submit 4 to a: 1", "submit 5 to a: 1"],
        5,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and x already uses 4 of its max of 4 cpu
        held by: a 2 cpu in 2 pods, b 2 cpu in 1 pod
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        2 pods not preempted because they are in the same leaf and their priority is not lower (R1)
        1 pod not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from it (R2(a))
        would help: raise the max of x by 1 cpu
        --
        A1: used by a (1, 4), b (2)
        R2(a): used by a (1, 4)
        R1 protects 1, 4
        R2(a) protects 2
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// A non-preemptible pod must fit the min of a beside the other non-preemptible pods of a; workload 2 does not count.
#[test]
fn x1_a_min_is_used_up_by_non_preemptible_pods_only() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            "submit 1 to a: 1 non-preemptible; submit 2 to a: 1; submit 3 to b: 1 non-preemptible",
            "submit 4 to a: 2 non-preemptible",
        ],
        4,
    );
    expect![[r#"
        A2: the pod requests 2 cpu and is not preemptible, so it must fit within the min of a: non-preemptible pods already use 1 of 2 cpu
        held by: a 1 cpu in 1 pod
        also A1: the pod requests 2 cpu, and root already uses 3 of its max of 4 cpu
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): it is not preemptible and requests 2 cpu, and other non-preemptible pods leave 1 cpu of the min of a
        --
        A2: used by a (1)
        A1, P1: used by a (1, 2), b (3)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 1 cpu free
        R5 protects 3 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// The min of a is used up by non-preemptible pods, that of its parent x is not.
#[test]
fn x1_a_min_may_be_full_while_the_parent_still_has_some() {
    let verdict = explain(
        "root 4/4; x<root 3/4; a<x 2/4; b<x 1/4; c<root 1/4",
        "9",
        &[
            "submit 1 to a: 2 non-preemptible; submit 2 to b: 1; submit 3 to c: 1 non-preemptible",
            "submit 4 to a: 1 non-preemptible",
        ],
        4,
    );
    expect![[r#"
        A2: the pod requests 1 cpu and is not preemptible, so it must fit within the min of a: non-preemptible pods already use 2 of 2 cpu
        held by: a 2 cpu in 1 pod
        also A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): it is not preemptible and requests 1 cpu, and other non-preemptible pods leave 0 cpu of the min of a
        --
        A2: used by a (1)
        A1: used by a (1), b (2), c (3)
        R5 protects 3 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// a admits two workloads at once, and has two: a pod and a gang of two.
#[test]
fn x1_the_limit_of_workloads_names_those_that_count() {
    let verdict = explain(
        "root 9/9; a<root 9/9 jobs=2; b<root 0/9",
        "9",
        &["submit 1 to a: 1; submit 2 to a: 1 x2; submit 3 to b: 1", "submit 4 to a: 1"],
        4,
    );
    expect![[r#"
        A5: a admits at most 2 workloads at once (`max_jobs`), and has admitted as many
        held by: a 3 pods
        would help: raise the max_jobs of a to 3
        --
        entitled
        A5: used by a (1, w2.0, w2.1)
        R5 protects 4 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// a admits one workload at once. Workload 2 has evicted 1 and waits for it to leave: it counts already.
#[test]
fn x1_the_limit_of_workloads_counts_reservations() {
    let verdict = explain(
        "root 4/4; a<root 4/4 jobs=1; b<root 0/4",
        "4",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 1", "submit 3 to a: 1"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 1 pod (4 cpu borrowed)
        also A5: a admits at most 1 workload at once (`max_jobs`), and has admitted as many
        --
        entitled
        A1, P1: used by b (1)
        A5: used by a (2)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// No gpu is left. Workload 1 uses none and is not named.
#[test]
fn x1_of_two_resources_only_the_missing_one_counts() {
    let verdict = explain(
        "root 4,2/4,2; a<root 1,1/4,2; b<root 3,1/4,2",
        "9,9",
        &["submit 1 to b: 1,0; submit 2 to b: 1,1; submit 3 to a: 1,1", "submit 4 to a: 1,1"],
        4,
    );
    expect![[r#"
        A1: the pod requests 1 gpu, and root already uses 2 of its max of 2 gpu
        held by: a 1 gpu in 1 pod, b 1 gpu in 1 pod
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        also R2(a): with this pod, a would use 1 gpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        1 pod not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from it (R2(a))
        would help: raise the max of root by 1 gpu
        --
        A1: used by a (3), b (2)
        R2(a), R2(a): used by a (3)
        R1 protects 3
        R2(a) protects 2
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// With the pod, a would be within its min of cpu and above its min of gpu, so it may not reclaim gpus.
#[test]
fn x1_a_queue_may_be_within_its_min_in_one_resource_and_above_it_in_the_other() {
    let verdict = explain(
        "root 4,4/4,4; a<root 1,1/4,4; b<root 3,3/4,4",
        "9,9",
        &["submit 1 to b: 2,2; submit 2 to a: 0,1; submit 3 to b: 1,1", "submit 4 to a: 1,1"],
        4,
    );
    expect![[r#"
        A1: the pod requests 1 gpu, and root already uses 4 of its max of 4 gpu
        held by: b 3 gpu in 2 pods, a 1 gpu in 1 pod
        also R2(a): with this pod, a would use 1 gpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        2 pods not preempted because a would use 1 gpu more than its guarantee, so it may not reclaim from them (R2(a))
        would help: raise the max of root by 1 gpu
        --
        A1: used by b (1, 3), a (2)
        R2(a): used by a (2)
        R1 protects 2
        R2(a) protects 1, 3
    "#]]
    .assert_eq(&verdict);
}

/// Neither cpu nor gpu is left; a is at its min of gpu, and its own pod is non-preemptible.
#[test]
fn x1_two_resources_may_be_missing_at_once() {
    let verdict = explain(
        "root 4,4/4,4; a<root 3,2/4,4; b<root 1,2/4,4",
        "9,9",
        &["submit 1 to a: 1,2 non-preemptible; submit 2 to b: 1,1; submit 3 to b: 2,1", "submit 4 to a: 1,1"],
        4,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 3 cpu in 2 pods (2 cpu borrowed), a 1 cpu in 1 pod
        also A1: the pod requests 1 gpu, and root already uses 4 of its max of 4 gpu
        also R2(a): with this pod, a would use 1 gpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is not preemptible (R2(c))
        2 pods not preempted because a would use 1 gpu more than its guarantee, so it may not reclaim from them (R2(a))
        --
        A1: used by b (2, 3), a (1)
        A1: used by a (1), b (2, 3)
        R2(a): used by a (1)
        R2(c) protects 1
        R2(a) protects 2, 3
    "#]]
    .assert_eq(&verdict);
}

/// b is a queue in which nobody passes the head, and the head does not fit.
#[test]
fn x1_a_strict_queue_names_the_workload_at_its_head() {
    let verdict = explain(
        "root 4/4; a<root 4/4; b<root 0/4 block",
        "4",
        &["submit 1 to a: 3; submit 2 to b: 2", "submit 3 to b: 1"],
        3,
    );
    expect![[r#"
        O2: workload 2 is ahead of it in the strict queue of its leaf (`queueing: Block`)
    "#]]
    .assert_eq(&verdict);
}

/// a misses a gpu within its min of gpu. Its pod would be 2 cpu above its min of cpu, so it may not reclaim.
#[test]
fn x1_borrowing_one_resource_bars_reclaiming_another() {
    let verdict = explain(
        "root 20,4/20,4; a<root 2,2/20,4; b<root 16,2/20,4",
        "20,4",
        &["submit 1 to b: 1,1; submit 2 to b: 1,1; submit 3 to b: 1,1; submit 4 to b: 1,1", "submit 5 to a: 4,1"],
        5,
    );
    expect![[r#"
        A1: the pod requests 1 gpu, and root already uses 4 of its max of 4 gpu
        held by: b 4 gpu in 4 pods (2 gpu borrowed)
        also R2(a): with this pod, a would use 2 cpu more than its guarantee, so it may not reclaim from other quotas
        4 pods not preempted because a would use 2 cpu more than its guarantee, so it may not reclaim from them (R2(a))
        would help: raise the min of a by 2 cpu
        --
        A1, P1: used by b (1, 2, 3, 4)
        also P1: a pod requests 1 gpu, and the only node (node 0) has 0 gpu free
        R2(a) protects 1, 2, 3, 4
    "#]]
    .assert_eq(&verdict);
}

/// A member that joined counts.
#[test]
fn x1_a_gang_is_as_large_as_it_is_today() {
    let verdict = explain("root 6/6; a<root 6/6", "4 4", &["submit 1 to a: 2 x4 min 4; grow 1 by 1"], 1);
    expect!["A1: the gang of 5 pods requests 8 cpu, and the max of a is only 6 cpu"]
        .assert_eq(verdict.lines().next().unwrap());
}

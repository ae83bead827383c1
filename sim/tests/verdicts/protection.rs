//! Whom which rule protects from being evicted for this workload (X1; R1, R2, R6, R7).

use super::explain;
use expect_test::expect;

/// By default, a budget is broken where nothing else helps. Even so, 2 and 3 run on two nodes, too small for 4.
#[test]
fn x1_by_default_a_disruption_budget_protects_nobody() {
    let verdict = explain(
        "root 5/5; a<root 2/5; b<root 3/5",
        "3 1 1",
        &[
            "budget x allows 0; submit 1 to b: 3 non-preemptible; submit 2 to b: 1 budget x; submit 3 to b: 1",
            "submit 4 to a: 2",
        ],
        4,
    );
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 5 of its max of 5 cpu
        held by: b 5 cpu in 3 pods (2 cpu borrowed)
        also P1: a pod requests 2 cpu, and the closest node (node 1) would have 1 cpu free after the eviction of 2 eligible pods, although all suitable nodes together have 2 cpu free: the cluster is fragmented
        1 pod not preempted because it is not preemptible (R2(c))
        2 pods not preempted because evicting them and all other eligible pods would not make enough room (R6)
        would help: free another 1 cpu on node 1
        --
        entitled
        A1, P1: used by b (1, 2, 3)
        3, 2 counted as gone
        node 1: 1 of 2 cpu
        node 2: 1 of 2 cpu
        node 0: 0 of 2 cpu
        R2(c) protects 1
        R6 protects 2, 3
        or make workload 1 preemptible
    "#]].assert_eq(&verdict);
}

/// b is above its min of gpu by one pod, and at its min of cpu: one of its pods may go, and that is not enough.
#[test]
fn x1_a_victim_may_be_above_its_min_in_one_of_two_missing_resources() {
    let verdict = explain(
        "root 20,9/20,9; a<root 6,4/20,9; b<root 4,1/20,9",
        "5,3",
        &["submit 1 to b: 2,1; submit 2 to b: 2,1; submit 3 to a: 1,1 non-preemptible", "submit 4 to a: 5,3"],
        4,
    );
    expect![[r#"
        P1: a pod requests 5 cpu, and the only node (node 0) would have 2 cpu free after the eviction of 1 eligible pod
        held by: b 4 cpu in 2 pods, a 1 cpu in 1 pod
        1 pod not preempted because it is not preemptible (R2(c))
        2 pods not preempted because evicting them and all other eligible pods would not make enough room (R6)
        --
        entitled
        P1: used by b (1, 2), a (3)
        node 0: 2 of 5 cpu with 2 gone, 2 resources missing
        R2(c) protects 3
        R6 protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// b is at its min, on a node of 3 cpu where quota allows for 4.
#[test]
fn x1_a_queue_within_its_min_is_protected() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "3",
        &["submit 1 to b: 1", "submit 2 to b: 1", "submit 3 to a: 1", "submit 4 to a: 1"],
        4,
    );
    expect![[r#"
        P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        held by: b 2 cpu in 2 pods, a 1 cpu in 1 pod
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        2 pods not preempted because b uses no more than its guarantee of cpu (R2(b))
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by b (1, 2), a (3)
        R1 protects 3
        R2(b) protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// 1 is non-preemptible, 3 and 4 are of the own queue with no lower priority; 2 may go and frees 2 cpu of the 3.
#[test]
fn x1_each_protected_pod_is_named_with_its_rule() {
    let verdict = explain(
        "root 9/9; a<root 5/9; b<root 2/9; c<root 1/9",
        "4 4",
        &[
            "submit 1 to b: 2 non-preemptible",
            "submit 2 to c: 2",
            "submit 3 to a: 1 priority 5",
            "submit 4 to a: 1",
            "submit 5 to a: 3",
        ],
        5,
    );
    expect![[r#"
        P1: a pod requests 3 cpu, and the closest node (node 0) would have 2 cpu free after the eviction of 1 eligible pod (none of the 2 nodes has enough free)
        held by: a 2 cpu in 2 pods, b 2 cpu in 1 pod, c 2 cpu in 1 pod (1 cpu borrowed)
        1 pod not preempted because it is not preemptible (R2(c))
        2 pods not preempted because they are in the same leaf and their priority is not lower (R1)
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by a (3, 4), b (1), c (2)
        node 0: 2 of 3 cpu with 2 gone
        node 1: 2 of 3 cpu
        R2(c) protects 1
        R1 protects 3, 4
        R6 protects 2
    "#]]
    .assert_eq(&verdict);
}

/// 4 may displace 1 of its own queue, which frees 1 cpu; with 2 cpu, a would borrow more than it does now.
#[test]
fn x1_preemption_within_a_queue_must_not_increase_borrowing() {
    let verdict = explain(
        "root 9/9; a<root 1/9; b<root 1/9",
        "4",
        &[
            "submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9",
            "node 1 up: 1:z=y; submit 4 to a: 2 priority 5; submit 5 to b: 1 on z=y",
        ],
        4,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the closest node (node 0) has 1 cpu free (none of the 2 nodes has enough free)
        held by: a 2 cpu in 2 pods (1 cpu borrowed), b 2 cpu in 2 pods (1 cpu borrowed)
        also R1: even if every eligible pod of its leaf were evicted, a would borrow 1 cpu more than now
        also R2(a): with this pod, a would use 3 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is not preemptible (R2(c))
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        1 pod not preempted because a would use 3 cpu more than its guarantee, so it may not reclaim from it (R2(a))
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: raise the min of a by 2 cpu
        --
        P1: used by a (1, 3), b (2, 5)
        R1, R2(a): used by a (1, 3)
        node 0: 1 of 2 cpu
        node 1: 0 of 2 cpu
        R2(c) protects 2
        R1 protects 3
        R2(a) protects 5
        R6 protects 1
        or free another 1 cpu on node 0
    "#]]
    .assert_eq(&verdict);
}

/// 6 runs on a node that 4 does not select. If it could go, a would not borrow more; its priority protects it.
#[test]
fn x1_a_pod_of_the_own_queue_on_the_wrong_node_still_counts_for_its_quota() {
    let verdict = explain(
        "root 9/9; a<root 1/9; b<root 1/9",
        "4:z=n",
        &[
            "submit 1 to a: 1; submit 2 to b: 1 non-preemptible; submit 3 to a: 1 priority 9",
            "node 1 up: 2:z=y; submit 4 to a: 2 priority 5 on z=n; submit 5 to b: 1 on z=y; submit 6 to a: 1 priority 9 on z=y",
        ],
        4,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the closest node (node 0) has 1 cpu free (2 nodes: 1 with too little free, 1 not matching its node selector)
        held by: a 2 cpu in 2 pods (2 cpu borrowed), b 1 cpu in 1 pod (1 cpu borrowed)
        also R1: even if every eligible pod of its leaf were evicted, a would borrow 1 cpu more than now
        1 pod not preempted because it is not preemptible (R2(c))
        2 pods not preempted because they are in the same leaf and their priority is not lower (R1)
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: raise the min of a by 3 cpu
        --
        P1: used by a (1, 3), b (2)
        R1: used by a (1, 3, 6)
        R2(c) protects 2
        R1 protects 3, 6
        R6 protects 1
        R5 protects 1 pod(s)
        or free another 1 cpu on node 0
    "#]]
    .assert_eq(&verdict);
}

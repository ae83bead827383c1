//! What would let a workload run: the smallest change that was tried and helps (X3).

use super::explain;
use expect_test::expect;

/// b uses the whole cluster. With a min of 2, a could reclaim; all of root's min is promised, and c uses none of its 3.
#[test]
fn x3_more_min_may_come_from_a_sibling_that_does_not_use_its_own() {
    let verdict = explain(
        "root 6/6; a<root 1/6; b<root 2/6; c<root 3/6",
        "6",
        &["submit 1 to b: 3; submit 2 to b: 3", "submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 6 of its max of 6 cpu
        held by: b 6 cpu in 2 pods (4 cpu borrowed)
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        2 pods not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from them (R2(a))
        would help: move a min of 1 cpu from c to a
        --
        A1, P1: used by b (1, 2)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        R2(a) protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// A non-preemptible pod must fit the min of its queue, which is 1; the whole min of root is promised.
#[test]
fn x3_a_non_preemptible_pod_needs_more_min_of_its_queue() {
    let verdict = explain(
        "root 8/8; a<root 1/8; b<root 2/8; c<root 3/8; d<root 2/8",
        "8",
        &["submit 1 to b: 4; submit 2 to b: 4", "submit 3 to a: 2 non-preemptible"],
        3,
    );
    expect![[r#"
        A2: the pod requests 2 cpu and is not preemptible, so it must fit within the min of a, which is 1 cpu
        also A1: the pod requests 2 cpu, and root already uses 8 of its max of 8 cpu
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): it is not preemptible and requests 2 cpu, and other non-preemptible pods leave 1 cpu of the min of a
        would help: move a min of 1 cpu from c to a
        --
        A1, P1: used by b (1, 2)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        R5 protects 2 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// x is guaranteed 4 and has promised a only 1 of it, so no sibling has to give anything.
#[test]
fn x3_more_min_comes_from_the_parent_where_the_parent_has_some_to_give() {
    let verdict = explain(
        "root 8/8; x<root 4/8; a<x 1/8; b<root 4/8",
        "8",
        &["submit 1 to b: 4; submit 2 to b: 4", "submit 3 to a: 3"],
        3,
    );
    expect![[r#"
        A1: the pod requests 3 cpu, and root already uses 8 of its max of 8 cpu
        held by: b 8 cpu in 2 pods (4 cpu borrowed)
        also R2(a): with this pod, a would use 2 cpu more than its guarantee, so it may not reclaim from other quotas
        2 pods not preempted because a would use 2 cpu more than its guarantee, so it may not reclaim from them (R2(a))
        would help: raise the min of a by 2 cpu
        --
        A1, P1: used by b (1, 2)
        also P1: a pod requests 3 cpu, and the only node (node 0) has 0 cpu free
        R2(a) protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// The max of a and the max of x are both too small; changing one of them alone does not help.
#[test]
fn x3_nothing_is_advised_where_two_limits_would_have_to_change() {
    let verdict =
        explain("root 8/8; x<root 4/5; a<x 1/3; b<root 4/8", "8", &["submit 1 to b: 1", "submit 3 to a: 6"], 3);
    expect![[r#"
        A1: the pod requests 6 cpu, and the max of a is only 3 cpu
        also A1: the pod requests 6 cpu, and the max of x is only 5 cpu
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): it requests 6 cpu, more than the max of a, which is 3 cpu
        --
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// Only the max of a is too small; x has room below its own.
#[test]
fn x3_the_max_of_the_own_queue_is_advised_where_it_alone_is_too_small() {
    let verdict =
        explain("root 8/8; x<root 4/5; a<x 1/3; b<root 4/8", "8", &["submit 1 to b: 1", "submit 3 to a: 4"], 3);
    expect![[r#"
        A1: the pod requests 4 cpu, and the max of a is only 3 cpu
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): it requests 4 cpu, more than the max of a, which is 3 cpu
        would help: raise the max of a by 1 cpu
        --
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// b keeps 2 of its min from lending. Lending more is not among the changes that are tried.
#[test]
fn x3_a_sibling_is_not_asked_to_lend_more() {
    let verdict = explain("root 8/8; a<root 3/8; b<root 4/8 lend=2", "8", &["submit 1 to a: 5", "submit 2 to a: 2"], 2);
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 7 of its max of 8 cpu
        held by: a 5 cpu in 1 pod (2 cpu borrowed)
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        would help: raise the max of root by 1 cpu
        --
        A1: used by a (1)
        R1 protects 1
    "#]]
    .assert_eq(&verdict);
}

/// Workload 2 has evicted 1 and holds what it frees on node 0; 3 may run on node 0 only.
#[test]
fn x3_advice_takes_into_account_what_is_reserved_for_others() {
    let verdict = explain(
        "root 9/9; a<root 2/2; b<root 1/9; c<root 1/9",
        "4:z=y",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "node 1 up: 2; submit 3 to c: 4 on z=y"],
        3,
    );
    expect![[r#"
        P1: a pod requests 4 cpu, and the closest node (node 0) has 0 cpu free (2 nodes: 1 with too little free, 1 not matching its node selector)
        held by: b 4 cpu in 1 pod (3 cpu borrowed)
        also R2(a): with this pod, c would use 3 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is already terminating (R2(c))
        would help: raise the min of c by 3 cpu
        --
        P1: used by b (1)
        R2(c) protects 1
        or free another 4 cpu on node 0
    "#]]
    .assert_eq(&verdict);
}

/// Workload 4 may displace 1 of its own queue, which frees one cpu of the three.
#[test]
fn x3_advice_covers_what_the_victims_will_not_free() {
    let verdict = explain(
        "root 8/8; a<root 2/8; b<root 6/8",
        "4",
        &["submit 1 to a: 1; submit 2 to b: 2 non-preemptible; submit 3 to b: 1", "submit 4 to a: 3 priority 1"],
        4,
    );
    expect![[r#"
        P1: a pod requests 3 cpu, and the only node (node 0) would have 1 cpu free after the eviction of 1 eligible pod
        held by: b 3 cpu in 2 pods, a 1 cpu in 1 pod
        also R2(a): with this pod, a would use 2 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is not preemptible (R2(c))
        1 pod not preempted because a would use 2 cpu more than its guarantee, so it may not reclaim from it (R2(a))
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        --
        P1: used by b (2, 3), a (1)
        R2(a): used by a (1)
        node 0: 1 of 3 cpu with 1 gone
        R2(c) protects 2
        R2(a) protects 3
        R6 protects 1
    "#]]
    .assert_eq(&verdict);
}

/// Both queues use their min and the cluster is full: neither more min nor more max finds a victim or room.
#[test]
fn x3_nothing_is_advised_where_both_queues_are_at_their_min() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to a: 2; submit 2 to b: 2", "submit 3 to a: 1"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: a 2 cpu in 1 pod, b 2 cpu in 1 pod
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        1 pod not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from it (R2(a))
        --
        A1, P1: used by a (1), b (2)
        R2(a): used by a (1)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R1 protects 1
        R2(a) protects 2
    "#]]
    .assert_eq(&verdict);
}

/// The pod asks for a gpu, and the only node has none.
#[test]
fn x3_a_resource_that_no_node_has_may_be_advised() {
    let verdict = explain("root 4,4/4,4; a<root 4,4/4,4", "4", &["submit 1 to a: 1,1"], 1);
    expect![[r#"
        P1: a pod requests 1 gpu, and the only node (node 0) has 0 gpu free
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        would help: free another 1 gpu on node 0
        --
        entitled
    "#]]
    .assert_eq(&verdict);
}

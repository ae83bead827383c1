//! What is on its way: victims that have been evicted and are still there (X1, H1).

use super::explain;
use expect_test::expect;

/// Workload 2 has evicted 1, which still runs.
#[test]
fn x1_a_preemptor_waits_for_its_victims_to_leave() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 1", "submit 3 to a: 1"],
        2,
    );
    expect![[r#"
        H1: it waits for 1 pod to terminate, and what that frees is reserved for it
        --
        entitled
    "#]]
    .assert_eq(&verdict);
}

/// Workload 1 is leaving for 2, and frees enough for 3, too: 3 waits and evicts nobody.
#[test]
fn x1_a_workload_waits_for_the_victims_of_others_if_that_is_enough() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 1", "submit 3 to a: 1"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 1 pod (2 cpu borrowed)
        also H1: it fits once 1 terminating pod is gone, so it evicts no others
        1 pod not preempted because it is already terminating (R2(c))
        --
        entitled
        A1, P1: used by b (1)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 1
    "#]]
    .assert_eq(&verdict);
}

/// Workload 2 has evicted a gang of two pods; one of them is enough for it, the other one for 3.
#[test]
fn x1_a_workload_waits_for_the_rest_of_a_gang_that_leaves_for_another() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["slow evictions; submit 1 to b: 2 x2", "submit 2 to a: 1", "submit 3 to a: 1"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 2 pods (2 cpu borrowed)
        also H1: it fits once 2 terminating pods are gone, so it evicts no others
        2 pods not preempted because they are already terminating (R2(c))
        --
        entitled
        A1, P1: used by b (w1.0, w1.1)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects w1.0, w1.1
    "#]]
    .assert_eq(&verdict);
}

/// Workload 3 is of the same queue as the gang that is leaving, and comes after 2.
#[test]
fn x1_victims_that_leave_are_not_victims_of_their_own_queue() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["slow evictions; submit 1 to b: 2 x2 min 1", "submit 2 to a: 2", "submit 3 to b: 1"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and b already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 2 pods (2 cpu borrowed)
        also A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        also R2(a): with this pod, b would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is already terminating (R2(c))
        1 pod not preempted because it is in the same leaf and its priority is not lower (R1)
        --
        A1, A1, P1, R2(a): used by b (w1.0, w1.1)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects w1.1
        R1 protects w1.0
    "#]]
    .assert_eq(&verdict);
}

/// When 1 leaves, 2 takes half of the 4 cpu; 3 asks for 3 of them.
#[test]
fn x1_what_is_reserved_for_others_is_not_there_when_the_victims_leave() {
    let verdict = explain(
        "root 4/4; a<root 2/4; b<root 1/4; c<root 1/4",
        "4",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "submit 3 to c: 3"],
        3,
    );
    expect![[r#"
        A1: the pod requests 3 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 1 pod (3 cpu borrowed)
        also R2(a): with this pod, c would use 2 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is already terminating (R2(c))
        --
        A1, P1: used by b (1)
        also P1: a pod requests 3 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 1
    "#]]
    .assert_eq(&verdict);
}

/// The same with quota enough for all: only the node is too small for 2 and 3.
#[test]
fn x1_a_node_may_be_what_is_reserved_for_others() {
    let verdict = explain(
        "root 9/9; a<root 2/9; b<root 1/9; c<root 1/9",
        "4",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "submit 3 to c: 3"],
        3,
    );
    expect![[r#"
        P1: a pod requests 3 cpu, and the only node (node 0) has 0 cpu free
        held by: b 4 cpu in 1 pod (3 cpu borrowed)
        also R2(a): with this pod, c would use 2 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is already terminating (R2(c))
        would help: free another 3 cpu on node 0
        --
        P1: used by b (1)
        R2(c) protects 1
    "#]]
    .assert_eq(&verdict);
}

/// What is reserved for 2 is all that a may use.
#[test]
fn x1_a_reservation_counts_against_the_max_of_its_queue() {
    let verdict = explain(
        "root 4/4; a<root 2/2; b<root 2/4",
        "4",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "submit 3 to a: 1"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and a already uses 2 of its max of 2 cpu
        also A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is already terminating (R2(c))
        --
        A1, P1: used by b (1)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 1
    "#]]
    .assert_eq(&verdict);
}

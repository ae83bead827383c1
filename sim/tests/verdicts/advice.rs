//! What would let a workload run: the smallest change that was tried and helps (X3).

use super::explain;
use expect_test::expect;

/// b uses the whole cluster. With a min of 2, a could reclaim; all of root's min is promised, and c uses none of its 3.
#[test]
fn x3_more_min_may_come_from_a_sibling_that_does_not_use_its_own() {
    let told = explain(
        "root 6/6; a<root 1/6; b<root 2/6; c<root 3/6",
        "6",
        &["submit 1 to b: 3; submit 2 to b: 3", "submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        A1: root may use 6 cpu at most, 6 are used, the pod asks 2
        held by: b 2 pods 6 (4 borrowed)
        also R2(a): with it a would be 1 cpu above its guarantee, so it may not reclaim past it
        2 pods not taken: R2(a) a would be 1 cpu above its guarantee
        1 cpu more min for a, given up by c would help
        --
        A1, P1 used by b 1, 2
        also P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(a) protects 1, 2
    "#]]
    .assert_eq(&told);
}

/// A non-preemptible pod must fit the min of its queue, which is 1; the whole min of root is promised.
#[test]
fn x3_a_non_preemptible_pod_needs_more_min_of_its_queue() {
    let told = explain(
        "root 8/8; a<root 1/8; b<root 2/8; c<root 3/8; d<root 2/8",
        "8",
        &["submit 1 to b: 4; submit 2 to b: 4", "submit 3 to a: 2 non-preemptible"],
        3,
    );
    expect![[r#"
        A2: it may not be evicted and so must fit the guarantee of a: 1 cpu, 0 are used, the pod asks 2
        also A1: root may use 8 cpu at most, 8 are used, the pod asks 2
        1 cpu more min for a, given up by c would help
        --
        A1, P1 used by b 1, 2
        also P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R5 protects 2 pods
    "#]]
    .assert_eq(&told);
}

/// x is guaranteed 4 and has promised a only 1 of it, so no sibling has to give anything.
#[test]
fn x3_more_min_comes_from_the_parent_where_the_parent_has_some_to_give() {
    let told = explain(
        "root 8/8; x<root 4/8; a<x 1/8; b<root 4/8",
        "8",
        &["submit 1 to b: 4; submit 2 to b: 4", "submit 3 to a: 3"],
        3,
    );
    expect![[r#"
        A1: root may use 8 cpu at most, 8 are used, the pod asks 3
        held by: b 2 pods 8 (4 borrowed)
        also R2(a): with it a would be 2 cpu above its guarantee, so it may not reclaim past it
        2 pods not taken: R2(a) a would be 2 cpu above its guarantee
        2 cpu more min for a would help
        --
        A1, P1 used by b 1, 2
        also P1: a pod asks 3 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(a) protects 1, 2
    "#]]
    .assert_eq(&told);
}

/// The max of a and the max of x are both too small; changing one of them alone does not help.
#[test]
fn x3_nothing_is_advised_where_two_limits_would_have_to_change() {
    let told = explain("root 8/8; x<root 4/5; a<x 1/3; b<root 4/8", "8", &["submit 1 to b: 1", "submit 3 to a: 6"], 3);
    expect![[r#"
        A1: a may use 3 cpu at most, 0 are used, the pod asks 6
        also A1: x may use 5 cpu at most, 0 are used, the pod asks 6
        --
        R5 protects 1 pods
    "#]]
    .assert_eq(&told);
}

/// Only the max of a is too small; x has room below its own.
#[test]
fn x3_the_max_of_the_own_queue_is_advised_where_it_alone_is_too_small() {
    let told = explain("root 8/8; x<root 4/5; a<x 1/3; b<root 4/8", "8", &["submit 1 to b: 1", "submit 3 to a: 4"], 3);
    expect![[r#"
        A1: a may use 3 cpu at most, 0 are used, the pod asks 4
        1 cpu more max for a would help
        --
        R5 protects 1 pods
    "#]]
    .assert_eq(&told);
}

/// b keeps 2 of its min from lending. Lending more is not among the changes that are tried.
#[test]
fn x3_a_sibling_is_not_asked_to_lend_more() {
    let told = explain("root 8/8; a<root 3/8; b<root 4/8 lend=2", "8", &["submit 1 to a: 5", "submit 2 to a: 2"], 2);
    expect![[r#"
        A1: root may use 8 cpu at most, 7 are used, the pod asks 2
        held by: a 1 pod 5 (2 borrowed)
        1 pod not taken: R1 of the same leaf, and its priority is not lower
        1 cpu more max for root would help
        --
        A1 used by a 1
        R1 protects 1
    "#]]
    .assert_eq(&told);
}

/// Workload 2 has evicted 1 and holds what it frees on node 0; 3 may run on node 0 only.
#[test]
fn x3_advice_takes_into_account_what_is_reserved_for_others() {
    let told = explain(
        "root 9/9; a<root 2/2; b<root 1/9; c<root 1/9",
        "4:z=y",
        &["slow evictions; submit 1 to b: 4", "submit 2 to a: 2", "node 1 up: 2; submit 3 to c: 4 on z=y"],
        3,
    );
    expect![[r#"
        P1: a pod asks 4 cpu, and node 0, which comes closest, has 0 free (2 nodes: 1 full, 1 without the labels)
        held by: b 1 pod 4 (3 borrowed)
        also R2(a): with it c would be 3 cpu above its guarantee, so it may not reclaim past it
        1 pod not taken: R2(c) leaving already
        3 cpu more min for c would help
        --
        P1 used by b 1
        R2(c) protects 1
        or 4 cpu more free on node 0
    "#]]
    .assert_eq(&told);
}

/// Workload 4 may displace 1 of its own queue, which frees one cpu of the three.
#[test]
fn x3_advice_covers_what_the_victims_will_not_free() {
    let told = explain(
        "root 8/8; a<root 2/8; b<root 6/8",
        "4",
        &["submit 1 to a: 1; submit 2 to b: 2 non-preemptible; submit 3 to b: 1", "submit 4 to a: 3 priority 1"],
        4,
    );
    expect![[r#"
        P1: a pod asks 3 cpu, and node 0, which comes closest, has 1 free once 1 pod that may be taken is gone (1 node: 1 full)
        held by: b 2 pods 3, a 1 pod 1
        also R2(a): with it a would be 2 cpu above its guarantee, so it may not reclaim past it
        1 pod not taken: R2(c) may not be evicted
        1 pod not taken: R2(a) a would be 2 cpu above its guarantee
        1 pod not taken: R6 is not enough, even with all others that may be taken
        --
        P1 used by b 2, 3; a 1
        R2(a) used by a 1
        node 0: 1 of 3 cpu with 1 gone
        R2(c) protects 2
        R2(a) protects 3
        R6 protects 1
    "#]].assert_eq(&told);
}

/// Both queues use their min and the cluster is full: neither more min nor more max finds a victim or room.
#[test]
fn x3_nothing_is_advised_where_both_queues_are_at_their_min() {
    let told = explain(
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to a: 2; submit 2 to b: 2", "submit 3 to a: 1"],
        3,
    );
    expect![[r#"
        A1: root may use 4 cpu at most, 4 are used, the pod asks 1
        held by: a 1 pod 2, b 1 pod 2
        also R2(a): with it a would be 1 cpu above its guarantee, so it may not reclaim past it
        1 pod not taken: R1 of the same leaf, and its priority is not lower
        1 pod not taken: R2(a) a would be 1 cpu above its guarantee
        --
        A1, P1 used by a 1; b 2
        R2(a) used by a 1
        also P1: a pod asks 1 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R1 protects 1
        R2(a) protects 2
    "#]]
    .assert_eq(&told);
}

/// The pod asks for a gpu, and the only node has none.
#[test]
fn x3_a_resource_that_no_node_has_may_be_advised() {
    let told = explain("root 4,4/4,4; a<root 4,4/4,4", "4", &["submit 1 to a: 1,1"], 1);
    expect![[r#"
        P1: a pod asks 1 gpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        1 gpu more free on node 0 would help
        --
        entitled
    "#]]
    .assert_eq(&told);
}

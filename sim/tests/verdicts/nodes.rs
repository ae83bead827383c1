//! What is missing on the nodes, and where it is least (X1; P1, S4).

use super::{explain, explain_by};
use expect_test::expect;
use quotree_core::{Policy, SearchBounds};

/// The gang runs on two nodes, of which 2 selects the first.
#[test]
fn x1_only_pods_on_suitable_nodes_count() {
    let verdict =
        explain("root 9/9; a<root 5/9; b<root 4/9", "2:z=y 2", &["submit 1 to b: 2 x2", "submit 2 to a: 1 on z=y"], 2);
    expect![[r#"
        P1: a pod requests 1 cpu, and the closest node (node 0) has 0 cpu free (2 nodes: 1 with too little free, 1 not matching its node selector)
        held by: b 2 cpu in 1 pod
        1 pod not preempted because b uses no more than its guarantee of cpu (R2(b))
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by b (w1.0)
        R2(b) protects w1.0
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// No gpu is left on the node. Workload 1 uses none.
#[test]
fn x1_a_pod_that_uses_nothing_of_what_is_missing_is_no_help() {
    let verdict = explain(
        "root 9,9/9,9; a<root 5,5/9,9; b<root 4,4/9,9",
        "4,1",
        &["submit 1 to b: 1,0; submit 2 to b: 1,1", "submit 3 to a: 1,1"],
        3,
    );
    expect![[r#"
        P1: a pod requests 1 gpu, and the only node (node 0) has 0 gpu free
        held by: b 1 gpu in 1 pod
        1 pod not preempted because b uses no more than its guarantee of gpu (R2(b))
        would help: free another 1 gpu on node 0
        --
        entitled
        P1: used by b (2)
        R2(b) protects 2
        R5 protects 1 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// Of six nodes one is cordoned, one has a taint, and the others do not have the label.
#[test]
fn x1_nodes_are_counted_by_what_rules_them_out() {
    let verdict = explain(
        "root 9/9; a<root 9/9",
        "1 2 3:!t 4:z=y 2 1",
        &["cordon node 1; submit 1 to a: 4 on z=y", "submit 2 to a: 2 non-preemptible on z=n; submit 3 to a: 1"],
        2,
    );
    expect![[r#"
        P1: no node is eligible (6 nodes: 1 tainted, 4 not matching its node selector, 1 cordoned)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        --
        entitled
        R5 protects 2 pod(s)
    "#]]
    .assert_eq(&verdict);
}

/// The largest of three nodes is cordoned; 2, 1 and 1 cpu are free on the others.
#[test]
fn x1_the_closest_nodes_are_named() {
    let verdict = explain("root 9/9; a<root 9/9", "1 2 3 1", &["cordon node 2; submit 1 to a: 3"], 1);
    expect![[r#"
        P1: a pod requests 3 cpu, and the closest node (node 1) has 2 cpu free, although all suitable nodes together have 4 cpu free: each has too little (4 nodes: 3 with too little free, 1 cordoned)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        would help: free another 1 cpu on node 1
        --
        entitled
        node 1: 2 of 3 cpu
        node 0: 1 of 3 cpu
        node 3: 1 of 3 cpu
    "#]].assert_eq(&verdict);
}

/// Both nodes that are large enough are cordoned.
#[test]
fn x1_a_cordoned_node_is_not_close() {
    let verdict = explain("root 9/9; a<root 9/9", "1 3 2", &["cordon node 1; cordon node 2; submit 1 to a: 2"], 1);
    expect![[r#"
        P1: a pod requests 2 cpu, and the closest node (node 0) has 1 cpu free (3 nodes: 1 with too little free, 2 cordoned)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        would help: free another 1 cpu on node 0
        --
        entitled
    "#]]
    .assert_eq(&verdict);
}

/// There is room on the only node, but it is cordoned.
#[test]
fn x1_the_only_node_may_be_cordoned() {
    let verdict = explain("root 9/9; a<root 9/9", "3", &["cordon node 0; submit 1 to a: 2"], 1);
    expect![[r#"
        P1: no node is eligible (1 node: 1 cordoned)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        would help: uncordon node 0
        --
        entitled
    "#]]
    .assert_eq(&verdict);
}

/// One pod of the gang fits on node 0. The other one comes closest on node 1.
#[test]
fn x1_the_number_of_pods_of_a_gang_with_room_is_given() {
    let verdict = explain(
        "root 9/9; a<root 9/9",
        "4 4",
        &["submit 1 to a: 2 non-preemptible; submit 2 to a: 3 non-preemptible", "submit 3 to a: 2 x2"],
        3,
    );
    expect![[r#"
        P1: 1 of its pods fits, the next one requests 2 cpu, and the closest node (node 1) then has 1 cpu free (none of the 2 nodes then has enough free)
        held by: a 5 cpu in 2 pods
        2 pods not preempted because they are not preemptible (R2(c))
        would help: free another 1 cpu on node 1
        --
        entitled
        P1: used by a (1, 2)
        node 1: 1 of 2 cpu
        node 0: 0 of 2 cpu
        R2(c) protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// 1.8 gpu are free, but no whole one on a node that has cpu enough.
#[test]
fn x1_of_devices_the_largest_free_part_of_one_counts() {
    let verdict = explain(
        "root 9,9/9,9; a<root 9,9/9,9",
        "9,1:dev 1,2:dev",
        &["submit 1 to a: 1,0.6 x2 non-preemptible; submit 2 to a: 2,1"],
        2,
    );
    expect![[r#"
        P1: a pod requests 1 gpu, and the closest node (node 0) has 0.4 gpu free, although all suitable nodes together have 1.8 gpu free: the cluster is fragmented
        held by: a 1.2 gpu in 2 pods
        2 pods not preempted because they are not preemptible (R2(c))
        would help: free another 2 cpu on node 1
        --
        entitled
        P1: used by a (w1.0, w1.1)
        node 0: 400m of 1 gpu
        node 1: 0 of 2 cpu
        R2(c) protects w1.0, w1.1
    "#]]
    .assert_eq(&verdict);
}

/// 0.4 are free on each of two devices: 0.8 in all, and no 0.7.
#[test]
fn x1_free_devices_may_be_in_pieces() {
    let verdict = explain(
        "root 9,9/9,9; a<root 9,9/9,9",
        "3,2:dev",
        &["submit 1 to a: 1,0.6 x2 non-preemptible; submit 2 to a: 1,0.7"],
        2,
    );
    expect![[r#"
        P1: a pod requests 0.7 gpu, and the only node (node 0) has 0.4 gpu free (1 node: 1 with enough free in sum, but not on single devices)
        held by: a 1.2 gpu in 2 pods
        2 pods not preempted because they are not preemptible (R2(c))
        --
        entitled
        P1: used by a (w1.0, w1.1)
        R2(c) protects w1.0, w1.1
    "#]]
    .assert_eq(&verdict);
}

/// A node that lacks one resource is closer than one that lacks two.
#[test]
fn x1_nodes_may_lack_several_resources() {
    let verdict = explain("root 9,9/9,9; a<root 9,9/9,9", "1,1 2,1 1,2", &["submit 1 to a: 2,3"], 1);
    expect![[r#"
        P1: a pod requests 3 gpu, and the closest node (node 1) has 1 gpu free, although all suitable nodes together have 4 gpu free: each has too little
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        would help: free another 2 gpu on node 1
        --
        entitled
        node 1: 1 of 3 gpu
        node 0: 1 of 2 cpu, 2 resources missing
        node 2: 1 of 2 cpu, 2 resources missing
    "#]]
    .assert_eq(&verdict);
}

/// b is 2 cpu above its min, so one of its pods may go: then 12 cpu are free in all, and 6 on the best node.
#[test]
fn s4_x1_fragmentation_is_named_where_quota_could_be_reclaimed_and_room_could_not() {
    let verdict = explain(
        "root 40/40; a<root 10/40; b<root 30/40",
        "10 10 10 10",
        &[
            "submit 1 to b: 4",
            "submit 2 to b: 4",
            "submit 3 to b: 4",
            "submit 4 to b: 4",
            "submit 5 to b: 4",
            "submit 6 to b: 4",
            "submit 7 to b: 4",
            "submit 8 to b: 4",
            "submit 9 to a: 10",
        ],
        9,
    );
    expect![[r#"
        A1: the pod requests 10 cpu, and root already uses 32 of its max of 40 cpu
        held by: b 32 cpu in 8 pods (2 cpu borrowed)
        also P1: a pod requests 10 cpu, and the closest node (node 3) would have 6 cpu free after the eviction of 1 eligible pod, although all suitable nodes together have 12 cpu free: the cluster is fragmented
        8 pods not preempted because evicting them and all other eligible pods would not make enough room (R6)
        would help: free another 4 cpu on node 3
        --
        entitled
        A1, P1: used by b (1, 2, 3, 4, 5, 6, 7, 8)
        8 counted as gone
        node 3: 6 of 10 cpu
        node 0: 2 of 10 cpu
        node 1: 2 of 10 cpu
        R6 protects 1, 2, 3, 4, 5, 6, 7, 8
    "#]].assert_eq(&verdict);
}

/// Three pods must run in one rack. Enough is free in all; in the best rack two of the three find room.
#[test]
fn x1_the_rack_that_comes_closest_is_named() {
    let verdict =
        explain("root 99/99; a<root 99/99", "1:in.z.r0 2:in.z.r1 1:in.z.r2", &["submit 1 to a: 1 x3 in one rack"], 1);
    expect![[r#"
        P1: its pods must run in one topology domain, and most of them fit in rack r1 of zone z: 2 of its pods fit, the next one requests 1 cpu, and the closest node (node 1) then has 0 cpu free (3 nodes: 1 with too little free, 2 outside that domain)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): 3 pods must run together in one rack, and no rack has room for more than 2 of them, even when empty: add nodes to one, or let at most 2 have to run together
        would help: free another 1 cpu on node 1
        --
        entitled
    "#]].assert_eq(&verdict);
}

/// The same for a queue without a min, which may evict nobody.
#[test]
fn x1_the_closest_rack_is_named_for_borrowers_too() {
    let verdict = explain(
        "root 99/99; a<root 0/99; b<root 1/1",
        "1:in.z.r0 2:in.z.r1 1:in.z.r2",
        &["submit 1 to a: 1 x3 in one rack"],
        1,
    );
    expect![[r#"
        P1: its pods must run in one topology domain, and most of them fit in rack r1 of zone z: 2 of its pods fit, the next one requests 1 cpu, and the closest node (node 1) then has 0 cpu free (3 nodes: 1 with too little free, 2 outside that domain)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): 3 pods must run together in one rack, and no rack has room for more than 2 of them, even when empty: add nodes to one, or let at most 2 have to run together
        would help: free another 1 cpu on node 1
    "#]].assert_eq(&verdict);
}

/// Two pods must run in one rack, and no node says in which rack it is.
#[test]
fn x1_where_no_node_is_in_a_rack_none_is_closest() {
    let verdict = explain("root 99/99; a<root 99/99", "4 4", &["submit 1 to a: 1 x2 in one rack"], 1);
    expect![[r#"
        P1: no node is eligible (2 nodes: 2 outside that domain)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): 2 pods must run together in one rack, and no rack has room for any of them, even when empty: add larger nodes, or request less
        --
        entitled
    "#]]
    .assert_eq(&verdict);
}

/// Only one rack may be searched for victims, and there are two.
#[test]
fn x1_a_bound_on_racks_is_reported() {
    let verdict = explain_by(
        &Policy { bounds: SearchBounds { nodes: 1, ..SearchBounds::default() }, ..Policy::default() },
        "root 4/4; a<root 4/4; b<root 0/4",
        "2:in..r0 2:in..r1",
        &["submit 1 to b: 2 non-preemptible; submit 2 to b: 2", "submit 3 to a: 2 x2 in one rack"],
        3,
    );
    expect![[r#"
        A1: the gang of 2 pods requests 4 cpu, and root already uses 2 of its max of 4 cpu
        held by: b 2 cpu in 1 pod (2 cpu borrowed)
        also P1: its pods must run in one topology domain, and most of them fit in rack r0: 1 of its pods fits, the next one requests 2 cpu, and the closest node (node 0) would have 0 cpu free after the eviction of 1 eligible pod (2 nodes: 1 with too little free, 1 outside that domain)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): 2 pods must run together in one rack, and no rack has room for more than 1 of them, even when empty: add nodes to one, or let at most 1 have to run together
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        the search for victims stopped at its limit of nodes
        would help: free another 2 cpu on node 0
        --
        entitled
        A1, P1: used by b (2)
        2 counted as gone
        node 0: 0 of 2 cpu
        R6 protects 2
    "#]].assert_eq(&verdict);
}

/// Only one candidate may be looked at, and two would have to go.
#[test]
fn x1_a_bound_on_candidates_is_reported() {
    let verdict = explain_by(
        &Policy { bounds: SearchBounds { candidates: 1, ..SearchBounds::default() }, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 1/4",
        "4",
        &["submit 1 to b: 1", "submit 2 to b: 1", "submit 3 to b: 1", "submit 4 to b: 1", "submit 5 to a: 2"],
        5,
    );
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 4 pods (3 cpu borrowed)
        4 pods not preempted because evicting them and all other eligible pods would not make enough room (R6)
        the search for victims stopped at its limit of candidates
        --
        entitled
        A1, P1: used by b (1, 2, 3, 4)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        R6 protects 1, 2, 3, 4
    "#]]
    .assert_eq(&verdict);
}

/// One rack can be cleared of preemptible pods, which frees room for one of two pods: the node and the victim are named.
#[test]
fn x1_the_closest_rack_is_named_with_the_victims_it_would_take() {
    let verdict = explain(
        "root 8/8; a<root 2/8; b<root 0/8; c<root 2/8",
        "2:in..r0 2:in..r1",
        &[
            "submit 1 to c: 1 non-preemptible; submit 2 to b: 1",
            "submit 3 to c: 1 non-preemptible; submit 4 to b: 1",
            "submit 5 to a: 1 x2 in one rack",
        ],
        5,
    );
    expect![[r#"
        P1: its pods must run in one topology domain, and most of them fit in rack r0: 1 of its pods fits, the next one requests 1 cpu, and the closest node (node 0) would have 0 cpu free after the eviction of 1 eligible pod (2 nodes: 1 with too little free, 1 outside that domain)
        held by: b 2 cpu in 2 pods (2 cpu borrowed), c 2 cpu in 2 pods
        2 pods not preempted because they are not preemptible (R2(c))
        2 pods not preempted because evicting them and all other eligible pods would not make enough room (R6)
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by b (2, 4), c (1, 3)
        2 counted as gone
        node 0: 0 of 1 cpu
        R2(c) protects 1, 3
        R6 protects 2, 4
    "#]].assert_eq(&verdict);
}

//! Whom a knob of the policy protects: pods without a quota, strict budgets, young pods, strict floors (X1; A4, R2, R7, R8).

use super::explain_by;
use expect_test::expect;
use quotree_core::{Floor, Policy, Preemption, RespectBudgets, Unquotaed};

/// Workloads 1 and 2 run without a quota. Only 2 may be evicted, and it is not enough.
#[test]
fn x1_pods_without_a_quota_may_be_reclaimed_unless_non_preemptible() {
    let verdict = explain_by(
        &Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; a<root 2/9; b<root 2/9",
        "4",
        &["submit 1 to -: 2 non-preemptible; submit 2 to -: 1; submit 3 to b: 1", "submit 4 to a: 2"],
        4,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the only node (node 0) would have 1 cpu free after the eviction of 1 eligible pod
        held by: without a quota: 3 cpu in 2 pods, b 1 cpu in 1 pod
        1 pod not preempted because it is not preemptible (R2(c))
        1 pod not preempted because b uses no more than its guarantee of cpu (R2(b))
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by no quota (1, 2), b (3)
        node 0: 1 of 2 cpu with 2 gone
        R2(c) protects 1
        R2(b) protects 3
        R6 protects 2
        or make workload 1 preemptible
    "#]]
    .assert_eq(&verdict);
}

/// x is not a leaf, so workload 2 has no quota either. With 3 cpu, a would be above its min of 2.
#[test]
fn x1_a_borrower_may_not_evict_pods_without_a_quota() {
    let verdict = explain_by(
        &Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; x<root 2/9; a<x 2/9; b<root 2/9",
        "4",
        &["submit 1 to -: 1; submit 2 to x: 1; submit 3 to b: 2", "submit 4 to a: 3"],
        4,
    );
    expect![[r#"
        P1: a pod requests 3 cpu, and the only node (node 0) has 0 cpu free
        held by: without a quota: 2 cpu in 2 pods, b 2 cpu in 1 pod
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        3 pods not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from them (R2(a))
        would help: free another 3 cpu on node 0
        --
        P1: used by no quota (1, 2), b (3)
        R2(a) protects 1, 2, 3
    "#]]
    .assert_eq(&verdict);
}

/// The same where a min of one cpu more would be enough.
#[test]
fn x1_more_min_would_open_the_pods_without_a_quota() {
    let verdict = explain_by(
        &Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; a<root 1/9; b<root 2/9",
        "4",
        &["submit 1 to -: 2; submit 2 to -: 1; submit 3 to b: 1", "submit 4 to a: 2"],
        4,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        held by: without a quota: 3 cpu in 2 pods, b 1 cpu in 1 pod
        also R2(a): with this pod, a would use 1 cpu more than its guarantee, so it may not reclaim from other quotas
        3 pods not preempted because a would use 1 cpu more than its guarantee, so it may not reclaim from them (R2(a))
        would help: raise the min of a by 1 cpu
        --
        P1: used by no quota (1, 2), b (3)
        R2(a) protects 1, 2, 3
        or free another 2 cpu on node 0
    "#]]
    .assert_eq(&verdict);
}

/// Budgets are strict. The gang has two pods, and its budget allows one of them to go.
#[test]
fn x1_a_disruption_budget_protects_a_gang_that_must_go_whole() {
    let verdict = explain_by(
        &Policy { respect_budgets: RespectBudgets::Always, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            "budget x allows 1; submit 1 to b: 1 x2 budget x; submit 2 to b: 1 non-preemptible; submit 3 to b: 1 non-preemptible",
            "submit 4 to a: 1",
        ],
        4,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 4 pods (2 cpu borrowed)
        2 pods not preempted because they are not preemptible (R2(c))
        2 pods not preempted because the disruption budget x allows no more evictions (R7)
        would help: make workload 2 preemptible
        --
        entitled
        A1, P1: used by b (w1.0, w1.1, 2, 3)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 2, 3
        R7 protects w1.0, w1.1
        or make workload 3 preemptible
    "#]]
    .assert_eq(&verdict);
}

/// Budget x still allows an eviction, y does not.
#[test]
fn x1_of_two_disruption_budgets_only_the_exhausted_one_protects() {
    let verdict = explain_by(
        &Policy { respect_budgets: RespectBudgets::Always, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            "budget x allows 1; budget y allows 0; submit 1 to b: 1 budget x; submit 2 to b: 1 budget y; submit 3 to b: 2 non-preemptible",
            "submit 4 to a: 2",
        ],
        4,
    );
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 3 pods (2 cpu borrowed)
        1 pod not preempted because it is not preemptible (R2(c))
        1 pod not preempted because the disruption budget y allows no more evictions (R7)
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: make workload 3 preemptible
        --
        entitled
        A1, P1: used by b (1, 2, 3)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 3
        R7 protects 2
        R6 protects 1
    "#]]
    .assert_eq(&verdict);
}

/// a would be above its min with 5, so the pods of b are out of reach whatever their budget says.
#[test]
fn x1_budgets_of_other_queues_are_not_named_where_they_may_not_be_reclaimed() {
    let verdict = explain_by(
        &Policy { respect_budgets: RespectBudgets::Always, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &[
            "budget x allows 0; submit 1 to b: 1 budget x; submit 2 to b: 1 budget x; submit 3 to a: 1 non-preemptible; submit 4 to a: 1",
            "submit 5 to a: 2 priority 1",
        ],
        5,
    );
    expect![[r#"
        A1: the pod requests 2 cpu, and root already uses 4 of its max of 4 cpu
        held by: a 2 cpu in 2 pods, b 2 cpu in 2 pods
        also R2(a): with this pod, a would use 2 cpu more than its guarantee, so it may not reclaim from other quotas
        1 pod not preempted because it is not preemptible (R2(c))
        2 pods not preempted because a would use 2 cpu more than its guarantee, so it may not reclaim from them (R2(a))
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: make workload 3 preemptible
        --
        A1, P1: used by a (3, 4), b (1, 2)
        R2(a): used by a (3, 4)
        also P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 3
        R2(a) protects 1, 2
        R6 protects 4
    "#]]
    .assert_eq(&verdict);
}

/// One pod is non-preemptible, one keeps its queue at its min, one has a strict budget.
#[test]
fn x1_three_rules_protect_three_pods() {
    let verdict = explain_by(
        &Policy { respect_budgets: RespectBudgets::Always, unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; a<root 2/9; b<root 2/9",
        "4",
        &[
            "budget x allows 0; submit 1 to -: 2 non-preemptible; submit 2 to -: 1 budget x; submit 3 to b: 1",
            "submit 4 to a: 2",
        ],
        4,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the only node (node 0) has 0 cpu free
        held by: without a quota: 3 cpu in 2 pods, b 1 cpu in 1 pod
        1 pod not preempted because it is not preemptible (R2(c))
        1 pod not preempted because b uses no more than its guarantee of cpu (R2(b))
        1 pod not preempted because the disruption budget x allows no more evictions (R7)
        would help: free another 2 cpu on node 0
        --
        entitled
        P1: used by no quota (1, 2), b (3)
        R2(c) protects 1
        R2(b) protects 3
        R7 protects 2
        or make workload 1 preemptible
    "#]]
    .assert_eq(&verdict);
}

/// No pod is evicted in its first 5 seconds.
#[test]
fn x1_young_pods_are_protected() {
    let verdict = explain_by(
        &Policy { min_runtime_ms: 5000, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to b: 4", "submit 2 to a: 1"],
        2,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 4 cpu in 1 pod (2 cpu borrowed)
        1 pod not preempted because it is within its protected runtime (R2(c))
        --
        entitled
        A1, P1: used by b (1)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 1
    "#]]
    .assert_eq(&verdict);
}

/// The pods are 4,999 ms old when workload 3 comes.
#[test]
fn x1_young_pods_are_protected_until_the_last_millisecond() {
    let verdict = explain_by(
        &Policy { min_runtime_ms: 5000, ..Policy::default() },
        "root 9/9; a<root 4/9; b<root 1/9",
        "1 1",
        &["submit 1 to b: 1; submit 2 to b: 1", "wait 3999 ms; submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the closest node (node 0) has 0 cpu free (none of the 2 nodes has enough free)
        held by: b 2 cpu in 2 pods (1 cpu borrowed)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        2 pods not preempted because they are within their protected runtime (R2(c))
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by b (1, 2)
        node 0: 0 of 2 cpu
        node 1: 0 of 2 cpu
        R2(c) protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// The pods are 5,000 ms old when workload 3 comes. Both could go, but no node is large enough.
#[test]
fn x1_pods_are_not_protected_when_the_time_is_over() {
    let verdict = explain_by(
        &Policy { min_runtime_ms: 5000, ..Policy::default() },
        "root 9/9; a<root 4/9; b<root 1/9",
        "1 1",
        &["submit 1 to b: 1; submit 2 to b: 1", "wait 4000 ms; submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the closest node (node 0) would have 1 cpu free after the eviction of 1 eligible pod (none of the 2 nodes has enough free)
        held by: b 2 cpu in 2 pods (1 cpu borrowed)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        2 pods not preempted because evicting them and all other eligible pods would not make enough room (R6)
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by b (1, 2)
        node 0: 1 of 2 cpu with 1 gone
        node 1: 1 of 2 cpu with 2 gone
        R6 protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

/// By the strict floor b may not fall below its min, as it would without the gang of two.
#[test]
fn x1_a_strict_floor_protects_a_gang_that_would_take_its_queue_below_its_min() {
    let verdict = explain_by(
        &Policy { floor: Floor::Strict, ..Policy::default() },
        "root 5/5; a<root 3/5; b<root 2/5",
        "5",
        &[
            "submit 1 to b: 1 x2; submit 2 to b: 1 non-preemptible; submit 3 to a: 2 non-preemptible",
            "submit 4 to a: 1",
        ],
        4,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 5 of its max of 5 cpu
        held by: b 3 cpu in 3 pods (1 cpu borrowed), a 2 cpu in 1 pod
        2 pods not preempted because they are not preemptible (R2(c))
        2 pods not preempted because b uses no more than its guarantee of cpu (R2(b))
        would help: make workload 2 preemptible
        --
        entitled
        A1, P1: used by b (w1.0, w1.1, 2), a (3)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R2(c) protects 2, 3
        R2(b) protects w1.0, w1.1
    "#]]
    .assert_eq(&verdict);
}

/// b is one cpu above its min: 1 may go, and that is not enough.
#[test]
fn x1_a_strict_floor_leaves_what_is_above_the_min() {
    let verdict = explain_by(
        &Policy { floor: Floor::Strict, ..Policy::default() },
        "root 9/9; a<root 4/9; b<root 1/9",
        "1 1",
        &["submit 1 to b: 1; submit 2 to b: 1 non-preemptible", "submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        P1: a pod requests 2 cpu, and the closest node (node 0) would have 1 cpu free after the eviction of 1 eligible pod (none of the 2 nodes has enough free)
        held by: b 2 cpu in 2 pods (1 cpu borrowed)
        it cannot run with these quotas and nodes, so no workload waits behind it (O4): such a pod does not fit on any node, even on an empty one: add larger nodes, or request less
        1 pod not preempted because it is not preemptible (R2(c))
        1 pod not preempted because evicting it and all other eligible pods would not make enough room (R6)
        would help: free another 1 cpu on node 0
        --
        entitled
        P1: used by b (1, 2)
        node 0: 1 of 2 cpu with 1 gone
        node 1: 0 of 2 cpu
        R2(c) protects 2
        R6 protects 1
    "#]]
    .assert_eq(&verdict);
}

/// The policy says that nobody is evicted for anybody.
#[test]
fn x1_the_policy_may_forbid_all_preemption() {
    let verdict = explain_by(
        &Policy { preemption: Preemption::None, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to b: 3; submit 2 to a: 1", "submit 3 to a: 1 priority 9"],
        3,
    );
    expect![[r#"
        A1: the pod requests 1 cpu, and root already uses 4 of its max of 4 cpu
        held by: b 3 cpu in 1 pod (1 cpu borrowed), a 1 cpu in 1 pod
        2 pods not preempted because the policy switches this kind of preemption off (R8)
        --
        entitled
        A1, P1: used by b (1), a (2)
        also P1: a pod requests 1 cpu, and the only node (node 0) has 0 cpu free
        R8 protects 1, 2
    "#]]
    .assert_eq(&verdict);
}

//! Whom a knob of the policy protects: pods without a quota, strict budgets, young pods, strict floors (X1; A4, R2, R7, R8).

use super::explain_by;
use expect_test::expect;
use quotree_core::{Floor, Policy, Preemption, RespectBudgets, Unquotaed};

/// Workloads 1 and 2 run without a quota. Only 2 may be evicted, and it is not enough.
#[test]
fn x1_pods_without_a_quota_may_be_reclaimed_unless_non_preemptible() {
    let told = explain_by(
        &Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; a<root 2/9; b<root 2/9",
        "4",
        &["submit 1 to -: 2 non-preemptible; submit 2 to -: 1; submit 3 to b: 1", "submit 4 to a: 2"],
        4,
    );
    expect![[r#"
        P1: a pod asks 2 cpu, and node 0, which comes closest, has 1 free once 1 pod that may be taken is gone (1 node: 1 full)
        held by: no quota 2 pods 3, b 1 pod 1
        1 pod not taken: R2(c) may not be evicted
        1 pod not taken: R2(b) b is within its guarantee of cpu
        1 pod not taken: R6 is not enough, even with all others that may be taken
        1 cpu more free on node 0 would help
        --
        entitled
        P1 used by no quota 1, 2; b 3
        node 0: 1 of 2 cpu with 2 gone
        R2(c) protects 1
        R2(b) protects 3
        R6 protects 2
        or to let workload 1 be evicted
    "#]].assert_eq(&told);
}

/// x is not a leaf, so workload 2 has no quota either. With 3 cpu, a would be above its min of 2.
#[test]
fn x1_a_borrower_may_not_evict_pods_without_a_quota() {
    let told = explain_by(
        &Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; x<root 2/9; a<x 2/9; b<root 2/9",
        "4",
        &["submit 1 to -: 1; submit 2 to x: 1; submit 3 to b: 2", "submit 4 to a: 3"],
        4,
    );
    expect![[r#"
        P1: a pod asks 3 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        held by: no quota 2 pods 2, b 1 pod 2
        also R2(a): with it a would be 1 cpu above its guarantee, so it may not reclaim past it
        3 pods not taken: R2(a) a would be 1 cpu above its guarantee
        3 cpu more free on node 0 would help
        --
        P1 used by no quota 1, 2; b 3
        R2(a) protects 1, 2, 3
    "#]]
    .assert_eq(&told);
}

/// The same where a min of one cpu more would be enough.
#[test]
fn x1_more_min_would_open_the_pods_without_a_quota() {
    let told = explain_by(
        &Policy { unquotaed: Unquotaed::Schedule, ..Policy::default() },
        "root 9/9; a<root 1/9; b<root 2/9",
        "4",
        &["submit 1 to -: 2; submit 2 to -: 1; submit 3 to b: 1", "submit 4 to a: 2"],
        4,
    );
    expect![[r#"
        P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        held by: no quota 2 pods 3, b 1 pod 1
        also R2(a): with it a would be 1 cpu above its guarantee, so it may not reclaim past it
        3 pods not taken: R2(a) a would be 1 cpu above its guarantee
        1 cpu more min for a would help
        --
        P1 used by no quota 1, 2; b 3
        R2(a) protects 1, 2, 3
        or 2 cpu more free on node 0
    "#]]
    .assert_eq(&told);
}

/// Budgets are strict. The gang has two pods, and its budget allows one of them to go.
#[test]
fn x1_a_disruption_budget_protects_a_gang_that_must_go_whole() {
    let told = explain_by(
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
        A1: root may use 4 cpu at most, 4 are used, the pod asks 1
        held by: b 4 pods 4 (2 borrowed)
        2 pods not taken: R2(c) may not be evicted
        2 pods not taken: R7 the disruption budget x is exhausted
        to let workload 2 be evicted would help
        --
        entitled
        A1, P1 used by b w1.0, w1.1, 2, 3
        also P1: a pod asks 1 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(c) protects 2, 3
        R7 protects w1.0, w1.1
        or to let workload 3 be evicted
    "#]]
    .assert_eq(&told);
}

/// Budget x still allows an eviction, y does not.
#[test]
fn x1_of_two_disruption_budgets_only_the_exhausted_one_protects() {
    let told = explain_by(
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
        A1: root may use 4 cpu at most, 4 are used, the pod asks 2
        held by: b 3 pods 4 (2 borrowed)
        1 pod not taken: R2(c) may not be evicted
        1 pod not taken: R7 the disruption budget y is exhausted
        1 pod not taken: R6 is not enough, even with all others that may be taken
        to let workload 3 be evicted would help
        --
        entitled
        A1, P1 used by b 1, 2, 3
        also P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(c) protects 3
        R7 protects 2
        R6 protects 1
    "#]]
    .assert_eq(&told);
}

/// a would be above its min with 5, so the pods of b are out of reach whatever their budget says.
#[test]
fn x1_budgets_of_other_queues_are_not_named_where_they_may_not_be_reclaimed() {
    let told = explain_by(
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
        A1: root may use 4 cpu at most, 4 are used, the pod asks 2
        held by: a 2 pods 2, b 2 pods 2
        also R2(a): with it a would be 2 cpu above its guarantee, so it may not reclaim past it
        1 pod not taken: R2(c) may not be evicted
        2 pods not taken: R2(a) a would be 2 cpu above its guarantee
        1 pod not taken: R6 is not enough, even with all others that may be taken
        to let workload 3 be evicted would help
        --
        A1, P1 used by a 3, 4; b 1, 2
        R2(a) used by a 3, 4
        also P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(c) protects 3
        R2(a) protects 1, 2
        R6 protects 4
    "#]]
    .assert_eq(&told);
}

/// One pod is non-preemptible, one keeps its queue at its min, one has a strict budget.
#[test]
fn x1_three_rules_protect_three_pods() {
    let told = explain_by(
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
        P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        held by: no quota 2 pods 3, b 1 pod 1
        1 pod not taken: R2(c) may not be evicted
        1 pod not taken: R2(b) b is within its guarantee of cpu
        1 pod not taken: R7 the disruption budget x is exhausted
        2 cpu more free on node 0 would help
        --
        entitled
        P1 used by no quota 1, 2; b 3
        R2(c) protects 1
        R2(b) protects 3
        R7 protects 2
        or to let workload 1 be evicted
    "#]]
    .assert_eq(&told);
}

/// No pod is evicted in its first 5 seconds.
#[test]
fn x1_young_pods_are_protected() {
    let told = explain_by(
        &Policy { min_runtime_ms: 5000, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to b: 4", "submit 2 to a: 1"],
        2,
    );
    expect![[r#"
        A1: root may use 4 cpu at most, 4 are used, the pod asks 1
        held by: b 1 pod 4 (2 borrowed)
        1 pod not taken: R2(c) in its protected runtime
        --
        entitled
        A1, P1 used by b 1
        also P1: a pod asks 1 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(c) protects 1
    "#]]
    .assert_eq(&told);
}

/// The pods are 4,999 ms old when workload 3 comes.
#[test]
fn x1_young_pods_are_protected_until_the_last_millisecond() {
    let told = explain_by(
        &Policy { min_runtime_ms: 5000, ..Policy::default() },
        "root 9/9; a<root 4/9; b<root 1/9",
        "1 1",
        &["submit 1 to b: 1; submit 2 to b: 1", "wait 3999 ms; submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        P1: a pod asks 2 cpu, and node 0, which comes closest, has 0 free (2 nodes: 2 full)
        held by: b 2 pods 2 (1 borrowed)
        2 pods not taken: R2(c) in their protected runtime
        2 cpu more free on node 0 would help
        --
        entitled
        P1 used by b 1, 2
        node 0: 0 of 2 cpu
        node 1: 0 of 2 cpu
        R2(c) protects 1, 2
    "#]]
    .assert_eq(&told);
}

/// The pods are 5,000 ms old when workload 3 comes. Both could go, but no node is large enough.
#[test]
fn x1_pods_are_not_protected_when_the_time_is_over() {
    let told = explain_by(
        &Policy { min_runtime_ms: 5000, ..Policy::default() },
        "root 9/9; a<root 4/9; b<root 1/9",
        "1 1",
        &["submit 1 to b: 1; submit 2 to b: 1", "wait 4000 ms; submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        P1: a pod asks 2 cpu, and node 0, which comes closest, has 1 free once 1 pod that may be taken is gone (2 nodes: 2 full)
        held by: b 2 pods 2 (1 borrowed)
        2 pods not taken: R6 are not enough, even with all others that may be taken
        1 cpu more free on node 0 would help
        --
        entitled
        P1 used by b 1, 2
        node 0: 1 of 2 cpu with 1 gone
        node 1: 1 of 2 cpu with 2 gone
        R6 protects 1, 2
    "#]].assert_eq(&told);
}

/// By the strict floor b may not fall below its min, as it would without the gang of two.
#[test]
fn x1_a_strict_floor_protects_a_gang_that_would_take_its_queue_below_its_min() {
    let told = explain_by(
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
        A1: root may use 5 cpu at most, 5 are used, the pod asks 1
        held by: b 3 pods 3 (1 borrowed), a 1 pod 2
        2 pods not taken: R2(c) may not be evicted
        2 pods not taken: R2(b) b is within its guarantee of cpu
        to let workload 2 be evicted would help
        --
        entitled
        A1, P1 used by b w1.0, w1.1, 2; a 3
        also P1: a pod asks 1 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R2(c) protects 2, 3
        R2(b) protects w1.0, w1.1
    "#]]
    .assert_eq(&told);
}

/// b is one cpu above its min: 1 may go, and that is not enough.
#[test]
fn x1_a_strict_floor_leaves_what_is_above_the_min() {
    let told = explain_by(
        &Policy { floor: Floor::Strict, ..Policy::default() },
        "root 9/9; a<root 4/9; b<root 1/9",
        "1 1",
        &["submit 1 to b: 1; submit 2 to b: 1 non-preemptible", "submit 3 to a: 2"],
        3,
    );
    expect![[r#"
        P1: a pod asks 2 cpu, and node 0, which comes closest, has 1 free once 1 pod that may be taken is gone (2 nodes: 2 full)
        held by: b 2 pods 2 (1 borrowed)
        1 pod not taken: R2(c) may not be evicted
        1 pod not taken: R6 is not enough, even with all others that may be taken
        1 cpu more free on node 0 would help
        --
        entitled
        P1 used by b 1, 2
        node 0: 1 of 2 cpu with 1 gone
        node 1: 0 of 2 cpu
        R2(c) protects 2
        R6 protects 1
    "#]].assert_eq(&told);
}

/// The policy says that nobody is evicted for anybody.
#[test]
fn x1_the_policy_may_forbid_all_preemption() {
    let told = explain_by(
        &Policy { preemption: Preemption::None, ..Policy::default() },
        "root 4/4; a<root 2/4; b<root 2/4",
        "4",
        &["submit 1 to b: 3; submit 2 to a: 1", "submit 3 to a: 1 priority 9"],
        3,
    );
    expect![[r#"
        A1: root may use 4 cpu at most, 4 are used, the pod asks 1
        held by: b 1 pod 3 (1 borrowed), a 1 pod 1
        2 pods not taken: R8 the policy switches this off
        --
        entitled
        A1, P1 used by b 1; a 2
        also P1: a pod asks 1 cpu, and node 0, which comes closest, has 0 free (1 node: 1 full)
        R8 protects 1, 2
    "#]]
    .assert_eq(&told);
}

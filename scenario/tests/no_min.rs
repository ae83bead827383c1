//! A leaf whose min is of no use, because it has none of something that its workloads request as well, is warned of.

use quotree_scenario::{MapLoader, load};

/// The warnings, each as `line: title`.
fn warnings(own: &str, guest: &str, more: &str, policy: &str) -> Vec<String> {
    let text = format!(
        r#"Scenario(
    name: "x", {policy}
    cluster: Pool({{ "cpu": "4", "memory": "8Gi" }}),
    quota: Quota(name: "root", min: {{ "cpu": "4", "memory": "8Gi" }}, max: {{ "cpu": "4", "memory": "8Gi" }}, children: [
        Quota(name: "own", min: {{ {own} }}, namespaces: ["own"]),
        Quota(name: "guest", {guest}, namespaces: ["guest"]),
    ]),
    workloads: [
        Job(name: "g", namespace: "guest", runtime: "1h", request: {{ "cpu": "1", "memory": "1Gi" }}),
        Job(name: "o", namespace: "own", runtime: "1h", request: {{ "cpu": "1", "memory": "1Gi" }}, {more}),
        Job(name: "p", namespace: "own", runtime: "1h", request: {{ "cpu": "1", "memory": "2Gi" }}),
    ],
)"#
    );
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text));
    loaded.diagnostics.iter().map(|d| format!("{}: {}", d.place.line, d.title)).collect()
}

#[test]
fn a_min_that_is_of_no_use_is_warned_of() {
    let (cpu, both) = (r#""cpu": "2""#, r#""cpu": "2", "memory": "4Gi""#);
    let memory = r#"min: { "memory": "4Gi" }"#;
    let own = "5: `own` has a min, but no min of memory, so `o`, which requests memory, can never reclaim";
    let guest = "6: `guest` has a min, but no min of cpu, so `g`, which requests cpu, can never reclaim";
    let fixed = "5: `own` has a min, but no min of memory, so `o`, which requests memory, can never start (A2)";
    let lends = r#"min: { "cpu": "1", "memory": "1Gi" }"#;
    for (mins, other, more, policy, expected) in [
        (cpu, lends, "", "", vec![own]),
        (cpu, memory, "", "", vec![own, guest]),
        (cpu, lends, "preemptible: false", "", vec![fixed]),
        // It has what its workloads request; the guest is meant to borrow.
        (both, "weight: 1", "", "", vec![]),
        // Memory is only a limit, or nobody reclaims by min.
        (cpu, r#"max: { "memory": "4Gi" }"#, "", "", vec![]),
        (cpu, lends, "", "policy: Capacity(reclaim: Off),", vec![]),
        (cpu, lends, "", "policy: Capacity(reclaim: FairShare),", vec![]),
    ] {
        assert_eq!(warnings(mins, other, more, policy), expected, "{mins} {other} {more} {policy}");
    }
}

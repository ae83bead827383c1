//! Shrinking of scenarios that fail.

use quotree_sim::scenario::{MapLoader, format};
use quotree_swarm::{ShrinkOptions, Shrunk, Unshrinkable, shrink};

/// A scenario with much that is irrelevant to its failing claim: `web` reclaims a core from `batch`, which the claim
/// forbids.
const CROWDED: &str = r#"
// A comment, which is not kept.
Scenario(
    name: "crowded",
    about: "A claim that fails among much that does not matter.",
    seed: 9,
    policy: Capacity(placement: Spread, hold_timeout: "1h"),
    world: World(bind_latency: Uniform("1s", "9s"), eviction_grace: "5s", until: "2h"),
    cluster: [
        NodePool(name: "big", count: 3, allocatable: { "cpu": "8", "memory": "32Gi" }, labels: { "zone": "a" }),
        NodePool(name: "small", count: 2, allocatable: { "cpu": "4" }),
    ],
    quota: Quota(name: "root", min: { "cpu": "32" }, max: { "cpu": "32" }, children: [
        Quota(name: "left", min: { "cpu": "16" }, children: [
            Quota(name: "web", min: { "cpu": "12" }, namespaces: ["web"]),
            Quota(name: "idle", min: { "cpu": "4" }, namespaces: ["idle"]),
        ]),
        Quota(name: "right", min: { "cpu": "8" }, children: [
            Quota(name: "batch", min: { "cpu": "4" }, namespaces: ["batch", "other"], max_jobs: 100),
        ]),
    ]),
    budgets: { "b": 1 },
    workloads: [
        Job(name: "night", namespace: "batch", completions: 32, parallelism: 32, runtime: "1h", request: { "cpu": "1" }),
        Job(name: "more", namespace: "other", completions: 2, runtime: "10m", request: { "cpu": "1" }, budget: "b"),
        Deployment(name: "web", namespace: "web", replicas: 3, request: { "cpu": "2" }, submit: "10m"),
    ],
    events: [
        At("5m", Cordon("small-1")),
        At("20m", Scale(workload: "web", replicas: 4)),
        At("30m", NodeDown("small-0")),
    ],
    expect: [
        Always(Invariants),
        Never(EvictedFrom("batch")),
        At("1h", Pods(of: Workload("web"), running: 4)),
    ],
)
"#;

fn shrunk(text: &str, options: &ShrinkOptions) -> Result<Shrunk, Unshrinkable> {
    shrink("x.ron", &MapLoader::new().with("x.ron", text), options, &mut |_, _| {})
}

#[test]
fn a_failing_claim_is_left_with_what_it_needs() {
    let small = shrunk(CROWDED, &ShrinkOptions::default()).unwrap();
    assert_eq!(small.text, SMALL, "{}", small.text);
    assert_eq!(small.failure.kind, "claim: Never(EvictedFrom(\"batch\"))");
    assert!(small.done);
    assert_eq!(small.values, (116, 39));
    assert_eq!(format(&small.text).as_ref(), Ok(&small.text));
    let again = shrunk(&small.text, &ShrinkOptions::default()).unwrap();
    assert_eq!((again.text.as_str(), again.kept), (SMALL, 0), "what is small stays as it is");
}

/// The shrunk scenario: a borrower, the owner that reclaims, and a quota for each.
const SMALL: &str = r#"#![enable(implicit_some)]
Scenario(
    name: "crowded",
    cluster: [NodePool(name: "big", allocatable: { "cpu": "2" })],
    quota: Quota(
        name: "root",
        min: { "cpu": "2" },
        children: [
            Quota(name: "web", min: { "cpu": "2" }, namespaces: ["web"]),
            Quota(name: "batch", namespaces: ["batch"]),
        ],
    ),
    workloads: [
        Job(name: "night", namespace: "batch", runtime: "1h", request: { "cpu": "1" }),
        Deployment(name: "web", namespace: "web", request: { "cpu": "2" }, submit: "1m"),
    ],
    expect: [Never(EvictedFrom("batch"))],
)
"#;

#[test]
fn steps_are_counted() {
    let few = shrunk(CROWDED, &ShrinkOptions { steps: 5, ..ShrinkOptions::default() }).unwrap();
    assert!(few.tried <= 5 && !few.done);
}

#[test]
fn a_run_without_end_stays_one_that_says_where_it_stops() {
    let endless = CROWDED.replace("until: \"2h\"", "until: \"2h\", max_events: 40");
    let small = shrunk(&endless, &ShrinkOptions::default()).unwrap();
    assert_eq!(small.failure.kind, "error: no end");
    assert!(small.text.contains("max_events: 40"), "{}", small.text);
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let fine = CROWDED.replace("Never(EvictedFrom(\"batch\")),", "");
    assert!(matches!(shrunk(&fine, &ShrinkOptions::default()), Err(Unshrinkable::Fine)));
    let other = ShrinkOptions { wanted: Some("law: S3".to_owned()), ..ShrinkOptions::default() };
    assert!(matches!(shrunk(CROWDED, &other), Err(Unshrinkable::Otherwise(failures)) if failures.len() == 1));
    assert!(matches!(shrunk("Scenario(", &ShrinkOptions::default()), Err(Unshrinkable::Invalid(..))));
}

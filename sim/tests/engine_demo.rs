//! The demo: borrowing and reclaim in a three-level tree, the same on a pool, on one large node and on four small ones;
//! and nothing at all where no pod fits a node.

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_sim::model::{Change, Cluster, Compare, Predicate, Scenario, Selector, When};
use quotree_sim::{RunOptions, run};

fn tree() -> TreeSpec {
    let leaf = |name: &str, parent: &str, namespace: &str| {
        QuotaSpec::new(name, Some(parent)).min(cpu(10)).max(cpu(20)).namespace(namespace)
    };
    [
        QuotaSpec::new("root", None).min(cpu(40)).max(cpu(40)),
        QuotaSpec::new("root.a", Some("root")).min(cpu(20)).max(cpu(40)),
        QuotaSpec::new("root.b", Some("root")).min(cpu(20)).max(cpu(40)),
        leaf("root.a.1", "root.a", "namespace1"),
        leaf("root.a.2", "root.a", "namespace2"),
        leaf("root.b.1", "root.b", "namespace3"),
        leaf("root.b.2", "root.b", "namespace4"),
    ]
    .into_iter()
    .collect()
}

fn evictions(count: u64) -> Predicate {
    Predicate::Evictions { of: None, by: None, compare: Compare::Equal, count }
}

/// After each Deployment: running and pending pods of each namespace, and evictions so far.
fn demo(cluster: Cluster) -> Scenario {
    const TABLE: [([(u64, u64); 4], u64); 4] = [
        ([(4, 1), (0, 0), (0, 0), (0, 0)], 0),
        ([(4, 1), (4, 1), (0, 0), (0, 0)], 0),
        ([(3, 2), (3, 2), (2, 3), (0, 0)], 2),
        ([(2, 3), (2, 3), (2, 3), (2, 3)], 4),
    ];
    let namespace = |n: usize| format!("namespace{}", n + 1);
    let nginx = |n: usize| deployment(&format!("nginx{}", n + 1), &namespace(n), n as u64 * MINUTE, 5, 5);
    let mut scenario = scenario(cluster, tree(), (0..4).map(nginx).collect());
    for (step, (counts, evicted)) in TABLE.into_iter().enumerate() {
        let after = at(step as u64 * MINUTE + MINUTE / 2);
        for (n, (running, pending)) in counts.into_iter().enumerate() {
            scenario.claims.push(claim(after, pods(&namespace(n), running, pending)));
        }
        scenario.claims.push(claim(after, evictions(evicted)));
    }
    scenario.claims.push(claim(When::Always, Predicate::Invariants));
    scenario.claims.push(claim(When::Final, Predicate::StableFor { ms: 10 * MINUTE }));
    scenario
}

#[test]
fn demo_on_a_pool() {
    let run = hold(&demo(pool(40)));
    let metrics = &run.result.metrics;
    assert_eq!((metrics.evictions, metrics.wasted_evictions), (4, 0));
    assert_eq!(metrics.evictions_by_rule.get("R2"), Some(&4));
}

#[test]
fn demo_on_one_large_node() {
    hold(&demo(nodes(&[56])));
}

#[test]
fn demo_on_four_nodes() {
    let run = hold(&demo(nodes(&[10, 10, 10, 10])));
    assert!(run.result.nodes.iter().all(|n| n.pods == 2), "{:?}", run.result.nodes);
}

#[test]
fn demo_on_nodes_too_small_runs_and_evicts_nothing() {
    let mut scenario = demo(nodes(&[4; 10]));
    scenario.claims = vec![claim(When::Always, evictions(0))];
    scenario.claims.push(claim(When::Final, Predicate::Verdict { of: Selector::All, rule: "P1".into() }));
    for n in 1..=4 {
        scenario.claims.push(claim(When::Final, pods(&format!("namespace{n}"), 0, 5)));
    }
    hold(&scenario);
}

#[test]
fn demo_says_what_binds() {
    let mut scenario = demo(pool(40));
    scenario.events.clear();
    let options = RunOptions { until: Some(Time(0)), ..RunOptions::default() };
    let first = run(&scenario, &options, &mut ()).unwrap().result;
    assert_eq!(first.pending.len(), 1);
    assert_eq!((first.pending[0].pod.as_str(), first.pending[0].rule.as_str()), ("nginx1-5", "A1"));
    assert!(first.pending[0].reason.starts_with(
        "A1: the pod requests 5 cpu, root.a.1 uses 20 of its max of 20 cpu; held by: root.a.1 20 cpu in 4 pods (10 cpu borrowed)"
    ), "{}", first.pending[0].reason);
    assert_eq!(first.pending[0].verdict["quota"], "root.a.1");
}

/// Case 3: scaling nginx1 to 0 at the end gives its room to the others by creation order, without an eviction.
#[test]
fn demo_scaled_down_at_the_end() {
    let mut scenario = demo(pool(40));
    scenario.events.push(change(4 * MINUTE, Change::Scale { workload: 0, replicas: 0 }));
    for (n, (running, pending)) in [(0, 0), (3, 2), (3, 2), (2, 3)].into_iter().enumerate() {
        scenario.claims.push(claim(When::Final, pods(&format!("namespace{}", n + 1), running, pending)));
    }
    scenario.claims.push(claim(When::Final, evictions(4)));
    hold(&scenario);
}

/// Delays change when things happen, and not the result.
#[test]
fn demo_with_delays_ends_the_same() {
    let mut scenario = demo(nodes(&[10, 10, 10, 10]));
    scenario.world.bind_latency = quotree_sim::model::Runtime::Uniform(100, 900);
    scenario.world.eviction_grace = quotree_sim::model::Runtime::Exponential(2_000);
    scenario.world.recreate_delay_ms = 500;
    let run = hold(&scenario);
    let again = RunOptions { seed: Some(2), ..RunOptions::default() };
    let other = quotree_sim::run(&scenario, &again, &mut ()).unwrap();
    assert_ne!(run.result.digest, other.result.digest, "the delays are drawn from the seed");
    assert_eq!(other.result.claims.failed, 0);
}

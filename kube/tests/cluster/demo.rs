//! The demo of capacity scheduling, as in `scenarios/nginx-40-core.ron`: four teams share 40 cores, each with a guarantee
//! of 10 and a limit of 20.

use crate::{server::Server, world::World};
use quotree_kube::settings::Mode;
use serde_json::{Value, json};

pub(crate) fn tree() -> Value {
    let cpu = |cores: u32| json!({ "cpu": cores.to_string() });
    let leaf = |name: &str, namespace: &str| json!({ "name": name, "min": cpu(10), "max": cpu(20), "namespaces": [namespace] });
    json!({
        "name": "root", "min": cpu(40), "max": cpu(40), "children": [
            { "name": "root.a", "min": cpu(20), "max": cpu(40), "children": [
                leaf("root.a.1", "namespace1"), leaf("root.a.2", "namespace2"),
            ] },
            { "name": "root.b", "min": cpu(20), "max": cpu(40), "children": [
                leaf("root.b.1", "namespace3"), leaf("root.b.2", "namespace4"),
            ] },
        ],
    })
}

pub(crate) const NAMESPACES: [&str; 4] = ["namespace1", "namespace2", "namespace3", "namespace4"];

async fn demo(server: Server, mode: Mode, nodes: &[(&str, u32)]) {
    let mut world = World::new(server, mode, nodes, &NAMESPACES, tree()).await;
    world.start().await;
    // Who runs after each deployment, and evictions in total.
    let steps = [([4, 0, 0, 0], 0), ([4, 4, 0, 0], 0), ([3, 3, 2, 0], 2), ([2, 2, 2, 2], 4)];
    for (number, (running, evictions)) in (1..).zip(steps) {
        world.replica_set(&format!("namespace{number}"), &format!("nginx{number}"), 5, 5).await;
        world.comes_to(&running, evictions, &format!("with nginx{number}")).await;
    }
    world.a_while().await;
    // Reasons: in the condition of who waits, and in Events of who was evicted, and for whom.
    let waiting = world.waiting("namespace4").await;
    assert_eq!(waiting.len(), 3);
    for why in waiting {
        assert!(
            why.starts_with("Ceiling: A1: the pod requests 5 cpu, and root already uses 40 of its max of 40 cpu"),
            "{why}"
        );
    }
    let evicted = world.events("namespace1").await;
    assert_eq!(evicted.len(), 2, "{evicted:?}");
    for why in &evicted {
        let for_whom = why.contains("R2: namespace3/nginx3-") || why.contains("R2: namespace4/nginx4-");
        let sentence = why.contains("reclaims its guaranteed quota; root.a.1 was");
        assert!(why.starts_with("Preempted: ") && for_whom && sentence, "{why}");
    }
    let preemptors = world.events("namespace3").await;
    assert_eq!(preemptors.len(), 2, "{preemptors:?}");
    assert!(preemptors.iter().all(|why| why.starts_with("Preempting: evicts namespace")), "{preemptors:?}");
    // Room that is given back goes to those who wait, without an eviction.
    world.scale("namespace1", "nginx1", 0).await;
    world.comes_to(&[0, 3, 3, 2], 4, "without nginx1").await;
    world.a_while().await;
    // The reason of who was admitted late says so.
    let pods = world.pods("namespace2").await;
    let admitted = pods.iter().filter_map(crate::look::condition).filter(|why| why.starts_with("Admitted: "));
    assert!(admitted.count() >= 1);
    // At most three writes a pod, and one eviction.
    let writes = world.writes.clone();
    let admissions = if mode == Mode::Gate { "Patch pods" } else { "Create pods/binding" };
    assert_eq!(writes[admissions], 8 + 4 + 2, "{writes:?}");
    assert_eq!(writes["Create pods/eviction"], 4, "{writes:?}");
}

const ONE: &[(&str, u32)] = &[("node-1", 56)];
const FOUR: &[(&str, u32)] = &[("node-1", 10), ("node-2", 10), ("node-3", 10), ("node-4", 10)];

pub(crate) async fn gate_mode(server: Server) {
    demo(server, Mode::Gate, FOUR).await;
}

pub(crate) async fn bind_mode(server: Server) {
    demo(server, Mode::Bind, FOUR).await;
}

pub(crate) async fn gate_mode_on_one_node(server: Server) {
    demo(server, Mode::Gate, ONE).await;
}

pub(crate) async fn bind_mode_on_one_node(server: Server) {
    demo(server, Mode::Bind, ONE).await;
}

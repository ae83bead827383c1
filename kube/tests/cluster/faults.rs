//! What goes wrong between the adapter and the API server.

use crate::{
    demo::{NAMESPACES, tree},
    server::Server,
    world::World,
};
use quotree_kube::{
    actor::{Failure, Intent, PodKey},
    serve::board::Board,
    settings::Mode,
    write::{Writer, fence::Fence},
};
use quotree_kube_testkit::faults::{Fault, Rule, Verb};
use serde_json::json;

const NODES: &[(&str, u32)] = &[("node-1", 20), ("node-2", 20)];

async fn world(server: Server, mode: Mode) -> World {
    let mut world = World::new(server, mode, NODES, &NAMESPACES, tree()).await;
    world.start().await;
    world
}

/// The adapter is killed while pods are being admitted and victims leave, and another one goes on.
async fn a_restart_changes_nothing(server: Server, mode: Mode) {
    let mut world = world(server, mode).await;
    for number in 1..=2 {
        world.replica_set(&format!("namespace{number}"), &format!("nginx{number}"), 5, 5).await;
    }
    world.pass(1).await;
    world.kill();
    world.start().await;
    world.comes_to(&[4, 4, 0, 0], 0, "after the first restart").await;
    world.replica_set("namespace3", "nginx3", 5, 5).await;
    for _ in 0..12 {
        world.pass(1).await;
        if world.evictions > 0 {
            break;
        }
    }
    world.kill();
    world.start().await;
    // Nobody is evicted twice.
    world.comes_to(&[3, 3, 2, 0], 2, "after the second restart").await;
}

pub(crate) async fn a_restart_in_gate_mode(server: Server) {
    a_restart_changes_nothing(server, Mode::Gate).await;
}

pub(crate) async fn a_restart_in_bind_mode(server: Server) {
    a_restart_changes_nothing(server, Mode::Bind).await;
}

/// Writes that are carried out and not answered, that are lost, and that are refused for a while.
#[tokio::test(start_paused = true)]
async fn unclear_answers_are_looked_into() {
    for mode in [Mode::Gate, Mode::Bind] {
        let (verb, resource) = match mode {
            Mode::Bind => (Verb::Create, "pods/binding"),
            _ => (Verb::Patch, "pods"),
        };
        let mut world = world(Server::fake(), mode).await;
        for (nth, after, fault) in [
            (1, true, Fault::Cut),
            (2, false, Fault::Cut),
            (3, false, Fault::Status(503, None)),
            (4, true, Fault::Status(504, None)),
            (5, false, Fault::Status(429, Some(1))),
            (6, false, Fault::Status(409, None)),
        ] {
            let rule = Rule::on(verb, resource, fault).nth(nth);
            world.add_fault(if after { rule.after_commit() } else { rule });
        }
        world.replica_set("namespace1", "nginx1", 4, 5).await;
        world.replica_set("namespace2", "nginx2", 4, 5).await;
        world.pass(60).await;
        assert_eq!(world.running().await, [4, 4, 0, 0], "{mode:?}");
        let written = if mode == Mode::Bind { "Create pods/binding" } else { "Patch pods" };
        assert_eq!(world.writes[written], 8, "{mode:?}: each pod is admitted once");
        assert_eq!(world.faults, 6, "{mode:?}");
        let lost = Rule::on(Verb::Create, "pods/eviction", Fault::Cut).nth(1).after_commit();
        world.add_fault(lost);
        world.replica_set("namespace3", "nginx3", 2, 5).await;
        world.pass(60).await;
        assert_eq!((world.running().await, world.evictions), (vec![3, 3, 2, 0], 2), "{mode:?}");
    }
}

/// A pod that seems not to be placed is given up by an eviction that names what was seen of it: after an outage the kube-scheduler
/// may have placed it, and no watch have shown that yet.
#[tokio::test(start_paused = true)]
async fn what_was_placed_meanwhile_is_not_given_up() {
    let mut world = world(Server::fake(), Mode::Gate).await;
    world.replica_set("namespace1", "nginx1", 1, 5).await;
    world.comes_to(&[1, 0, 0, 0], 0, "before").await;
    let pod = world.pods("namespace1").await.remove(0);
    let text = |field: &str| pod["metadata"][field].as_str().unwrap().into();
    let key = PodKey { namespace: text("namespace"), name: text("name"), uid: text("uid"), version: "1".into() };
    let (client, now) = (world.server.client().await, world.server.clock().now());
    let mut writer = Writer::new(client, Mode::Gate, 200, Fence::open(), Board::default());
    let why = "it was admitted and not placed".to_owned();
    let evict = Intent::Evict { pod: key, not_before: now, why, reason: "NotPlaced", cause: None, unplaced: true };
    assert_eq!(writer.push([evict], now), []);
    let ended = writer.ended().await;
    let Some(Failure::Evict { why, .. }) = writer.take(ended, now) else { panic!("it is not evicted") };
    assert_eq!(why, "the pod was placed meanwhile");
    world.comes_to(&[1, 0, 0, 0], 0, "after").await;
}

/// A disruption budget that allows nothing is asked seldom, and obeyed when it allows something.
async fn budgets(server: Server, mode: Mode) {
    let mut world = world(server, mode).await;
    for number in 1..=2 {
        world.replica_set(&format!("namespace{number}"), &format!("nginx{number}"), 4, 5).await;
    }
    world.comes_to(&[4, 4, 0, 0], 0, "before the budgets").await;
    for number in 1..=2 {
        let t = &world.namespaces[&format!("namespace{number}")];
        let body = json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "keep" },
            "spec": { "minAvailable": 4, "selector": {} },
        });
        assert_eq!(t.post(&t.of("policy/v1", "poddisruptionbudgets"), body).await.unwrap().code, 201);
    }
    world.pass(5).await;
    // The budgets came later than the pods, and count all the same.
    world.replica_set("namespace3", "nginx3", 2, 5).await;
    world.a_while().await;
    assert_eq!((world.running().await, world.evictions), (vec![4, 4, 0, 0], 0));
    for number in 1..=2 {
        let t = &world.namespaces[&format!("namespace{number}")];
        let path = t.of("policy/v1", "poddisruptionbudgets/keep");
        assert_eq!(t.delete(&path, json!({})).await.unwrap().code, 200);
    }
    // The team whose budget goes first may lose both.
    let mut running = Vec::new();
    for _ in 0..8 {
        world.a_while().await;
        running = world.running().await;
        if running[2] == 2 {
            break;
        }
    }
    assert_eq!((running[0] + running[1], running[2], world.evictions), (6, 2, 2), "{running:?}");
}

pub(crate) async fn budgets_are_kept(server: Server) {
    budgets(server, Mode::Gate).await;
}

pub(crate) async fn budgets_are_kept_in_bind_mode(server: Server) {
    budgets(server, Mode::Bind).await;
}

/// The API server is killed and started again: watches and connections end, and the adapter goes on.
pub(crate) async fn an_api_server_that_is_restarted(server: Server) {
    let mut world = world(server, Mode::Gate).await;
    for number in 1..=2 {
        world.replica_set(&format!("namespace{number}"), &format!("nginx{number}"), 5, 5).await;
    }
    world.comes_to(&[4, 4, 0, 0], 0, "before the restart").await;
    world.restart_server().await;
    world.replica_set("namespace3", "nginx3", 5, 5).await;
    world.comes_to(&[3, 3, 2, 0], 2, "after the restart").await;
}

//! The last accepted tree over a restart of the process (LF12).

use crate::{
    demo::{NAMESPACES, tree},
    server::Server,
    world::World,
};
use quotree_k8s::LabelSelector;
use quotree_kube::{
    remember::Place,
    run::{Outlets, Runner},
    serve::board::Board,
    settings::{Mode, Settings},
    watch::streams::TreeSource,
    write::fence::Fence,
};
use quotree_kube_testkit::store::PatchType;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Starts a scheduler that remembers, by its own rights.
async fn start(server: &Server) -> JoinHandle<()> {
    let settings =
        Settings { remembers: true, managed: LabelSelector::default(), quiet_ms: 0, ..Settings::new(Mode::Gate) };
    let source = TreeSource { namespace: "kube-system".to_owned(), name: "tree".to_owned() };
    let place = Place { namespace: "kube-system".to_owned(), name: "quotree-scheduler".to_owned() };
    let (client, clock, fence) = (server.client().await, server.clock(), Fence::open());
    let log: fn(&str) = |line| eprintln!("{line}");
    let outlets = Outlets { log, board: Board::default(), tape: None };
    tokio::spawn(async move {
        let runner = Runner::new(&client, client.clone(), settings, &source, clock, fence.clone(), outlets);
        runner.with_memory(client.clone(), &place, &source, fence).run().await;
    })
}

pub(crate) async fn a_tree_that_breaks_between_two_processes_evicts_nobody(server: Server) {
    let mut world = World::new(server, Mode::Gate, &[("node-1", 56)], &NAMESPACES, tree()).await;
    let first = start(&world.server).await;
    world.replica_set("namespace1", "nginx1", 5, 5).await;
    world.replica_set("namespace2", "nginx2", 5, 5).await;
    world.comes_to(&[4, 4, 0, 0], 0, "with two teams").await;
    first.abort();
    let target = world.server.target();
    let path = target.cluster("scheduling.sigs.k8s.io/v1beta1", "namespaces/kube-system/elasticquotatrees/tree");
    let mut broken = tree();
    broken["min"] = json!({ "cpu": "99" });
    let broken = json!({ "spec": { "root": broken } });
    assert_eq!(target.patch(&path, PatchType::Merge, broken).await.unwrap().code, 200);
    let second = start(&world.server).await;
    world.replica_set("namespace3", "nginx3", 5, 5).await;
    world.comes_to(&[3, 3, 2, 0], 2, "by the guarantees of the accepted tree").await;
    // The status is written at most every 5 s.
    let mut valid = Value::Null;
    for _ in 0..30 {
        let conditions = world.tree().await["status"]["conditions"].clone();
        let found = conditions.as_array().and_then(|all| all.iter().find(|one| one["type"] == "Valid").cloned());
        valid = found.unwrap_or_default();
        if valid["status"] == "False" {
            break;
        }
        world.pass(1).await;
    }
    assert_eq!(valid["status"], "False", "{valid}");
    second.abort();
    // Deleted: likewise.
    assert_eq!(target.delete(&path, json!({})).await.unwrap().code, 200);
    let third = start(&world.server).await;
    world.replica_set("namespace4", "nginx4", 5, 5).await;
    world.comes_to(&[2, 2, 2, 2], 4, "though there is no tree").await;
    third.abort();
}

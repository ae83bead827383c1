//! A small cluster in memory, in real time: a tree, a node of 8 cores, namespaces, and the adapter at work.

use quotree_core::Time;
use quotree_k8s::LabelSelector;
use quotree_kube::{
    clock::Clock,
    run::{Outlets, Runner},
    serve::board::Board,
    settings::{Mode, Settings},
    watch::streams::TreeSource,
    write::fence::Fence,
};
use quotree_kube_testkit::{FakeServer, Target, kubelet::Kubelet};
use serde_json::{Value, json};

/// A cluster with this tree.
pub(crate) async fn cluster(root: Value) -> (FakeServer, Target) {
    let server = FakeServer::new();
    let target = Target::fake(&server, server.client());
    let crd = serde_json::from_str(include_str!("../../config/base/elasticquotatree.json")).unwrap();
    target.post(&target.cluster("apiextensions.k8s.io/v1", "customresourcedefinitions"), crd).await.unwrap();
    let tree = json!({
        "apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree",
        "metadata": { "name": "tree" }, "spec": { "root": root },
    });
    let path = target.cluster("scheduling.sigs.k8s.io/v1beta1", "namespaces/kube-system/elasticquotatrees");
    assert_eq!(target.post(&path, tree).await.unwrap().code, 201);
    Kubelet::new(target.clone()).add_node("n0", json!({ "cpu": "8", "pods": "110" }), json!({})).await.unwrap();
    (server, target)
}

/// Creates a pod of a core with this gate.
pub(crate) async fn create_pod(team: &Target, name: &str, gate: &str) {
    let resources = json!({ "requests": { "cpu": "1" } });
    let container = json!({ "name": "main", "image": "example.com/nothing:1", "resources": resources });
    let spec = json!({ "schedulingGates": [{ "name": gate }], "containers": [container] });
    let pod = json!({ "metadata": { "name": name }, "spec": spec });
    assert_eq!(team.post(&team.core("pods"), pod).await.unwrap().code, 201);
}

/// Starts the adapter in gate mode for all namespaces, and gives what it shows.
pub(crate) fn start(server: &FakeServer, compat_metrics: bool) -> Board {
    let board = Board::default();
    let clock = Clock::starting_at(Time(u64::try_from(server.now().as_millisecond()).unwrap()));
    // No eviction is sent within a test, so what it frees stays awaited.
    let (managed, quiet_ms) = (LabelSelector::default(), 600_000);
    let settings = Settings { managed, quiet_ms, compat_metrics, ..Settings::new(Mode::Gate) };
    let source = TreeSource { namespace: "kube-system".to_owned(), name: "tree".to_owned() };
    let outlets = Outlets { log: |line| eprintln!("{line}"), board: board.clone(), tape: None };
    let client = server.client();
    let mut runner = Runner::new(&client, client.clone(), settings, &source, clock, Fence::open(), outlets);
    tokio::spawn(async move { runner.run().await });
    board
}
